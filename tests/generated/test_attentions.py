"""Random attention layers, frozen by TensorFlow, come back as the one layer that they were, called with the same masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphscope.analysis.results import analyse
from graphscope.graph import Layer

from ..recovery import arguments, freeze_model
from .attentions import random_attention

FEW, MANY = range(10), range(10, 310)
ALIASES = {"GroupedQueryAttention": "GroupQueryAttention"}

# What no inference graph can tell: the rate of a dropout; Keras says the default axes in its config.
UNTOLD = {"dropout", "attention_axes"}


def told(class_name: str, config: Any) -> dict[str, Any]:
    """The arguments that change what a layer computes and that its graph tells."""
    found = {k: v for k, v in arguments(class_name, config).items() if k not in UNTOLD}
    if found.get("value_dim") == found.get("key_dim"):
        found.pop("value_dim", None)
    return found


def masks_of(layer: Any) -> set[str]:
    """What its call was given beyond queries, values and keys."""
    given = layer._inbound_nodes[0].arguments.kwargs
    found = {name for name, value in given.items() if value is not None}
    if "mask" in found:
        names = zip(("query_mask", "value_mask"), given["mask"])
        found = found - {"mask"} | {name for name, mask in names if mask is not None}
    if type(layer).__name__ == "MultiHeadAttention":
        found.discard("query_mask")  # Keras takes the one that its input carries
    return found


def check_attention(seed: int, folder: Path) -> None:
    model = random_attention(seed)
    (layer,) = (each for each in model.layers if "Attention" in type(each).__name__)
    _, outputs = freeze_model(model, folder / "frozen.pb")
    found = analyse(folder / "frozen.pb", outputs=[str(t) for t in outputs])
    source = found.write_keras(folder / "keras").source.text
    proof = found.prove(folder / "keras")
    assert proof.passed, (proof.outputs, proof.parts_at)
    made = [n for n in map(found.layer_graph.node, found.layer_graph)]
    (mine,) = (each for each in made if isinstance(each, Layer))
    name = type(layer).__name__
    assert mine.op == ALIASES.get(name, name), source
    axes = getattr(layer, "_attention_axes", None)
    if axes is not None and mine.attrs.get("attention_axes") is not None:
        assert mine.attrs["attention_axes"] == axes
    wanted, got = told(mine.op, layer.get_config()), told(mine.op, mine.config)
    assert got == wanted, (got, wanted)
    given = set(mine.inputs) - {"query", "value", "key"}
    given |= {"use_causal_mask"} if mine.attrs.get("use_causal_mask") else set()
    assert given == masks_of(layer), source
    assert "ops." not in source, source


@pytest.mark.parametrize("seed", FEW)
def test_random_attention(seed: int, tmp_path: Path) -> None:
    check_attention(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_more_random_attention(seed: int, tmp_path: Path) -> None:
    check_attention(seed, tmp_path)
