"""Masks of dropouts: which axes share one says which layer it is; each clause beside its twin."""

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
    v1,
)


def masked(shape: tuple[Any, ...], ones: tuple[int, ...], rate: float = 0.25) -> Any:
    """A dropout whose mask has size one along some axes, in the form of TensorFlow 2."""
    x = image(*shape)
    size = tf.shape(x)
    noise = [1 if axis in ones else size[axis] for axis in range(len(shape))]
    kept = tf.random.uniform(tf.stack(noise)) >= rate
    return tf.where(kept, x * (1 / 0.75), 0.0)


LINE, IMAGE, VOLUME = (None, 9, 3), (None, 8, 7, 3), (None, 4, 5, 6, 3)
SPELLINGS = [
    spell(
        "channels of a line",
        "spatial_dropout_1d",
        lambda: masked(LINE, (1,)),
        rate=0.25,
    ),
    spell(
        "steps of a line",
        "dropout",
        lambda: masked(LINE, (2,)),
        noise_shape=[None, 9, 1],
    ),
    spell(
        "channels of an image",
        "spatial_dropout_2d",
        lambda: masked(IMAGE, (1, 2)),
        data_format="channels_last",
    ),
    spell(
        "channels of an image, first",
        "spatial_dropout_2d",
        lambda: masked(IMAGE, (2, 3)),
        data_format="channels_first",
    ),
    spell("rows", "dropout", lambda: masked(IMAGE, (2,)), noise_shape=[None, 8, 1, 3]),
    spell(
        "pixels", "dropout", lambda: masked(IMAGE, (3,)), noise_shape=[None, 8, 7, 1]
    ),
    spell(
        "channels of a volume",
        "spatial_dropout_3d",
        lambda: masked(VOLUME, (1, 2, 3)),
        data_format="channels_last",
    ),
    spell(
        "one mask for all examples",
        "dropout",
        lambda: masked(IMAGE, (0, 1, 2)),
        noise_shape=[1, 1, 1, 3],
    ),
    spell("no axis", "dropout", lambda: masked(IMAGE, ())),
    spell("a column", "dropout", lambda: masked((None, 1), ())),
    spell(
        "numbers of six axes",
        "dropout",
        lambda: masked((None, 2, 3, 4, 5, 6), (1, 2, 3, 4)),
        rate=0.25,
    ),
]
NEAR_MISSES = [
    NearMiss("steps of a line", "spatial_dropout_1d", lambda: masked(LINE, (2,))),
    NearMiss("all of a line", "spatial_dropout_1d", lambda: masked(LINE, (1, 2))),
    NearMiss("one mask for all", "spatial_dropout_1d", lambda: masked(LINE, (0, 1))),
    NearMiss("rows", "spatial_dropout_2d", lambda: masked(IMAGE, (2,))),
    NearMiss("pixels", "spatial_dropout_2d", lambda: masked(IMAGE, (3,))),
    NearMiss("a matrix", "spatial_dropout_1d", lambda: masked((None, 9), (1,))),
    NearMiss("of another scale", "dropout", lambda: masked(IMAGE, (), rate=0.5)),
    NearMiss(
        "of another scale",
        "spatial_dropout_2d",
        lambda: masked(IMAGE, (1, 2), rate=0.5),
    ),
    NearMiss("whole channels", "dropout", lambda: masked(IMAGE, (1, 2))),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)


def fed(default: float | None, keep: bool = True) -> Any:
    x = image(None, 12)
    share = (
        v1.placeholder(tf.float32, (), "share")
        if default is None
        else v1.placeholder_with_default(default, (), "share")
    )
    if keep:
        return tf.raw_ops.RealDiv(x=x, y=share) * tf.floor(
            share + tf.random.uniform(tf.shape(x))
        )
    kept = tf.random.uniform(tf.shape(x)) >= share
    return tf.where(kept, x * (1 / (1.0 - share)), 0.0)


@pytest.mark.parametrize(
    ("pattern", "default", "keep", "rate"),
    [
        ("dropout_v1_fed", None, True, 0.5),
        ("dropout_v1_fed", 0.8, True, 0.2),
        ("dropout_v1_fed", 1.0, True, 0.5),
        ("dropout_fed", 0.3, False, 0.3),
        ("dropout_fed", 0.0, False, 0.5),
    ],
)
def test_a_fed_rate_is_its_default_where_that_drops_some(
    pattern: str, default: float | None, keep: bool, rate: float
) -> None:
    check_spelling(spell("fed", pattern, lambda: fed(default, keep), rate=rate))
