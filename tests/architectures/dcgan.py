"""DCGAN (Radford et al., 2015): generator and discriminator, the sampler that shares the generator's variables, TF2's tutorial."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from . import architecture
from .legacy import slim, v1

BATCH, WIDTH, SIZE, Z = 4, 4, 16, 10


def _batch_norm(x, train, name):
    return slim.batch_norm(
        x,
        decay=0.9,
        updates_collections=None,
        epsilon=1e-5,
        scale=True,
        is_training=train,
        scope=name,
    )


def _conv(x, filters, name):
    with v1.variable_scope(name):
        init = v1.truncated_normal_initializer(stddev=0.02)
        w = v1.get_variable("w", [5, 5, x.shape[-1], filters], initializer=init)
        y = v1.nn.conv2d(x, w, strides=[1, 2, 2, 1], padding="SAME")
        zero = v1.constant_initializer(0.0)
        b = v1.get_variable("biases", [filters], initializer=zero)
        return tf.reshape(tf.nn.bias_add(y, b), y.get_shape())


def _deconv(x, shape, name):
    with v1.variable_scope(name):
        init = v1.random_normal_initializer(stddev=0.02)
        w = v1.get_variable("w", [5, 5, shape[-1], x.shape[-1]], initializer=init)
        y = v1.nn.conv2d_transpose(x, w, output_shape=shape, strides=[1, 2, 2, 1])
        zero = v1.constant_initializer(0.0)
        b = v1.get_variable("biases", [shape[-1]], initializer=zero)
        return tf.reshape(tf.nn.bias_add(y, b), y.get_shape())


def _linear(x, size, scope):
    with v1.variable_scope(scope):
        init = v1.random_normal_initializer(stddev=0.02)
        matrix = v1.get_variable("Matrix", [x.shape[1], size], initializer=init)
        bias = v1.get_variable("bias", [size], initializer=v1.zeros_initializer())
        return tf.matmul(x, matrix) + bias


def _lrelu(x, leak=0.2):
    return tf.maximum(x, leak * x)


def _discriminator(image, reuse=False, train=True):
    with v1.variable_scope("discriminator") as scope:
        if reuse:
            scope.reuse_variables()
        h = _lrelu(_conv(image, WIDTH, "d_h0_conv"))
        h = _lrelu(_batch_norm(_conv(h, 2 * WIDTH, "d_h1_conv"), train, "d_bn1"))
        h = _lrelu(_batch_norm(_conv(h, 4 * WIDTH, "d_h2_conv"), train, "d_bn2"))
        h = _linear(tf.reshape(h, [BATCH, -1]), 1, "d_h3_lin")
        return tf.nn.sigmoid(h), h


def _generator(z, reuse=False, train=True):
    with v1.variable_scope("generator") as scope:
        if reuse:
            scope.reuse_variables()
        small = SIZE // 4
        h = _linear(z, 2 * WIDTH * small * small, "g_h0_lin")
        h = tf.reshape(h, [-1, small, small, 2 * WIDTH])
        h = tf.nn.relu(_batch_norm(h, train, "g_bn0"))
        h = _deconv(h, [BATCH, SIZE // 2, SIZE // 2, WIDTH], "g_h1")
        h = tf.nn.relu(_batch_norm(h, train, "g_bn1"))
        return tf.nn.tanh(_deconv(h, [BATCH, SIZE, SIZE, 3], "g_h2"))


@architecture(
    "DCGAN generator",
    "tf1",
    layers={"Dense": 1, "Conv2DTranspose": 2, "BatchNormalization": 2, "Reshape": 1},
    lines=25,
)
def sampler(training=False):
    """The image that a trained generator draws; the whole game is in the training graph."""
    z = v1.placeholder(tf.float32, [BATCH, Z], name="z")
    if not training:
        return _generator(z, train=False)
    images = v1.placeholder(tf.float32, [BATCH, SIZE, SIZE, 3], name="real_images")
    fake = _generator(z)
    _, real_logits = _discriminator(images)
    sampled = _generator(z, reuse=True, train=False)
    _, fake_logits = _discriminator(fake, reuse=True)
    _play(real_logits, fake_logits)
    return sampled


def _play(real, fake):
    cross_entropy = v1.nn.sigmoid_cross_entropy_with_logits
    d_loss = tf.reduce_mean(cross_entropy(logits=real, labels=tf.ones_like(real)))
    d_loss += tf.reduce_mean(cross_entropy(logits=fake, labels=tf.zeros_like(fake)))
    g_loss = tf.reduce_mean(cross_entropy(logits=fake, labels=tf.ones_like(fake)))
    for loss, part in ((d_loss, "d_"), (g_loss, "g_")):
        trained = [v for v in v1.trainable_variables() if part in v.name]
        v1.train.AdamOptimizer(2e-4, beta1=0.5).minimize(loss, var_list=trained)


@architecture(
    "DCGAN discriminator",
    "tf1",
    layers={"Conv2D": 3, "Dense": 1, "BatchNormalization": 2, "LeakyReLU": 3},
    lines=25,
)
def discriminator():
    """The probability that an image is real, and its logit."""
    images = v1.placeholder(tf.float32, [BATCH, SIZE, SIZE, 3], name="real_images")
    return list(_discriminator(images, train=False))


@architecture(
    "DCGAN pair",
    "tf1",
    layers={"Conv2DTranspose": 2, "Conv2D": 3, "Dense": 2, "BatchNormalization": 4},
    lines=45,
)
def pair():
    """Generator and discriminator in one graph: noise in, image and verdict out."""
    z = v1.placeholder(tf.float32, [BATCH, Z], name="z")
    image = _generator(z, train=False)
    verdict, _ = _discriminator(image, train=False)
    return [image, verdict]


@architecture(
    "DCGAN generator",
    "tf2",
    layers={
        "Dense": 1,
        "Conv2DTranspose": 3,
        "BatchNormalization": 3,
        "LeakyReLU": 3,
        "Reshape": 1,
    },
    lines=30,
)
def tutorial_generator():
    """TensorFlow's tutorial: Sequential, no biases, the last transposed convolution with tanh."""
    model = keras.Sequential()
    model.add(layers.Input((Z,)))
    model.add(layers.Dense(4 * 4 * 8, use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Reshape((4, 4, 8)))
    for filters, strides in ((8, 1), (4, 2)):
        model.add(
            layers.Conv2DTranspose(
                filters, 5, strides=strides, padding="same", use_bias=False
            )
        )
        model.add(layers.BatchNormalization())
        model.add(layers.LeakyReLU())
    last = {"padding": "same", "use_bias": False, "activation": "tanh"}
    model.add(layers.Conv2DTranspose(1, 5, strides=2, **last))
    return model


@architecture(
    "DCGAN discriminator",
    "tf2",
    layers={"Dense": 1, "Conv2D": 2, "LeakyReLU": 2, "Flatten": 1},
    lines=16,
)
def tutorial_discriminator():
    """TensorFlow's tutorial: convolutions, leaky ReLU, dropout, one logit."""
    return keras.Sequential(
        [
            layers.Input((16, 16, 1)),
            layers.Conv2D(4, 5, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Dropout(0.3),
            layers.Conv2D(8, 5, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


class _RawGenerator(tf.Module):
    """The generator on bare tf.Variables, its output shapes from tf.shape: as one writes it without Keras."""

    def __init__(self):
        super().__init__()
        normal = tf.random.Generator.from_seed(1).normal
        self.project = tf.Variable(normal([Z, 4 * 4 * 8]), name="project")
        self.kernels = [
            tf.Variable(normal(shape), name=f"kernel{n}")
            for n, shape in enumerate(([5, 5, 4, 8], [5, 5, 3, 4]))
        ]
        self.gamma = tf.Variable(tf.ones([4]), name="gamma")
        self.beta = tf.Variable(tf.zeros([4]), name="beta")
        self.mean = tf.Variable(tf.zeros([4]), name="mean", trainable=False)
        self.variance = tf.Variable(tf.ones([4]), name="variance", trainable=False)

    def __call__(self, z):
        h = tf.nn.relu(tf.reshape(z @ self.project, [-1, 4, 4, 8]))
        h = self._up(h, self.kernels[0], 4)
        h = tf.nn.batch_normalization(
            h, self.mean, self.variance, self.beta, self.gamma, 1e-5
        )
        return tf.tanh(self._up(tf.nn.relu(h), self.kernels[1], 3))

    def _up(self, x, kernel, filters):
        size = tf.shape(x)
        shape = [size[0], 2 * size[1], 2 * size[2], filters]
        return tf.nn.conv2d_transpose(x, kernel, shape, strides=2, padding="SAME")


@architecture(
    "DCGAN generator",
    "tf2",
    layers={"Dense": 1, "Conv2DTranspose": 2, "BatchNormalization": 1, "Reshape": 1},
    lines=20,
)
def raw_generator():
    return _RawGenerator(), [tf.TensorSpec([None, Z], tf.float32, name="z")]
