"""U-Net (Ronneberger et al., 2015): unpadded and cropped as in tf_unet, padded as in Keras, and as TF2's segmentation tutorial."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from . import architecture
from .legacy import v1


def _weight(shape, name, stddev=0.1):
    return v1.Variable(v1.truncated_normal(shape, stddev=stddev), name=name)


def _bias(size, name):
    return v1.Variable(tf.constant(0.1, shape=[size]), name=name)


def _conv(x, w, b, keep_prob):
    with tf.name_scope("conv2d"):
        y = v1.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="VALID")
        return v1.nn.dropout(tf.nn.bias_add(y, b), keep_prob)


def _deconv(x, w, stride):
    with tf.name_scope("deconv2d"):
        size = tf.shape(x)
        size = tf.stack([size[0], size[1] * 2, size[2] * 2, size[3] // 2])
        steps = [1, stride, stride, 1]
        return v1.nn.conv2d_transpose(x, w, size, strides=steps, padding="VALID")


def _crop_and_concat(large, small):
    with tf.name_scope("crop_and_concat"):
        a, b = tf.shape(large), tf.shape(small)
        begin = [0, (a[1] - b[1]) // 2, (a[2] - b[2]) // 2, 0]
        cropped = tf.slice(large, begin, [-1, b[1], b[2], -1])
        return tf.concat([cropped, small], 3)


def _softmax_by_hand(x):
    with tf.name_scope("pixel_wise_softmax"):
        e = tf.exp(x - tf.reduce_max(x, axis=3, keepdims=True))
        return e / tf.reduce_sum(e, axis=3, keepdims=True)


@architecture(
    "U-Net",
    "tf1",
    layers={"Conv2D": 11, "Conv2DTranspose": 2, "MaxPooling2D": 2, "Concatenate": 2},
    lines=60,
    ops=2,  # the crops
)
def unpadded(training=False, depth=3, width=4, channels=1, classes=2):
    """Any image size; the larger map is cropped to the smaller at each joint; dropout by a fed keep probability."""
    x = v1.placeholder("float", shape=[None, None, None, channels], name="x")
    y = v1.placeholder("float", shape=[None, None, None, classes], name="y")
    keep = v1.placeholder(tf.float32, name="dropout_probability")
    with tf.name_scope("preprocessing"):
        rows, columns = tf.shape(x)[1], tf.shape(x)[2]
        h = tf.reshape(x, tf.stack([-1, rows, columns, channels]))
    down, size = {}, channels
    for level in range(depth):
        with tf.name_scope(f"down_conv_{level}"):
            features = 2**level * width
            w1 = _weight([3, 3, size, features], "w1")
            w2 = _weight([3, 3, features, features], "w2")
            b1, b2 = _bias(features, "b1"), _bias(features, "b2")
            h = tf.nn.relu(_conv(h, w1, b1, keep))
            h = down[level] = tf.nn.relu(_conv(h, w2, b2, keep))
            size = features
            if level < depth - 1:
                h = v1.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], padding="VALID")
    for level in range(depth - 2, -1, -1):
        with tf.name_scope(f"up_conv_{level}"):
            features = 2 ** (level + 1) * width
            wd = _weight([2, 2, features // 2, features], "wd")
            h = tf.nn.relu(_deconv(h, wd, 2) + _bias(features // 2, "bd"))
            h = _crop_and_concat(down[level], h)
            w1 = _weight([3, 3, features, features // 2], "w1")
            w2 = _weight([3, 3, features // 2, features // 2], "w2")
            b1, b2 = _bias(features // 2, "b1"), _bias(features // 2, "b2")
            h = tf.nn.relu(_conv(h, w1, b1, keep))
            h = tf.nn.relu(_conv(h, w2, b2, keep))
    with tf.name_scope("output_map"):
        w, b = _weight([1, 1, width, classes], "w"), _bias(classes, "bias")
        logits = tf.nn.relu(_conv(h, w, b, tf.constant(1.0)))
    if training:
        flat = tf.reshape(logits, [-1, classes]), tf.reshape(y, [-1, classes])
        loss = tf.reduce_mean(
            v1.nn.softmax_cross_entropy_with_logits_v2(logits=flat[0], labels=flat[1])
        )
        step = v1.Variable(0, name="global_step")
        rate = v1.train.exponential_decay(0.2, step, 20, 0.95, staircase=True)
        v1.train.MomentumOptimizer(rate, 0.2).minimize(loss, global_step=step)
        v1.summary.scalar("loss", loss)
        v1.summary.merge_all()
    with tf.name_scope("results"):
        prediction = _softmax_by_hand(logits)
        right = tf.equal(tf.argmax(prediction, 3), tf.argmax(y, 3))
        tf.reduce_mean(tf.cast(right, tf.float32))
    return prediction


@architecture(
    "U-Net",
    "tf2",
    layers={
        "Conv2D": 14,
        "UpSampling2D": 2,
        "MaxPooling2D": 2,
        "Concatenate": 2,
    },
    lines=60,
)
def padded(width=4, size=16):
    """The Keras version for 512 by 512 images: same padding, up-sampling and a 2 by 2 convolution, dropout in the depth."""

    def conv(filters, width=3, activation="relu"):
        return layers.Conv2D(
            filters,
            width,
            activation=activation,
            padding="same",
            kernel_initializer="he_normal",
        )

    inputs = keras.Input((size, size, 1))
    conv1 = conv(width)(conv(width)(inputs))
    pool1 = layers.MaxPooling2D(pool_size=(2, 2))(conv1)
    conv2 = conv(2 * width)(conv(2 * width)(pool1))
    drop2 = layers.Dropout(0.5)(conv2)
    pool2 = layers.MaxPooling2D(pool_size=(2, 2))(drop2)
    conv3 = conv(4 * width)(conv(4 * width)(pool2))
    drop3 = layers.Dropout(0.5)(conv3)
    up4 = conv(2 * width, 2)(layers.UpSampling2D(size=(2, 2))(drop3))
    merge4 = layers.concatenate([drop2, up4], axis=3)
    conv4 = conv(2 * width)(conv(2 * width)(merge4))
    up5 = conv(width, 2)(layers.UpSampling2D(size=(2, 2))(conv4))
    merge5 = layers.concatenate([conv1, up5], axis=3)
    conv5 = conv(width)(conv(width)(merge5))
    conv6 = conv(2)(conv5)
    return keras.Model(inputs, conv(1, 1, "sigmoid")(conv6))


def _sequential(filters, size, normed=True, transposed=False, dropout=False):
    """A convolution or its transpose without bias, batch normalisation, dropout, activation."""
    kind = layers.Conv2DTranspose if transposed else layers.Conv2D
    init = tf.random_normal_initializer(0.0, 0.02)
    options = {"padding": "same", "kernel_initializer": init, "use_bias": False}
    block = keras.Sequential([kind(filters, size, strides=2, **options)])
    if normed:
        block.add(layers.BatchNormalization())
    if dropout:
        block.add(layers.Dropout(0.5))
    block.add(layers.ReLU() if transposed else layers.LeakyReLU())
    return block


@architecture(
    "pix2pix generator",
    "tf2",
    layers={
        "Conv2D": 3,
        "Conv2DTranspose": 3,
        "BatchNormalization": 4,
        "LeakyReLU": 3,
        "Concatenate": 2,
    },
    lines=60,
)
def pix2pix(width=4, size=16):
    """The tutorial's generator: Sequential blocks down and up, nested in a functional model, tanh at the end."""
    inputs = keras.Input([size, size, 3])
    down = [
        _sequential(width, 4, normed=False),
        _sequential(2 * width, 4),
        _sequential(4 * width, 4),
    ]
    up = [
        _sequential(2 * width, 4, transposed=True, dropout=True),
        _sequential(width, 4, transposed=True),
    ]
    last = layers.Conv2DTranspose(
        3, 4, strides=2, padding="same", activation="tanh", name="last"
    )
    x, skips = inputs, []
    for block in down:
        x = block(x)
        skips.append(x)
    for block, skip in zip(up, reversed(skips[:-1])):
        x = layers.Concatenate()([block(x), skip])
    return keras.Model(inputs, last(x))
