"""Grouped convolutions before there was an op for them: the channels split, each part convolved, the results joined.

AlexNet's two towers and what caffe-tensorflow, onnx-tf and onnx2tf write for ``group``: the kernel is one variable
that is split as well, or each group has its own.
"""

from __future__ import annotations

import numpy as np

from ...graph import Tensor
from ...match import (
    ANY,
    EACH,
    Array,
    Attr,
    Bindings,
    Form,
    Input,
    New,
    Term,
    View,
    WeightRef,
    Weights,
    each,
    form,
    op,
)
from ..keras_arguments import channel_axis, per_channel, size_at
from .convolutions import family, in_shape, joined


def _is_whole(
    view: View, x: Tensor, kernels: tuple[WeightRef, ...], at: int
) -> bool | str:
    """Whether as many equal parts of the channels are convolved alike as there are."""
    if len({kernel.shape for kernel in kernels}) != 1:
        return "the groups differ in size"
    channels, inside = size_at(view.shape(x), at), kernels[0].shape[-2]
    whole = channels is not None and channels == inside * len(kernels)
    return whole or "not all channels are convolved"


def _grouped(name: str, kind: str, axes: int) -> Form:
    """``ConcatV2(conv(Split(x)[i], kernels[i]) + biases[i])`` -> ``conv(x, ConcatV2(kernels)) + ConcatV2(biases)``."""
    rank = axes + 2

    def fits(b: Bindings) -> bool | str:
        at = channel_axis(b.layout, rank) % rank
        if b.padding not in ("SAME", "VALID"):
            return f"padding {b.padding} needs a layer of its own"
        if int(b.axis) % rank != at:
            return "another axis than that of the channels is split"
        if int(b.joint) % rank != at:
            return "the results are joined along another axis"
        if len(b.biases or ()) not in (0, len(b.kernels)):
            return "some groups have a bias and some have not"
        for bias in b.biases or ():
            own = per_channel(bias, b.kernels[0].shape[-1], b.layout, rank)
            if own is not True:
                return own
        return _is_whole(b.view, b.x, b.kernels, at)

    def becomes(b: Bindings) -> New:
        attrs = {"strides": b.strides, "padding": b.padding, "dilations": b.dilations}
        kernel = joined(b.match.read("kernels"), rank)
        conv = New(kind, (b.read("x"), kernel), {**attrs, "data_format": b.layout})
        if not b.biases:
            return conv
        read = zip(b.match.read("biases"), b.biases)
        vectors = [in_shape(at, int(np.prod(bias.shape))) for at, bias in read]
        wide = "NCHW" if b.layout.startswith("NC") else "NHWC"
        inputs = (conv, joined(tuple(vectors), 1))
        return New("BiasAdd", inputs, {"data_format": wide})

    def formula(
        x: Input,
        kernels: Weights,
        biases: Weights | None,
        axis: Array,
        joint: Array,
        strides: Attr,
        padding: Attr,
        layout: Attr,
        dilations: Attr,
    ) -> Term:
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        part = op.Split(axis, x, port=EACH) | op.SplitV(x, ANY, axis, port=EACH)
        conv = getattr(family(axes), kind.removeprefix("line."))
        inner = conv(part, kernels, **named, data_format=layout)
        return op.ConcatV2(each(inner + biases), joint)

    formula.__name__ = name
    return form(kind, where=fits, becomes=becomes)(formula)


grouped_conv1d = _grouped("grouped_conv1d", "line.Conv2D", 1)
grouped_conv2d = _grouped("grouped_conv2d", "Conv2D", 2)
grouped_conv3d = _grouped("grouped_conv3d", "Conv3D", 3)
