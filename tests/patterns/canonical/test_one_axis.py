"""Ops between ExpandDims and Squeeze: each clause of the guards, with the twin that is recognised."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    image,
    spell,
    weight,
)


def pooled(
    size: list[int],
    strides: list[int],
    pool: Any = tf.nn.max_pool2d,
    put: int = 2,
    taken: int = 2,
    layout: str = "NHWC",
    shape: tuple[int | None, ...] = (None, 9, 3),
) -> Any:
    wide = tf.expand_dims(image(*shape), put)
    return tf.squeeze(pool(wide, size, strides, "SAME", data_format=layout), [taken])


def convolved(
    kernel: tuple[int, ...] = (3, 1, 3, 4),
    strides: Any = 1,
    put: int = 2,
    taken: int = 2,
    bias: tuple[int, ...] | None = None,
    shape: tuple[int | None, ...] = (None, 9, 3),
) -> Any:
    wide = tf.nn.conv2d(
        tf.expand_dims(image(*shape), put), weight("w", *kernel), strides, "SAME"
    )
    if bias is not None:
        wide = wide + weight("b", *bias)
    return tf.squeeze(wide, [taken])


def causal(
    left: int = 2, right: int = 0, other: int = 0, dilation: int = 1, **pads: Any
) -> Any:
    rows = [[0, 0], [left, right], [other, other]]
    padded = tf.pad(image(None, 9, 3), rows, **pads)
    kernel = weight("w", 3, 3 + 2 * other, 4)
    return tf.nn.conv1d(padded, kernel, 1, "VALID", dilations=dilation)


POOL = "max_pool_along_a_line"
CONV = "conv_along_a_line"
SPELLINGS = [
    spell(
        "pooled",
        POOL,
        lambda: pooled([1, 3, 1, 1], [1, 2, 1, 1]),
        op="MaxPooling1D",
        pool_size=(3,),
        strides=(2,),
        padding="same",
        data_format="channels_last",
    ),
    spell(
        "pooled, the new axis first",
        POOL,
        lambda: pooled([1, 1, 3, 1], [1, 1, 2, 1], put=1, taken=1),
        pool_size=(3,),
        strides=(2,),
    ),
    spell(
        "averaged",
        "avg_pool_along_a_line",
        lambda: pooled([1, 3, 1, 1], [1, 2, 1, 1], tf.nn.avg_pool2d),
        op="AveragePooling1D",
    ),
    spell("the last but one", CONV, convolved, op="Conv1D", kernel_size=(3,)),
    spell(
        "steps over the new axis go nowhere",
        CONV,
        lambda: convolved(strides=[1, 2, 2, 1]),
        strides=(2,),
    ),
    spell(
        "a bias before it is squeezed",
        CONV,
        lambda: convolved(bias=(4,)),
        "kernel bias",
        use_bias=True,
    ),
    spell("causal", "causal", causal, padding="causal"),
    spell(
        "causal, padded with a zero that is said",
        "causal",
        lambda: tf.nn.conv1d(
            tf.raw_ops.PadV2(
                input=image(None, 9, 3),
                paddings=[[0, 0], [2, 0], [0, 0]],
                constant_values=0.0,
            ),
            weight("w", 3, 3, 4),
            1,
            "VALID",
        ),
        padding="causal",
    ),
]
NEAR_MISSES = [
    NearMiss(
        "the window spans the new axis",
        POOL,
        lambda: pooled([1, 3, 2, 1], [1, 2, 1, 1]),
    ),
    NearMiss(
        "steps over the new axis",
        POOL,
        lambda: pooled([1, 3, 1, 1], [1, 2, 2, 1]),
    ),
    NearMiss(
        "another axis is taken away",
        POOL,
        lambda: pooled([1, 1, 1, 1], [1, 1, 1, 1], taken=1, shape=(None, 1, 3)),
    ),
    NearMiss(
        "the new axis is the channels'",
        POOL,
        lambda: pooled([1, 2, 2, 1], [1, 1, 1, 1], put=3, taken=3),
    ),
    NearMiss(
        "the window spans the new axis of an average",
        "avg_pool_along_a_line",
        lambda: pooled([1, 3, 2, 1], [1, 2, 1, 1], tf.nn.avg_pool2d),
    ),
    NearMiss("the kernel spans the new axis", CONV, lambda: convolved((3, 2, 3, 4))),
    NearMiss(
        "another axis is taken away",
        CONV,
        lambda: convolved((1, 1, 3, 4), taken=1, shape=(None, 1, 3)),
    ),
    NearMiss(
        "the new axis is the channels'",
        CONV,
        lambda: convolved((3, 3, 1, 1), put=3, taken=3),
    ),
    NearMiss(
        "a bias that varies along the line", CONV, lambda: convolved(bias=(9, 1, 1))
    ),
    NearMiss("less than the reach", "causal", lambda: causal(left=1)),
    NearMiss("both sides", "causal", lambda: causal(right=1)),
    NearMiss("the channels too", "causal", lambda: causal(other=1)),
    NearMiss(
        "padded with ones", "causal", lambda: causal(constant_values=tf.constant(1.0))
    ),
    NearMiss(
        "dilated, the reach of the plain kernel",
        "causal",
        lambda: causal(left=2, dilation=2),
    ),
    NearMiss(
        "channels that come first",
        "causal",
        lambda: tf.nn.conv1d(
            tf.pad(image(None, 3, 9), [[0, 0], [2, 0], [0, 0]]),
            weight("w", 3, 5, 4),
            1,
            "VALID",
            data_format="NCW",
        ),
    ),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)
