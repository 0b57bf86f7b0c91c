"""caffe-tensorflow (kaffe): AlexNet, VGG, GoogLeNet and the DeepLab ResNets came to TensorFlow through it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .cell import Column, image, v1, weight

COLUMN = Column("caffe")
add = COLUMN.add


def conv(
    group: int = 1, relu: bool = True, biased: bool = True, stride: int = 1
) -> Any:
    """kaffe's ``conv``: the groups split and joined, one bias, the ReLU named as the scope."""
    x, kernel = image(), weight("weights", 3, 3, 4 // group, 6)

    def convolve(i: Any, k: Any) -> Any:
        return tf.nn.conv2d(i, k, [1, stride, stride, 1], "SAME")

    if group == 1:
        made = convolve(x, kernel)
    else:
        pairs = zip(tf.split(x, group, 3), tf.split(kernel, group, 3))
        made = tf.concat([convolve(*pair) for pair in pairs], 3)
    if biased:
        made = tf.nn.bias_add(made, weight("biases", 6))
    return tf.nn.relu(made, name="conv1") if relu else made


add("Conv2D", lambda: conv(relu=False, stride=2), strides=(2, 2))
add("Conv2D and ReLU", conv, "Conv2D", activation="relu")
add("Conv2D, grouped", lambda: conv(2, relu=False), "Conv2D", groups=2, use_bias=True)
add("Conv2D, grouped, no bias", lambda: conv(2, False, False), "Conv2D", groups=2)


def atrous() -> Any:
    """The DeepLab branch of it."""
    made = tf.nn.atrous_conv2d(image(), weight("weights", 3, 3, 4, 6), 2, "SAME")
    return tf.nn.bias_add(made, weight("biases", 6))


add("Conv2D, dilated", atrous, "Conv2D", dilation_rate=(2, 2))


def padded() -> Any:
    """Caffe's symmetric paddings, where SAME would pad otherwise."""
    x = tf.pad(image(), [[0, 0], [3, 3], [3, 3], [0, 0]])
    return tf.nn.conv2d(x, weight("weights", 7, 7, 4, 6), [1, 2, 2, 1], "VALID")


add(
    "Conv2D, padded before",
    padded,
    ("ZeroPadding2D", {"padding": ((3, 3), (3, 3))}),
    "Conv2D",
)


def fc() -> Any:
    x = tf.reshape(image(), [-1, 256])
    return v1.nn.relu_layer(
        x, weight("weights", 256, 5), weight("biases", 5), name="fc6"
    )


add("Dense", fc, ("Dense", {"units": 5}), "Activation")


def batch_normalization(scale_offset: bool = True) -> Any:
    scale = weight("scale", 4) if scale_offset else None
    offset = weight("offset", 4) if scale_offset else None
    mean, variance = weight("mean", 4), weight("variance", 4, positive=True)
    return tf.nn.batch_normalization(image(), mean, variance, offset, scale, 1e-5)


add("BatchNormalization", batch_normalization, epsilon=1e-5)
add(
    "BatchNormalization, no scale",
    lambda: batch_normalization(False),
    "BatchNormalization",
    scale=False,
)


def in_two_layers() -> Any:
    """Caffe's own BatchNorm and Scale as two layers, as MMdnn writes them."""
    x = tf.nn.batch_normalization(
        image(),
        weight("mean", 4),
        weight("variance", 4, positive=True),
        None,
        None,
        1e-5,
    )
    return x * weight("scale", 4) + weight("bias", 4)


add(
    "BatchNormalization and Scale",
    in_two_layers,
    "BatchNormalization",
    center=True,
    scale=True,
)


add(
    "LRN",
    lambda: tf.nn.local_response_normalization(
        image(), depth_radius=2, alpha=2e-05, beta=0.75, bias=1.0, name="norm1"
    ),
    ("LocalResponseNormalization", {"radius": 2, "alpha": 2e-05, "beta": 0.75}),
)
