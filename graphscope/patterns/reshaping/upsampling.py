"""Up-sampling and resizing: by a resize op whose size is a multiple of the input's, or by repetition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...graph import Tensor
from ...match import (
    Array,
    Bindings,
    Dims,
    Input,
    Pattern,
    Size,
    Sizes,
    Term,
    View,
    layer,
    named,
    op,
)
from ...ops.values.size import numbers


def _factors(b: Bindings) -> tuple[int, ...] | None:
    factors = []
    for axis, after in enumerate(b._size, start=1):
        quotient = (
            after.over(b.view.axis_size(b.x, axis)) if after is not None else None
        )
        if quotient is None or quotient.number is None or quotient.number < 1:
            return None
        factors.append(quotient.number)
    return tuple(factors)


def _grows(b: Bindings) -> bool | str:
    whole = _factors(b) is not None
    return whole or "the new size is no multiple of the old one"


def _keeps_dtype(interpolation: str) -> Callable[[Bindings], bool | str]:
    """ResizeBilinear makes float32 of whatever goes in; the layers of Keras give what they take."""

    def keeps(b: Bindings) -> bool | str:
        spec = b.view.specs.get(b.x)
        dtype = spec.dtype if spec is not None else ""
        if interpolation == "nearest" or dtype in ("", "float32"):
            return True
        return f"float32 is made of {dtype}, which the layer would keep"

    return keeps


def _upsampling(interpolation: str) -> Callable[[Callable[..., Term]], Pattern]:
    """An image that grows by whole factors."""
    return layer(
        "UpSampling2D",
        where=(_grows, _keeps_dtype(interpolation)),
        config=lambda b: {
            "size": _factors(b),
            "data_format": "channels_last",
            "interpolation": interpolation,
        },
    )


@_upsampling("nearest")
def upsampling_nearest(x: Input, _size: Dims) -> Term:
    """For whole factors all of TensorFlow's nearest-neighbour conventions but align_corners agree."""
    return op.ResizeNearestNeighbor(x, _size) | op.ResizeNearestNeighbor(
        x, _size, half_pixel_centers=True
    )


@_upsampling("bilinear")
def upsampling_bilinear(x: Input, _size: Dims) -> Term:
    return op.ResizeBilinear(x, _size, half_pixel_centers=True)


def _repetition(
    view: View, x: Tensor, axis: Any, times: Sizes, outer: Sizes
) -> int | None:
    """How often each entry of one axis is repeated (``tf.repeat``: a new axis, tiled, folded into the one before)."""
    at, rank = int(axis), len(outer)
    if len(times) != rank + 1 or not 1 < at < rank + 1:
        return None
    counts = numbers(times)
    factor = counts[at]
    if factor is None or any(c != 1 for i, c in enumerate(counts) if i != at):
        return None
    sizes = [view.axis_size(x, i) for i in range(rank)]
    scaled = sizes[at - 1].times(Size(factor))
    for i, size in enumerate(outer):
        if size != (scaled if i == at - 1 else sizes[i]) and not _is_batch(i, size):
            return None
    return factor


def _is_batch(axis: int, size: Size | None) -> bool:
    return axis == 0 and size == Size(-1)


def _repeats(b: Bindings) -> bool | str:
    repeated = _repetition(b.view, b.x, b.axis, b.times, b.outer)
    if repeated is None or int(b.axis) != 2 or len(b.outer) != 3:
        return "it is not the middle one of three axes that is repeated"
    return True


@layer(
    "UpSampling1D",
    where=_repeats,
    config=lambda b: {"size": _repetition(b.view, b.x, b.axis, b.times, b.outer)},
)
def upsampling_1d(x: Input, axis: Array, times: Dims, outer: Dims) -> Term:
    return op.Reshape(op.Tile(op.ExpandDims(x, axis), times), outer)


def _repeats_twice(b: Bindings) -> bool | str:
    first = _repetition(b.view, b.x, b.axis, b.times, b.outer)
    second = _repetition(b.view, b.middle, b.axis2, b.times2, b.outer2)
    if first is None or second is None or len(b.outer) != 4:
        return "it is not two axes of four that are repeated"
    return (int(b.axis), int(b.axis2)) in (
        (2, 3),
        (3, 4),
    ) or "the axes are no neighbours"


@layer(
    "UpSampling2D",
    where=_repeats_twice,
    config=lambda b: {
        "size": (
            _repetition(b.view, b.x, b.axis, b.times, b.outer),
            _repetition(b.view, b.middle, b.axis2, b.times2, b.outer2),
        ),
        "data_format": "channels_last" if int(b.axis) == 2 else "channels_first",
        "interpolation": "nearest",
    },
)
def upsampling_by_repetition(
    x: Input,
    axis: Array,
    times: Dims,
    outer: Dims,
    axis2: Array,
    times2: Dims,
    outer2: Dims,
) -> Term:
    """Keras 3's own way."""
    rows = op.Reshape(op.Tile(op.ExpandDims(x, axis), times), outer)
    tiled = op.Tile(op.ExpandDims(named("middle", rows), axis2), times2)
    return op.Reshape(tiled, outer2)


def _resizing(interpolation: str) -> Callable[[Callable[..., Term]], Pattern]:
    """An image of any size that is given another."""

    def fits(b: Bindings) -> bool | str:
        is_image = b.shape is not None and len(b.shape) == 4
        return (
            is_image
            and None not in numbers(b._size)
            or "the new size is not a constant"
        )

    return layer(
        "Resizing",
        where=(fits, _keeps_dtype(interpolation)),
        config=lambda b: dict(zip(("height", "width"), numbers(b._size))),
        interpolation=interpolation,
    )


@_resizing("bilinear")
def resizing_bilinear(x: Input, _size: Dims) -> Term:
    return op.ResizeBilinear(x, _size, half_pixel_centers=True)


@_resizing("nearest")
def resizing_nearest(x: Input, _size: Dims) -> Term:
    return op.ResizeNearestNeighbor(x, _size, half_pixel_centers=True)


def _times(times: Sizes) -> int | None:
    counts = numbers(times)
    middle = counts[1] if len(counts) == 3 else None
    return middle if middle and counts[0] == counts[2] == 1 else None


@layer(
    "RepeatVector",
    where=lambda axis, times: (int(axis) == 1 and _times(times) is not None)
    or "it is not the new middle axis that is repeated",
    config=lambda times: {"n": _times(times)},
)
def repeat_vector(x: Input, axis: Array, times: Dims) -> Term:
    return op.Tile(op.ExpandDims(x, axis), times)
