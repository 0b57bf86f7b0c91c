"""Explicit paddings, for which Keras has no word -> a Pad before a convolution that does not pad."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Shape
from ...match import (
    Attr,
    Bindings,
    Form,
    Input,
    New,
    Term,
    Weight,
    form,
    op,
)
from ..keras_arguments import channel_axis


def _rows(explicit: Any) -> list[tuple[int, int]]:
    flat = list(explicit or ())
    return [(int(a), int(b)) for a, b in zip(flat[0::2], flat[1::2])]


def _fits(layout: str, explicit: object) -> bool | str:
    rows = _rows(explicit)
    whole = len(rows) == 4 and rows[0] == rows[channel_axis(layout)] == (0, 0)
    return whole or "batch or channels are padded"


def _padded(shape: Shape, rows: list[tuple[int, int]]) -> Shape:
    if shape is None or len(shape) != len(rows):
        return None
    return tuple(None if d is None else d + a + b for d, (a, b) in zip(shape, rows))


def _explicit(name: str, kind: str) -> Form:
    """``conv(x, padding=EXPLICIT)`` -> ``conv(Pad(x), padding=VALID)``."""

    def becomes(b: Bindings) -> New:
        rows = _rows(b.explicit)
        pad = New(
            "Pad",
            (b.read("x"), np.array(rows, np.int32)),
            shape=_padded(b.view.shape(b.x), rows),
            name="explicit_paddings",
            evidence="the explicit paddings of the convolution after it",
        )
        attrs = {"strides": b.strides, "padding": "VALID", "dilations": b.dilations}
        attrs["data_format"] = b.layout
        return New(kind, (pad, b.read("kernel")), attrs)

    def formula(
        x: Input,
        kernel: Weight,
        strides: Attr,
        layout: Attr,
        dilations: Attr,
        explicit: Attr,
    ) -> Term:
        named = {"strides": strides, "dilations": dilations, "data_format": layout}
        conv = getattr(op, kind)
        return conv(x, kernel, padding="EXPLICIT", explicit_paddings=explicit, **named)

    formula.__name__ = name
    return form(kind, where=_fits, becomes=becomes)(formula)


explicit_conv = _explicit("explicit_conv", "Conv2D")
explicit_depthwise = _explicit("explicit_depthwise", "DepthwiseConv2dNative")
