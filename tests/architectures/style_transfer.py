"""Style transfer (Johnson et al., 2016): instance normalisation by hand, reflections, resized convolutions; and by any style."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers as klayers

from . import architecture
from .legacy import slim, v1

WIDTH = 4


def _kernel(x, filters, size, transpose=False):
    rows = [size, size, x.shape[-1], filters]
    shape = [size, size, filters, x.shape[-1]] if transpose else rows
    return v1.Variable(v1.truncated_normal(shape, stddev=0.1, seed=1))


def _instance_norm(x):
    mean, variance = v1.nn.moments(x, [1, 2], keep_dims=True)
    shift = v1.Variable(tf.zeros([x.shape[-1]]), name="shift")
    scale = v1.Variable(tf.ones([x.shape[-1]]), name="scale")
    return scale * ((x - mean) / (variance + 1e-3) ** 0.5) + shift


def _conv(x, filters, size, stride, relu=True):
    w = _kernel(x, filters, size)
    x = v1.nn.conv2d(x, w, [1, stride, stride, 1], padding="SAME")
    x = _instance_norm(x)
    return tf.nn.relu(x) if relu else x


def _deconv(x, filters, size, stride):
    batch, rows, columns, _ = x.shape.as_list()
    w = _kernel(x, filters, size, transpose=True)
    shape = tf.stack([batch, rows * stride, columns * stride, filters])
    x = v1.nn.conv2d_transpose(x, w, shape, [1, stride, stride, 1], padding="SAME")
    return tf.nn.relu(_instance_norm(x))


def _residual(x):
    h = _conv(x, x.shape[-1], 3, 1)
    return x + _conv(h, x.shape[-1], 3, 1, relu=False)


@architecture(
    "style transfer",
    "tf1",
    layers={
        "Conv2D": 8,
        "Conv2DTranspose": 2,
        "GroupNormalization": 10,
        "Add": 2,
    },
    lines=35,
)
def fast():
    """Images of one fixed size; transposed convolutions; 150 tanh + 255 / 2 at the end."""
    image = v1.placeholder(tf.float32, [2, 16, 16, 3], name="img_placeholder")
    x = _conv(image, WIDTH, 9, 1)
    x = _conv(x, 2 * WIDTH, 3, 2)
    x = _conv(x, 4 * WIDTH, 3, 2)
    for _ in range(2):
        x = _residual(x)
    x = _deconv(x, 2 * WIDTH, 3, 2)
    x = _deconv(x, WIDTH, 3, 2)
    x = _conv(x, 3, 9, 1, relu=False)
    return tf.nn.tanh(x) * 150 + 255.0 / 2


def _reflected(x, filters, size, stride):
    with v1.variable_scope(None, "conv"):
        edge = size // 2
        x = tf.pad(x, [[0, 0], [edge, edge], [edge, edge], [0, 0]], mode="REFLECT")
        w = v1.get_variable("weight", [size, size, x.shape[-1], filters])
        return v1.nn.conv2d(x, w, [1, stride, stride, 1], padding="VALID", name="conv")


def _instance_norm_9(x):
    with v1.variable_scope(None, "instance_norm"):
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        return tf.divide(x - mean, tf.sqrt(variance + 1e-9))


def _resized(x, filters, size, stride, training):
    """Up to twice the size by nearest neighbour, twice over where it trains, then a convolution."""
    with v1.variable_scope(None, "conv_transpose"):
        rows = x.shape[1] if training else tf.shape(x)[1]
        columns = x.shape[2] if training else tf.shape(x)[2]
        new = tf.stack([rows * stride * 2, columns * stride * 2])
        x = v1.image.resize_images(x, new, method=1)
        return _reflected(x, filters, size, stride)


@architecture(
    "style transfer",
    "tf1",
    layers={
        "Conv2D": 10,
        "UpSampling2D": 2,
        "GroupNormalization": 6,
        "Cropping2D": 1,
    },
    lines=65,
    ops=36,  # borders reflected, NaN made 0
)
def reflecting():
    """Images of any size; a border is reflected before and cut off after; relu by where, resized convolutions."""
    image = v1.placeholder(tf.float32, [None, None, None, 3], name="image")

    def relu(x):
        y = tf.nn.relu(x)
        return v1.where(tf.equal(y, y), y, tf.zeros_like(y))  # NaN becomes 0

    x = tf.pad(image, [[0, 0], [10, 10], [10, 10], [0, 0]], mode="REFLECT")
    for filters, size, stride in ((WIDTH, 9, 1), (2 * WIDTH, 3, 2), (4 * WIDTH, 3, 2)):
        x = relu(_instance_norm_9(_reflected(x, filters, size, stride)))
    for _ in range(2):
        h = relu(_reflected(x, 4 * WIDTH, 3, 1))
        x = x + _reflected(h, 4 * WIDTH, 3, 1)
    for filters in (2 * WIDTH, WIDTH):
        x = relu(_instance_norm_9(_resized(x, filters, 3, 1, False)))
    x = tf.nn.tanh(_instance_norm_9(_reflected(x, 3, 9, 1)))
    x = (x + 1) * 127.5
    size = tf.shape(x)
    end = tf.stack([-1, size[1] - 20, size[2] - 20, -1])
    return tf.slice(x, [0, 10, 10, 0], end, name="output")


def _conditional_norm(x, style, scope):
    """Instance normalisation whose gain and shift are linear in the style."""
    with v1.variable_scope(scope):
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        made = []
        for name in ("beta", "gamma"):
            one = slim.conv2d(
                style,
                x.shape[-1],
                1,
                activation_fn=None,
                normalizer_fn=None,
                scope=name,
            )
            made.append(one)
        return tf.nn.batch_normalization(x, mean, variance, *made, 1e-5)


@architecture(
    "arbitrary style transfer",
    "tf1",
    layers={"Conv2D": 21, "UpSampling2D": 1},
    lines=65,
    ops=26,
)
def arbitrary():
    """Content and style images in; the style's mean features give each normalisation its gain and shift (Ghiasi et al.)."""
    content = v1.placeholder(tf.float32, [None, None, None, 3], name="content")
    style = v1.placeholder(tf.float32, [None, None, None, 3], name="style")
    with v1.variable_scope("style_params"):
        h = slim.conv2d(style, WIDTH, 3, stride=2, scope="conv1")
        h = slim.conv2d(h, 2 * WIDTH, 3, stride=2, scope="conv2")
        h = tf.reduce_mean(h, axis=[1, 2], keepdims=True, name="feature")
        bottleneck = slim.conv2d(h, 6, 1, activation_fn=None, scope="bottleneck")

    def conv(x, filters, size, stride, scope, activation=tf.nn.relu):
        edge = size // 2
        pads = [[0, 0], [edge, edge], [edge, edge], [0, 0]]
        x = tf.pad(x, pads, mode="REFLECT")
        options = {
            "padding": "VALID",
            "activation_fn": None,
            "biases_initializer": None,
        }
        with v1.variable_scope(scope):
            x = slim.conv2d(x, filters, size, stride, scope="conv", **options)
            return activation(_conditional_norm(x, bottleneck, "norm"))

    x = conv(content, WIDTH, 9, 1, "conv1")
    x = conv(x, 2 * WIDTH, 3, 2, "conv2")
    h = conv(x, 2 * WIDTH, 3, 1, "residual/conv1")
    x = x + conv(h, 2 * WIDTH, 3, 1, "residual/conv2", activation=tf.identity)
    size = tf.shape(x)
    x = v1.image.resize_nearest_neighbor(x, [size[1] * 2, size[2] * 2])
    x = conv(x, WIDTH, 3, 1, "up1")
    return conv(x, 3, 9, 1, "up2", activation=tf.nn.sigmoid)


@keras.saving.register_keras_serializable(package="tests")
class ReflectionPadding(klayers.Layer):
    """Reflects a border of ``edge`` pixels, as Keras ports of CycleGAN do."""

    def __init__(self, edge=1, **kwargs):
        super().__init__(**kwargs)
        self.edge = edge

    def call(self, x):
        edges = [[0, 0], [self.edge] * 2, [self.edge] * 2, [0, 0]]
        return tf.pad(x, edges, mode="REFLECT")


@architecture(
    "CycleGAN generator",
    "tf2",
    layers={
        "Conv2D": 6,
        "Conv2DTranspose": 1,
        "GroupNormalization": 6,
        "Add": 2,
    },
    lines=32,
    ops=6,
)
def cyclegan():
    """Keras's CycleGAN: reflection padding, group normalisation of one channel a group, transposed convolution up."""
    inputs = keras.Input((None, None, 3), name="image")

    def normed(x):
        return klayers.GroupNormalization(groups=-1)(x)

    x = klayers.Conv2D(WIDTH, 7, use_bias=False)(ReflectionPadding(3)(inputs))
    x = klayers.Activation("relu")(normed(x))
    x = klayers.Conv2D(2 * WIDTH, 3, strides=2, padding="same", use_bias=False)(x)
    x = klayers.Activation("relu")(normed(x))
    for _ in range(2):
        h = klayers.Conv2D(2 * WIDTH, 3, use_bias=False)(ReflectionPadding()(x))
        h = klayers.Activation("relu")(normed(h))
        if _ == 0:
            x = klayers.add([x, h])
            continue
        h = klayers.Conv2D(2 * WIDTH, 3, use_bias=False)(ReflectionPadding()(h))
        x = klayers.add([x, normed(h)])
    x = klayers.Conv2DTranspose(WIDTH, 3, strides=2, padding="same", use_bias=False)(x)
    x = klayers.Activation("relu")(normed(x))
    x = klayers.Conv2D(3, 7)(ReflectionPadding(3)(x))
    return keras.Model(inputs, klayers.Activation("tanh")(x))
