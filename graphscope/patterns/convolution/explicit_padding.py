"""Convolutions with explicit paddings: in Keras a ZeroPadding2D and a convolution without padding.

The config's ``zero_padding`` becomes a layer of its own when the tile is written down.
"""

from __future__ import annotations

from typing import Any

from ...match import Attr, Held, Input, Term, View, Weight, layer, op
from ..keras_arguments import (
    channel_axis,
    data_format,
    only_spatial,
    per_channel,
    size_at,
    spatial,
)


def _rows(explicit: Any) -> list[tuple[int, int]]:
    flat = list(explicit or ())
    return [(int(a), int(b)) for a, b in zip(flat[0::2], flat[1::2])]


def _fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    layout: str,
    dilations: Any,
    explicit: Any,
) -> bool | str:
    rows = _rows(explicit)
    if len(rows) != 4 or rows[0] != (0, 0) or rows[channel_axis(layout)] != (0, 0):
        return "batch or channels are padded"
    if not only_spatial(strides, layout) or not only_spatial(dilations, layout):
        return "strides or dilations over batch or channels"
    return True


def _window(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    layout: str,
    dilations: Any,
    explicit: Any,
) -> dict[str, Any]:
    first = 2 if data_format(layout) == "channels_first" else 1
    return {
        "kernel_size": kernel.shape[:-2],
        "strides": spatial(strides, layout),
        "padding": "valid",
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "use_bias": bias is not None,
        "activation": "linear",
        "zero_padding": tuple(_rows(explicit)[first : first + 2]),
    }


def _conv(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    layout: str,
    dilations: Any,
    explicit: Any,
) -> dict[str, Any]:
    channels = size_at(view.shape(x), channel_axis(layout))
    inside = kernel.shape[-2]
    whole = channels and inside and channels % inside == 0
    return {
        "filters": kernel.shape[-1],
        "groups": channels // inside if whole and channels else 1,
    } | _window(kernel, bias, strides, layout, dilations, explicit)


def _weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return {"kernel": kernel, "bias": bias.flat() if bias else None}


def _conv_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    layout: str,
    dilations: Any,
    explicit: Any,
) -> bool | str:
    fits = _fits(kernel, bias, strides, layout, dilations, explicit)
    return per_channel(bias, kernel.shape[-1], layout) if fits is True else fits


@layer("Conv2D", where=_conv_fits, config=_conv, weights=_weights)
def conv2d_explicit(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    layout: Attr,
    dilations: Attr,
    explicit: Attr,
) -> Term:
    named = {"strides": strides, "dilations": dilations, "data_format": layout}
    made: Term = op.Conv2D(
        x, kernel, padding="EXPLICIT", explicit_paddings=explicit, **named
    )
    return made + bias


def _depthwise_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    layout: str,
    dilations: Any,
    explicit: Any,
) -> bool | str:
    fits = _fits(kernel, bias, strides, layout, dilations, explicit)
    channels = kernel.shape[-1] * kernel.shape[-2]
    return per_channel(bias, channels, layout) if fits is True else fits


@layer(
    "DepthwiseConv2D",
    where=_depthwise_fits,
    config=lambda kernel, bias, strides, layout, dilations, explicit: {
        "depth_multiplier": kernel.shape[-1]
    }
    | _window(kernel, bias, strides, layout, dilations, explicit),
    weights=_weights,
)
def depthwise_conv2d_explicit(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    layout: Attr,
    dilations: Attr,
    explicit: Attr,
) -> Term:
    named = {"strides": strides, "dilations": dilations, "data_format": layout}
    made: Term = op.DepthwiseConv2dNative(
        x, kernel, padding="EXPLICIT", explicit_paddings=explicit, **named
    )
    return made + bias
