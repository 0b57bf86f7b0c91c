"""Dense prediction: DeepLab's dilated convolutions and pyramid, an FCN with skips, super-resolution by depth_to_space."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers as klayers

from . import architecture
from .legacy import layers, slim, v1

WIDTH = 4


@architecture(
    "DeepLab v3+",
    "tf1",
    layers={"Conv2D": 10, "DepthwiseConv2D": 2, "BatchNormalization": 11},
    lines=85,
    ops=4,
)
def deeplab(training=False):
    """Slim: a backbone with rate 2, the pyramid with image pooling, a decoder, and a resize to the image's own size."""
    image = v1.placeholder(tf.float32, [None, None, None, 3], name="ImageTensor")
    norm = {"is_training": training, "decay": 0.99, "epsilon": 1e-5, "scale": True}
    with slim.arg_scope(
        [slim.conv2d, slim.separable_conv2d],
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
    ):
        x = image * (2.0 / 255.0) - 1.0
        low = x = slim.conv2d(x, WIDTH, 3, stride=2, scope="conv1")
        x = slim.conv2d(x, 2 * WIDTH, 3, stride=2, scope="conv2")
        x = slim.conv2d(x, 2 * WIDTH, 3, rate=2, scope="conv3")
        x = _pyramid(x)
        low = slim.conv2d(low, 2, 1, scope="feature_projection")
        x = v1.image.resize_bilinear(x, tf.shape(low)[1:3], align_corners=True)
        x = tf.concat([x, low], 3)
        x = slim.separable_conv2d(x, None, 3, depth_multiplier=1, scope="dec_depthwise")
        x = slim.conv2d(x, 2 * WIDTH, 1, scope="dec_pointwise")
    logits = slim.conv2d(
        x, 5, 1, activation_fn=None, normalizer_fn=None, scope="logits"
    )
    logits = v1.image.resize_bilinear(logits, tf.shape(image)[1:3], align_corners=True)
    if training:
        labels = v1.placeholder(tf.int32, [None, None, None], name="labels")
        loss = v1.losses.sparse_softmax_cross_entropy(labels, logits)
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            v1.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
    return [logits, tf.argmax(logits, 3, name="SemanticPredictions")]


def _pyramid(x):
    """Image pooling, one 1 x 1, one dilated depthwise-separable branch, joined and projected."""
    pooled = tf.reduce_mean(x, axis=[1, 2], keepdims=True)
    pooled = slim.conv2d(pooled, WIDTH, 1, scope="image_pooling")
    pooled = v1.image.resize_bilinear(pooled, tf.shape(x)[1:3], align_corners=True)
    one = slim.conv2d(x, WIDTH, 1, scope="aspp0")
    wide = slim.separable_conv2d(
        x, None, 3, depth_multiplier=1, rate=3, scope="aspp1_depthwise"
    )
    wide = slim.conv2d(wide, WIDTH, 1, scope="aspp1_pointwise")
    x = slim.conv2d(tf.concat([pooled, one, wide], 3), 2 * WIDTH, 1, scope="project")
    return slim.dropout(x, keep_prob=0.9, is_training=False)


@architecture(
    "DeepLab v3+",
    "tf2",
    layers={"Conv2D": 8, "BatchNormalization": 6, "UpSampling2D": 2},
    lines=30,
)
def deeplab_in_keras():
    """Keras's example: dilated convolutions, average pooling of the whole map, bilinear UpSampling2D."""
    inputs = keras.Input((32, 32, 3))

    def conv(x, filters=WIDTH, size=3, rate=1, use_bias=False):
        options = {"padding": "same", "use_bias": use_bias, "dilation_rate": rate}
        x = klayers.Conv2D(filters, size, **options)(x)
        return keras.activations.relu(klayers.BatchNormalization()(x))

    low = klayers.Conv2D(WIDTH, 3, strides=2, padding="same", activation="relu")(inputs)
    x = klayers.MaxPooling2D()(low)
    size = x.shape[1]
    pooled = klayers.AveragePooling2D(pool_size=(size, size))(x)
    pooled = conv(pooled, size=1, use_bias=True)
    pooled = klayers.UpSampling2D(size=(size, size), interpolation="bilinear")(pooled)
    branches = [pooled, conv(x, size=1), conv(x, rate=2), conv(x, rate=3)]
    x = conv(klayers.Concatenate(axis=-1)(branches), size=1)
    x = klayers.UpSampling2D(2, interpolation="bilinear")(x)
    x = conv(klayers.Concatenate(axis=-1)([x, low]))
    return keras.Model(inputs, klayers.Conv2D(5, 1, padding="same")(x))


def _upscore(x, like, filters, size, stride, name):
    with v1.variable_scope(name):
        shape = tf.shape(like)
        shape = tf.stack([shape[0], shape[1], shape[2], filters])
        w = v1.get_variable("up_filter", [size, size, filters, x.shape[-1]])
        steps = [1, stride, stride, 1]
        y = v1.nn.conv2d_transpose(x, w, shape, strides=steps, padding="SAME")
        return tf.ensure_shape(y, [None, None, None, filters])


@architecture(
    "FCN-8s",
    "tf1",
    layers={"Conv2D": 6, "MaxPooling2D": 3, "Conv2DTranspose": 3, "Add": 2},
    lines=36,
    ops=4,
)
def fcn():
    """Long et al. (2015): scores of three depths, each transposed convolution shaped like the map that it joins."""
    image = v1.placeholder(tf.float32, [None, None, None, 3], name="image")
    x = image - tf.constant([123.68, 116.779, 103.939])
    scored = []
    for n, filters in enumerate((4, 6, 8)):
        x = layers.conv2d(x, filters, 3, padding="same", activation=tf.nn.relu)
        x = v1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", name=f"pool{n}")
        scored.append(layers.conv2d(x, 3, 1, name=f"score{n}"))
    x = _upscore(scored[2], scored[1], 3, 4, 2, "upscore2") + scored[1]
    x = _upscore(x, scored[0], 3, 4, 2, "upscore4") + scored[0]
    x = _upscore(x, image, 3, 4, 2, "upscore8")
    return tf.nn.softmax(x)


@architecture("ESPCN", "tf1", layers={"Conv2D": 3}, lines=15, ops=1)
def subpixel():
    """Shi et al. (2016): two convolutions with tanh, one with r * r channels, depth_to_space."""
    x = v1.placeholder(tf.float32, [None, None, None, 1], name="IteratorGetNext")
    x = layers.conv2d(x, 8, 5, padding="same", activation=tf.nn.tanh)
    x = layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.tanh)
    x = layers.conv2d(x, 9, 3, padding="same")
    return v1.depth_to_space(x, 3, name="NHWC_output")


@architecture("EDSR", "tf2", layers={"Conv2D": 8, "Add": 3}, lines=26, ops=8)
def edsr():
    """Lim et al. (2017), krasserm's Keras: mean subtracted, residuals scaled, pixel shuffle by Lambda."""
    mean = tf.constant([0.4488, 0.4371, 0.4040]) * 255
    inputs = keras.Input((None, None, 3))
    x = klayers.Lambda(lambda x: (x - mean) / 127.5)(inputs)
    x = skip = klayers.Conv2D(8, 3, padding="same")(x)
    for _ in range(2):
        h = klayers.Conv2D(8, 3, padding="same", activation="relu")(x)
        h = klayers.Conv2D(8, 3, padding="same")(h)
        h = klayers.Lambda(lambda h: h * 0.1)(h)
        x = klayers.Add()([x, h])
    x = klayers.Add()([skip, klayers.Conv2D(8, 3, padding="same")(x)])
    x = klayers.Conv2D(32, 3, padding="same")(x)
    x = klayers.Lambda(lambda x: tf.nn.depth_to_space(x, 2))(x)
    x = klayers.Conv2D(3, 3, padding="same")(x)
    x = klayers.Lambda(lambda x: x * 127.5 + mean)(x)
    return keras.Model(inputs, x)
