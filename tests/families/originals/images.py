"""Nets that draw, after their authors' files: affinelayer/pix2pix-tensorflow (MIT)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import layers
from tests.families.originals import original

v1 = tf.compat.v1
scope = v1.variable_scope


def _lrelu(x: Any, a: float) -> Any:
    return (0.5 * (1 + a)) * x + (0.5 * (1 - a)) * tf.abs(x)


def _norm(x: Any) -> Any:
    return layers.batch_normalization(x, axis=3, epsilon=1e-5, training=True)


def _generator(x: Any, ngf: int, depth: int) -> Any:
    options = {"kernel_size": 4, "strides": (2, 2), "padding": "same"}
    ends = []
    for place in range(1, depth + 1):
        with scope(f"encoder_{place}"):
            if place == 1:
                ends.append(layers.conv2d(x, ngf, **options))
                continue
            filters = ngf * min(2 ** (place - 1), 8)
            y = layers.conv2d(_lrelu(ends[-1], 0.2), filters, **options)
            ends.append(_norm(y))
    y = ends[-1]
    for place in range(depth, 1, -1):
        with scope(f"decoder_{place}"):
            y = y if place == depth else tf.concat([y, ends[place - 1]], 3)
            filters = ngf * min(2 ** (place - 2), 8)
            y = _norm(layers.conv2d_transpose(tf.nn.relu(y), filters, **options))
    with scope("decoder_1"):
        y = tf.nn.relu(tf.concat([y, ends[0]], 3))
        return tf.tanh(layers.conv2d_transpose(y, 3, **options))


def _discriminator(x: Any, y: Any, ndf: int) -> Any:
    def conv(x: Any, filters: int, strides: int) -> Any:
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        return layers.conv2d(x, filters, 4, strides=strides, padding="valid")

    with scope("layer_1"):
        z = _lrelu(conv(tf.concat([x, y], 3), ndf, 2), 0.2)
    for place, (factor, strides) in enumerate(((2, 2), (4, 2), (8, 1)), 2):
        with scope(f"layer_{place}"):
            z = _lrelu(_norm(conv(z, factor * ndf, strides)), 0.2)
    with scope("layer_5"):
        return tf.sigmoid(conv(z, 1, 1))


@original("pix2pix, 5 layers down and up, 4 filters")
def pix2pix() -> tuple[list[Any], list[Any]]:
    """create_generator and create_discriminator on one image; the generator of 256 pixels has eight layers."""
    x = v1.placeholder(tf.float32, [1, 64, 64, 1])
    a = v1.placeholder(tf.float32, [1, 64, 64, 1])
    b = v1.placeholder(tf.float32, [1, 64, 64, 3])
    with scope("generator"):
        drawn = _generator(x, 4, 5)
    with scope("discriminator"):
        verdict = _discriminator(a, b, 4)
    return [x, a, b], [drawn, verdict]
