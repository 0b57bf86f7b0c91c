"""tf-slim (``tf.contrib.slim`` and ``tf.contrib.layers``)."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import tensorflow as tf

from .cell import Column, image, v1

COLUMN = Column("slim")
add = COLUMN.add
line, volume = (None, 9, 4), (None, 4, 4, 4, 2)


def slim() -> Any:
    """tf_slim with the layers of TensorFlow 1 that it stands on; imported late, for it is slow and warns."""
    name = "tf_keras.legacy_tf_layers"
    if name not in sys.modules:
        sys.modules[name] = import_module("tf_keras.src.legacy_tf_layers")
        for part in ("base", "convolutional", "core", "normalization", "pooling"):
            module = import_module(f"tf_keras.src.legacy_tf_layers.{part}")
            sys.modules[f"{name}.{part}"] = module
    return import_module("tf_slim")


def made(name: str, *args: Any, shape: Any = (None, 8, 8, 4), **options: Any) -> Any:
    """A cell's build: one call of one of them on one input."""
    return lambda: getattr(slim(), name)(image(*shape), *args, **options)


add("Dense", made("fully_connected", 3, shape=(None, 5)), units=3, activation="relu")
add(
    "Dense, rank 3",
    made("fully_connected", 3, activation_fn=None, shape=(None, 7, 5)),
    "Dense",
    units=3,
)
add("Conv1D", made("convolution", 6, 3, activation_fn=None, shape=line), padding="same")
add(
    "Conv1D, dilated",
    made("convolution", 6, 3, rate=2, activation_fn=None, shape=line),
    "Conv1D",
    dilation_rate=(2,),
)
add(
    "Conv2D",
    made("conv2d", 6, [3, 3], stride=2),
    strides=(2, 2),
    padding="same",
    activation="relu",
)
add(
    "Conv2D, dilated", made("conv2d", 6, [3, 3], rate=2), "Conv2D", dilation_rate=(2, 2)
)
add("Conv3D", made("conv3d", 3, [2, 2, 2], shape=volume), activation="relu")
add(
    "Conv2DTranspose",
    made("conv2d_transpose", 6, [4, 4], stride=2),
    strides=(2, 2),
    padding="same",
)
add(
    "Conv3DTranspose",
    made("conv3d_transpose", 3, [2, 2, 2], stride=2, shape=volume),
    strides=(2, 2, 2),
)
add(
    "Conv2D, in plane",
    made("conv2d_in_plane", 1, [3, 3], activation_fn=None),
    "DepthwiseConv2D",
)
add("DepthwiseConv2D", made("separable_conv2d", None, [3, 3], 1), activation="relu")
add(
    "DepthwiseConv2D, dilated",
    made("separable_conv2d", None, [3, 3], 1, rate=2),
    "DepthwiseConv2D",
    dilation_rate=(2, 2),
)
add("SeparableConv2D", made("separable_conv2d", 6, [3, 3], 1), filters=6)


def normed(**options: Any) -> Any:
    return lambda: slim().conv2d(
        image(),
        8,
        3,
        normalizer_fn=slim().batch_norm,
        normalizer_params={"is_training": False, **options},
    )


def mobilenet() -> Any:
    """MobileNet's depthwise block with its batch norm."""
    scope = slim().batch_norm, {"is_training": False, "scale": True}
    x = slim().separable_conv2d(
        image(),
        None,
        3,
        1,
        1,
        normalizer_fn=scope[0],
        normalizer_params=scope[1],
        activation_fn=tf.nn.relu6,
    )
    return slim().conv2d(
        x, 6, 1, normalizer_fn=scope[0], normalizer_params=scope[1], activation_fn=None
    )


conv = ("Conv2D", {"use_bias": False})
add(
    "BatchNormalization",
    normed(),
    conv,
    ("BatchNormalization", {"scale": False}),
    "Activation",
)
add(
    "BatchNormalization, scaled",
    normed(scale=True, epsilon=1e-5),
    conv,
    ("BatchNormalization", {"scale": True, "epsilon": 1e-5}),
    "Activation",
)
add(
    "BatchNormalization, not fused",
    normed(fused=False),
    conv,
    ("BatchNormalization", {"scale": False}),
    "Activation",
)
add(
    "BatchNormalization, no offset",
    normed(center=False),
    conv,
    ("BatchNormalization", {"center": False}),
    "Activation",
)
add(
    "a MobileNet block",
    mobilenet,
    ("DepthwiseConv2D", {"use_bias": False}),
    "BatchNormalization",
    "ReLU",
    "Conv2D",
    "BatchNormalization",
)
add(
    "LayerNormalization",
    made("layer_norm", begin_norm_axis=-1, shape=(None, 7, 4)),
    axis=-1,
)
add(
    "LayerNormalization of all axes",
    made("layer_norm", center=False, scale=False),
    "LayerNormalization",
)
add("LayerNormalization, default", made("layer_norm"), "GroupNormalization", groups=1)
add("InstanceNormalization", made("instance_norm"), "GroupNormalization", groups=-1)
add(
    "InstanceNormalization, NCHW",
    made("instance_norm", data_format="NCHW", shape=(None, 4, 8, 8)),
    "GroupNormalization",
    groups=-1,
    axis=1,
)
add("GroupNormalization", made("group_norm", groups=2), groups=2)
add(
    "GroupNormalization, NCHW",
    made(
        "group_norm",
        groups=2,
        channels_axis=-3,
        reduction_axes=(-2, -1),
        shape=(None, 4, 8, 8),
    ),
    "GroupNormalization",
    groups=2,
    axis=1,
)


def on_mode() -> Any:
    phase = v1.placeholder_with_default(False, (), name="phase")
    return slim().batch_norm(image(), is_training=phase)


add("BatchNormalization, mode fed", on_mode, "BatchNormalization", scale=False)
add(
    "Dropout at inference",
    lambda: slim().dropout(image(None, 5) * 2.0, 0.6, is_training=False),
    "Rescaling",
)
