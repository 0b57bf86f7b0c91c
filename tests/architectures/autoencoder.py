"""Autoencoders: plain variables with tied weights, convolutional with tf.layers, denoising in Keras, TF2's tutorial."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers as klayers

from . import architecture
from .legacy import layers, v1


@architecture("autoencoder", "tf1", layers={"Dense": 4}, lines=14)
def perceptron(training=False, sizes=(20, 12, 6)):
    """Two sigmoid layers down, two up, each weight and bias a variable of a dictionary."""
    x = v1.placeholder("float", [None, sizes[0]])
    shapes = [*zip(sizes, sizes[1:]), *zip(sizes[::-1], sizes[::-1][1:])]
    h = x
    for n, (a, b) in enumerate(shapes):
        w = v1.Variable(v1.random_normal([a, b]), name=f"w{n}")
        bias = v1.Variable(v1.random_normal([b]), name=f"b{n}")
        h = tf.nn.sigmoid(tf.add(tf.matmul(h, w), bias))
    if training:
        loss = tf.reduce_mean(tf.pow(x - h, 2))
        v1.train.RMSPropOptimizer(0.01).minimize(loss)
    return h


@architecture(
    "tied autoencoder",
    "tf1",
    layers={"SharedDense": 1, "Multiply": 1},
    lines=50,
    share=0.85,  # the decoder's bias belongs to no layer of Keras's
)
def tied(training=False):
    """The decoder multiplies by the encoder's weights, transposed; the input is corrupted by a fed mask."""
    x = v1.placeholder(tf.float32, [None, 20], name="X")
    mask = v1.placeholder(tf.float32, [None, 20], name="mask")
    w = v1.Variable(v1.random_uniform([20, 6], -0.1, 0.1), name="W")
    b = v1.Variable(tf.zeros([6]), name="b")
    b_prime = v1.Variable(tf.zeros([20]), name="b_prime")
    y = tf.nn.sigmoid(tf.matmul(mask * x, w) + b)
    z = tf.nn.sigmoid(tf.matmul(y, tf.transpose(w)) + b_prime)
    if training:
        cost = tf.reduce_sum(tf.pow(x - z, 2))
        v1.train.GradientDescentOptimizer(0.02).minimize(cost)
    return z


@architecture(
    "convolutional autoencoder",
    "tf1",
    layers={"Conv2D": 7, "MaxPooling2D": 3, "UpSampling2D": 2},
    lines=36,
    ops=1,  # from 4 to 7: no factor
)
def convolutional(training=False):
    """tf.layers down, resize_nearest_neighbor up; MNIST's sizes 28, 14, 7, 4, 7, 14, 28."""
    x = v1.placeholder(tf.float32, (None, 28, 28, 1), name="inputs")
    targets = v1.placeholder(tf.float32, (None, 28, 28, 1), name="targets")
    relu = tf.nn.relu
    h = layers.conv2d(x, 8, (3, 3), padding="same", activation=relu)
    h = layers.max_pooling2d(h, (2, 2), (2, 2), padding="same")
    h = layers.conv2d(h, 4, (3, 3), padding="same", activation=relu)
    h = layers.max_pooling2d(h, (2, 2), (2, 2), padding="same")
    h = layers.conv2d(h, 4, (3, 3), padding="same", activation=relu)
    h = layers.max_pooling2d(h, (2, 2), (2, 2), padding="same")
    for size, filters in ((7, 4), (14, 4), (28, 8)):
        h = v1.image.resize_nearest_neighbor(h, (size, size))
        h = layers.conv2d(h, filters, (3, 3), padding="same", activation=relu)
    logits = layers.conv2d(h, 1, (3, 3), padding="same", activation=None)
    decoded = tf.nn.sigmoid(logits, name="decoded")
    if training:
        loss = v1.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
        v1.train.AdamOptimizer(0.001).minimize(tf.reduce_mean(loss))
    return decoded


@architecture(
    "denoising autoencoder",
    "tf2",
    layers={"Conv2D": 3, "MaxPooling2D": 2, "Conv2DTranspose": 2},
    lines=14,
)
def denoising():
    """Keras's example: pooling down, transposed convolutions up."""
    x = inputs = keras.Input((28, 28, 1))
    for _ in range(2):
        x = klayers.Conv2D(8, (3, 3), activation="relu", padding="same")(x)
        x = klayers.MaxPooling2D((2, 2), padding="same")(x)
    for _ in range(2):
        up = {"strides": 2, "activation": "relu", "padding": "same"}
        x = klayers.Conv2DTranspose(8, (3, 3), **up)(x)
    x = klayers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
    return keras.Model(inputs, x)


@keras.saving.register_keras_serializable(package="tests")
class TutorialAutoencoder(keras.Model):
    """TensorFlow's tutorial: a subclass with two Sequential halves."""

    def __init__(self, latent=6, shape=(8, 8)):
        super().__init__()
        self.encoder = keras.Sequential(
            [klayers.Flatten(), klayers.Dense(latent, activation="relu")]
        )
        self.decoder = keras.Sequential(
            [
                klayers.Dense(shape[0] * shape[1], activation="sigmoid"),
                klayers.Reshape(shape),
            ]
        )

    def call(self, x):
        return self.decoder(self.encoder(x))


@architecture(
    "autoencoder", "tf2", layers={"Flatten": 1, "Dense": 2, "Reshape": 1}, lines=9
)
def tutorial():
    return TutorialAutoencoder(), [tf.TensorSpec([None, 8, 8], tf.float32, name="x")]
