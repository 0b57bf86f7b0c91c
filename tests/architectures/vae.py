"""Variational autoencoder (Kingma and Welling, 2013): the noise of its reparametrisation is drawn in the graph."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers, ops

from . import architecture
from .legacy import v1


def _dense(x, size, name):
    w = v1.get_variable(f"w{name}", [x.shape[1], size])
    b = v1.get_variable(f"b{name}", [size], initializer=v1.constant_initializer(0.0))
    return tf.matmul(x, w) + b


def _encode(x, keep, latent):
    with v1.variable_scope("gaussian_MLP_encoder"):
        h = v1.nn.dropout(tf.nn.elu(_dense(x, 12, "0")), keep)
        h = v1.nn.dropout(tf.nn.tanh(_dense(h, 12, "1")), keep)
        both = _dense(h, latent * 2, "o")
        return both[:, :latent], 1e-6 + tf.nn.softplus(both[:, latent:])


def _decode(z, keep, size, reuse=False):
    with v1.variable_scope("bernoulli_MLP_decoder", reuse=reuse):
        h = v1.nn.dropout(tf.nn.tanh(_dense(z, 12, "0")), keep)
        h = v1.nn.dropout(tf.nn.elu(_dense(h, 12, "1")), keep)
        return tf.sigmoid(_dense(h, size, "o"))


def _train(x, mean, deviation, y):
    likelihood = tf.reduce_sum(x * v1.log(y) + (1 - x) * v1.log(1 - y), 1)
    square = tf.square(mean) + tf.square(deviation)
    divergence = 0.5 * tf.reduce_sum(
        square - v1.log(1e-8 + tf.square(deviation)) - 1, 1
    )
    loss = tf.reduce_mean(divergence) - tf.reduce_mean(likelihood)
    v1.train.AdamOptimizer(1e-3).minimize(loss)


def _graph(training):
    x = v1.placeholder(tf.float32, [None, 20], name="target_img")
    given = v1.placeholder(tf.float32, [None, 20], name="input_img")
    keep = v1.placeholder(tf.float32, name="keep_prob")
    mean, deviation = _encode(given, keep, 3)
    noise = v1.random_normal(tf.shape(mean), 0, 1, dtype=tf.float32)
    z = mean + deviation * noise
    y = tf.clip_by_value(_decode(z, keep, 20), 1e-8, 1 - 1e-8)
    if training:
        _train(x, mean, deviation, y)
    return mean, deviation, y


@architecture("VAE encoder", "tf1", layers={"Dense": 3, "Dropout": 2}, lines=16, ops=4)
def encoder(training=False):
    """Mean and deviation: equal, for nothing is drawn on the way to them."""
    mean, deviation, _ = _graph(training)
    return [mean, deviation]


@architecture(
    "VAE",
    "tf1",
    layers={"Dense": 6, "Dropout": 4},
    lines=36,
    ops=6,
    random=1,
)
def whole(training=False):
    """The reconstruction too, whose noise is drawn anew in each run."""
    return list(_graph(training))


@architecture("VAE decoder", "tf1", layers={"Dense": 3, "Dropout": 2}, lines=14, ops=2)
def decoder(training=False):
    """The decoder used a second time with fed latents, under reuse."""
    z = v1.placeholder(tf.float32, [None, 3], name="latent_variable")
    keep = v1.placeholder(tf.float32, name="keep_prob")
    if training:
        _decode(tf.zeros([2, 3]), keep, 20)
    return tf.clip_by_value(_decode(z, keep, 20, training), 1e-8, 1 - 1e-8)


@keras.saving.register_keras_serializable(package="tests")
class Sampling(layers.Layer):
    """Keras's example: draws z from the mean and the logarithm of the variance."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


@architecture(
    "VAE encoder",
    "tf2",
    layers={"Conv2D": 2, "Dense": 3, "Flatten": 1},
    lines=30,
    ops=4,
    random=1,
    only=("saved_model",),  # TensorFlow cannot freeze what assigns to its seed
)
def keras_encoder():
    """Keras's example: two strided convolutions, mean, log variance and a sample."""
    x = inputs = keras.Input((16, 16, 1))
    for filters in (4, 8):
        x = layers.Conv2D(filters, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Dense(8, activation="relu")(layers.Flatten()(x))
    mean = layers.Dense(2, name="z_mean")(x)
    log_variance = layers.Dense(2, name="z_log_var")(x)
    z = Sampling()([mean, log_variance])
    return keras.Model(inputs, [mean, log_variance, z], name="encoder")


@keras.saving.register_keras_serializable(package="tests")
class Cvae(keras.Model):
    """TensorFlow's tutorial: the encoder gives mean and log variance side by side; split, draw, decode."""

    def __init__(self):
        super().__init__()
        self.inference = keras.Sequential(
            [
                layers.Input((16, 16, 1)),
                layers.Conv2D(4, 3, strides=(2, 2), activation="relu"),
                layers.Conv2D(8, 3, strides=(2, 2), activation="relu"),
                layers.Flatten(),
                layers.Dense(2 + 2),
            ]
        )
        self.generative = keras.Sequential(
            [
                layers.Input((2,)),
                layers.Dense(4 * 4 * 4, activation="relu"),
                layers.Reshape((4, 4, 4)),
                *(
                    layers.Conv2DTranspose(
                        4, 3, strides=2, padding="same", activation="relu"
                    )
                    for _ in range(2)
                ),
                layers.Conv2DTranspose(1, 3, padding="same"),
            ]
        )

    def call(self, x):
        mean, log_variance = tf.split(self.inference(x), num_or_size_splits=2, axis=1)
        noise = tf.random.normal(shape=tf.shape(mean))
        z = noise * tf.exp(log_variance * 0.5) + mean
        return mean, log_variance, tf.sigmoid(self.generative(z))


@architecture(
    "VAE",
    "tf2",
    layers={"Conv2D": 2, "Conv2DTranspose": 3, "Dense": 2},
    lines=36,
    ops=4,
    random=1,
)
def tutorial():
    return Cvae(), [tf.TensorSpec([None, 16, 16, 1], tf.float32, name="x")]
