"""onnx-tensorflow: PyTorch models on their way to TensorFlow; every op in NHWC between two transposes."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .cell import Column

COLUMN = Column("onnx-tf", eager=True)
add = COLUMN.add


def random(*shape: int, positive: bool = False) -> Any:
    """An initializer of the ONNX graph: a constant."""
    rng = np.random.default_rng(sum(shape))
    values = rng.uniform(0.5, 1.5, shape) if positive else rng.normal(0, 0.4, shape)
    return tf.constant(values.astype("float32"))


def of(function: Any, *shape: int | None) -> Any:
    return lambda: (
        function,
        tf.TensorSpec(shape or (None, 4, 7, 9), tf.float32, name="x"),
    )


def to_last(x: Any) -> Any:
    return tf.transpose(x, [0, *range(2, len(x.shape)), 1])


def to_first(x: Any) -> Any:
    rank = len(x.shape)
    return tf.transpose(x, [0, rank - 1, *range(1, rank - 1)])


def conv(
    group: int = 1,
    pads: int = 1,
    stride: int = 1,
    dilation: int = 1,
    bias: bool = True,
    rank: int = 2,
    filters: int = 6,
) -> Any:
    """``ConvMixin.conv``: pad in NCHW, turn, split, convolve, join, add, turn back."""

    def call(x: Any) -> Any:
        if pads:
            x = tf.pad(x, [[0, 0], [0, 0]] + [[pads, pads]] * rank)
        weights = random(filters, 4 // group, *[3] * rank)
        weights = tf.transpose(weights, [*range(2, rank + 2), 1, 0])
        x, options = to_last(x), {"padding": "VALID", "strides": [stride] * rank}
        options["dilations"] = [dilation] * rank
        if group == 4:  # as many groups as channels
            kernel = tf.reshape(weights, [3, 3, -1, filters // group])
            strides = [1, stride, stride, 1]
            made = tf.nn.depthwise_conv2d(
                x, kernel, strides, "VALID", dilations=[dilation] * 2
            )
        elif group > 1:
            pairs = zip(tf.split(x, group, -1), tf.split(weights, group, -1))
            made = tf.concat(
                [tf.nn.convolution(*pair, **options) for pair in pairs], -1
            )
        else:
            made = tf.nn.convolution(x, weights, **options)
        if bias:
            made = made + tf.reshape(random(filters), [1] * (rank + 1) + [filters])
        return to_first(made)

    return call


pad, first = "ZeroPadding2D", {"data_format": "channels_first"}
add("Conv2D", of(conv(pads=0)), ("Conv2D", {"use_bias": True, **first}))
add("Conv2D, padded", of(conv()), (pad, first), ("Conv2D", first))
add(
    "Conv2D, strided, no bias",
    of(conv(stride=2, bias=False)),
    pad,
    ("Conv2D", {"strides": (2, 2)}),
)
add(
    "Conv2D, dilated",
    of(conv(dilation=2, pads=2)),
    pad,
    ("Conv2D", {"dilation_rate": (2, 2)}),
)
add("Conv2D, grouped", of(conv(2)), pad, ("Conv2D", {"groups": 2}))
add(
    "DepthwiseConv2D",
    of(conv(4, filters=8)),
    pad,
    ("DepthwiseConv2D", {"depth_multiplier": 2}),
)
add("Conv1D", of(conv(rank=1), None, 4, 9), "ZeroPadding1D", "Conv1D")
add("Conv3D", of(conv(rank=3), None, 4, 4, 4, 4), "ZeroPadding3D", "Conv3D")


def transposed(stride: int = 2, pads: int = 1, extra: int = 0) -> Any:
    """Its pseudo explanation: transposed without padding, padded by output_padding, cut by pads."""

    def call(x: Any) -> Any:
        weights = tf.transpose(random(4, 6, 3, 3), [2, 3, 1, 0])
        shape, x = tf.shape(x), to_last(x)
        long = [stride * shape[i] - stride + 3 for i in (2, 3)]
        size = tf.stack([shape[0], *long, 6])
        made = tf.nn.conv2d_transpose(x, weights, size, stride, "VALID")
        if extra:
            made = tf.pad(made, [[0, 0], [0, extra], [0, extra], [0, 0]])
        whole = tf.shape(made)
        cut = [whole[0], whole[1] - 2 * pads, whole[2] - 2 * pads, whole[3]]
        made = tf.slice(made, [0, pads, pads, 0], tf.stack(cut)) if pads else made
        return to_first(made + random(6))

    return call


add("Conv2DTranspose", of(transposed(pads=0)), ("Conv2DTranspose", {"strides": (2, 2)}))
add("Conv2DTranspose, padded", of(transposed()), "Conv2DTranspose", "Cropping2D")


def gemm(x: Any) -> Any:
    """``alpha * matmul(x, transpose(y)) + beta * z``."""
    return 1.0 * tf.matmul(x, tf.transpose(random(3, 5))) + 1.0 * random(3)


add("Dense", of(gemm, None, 5), units=3)
add(
    "Dense, matmul and add",
    of(lambda x: tf.matmul(x, random(5, 3)) + random(3), None, 7, 5),
    "Dense",
)


def batch_norm(x: Any) -> Any:
    shape = [1, 4] + [1] * (len(x.shape) - 2)
    scale, bias, mean = (tf.reshape(random(4) * n, shape) for n in (1.0, 0.5, 0.25))
    variance = tf.reshape(random(4, positive=True), shape)
    return tf.nn.batch_normalization(x, mean, variance, bias, scale, 1e-5)


add("BatchNormalization", of(batch_norm), axis=1)
add("BatchNormalization, rank 2", of(batch_norm, None, 4), "BatchNormalization")
add(
    "BatchNormalization, rank 3",
    of(batch_norm, None, 4, 9),
    "BatchNormalization",
    axis=1,
)


def instance_norm(x: Any) -> Any:
    beta, gamma = (tf.reshape(random(4) * n, [1, 4, 1, 1]) for n in (0.5, 1.0))
    mean, variance = tf.nn.moments(x, [2, 3], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-5)


add("InstanceNormalization", of(instance_norm), "GroupNormalization", groups=-1, axis=1)


def group_norm(x: Any) -> Any:
    """PyTorch exports GroupNorm as an instance norm of ``[N, groups, -1]`` with unit weights, and a scale after it."""
    rows = tf.reshape(x, [-1, 2, 128])
    mean, variance = tf.nn.moments(rows, [2], keepdims=True)
    ones, zeros = tf.reshape(tf.ones([2]), [1, 2, 1]), tf.reshape(
        tf.zeros([2]), [1, 2, 1]
    )
    rows = tf.nn.batch_normalization(rows, mean, variance, zeros, ones, 1e-5)
    whole = tf.reshape(rows, [-1, 4, 8, 8])
    return whole * random(4, 1, 1) + random(4, 1, 1) * 0.5


add("GroupNormalization", of(group_norm, None, 4, 8, 8), groups=2, axis=1)


def layer_norm(x: Any) -> Any:
    """PyTorch's LayerNorm, exported op by op: the variance is a mean of ``Pow``, the root a ``Sqrt``."""
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    variance = tf.reduce_mean(tf.pow(centred, 2.0), -1, keepdims=True)
    return centred / tf.sqrt(variance + 1e-5) * random(5) + random(5) * 0.5


add("LayerNormalization", of(layer_norm, None, 7, 5), epsilon=1e-5)


def rms_norm(x: Any) -> Any:
    """Llama's, exported: ``weight * (x * (1 / sqrt(mean(x ** 2) + eps)))``."""
    variance = tf.reduce_mean(tf.pow(x, 2.0), -1, keepdims=True)
    return random(5) * (x * (1.0 / tf.sqrt(variance + 1e-6)))


add("RMSNormalization", of(rms_norm, None, 7, 5), epsilon=1e-6)


def lp_norm(x: Any) -> Any:
    """``F.normalize``: divided by the norm, clipped from below."""
    norm = tf.sqrt(tf.reduce_sum(tf.square(x), 1, keepdims=True))
    return x / tf.maximum(norm, 1e-12)


add("UnitNormalization", of(lp_norm, None, 5))


def local_response(x: Any, size: int = 5, alpha: float = 0.4) -> Any:
    """``F.local_response_norm``, as ``torch.onnx.export`` writes it out."""
    batch, channels, height = tf.shape(x)[0], x.shape[1], x.shape[2]
    wide = tf.reshape(x * x, tf.stack([batch, 1, channels, height, -1]))
    pads = [[0, 0], [0, 0], [size // 2, (size - 1) // 2], [0, 0], [0, 0]]
    pooled = tf.nn.avg_pool3d(to_last(tf.pad(wide, pads)), [size, 1, 1], 1, "VALID")
    mean = tf.reshape(to_first(pooled), tf.shape(x))
    return x / tf.pow(mean * alpha + 1.0, 0.75)


LRN = "LocalResponseNormalization"
add("LRN written out", of(local_response), (LRN, {"radius": 2, "alpha": 0.08}))
add(
    "LRN",
    of(lambda x: to_first(tf.nn.lrn(to_last(x), 2.0, 1.0, 2e-5, 0.75))),
    (LRN, {"radius": 2, "beta": 0.75}),
)
