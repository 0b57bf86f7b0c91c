"""PointNet (Qi et al., arXiv 1612.00593): its authors' tf_util in TensorFlow 1, and Keras's own example.

A convolution as high as a point is wide, 1x1 convolutions, max pooling over all points, and two small nets that predict
a matrix to turn the points and their features by.
"""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import v1

POINTS, CLASSES = 16, 5


def variable(name: str, shape: list[int]) -> Any:
    return v1.get_variable(name, shape)


def batch_norm(x: Any, is_training: Any, axes: list[int], decay: Any) -> Any:
    """Moving averages by ExponentialMovingAverage, read through a cond."""
    with v1.variable_scope("bn"):
        size = x.shape[-1]
        beta = v1.Variable(tf.constant(0.0, shape=[size]), name="beta")
        gamma = v1.Variable(tf.constant(1.0, shape=[size]), name="gamma")
        batch_mean, batch_var = tf.nn.moments(x, axes, name="moments")
        average = tf.train.ExponentialMovingAverage(decay=decay)
        update = tf.cond(
            is_training,
            lambda: average.apply([batch_mean, batch_var]),
            lambda: tf.no_op(),
        )

        def updated() -> Any:
            with tf.control_dependencies([update]):
                return tf.identity(batch_mean), tf.identity(batch_var)

        mean, var = tf.cond(
            is_training,
            updated,
            lambda: (average.average(batch_mean), average.average(batch_var)),
        )
        return tf.nn.batch_normalization(x, mean, var, beta, gamma, 1e-3)


class Net:
    """The layers of tf_util, which all take the phase and the decay."""

    def __init__(self, is_training: Any, decay: Any) -> None:
        self.is_training, self.decay = is_training, decay

    def conv(self, x: Any, filters: int, kernel: list[int], scope: str) -> Any:
        with v1.variable_scope(scope):
            w = variable("weights", [*kernel, x.shape[-1], filters])
            y = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="VALID")
            y = tf.nn.bias_add(y, variable("biases", [filters]))
            return tf.nn.relu(batch_norm(y, self.is_training, [0, 1, 2], self.decay))

    def dense(self, x: Any, units: int, scope: str) -> Any:
        with v1.variable_scope(scope):
            y = tf.matmul(x, variable("weights", [x.shape[-1], units]))
            y = tf.nn.bias_add(y, variable("biases", [units]))
            return tf.nn.relu(batch_norm(y, self.is_training, [0], self.decay))

    def dropout(self, x: Any, keep: float, scope: str) -> Any:
        with v1.variable_scope(scope):
            return tf.cond(self.is_training, lambda: v1.nn.dropout(x, keep), lambda: x)

    def pool(self, x: Any, scope: str) -> Any:
        with v1.variable_scope(scope):
            window = [1, POINTS, 1, 1]
            return v1.nn.max_pool(x, window, [1, 2, 2, 1], "VALID")

    def transform(self, x: Any, kernel: list[int], size: int) -> Any:
        """The matrix that turns each point, or its features."""
        net = self.conv(x, 6, kernel, "tconv1")
        net = self.conv(net, 8, [1, 1], "tconv2")
        net = self.pool(self.conv(net, 12, [1, 1], "tconv3"), "tmaxpool")
        net = tf.reshape(net, [x.shape[0], -1])
        net = self.dense(self.dense(net, 10, "tfc1"), 8, "tfc2")
        with v1.variable_scope("transform"):
            w = variable("weights", [8, size * size])
            b = variable("biases", [size * size])
            b = b + tf.constant(np.eye(size).flatten(), dtype=tf.float32)
            net = tf.nn.bias_add(tf.matmul(net, w), b)
        return tf.reshape(net, [x.shape[0], size, size])


@architecture(
    "PointNet",
    "tf1",
    layers={"Conv2D": 11, "Dense": 9, "BatchNormalization": 17, "MaxPooling2D": 3},
    lines=70,
    ops=6,
    only=("training", "checkpoint", "saved_model"),
)
def classifier(training: bool = False) -> Any:
    """In batches of a fixed size, as the authors trained it."""
    batch = 3
    points = v1.placeholder(tf.float32, [batch, POINTS, 3], name="points")
    is_training = v1.placeholder(tf.bool, [], name="is_training")
    step = v1.Variable(0, trainable=False, name="step")
    moved = v1.train.exponential_decay(0.5, step * batch, 2000, 0.5, staircase=True)
    net_of = Net(is_training, tf.minimum(0.99, 1 - moved))
    with v1.variable_scope("transform_net1"):
        matrix = net_of.transform(tf.expand_dims(points, -1), [1, 3], 3)
    image = tf.expand_dims(tf.matmul(points, matrix), -1)
    net = net_of.conv(net_of.conv(image, 6, [1, 3], "conv1"), 6, [1, 1], "conv2")
    with v1.variable_scope("transform_net2"):
        matrix = net_of.transform(net, [1, 1], 6)
    net = tf.matmul(tf.squeeze(net, axis=[2]), matrix)
    net = tf.expand_dims(net, [2])
    for name, filters in (("conv3", 6), ("conv4", 8), ("conv5", 12)):
        net = net_of.conv(net, filters, [1, 1], name)
    net = tf.reshape(net_of.pool(net, "maxpool"), [batch, -1])
    net = net_of.dropout(net_of.dense(net, 10, "fc1"), 0.7, "dp1")
    net = net_of.dropout(net_of.dense(net, 8, "fc2"), 0.7, "dp2")
    with v1.variable_scope("fc3"):
        w, b = variable("weights", [8, CLASSES]), variable("biases", [CLASSES])
        logits = tf.nn.bias_add(tf.matmul(net, w), b)
    if training:
        labels = v1.placeholder(tf.int32, [batch], name="labels")
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=logits, labels=labels
        )
        square = tf.matmul(matrix, tf.transpose(matrix, perm=[0, 2, 1]))
        off = square - tf.constant(np.eye(6), dtype=tf.float32)
        loss = tf.reduce_mean(losses) + 1e-3 * tf.nn.l2_loss(off)
        v1.train.AdamOptimizer(1e-3).minimize(loss, global_step=step)
    return logits


def conv_bn(x: Any, filters: int) -> Any:
    x = L.Conv1D(filters, kernel_size=1, padding="valid")(x)
    return L.Activation("relu")(L.BatchNormalization(momentum=0.0)(x))


def dense_bn(x: Any, filters: int) -> Any:
    x = L.Dense(filters)(x)
    return L.Activation("relu")(L.BatchNormalization(momentum=0.0)(x))


def tnet(inputs: Any, size: int) -> Any:
    x = conv_bn(conv_bn(conv_bn(inputs, 6), 8), 12)
    x = dense_bn(dense_bn(L.GlobalMaxPooling1D()(x), 10), 8)
    x = L.Dense(size * size, kernel_initializer="zeros")(x)
    return L.Dot(axes=(2, 1))([inputs, L.Reshape((size, size))(x)])


@architecture(
    "PointNet",
    "tf2",
    layers={"Conv1D": 11, "Dense": 9, "GlobalMaxPooling1D": 3},
    ops=2,
    lines=60,
)
def keras_example() -> Any:
    """keras.io/examples/vision/pointnet."""
    inputs = k.Input((POINTS, 3))
    x = conv_bn(conv_bn(tnet(inputs, 3), 6), 6)
    x = conv_bn(conv_bn(conv_bn(tnet(x, 6), 6), 8), 12)
    x = L.GlobalMaxPooling1D()(x)
    x = L.Dropout(0.3)(dense_bn(x, 10))
    x = L.Dropout(0.3)(dense_bn(x, 8))
    return k.Model(inputs, L.Dense(CLASSES, activation="softmax")(x))
