"""Grouped convolutions before there was an op for them: the channels split, each part convolved, the results joined.

AlexNet's two towers and what caffe-tensorflow, onnx-tf and onnx2tf write for ``group``: the kernel is one variable
that is split as well, or each group has its own.
"""

from __future__ import annotations

from typing import Any

from ...match import (
    ANY,
    EACH,
    Array,
    Attr,
    Held,
    Input,
    Pattern,
    Term,
    View,
    Weight,
    Weights,
    each,
    layer,
    op,
)
from ..keras_arguments import (
    channel_axis,
    data_format,
    kept_axis,
    only_spatial,
    per_channel,
    size_at,
    spatial,
)


def _parts(x: Term, axis: Term) -> Term:
    return op.Split(axis, x, port=EACH) | op.SplitV(x, ANY, axis, port=EACH)


def _equal(
    view: View, x: Any, axis: Any, kernels: tuple[Held, ...], layout: Any, rank: int
) -> bool | str:
    """Whether as many equal parts of the channels are convolved alike as there are."""
    at = channel_axis(layout, rank) % rank
    if int(axis) % rank != at:
        return "another axis than that of the channels is split"
    if len({kernel.shape for kernel in kernels}) != 1:
        return "the groups differ in size"
    channels, inside = size_at(view.shape(x), at), kernels[0].shape[-2]
    whole = channels is not None and channels == inside * len(kernels)
    return whole or "not all channels are convolved"


def _biases(
    kernels: tuple[Held, ...],
    biases: tuple[Held, ...] | None,
    bias: Held | None,
    layout: Any,
    *ranks: int,
) -> bool | str:
    filters = kernels[0].shape[-1]
    own = biases or ()
    if len(own) not in (0, len(kernels)) or own and bias:
        return "some groups have a bias and some have not"
    for held in own:
        fits = per_channel(held, filters, layout, *ranks)
        if fits is not True:
            return fits
    return per_channel(bias, filters * len(kernels), layout, *ranks)


def _joined(held: tuple[Held, ...]) -> Held:
    return held[0].joined(len(held[0].shape) - 1, held[1:])


def _bias(biases: tuple[Held, ...] | None, bias: Held | None) -> Held | None:
    if biases:
        return _joined(tuple(held.flat() for held in biases))
    return bias.flat() if bias else None


def _fits(
    view: View,
    x: Any,
    axis: Any,
    joint: Any,
    kernels: tuple[Held, ...],
    biases: tuple[Held, ...] | None,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> bool | str:
    rank = len(kernels[0].shape)
    if padding not in ("SAME", "VALID"):
        return f"padding {padding} needs a layer of its own"
    if not only_spatial(strides, layout) or not only_spatial(dilations, layout):
        return "strides or dilations over batch or channels"
    if int(joint) % rank != int(axis) % rank:
        return "the results are joined along another axis"
    equal = _equal(view, x, axis, kernels, layout, rank)
    return _biases(kernels, biases, bias, layout, rank) if equal is True else equal


def _config(
    kernels: tuple[Held, ...],
    biases: Any,
    bias: Any,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> dict[str, Any]:
    return {
        "filters": kernels[0].shape[-1] * len(kernels),
        "kernel_size": kernels[0].shape[:-2],
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "groups": len(kernels),
        "use_bias": bool(biases or bias),
        "activation": "linear",
    }


def _grouped(kind: str, name: str) -> Pattern:
    def formula(
        x: Input,
        kernels: Weights,
        biases: Weights | None,
        bias: Weight | None,
        axis: Array,
        joint: Array,
        strides: Attr,
        padding: Attr,
        layout: Attr,
        dilations: Attr,
    ) -> Term:
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        made = getattr(op, kind)(_parts(x, axis), kernels, **named, data_format=layout)
        return op.ConcatV2(each(made + biases), joint) + bias

    formula.__name__ = name
    return layer(
        kind,
        where=_fits,
        config=_config,
        weights=lambda kernels, biases, bias: {
            "kernel": _joined(kernels),
            "bias": _bias(biases, bias),
        },
    )(formula)


conv2d_grouped = _grouped("Conv2D", "conv2d_grouped")
conv3d_grouped = _grouped("Conv3D", "conv3d_grouped")


def _lines(kernels: tuple[Held, ...]) -> tuple[Held, ...]:
    """Kernels of one axis, without the axis of size 1 that was put in."""
    return tuple(
        k.reshaped(k.shape[0] * k.shape[1], *k.shape[2:]) if len(k.shape) == 4 else k
        for k in kernels
    )


def _line_fits(
    view: View,
    x: Any,
    axis: Any,
    joint: Any,
    kernels: tuple[Held, ...],
    biases: tuple[Held, ...] | None,
    bias: Held | None,
    strides: Any,
    padding: str,
    inserted: Any,
    taken: Any,
) -> bool | str:
    if padding not in ("SAME", "VALID") or kept_axis(inserted, "NHWC") is None:
        return "the inserted axis is not a spatial one"
    if [a % 4 for a in taken or ()] != [int(inserted) % 4]:
        return "another axis is taken away than was inserted"
    if any(k.shape[int(inserted) % 4 - 1] != 1 for k in kernels):
        return "the kernel spans the inserted axis"
    if int(joint) % 3 != 2 or strides[0] != 1 or strides[3] != 1:
        return "the results are joined along another axis"
    equal = _equal(view, x, axis, kernels, None, 3)
    return _biases(kernels, biases, bias, None) if equal is True else equal


@layer(
    "Conv1D",
    where=_line_fits,
    config=lambda kernels, biases, bias, strides, padding, dilations, inserted: _config(
        _lines(kernels), biases, bias, (), padding, None, ()
    )
    | {
        "strides": (strides[kept_axis(inserted, "NHWC") or 1],),
        "dilation_rate": (dilations[kept_axis(inserted, "NHWC") or 1],),
    },
    weights=lambda kernels, biases, bias: {
        "kernel": _joined(_lines(kernels)),
        "bias": _bias(biases, bias),
    },
)
def conv1d_grouped(
    x: Input,
    kernels: Weights,
    biases: Weights | None,
    bias: Weight | None,
    axis: Array,
    joint: Array,
    strides: Attr,
    padding: Attr,
    dilations: Attr,
    inserted: Array,
    taken: Attr,
) -> Term:
    named = {"strides": strides, "padding": padding, "dilations": dilations}
    wide = op.ExpandDims(_parts(x, axis), inserted)
    made = op.Squeeze(op.Conv2D(wide, kernels, **named), squeeze_dims=taken)
    return op.ConcatV2(each(made + biases), joint) + bias
