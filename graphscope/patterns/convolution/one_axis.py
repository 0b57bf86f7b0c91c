"""Convolutions of one axis: TensorFlow computes them in two, between ExpandDims and Squeeze.

Dilated ones (WaveNet) stand between SpaceToBatchND and BatchToSpaceND as well; causal ones after a Pad on the left.
"""

from __future__ import annotations

from typing import Any

from ...match import (
    Array,
    Attr,
    Dims,
    Held,
    Input,
    Sizes,
    Term,
    View,
    Weight,
    layer,
    op,
)
from ..keras_arguments import (
    channel_axis,
    data_format,
    kept_axis,
    per_channel,
    sandwich_padding,
    size_at,
)


def _line(kernel: Held) -> Held:
    """A kernel of one axis, without the axis of size 1 that was put in."""
    if len(kernel.shape) == 3:
        return kernel
    long = kernel.shape[0] * kernel.shape[1]
    return kernel.reshaped(long, *kernel.shape[2:])


def _weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return {"kernel": _line(kernel), "bias": bias.flat() if bias else None}


def _fits(
    kernel: Held,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    axis: Any,
    axes: Any,
) -> bool | str:
    at = kept_axis(axis, layout)
    if padding not in ("SAME", "VALID") or at is None:
        return "the inserted axis is not a spatial one"
    if [a % 4 for a in axes or ()] != [int(axis) % 4]:
        return "another axis is taken away than was inserted"
    first = 2 if data_format(layout) == "channels_first" else 1
    if len(kernel.shape) != 4 or kernel.shape[int(axis) % 4 - first] != 1:
        return "the kernel spans the inserted axis"
    others = [s for i, s in enumerate(strides) if i != at and i != int(axis) % 4]
    return all(s == 1 for s in others) or "strides over batch or channels"


def _conv_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    axis: Any,
    axes: Any,
) -> bool | str:
    fits = _fits(kernel, strides, padding, layout, dilations, axis, axes)
    return per_channel(bias, kernel.shape[-1], layout, 3, 4) if fits is True else fits


def _depthwise_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    axis: Any,
    axes: Any,
) -> bool | str:
    fits = _fits(kernel, strides, padding, layout, dilations, axis, axes)
    channels = kernel.shape[-1] * kernel.shape[-2]
    return per_channel(bias, channels, layout, 3, 4) if fits is True else fits


def _window(
    kernel: Held,
    bias: Any,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    axis: Any,
) -> dict[str, Any]:
    at = kept_axis(axis, layout) or 1
    return {
        "kernel_size": (_line(kernel).shape[0],),
        "strides": (strides[at],),
        "padding": padding.lower(),
        "data_format": data_format(layout),
        "dilation_rate": (dilations[at],) if dilations else (1,),
        "use_bias": bias is not None,
        "activation": "linear",
    }


def _conv(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    axis: Any,
) -> dict[str, Any]:
    window = _window(kernel, bias, strides, padding, layout, dilations, axis)
    channels = size_at(view.shape(x), channel_axis(layout, 3))
    inside = kernel.shape[-2]
    grouped = channels and inside and channels % inside == 0
    groups = channels // inside if grouped and channels else 1
    return {"filters": kernel.shape[-1], "groups": groups} | window


def _squeezed(inner: Term, bias: Term | None, axes: Term) -> Term:
    squeezed: Term = op.Squeeze(inner, squeeze_dims=axes) + bias
    return squeezed | op.Squeeze(inner + bias, squeeze_dims=axes)


def _convolved(
    kind: str,
    x: Term,
    kernel: Term,
    axis: Term,
    strides: Any,
    padding: Any,
    layout: Any,
    dilations: Any,
) -> Term:
    found: Term = getattr(op, kind)(
        op.ExpandDims(x, axis),
        kernel,
        strides=strides,
        padding=padding,
        data_format=layout,
        dilations=dilations,
    )
    return found


@layer("Conv1D", where=_conv_fits, config=_conv, weights=_weights)
def conv1d(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
    axis: Array,
    axes: Attr,
) -> Term:
    inner = _convolved("Conv2D", x, kernel, axis, strides, padding, layout, dilations)
    return _squeezed(inner, bias, axes)


def _depthwise(
    kernel: Held,
    bias: Any,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    axis: Any,
) -> dict[str, Any]:
    window = _window(kernel, bias, strides, padding, layout, dilations, axis)
    return {"depth_multiplier": kernel.shape[-1]} | window


@layer("DepthwiseConv1D", where=_depthwise_fits, config=_depthwise, weights=_weights)
def depthwise_conv1d(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
    axis: Array,
    axes: Attr,
) -> Term:
    kind = "DepthwiseConv2dNative"
    inner = _convolved(kind, x, kernel, axis, strides, padding, layout, dilations)
    return _squeezed(inner, bias, axes)


def _causal_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    layout: str,
    dilations: Any,
    axis: Any,
    axes: Any,
    left: Any,
) -> bool | str:
    fits = _conv_fits(kernel, bias, strides, "VALID", layout, dilations, axis, axes)
    at = kept_axis(axis, layout) or 1
    reach = (_line(kernel).shape[0] - 1) * (dilations[at] if dilations else 1)
    return _is_causal(left, reach) if fits is True else fits


def _is_causal(left: Any, reach: int) -> bool | str:
    rows = [tuple(row) for row in left]
    causal = rows == [(0, 0), (reach, 0), (0, 0)] and reach > 0
    return causal or "the padding is not the reach of the kernel, on the left"


@layer(
    "Conv1D",
    where=_causal_fits,
    config=lambda view, x, kernel, bias, strides, layout, dilations, axis: _conv(
        view, x, kernel, bias, strides, "causal", layout, dilations, axis
    ),
    weights=_weights,
)
def conv1d_causal(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    layout: Attr,
    dilations: Attr,
    axis: Array,
    axes: Attr,
    left: Array,
) -> Term:
    padded = op.Pad(x, left)
    inner = _convolved(
        "Conv2D", padded, kernel, axis, strides, "VALID", layout, dilations
    )
    return _squeezed(inner, bias, axes)


def _dilated_fits(
    kernel: Held,
    bias: Held | None,
    axis: Any,
    axes: Any,
    rate: Any,
    pads: Sizes,
    crops: Sizes,
) -> bool | str:
    ones = (1, 1, 1, 1)
    fits = _conv_fits(kernel, bias, ones, "VALID", "NHWC", ones, axis, axes)
    if fits is not True:
        return fits
    long = _line(kernel).shape[:1]
    padding = sandwich_padding(pads, crops, rate, long) if len(rate) == 1 else None
    return padding is not None or "the paddings are those of no Keras padding"


def _dilated(
    view: View,
    x: Any,
    kernel: Held,
    bias: Any,
    axis: Any,
    rate: Any,
    pads: Sizes,
    crops: Sizes,
) -> dict[str, Any]:
    padding = sandwich_padding(pads, crops, rate, _line(kernel).shape[:1])
    ones = (1, 1, 1, 1)
    config = _conv(view, x, kernel, bias, ones, str(padding), "NHWC", ones, axis)
    return config | {"dilation_rate": tuple(rate)}


def _dilated_formula(
    x: Term,
    kernel: Term,
    bias: Term | None,
    axis: Term,
    axes: Term,
    rate: Term,
    pads: Term,
    crops: Term,
) -> Term:
    split, ones = op.SpaceToBatchND(x, rate, pads), (1, 1, 1, 1)
    inner = _convolved("Conv2D", split, kernel, axis, ones, "VALID", "NHWC", ones)
    squeezed = op.Squeeze(inner, squeeze_dims=axes)
    outside: Term = op.BatchToSpaceND(squeezed, rate, crops) + bias
    return outside | op.BatchToSpaceND(_squeezed(inner, bias, axes), rate, crops)


@layer("Conv1D", where=_dilated_fits, config=_dilated, weights=_weights)
def conv1d_dilated(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    axis: Array,
    axes: Attr,
    rate: Array,
    pads: Dims,
    crops: Dims,
) -> Term:
    return _dilated_formula(x, kernel, bias, axis, axes, rate, pads, crops)


def _causal_dilated_fits(
    kernel: Held,
    bias: Held | None,
    axis: Any,
    axes: Any,
    rate: Any,
    pads: Sizes,
    crops: Sizes,
    left: Any,
) -> bool | str:
    fits = _dilated_fits(kernel, bias, axis, axes, rate, pads, crops)
    long = _line(kernel).shape[:1]
    if fits is True and sandwich_padding(pads, crops, rate, long) != "valid":
        return "it is padded twice"
    return _is_causal(left, (long[0] - 1) * rate[0]) if fits is True else fits


@layer(
    "Conv1D",
    where=_causal_dilated_fits,
    config=lambda view, x, kernel, bias, axis, rate, pads, crops: _dilated(
        view, x, kernel, bias, axis, rate, pads, crops
    )
    | {"padding": "causal"},
    weights=_weights,
)
def conv1d_causal_dilated(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    axis: Array,
    axes: Attr,
    rate: Array,
    pads: Dims,
    crops: Dims,
    left: Array,
) -> Term:
    padded = op.Pad(x, left)
    return _dilated_formula(padded, kernel, bias, axis, axes, rate, pads, crops)
