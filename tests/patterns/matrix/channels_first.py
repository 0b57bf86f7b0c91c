"""NCHW: graphs made for cuDNN, frozen as they were trained."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .cell import Column, image, v1, weight

COLUMN = Column("NCHW")
add = COLUMN.add
FIRST = {"data_format": "channels_first"}
SHAPE = (None, 4, 7, 9)


def conv(stride: int = 1, dilation: int = 1, inside: int = 4, bias: str = "") -> Any:
    x = tf.nn.conv2d(
        image(*SHAPE),
        weight("w", 3, 3, inside, 6),
        [1, 1, stride, stride],
        "SAME",
        data_format="NCHW",
        dilations=[1, 1, dilation, dilation],
    )
    if bias == "add":
        return x + tf.reshape(weight("b", 6), [1, 6, 1, 1])
    return tf.nn.bias_add(x, weight("b", 6), data_format="NCHW") if bias else x


add("Conv2D", lambda: conv(bias="op"), use_bias=True, **FIRST)
add("Conv2D, added bias", lambda: conv(bias="add"), "Conv2D", use_bias=True, **FIRST)
add("Conv2D, strided", lambda: conv(2), "Conv2D", strides=(2, 2), **FIRST)
add("Conv2D, dilated", lambda: conv(1, 2), "Conv2D", dilation_rate=(2, 2), **FIRST)
add("Conv2D, grouped", lambda: conv(inside=2), "Conv2D", groups=2, **FIRST)


def explicit() -> Any:
    pads = [[0, 0], [0, 0], [3, 3], [3, 3]]
    kernel = weight("w", 7, 7, 4, 6)
    return tf.nn.conv2d(image(*SHAPE), kernel, 2, pads, data_format="NCHW")


add("Conv2D, explicit", explicit, ("ZeroPadding2D", FIRST), ("Conv2D", FIRST))


def fused() -> Any:
    names = ("gamma", "beta", "mean")
    gamma, beta, mean = (weight(name, 4) for name in names)
    variance = weight("variance", 4, positive=True)
    return v1.nn.fused_batch_norm(
        image(*SHAPE),
        gamma,
        beta,
        mean,
        variance,
        is_training=False,
        data_format="NCHW",
    )[0]


add("BatchNormalization, fused", fused, "BatchNormalization", axis=1)


def decomposed() -> Any:
    def wide(name: str, positive: bool = False) -> Any:
        return tf.reshape(weight(name, 4, positive=positive), [1, 4, 1, 1])

    mean, variance = wide("mean"), wide("variance", True)
    return tf.nn.batch_normalization(
        image(*SHAPE), mean, variance, wide("beta"), wide("gamma"), 1e-5
    )


add("BatchNormalization", decomposed, axis=1, epsilon=1e-5)


def as_many_filters_as_columns() -> Any:
    """Keras adds such a bias along the last axis on TensorFlow: the layer stands between two Permutes."""
    x = image(None, 4, 7, 6)
    x = tf.nn.conv2d(x, weight("w", 3, 3, 4, 6), 1, "SAME", data_format="NCHW")
    return tf.nn.bias_add(x, weight("b", 6), data_format="NCHW")


add(
    "Conv2D, as many filters as columns",
    as_many_filters_as_columns,
    ("Conv2D", {"data_format": "channels_last"}),
)


def pool(kind: Any, padding: str = "SAME") -> Any:
    return lambda: kind(image(*SHAPE), 3, 2, padding, data_format="NCHW")


add("MaxPooling2D", pool(tf.nn.max_pool2d), padding="same", **FIRST)
add("AveragePooling2D", pool(tf.nn.avg_pool2d, "VALID"), padding="valid", **FIRST)
add(
    "GlobalAveragePooling2D",
    lambda: tf.reduce_mean(image(*SHAPE), [2, 3]),
    **FIRST,
)
add(
    "ZeroPadding2D",
    lambda: tf.pad(image(*SHAPE), [[0, 0], [0, 0], [1, 2], [3, 0]]),
    **FIRST,
)
add("Cropping2D", lambda: image(*SHAPE)[:, :, 1:-1, 2:-1], **FIRST)


def transposed() -> Any:
    x = image(*SHAPE)
    size = tf.stack([tf.shape(x)[0], 6, 14, 18])
    kernel = weight("w", 3, 3, 6, 4)
    made = tf.nn.conv2d_transpose(x, kernel, size, 2, "SAME", data_format="NCHW")
    return tf.nn.bias_add(made, weight("b", 6), data_format="NCHW")


add("Conv2DTranspose", transposed, strides=(2, 2), padding="same", **FIRST)


def prelu() -> Any:
    x = image(*SHAPE)
    return tf.nn.relu(x) - weight("alpha", 4, 1, 1) * tf.nn.relu(-x)


add("PReLU", prelu, shared_axes=[2, 3])


def layer_norm() -> Any:
    """Over the channels, as ConvNeXt's ``data_format="channels_first"`` has it."""
    x = image(*SHAPE)
    mean = tf.reduce_mean(x, 1, keepdims=True)
    variance = tf.reduce_mean((x - mean) ** 2, 1, keepdims=True)
    normal = (x - mean) / tf.sqrt(variance + 1e-6)
    return weight("g", 4, 1, 1) * normal + weight("b", 4, 1, 1)


add("LayerNormalization", layer_norm, axis=1)
