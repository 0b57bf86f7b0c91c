"""Siamese nets: two inputs through the same weights, and a distance between what comes out."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers as klayers
from keras import ops

from . import architecture
from .legacy import layers, slim, v1


def _tower(x, reuse):
    """Slim's: convolutions, pooling, flat, no activation at the end."""
    with v1.name_scope("model"):
        with v1.variable_scope("conv1", reuse=reuse):
            x = slim.conv2d(x, 4, [7, 7], scope="conv", reuse=reuse, padding="SAME")
            x = slim.max_pool2d(x, [2, 2], padding="SAME")
        with v1.variable_scope("conv2", reuse=reuse):
            x = slim.conv2d(x, 8, [5, 5], scope="conv", reuse=reuse, padding="SAME")
            x = slim.max_pool2d(x, [2, 2], padding="SAME")
        with v1.variable_scope("conv3", reuse=reuse):
            options = {"activation_fn": None, "reuse": reuse, "padding": "SAME"}
            x = slim.conv2d(x, 2, [1, 1], scope="conv", **options)
            x = slim.max_pool2d(x, [2, 2], padding="SAME")
    return slim.flatten(x)


@architecture(
    "siamese net",
    "tf1",
    layers={"Conv2D": 3, "Flatten": 1},
    lines=35,
    ops=6,
)
def contrastive(training=False):
    """Hadsell's contrastive net: the Euclidean distance of two flat maps."""
    left = v1.placeholder(tf.float32, [None, 28, 28, 1], name="left")
    right = v1.placeholder(tf.float32, [None, 28, 28, 1], name="right")
    a, b = _tower(left, reuse=False), _tower(right, reuse=True)
    distance = tf.sqrt(tf.reduce_sum(tf.pow(a - b, 2), 1, keepdims=True) + 1e-6)
    if training:
        label = v1.placeholder(tf.float32, [None, 1], name="label")
        similar = label * tf.square(distance)
        apart = (1 - label) * tf.square(tf.maximum(0.0, 0.5 - distance))
        loss = tf.reduce_mean(apart + similar) / 2
        v1.train.MomentumOptimizer(0.01, 0.99, use_nesterov=True).minimize(loss)
    return distance


def _perceptron(x):
    with tf.name_scope("network"):
        for n, size in enumerate((16, 16, 2)):
            init = v1.truncated_normal_initializer(stddev=0.01)
            w = v1.get_variable(f"fc{n}W", [x.shape[1], size], initializer=init)
            b = v1.get_variable(f"fc{n}b", [size])
            x = tf.nn.bias_add(tf.matmul(x, w), b)
            x = tf.nn.relu(x) if n < 2 else x
        return x


@architecture("siamese net", "tf1", layers={"Dense": 3}, lines=25, ops=0)
def embeddings(training=False):
    """Two embeddings side by side, the scope reused by hand; L2 and contrastive loss where it trains."""
    x1 = v1.placeholder(tf.float32, [None, 30])
    x2 = v1.placeholder(tf.float32, [None, 30])
    with v1.variable_scope("siamese") as scope:
        o1 = _perceptron(x1)
        scope.reuse_variables()
        o2 = _perceptron(x2)
    if training:
        y = v1.placeholder(tf.float32, [None])
        square = tf.reduce_sum(tf.pow(tf.subtract(o1, o2), 2), 1)
        far = tf.pow(tf.maximum(5.0 - tf.sqrt(square + 1e-6), 0), 2)
        loss = tf.reduce_mean(y * square + (1 - y) * far)
        v1.train.GradientDescentOptimizer(0.01).minimize(loss)
    return [o1, o2]


@architecture(
    "siamese net",
    "tf1",
    layers={"Conv2D": 2, "BatchNormalization": 2, "Dense": 1},
    lines=40,
    ops=8,
)
def cosine():
    """tf.layers under AUTO_REUSE with batch normalisation; the cosine of two normalised embeddings."""
    a = v1.placeholder(tf.float32, [None, 16, 16, 3], name="anchor")
    b = v1.placeholder(tf.float32, [None, 16, 16, 3], name="other")

    def embed(x):
        with v1.variable_scope("embed", reuse=v1.AUTO_REUSE):
            for n, filters in enumerate((4, 8)):
                x = layers.conv2d(x, filters, 3, strides=2, name=f"conv{n}")
                x = layers.batch_normalization(x, training=False, name=f"bn{n}")
                x = tf.nn.relu(x)
            x = layers.dense(layers.flatten(x), 6, name="fc")
            return tf.nn.l2_normalize(x, axis=1)

    return tf.reduce_sum(embed(a) * embed(b), axis=1, name="cosine")


@architecture(
    "siamese net",
    "tf2",
    layers={"Conv2D": 3, "MaxPooling2D": 2, "Dense": 2, "Flatten": 1},
    lines=35,
    ops=2,
)
def one_shot():
    """Koch et al. (2015): one Sequential called on two images, the absolute difference weighed by a sigmoid unit."""
    net = keras.Sequential(
        [
            klayers.Conv2D(4, 5, activation="relu"),
            klayers.MaxPooling2D(),
            klayers.Conv2D(8, 3, activation="relu"),
            klayers.MaxPooling2D(),
            klayers.Conv2D(8, 3, activation="relu"),
            klayers.Flatten(),
            klayers.Dense(16, activation="sigmoid"),
        ]
    )
    left, right = keras.Input((24, 24, 1)), keras.Input((24, 24, 1))
    gap = klayers.Lambda(lambda both: ops.abs(both[0] - both[1]))
    apart = gap([net(left), net(right)])
    return keras.Model([left, right], klayers.Dense(1, activation="sigmoid")(apart))


@architecture(
    "triplet net",
    "tf2",
    layers={"Conv2D": 1, "Dense": 2, "BatchNormalization": 1},
    lines=40,
    ops=6,
)
def triplet():
    """Keras's example: anchor, positive and negative through one embedding, two squared distances out."""
    source = keras.Input((16, 16, 3))
    x = klayers.Flatten()(klayers.Conv2D(4, 3, strides=2, activation="relu")(source))
    x = klayers.BatchNormalization()(klayers.Dense(8, activation="relu")(x))
    embedding = keras.Model(source, klayers.Dense(6)(x), name="Embedding")
    given = [
        keras.Input((16, 16, 3), name=n) for n in ("anchor", "positive", "negative")
    ]
    anchor, positive, negative = (embedding(each) for each in given)
    near = ops.sum(ops.square(anchor - positive), -1)
    far = ops.sum(ops.square(anchor - negative), -1)
    return keras.Model(given, [near, far])
