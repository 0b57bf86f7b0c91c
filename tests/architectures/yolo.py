"""YOLO (Redmon et al.): darknet's convolutions with explicit padding, the passthrough of v2, the decoded boxes of v2 and v3."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers as klayers

from . import architecture
from .legacy import layers, slim, v1

ANCHORS = [(10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119)]
CLASSES = 3


def _fixed_padding(x, size):
    before = (size - 1) // 2
    edges = [before, size - 1 - before]
    return tf.pad(x, [[0, 0], edges, edges, [0, 0]], mode="CONSTANT")


def _conv3(x, filters, size, strides=1):
    if strides > 1:
        x = _fixed_padding(x, size)
    padding = "SAME" if strides == 1 else "VALID"
    return slim.conv2d(x, filters, size, stride=strides, padding=padding)


def _darknet_block(x, filters):
    h = _conv3(x, filters, 1)
    return _conv3(h, filters * 2, 3) + x


def _detect3(x, anchors, image_size):
    """One scale of YOLOv3: boxes as centre, size, confidence, class probabilities."""
    x = slim.conv2d(
        x,
        len(anchors) * (5 + CLASSES),
        1,
        normalizer_fn=None,
        activation_fn=None,
        biases_initializer=v1.zeros_initializer(),
    )
    grid = x.get_shape().as_list()[1:3]
    cells = grid[0] * grid[1]
    x = tf.reshape(x, [-1, len(anchors) * cells, 5 + CLASSES])
    stride = (image_size[0] // grid[0], image_size[1] // grid[1])
    scaled = [(a[0] / stride[0], a[1] / stride[1]) for a in anchors]
    centers, sizes, confidence, classes = tf.split(x, [2, 2, 1, CLASSES], axis=-1)
    centers, confidence = tf.nn.sigmoid(centers), tf.nn.sigmoid(confidence)
    rows = tf.range(grid[0], dtype=tf.float32)
    columns = tf.range(grid[1], dtype=tf.float32)
    a, b = tf.meshgrid(rows, columns)
    offset = tf.concat([tf.reshape(a, (-1, 1)), tf.reshape(b, (-1, 1))], axis=-1)
    offset = tf.tile(offset, [1, len(anchors)])
    centers = (centers + tf.reshape(offset, [1, -1, 2])) * stride
    sizes = tf.exp(sizes) * tf.tile(tf.constant(scaled), [cells, 1]) * stride
    found = [centers, sizes, confidence, tf.nn.sigmoid(classes)]
    return tf.concat(found, axis=-1)


@architecture(
    "YOLOv3",
    "tf1",
    layers={"Conv2D": 14, "BatchNormalization": 12, "LeakyReLU": 12},
    lines=100,
    ops=12,
)
def third(training=False):
    """Slim with leaky ReLU of 0.1, two residual blocks, two scales joined by nearest-neighbour up-sampling."""
    inputs = v1.placeholder(tf.float32, [None, 32, 32, 3], name="inputs")
    norm = {"decay": 0.9, "epsilon": 1e-5, "scale": True, "is_training": training}
    with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm), slim.arg_scope(
        [slim.conv2d], activation_fn=lambda x: tf.nn.leaky_relu(x, alpha=0.1)
    ), slim.arg_scope([slim.conv2d], normalizer_params={**norm, "fused": None}):
        x = _conv3(inputs / 255, 4, 3)
        x = _conv3(x, 8, 3, strides=2)
        x = _darknet_block(x, 4)
        route = _conv3(x, 8, 3, strides=2)
        x = _darknet_block(route, 4)
        x = _conv3(x, 8, 3, strides=2)
        x = _conv3(x, 4, 1)
        x = _conv3(x, 8, 3)
        large = _detect3(x, ANCHORS[3:], (32, 32))
        x = _conv3(x, 4, 1)
        x = v1.image.resize_nearest_neighbor(x, route.shape[1:3])
        x = tf.concat([x, route], axis=3)
        x = _conv3(x, 8, 3)
        small = _detect3(x, ANCHORS[:3], (32, 32))
    detections = tf.identity(tf.concat([large, small], axis=1), name="detections")
    if training:
        labels = v1.placeholder(tf.float32, [None, None, 5 + CLASSES], name="labels")
        loss = tf.reduce_mean(tf.square(detections - labels))
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            v1.train.AdamOptimizer(1e-3).minimize(loss)
    return detections


def _conv2(x, filters, size, number, rng, leaky=True):
    """Darkflow's: pad, convolve, normalise by constants, scale, add, max(0.1 x, x)."""
    with tf.name_scope(f"{number}-convolutional"):
        if size > 1:
            edge = size // 2
            x = tf.pad(x, [[0, 0], [edge, edge], [edge, edge], [0, 0]])
        shape = [size, size, int(x.shape[-1]), filters]
        kernel = v1.Variable(rng.normal(size=shape).astype("f"), name="kernel")
        x = tf.nn.conv2d(x, kernel, padding="VALID", strides=[1, 1, 1, 1])
        if leaky:
            gamma = v1.Variable(np.ones(filters, "f"), name="gamma")
            mean = v1.Variable(np.zeros(filters, "f"), name="moving_mean")
            variance = v1.Variable(np.ones(filters, "f"), name="moving_variance")
            x = (x - mean) / (tf.sqrt(variance) + 1e-5)
            x = x * gamma
        bias = v1.Variable(np.zeros(filters, "f"), name="biases")
        x = tf.nn.bias_add(x, bias)
        return tf.maximum(0.1 * x, x) if leaky else x


@architecture(
    "YOLOv2",
    "tf1",
    layers={
        "Conv2D": 6,
        "BatchNormalization": 5,
        "MaxPooling2D": 2,
        "LeakyReLU": 5,
        "Concatenate": 2,
    },
    lines=75,
    ops=14,
    share=0.9,
)
def second():
    """Darkflow's graph: the statistics beside the variance's root, the reorganised passthrough, one scale decoded."""
    rng = np.random.default_rng(0)
    x = v1.placeholder(tf.float32, [None, 16, 16, 3], name="input")
    x = _conv2(x, 4, 3, 0, rng)
    x = v1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    passed = _conv2(x, 4, 3, 2, rng)
    x = v1.nn.max_pool(passed, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    x = _conv2(x, 8, 3, 4, rng)
    small = _conv2(passed, 2, 1, 5, rng)
    sides = [1, 2, 2, 1]
    small = v1.extract_image_patches(small, sides, sides, [1, 1, 1, 1], "VALID")
    x = _conv2(tf.concat([small, x], 3), 8, 3, 6, rng)
    anchors = ANCHORS[:2]
    x = _conv2(x, len(anchors) * (5 + CLASSES), 1, 7, rng, leaky=False)
    return _decode2(tf.identity(x, name="output"), anchors)


def _decode2(x, anchors):
    """Darknet's region layer: sigmoid centres on the grid, exponential sizes, softmax classes."""
    size = tf.shape(x)
    x = tf.reshape(x, [-1, size[1], size[2], len(anchors), 5 + CLASSES])
    column, row = tf.meshgrid(tf.range(size[2]), tf.range(size[1]))
    grid = tf.cast(tf.stack([column, row], axis=-1), tf.float32)
    grid = tf.reshape(grid, [1, size[1], size[2], 1, 2])
    scale = tf.cast(tf.reshape([size[2], size[1]], [1, 1, 1, 1, 2]), tf.float32)
    sizes = tf.reshape(tf.constant(anchors, tf.float32), [1, 1, 1, len(anchors), 2])
    xy = (tf.sigmoid(x[..., :2]) + grid) / scale
    wh = tf.exp(x[..., 2:4]) * sizes / scale
    confidence = tf.sigmoid(x[..., 4:5])
    return [
        tf.concat([xy - wh / 2, xy + wh / 2], -1),
        confidence * tf.nn.softmax(x[..., 5:]),
    ]


@architecture(
    "YOLO tiny",
    "tf1",
    layers={"Conv2D": 4, "BatchNormalization": 3, "LeakyReLU": 3},
    lines=40,
    ops=1,
)
def reorganised(training=False):
    """tf.layers, a third leaky ReLU (0.55 x + 0.45 |x|), space_to_depth, a mode placeholder where it trains."""
    x = v1.placeholder(tf.float32, [None, 16, 16, 3], name="x")
    mode = v1.placeholder(tf.bool, [], name="is_training") if training else False

    def conv(x, filters):
        x = layers.conv2d(x, filters, 3, padding="same", use_bias=False)
        x = layers.batch_normalization(x, training=mode, momentum=0.9, epsilon=1e-5)
        return 0.55 * x + 0.45 * tf.abs(x)

    fine = conv(x, 4)
    x = layers.max_pooling2d(fine, 2, 2)
    x = tf.concat([v1.space_to_depth(fine, 2), conv(x, 8)], axis=-1)
    x = layers.conv2d(conv(x, 8), 16, 1)
    if training:
        labels = v1.placeholder(tf.float32, [None, 8, 8, 16], name="labels")
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            v1.train.AdamOptimizer(1e-3).minimize(tf.nn.l2_loss(labels - x))
    return tf.identity(x, name="output")


@architecture(
    "YOLOv3",
    "tf2",
    layers={
        "Conv2D": 10,
        "BatchNormalization": 8,
        "LeakyReLU": 8,
        "ZeroPadding2D": 2,
        "UpSampling2D": 1,
    },
    lines=110,
    ops=12,
    share=0.99,  # anchors
)
def third_in_keras():
    """yolov3-tf2's habits: zero padding at the top left, leaky ReLU, heads reshaped by Lambda, boxes decoded in TensorFlow."""
    inputs = keras.Input((32, 32, 3), name="input")

    def conv(x, filters, size, strides=1, normed=True):
        if strides > 1:
            x = klayers.ZeroPadding2D(((1, 0), (1, 0)))(x)
        padding = "same" if strides == 1 else "valid"
        options = {"padding": padding, "use_bias": not normed}
        x = klayers.Conv2D(filters, size, strides=strides, **options)(x)
        if not normed:
            return x
        return klayers.LeakyReLU(negative_slope=0.1)(klayers.BatchNormalization()(x))

    x = conv(inputs, 4, 3)
    x = conv(x, 8, 3, 2)
    route = klayers.Add()([x, conv(conv(x, 4, 1), 8, 3)])
    x = conv(route, 8, 3, 2)
    heads = []
    for size, anchors in ((8, ANCHORS[3:]), (16, ANCHORS[:3])):
        if size == 16:
            x = klayers.UpSampling2D(2)(conv(x, 4, 1))
            x = klayers.Concatenate()([x, route])
        x = conv(x, 8, 3)
        out = conv(x, len(anchors) * (5 + CLASSES), 1, normed=False)
        heads += Decode(size, np.array(anchors, "f") / 32)(out)
    return keras.Model(inputs, heads, name="yolov3")


@keras.saving.register_keras_serializable(package="tests")
class Decode(klayers.Layer):
    """Boxes as corners, objectness and class probabilities, one row an anchor."""

    def __init__(self, size, anchors, **kwargs):
        super().__init__(**kwargs)
        self.size, self.anchors = size, anchors

    def call(self, x):
        count = len(self.anchors)
        x = tf.reshape(x, (-1, self.size, self.size, count, CLASSES + 5))
        xy, wh, objectness, classes = tf.split(x, (2, 2, 1, CLASSES), axis=-1)
        grid = tf.meshgrid(tf.range(self.size), tf.range(self.size))
        grid = tf.expand_dims(tf.stack(grid, axis=-1), axis=2)
        xy = (tf.sigmoid(xy) + tf.cast(grid, tf.float32)) / self.size
        wh = tf.exp(wh) * self.anchors
        box = tf.concat([xy - wh / 2, xy + wh / 2], axis=-1)
        return box, tf.sigmoid(objectness), tf.sigmoid(classes)
