"""Masks of attention come back under Keras's names; what only looks like one is given as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from graphscope.graph import Layer
from tests.patterns.attention.test_multi_head import (
    LENGTH,
    analysed,
    attention,
    by_einsum,
)

v1 = tf.compat.v1


def places(name: str = "places") -> Any:
    return v1.placeholder(tf.bool, [None, LENGTH], name)


def pairs() -> Any:
    return v1.placeholder(tf.bool, [None, LENGTH, LENGTH], "pairs")


def past(strictly: bool = False) -> Any:
    index = tf.range(LENGTH)
    rows = index[:, None]
    return rows > index if strictly else rows >= index


def hide(mask: Any, fill: float = -1e9) -> Callable[[Any], Any]:
    return lambda scores: tf.where(tf.expand_dims(mask(), 1), scores, fill)


def added(low: float) -> Callable[[Any], Any]:
    """Keras 2's way, and BERT's: less a number wherever the mask is false."""

    def masked(scores: Any) -> Any:
        mask = tf.expand_dims(pairs(), 1)
        return scores + (1.0 - tf.cast(mask, tf.float32)) * low

    return masked


def both(*masks: Callable[[], Any]) -> Callable[[], Any]:
    def joined() -> Any:
        whole = masks[0]()
        for mask in masks[1:]:
            whole = tf.logical_and(whole, mask())
        return whole

    return joined


def of_values() -> Any:
    return tf.expand_dims(places(), 1)


def of_queries() -> Any:
    return tf.expand_dims(places("rows"), 2)


NAMED = [
    ("values", hide(of_values), {"value_mask"}, False),
    ("pairs", hide(pairs), {"attention_mask"}, False),
    ("values and the past", hide(both(of_values, past)), {"value_mask"}, True),
    (
        "all of them",
        hide(both(pairs, of_values, past)),
        {"value_mask", "attention_mask"},
        True,
    ),
    ("Keras's heads take no mask of queries", hide(of_queries), {"attention_mask"}, False),
    ("not the past", hide(both(pairs, lambda: past(True))), {"attention_mask"}, False),
    ("Keras 2's", added(-1e9), {"attention_mask"}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    "masked, names, causal", [row[1:] for row in NAMED], ids=[row[0] for row in NAMED]
)
def test_masks_are_given_by_name(
    masked: Any, names: set[str], causal: bool, tmp_path: Path
) -> None:
    found = analysed(lambda: attention(by_einsum, masked), tmp_path)
    nodes = [found.layer_graph.node(name) for name in found.layer_graph]
    (layer,) = (n for n in nodes if isinstance(n, Layer) and n.op[:5] == "Multi")
    assert set(layer.inputs) - {"query", "value", "key"} == names
    assert bool(layer.attrs.get("use_causal_mask")) is causal
    assert not layer.attrs["additive_mask"]
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed


def whole(
    low: float, dtype: str = "int32", turned: bool = True
) -> Callable[[Any], Any]:
    """BERT's way: less a number wherever the mask of its input is 0."""

    def masked(scores: Any) -> Any:
        mask = v1.placeholder(dtype, [None, LENGTH], "mask")
        seen = tf.cast(mask[:, None, None, :], tf.float32)
        return scores + (1.0 - seen if turned else seen) * low

    return masked


def repeated(scores: Any) -> Any:
    """The mask of BERT's authors, which has a row for each query."""
    mask = v1.placeholder(tf.int32, [None, LENGTH], "mask")
    ones = tf.ones([tf.shape(mask)[0], LENGTH, 1])
    seen = ones * tf.cast(tf.reshape(mask, [-1, 1, LENGTH]), tf.float32)
    return scores + (1.0 - tf.expand_dims(seen, 1)) * -1e4


PADDED = [whole(-1e4), whole(-1e9), whole(-3e38), whole(-1e4, "int64"), repeated]
SUMS = {
    "truth values of pairs, which may hide a row": added(-1e4),
    "real numbers": whole(-1e4, "float32"),
    "not far": whole(-1e3),
    "what is 1 is hidden": whole(-1e4, turned=False),
}


@pytest.mark.parametrize("masked", PADDED)
def test_whole_numbers_that_hide_places_are_a_mask(masked: Any, tmp_path: Path) -> None:
    layer = proven(masked, tmp_path)
    assert "value_mask" in layer.inputs and not layer.attrs["additive_mask"]
    assert "Assumed" in (tmp_path / "keras/model.py").read_text()


@pytest.mark.parametrize("masked", SUMS.values(), ids=SUMS)
def test_numbers_that_are_no_mask_stay_a_sum(masked: Any, tmp_path: Path) -> None:
    """BERT's -10000 leaves something of the scores where a whole row is hidden."""
    assert proven(masked, tmp_path).attrs["additive_mask"]


def proven(masked: Any, folder: Path) -> Layer:
    """The attention layer of a net with such a mask, which computes the same."""
    found = analysed(lambda: attention(by_einsum, masked), folder)
    nodes = [found.layer_graph.node(name) for name in found.layer_graph]
    (layer,) = (n for n in nodes if isinstance(n, Layer) and n.op[:5] == "Multi")
    found.write_keras(folder / "keras")
    assert found.prove(folder / "keras").passed
    return layer
