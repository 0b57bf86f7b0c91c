"""Image classifiers off the keras.applications path: AlexNet, GoogLeNet's stem, SqueezeNet, ShuffleNet, MLP-Mixer, a capsule's front."""

from __future__ import annotations

from typing import Any

import keras as k
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import layers, slim, v1

LRN = "LocalResponseNormalization"


def alex_conv(
    x: Any, size: int, filters: int, stride: int, name: str, **how: Any
) -> Any:
    """kratzert/finetune_alexnet_with_tensorflow, alexnet.py."""
    groups, padding = how.get("groups", 1), how.get("padding", "SAME")
    channels = int(x.get_shape()[-1])

    def convolve(i: Any, kernel: Any) -> Any:
        return v1.nn.conv2d(i, kernel, [1, stride, stride, 1], padding)

    with v1.variable_scope(name) as scope:
        shape = [size, size, channels // groups, filters]
        weights = v1.get_variable("weights", shape)
        biases = v1.get_variable("biases", [filters])
        if groups == 1:
            conv = convolve(x, weights)
        else:
            inputs = tf.split(axis=3, num_or_size_splits=groups, value=x)
            kernels = tf.split(axis=3, num_or_size_splits=groups, value=weights)
            conv = tf.concat([convolve(*each) for each in zip(inputs, kernels)], 3)
        bias = tf.reshape(tf.nn.bias_add(conv, biases), tf.shape(conv))
        return tf.nn.relu(bias, name=scope.name)


def lrn(x: Any, radius: int, alpha: float, beta: float, name: str) -> Any:
    return tf.nn.local_response_normalization(
        x, depth_radius=radius, alpha=alpha, beta=beta, bias=1.0, name=name
    )


@architecture(
    "AlexNet",
    "tf1",
    layers={"Conv2D": 5, LRN: 2, "MaxPooling2D": 3, "Dense": 3, "Dropout": 2},
    lines=60,
)
def alexnet(training: bool = False) -> Any:
    x = v1.placeholder(tf.float32, [None, 67, 67, 3], name="x")
    keep_prob = v1.placeholder(tf.float32, name="keep_prob")

    def pool(y: Any, name: str) -> Any:
        return v1.nn.max_pool(y, [1, 3, 3, 1], [1, 2, 2, 1], "VALID", name=name)

    def fc(y: Any, outputs: int, name: str, relu: bool = True) -> Any:
        with v1.variable_scope(name) as scope:
            weights = v1.get_variable("weights", [y.shape[1], outputs])
            biases = v1.get_variable("biases", [outputs])
            act = v1.nn.xw_plus_b(y, weights, biases, name=scope.name)
            return tf.nn.relu(act) if relu else act

    conv1 = alex_conv(x, 11, 8, 4, "conv1", padding="VALID")
    pool1 = pool(lrn(conv1, 2, 2e-05, 0.75, "norm1"), "pool1")
    conv2 = alex_conv(pool1, 5, 8, 1, "conv2", groups=2)
    pool2 = pool(lrn(conv2, 2, 2e-05, 0.75, "norm2"), "pool2")
    conv3 = alex_conv(pool2, 3, 12, 1, "conv3")
    conv4 = alex_conv(conv3, 3, 12, 1, "conv4", groups=2)
    conv5 = alex_conv(conv4, 3, 8, 1, "conv5", groups=2)
    pool5 = v1.nn.max_pool(conv5, [1, 3, 3, 1], [1, 2, 2, 1], "SAME", name="pool5")
    flattened = tf.reshape(pool5, [-1, int(pool5.shape[1] * pool5.shape[2]) * 8])
    dropout6 = v1.nn.dropout(fc(flattened, 16, "fc6"), keep_prob)
    dropout7 = v1.nn.dropout(fc(dropout6, 16, "fc7"), keep_prob)
    score = fc(dropout7, 5, "fc8", relu=False)
    if training:
        y = v1.placeholder(tf.float32, [None, 5])
        loss = tf.reduce_mean(
            tf.nn.softmax_cross_entropy_with_logits(logits=score, labels=y)
        )
        v1.train.GradientDescentOptimizer(0.01).minimize(loss)
    return score


@architecture(
    "CIFAR-10 tutorial",
    "tf1",
    layers={"Conv2D": 2, LRN: 2, "MaxPooling2D": 2, "Dense": 3},
    lines=50,
)
def cifar10(training: bool = False) -> Any:
    """tensorflow/models, tutorials/image/cifar10, with its weight decay and moving averages."""

    def variable(name: str, shape: list[int], decay: float | None = None) -> Any:
        var = v1.get_variable(name, shape)
        if decay is not None:
            loss = tf.multiply(tf.nn.l2_loss(var), decay, name="weight_loss")
            v1.add_to_collection("losses", loss)
        return var

    def conv(x: Any, name: str) -> Any:
        with v1.variable_scope(name) as scope:
            kernel = variable("weights", [5, 5, x.shape[-1], 8])
            made = v1.nn.conv2d(x, kernel, [1, 1, 1, 1], padding="SAME")
            return tf.nn.relu(
                tf.nn.bias_add(made, variable("biases", [8])), name=scope.name
            )

    def pool(x: Any, name: str) -> Any:
        return v1.nn.max_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME", name=name)

    images = v1.placeholder(tf.float32, [4, 24, 24, 3], name="images")
    norm1 = tf.nn.lrn(
        pool(conv(images, "conv1"), "pool1"), 4, 1.0, 0.001 / 9.0, 0.75, name="norm1"
    )
    norm2 = tf.nn.lrn(conv(norm1, "conv2"), 4, 1.0, 0.001 / 9.0, 0.75, name="norm2")
    x = tf.reshape(pool(norm2, "pool2"), [4, -1])
    for name, units in (("local3", 16), ("local4", 12)):
        with v1.variable_scope(name) as scope:
            weights = variable("weights", [x.shape[1], units], 0.004)
            x = tf.nn.relu(
                tf.matmul(x, weights) + variable("biases", [units]), name=scope.name
            )
    with v1.variable_scope("softmax_linear") as scope:
        weights = variable("weights", [12, 10])
        x = tf.add(tf.matmul(x, weights), variable("biases", [10]), name=scope.name)
    if training:
        labels = v1.placeholder(tf.int32, [4])
        entropy = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x)
        )
        loss = tf.add_n([*v1.get_collection("losses"), entropy])
        step = v1.train.get_or_create_global_step()
        apply = v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
        averages = v1.train.ExponentialMovingAverage(0.9999, step)
        with tf.control_dependencies([apply]):
            averages.apply(v1.trainable_variables())
    return x


@architecture("SqueezeNet", "tf1", layers={"Conv2D": 14, "Concatenate": 4}, lines=45)
def squeezenet(training: bool = False) -> Any:
    """Fire modules with bypasses, as slim-style ports of v1.1 have them."""

    def fire(x: Any, squeeze: int, expand: int, scope: str) -> Any:
        with v1.variable_scope(scope):
            x = slim.conv2d(x, squeeze, [1, 1], scope="squeeze")
            e1 = slim.conv2d(x, expand, [1, 1], scope="1x1")
            e3 = slim.conv2d(x, expand, [3, 3], scope="3x3")
            return tf.concat([e1, e3], 3)

    images = v1.placeholder(tf.float32, [None, 48, 48, 3], name="images")
    x = slim.conv2d(images, 8, [3, 3], stride=2, scope="conv1")
    x = slim.max_pool2d(x, [3, 3], stride=2, scope="maxpool1")
    for i in (2, 3):
        x = fire(x, 4, 8, f"fire{i}")
    x = slim.max_pool2d(x, [3, 3], stride=2, scope="maxpool3")
    for i in (4, 5):
        x = fire(x, 4, 8, f"fire{i}")
    x = slim.dropout(x, 0.5, is_training=training)
    x = slim.conv2d(x, 5, [1, 1], scope="conv10")
    x = tf.reduce_mean(x, [1, 2])
    if training:
        labels = v1.placeholder(tf.int64, [None])
        v1.losses.sparse_softmax_cross_entropy(labels, x)
        v1.train.RMSPropOptimizer(0.01).minimize(v1.losses.get_total_loss())
    return x


@architecture(
    "ShuffleNet",
    "tf1",
    layers={"Conv2D": 7, "DepthwiseConv2D": 3, "BatchNormalization": 10},
    lines=80,
)
def shufflenet(training: bool = False) -> Any:
    """Zhang et al., arXiv 1707.01083: grouped convolutions by split, channels shuffled between them."""

    def grouped(x: Any, filters: int, groups: int, name: str) -> Any:
        with v1.variable_scope(name):
            width = int(x.shape[3]) // groups
            parts = [
                layers.conv2d(
                    x[:, :, :, i * width : (i + 1) * width],
                    filters // groups,
                    1,
                    use_bias=False,
                    name=f"conv{i}",
                )
                for i in range(groups)
            ]
            return tf.concat(parts, axis=-1)

    def shuffle(x: Any, groups: int) -> Any:
        n, h, w, c = x.shape.as_list()
        x = tf.reshape(x, [-1, h, w, groups, c // groups])
        return tf.reshape(tf.transpose(x, [0, 1, 2, 4, 3]), [-1, h, w, c])

    def norm(x: Any) -> Any:
        return layers.batch_normalization(x, fused=True, training=training)

    def depthwise(x: Any, stride: int, name: str) -> Any:
        kernel = v1.get_variable(f"{name}/depthwise_weights", [3, 3, x.shape[3], 1])
        return v1.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME")

    def unit(x: Any, stride: int, name: str) -> Any:
        with v1.variable_scope(name):
            width = int(x.shape[3])
            y = tf.nn.relu(norm(grouped(x, width, 2, "gconv_1")))
            y = norm(depthwise(shuffle(y, 2), stride, "dconv"))
            y = norm(grouped(y, width, 2, "gconv_2"))
            if stride == 1:
                return tf.nn.relu(tf.add(x, y))
            pooled = v1.nn.avg_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME")
            return tf.nn.relu(tf.concat([pooled, y], 3))

    images = v1.placeholder(tf.float32, [None, 32, 32, 3], name="images")
    x = layers.conv2d(images, 8, 3, strides=2, padding="same", use_bias=False)
    x = tf.nn.relu(norm(x))
    x = unit(x, 2, "stage2_1")
    for i in (2, 3):
        x = unit(x, 1, f"stage2_{i}")
    logits = layers.dense(tf.reduce_mean(x, [1, 2]), 5)
    if training:
        loss = v1.losses.sparse_softmax_cross_entropy(
            v1.placeholder(tf.int64, [None]), logits
        )
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            v1.train.AdamOptimizer().minimize(loss)
    return logits


class MlpBlock(L.Layer):
    """keras.io's and the paper's (arXiv 2105.01601)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden

    def build(self, input_shape: Any) -> None:
        self.one, self.two = L.Dense(self.hidden), L.Dense(input_shape[-1])
        self.one.build(input_shape)
        self.two.build((*input_shape[:-1], self.hidden))

    def call(self, x: Any) -> Any:
        return self.two(tf.nn.gelu(self.one(x)))


@architecture(
    "MLP-Mixer",
    "tf2",
    layers={"Conv2D": 1, "LayerNormalization": 5, "Dense": 9, "Add": 4},
    lines=35,
)
def mixer() -> Any:
    inputs = k.Input((16, 16, 3))
    x = L.Conv2D(8, 4, strides=4)(inputs)
    x = L.Reshape((16, 8))(x)
    for _ in range(2):
        y = L.Permute((2, 1))(L.LayerNormalization(epsilon=1e-6)(x))
        x = L.Add()([x, L.Permute((2, 1))(MlpBlock(12)(y))])
        x = L.Add()([x, MlpBlock(16)(L.LayerNormalization(epsilon=1e-6)(x))])
    x = L.GlobalAveragePooling1D()(L.LayerNormalization(epsilon=1e-6)(x))
    return k.Model(inputs, L.Dense(5)(x))


@architecture(
    "primary capsules", "tf1", layers={"Conv2D": 2}, lines=45, ops=24, share=0.3
)
def capsules() -> Any:
    """naturomics/CapsNet-Tensorflow up to its routing: squashed vectors, predictions of each digit, and their lengths."""

    def squash(vector: Any) -> Any:
        norm = tf.reduce_sum(tf.square(vector), -2, keepdims=True)
        factor = norm / (1 + norm) / tf.sqrt(norm + 1e-9)
        return factor * vector

    x = v1.placeholder(tf.float32, [2, 28, 28, 1], name="x")
    conv1 = layers.conv2d(x, 8, 9, activation=tf.nn.relu)
    caps = layers.conv2d(conv1, 16, 9, strides=2, activation=tf.nn.relu)
    caps = squash(tf.reshape(caps, (2, -1, 8, 1)))
    count = int(caps.shape[1])
    inputs = tf.reshape(caps, (2, -1, 1, 8, 1))
    w = v1.get_variable("Weight", [1, count, 10 * 4, 8, 1])
    inputs = tf.tile(inputs, [1, 1, 40, 1, 1])
    u_hat = tf.reduce_sum(w * inputs, axis=3, keepdims=True)
    u_hat = tf.reshape(u_hat, [-1, count, 10, 4, 1])
    v = squash(tf.reduce_mean(u_hat, axis=1, keepdims=True))
    return tf.sqrt(tf.reduce_sum(tf.square(v), axis=3, keepdims=True) + 1e-9)
