"""Heads with many outputs, and embeddings on a sphere: SSD's predictors, a class activation of FaceNet's kind."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers as klayers

from . import architecture
from .legacy import slim, v1

CLASSES, ANCHORS = 4, 3


def _scaled_l2(x):
    """SSD's L2 normalisation over channels with a learnt scale for each."""
    with v1.variable_scope("L2Normalization"):
        x = tf.nn.l2_normalize(x, [3], epsilon=1e-12)
        gain = v1.get_variable(
            "gamma", [x.shape[-1]], initializer=v1.ones_initializer()
        )
        return tf.multiply(x, gain)


def _multibox(x, normed):
    if normed:
        x = _scaled_l2(x)
    shapes = []
    for size, scope in ((4, "conv_loc"), (CLASSES, "conv_cls")):
        y = slim.conv2d(x, ANCHORS * size, [3, 3], activation_fn=None, scope=scope)
        rows, columns = y.get_shape().as_list()[1:3]
        shapes.append(tf.reshape(y, [-1, rows, columns, ANCHORS, size]))
    return shapes


@architecture(
    "SSD",
    "tf1",
    layers={"Conv2D": 9, "MaxPooling2D": 2, "Reshape": 4},
    lines=90,
)
def ssd(training=False):
    """Liu et al. (2016) in slim: locations and class probabilities of two maps, four outputs."""
    inputs = v1.placeholder(tf.float32, [None, 32, 32, 3], name="image")
    ends = []
    decay = slim.l2_regularizer(5e-4)
    with slim.arg_scope([slim.conv2d], weights_regularizer=decay, padding="SAME"):
        x = slim.repeat(inputs, 2, slim.conv2d, 4, [3, 3], scope="conv1")
        x = slim.max_pool2d(x, [2, 2], scope="pool1")
        x = slim.conv2d(x, 8, [3, 3], scope="conv2")
        ends.append(x)
        x = slim.max_pool2d(x, [2, 2], scope="pool2")
        x = slim.conv2d(x, 8, [3, 3], rate=2, scope="conv3")
        x = slim.conv2d(x, 8, [1, 1], scope="conv4")
        ends.append(x)
        found = []
        for n, end in enumerate(ends):
            with v1.variable_scope(f"block{n}_box"):
                location, logits = _multibox(end, normed=n == 0)
                found += [slim.softmax(logits, scope="softmax"), location]
    if training:
        loss = sum(tf.reduce_mean(tf.square(each)) for each in found)
        loss += tf.add_n(v1.losses.get_regularization_losses())
        v1.train.AdamOptimizer(1e-3).minimize(loss)
    return found


@architecture(
    "SSD",
    "tf2",
    layers={"Conv2D": 7, "BatchNormalization": 3, "Reshape": 4, "Concatenate": 2},
    lines=50,
)
def retina():
    """A RetinaNet-like head: one tower of weights for every scale, rows of all scales joined."""
    inputs = keras.Input((32, 32, 3))
    x, maps = inputs, []
    for filters in (4, 8, 8):
        x = klayers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = klayers.ReLU(6.0)(klayers.BatchNormalization()(x))
        maps.append(x)

    def head(outputs, name):
        tower = keras.Sequential([klayers.Input((None, None, 8))], name=name)
        tower.add(klayers.Conv2D(8, 3, padding="same", activation="relu"))
        tower.add(klayers.Conv2D(ANCHORS * outputs, 3, padding="same"))
        return tower

    classes, boxes = head(CLASSES, "classes"), head(4, "boxes")
    scores = [klayers.Reshape([-1, CLASSES])(classes(m)) for m in maps[1:]]
    places = [klayers.Reshape([-1, 4])(boxes(m)) for m in maps[1:]]
    score = klayers.Activation("sigmoid")(klayers.Concatenate(axis=1)(scores))
    return keras.Model(inputs, [score, klayers.Concatenate(axis=1)(places)])


@architecture(
    "FaceNet",
    "tf1",
    layers={"Conv2D": 10, "BatchNormalization": 9, "Dense": 1, "UnitNormalization": 1},
    lines=50,
    ops=2,  # the scales of the blocks
)
def facenet(training=False):
    """Schroff et al. (2015), davidsandberg's slim: scaled residual blocks, bottleneck, l2_normalize; fed phase."""
    images = v1.placeholder(tf.float32, [None, 32, 32, 3], name="input")
    phase = v1.placeholder(tf.bool, name="phase_train") if training else False
    norm = {"decay": 0.995, "epsilon": 0.001, "updates_collections": None}
    with slim.arg_scope(
        [slim.conv2d, slim.fully_connected],
        normalizer_fn=slim.batch_norm,
        normalizer_params={**norm, "is_training": phase},
    ):
        x = slim.conv2d(images, 4, 3, stride=2, padding="VALID", scope="Conv2d_1a_3x3")
        x = slim.max_pool2d(x, 3, stride=2, padding="VALID", scope="MaxPool_3a_3x3")
        x = slim.conv2d(x, 8, 1, padding="VALID", scope="Conv2d_3b_1x1")
        x = slim.repeat(x, 2, _block35, scale=0.17)
        x = tf.reduce_mean(x, [1, 2])
        x = slim.dropout(x, 0.8, is_training=phase, scope="Dropout")
        x = slim.fully_connected(x, 6, activation_fn=None, scope="Bottleneck")
    embeddings = tf.nn.l2_normalize(x, 1, 1e-10, name="embeddings")
    if training:
        labels = v1.placeholder(tf.int64, [None], name="labels")
        logits = slim.fully_connected(x, 5, activation_fn=None, scope="Logits")
        loss = v1.losses.sparse_softmax_cross_entropy(labels, logits)
        v1.train.AdagradOptimizer(0.1).minimize(loss)
    return embeddings


def _block35(x, scale, scope=None):
    with v1.variable_scope(scope, "Block35"):
        with v1.variable_scope("Branch_0"):
            one = slim.conv2d(x, 4, 1, scope="Conv2d_1x1")
        with v1.variable_scope("Branch_1"):
            two = slim.conv2d(x, 4, 1, scope="Conv2d_0a_1x1")
            two = slim.conv2d(two, 4, 3, scope="Conv2d_0b_3x3")
        up = slim.conv2d(
            tf.concat([one, two], 3),
            x.shape[-1],
            1,
            normalizer_fn=None,
            activation_fn=None,
            scope="Conv2d_1x1",
        )
        return tf.nn.relu(x + scale * up)
