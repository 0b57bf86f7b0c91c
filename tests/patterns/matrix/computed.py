"""Kernels that are computed of variables: quantisation-aware training, weight and spectral normalization, equalised rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .cell import Column, image, weight

COLUMN = Column("computed")
add = COLUMN.add
quantised = tf.quantization.fake_quant_with_min_max_vars
per_channel = tf.quantization.fake_quant_with_min_max_vars_per_channel
SHAPE = (3, 3, 4, 6)


def conv(kernel: Any, bias: bool = True) -> Any:
    made = tf.nn.conv2d(image(), kernel, 1, "SAME")
    return tf.nn.bias_add(made, weight("b", 6)) if bias else made


def ranged() -> Any:
    """tf.contrib.quantize's ``weights_quant``: the range is two variables that training moved."""
    low, high = weight("min") - 2.0, weight("max") + 2.0
    return conv(quantised(weight("w", *SHAPE), low, high, narrow_range=True))


add("Conv2D, FakeQuant", ranged, "Conv2D", filters=6)
add(
    "Conv2D, FakeQuant per channel",
    lambda: conv(per_channel(weight("w", *SHAPE), [-0.5] * 6, [0.4] * 6)),
    "Conv2D",
)
add(
    "DepthwiseConv2D, FakeQuant",
    lambda: tf.nn.depthwise_conv2d(
        image(), quantised(weight("w", 3, 3, 4, 1), -1.0, 1.0), [1] * 4, "SAME"
    ),
    "DepthwiseConv2D",
)
add(
    "Dense, FakeQuant",
    lambda: tf.matmul(image(None, 5), quantised(weight("w", 5, 3), -1.0, 0.5)),
    "Dense",
)


def folded() -> Any:
    """``tf.contrib.quantize`` multiplies the kernel by the batch normalization's scale, then quantises it."""
    gamma, beta, mean = (weight(name, 6) for name in ("gamma", "beta", "mean"))
    scale = gamma * tf.math.rsqrt(weight("variance", 6, positive=True) + 1e-3)
    made = conv(quantised(weight("w", *SHAPE) * scale, -1.0, 1.0), bias=False)
    return tf.nn.relu6(made + (beta - mean * scale))


add("Conv2D, batch-norm folded, FakeQuant", folded, "Conv2D", use_bias=True)


def weight_norm() -> Any:
    """Salimans and Kingma 2016: a direction and a length for each filter."""
    return conv(weight("g", 6) * tf.nn.l2_normalize(weight("v", *SHAPE), [0, 1, 2]))


def spectral_norm() -> Any:
    """Miyato 2018, as SN-GAN's TensorFlow ports write one step of the power iteration."""
    kernel = weight("w", *SHAPE)
    rows = tf.reshape(kernel, [-1, 6])
    v = tf.nn.l2_normalize(tf.matmul(weight("u", 1, 6), rows, transpose_b=True))
    u = tf.nn.l2_normalize(tf.matmul(v, rows))
    sigma = tf.matmul(tf.matmul(v, rows), u, transpose_b=True)
    return conv(tf.reshape(rows / sigma, SHAPE))


def standardised() -> Any:
    """Weight standardization, Qiao 2019 (BiT)."""
    kernel = weight("w", *SHAPE)
    mean, variance = tf.nn.moments(kernel, [0, 1, 2], keepdims=True)
    return conv((kernel - mean) / tf.sqrt(variance + 1e-5))


def equalised() -> Any:
    """Progressive GAN's ``get_weight``: He's constant at run time."""
    return conv(weight("w", *SHAPE) * np.float32(np.sqrt(2 / 36)))


for build in (weight_norm, spectral_norm, standardised, equalised):
    add(f"Conv2D, {build.__name__}", build, "Conv2D", use_bias=True)
