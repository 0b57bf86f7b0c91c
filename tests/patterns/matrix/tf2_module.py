"""TensorFlow 2 without Keras: ``tf.Module`` and ``tf.nn``, as Sonnet and research code have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .cell import Column

COLUMN = Column("TF 2 modules", eager=True)
add = COLUMN.add


def variable(*shape: int, positive: bool = False) -> Any:
    rng = np.random.default_rng(sum(shape))
    values = rng.uniform(0.5, 1.5, shape) if positive else rng.normal(0, 0.4, shape)
    return tf.Variable(values.astype("float32"))


class Called(tf.Module):  # type: ignore[misc]
    """A module of some variables and one function of them."""

    def __init__(self, function: Any, *made: Any) -> None:
        super().__init__()
        self.function, self.made = function, made

    def __call__(self, x: Any) -> Any:
        return self.function(x, *self.made)


def of(function: Any, *shapes: tuple[int, ...], shape: Any = (None, 8, 8, 4)) -> Any:
    return lambda: (
        Called(function, *(variable(*each) for each in shapes)),
        tf.TensorSpec(shape, tf.float32, name="x"),
    )


row, line, volume = (None, 5), (None, 9, 4), (None, 4, 4, 4, 2)
nn = tf.nn
add("Dense", of(lambda x, w, b: x @ w + b, (5, 3), (3,), shape=row), units=3)
add(
    "Dense, rank 3",
    of(lambda x, w, b: x @ w + b, (5, 3), (3,), shape=(None, 7, 5)),
    "Dense",
)
add(
    "Dense, einsum",
    of(lambda x, w: tf.einsum("...i,ij->...j", x, w), (5, 3), shape=(None, 7, 5)),
    "Dense",
)
add(
    "Dense, tensordot",
    of(lambda x, w: tf.tensordot(x, w, 1), (5, 3), shape=(None, 7, 5)),
    "Dense",
)
add(
    "Conv1D",
    of(lambda x, w, b: nn.conv1d(x, w, 2, "SAME") + b, (3, 4, 6), (6,), shape=line),
    strides=(2,),
)
add(
    "Conv1D, dilated",
    of(lambda x, w: nn.conv1d(x, w, 1, "VALID", dilations=2), (3, 4, 6), shape=line),
    "Conv1D",
    dilation_rate=(2,),
)
add(
    "Conv2D",
    of(lambda x, w, b: nn.bias_add(nn.conv2d(x, w, 2, "SAME"), b), (3, 3, 4, 6), (6,)),
    strides=(2, 2),
)
add(
    "Conv2D, convolution",
    of(lambda x, w: nn.convolution(x, w, 1, "SAME", dilations=2), (3, 3, 4, 6)),
    "Conv2D",
    dilation_rate=(2, 2),
)
add(
    "Conv2D, grouped",
    of(lambda x, w: nn.conv2d(x, w, 1, "SAME"), (3, 3, 2, 6)),
    "Conv2D",
    groups=2,
)
add(
    "Conv2D, explicit",
    of(lambda x, w: nn.conv2d(x, w, 1, [[0, 0], [1, 0], [0, 1], [0, 0]]), (2, 2, 4, 6)),
    "ZeroPadding2D",
    "Conv2D",
)
add(
    "Conv3D",
    of(
        lambda x, w, b: nn.conv3d(x, w, [1] * 5, "SAME") + b,
        (2, 2, 2, 2, 3),
        (3,),
        shape=volume,
    ),
    padding="same",
)
add(
    "Conv3D, dilated",
    of(
        lambda x, w: nn.convolution(x, w, 1, "SAME", dilations=2),
        (2, 2, 2, 2, 3),
        shape=volume,
    ),
    "Conv3D",
    dilation_rate=(2, 2, 2),
)


def upwards(x: Any, w: Any) -> Any:
    shape = tf.shape(x)
    return nn.conv2d_transpose(x, w, [shape[0], shape[1] * 2, shape[2] * 2, 6], 2)


add("Conv2DTranspose", of(upwards, (4, 4, 6, 4)), strides=(2, 2), padding="same")
add(
    "Conv2DTranspose, any size",
    of(upwards, (4, 4, 6, 4), shape=(None, None, None, 4)),
    "Conv2DTranspose",
    strides=(2, 2),
)
add(
    "DepthwiseConv2D",
    of(
        lambda x, w, b: nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME") + b,
        (3, 3, 4, 1),
        (4,),
    ),
)
add(
    "DepthwiseConv2D, dilated",
    of(
        lambda x, w: nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME", dilations=[2, 2]),
        (3, 3, 4, 1),
    ),
    "DepthwiseConv2D",
    dilation_rate=(2, 2),
)
add(
    "SeparableConv2D",
    of(
        lambda x, d, p: nn.separable_conv2d(x, d, p, [1, 1, 1, 1], "SAME"),
        (3, 3, 4, 1),
        (1, 1, 4, 6),
    ),
)


def batch_norm(x: Any, mean: Any, deviation: Any, scale: Any, offset: Any) -> Any:
    return nn.batch_normalization(x, mean, tf.square(deviation), offset, scale, 1e-5)


def plain_batch_norm(x: Any, mean: Any, variance: Any, scale: Any, offset: Any) -> Any:
    """Sonnet 2: statistics of shape [1, 1, 1, C]."""
    return nn.batch_normalization(x, mean, tf.abs(variance), offset, scale, 1e-5)


vector, wide = (4,), (1, 1, 1, 4)


def sonnet() -> Any:
    made = [variable(*wide, positive=True) for _ in range(4)]
    return Called(
        lambda x, m, v, s, o: nn.batch_normalization(x, m, v, o, s, 1e-5), *made
    ), tf.TensorSpec((None, 8, 8, 4), tf.float32, name="x")


add("BatchNormalization", sonnet, epsilon=1e-5)


def layer_norm(x: Any, scale: Any, offset: Any) -> Any:
    mean, variance = nn.moments(x, -1, keepdims=True)
    return nn.batch_normalization(x, mean, variance, offset, scale, 1e-5)


add("LayerNormalization", of(layer_norm, (5,), (5,), shape=(None, 7, 5)), epsilon=1e-5)


def instance_norm(x: Any, scale: Any, offset: Any) -> Any:
    """pix2pix's tutorial."""
    mean, variance = nn.moments(x, axes=[1, 2], keepdims=True)
    inverse = tf.math.rsqrt(variance + 1e-5)
    return scale * ((x - mean) * inverse) + offset


add(
    "InstanceNormalization",
    of(instance_norm, vector, vector),
    "GroupNormalization",
    groups=-1,
)


def rms_norm(x: Any, scale: Any) -> Any:
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + 1e-6) * scale


add("RMSNormalization", of(rms_norm, (5,), shape=(None, 7, 5)), epsilon=1e-6)
add("UnitNormalization", of(lambda x: tf.math.l2_normalize(x, -1), shape=row))
add("Rescaling", of(lambda x: x / 127.5 - 1.0), offset=-1.0)
add("Resizing", of(lambda x: tf.image.resize(x, [12, 12])), height=12)
