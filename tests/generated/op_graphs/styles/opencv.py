"""Layers as an importer of images tests them: placeholders often without a shape, one layer or two behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..net import Net, style, variants

v1 = tf.compat.v1


def kernel(net: Net, inside: int, outside: int) -> np.ndarray:
    return net.floats(net.whole(1, 3), net.whole(1, 3), inside, outside)


@style
def convolution(net: Net) -> Any:
    x = tf.nn.conv2d(net.image(), kernel(net, 3, 4), net.whole(1, 2), net.padding)
    return tf.nn.relu(tf.nn.bias_add(x, net.floats(4)))


@style
def dilated(net: Net) -> Any:
    x, rate = net.image(2), net.whole(2, 3)
    return tf.nn.conv2d(x, net.floats(2, 2, 2, 3), 1, net.padding, dilations=rate)


@style
def atrous(net: Net) -> Any:
    array = net.floats(1, 8, 8, 2)
    x = net.feed(array, "input", net.pick([None, [1, 8, 8, 2]]))
    edges = [[2, 2], [2, 2]]
    x = tf.space_to_batch(x, [2, 2], edges)
    x = tf.nn.conv2d(x, net.floats(3, 3, 2, 3), 1, "VALID")
    return tf.batch_to_space(x, [2, 2], [[0, 0], [0, 0]])


@style
def depthwise(net: Net) -> Any:
    x = tf.nn.depthwise_conv2d(
        net.image(3), net.floats(2, 2, 3, net.whole(1, 2)), [1, 1, 1, 1], net.padding
    )
    return tf.nn.relu6(x)


@style
def transposed(net: Net) -> Any:
    x = net.feed(
        net.floats(1, 4, 5, 3),
        "input",
        net.pick([None, [1, 4, 5, 3], [1, None, None, 3]]),
    )
    if net.chance():
        return tf.nn.conv2d_transpose(
            x, net.floats(3, 3, 2, 3), [1, 8, 10, 2], 2, "SAME"
        )
    return tf.nn.conv2d_transpose(x, net.floats(2, 2, 2, 3), [1, 5, 6, 2], 1, "VALID")


@style
def split_convolution(net: Net) -> Any:
    x = net.feed(net.floats(1, 5, 5, 4), "input", net.pick([None, [1, 5, 5, 4]]))
    parts = tf.split(x, 2, 3)
    parts = [tf.nn.conv2d(p, net.floats(3, 3, 2, 2), 1, "SAME") for p in parts]
    return tf.concat(parts, 3)


@style
def fused_batch_norm(net: Net) -> Any:
    x = net.image(3)
    if net.chance():
        x = tf.nn.conv2d(x, kernel(net, 3, 3), 1, "SAME")
    given = net.floats(3), net.floats(3), net.floats(3), net.above(3)
    if net.chance(0.3):
        return v1.nn.fused_batch_norm(x, *given[:2], epsilon=1e-5, is_training=True)[0]
    return v1.nn.fused_batch_norm(x, *given, epsilon=1e-3, is_training=False)[0]


@style
def plain_batch_norm(net: Net) -> Any:
    x, width = net.image(3), (3,)
    if net.chance():
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        return tf.nn.batch_normalization(
            x, mean, variance, net.floats(*width), net.floats(*width), 1e-3
        )
    return tf.nn.batch_normalization(
        x,
        net.floats(3),
        net.above(3),
        net.floats(3),
        net.pick([None, net.floats(3)]),
        1e-3,
    )


@style
def pooled(net: Net) -> Any:
    pool = net.pick([tf.nn.max_pool2d, tf.nn.avg_pool2d])
    return pool(net.image(2), net.whole(2, 3), net.whole(1, 3), net.padding)


@style
def flattened(net: Net) -> Any:
    x = net.feed(
        net.floats(1, 2, 3, 4), "input", net.pick([None, [1, 2, 3, 4], [None, 2, 3, 4]])
    )
    kind = net.whole(0, 3)
    if kind == 0:
        return tf.reshape(x, [1, -1])
    if kind == 1:
        return tf.reshape(x, tf.stack([tf.shape(x)[0], -1]))
    x = tf.nn.max_pool2d(x, 1, 1, "SAME")
    x = tf.reshape(x, [-1, 24])
    return tf.matmul(x, net.floats(24, 5)) + net.floats(5)


@style
def padded(net: Net) -> Any:
    x = tf.pad(
        net.image(2),
        [[0, 0], [1, 2], [0, 1], [0, 0]],
        net.pick(["CONSTANT", "REFLECT", "SYMMETRIC"]),
    )
    return (
        x
        if net.chance(0.3)
        else tf.nn.conv2d(x, kernel(net, 2, 3), net.whole(1, 2), "VALID")
    )


@style
def added(net: Net) -> Any:
    x = net.image(3)
    y = tf.nn.conv2d(x, net.floats(1, 1, 3, 3), 1, "SAME")
    z = tf.nn.conv2d(x, net.floats(1, 1, 3, 3), 1, "SAME")
    return net.pick([tf.add, tf.multiply, tf.maximum, tf.subtract])(y, z)


@style
def sliced(net: Net) -> Any:
    x = net.feed(net.floats(1, 4, 5, 3), "input")
    kind = net.whole(0, 3)
    if kind == 0:
        return tf.slice(x, [0, 1, 0, 1], [-1, 2, -1, 2])
    if kind == 1:
        return x[:, 1:-1, ::2, :]
    if kind == 2:
        return tf.strided_slice(x, [0, 0, 1, 0], [1, 4, 5, 2], [1, 2, 1, 1])
    return tf.crop_to_bounding_box if False else x[0]


@style
def resized(net: Net) -> Any:
    x = net.feed(
        net.floats(1, 3, 4, 2),
        "input",
        net.pick([None, [1, 3, 4, 2], [None, None, None, 2]]),
    )
    resize = net.pick([v1.image.resize_bilinear, v1.image.resize_nearest_neighbor])
    kinds: list[dict[str, bool]] = [
        {},
        {"align_corners": True},
        {"half_pixel_centers": True},
    ]
    size = net.pick([[6, 8], [5, 7], [9, 12], [2, 3]])
    if x.shape.rank and net.chance(0.2):
        size = tf.shape(x)[1:3] * 2
    return resize(x, size, **net.pick(kinds))


@style
def normalised(net: Net) -> Any:
    x = net.feed(net.floats(2, 3, 4, 2), "input")
    kind = net.whole(0, 4)
    if kind == 0:
        return tf.nn.l2_normalize(x, net.pick([-1, 3, [1, 2, 3]]))
    if kind == 1:
        return tf.nn.lrn(x, 2, 1.0, 0.1, 0.75)
    if kind == 2:
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        return (x - mean) / tf.sqrt(variance + 1e-5)
    return tf.nn.softmax(x, net.pick([-1, 1]))


@style
def activated(net: Net) -> Any:
    x = tf.nn.conv2d(net.image(2), kernel(net, 2, 2), 1, "SAME")
    kind = net.whole(0, 6)
    slope = net.pick([0.1, 0.2, -0.1, 1.5])
    if kind == 0:
        return tf.nn.leaky_relu(x, slope)
    if kind == 1:
        return tf.maximum(x, slope * x)
    if kind == 2:
        return tf.clip_by_value(x, -0.3, 0.7)
    if kind == 3:
        return x * tf.tanh(tf.nn.softplus(x))
    return net.pick([tf.nn.elu, tf.nn.selu, tf.sigmoid, tf.tanh, tf.abs, tf.nn.swish])(
        x
    )


@style
def moved_channels(net: Net) -> Any:
    x = net.feed(net.floats(2, 3, 5, 4), "input", net.pick([None, [2, 3, 5, 4]]))
    x = tf.transpose(x, [0, 2, 3, 1])
    x = tf.nn.conv2d(x, kernel(net, 3, 4), 1, net.padding)
    return tf.transpose(x, [0, 3, 1, 2])


@style
def channels_first(net: Net) -> Any:
    x = net.feed(net.floats(1, 3, 6, 5), "input", net.pick([None, [1, 3, 6, 5]]))
    x = tf.nn.conv2d(x, kernel(net, 3, 4), 1, net.padding, data_format="NCHW")
    x = tf.nn.bias_add(x, net.floats(4), data_format="NCHW")
    return tf.nn.relu(x)


@style
def reduced(net: Net) -> Any:
    x = net.feed(net.floats(2, 3, 4, 2), "input")
    reduce = net.pick([tf.reduce_mean, tf.reduce_sum, tf.reduce_max])
    return reduce(
        x, net.pick([[1, 2], [1], [2, 3], [0, 1], [3], [0]]), keepdims=net.chance()
    )


@style
def scaled_constant(net: Net) -> Any:
    x = net.feed(net.floats(2, 3, 4, 2), "input", net.pick([None, [2, 3, 4, 2]]))
    other = net.pick(
        [net.floats(2), net.floats(1, 1, 1, 2), np.float32(2.5), net.floats(1, 3, 4, 2)]
    )
    return net.pick([tf.add, tf.multiply, tf.subtract, tf.divide])(x, other)


@style
def volumes(net: Net) -> Any:
    x = net.feed(net.floats(1, 4, 5, 6, 2), "input", net.pick([None, [1, 4, 5, 6, 2]]))
    if net.chance():
        return tf.nn.conv3d(x, net.floats(2, 2, 2, 2, 3), [1, 1, 1, 1, 1], net.padding)
    return net.pick([tf.nn.max_pool3d, tf.nn.avg_pool3d])(x, 2, 2, net.padding)


@style
def subpixel(net: Net) -> Any:
    x = tf.nn.conv2d(net.image(2), net.floats(3, 3, 2, 8), 1, "SAME")
    return tf.nn.depth_to_space(x, 2)


@style
def stacked(net: Net) -> Any:
    x = net.feed(net.floats(2, 3), "input")
    y = net.feed(net.floats(2, 3), "input_1")
    return net.pick(
        [tf.stack([x, y], 1), tf.concat([x, y], 1), tf.matmul(x, y, transpose_b=True)]
    )


@style
def one_directional(net: Net) -> Any:
    width = net.whole(2, 4)
    x = net.feed(net.floats(5, 1, 3), "input", net.pick([None, [5, 1, 3]]))
    said = {n: net.floats(1, width) for n in ("cs_prev", "h_prev")}
    said |= {n: np.zeros(width, "float32") for n in ("wci", "wcf", "wco")}
    return tf.raw_ops.BlockLSTM(
        seq_len_max=np.int64(5),
        x=x,
        w=net.floats(3 + width, 4 * width),
        b=net.floats(4 * width),
        **said,
    ).h


@style
def upsampled(net: Net) -> Any:
    x = net.feed(net.floats(1, 2, 3, 2), "input", [None, 2, 3, 2])
    x = tf.reshape(x, [-1, 2, 1, 3, 1, 2])
    return tf.reshape(tf.tile(x, [1, 1, 2, 1, 2, 1]), [-1, 4, 6, 2])


@style
def gated(net: Net) -> Any:
    x = net.image(4)
    s = tf.reduce_mean(
        tf.nn.conv2d(x, net.floats(1, 1, 4, 4), 1, "SAME"), [1, 2], keepdims=True
    )
    return x * tf.sigmoid(tf.nn.conv2d(s, net.floats(1, 1, 4, 4), 1, "SAME"))


variants(
    "opencv",
    {
        "identity_conv": lambda n: tf.identity(
            tf.nn.conv2d(n.image(2), n.floats(2, 2, 2, 3), 2, "SAME")
        ),
        "expand": lambda n: tf.expand_dims(n.feed(n.floats(2, 3)), n.pick([0, 1, -1])),
        "squeeze": lambda n: tf.squeeze(n.feed(n.floats(2, 1, 1, 3)), [1, 2]),
        "argmax": lambda n: tf.argmax(n.feed(n.floats(2, 5)), 1),
        "global": lambda n: tf.reduce_mean(n.image(3), n.pick([[1, 2], [2, 1]])),
    },
)
