"""Reshaping layers: Flatten, Reshape, Permute, padding, cropping, up-sampling."""

from __future__ import annotations

from math import prod
from typing import Any

from ...graph import Tensor
from ...match import (
    Array,
    Attr,
    Bindings,
    Dims,
    Input,
    Size,
    Sizes,
    Term,
    View,
    layer,
    op,
)
from ...ops.values.size import numbers


def keeps_batch(view: View, x: Tensor, dims: Sizes) -> bool:
    """Whether the first size of a Reshape is surely the batch of its input."""
    if not dims or dims[0] is None:
        return False
    if dims[0] == view.axis_size(x, 0):
        return True
    shape = view.shape(x)
    if dims[0] != Size(-1) or shape is None or None in shape[1:] or not shape:
        return False
    inside = numbers(dims[1:])
    if any(n is None or n < 0 for n in inside):
        return False
    return prod(n or 0 for n in inside) == prod(d or 0 for d in shape[1:])


def _flattens(view: View, x: Tensor, dims: Sizes) -> bool | str:
    shape = view.shape(x)
    if len(dims) != 2:
        return f"the result has {len(dims)} axes, not 2"
    if shape is not None and len(shape) < 3:
        return "the input is flat already"
    if not keeps_batch(view, x, dims):
        return "the batch is not kept"
    last = dims[1]
    if last == Size(-1):
        return True
    if last is None or shape is None:
        return "the second size is not known"
    whole: Size | None = Size(1)
    for axis in range(1, len(shape)):
        whole = whole.times(view.axis_size(x, axis)) if whole is not None else None
    return last == whole or "the second size is not that of one example"


@layer("Flatten", where=_flattens, data_format="channels_last")
def flatten(x: Input, dims: Dims) -> Term:
    return op.Reshape(x, dims)


def _reshapes(view: View, x: Tensor, dims: Sizes) -> bool | str:
    if len(dims) < 2 or not keeps_batch(view, x, dims):
        return "the batch is not kept"
    inside = numbers(dims[1:])
    if None in inside:
        return "a size is not known before it runs"
    return inside.count(-1) <= 1


@layer(
    "Reshape",
    where=_reshapes,
    config=lambda dims: {"target_shape": numbers(dims[1:])},
)
def reshape(x: Input, dims: Dims) -> Term:
    return op.Reshape(x, dims)


@layer(
    "Permute",
    where=lambda perm: perm[0] == 0 and len(perm) > 2 or "the batch is moved",
    config=lambda perm: {"dims": tuple(perm[1:])},
)
def permute(x: Input, perm: Array) -> Term:
    return op.Transpose(x, perm)


def _inner_rows(pads: Any) -> tuple[str, tuple[tuple[int, int], ...]] | None:
    """The data format and the rows of the spatial axes; None where batch or channels are padded too."""
    rows = tuple((int(a), int(b)) for a, b in pads)
    if len(rows) not in (3, 4, 5) or rows[0] != (0, 0):
        return None
    if rows[-1] == (0, 0):
        return "channels_last", rows[1:-1]
    return ("channels_first", rows[2:]) if rows[1] == (0, 0) else None


def _padding(pads: object) -> dict[str, Any]:
    layout, rows = _inner_rows(pads) or ("", ())
    return {"padding": rows if len(rows) > 1 else rows[0], "data_format": layout}


def _zero_padding(dimensions: int) -> Any:
    def fits(pads: Any) -> bool | str:
        if len(pads) != dimensions + 2:
            return f"it is not over {dimensions} spatial axes"
        return _inner_rows(pads) is not None or "batch or channels are padded"

    def formula(x: Input, pads: Array) -> Term:
        return op.Pad(x, pads) | op.Pad(x, pads, 0.0)

    formula.__name__ = f"zero_padding_{dimensions}d"
    return layer(f"ZeroPadding{dimensions}D", where=fits, config=_padding)(formula)


zero_padding_1d = _zero_padding(1)
zero_padding_2d = _zero_padding(2)
zero_padding_3d = _zero_padding(3)


def _crops(b: Bindings) -> list[tuple[int, int]] | None:
    """What is cut from the start and the end of each axis; None where that is not known."""
    crops = []
    for axis, (start, stop) in enumerate(zip(b.begin, b.end)):
        start = 0 if b.first >> axis & 1 else int(start)
        cut: int | None = 0 if b.last >> axis & 1 else -int(stop)
        if cut is not None and cut < 0:
            size = b.view.axis_size(b.x, axis).number
            cut = None if size is None else size + cut
        if (
            start < 0
            or cut is None
            or cut < 0
            or (stop == 0 and not b.last >> axis & 1)
        ):
            return None
        crops.append((start, cut))
    return crops


def _cropping(b: Bindings) -> dict[str, Any]:
    rows = _crops(b) or []
    shape = b.shape or ()
    rows += [(0, 0)] * (len(shape) - len(rows))
    layout, inner = _inner_rows(rows) or ("", ())
    cut = inner[0] if len(inner) == 1 else inner
    return {"cropping": cut} | ({"data_format": layout} if len(inner) > 1 else {})


def _cropping_layer(dimensions: int) -> Any:
    def fits(b: Bindings) -> bool | str:
        shape = b.shape
        if shape is None or len(shape) != dimensions + 2 or len(b.begin) > len(shape):
            return f"the input has not {dimensions} spatial axes"
        if any(step != 1 for step in b.strides):
            return "it takes steps"
        rows = _crops(b)
        if rows is None or not any(a or b for a, b in rows):
            return "what is cut is not known, or nothing"
        whole = _inner_rows(rows + [(0, 0)] * (len(shape) - len(rows)))
        if whole is None or (dimensions == 1 and whole[0] == "channels_first"):
            return "batch or channels are cut"
        if whole[0] == "channels_first" and not any(map(any, whole[1][:-1])):
            return "the last axis alone is cut: channels, for all that is known"
        return True

    def formula(
        x: Input, begin: Array, end: Array, strides: Array, first: Attr, last: Attr
    ) -> Term:
        masks = {"begin_mask": first, "end_mask": last}
        return op.StridedSlice(x, begin, end, strides, **masks)

    formula.__name__ = f"cropping_{dimensions}d"
    return layer(f"Cropping{dimensions}D", where=fits, config=_cropping)(formula)


cropping_1d = _cropping_layer(1)
cropping_2d = _cropping_layer(2)
cropping_3d = _cropping_layer(3)
