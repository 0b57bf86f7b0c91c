"""Convolution layers: what TensorFlow's convolutions are in Keras's words."""

from __future__ import annotations

from typing import Any

from ..match import Attr, Held, Input, Term, View, Weight, layer, op
from ..match.convention import channel_axis, data_format, only_spatial, size_at, spatial


def _groups(view: View, x: Any, kernel: Held, layout: str | None) -> int:
    channels = size_at(view.shape(x), channel_axis(layout))
    inside = kernel.shape[-2]
    if not channels or not inside or channels % inside:
        return 1
    return channels // inside


def _conv(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str | None,
    dilations: Any,
) -> dict[str, Any]:
    return {
        "filters": kernel.shape[-1],
        "kernel_size": kernel.shape[:-2],
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "groups": _groups(view, x, kernel, layout),
        "use_bias": bias is not None,
    }


def _conv_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> bool | str:
    if padding not in ("SAME", "VALID"):
        return f"padding {padding} needs a layer of its own"
    if not only_spatial(strides, layout) or not only_spatial(dilations, layout):
        return "strides or dilations over batch or channels"
    return per_channel(bias, kernel.shape[-1])


def per_channel(bias: Held | None, channels: int) -> bool | str:
    """Whether a bias has one number a channel (0: not known)."""
    if bias is None or 0 in (*bias.shape, channels):
        return True
    wide = [d for d in bias.shape if d != 1] or [1]
    return wide == [channels] or f"the bias has shape {list(bias.shape)}"


def _weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return {"kernel": kernel, "bias": bias.flat() if bias else None}


@layer("Conv2D", where=_conv_fits, config=_conv, weights=_weights)
def conv2d(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
) -> Term:
    return (
        op.Conv2D(
            x,
            kernel,
            strides=strides,
            padding=padding,
            data_format=layout,
            dilations=dilations,
        )
        + bias
    )


@layer("Conv3D", where=_conv_fits, config=_conv, weights=_weights)
def conv3d(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
) -> Term:
    return (
        op.Conv3D(
            x,
            kernel,
            strides=strides,
            padding=padding,
            data_format=layout,
            dilations=dilations,
        )
        + bias
    )


def _depthwise(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> dict[str, Any]:
    return {
        "kernel_size": kernel.shape[:-2],
        "depth_multiplier": kernel.shape[-1],
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "use_bias": bias is not None,
    }


def _depthwise_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> bool | str:
    if padding not in ("SAME", "VALID"):
        return f"padding {padding} needs a layer of its own"
    if not only_spatial(strides, layout) or not only_spatial(dilations, layout):
        return "strides or dilations over batch or channels"
    return per_channel(bias, kernel.shape[-1] * kernel.shape[-2])


@layer("DepthwiseConv2D", where=_depthwise_fits, config=_depthwise, weights=_weights)
def depthwise_conv2d(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
) -> Term:
    return (
        op.DepthwiseConv2dNative(
            x,
            kernel,
            strides=strides,
            padding=padding,
            data_format=layout,
            dilations=dilations,
        )
        + bias
    )
