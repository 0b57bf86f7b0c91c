"""Nets that draw, after their authors' files: affinelayer/pix2pix-tensorflow and vanhuyz/CycleGAN-TensorFlow (MIT), hwalsuklee/tensorflow-mnist-VAE (Apache 2.0); of jakeret/tf_unet the structure alone (GPL, its code was not copied)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import layers
from tests.families.originals import image, original

v1 = tf.compat.v1
scope = v1.variable_scope


def _lrelu(x: Any, a: float) -> Any:
    return (0.5 * (1 + a)) * x + (0.5 * (1 - a)) * tf.abs(x)


def _norm(x: Any) -> Any:
    return layers.batch_normalization(x, axis=3, epsilon=1e-5, training=True)


def _generator(x: Any, ngf: int, depth: int) -> Any:
    options = {"kernel_size": 4, "strides": (2, 2), "padding": "same"}
    ends = []
    for place in range(1, depth + 1):
        with scope(f"encoder_{place}"):
            if place == 1:
                ends.append(layers.conv2d(x, ngf, **options))
                continue
            filters = ngf * min(2 ** (place - 1), 8)
            y = layers.conv2d(_lrelu(ends[-1], 0.2), filters, **options)
            ends.append(_norm(y))
    y = ends[-1]
    for place in range(depth, 1, -1):
        with scope(f"decoder_{place}"):
            y = y if place == depth else tf.concat([y, ends[place - 1]], 3)
            filters = ngf * min(2 ** (place - 2), 8)
            y = _norm(layers.conv2d_transpose(tf.nn.relu(y), filters, **options))
    with scope("decoder_1"):
        y = tf.nn.relu(tf.concat([y, ends[0]], 3))
        return tf.tanh(layers.conv2d_transpose(y, 3, **options))


def _discriminator(x: Any, y: Any, ndf: int) -> Any:
    def conv(x: Any, filters: int, strides: int) -> Any:
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        return layers.conv2d(x, filters, 4, strides=strides, padding="valid")

    with scope("layer_1"):
        z = _lrelu(conv(tf.concat([x, y], 3), ndf, 2), 0.2)
    for place, (factor, strides) in enumerate(((2, 2), (4, 2), (8, 1)), 2):
        with scope(f"layer_{place}"):
            z = _lrelu(_norm(conv(z, factor * ndf, strides)), 0.2)
    with scope("layer_5"):
        return tf.sigmoid(conv(z, 1, 1))


@original("pix2pix, 5 layers down and up, 4 filters")
def pix2pix() -> tuple[list[Any], list[Any]]:
    """create_generator and create_discriminator on one image; the generator of 256 pixels has eight layers."""
    x = v1.placeholder(tf.float32, [1, 64, 64, 1])
    a = v1.placeholder(tf.float32, [1, 64, 64, 1])
    b = v1.placeholder(tf.float32, [1, 64, 64, 3])
    with scope("generator"):
        drawn = _generator(x, 4, 5)
    with scope("discriminator"):
        verdict = _discriminator(a, b, 4)
    return [x, a, b], [drawn, verdict]


def _layer(x: Any, end: str, units: int) -> Any:
    w = v1.get_variable(f"w{end}", [x.shape[1], units])
    return tf.matmul(x, w) + v1.get_variable(f"b{end}", [units])


@original("VAE (MLP), 4 numbers of 12, 9 units")
def vae() -> tuple[list[Any], list[Any]]:
    """gaussian_MLP_encoder and bernoulli_MLP_decoder; what lies between is fed."""
    x, z = image(12), image(4)
    with scope("gaussian_MLP_encoder"):
        both = _layer(tf.nn.tanh(_layer(tf.nn.elu(_layer(x, "0", 9)), "1", 9)), "o", 8)
        mean, spread = both[:, :4], 1e-6 + tf.nn.softplus(both[:, 4:])
    with scope("bernoulli_MLP_decoder"):
        h = tf.nn.elu(_layer(tf.nn.tanh(_layer(z, "0", 9)), "1", 9))
        y = tf.sigmoid(_layer(h, "o", 12))
    return [x, z], [mean, spread, y]


def _instance(x: Any) -> Any:
    with scope("instance_norm"):
        gain = v1.get_variable("scale", [x.shape[3]])
        offset = v1.get_variable("offset", [x.shape[3]])
        mean, variance = tf.nn.moments(x, axes=[1, 2], keepdims=True)
        return gain * (x - mean) * tf.math.rsqrt(variance + 1e-5) + offset


def _reflected(x: Any, by: int) -> Any:
    return tf.pad(x, [[0, 0], [by, by], [by, by], [0, 0]], "REFLECT")


def _weights(name: str, *shape: Any) -> Any:
    return v1.get_variable(name, list(shape))


def _translate(x: Any, ngf: int) -> Any:
    """generator.Generator for images up to 128 pixels: six residual blocks."""

    def c7s1(x: Any, k: int, name: str, last: bool = False) -> Any:
        with scope(name):
            w = _weights("weights", 7, 7, x.shape[3], k)
            y = tf.nn.conv2d(_reflected(x, 3), w, 1, "VALID")
            return tf.tanh(y) if last else tf.nn.relu(_instance(y))

    x = c7s1(x, ngf, "c7s1_32")
    for name, k in (("d64", 2 * ngf), ("d128", 4 * ngf)):
        with scope(name):
            w = _weights("weights", 3, 3, x.shape[3], k)
            x = tf.nn.relu(_instance(tf.nn.conv2d(x, w, 2, "SAME")))
    for place in range(1, 7):
        with scope(f"R{4 * ngf}_{place}"):
            y = x
            for layer in (1, 2):
                with scope(f"layer{layer}"):
                    w = _weights(f"weights{layer}", 3, 3, 4 * ngf, 4 * ngf)
                    y = _instance(tf.nn.conv2d(_reflected(y, 1), w, 1, "VALID"))
                y = tf.nn.relu(y) if layer == 1 else y
            x = x + y
    for name, k in (("u64", 2 * ngf), ("u32", ngf)):
        with scope(name):
            sizes = x.shape.as_list()
            w = _weights("weights", 3, 3, k, sizes[3])
            sizes = [sizes[0], 2 * sizes[1], 2 * sizes[2], k]
            x = tf.nn.relu(_instance(tf.nn.conv2d_transpose(x, w, sizes, 2, "SAME")))
    return c7s1(x, 3, "output", last=True)


def _judge(x: Any, unit: int) -> Any:
    for place in range(4):
        with scope(f"C{64 * 2**place}"):
            w = _weights("weights", 4, 4, x.shape[3], unit * 2**place)
            x = tf.nn.conv2d(x, w, 2, "SAME")
            x = _instance(x) if place else x
            x = tf.maximum(0.2 * x, x)
    with scope("output"):
        w = _weights("weights", 4, 4, x.shape[3], 1)
        return tf.nn.conv2d(x, w, 1, "SAME") + _weights("biases", 1)


@original("CycleGAN, 4 filters", slow=True)
def cyclegan() -> tuple[list[Any], list[Any]]:
    x, y, z, w = (image(32, 32, 3) for _ in range(4))
    outputs = []
    for name, each in (("G", x), ("F", y)):
        with scope(name):
            outputs.append(_translate(each, 4))
    for name, each in (("D_X", z), ("D_Y", w)):
        with scope(name):
            outputs.append(_judge(each, 4))
    return [x, y, z, w], outputs


def _valid(x: Any, place: int, filters: int) -> Any:
    size = [3, 3, x.shape[-1], filters]
    w = v1.Variable(tf.zeros(size), name=f"w{place}")
    b = v1.Variable(tf.zeros([filters]), name=f"b{place}")
    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "VALID"), b))


@original("U-Net (tf_unet), 3 levels from 4 channels on, 2 classes")
def unet() -> tuple[list[Any], list[Any]]:
    """create_conv_net and the softmax of Unet.predicter; names come from name scopes."""
    image_ = image(52, 56, 3)
    x, skips = image_, []
    for level in range(3):
        with v1.name_scope(f"down_conv_{level}/"):
            for place in (1, 2):
                x = _valid(x, place, 4 * 2**level)
        skips.append(x)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID") if level < 2 else x
    for level in (1, 0):
        with v1.name_scope(f"up_conv_{level}/"):
            batch, height, width, channels = x.shape
            w = v1.Variable(tf.zeros([2, 2, channels // 2, channels]), name="wd")
            b = v1.Variable(tf.zeros([channels // 2]), name="bd")
            size = [batch, 2 * height, 2 * width, channels // 2]
            x = tf.nn.relu(tf.nn.conv2d_transpose(x, w, size, 2, "VALID") + b)
            rest = [(skips[level].shape[a] - x.shape[a]) // 2 for a in (1, 2)]
            begin = [0, *rest, 0]
            cut = tf.slice(skips[level], begin, [-1, *x.shape[1:3], -1])
            x = tf.concat([cut, x], 3)
            for place in (1, 2):
                x = _valid(x, place, channels // 2)
    with v1.name_scope("output_map/"):
        w = v1.Variable(tf.zeros([1, 1, 4, 2]), name="weight")
        b = v1.Variable(tf.zeros([2]), name="bias")
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "VALID"), b))
    v1.Variable(tf.zeros([26]), name="norm_gradients")
    return [image_], [tf.nn.softmax(x)]
