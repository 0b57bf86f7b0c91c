"""Dilated convolutions by folding time into the batch by hand."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_sound,
    check_spelling,
    found_in,
    image,
    spell,
    weight,
)

NAME = "folded_by_hand"


def folded(
    batch: int = 2,
    time: int = 13,
    there: tuple[int, ...] = (1, 0, 2),
    back: tuple[int, ...] = (1, 0, 2),
    stride: int = 1,
    unfolded: int = 1,
    bias: bool = False,
    before: int = 0,
    first: int = 0,
    less: int = 0,
    out: int = 5,
) -> Any:
    """WaveNet's causal convolution of two samples, four apart."""
    x, rate = image(batch, time, 3), 4
    columns = tf.reshape(
        tf.pad(x, [[0, 0], [before, -(time + before) % rate], [0, 0]]), [-1, rate, 3]
    )
    rows = tf.reshape(tf.transpose(columns, there), [batch * rate, -1, 3])
    y = tf.nn.conv1d(rows, weight("w", 2, 3, 5), stride, "VALID")
    columns = tf.transpose(tf.reshape(y, [rate, -1, 5]), back)
    restored = tf.reshape(columns, [batch * unfolded, -1, 5])
    left = (time - rate) // unfolded // stride - less
    y = tf.slice(restored, [0, first, 0], [-1, left, out])
    return y + weight("b", 5) if bias else y


SPELLINGS = [
    spell("WaveNet's", NAME, folded, "kernel", dilation_rate=(4,), padding="valid"),
    spell("with a bias", NAME, lambda: folded(bias=True), "kernel bias", filters=5),
    spell("nothing to pad", NAME, lambda: folded(time=12), kernel_size=(2,)),
    spell(
        "padded by its reach at the start",
        "causal",
        lambda: folded(time=12, before=4, less=-4),
        padding="causal",
        dilation_rate=(4,),
    ),
    spell("one example", NAME, lambda: folded(batch=1), dilation_rate=(4,)),
]
NEAR_MISSES = [
    NearMiss("not exchanged", NAME, lambda: folded(there=(0, 1, 2))),
    NearMiss("not exchanged back", NAME, lambda: folded(back=(0, 1, 2))),
    NearMiss("every second", NAME, lambda: folded(time=16, stride=2)),
    NearMiss("into twice the batch", NAME, lambda: folded(unfolded=2)),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)


@pytest.mark.parametrize(
    "options",
    [{"time": 14, "before": 2}, {"first": 1, "less": 1}, {"less": 1}],
    ids=["padded at the start", "cut at the start", "cut too short"],
)
def test_what_is_padded_or_cut_otherwise_is_so_beside_the_layer(
    options: dict[str, int],
) -> None:
    """Without pad and slice it is a dilated convolution still; with them it is none."""
    found = found_in(lambda: folded(**options))
    (layer,) = (each for each in found.layers if each.op == "Conv1D")
    assert found.graph.op(layer.output.node) == "Reshape"
    assert {found.graph.op(name) for name in layer.members}.isdisjoint(("Pad", "Slice"))
    check_sound(found)
