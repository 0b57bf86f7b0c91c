"""Separable and transposed convolutions of one axis, computed in two between ExpandDims and Squeeze."""

from __future__ import annotations

from typing import Any

from ...match import (
    Array,
    Attr,
    Dims,
    Held,
    Input,
    Size,
    Sizes,
    Term,
    View,
    Weight,
    layer,
    op,
)
from ..keras_arguments import conv_output_size, data_format, kept_axis, per_channel


def _line(kernel: Held) -> Held:
    """A kernel of one axis, without the axis of size 1 that was put in."""
    return kernel.reshaped(kernel.shape[0] * kernel.shape[1], *kernel.shape[2:])


def _inserted(
    kernel: Held, padding: str, layout: str, axis: Any, axes: Any
) -> bool | str:
    """Whether the axis that was put in is taken away again, and means nothing between."""
    if padding not in ("SAME", "VALID") or kept_axis(axis, layout) is None:
        return "the inserted axis is not a spatial one"
    if [a % 4 for a in axes or ()] != [int(axis) % 4]:
        return "another axis is taken away than was inserted"
    first = 2 if data_format(layout) == "channels_first" else 1
    line = len(kernel.shape) == 4 and kernel.shape[int(axis) % 4 - first] == 1
    return line or "the kernel spans the inserted axis"


def _along(
    kernel: Held, strides: Any, dilations: Any, layout: str, axis: Any
) -> dict[str, Any]:
    at = kept_axis(axis, layout) or 1
    return {
        "kernel_size": (_line(kernel).shape[0],),
        "strides": (strides[at],),
        "data_format": data_format(layout),
        "dilation_rate": (dilations[at],) if dilations else (1,),
        "activation": "linear",
    }


def _separable_fits(
    kernel: Held,
    pointwise: Held,
    bias: Held | None,
    padding: str,
    layout: str,
    axis: Any,
    axes: Any,
) -> bool | str:
    fits = _inserted(kernel, padding, layout, axis, axes)
    if fits is not True:
        return fits
    if pointwise.shape[:2] != (1, 1):
        return "the second kernel spans more than one point"
    if pointwise.shape[2] != kernel.shape[2] * kernel.shape[3]:
        return "the second kernel is a grouped one"
    return per_channel(bias, pointwise.shape[-1], layout, 3, 4)


@layer(
    "SeparableConv1D",
    where=_separable_fits,
    config=lambda kernel, pointwise, bias, strides, padding, layout, dilations, axis: {
        "filters": pointwise.shape[-1],
        "padding": padding.lower(),
        "depth_multiplier": kernel.shape[-1],
        "use_bias": bias is not None,
    }
    | _along(kernel, strides, dilations, layout, axis),
    weights=lambda kernel, pointwise, bias: {
        "depthwise_kernel": _line(kernel),
        "pointwise_kernel": _line(pointwise),
        "bias": bias.flat() if bias else None,
    },
)
def separable_conv1d(
    x: Input,
    kernel: Weight,
    pointwise: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
    axis: Array,
    axes: Attr,
) -> Term:
    wide, ones = op.ExpandDims(x, axis), (1, 1, 1, 1)
    named = {"strides": strides, "padding": padding, "dilations": dilations}
    deep = op.DepthwiseConv2dNative(wide, kernel, **named, data_format=layout)
    whole = {"strides": ones, "data_format": layout}
    mixed = op.Conv2D(deep, pointwise, padding="VALID", **whole) | op.Conv2D(
        deep, pointwise, padding="SAME", **whole
    )
    made: Term = op.Squeeze(mixed, squeeze_dims=axes) + bias
    return made | op.Squeeze(mixed + bias, squeeze_dims=axes)


def _transposed_fits(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str,
    axis: Any,
    axes: Any,
    sizes: Sizes,
) -> bool | str:
    fits = _inserted(kernel, padding, layout, axis, axes)
    if fits is not True:
        return fits
    extra = _output_padding(view, x, kernel, strides, padding, layout, axis, sizes)
    fits = per_channel(bias, kernel.shape[-2], layout, 3, 4)
    return extra if isinstance(extra, str) else fits


def _output_padding(
    view: View,
    x: Any,
    kernel: Held,
    strides: Any,
    padding: str,
    layout: str,
    axis: Any,
    sizes: Sizes,
) -> int | str | None:
    """Keras's output_padding; None where its default applies, a text where none would do."""
    at = kept_axis(axis, layout) or 1
    wanted = sizes[at] if at < len(sizes) else None
    before = view.axis_size(x, 2 if data_format(layout) == "channels_first" else 1)
    long, stride, mode = _line(kernel).shape[0], strides[at], padding.lower()
    scaled = before.times(Size(stride))
    if wanted is None or scaled is None:
        return None
    if scaled.added(Size(conv_output_size(0, long, stride, mode))) == wanted:
        return None
    overlap = 2 * (long // 2) if mode == "same" else 0
    least = scaled.added(Size(long - stride - overlap))
    extra = wanted.added(least, -1) if least is not None else None
    number = extra.number if extra is not None else None
    if number is None or not 0 <= number < stride:
        return f"the size asked for, {wanted}, cannot come from {before}"
    return number


@layer(
    "Conv1DTranspose",
    where=_transposed_fits,
    config=lambda view, x, kernel, bias, strides, padding, layout, dilations, axis, sizes: {
        "filters": kernel.shape[-2],
        "padding": padding.lower(),
        "output_padding": _output_padding(
            view, x, kernel, strides, padding, layout, axis, sizes
        ),
        "use_bias": bias is not None,
    }
    | _along(kernel, strides, dilations, layout, axis),
    weights=lambda kernel, bias: {
        "kernel": _line(kernel),
        "bias": bias.flat() if bias else None,
    },
)
def conv1d_transpose(
    x: Input,
    sizes: Dims,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
    axis: Array,
    axes: Attr,
) -> Term:
    wide = op.ExpandDims(x, axis)
    named = {"strides": strides, "padding": padding, "dilations": dilations}
    made = op.Conv2DBackpropInput(sizes, kernel, wide, **named, data_format=layout)
    squeezed: Term = op.Squeeze(made, squeeze_dims=axes)
    return squeezed + bias
