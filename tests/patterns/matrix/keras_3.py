"""Keras 3, its layers frozen one by one; what is found must have the config that the layer had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .cell import Column

COLUMN = Column("Keras 3", eager=True)
line, volume, row = (None, 9, 4), (None, 4, 4, 4, 2), (None, 5)


def add_layer(
    column: Column,
    find: Callable[[], Any],
    name: str,
    *args: Any,
    row: str = "",
    shape: Any = (None, 8, 8, 4),
    finds: Any = (),
    **options: Any,
) -> None:
    """A cell of one Keras layer; what it was given is what must be found again."""

    def build() -> Any:
        layer = getattr(find().layers, name)(*args, **options)
        layer.build(shape)
        return layer, tf.TensorSpec(shape, tf.float32, name="x")

    wanted = {
        k: v for k, v in options.items() if isinstance(v, str | bool | int | float)
    }
    wanted = {
        k: v
        for k, v in wanted.items()
        if k not in ("strides", "dilation_rate", "kernel_size", "axis")
    }
    column.add(row or name, build, *(finds or (name,)), **({} if finds else wanted))


def keras() -> Any:
    """Imported late: it is slow."""
    import keras

    return keras


def fill(column: Column, find: Callable[[], Any], three: bool) -> None:
    """The cells that both generations of Keras have."""

    def add(name: str, *args: Any, **options: Any) -> None:
        add_layer(column, find, name, *args, **options)

    def first(name: str) -> Any:
        return {"row": f"{name}, channels first", "data_format": "channels_first"}

    add("Dense", 3, shape=row)
    add("Dense", 3, row="Dense, rank 3", shape=(None, 7, 5))
    add("Dense", 3, row="Dense, rank 4", shape=(None, 3, 7, 5), use_bias=False)
    add("Conv1D", 6, 3, shape=line, padding="same")
    add(
        "Conv1D",
        6,
        3,
        row="Conv1D, causal",
        shape=line,
        padding="causal",
        dilation_rate=2,
    )
    add("Conv1D", 6, 3, row="Conv1D, dilated", shape=line, dilation_rate=2)
    add("Conv1D", 6, 3, row="Conv1D, grouped", shape=line, groups=2)
    add("Conv2D", 6, 3, strides=2, padding="same")
    add("Conv2D", 6, 3, row="Conv2D, dilated", dilation_rate=2, padding="same")
    add("Conv2D", 6, 3, row="Conv2D, grouped", groups=2)
    add("Conv3D", 3, 2, shape=volume)
    for name in ("relu", "silu", "gelu", "softplus", "softmax", "tanh"):
        add("Conv2D", 6, 3, row=f"Conv2D, {name}", activation=name)
    add("Conv1DTranspose", 6, 3, strides=2, shape=line, padding="same")
    add("Conv2DTranspose", 6, 3, strides=2, padding="same")
    add("Conv2DTranspose", 6, 3, row="Conv2DTranspose, valid", strides=2)
    add(
        "Conv2DTranspose",
        6,
        3,
        row="Conv2DTranspose, output padding",
        strides=2,
        padding="same",
        output_padding=(0, 0),
    )
    add(
        "Conv2DTranspose",
        6,
        3,
        row="Conv2DTranspose, dilated",
        dilation_rate=2,
        shape=(2, 8, 8, 4),
        padding="same",
    )
    add("Conv3DTranspose", 3, 2, strides=2, shape=volume)
    add("DepthwiseConv1D", 3, shape=line, depth_multiplier=2)
    add(
        "DepthwiseConv1D",
        3,
        row="DepthwiseConv1D, dilated",
        shape=line,
        dilation_rate=2,
        padding="same",
    )
    add("DepthwiseConv2D", 3, depth_multiplier=2)
    add("DepthwiseConv2D", 3, row="DepthwiseConv2D, dilated", dilation_rate=2)
    add("SeparableConv1D", 6, 3, shape=line)
    add(
        "SeparableConv1D",
        6,
        3,
        row="SeparableConv1D, dilated",
        shape=line,
        dilation_rate=2,
    )
    add("SeparableConv2D", 6, 3, padding="same")
    add("SeparableConv2D", 6, 3, row="SeparableConv2D, dilated", dilation_rate=2)
    add("BatchNormalization", epsilon=1e-5)
    add("BatchNormalization", row="BatchNormalization, rank 2", shape=row)
    add("BatchNormalization", row="BatchNormalization, rank 3", shape=line)
    add("BatchNormalization", row="BatchNormalization, rank 5", shape=volume)
    add("BatchNormalization", row="BatchNormalization, axis 1", axis=1)
    add("BatchNormalization", row="BatchNormalization, no scale", scale=False)
    add("BatchNormalization", row="BatchNormalization, no offset", center=False)
    add("LayerNormalization", shape=(None, 7, 5))
    add("LayerNormalization", row="LayerNormalization, rank 4")
    add("LayerNormalization", row="LayerNormalization, two axes", axis=[2, 3])
    add(
        "LayerNormalization",
        row="LayerNormalization, no offset",
        shape=row,
        center=False,
    )
    add("GroupNormalization", 2)
    add("GroupNormalization", -1, row="InstanceNormalization")
    add("GroupNormalization", 2, row="GroupNormalization, axis 1", axis=1)
    add("GroupNormalization", 2, row="GroupNormalization, rank 3", shape=line)
    add("UnitNormalization", shape=row)
    add("Rescaling", 1 / 255, shape=(None, 8, 8, 3))
    add("Rescaling", 1 / 127.5, -1.0, row="Rescaling, shifted")
    add("Normalization", mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 0.5, 2.0, 3.0])
    add("Resizing", 12, 12)
    add("Resizing", 12, 12, row="Resizing, nearest", interpolation="nearest")
    for name in ("Conv2D", "Conv2DTranspose") if three else ():
        add(name, 6, 3, shape=(None, 4, 7, 9), **first(name))
    if three:
        add("RMSNormalization", shape=(None, 7, 5))
        add("DepthwiseConv2D", 3, shape=(None, 4, 7, 9), **first("DepthwiseConv2D"))
        add("SeparableConv2D", 6, 3, shape=(None, 4, 7, 9), **first("SeparableConv2D"))
        add("Conv1D", 6, 3, shape=(None, 4, 9), **first("Conv1D"))


fill(COLUMN, keras, three=True)
