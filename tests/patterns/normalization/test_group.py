"""Statistics of groups of channels: what tells one from another is where the weights lie."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    found_in,
    image,
    spell,
    weight,
)


def normed(x: Any, axes: list[int]) -> Any:
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-3)


def weighted(x: Any, *shape: int) -> Any:
    return x * weight("gamma", *shape) + weight("beta", *shape)


def in_two(axes: list[int], shape: tuple[int, ...], *weights: int) -> Any:
    """NCHW, the channels split in two, the weights where the groups are one again."""
    x = image(None, 6, 8, 8)
    return weighted(
        tf.reshape(normed(tf.reshape(x, shape), axes), [-1, 6, 8, 8]), *weights
    )


def in_a_row(groups: int) -> Any:
    """PyTorch's: all of a group in one axis."""
    x = tf.reshape(image(None, 6, 8, 8), [-1, groups, 6 // groups * 64])
    return weighted(tf.reshape(normed(x, [2]), [-1, 6, 8, 8]), 6, 1, 1)


def by_its_norm() -> Any:
    x = image(None, 4)
    return x / tf.norm(x, axis=-1, keepdims=True)


SPELLINGS = [
    spell(
        "weights outside, channels first",
        "group_norm_rejoined",
        lambda: in_two([2, 3, 4], (-1, 2, 3, 8, 8), 1, 6, 1, 1),
        "gamma beta",
        groups=2,
        axis=1,
    ),
    spell(
        "a group in a row", "group_norm_rejoined", lambda: in_a_row(3), groups=3, axis=1
    ),
    spell(
        "the whole example, weights one a channel",
        "single_group_norm",
        lambda: weighted(normed(image(), [1, 2, 3]), 3),
        groups=1,
        axis=-1,
    ),
    spell(
        "divided by the norm",
        "unit_norm_plain",
        by_its_norm,
        axis=-1,
    ),
]


def near(name: str, pattern: str, build: Any) -> NearMiss:
    return NearMiss(name, pattern, build)


NEAR_MISSES = [
    near(
        "weights along the rows",
        "group_norm_rejoined",
        lambda: in_two([2, 3, 4], (-1, 2, 3, 8, 8), 8, 1),
    ),
    near(
        "every other channel",
        "group_norm_rejoined",
        lambda: in_two([1, 3, 4], (-1, 2, 3, 8, 8), 6, 1, 1),
    ),
    near("of some rows", "instance_norm", lambda: normed(image(), [1])),
    near(
        "weights that vary along an axis of their own",
        "single_group_norm",
        lambda: weighted(normed(image(), [1, 2, 3]), 8, 1, 3),
    ),
    near(
        "weights of one axis of two",
        "layer_norm",
        lambda: weighted(normed(image(), [2, 3]), 3),
    ),
    near(
        "weights along an axis that is not normalized",
        "layer_norm",
        lambda: weighted(normed(image(None, 7, 4), [2]), 7, 1),
    ),
    near(
        "another tensor's norm",
        "unit_norm_plain",
        lambda: image(None, 4)
        / tf.norm(image(None, 4, name="y"), axis=-1, keepdims=True),
    ),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize(
    ("axes", "shape"), [([1, 2], (8, 1)), ([2, 3], (8,))], ids=["rows", "columns"]
)
def test_weights_along_another_axis_stay_out(
    axes: list[int], shape: tuple[int, ...]
) -> None:
    found = found_in(lambda: weighted(normed(image(None, 8, 8, 8), axes), *shape))
    assert [layer.weights for layer in found.layers if "Norm" in layer.op][0] == {}


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_no_match(miss: NearMiss) -> None:
    check_near_miss(miss)
