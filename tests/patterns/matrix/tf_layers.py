"""TensorFlow 1's ``tf.layers`` (now ``tf_keras.legacy_tf_layers``), called as estimators and DCGANs called them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .cell import Column, image, v1, weight

COLUMN = Column("tf.layers")
add = COLUMN.add


def layers() -> Any:
    """The module as TensorFlow 1 exported it; imported late, for it is slow."""
    from tf_keras.src.legacy_tf_layers import base, convolutional, core, normalization

    del base

    class Layers:
        dense = staticmethod(core.dense)
        dropout = staticmethod(core.dropout)
        flatten = staticmethod(core.flatten)
        conv1d = staticmethod(convolutional.conv1d)
        conv2d = staticmethod(convolutional.conv2d)
        conv3d = staticmethod(convolutional.conv3d)
        separable_conv1d = staticmethod(convolutional.separable_conv1d)
        separable_conv2d = staticmethod(convolutional.separable_conv2d)
        conv2d_transpose = staticmethod(convolutional.conv2d_transpose)
        conv3d_transpose = staticmethod(convolutional.conv3d_transpose)
        batch_normalization = staticmethod(normalization.batch_normalization)

    return Layers


def made(name: str, *args: Any, shape: Any = (None, 8, 8, 4), **options: Any) -> Any:
    """A cell's build: one call of one of them on one input."""
    return lambda: getattr(layers(), name)(image(*shape), *args, **options)


line, volume = (None, 9, 4), (None, 4, 4, 4, 2)
add("Dense", made("dense", 3, shape=(None, 5)), units=3)
add("Dense, rank 3", made("dense", 3, shape=(None, 7, 5)), "Dense", units=3)
add(
    "Dense, no bias",
    made("dense", 3, shape=(None, 5), use_bias=False),
    "Dense",
    use_bias=False,
)
add("Conv1D", made("conv1d", 6, 3, 2, shape=line), strides=(2,))
add(
    "Conv1D, dilated",
    made("conv1d", 6, 3, dilation_rate=2, padding="same", shape=line),
    "Conv1D",
    dilation_rate=(2,),
)
add(
    "Conv2D",
    made("conv2d", 6, 3, 2, "same", activation=tf.nn.relu),
    strides=(2, 2),
    activation="relu",
)
add(
    "Conv2D, dilated",
    made("conv2d", 6, 3, padding="same", dilation_rate=2),
    "Conv2D",
    dilation_rate=(2, 2),
)
add("Conv3D", made("conv3d", 3, 2, shape=volume))
add("SeparableConv1D", made("separable_conv1d", 6, 3, shape=line), filters=6)
add(
    "SeparableConv1D, dilated",
    made("separable_conv1d", 6, 3, dilation_rate=2, shape=line),
    "SeparableConv1D",
    dilation_rate=(2,),
)
add(
    "SeparableConv2D",
    made("separable_conv2d", 6, 3, padding="same", depth_multiplier=2),
    depth_multiplier=2,
)
add(
    "SeparableConv2D, dilated",
    made("separable_conv2d", 6, 3, dilation_rate=2),
    "SeparableConv2D",
    dilation_rate=(2, 2),
)
add(
    "Conv2DTranspose",
    made("conv2d_transpose", 6, 5, 2, "same"),
    strides=(2, 2),
    padding="same",
)
add(
    "Conv2DTranspose, valid",
    made("conv2d_transpose", 6, 3, 2),
    "Conv2DTranspose",
    padding="valid",
)
add(
    "Conv3DTranspose",
    made("conv3d_transpose", 3, 2, 2, shape=volume),
    strides=(2, 2, 2),
)
add("BatchNormalization", made("batch_normalization", epsilon=1e-5), epsilon=1e-5)
add(
    "BatchNormalization, not fused",
    made("batch_normalization", fused=False),
    "BatchNormalization",
)
add(
    "BatchNormalization, rank 2",
    made("batch_normalization", shape=(None, 5)),
    "BatchNormalization",
)
add(
    "BatchNormalization, rank 3",
    made("batch_normalization", shape=line),
    "BatchNormalization",
)
add(
    "BatchNormalization, no scale",
    made("batch_normalization", scale=False),
    "BatchNormalization",
    scale=False,
)
add(
    "BatchNormalization, axis 1 of rank 3",
    made("batch_normalization", axis=1, shape=(None, 4, 9)),
    "BatchNormalization",
    axis=1,
)
add(
    "Dropout at inference",
    lambda: layers().dropout(image(None, 5) * 2.0, 0.4),
    "Rescaling",
)


def discriminator() -> Any:
    x = layers().conv2d(image(), 6, 3, 2, "same", use_bias=False)
    x = tf.nn.leaky_relu(layers().batch_normalization(x))
    return layers().dense(layers().flatten(x), 1)


add(
    "a DCGAN's discriminator",
    discriminator,
    ("Conv2D", {"use_bias": False}),
    "BatchNormalization",
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("Dense", {"units": 1}),
)


def on_mode() -> Any:
    """The mode is fed: ``training`` is a placeholder."""
    phase = v1.placeholder_with_default(False, (), name="phase")
    return layers().batch_normalization(image(), training=phase)


add("BatchNormalization, mode fed", on_mode, "BatchNormalization")
del weight
