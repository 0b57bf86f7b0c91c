"""Which models belong together: by structure, by the shapes of weights, by their values; and not by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphscope.read.weights.crc32c import crc32c
from graphscope.survey.relatives import relations

ZEROS = f"{crc32c(bytes(400)):08x}-400"
ONES = f"{crc32c(np.ones(100, '<f4').tobytes()):08x}-400"


def row(place: str, **facts: Any) -> dict[str, Any]:
    plain = {
        "error": "",
        "inferred": False,
        "structure": "s",
        "shapes": "h",
        "nodes": 20,
    }
    plain |= {
        "parameters": 100,
        "variables": 0,
        "weights": "",
        "tensors": [],
        "modified": 1.0,
    }
    return {"place": place, **plain, **facts}


CHECKPOINT = row("a", variables=3, weights="w", tensors=["1-400", "2-400", "3-8"])


@pytest.mark.parametrize(
    "facts, what",
    [
        ({"weights": "w", "variables": 3}, "same weights"),
        ({"weights": "w"}, "frozen from"),
        ({"weights": "v", "tensors": ["1-400", "3-8"]}, "frozen from"),
        ({"weights": ""}, "frozen from"),  # nobody read its weights
        ({"weights": "v", "tensors": ["1-400", "9-400"]}, "fine-tuned from"),
        ({"weights": "v", "tensors": ["3-8", "9-400"]}, "same structure"),
        ({"weights": "v", "variables": 3, "tensors": ["9-400"]}, "same structure"),
        ({"inferred": True, "structure": "other", "variables": 3}, "checkpoint of"),
    ],
)
def test_what_one_is_to_the_other(facts: dict[str, Any], what: str) -> None:
    (relation,) = relations([row("b", modified=2.0, **facts), CHECKPOINT])
    assert relation == ("b", what, "a")


@pytest.mark.parametrize("tensor", [ZEROS, ONES, "7-8"])
def test_what_everybody_starts_with_makes_no_relatives(tensor: str) -> None:
    pair = [row(p, variables=1, weights=p, tensors=[tensor, f"{p}-400"]) for p in "ab"]
    assert [r.what for r in relations(pair)] == ["same structure"]


def test_small_broken_and_different_models_are_none() -> None:
    assert not relations([row("a", nodes=3, shapes=""), row("b", nodes=3, shapes="")])
    assert not relations([row("a"), row("b", error="damaged")])
    assert not relations([row("a"), row("b", structure="t", shapes="")])
