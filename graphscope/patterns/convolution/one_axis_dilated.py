"""Dilated depthwise and separable convolutions of one axis: the sandwich of two axes, one of them put in."""

from __future__ import annotations

from typing import Any

from ...match import Array, Attr, Dims, Held, Input, Sizes, Term, Weight, layer, op
from ..keras_arguments import kept_axis, per_channel, sandwich_padding


def _line(kernel: Held) -> Held:
    """A kernel of one axis, without the axis of size 1 that was put in."""
    return kernel.reshaped(kernel.shape[0] * kernel.shape[1], *kernel.shape[2:])


def _sandwiched(
    kernel: Held, rate: Any, pads: Sizes, crops: Sizes, axis: Any, taken: Any
) -> bool | str:
    if kept_axis(axis, None) is None or len(kernel.shape) != 4 or len(rate) != 2:
        return "the inserted axis is not a spatial one"
    if [a % 4 for a in taken or ()] != [int(axis) % 4]:
        return "another axis is taken away than was inserted"
    if kernel.shape[int(axis) % 4 - 1] != 1:
        return "the kernel spans the inserted axis"
    padding = sandwich_padding(pads, crops, rate, kernel.shape[:2])
    return padding is not None or "the paddings are those of no Keras padding"


def _window(
    kernel: Held, bias: Any, rate: Any, pads: Sizes, crops: Sizes, axis: Any
) -> dict[str, Any]:
    return {
        "kernel_size": (_line(kernel).shape[0],),
        "depth_multiplier": kernel.shape[-1],
        "strides": (1,),
        "padding": sandwich_padding(pads, crops, rate, kernel.shape[:2]),
        "data_format": "channels_last",
        "dilation_rate": (rate[(kept_axis(axis, None) or 1) - 1],),
        "use_bias": bias is not None,
        "activation": "linear",
    }


def _deep(
    x: Term, kernel: Term, rate: Term, pads: Term, crops: Term, axis: Term
) -> Term:
    split = op.SpaceToBatchND(op.ExpandDims(x, axis), rate, pads)
    named = {"padding": "VALID", "strides": (1, 1, 1, 1)}
    found: Term = op.DepthwiseConv2dNative(split, kernel, **named)
    return op.BatchToSpaceND(found, rate, crops)


def _squeezed(inner: Term, bias: Term | None, taken: Term) -> Term:
    made: Term = op.Squeeze(inner, squeeze_dims=taken) + bias
    return made | op.Squeeze(inner + bias, squeeze_dims=taken)


def _depthwise_fits(
    kernel: Held,
    bias: Held | None,
    rate: Any,
    pads: Sizes,
    crops: Sizes,
    axis: Any,
    taken: Any,
) -> bool | str:
    fits = _sandwiched(kernel, rate, pads, crops, axis, taken)
    channels = kernel.shape[-1] * kernel.shape[-2]
    return per_channel(bias, channels) if fits is True else fits


@layer(
    "DepthwiseConv1D",
    where=_depthwise_fits,
    config=_window,
    weights=lambda kernel, bias: {
        "kernel": _line(kernel),
        "bias": bias.flat() if bias else None,
    },
)
def depthwise_conv1d_dilated(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    rate: Array,
    pads: Dims,
    crops: Dims,
    axis: Array,
    taken: Attr,
) -> Term:
    return _squeezed(_deep(x, kernel, rate, pads, crops, axis), bias, taken)


def _separable_fits(
    kernel: Held,
    pointwise: Held,
    bias: Held | None,
    rate: Any,
    pads: Sizes,
    crops: Sizes,
    axis: Any,
    taken: Any,
) -> bool | str:
    fits = _sandwiched(kernel, rate, pads, crops, axis, taken)
    if pointwise.shape[:-1] != (1, 1, kernel.shape[2] * kernel.shape[3]):
        return "the second kernel spans more than one point"
    return per_channel(bias, pointwise.shape[-1]) if fits is True else fits


@layer(
    "SeparableConv1D",
    where=_separable_fits,
    config=lambda kernel, pointwise, bias, rate, pads, crops, axis: {
        "filters": pointwise.shape[-1]
    }
    | _window(kernel, bias, rate, pads, crops, axis),
    weights=lambda kernel, pointwise, bias: {
        "depthwise_kernel": _line(kernel),
        "pointwise_kernel": _line(pointwise),
        "bias": bias.flat() if bias else None,
    },
)
def separable_conv1d_dilated(
    x: Input,
    kernel: Weight,
    pointwise: Weight,
    bias: Weight | None,
    rate: Array,
    pads: Dims,
    crops: Dims,
    axis: Array,
    taken: Attr,
) -> Term:
    deep, ones = _deep(x, kernel, rate, pads, crops, axis), (1, 1, 1, 1)
    mixed = op.Conv2D(deep, pointwise, strides=ones, padding="VALID") | op.Conv2D(
        deep, pointwise, strides=ones, padding="SAME"
    )
    return _squeezed(mixed, bias, taken)
