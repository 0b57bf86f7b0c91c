"""Ops along one axis: TensorFlow computes them in two, between ExpandDims and Squeeze.

``Squeeze(op(ExpandDims(x)))`` -> ``line.op(x)``, where the axis that is put in is one of size 1 for the op as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Tensor
from ...match import (
    Array,
    Attr,
    Bindings,
    Dims,
    Form,
    Input,
    New,
    Term,
    Weight,
    WeightRef,
    form,
    line,
    op,
)
from ..keras_arguments import kept_axis, per_channel
from .convolutions import in_shape, outputs_of, plain_attributes, with_bias


def _inserted(layout: str, axis: Any, axes: Any, *windows: Any) -> bool | str:
    """Whether an axis is put in beside the spatial one and taken away again, and no window or step leaves its own."""
    at = kept_axis(axis, layout)
    if at is None:
        return "the inserted axis is not a spatial one"
    if [a % 4 for a in axes or ()] != [int(axis) % 4]:
        return "another axis is taken away than was inserted"
    others = [v for each in windows for i, v in enumerate(each) if i != at]
    return set(others) <= {1} or "strides or windows over another axis"


def _spans_one(kernel: WeightRef, layout: str, axis: Any) -> bool | str:
    """Whether the kernel has size 1 along the inserted axis."""
    first = 2 if layout.startswith("NC") else 1
    one = len(kernel.shape) == 4 and kernel.shape[int(axis) % 4 - first] == 1
    return one or "the kernel spans the inserted axis"


def _without(values: Any, axis: Any) -> tuple[int, ...]:
    return tuple(v for i, v in enumerate(values) if i != int(axis) % 4)


def _line_attributes(
    strides: object, padding: str, layout: str, dilations: object, axis: object
) -> dict[str, Any]:
    return {
        "strides": _without(strides, axis),
        "padding": padding,
        "data_format": _line_layout(layout),
        "dilations": _without(dilations or (1,) * 4, axis),
    }


def _line_layout(layout: str) -> str:
    return "NCW" if layout.startswith("NC") else "NWC"


def _line_kernel(tensor: Tensor, kernel: WeightRef) -> New:
    """A kernel without the axis of size 1 that was put in."""
    long = kernel.shape[0] * kernel.shape[1]
    return in_shape(tensor, long, *kernel.shape[2:])


def _squeezed(inner: Term, bias: Term | None, axes: Term) -> Term:
    return op.Squeeze(inner + bias, squeeze_dims=axes)


def _convolution(name: str, kind: str) -> Form:
    def fits(b: Bindings) -> bool | str:
        if b.padding not in ("SAME", "VALID"):
            return f"padding {b.padding} is of two axes"
        for holds in (
            _inserted(b.layout, b.axis, b.axes, _without_inserted(b.strides, b.axis)),
            _spans_one(b.kernel, b.layout, b.axis),
        ):
            if holds is not True:
                return holds
        return per_channel(b.bias, outputs_of(kind, b.kernel), b.layout, 3, 4)

    def becomes(b: Bindings) -> New:
        attrs = _line_attributes(b.strides, b.padding, b.layout, b.dilations, b.axis)
        along = _line_kernel(b.read("kernel"), b.kernel)
        conv = New(f"line.{kind}", (b.read("x"), along), attrs)
        return with_bias(conv, b.match, b.bias, b.layout)

    def formula(
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
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        wide = op.ExpandDims(x, axis)
        inner = getattr(op, kind)(wide, kernel, **named, data_format=layout)
        return _squeezed(inner, bias, axes)

    formula.__name__ = name
    return form(f"line.{kind}", where=fits, becomes=becomes)(formula)


def _without_inserted(strides: Any, axis: Any) -> tuple[int, ...]:
    """Steps along the inserted axis go nowhere: there is one place."""
    return tuple(1 if i == int(axis) % 4 else s for i, s in enumerate(strides))


conv_along_a_line = _convolution("conv_along_a_line", "Conv2D")
depthwise_along_a_line = _convolution("depthwise_along_a_line", "DepthwiseConv2dNative")


def _separable_fits(b: Bindings) -> bool | str:
    if b.padding not in ("SAME", "VALID"):
        return f"padding {b.padding} is of two axes"
    for holds in (
        _inserted(b.layout, b.axis, b.axes, _without_inserted(b.strides, b.axis)),
        _spans_one(b.kernel, b.layout, b.axis),
        b.pointwise.shape[:2] == (1, 1)
        or "the second kernel spans more than one point",
    ):
        if holds is not True:
            return holds
    return per_channel(b.bias, b.pointwise.shape[-1], b.layout, 3, 4)


def _separable(b: Bindings) -> New:
    attrs = _line_attributes(b.strides, b.padding, b.layout, b.dilations, b.axis)
    along = _line_kernel(b.read("kernel"), b.kernel)
    points = _line_kernel(b.read("pointwise"), b.pointwise)
    deep = New("line.DepthwiseConv2dNative", (b.read("x"), along), attrs)
    plain = {**plain_attributes(1), "data_format": _line_layout(b.layout)}
    mixed = New("line.Conv2D", (deep, points), plain)
    return with_bias(mixed, b.match, b.bias, b.layout)


@form("line.Conv2D", where=_separable_fits, becomes=_separable)
def separable_along_a_line(
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
    named = {"strides": strides, "padding": padding, "dilations": dilations}
    wide, ones = op.ExpandDims(x, axis), (1, 1, 1, 1)
    deep = op.DepthwiseConv2dNative(wide, kernel, **named, data_format=layout)
    whole = {"strides": ones, "data_format": layout}
    mixed = op.Conv2D(deep, pointwise, padding="VALID", **whole) | op.Conv2D(
        deep, pointwise, padding="SAME", **whole
    )
    return _squeezed(mixed, bias, axes)


def _transposed_fits(b: Bindings) -> bool | str:
    if b.padding not in ("SAME", "VALID"):
        return f"padding {b.padding} is of two axes"
    inserted = _inserted(b.layout, b.axis, b.axes, b.strides)
    return inserted if inserted is not True else _spans_one(b.kernel, b.layout, b.axis)


def _transposed(b: Bindings) -> New:
    attrs = _line_attributes(b.strides, b.padding, b.layout, b.dilations, b.axis)
    left = np.array([i for i in range(4) if i != int(b.axis) % 4], np.int32)
    sizes = New("GatherV2", (b.read("sizes"), left, np.int32(0)), shape=(3,))
    along = _line_kernel(b.read("kernel"), b.kernel)
    return New("line.Conv2DBackpropInput", (sizes, along, b.read("x")), attrs)


@form("line.Conv2DBackpropInput", where=_transposed_fits, becomes=_transposed)
def transposed_along_a_line(
    x: Input,
    sizes: Dims,
    kernel: Weight,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
    axis: Array,
    axes: Attr,
) -> Term:
    wide = op.ExpandDims(x, axis)
    named = {"strides": strides, "padding": padding, "dilations": dilations}
    inner = op.Conv2DBackpropInput(sizes, kernel, wide, **named, data_format=layout)
    return op.Squeeze(inner, squeeze_dims=axes)


def _pooling(name: str, kind: str) -> Form:
    def fits(b: Bindings) -> bool | str:
        if b.padding not in ("SAME", "VALID"):
            return f"padding {b.padding} is of two axes"
        return _inserted(b.layout, b.axis, b.axes, b.size, b.strides)

    def becomes(b: Bindings) -> New:
        attrs = _line_attributes(b.strides, b.padding, b.layout, None, b.axis)
        del attrs["dilations"]
        return New(
            f"line.{kind}", (b.read("x"),), {**attrs, "ksize": _without(b.size, b.axis)}
        )

    def formula(
        x: Input,
        axis: Array,
        axes: Attr,
        size: Attr,
        strides: Attr,
        padding: Attr,
        layout: Attr,
    ) -> Term:
        named = {"ksize": size, "strides": strides, "padding": padding}
        wide = op.ExpandDims(x, axis)
        pooled = getattr(op, kind)(wide, **named, data_format=layout)
        return op.Squeeze(pooled, squeeze_dims=axes)

    formula.__name__ = name
    return form(f"line.{kind}", where=fits, becomes=becomes)(formula)


max_pool_along_a_line = _pooling("max_pool_along_a_line", "MaxPool")
avg_pool_along_a_line = _pooling("avg_pool_along_a_line", "AvgPool")


def _is_causal(b: Bindings) -> bool | str:
    if b.layout != "NWC":
        return "Keras pads causally before channels that come last alone"
    reach = (b.kernel.shape[0] - 1) * b.dilations[1]
    causal = [tuple(row) for row in b.left] == [
        (0, 0),
        (reach, 0),
        (0, 0),
    ] and reach > 0
    return causal or "the padding is not the reach of the kernel, on the left"


def _causal(b: Bindings) -> New:
    attrs = {"strides": b.strides, "padding": "CAUSAL", "dilations": b.dilations}
    inputs = (b.read("x"), b.read("kernel"))
    return New("line.Conv2D", inputs, {**attrs, "data_format": b.layout})


@form("line.Conv2D", where=_is_causal, becomes=_causal)
def causal(
    x: Input,
    kernel: Weight,
    left: Array,
    strides: Attr,
    layout: Attr,
    dilations: Attr,
) -> Term:
    """``conv(Pad(x), padding=VALID)`` -> ``conv(x, padding=CAUSAL)``."""
    padded = op.Pad(x, left) | op.Pad(x, left, 0.0)
    named = {"strides": strides, "dilations": dilations, "data_format": layout}
    return line.Conv2D(padded, kernel, padding="VALID", **named)
