"""Local response normalization: TensorFlow's op, sums of slices, PyTorch's pooling over channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse
from graphscope.verify.run.keras_source import run_source
from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    image,
    spell,
)

CONFIG = {"bias": 2.0, "beta": 0.75}


def op() -> Any:
    return tf.nn.lrn(image(None, 4, 5, 9), 2, 2.0, 0.1, 0.75)


def sliced(n: int, width: int | None = None, first: int = 0, before: int = 0) -> Any:
    """``x / (k + alpha * sum of n slices) ** beta`` of the padded square."""
    x = image(None, 4, 5, 9)
    half = (width or n) // 2
    padded = tf.pad(x**2, [[0, 0], [0, 0], [0, 0], [half + before, half]])
    scale = 2.0
    for i in range(n):
        at = max(first, i)
        scale += 0.1 * padded[:, :, :, at : at + 9]
    return x / scale**0.75


def pooled(size: int = 3, axis: int = 2, channels: int = 6, power: float = 0.75) -> Any:
    x = image(None, 6, 4, 5)
    wide = tf.reshape(x * x, tf.stack([tf.shape(x)[0], 1, channels, -1, 5]))
    pads = [[0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]
    pads[axis] = [size // 2, (size - 1) // 2]
    window = [1, 1, 1, 1, 1]
    window[axis] = size
    mean = tf.raw_ops.AvgPool3D(
        input=tf.pad(wide, pads),
        ksize=window,
        strides=[1] * 5,
        padding="VALID",
        data_format="NCDHW",
    )
    return x / tf.pow(tf.reshape(mean, tf.shape(x)) * 0.3 + 2.0, power)


SPELLINGS = [
    spell("op", "local_response", op, radius=2, alpha=0.1, **CONFIG),
    spell(
        "of any size",
        "local_response",
        lambda: tf.nn.lrn(image(None, None, None, None)),
        radius=5,
    ),
    spell("3 slices", "local_response_of_3_slices", lambda: sliced(3), radius=1),
    spell("5 slices", "local_response_of_5_slices", lambda: sliced(5), radius=2),
    spell(
        "7 slices", "local_response_of_7_slices", lambda: sliced(7), radius=3, **CONFIG
    ),
    spell(
        "mean over channels",
        "local_response_pooled",
        pooled,
        radius=1,
        alpha=0.1,
        axis=1,
        **CONFIG,
    ),
]

NEAR_MISSES = [
    NearMiss(
        "divided by the root of all channels' squares",
        "local_response",
        lambda: tf.nn.l2_normalize(image(), 3),
    ),
    NearMiss("a slice twice", "local_response_of_3_slices", lambda: sliced(3, first=1)),
    NearMiss("padded more", "local_response_of_5_slices", lambda: sliced(5, before=1)),
    NearMiss(
        "padded for a wider window",
        "local_response_of_7_slices",
        lambda: sliced(7, width=9),
    ),
    NearMiss("even window", "local_response_pooled", lambda: pooled(4)),
    NearMiss("along the rows", "local_response_pooled", lambda: pooled(axis=3)),
    NearMiss(
        "channels and rows mixed", "local_response_pooled", lambda: pooled(channels=3)
    ),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)


@pytest.mark.parametrize("axis", [-1, 1])
def test_the_layer_of_the_source_is_saved_and_read_back(
    axis: int, tmp_path: Path
) -> None:
    with tf.Graph().as_default() as graph:
        out = tf.identity(op() if axis == -1 else pooled(), name="out")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    analyse(str(path), outputs=[out.op.name]).write_keras(tmp_path)
    import keras

    built = run_source(tmp_path)
    built.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, *built.input_shape[1:]))
    assert any(each.__class__.__name__.startswith("Local") for each in again.layers)
    np.testing.assert_array_equal(built(x), again(x))
