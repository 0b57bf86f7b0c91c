"""TensorFlow 1: raw ops over ``get_variable``, as tutorials and papers' code of 2016 to 2019 have them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .cell import Column, image, v1, weight

COLUMN = Column("raw TF 1")
add = COLUMN.add


def conv_2d() -> Any:
    conv = tf.nn.conv2d(image(), weight("w", 3, 3, 4, 6), [1, 2, 2, 1], "SAME")
    return tf.nn.relu(tf.nn.bias_add(conv, weight("b", 6)))


add(
    "Dense",
    lambda: tf.matmul(image(None, 5), weight("w", 5, 3)) + weight("b", 3),
    units=3,
)
add(
    "Dense, xw_plus_b",
    lambda: v1.nn.xw_plus_b(image(None, 5), weight("w", 5, 3), weight("b", 3)),
    "Dense",
)
add(
    "Dense, rank 3",
    lambda: tf.tensordot(image(None, 7, 5), weight("w", 5, 3), [[2], [0]])
    + weight("b", 3),
    "Dense",
    units=3,
)


def dense_by_reshape() -> Any:
    rows = tf.reshape(image(None, 7, 5), [-1, 5])
    return tf.reshape(tf.matmul(rows, weight("w", 5, 3)) + weight("b", 3), [-1, 7, 3])


add("Dense, rank 3 by reshape", dense_by_reshape, "Dense", units=3)
add(
    "Dense, rank 3 by einsum",
    lambda: tf.einsum("btd,de->bte", image(None, 7, 5), weight("w", 5, 3))
    + weight("b", 3),
    "Dense",
)
add(
    "Conv1D",
    lambda: v1.nn.conv1d(image(None, 9, 4), weight("w", 3, 4, 6), 2, "VALID")
    + weight("b", 6),
    strides=(2,),
)
add(
    "Conv1D, dilated",
    lambda: v1.nn.convolution(
        image(None, 12, 4), weight("w", 2, 4, 6), "VALID", dilation_rate=[4]
    ),
    "Conv1D",
    dilation_rate=(4,),
)


def causal() -> Any:
    padded = tf.pad(image(None, 12, 4), [[0, 0], [4, 0], [0, 0]])
    return v1.nn.convolution(
        padded, weight("w", 3, 4, 6), "VALID", dilation_rate=[2]
    ) + weight("b", 6)


add("Conv1D, causal", causal, "Conv1D", padding="causal", dilation_rate=(2,))
add(
    "Conv2D",
    conv_2d,
    "Conv2D",
    activation="relu",
    strides=(2, 2),
    padding="same",
    filters=6,
)
add(
    "Conv3D",
    lambda: tf.nn.conv3d(
        image(None, 4, 4, 4, 2), weight("w", 2, 2, 2, 2, 3), [1] * 5, "VALID"
    )
    + weight("b", 3),
    kernel_size=(2, 2, 2),
)
add(
    "Conv3D, dilated",
    lambda: v1.nn.convolution(
        image(None, 6, 6, 6, 2),
        weight("w", 2, 2, 2, 2, 3),
        "SAME",
        dilation_rate=[2, 2, 2],
    ),
    "Conv3D",
    dilation_rate=(2, 2, 2),
)
add(
    "Conv2D, atrous",
    lambda: tf.nn.atrous_conv2d(image(), weight("w", 3, 3, 4, 6), 2, "SAME")
    + weight("b", 6),
    "Conv2D",
    dilation_rate=(2, 2),
    padding="same",
)
add(
    "Conv2D, atrous of any size",
    lambda: tf.nn.atrous_conv2d(
        image(None, None, None, 4), weight("w", 3, 3, 4, 6), 2, "SAME"
    )
    + weight("b", 6),
    "Conv2D",
    dilation_rate=(2, 2),
    padding="same",
)
add(
    "Conv2D, dilations attribute",
    lambda: tf.nn.conv2d(
        image(), weight("w", 3, 3, 4, 6), 1, "SAME", dilations=[1, 3, 3, 1]
    ),
    "Conv2D",
    dilation_rate=(3, 3),
)
add(
    "Conv2D, explicit padding",
    lambda: tf.nn.conv2d(
        image(), weight("w", 3, 3, 4, 6), 2, [[0, 0], [1, 1], [1, 1], [0, 0]]
    ),
    "ZeroPadding2D",
    "Conv2D",
)
add(
    "Conv2D, padded before",
    lambda: tf.nn.conv2d(
        tf.pad(image(), [[0, 0], [1, 1], [1, 1], [0, 0]]),
        weight("w", 3, 3, 4, 6),
        2,
        "VALID",
    ),
    "ZeroPadding2D",
    "Conv2D",
)
add(
    "Conv2D, grouped op",
    lambda: tf.nn.conv2d(image(), weight("w", 3, 3, 2, 6), 1, "SAME"),
    "Conv2D",
    groups=2,
)


def split_groups() -> Any:
    pairs = zip(tf.split(image(), 2, 3), tf.split(weight("w", 3, 3, 2, 6), 2, 3))
    made = tf.concat([tf.nn.conv2d(x, w, 1, "SAME") for x, w in pairs], 3)
    return tf.nn.bias_add(made, weight("b", 6))


add(
    "Conv2D, groups by split",
    split_groups,
    "Conv2D",
    groups=2,
    filters=6,
    use_bias=True,
)


def own_groups() -> Any:
    """Each group has variables of its own."""
    made = []
    for i, x in enumerate(tf.split(image(), 2, 3)):
        made.append(
            tf.nn.conv2d(x, weight(f"w{i}", 3, 3, 2, 3), 1, "SAME") + weight(f"b{i}", 3)
        )
    return tf.concat(made, 3)


add(
    "Conv2D, groups of own variables",
    own_groups,
    "Conv2D",
    groups=2,
    filters=6,
    use_bias=True,
)


def transposed_2d() -> Any:
    x = image()
    size = tf.stack([tf.shape(x)[0], 16, 16, 6])
    made = v1.nn.conv2d_transpose(
        x, weight("w", 5, 5, 6, 4), size, [1, 2, 2, 1], "SAME"
    )
    return tf.nn.bias_add(tf.reshape(made, [-1, 16, 16, 6]), weight("b", 6))


add(
    "Conv2DTranspose",
    transposed_2d,
    "Conv2DTranspose",
    strides=(2, 2),
    padding="same",
    filters=6,
)


def transposed_by_shape() -> Any:
    """U-Net's ``deconv2d``: the output's shape from the input's."""
    x = image(None, None, None, 4)
    shape = tf.shape(x)
    size = tf.stack([shape[0], shape[1] * 2, shape[2] * 2, shape[3] // 2])
    return v1.nn.conv2d_transpose(
        x, weight("w", 2, 2, 2, 4), size, [1, 2, 2, 1], "VALID"
    ) + weight("b", 2)


add(
    "Conv2DTranspose of any size",
    transposed_by_shape,
    "Conv2DTranspose",
    strides=(2, 2),
    padding="valid",
)


def transposed_3d() -> Any:
    x = image(None, 3, 3, 3, 4)
    size = tf.stack([tf.shape(x)[0], 6, 6, 6, 2])
    return v1.nn.conv3d_transpose(
        x, weight("w", 4, 4, 4, 2, 4), size, [1, 2, 2, 2, 1]
    ) + weight("b", 2)


add("Conv3DTranspose", transposed_3d, strides=(2, 2, 2), padding="same", filters=2)


def transposed_1d() -> Any:
    x = image(None, 6, 4)
    size = tf.stack([tf.shape(x)[0], 12, 2])
    return tf.nn.conv1d_transpose(x, weight("w", 4, 2, 4), size, 2, "SAME") + weight(
        "b", 2
    )


add("Conv1DTranspose", transposed_1d, strides=(2,), padding="same", filters=2)


def transposed_atrous() -> Any:
    return tf.nn.atrous_conv2d_transpose(
        image(2, 8, 8, 4), weight("w", 3, 3, 6, 4), [2, 8, 8, 6], 2, "SAME"
    )


add(
    "Conv2DTranspose, dilated",
    transposed_atrous,
    "Conv2DTranspose",
    dilation_rate=(2, 2),
)
add(
    "DepthwiseConv2D",
    lambda: v1.nn.depthwise_conv2d(
        image(), weight("w", 3, 3, 4, 2), [1, 2, 2, 1], "SAME"
    )
    + weight("b", 8),
    depth_multiplier=2,
)
add(
    "DepthwiseConv2D, dilated",
    lambda: v1.nn.depthwise_conv2d(
        image(), weight("w", 3, 3, 4, 1), [1, 1, 1, 1], "SAME", rate=[2, 2]
    )
    + weight("b", 4),
    "DepthwiseConv2D",
    dilation_rate=(2, 2),
)
add(
    "SeparableConv2D",
    lambda: v1.nn.separable_conv2d(
        image(), weight("d", 3, 3, 4, 1), weight("p", 1, 1, 4, 6), [1, 1, 1, 1], "SAME"
    )
    + weight("b", 6),
    filters=6,
)
add(
    "SeparableConv2D, dilated",
    lambda: v1.nn.separable_conv2d(
        image(),
        weight("d", 3, 3, 4, 1),
        weight("p", 1, 1, 4, 6),
        [1, 1, 1, 1],
        "SAME",
        rate=[2, 2],
    ),
    "SeparableConv2D",
    dilation_rate=(2, 2),
)


def statistics(size: int = 4) -> Any:
    return weight("mean", size), weight("variance", size, positive=True)


def fused() -> Any:
    mean, variance = statistics()
    x, scale, offset = image(), weight("gamma", 4), weight("beta", 4)
    return v1.nn.fused_batch_norm(
        x, scale, offset, mean, variance, 1e-3, is_training=False
    )[0]


add("BatchNormalization, fused", fused, "BatchNormalization", epsilon=1e-3)


def decomposed(gamma: bool = True, beta: bool = True, rank: int = 4) -> Any:
    x = image() if rank == 4 else image(None, 4)
    offset, scale = weight("beta", 4) if beta else None, (
        weight("gamma", 4) if gamma else None
    )
    return tf.nn.batch_normalization(x, *statistics(), offset, scale, 1e-5)


add("BatchNormalization", decomposed, epsilon=1e-5)
add(
    "BatchNormalization, rank 2",
    lambda: decomposed(rank=2),
    "BatchNormalization",
    epsilon=1e-5,
)
add(
    "BatchNormalization, no scale",
    lambda: decomposed(gamma=False),
    "BatchNormalization",
    scale=False,
)
add(
    "BatchNormalization, no offset",
    lambda: decomposed(beta=False),
    "BatchNormalization",
    center=False,
)
add(
    "BatchNormalization, neither",
    lambda: decomposed(False, False),
    "BatchNormalization",
    center=False,
    scale=False,
)


def by_division() -> Any:
    mean, variance = statistics()
    return weight("gamma", 4) * (image() - mean) / tf.sqrt(variance + 1e-5) + weight(
        "beta", 4
    )


add("BatchNormalization by division", by_division, "BatchNormalization", epsilon=1e-5)
add(
    "BatchNormalization, folded",
    lambda: image() * weight("s", 4) + weight("o", 4),
    "BatchNormalization",
)


def layer_norm(axes: Any = (-1,), epsilon: float = 1e-6) -> Any:
    x = image(None, 7, 4)
    mean, variance = tf.nn.moments(x, list(axes), keepdims=True)
    return weight("g", 4) * (x - mean) / tf.sqrt(variance + epsilon) + weight("b", 4)


def layer_norm_by_hand() -> Any:
    """tensor2tensor's and GPT-2's ``norm``."""
    x = image(None, 7, 4)
    u = tf.reduce_mean(x, axis=-1, keepdims=True)
    s = tf.reduce_mean(tf.square(x - u), axis=-1, keepdims=True)
    return (x - u) * tf.math.rsqrt(s + 1e-5) * weight("g", 4) + weight("b", 4)


add("LayerNormalization", layer_norm, epsilon=1e-6)
add(
    "LayerNormalization by hand", layer_norm_by_hand, "LayerNormalization", epsilon=1e-5
)


def attention_is_all() -> Any:
    """Kyubyong's transformer: ``normalized = (x - mean) / ((variance + epsilon) ** .5)``."""
    x = image(None, 7, 4)
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    normalized = (x - mean) / ((variance + 1e-8) ** 0.5)
    return weight("gamma", 4) * normalized + weight("beta", 4)


add(
    "LayerNormalization by a power",
    attention_is_all,
    "LayerNormalization",
    epsilon=1e-8,
)


def instance_norm() -> Any:
    x = image()
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return weight("scale", 4) * (x - mean) * tf.math.rsqrt(variance + 1e-5) + weight(
        "offset", 4
    )


def instance_norm_style() -> Any:
    """The fast-style-transfer repository's."""
    x = image()
    mu, sigma_sq = tf.nn.moments(x, [1, 2], keepdims=True)
    normalized = (x - mu) / (sigma_sq + 1e-3) ** 0.5
    return weight("scale", 4) * normalized + weight("shift", 4)


add(
    "InstanceNormalization",
    instance_norm,
    "GroupNormalization",
    groups=-1,
    epsilon=1e-5,
)
add(
    "InstanceNormalization by a power",
    instance_norm_style,
    "GroupNormalization",
    groups=-1,
    epsilon=1e-3,
)


def group_norm() -> Any:
    """The paper's own listing, NHWC."""
    x = image(None, 8, 8, 4)
    split = tf.reshape(x, [-1, 8, 8, 2, 2])
    mean, variance = tf.nn.moments(split, [1, 2, 4], keepdims=True)
    split = (split - mean) / tf.sqrt(variance + 1e-5)
    gamma, beta = weight("gamma", 1, 1, 1, 4), weight("beta", 1, 1, 1, 4)
    return tf.reshape(split, [-1, 8, 8, 4]) * gamma + beta


def group_norm_nchw() -> Any:
    """The paper's own listing: NCHW, ``[N, G, C // G, H, W]``."""
    x = image(None, 4, 8, 8)
    split = tf.reshape(x, [-1, 2, 2, 8, 8])
    mean, variance = tf.nn.moments(split, [2, 3, 4], keepdims=True)
    split = (split - mean) / tf.sqrt(variance + 1e-5)
    gamma, beta = weight("gamma", 1, 4, 1, 1), weight("beta", 1, 4, 1, 1)
    return tf.reshape(split, [-1, 4, 8, 8]) * gamma + beta


def group_norm_transposed() -> Any:
    """Many an NHWC port of it: transposed to NCHW and back."""
    x = tf.transpose(image(None, 8, 8, 4), [0, 3, 1, 2])
    split = tf.reshape(x, [-1, 2, 2, 8, 8])
    mean, variance = tf.nn.moments(split, [2, 3, 4], keepdims=True)
    split = (split - mean) / tf.sqrt(variance + 1e-5)
    gamma, beta = (tf.reshape(weight(n, 4), [1, 4, 1, 1]) for n in ("gamma", "beta"))
    return tf.transpose(tf.reshape(split, [-1, 4, 8, 8]) * gamma + beta, [0, 2, 3, 1])


add("GroupNormalization", group_norm, groups=2, epsilon=1e-5)
add("GroupNormalization, NCHW", group_norm_nchw, "GroupNormalization", groups=2, axis=1)
add(
    "GroupNormalization, transposed",
    group_norm_transposed,
    "GroupNormalization",
    groups=2,
)


def rms_norm() -> Any:
    """T5's and mesh-tensorflow's."""
    x = image(None, 7, 4)
    variance = tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)
    return x * tf.math.rsqrt(variance + 1e-6) * weight("scale", 4)


add("RMSNormalization", rms_norm, epsilon=1e-6)
add("UnitNormalization", lambda: tf.nn.l2_normalize(image(None, 5), 1), axis=-1)


def unit_by_hand() -> Any:
    x = image(None, 5)
    return x / tf.norm(x, axis=1, keepdims=True)


add("UnitNormalization by tf.norm", unit_by_hand, "UnitNormalization")


def rescaled(divide: bool) -> Any:
    x = v1.placeholder(tf.uint8, (None, 8, 8, 3), name="x")
    x = tf.cast(x, tf.float32)
    return x / 255.0 if divide else (x - 127.5) * (1 / 127.5)


add("Rescaling", lambda: image() / 127.5 - 1.0, scale=1 / 127.5, offset=-1.0)
add(
    "Rescaling, shifted first",
    lambda: (image() - 127.5) / 127.5,
    "Rescaling",
    offset=-1.0,
)
add(
    "Normalization",
    lambda: (image(None, 8, 8, 3) - tf.constant([1.0, 2.0, 3.0]))
    / tf.constant([0.5, 0.2, 0.3]),
    "Normalization",
)
add(
    "Resizing",
    lambda: tf.image.resize(image(), [12, 12]),
    "Resizing",
    height=12,
    width=12,
)


def lrn(radius: int = 4) -> Any:
    """The CIFAR-10 tutorial's ``norm1``."""
    return tf.nn.lrn(image(), radius, bias=1.0, alpha=0.001 / 9.0, beta=0.75)


LRN = "LocalResponseNormalization"
add("LRN", lrn, (LRN, {"radius": 4, "bias": 1.0, "alpha": 0.001 / 9, "beta": 0.75}))
add(
    "LRN of any size",
    lambda: tf.nn.local_response_normalization(image(None, None, None, 4)),
    (LRN, {"radius": 5, "alpha": 1.0, "beta": 0.5}),
)


def sliced_lrn(apart: bool, n: int = 5) -> Any:
    """As ports of GoogLeNet to Keras write it (Caffe's ``alpha`` is of the mean)."""
    x, half, alpha = image(), n // 2, 0.3
    padded = tf.pad(tf.square(x), [[0, 0], [0, 0], [0, 0], [half, half]])
    if apart:
        scale = 2.0
        for i in range(n):
            scale += alpha / n * padded[:, :, :, i : i + 4]
    else:
        total = padded[..., :4]
        for i in range(1, n):
            total += tf.slice(padded, [0, 0, 0, i], [-1, -1, -1, 4])
        scale = 2.0 + alpha / n * total
    return x / scale**0.75


add("LRN by slices", lambda: sliced_lrn(True), (LRN, {"radius": 2, "alpha": 0.06}))
add("LRN by a sum of slices", lambda: sliced_lrn(False, 3), (LRN, {"radius": 1}))


def sliced_groups() -> Any:
    """ShuffleNet's and ResNeXt's: the channels sliced by hand, variables of each group's own."""
    x, made = image(), []
    for i in range(2):
        part = x[:, :, :, i * 2 : (i + 1) * 2]
        made.append(tf.nn.conv2d(part, weight(f"w{i}", 3, 3, 2, 3), 1, "SAME"))
    return tf.nn.bias_add(tf.concat(made, -1), weight("b", 6))


add("Conv2D, groups by slices", sliced_groups, "Conv2D", groups=2, filters=6)
add(
    "AveragePooling2D by a reshape",
    lambda: tf.reduce_mean(tf.reshape(image(), [-1, 2, 4, 2, 4, 4]), [2, 4]),
    "AveragePooling2D",
    pool_size=(4, 4),
)
