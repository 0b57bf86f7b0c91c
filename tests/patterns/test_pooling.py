"""Pooling: each clause of the guards fails once, beside its twin that is recognised."""

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
    v1,
)


def window(size: list[int], strides: list[int], padding: Any = "VALID") -> Any:
    return tf.nn.max_pool2d(image(), size, strides, padding)


def over(
    axes: Any, *shape: Any, reduce: Any = tf.reduce_mean, keep: Any = False
) -> Any:
    return reduce(image(*shape), axes, keepdims=keep)


def of_unknown_rank(*axes: int) -> Any:
    return tf.reduce_mean(v1.placeholder(tf.float32, name="x"), list(axes))


def shared_out(
    dims: tuple[int, ...] = (-1, 4, 2, 4, 2, 3),
    axis: Any = (2, 4),
    shape: tuple[Any, ...] = (None, 8, 8, 3),
) -> Any:
    return tf.reduce_mean(tf.reshape(image(*shape), dims), axis=list(axis))


SPELLINGS = [
    spell("plain", "max_pooling_2d", lambda: window([1, 2, 3, 1], [1, 2, 1, 1])),
    spell("last axes but one", "global_average_2d", lambda: over([1, 2])),
    spell("counted from the end", "global_average_2d", lambda: over([-3, -2])),
    spell(
        "channels first",
        "global_average_2d",
        lambda: over([2, 3], None, 3, 8, 8),
        data_format="channels_first",
    ),
    spell(
        "one axis kept",
        "global_average_1d",
        lambda: over([1], None, 9, 3, keep=True),
        keepdims=True,
        data_format="channels_last",
    ),
    spell("one axis, first", "global_average_1d", lambda: over([2], None, 3, 9)),
    spell(
        "three",
        "global_max_3d",
        lambda: over([1, 2, 3], 2, 4, 4, 4, 3, reduce=tf.reduce_max),
    ),
    spell("shared out", "average_by_reshape", shared_out, pool_size=(2, 2)),
    spell(
        "shared out unevenly",
        "average_by_reshape",
        lambda: shared_out((-1, 2, 4, 4, 2, 3)),
        pool_size=(4, 2),
        strides=(4, 2),
        padding="valid",
    ),
]
NEAR_MISSES = [
    NearMiss(
        "padded by numbers",
        "max_pooling_2d",
        lambda: window([1, 2, 2, 1], [1, 2, 2, 1], [[0, 0], [1, 0], [0, 0], [0, 0]]),
    ),
    NearMiss(
        "over the channels",
        "max_pooling_2d",
        lambda: window([1, 1, 1, 3], [1, 1, 1, 3]),
    ),
    NearMiss("over the rows as well", "global_average_2d", lambda: over([1, 2, 3])),
    NearMiss("over the batch", "global_average_2d", lambda: over([0, 1])),
    NearMiss("over the ends", "global_average_2d", lambda: over([1, 3])),
    NearMiss("of a matrix", "global_average_1d", lambda: over([1], None, 9)),
    NearMiss(
        "of six axes",
        "global_average_3d",
        lambda: over([1, 2, 3], 2, 2, 2, 2, 2, 2),
    ),
    NearMiss(
        "windows left over",
        "average_by_reshape",
        lambda: shared_out((-1, 2, 2, 8, 2, 3)),
    ),
    NearMiss("over the places", "average_by_reshape", lambda: shared_out(axis=(1, 3))),
    NearMiss("over one axis", "average_by_reshape", lambda: shared_out(axis=(2,))),
    NearMiss(
        "channels in the windows",
        "average_by_reshape",
        lambda: shared_out((-1, 4, 2, 4, 6, 1)),
    ),
    NearMiss(
        "of no image",
        "average_by_reshape",
        lambda: shared_out(shape=(None, 64, 3)),
    ),
    NearMiss(
        "of an image of no known size",
        "average_by_reshape",
        lambda: shared_out((-1, 1, 2, 4, 2, 3), shape=(None, None, 8, 3)),
    ),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)


def test_a_mean_over_the_last_of_three_axes_has_channels_that_come_first() -> None:
    (layer,) = found_in(lambda: over([2], None, 3, 9)).layers
    assert layer.attrs["data_format"] == "channels_first"


@pytest.mark.parametrize(
    ("axes", "kinds"),
    [
        ((1, 2), {"GlobalAveragePooling2D"}),
        ((2, 3), {"GlobalAveragePooling2D"}),
        ((1, 2, 3), {"GlobalAveragePooling3D"}),
        ((0, 1), set()),
        ((1,), set()),
    ],
)
def test_what_has_no_known_rank_is_an_image(
    axes: tuple[int, ...], kinds: set[str]
) -> None:
    found = found_in(lambda: of_unknown_rank(*axes))
    assert {layer.op for layer in found.layers} == kinds
