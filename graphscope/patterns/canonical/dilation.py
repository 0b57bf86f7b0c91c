"""Dilated convolutions, which TensorFlow spells as a sandwich: blocks of the space go into the batch and come back.

``tf.nn.convolution``, ``atrous_conv2d``, ``depthwise_conv2d`` and ``atrous_conv2d_transpose`` write it, with the bias
inside or outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...match import (
    ANY,
    Array,
    Bindings,
    Dims,
    Form,
    Input,
    New,
    Sizes,
    Term,
    Weight,
    form,
    op,
)
from ..keras_arguments import per_channel
from .convolutions import LAYOUTS, family, outputs_of, plain_attributes, with_bias


def block_padding(
    pads: Sizes, crops: Sizes, rate: Any, kernel: tuple[int, ...]
) -> str | None:
    """The padding of a dilated convolution between SpaceToBatchND and BatchToSpaceND; None: neither of the two.

    ``pads`` and ``crops`` are written out row by row: start and end of each spatial axis. What pads the input up to a
    multiple of the rate is cropped again; the rest is the convolution's own.
    """
    starts = [s.number if s is not None else None for s in pads[0::2]]
    if not len(starts) == len(kernel) == len(rate) or len(pads) != len(crops):
        return None
    if any(c is None or c.number != 0 for c in crops[0::2]):
        return None
    reach = [(k - 1) * r for k, r in zip(kernel, rate)]
    own = [
        e.added(c, -1) if e is not None and c is not None else None
        for e, c in zip(pads[1::2], crops[1::2])
    ]
    ends = [None if e is None else e.number for e in own]
    for name, begin in (
        ("SAME", [r // 2 for r in reach]),
        ("VALID", [0] * len(reach)),
    ):
        end = [r - r // 2 if name == "SAME" else 0 for r in reach]
        fits = all(e is None or e == r for e, r in zip(ends, end))
        if starts == begin and fits:
            return name
    return None


def _dilated(name: str, kind: str, axes: int) -> Form:
    """``BatchToSpaceND(conv(SpaceToBatchND(x)) + bias)`` -> ``conv(x, dilations=rate) + bias``."""
    plain, layout = plain_attributes(axes), LAYOUTS[axes]

    def fits(b: Bindings) -> bool | str:
        if block_padding(b.pads, b.crops, b.rate, b.kernel.shape[:-2]) is None:
            return "the paddings are those of neither padding='same' nor 'valid'"
        return per_channel(b.bias, outputs_of(kind, b.kernel), layout, axes + 2)

    def becomes(b: Bindings) -> New:
        padding = block_padding(b.pads, b.crops, b.rate, b.kernel.shape[:-2])
        attrs = {**plain, "padding": padding, "dilations": (1, *b.rate, 1)}
        conv = New(kind, (b.read("x"), b.read("kernel")), attrs)
        return with_bias(conv, b.match, b.bias, layout)

    def formula(
        x: Input,
        kernel: Weight,
        bias: Weight | None,
        rate: Array,
        pads: Dims,
        crops: Dims,
    ) -> Term:
        split = op.SpaceToBatchND(x, rate, pads)
        inner = getattr(family(axes), kind.removeprefix("line."))(
            split, kernel, **plain
        )
        return op.BatchToSpaceND(inner + bias, rate, crops)

    formula.__name__ = name
    return form(kind, where=fits, becomes=becomes)(formula)


dilated_conv1d = _dilated("dilated_conv1d", "line.Conv2D", 1)
dilated_conv2d = _dilated("dilated_conv2d", "Conv2D", 2)
dilated_conv3d = _dilated("dilated_conv3d", "Conv3D", 3)
dilated_depthwise = _dilated("dilated_depthwise", "DepthwiseConv2dNative", 2)


def _transposed_fits(b: Bindings) -> bool | str:
    padding = block_padding(b.crops, b.pads, b.rate, b.kernel.shape[:-2])
    return padding is not None or "the crops are those of no Keras padding"


def _transposed(b: Bindings) -> New:
    padding = block_padding(b.crops, b.pads, b.rate, b.kernel.shape[:-2])
    reach = [(k - 1) * r for k, r in zip(b.kernel.shape, b.rate)]
    longer = [0, *(reach if padding == "VALID" else (0, 0)), 0]
    sizes = New("Add", (New("Shape", (b.read("x"),)), np.array(longer, np.int32)))
    attrs = {**plain_attributes(2), "padding": padding, "dilations": (1, *b.rate, 1)}
    return New("Conv2DBackpropInput", (sizes, b.read("kernel"), b.read("x")), attrs)


@form("Conv2DBackpropInput", where=_transposed_fits, becomes=_transposed)
def dilated_transpose(
    x: Input, kernel: Weight, rate: Array, pads: Dims, crops: Dims
) -> Term:
    """``tf.nn.atrous_conv2d_transpose``: what the one block pads, the other crops as well."""
    split = op.SpaceToBatchND(x, rate, pads)
    inner = op.Conv2DBackpropInput(ANY, kernel, split, **plain_attributes(2))
    return op.BatchToSpaceND(inner, rate, crops)
