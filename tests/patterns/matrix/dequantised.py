"""Weights that are stored small and made floats on the way: float16 constants, and int8 with a scale (TFLite, TF.js)."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .cell import Column, image, v1

COLUMN = Column("dequantised")
add = COLUMN.add


def small(*shape: int, kind: str = "int8") -> Any:
    """A weight as the file holds it, cast and scaled to what the op takes."""
    rng = np.random.default_rng(sum(shape))
    if kind == "float16":
        return tf.cast(
            tf.constant(rng.normal(0, 0.4, shape).astype("float16")), tf.float32
        )
    stored = tf.constant(rng.integers(-127, 127, shape).astype("int8"))
    return tf.cast(stored, tf.float32) * 0.01


def per_channel(*shape: int) -> Any:
    """One scale for each filter."""
    rng = np.random.default_rng(sum(shape))
    stored = tf.constant(rng.integers(-127, 127, shape).astype("int8"))
    scales = tf.constant(rng.uniform(0.001, 0.01, shape[-1]).astype("float32"))
    return tf.cast(stored, tf.float32) * scales


for kind in ("int8", "float16"):
    add(
        f"Dense, {kind}",
        lambda kind=kind: tf.matmul(image(None, 5), small(5, 3, kind=kind))
        + small(3, kind=kind),
        "Dense",
        units=3,
        use_bias=True,
    )
    add(
        f"Conv2D, {kind}",
        lambda kind=kind: tf.nn.bias_add(
            tf.nn.conv2d(image(), small(3, 3, 4, 6, kind=kind), 1, "SAME"),
            small(6, kind=kind),
        ),
        "Conv2D",
        filters=6,
        use_bias=True,
    )
    add(
        f"DepthwiseConv2D, {kind}",
        lambda kind=kind: v1.nn.depthwise_conv2d(
            image(), small(3, 3, 4, 1, kind=kind), [1, 1, 1, 1], "SAME"
        ),
        "DepthwiseConv2D",
    )
add(
    "Conv2D, a scale a channel",
    lambda: tf.nn.conv2d(image(), per_channel(3, 3, 4, 6), 2, "SAME"),
    "Conv2D",
    strides=(2, 2),
)
