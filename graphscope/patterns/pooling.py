"""Pooling layers, windowed and global."""

from __future__ import annotations

from typing import Any

from ..match import Array, Attr, Dims, Input, Pattern, Sizes, Term, View, layer, op
from .keras_arguments import data_format, only_spatial, spatial


def _window(
    size: Any, strides: Any, padding: str, layout: str | None
) -> dict[str, Any]:
    return {
        "pool_size": spatial(size, layout),
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "data_format": data_format(layout),
    }


def _fits(size: Any, strides: Any, padding: str, layout: str | None) -> bool | str:
    if padding not in ("SAME", "VALID"):
        return f"padding {padding} needs a layer of its own"
    fits = only_spatial(size, layout) and only_spatial(strides, layout)
    return fits or "the window spans batch or channels"


def _pooling(kind: str, name: str, keras: str, rank: int) -> Pattern:
    def formula(
        x: Input, size: Attr, strides: Attr, padding: Attr, layout: Attr
    ) -> Term:
        named = {"ksize": size, "strides": strides, "padding": padding}
        return getattr(op, kind)(x, **named, data_format=layout)

    formula.__name__ = name
    return layer(f"{keras}{rank}D", where=_fits, config=_window)(formula)


max_pooling_2d = _pooling("MaxPool", "max_pooling_2d", "MaxPooling", 2)
max_pooling_3d = _pooling("MaxPool3D", "max_pooling_3d", "MaxPooling", 3)
average_pooling_2d = _pooling("AvgPool", "average_pooling_2d", "AveragePooling", 2)
average_pooling_3d = _pooling("AvgPool3D", "average_pooling_3d", "AveragePooling", 3)


def _line(
    size: Any, strides: Any, padding: str, axis: Any, layout: str | None
) -> dict[str, Any]:
    """The one spatial axis that is left when the inserted one is taken away."""
    at = _other(axis, layout)
    return {
        "pool_size": (size[at],),
        "strides": (strides[at],),
        "padding": padding.lower(),
        "data_format": data_format(layout),
    }


def _other(axis: Any, layout: str | None) -> int:
    """Of the two spatial axes of a 4-D tensor, the one that was there before the other was inserted."""
    first = 2 if data_format(layout) == "channels_first" else 1
    inserted = int(axis) % 4
    return first + 1 if inserted == first else first


def _line_fits(
    size: Any, strides: Any, padding: str, layout: str | None, axis: Any, axes: Any
) -> bool | str:
    first = 2 if data_format(layout) == "channels_first" else 1
    if padding not in ("SAME", "VALID") or int(axis) % 4 not in (first, first + 1):
        return "the inserted axis is not a spatial one"
    if [a % 4 for a in axes or ()] != [int(axis) % 4]:
        return "another axis is taken away than was inserted"
    window = size[int(axis) % 4] == strides[int(axis) % 4] == 1
    fits = only_spatial(size, layout) and only_spatial(strides, layout)
    return (window and fits) or "the window spans the inserted axis"


def _pooling_1d(kind: str, name: str, keras: str) -> Pattern:
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
        pooled = getattr(op, kind)(op.ExpandDims(x, axis), **named, data_format=layout)
        return op.Squeeze(pooled, squeeze_dims=axes)

    formula.__name__ = name
    return layer(f"{keras}1D", where=_line_fits, config=_line)(formula)


max_pooling_1d = _pooling_1d("MaxPool", "max_pooling_1d", "MaxPooling")
average_pooling_1d = _pooling_1d("AvgPool", "average_pooling_1d", "AveragePooling")


def _axes(view: View, x: Any, axis: Any) -> tuple[tuple[int, ...], int | None]:
    """The axes counted from the front, sorted, and the rank where it is known."""
    given = axis if isinstance(axis, tuple) else (axis,)
    shape = view.shape(x)
    if shape is None:
        return tuple(sorted(given)), None
    return tuple(sorted(a % len(shape) for a in given)), len(shape)


def _spatial_axes(view: View, x: Any, axis: Any) -> bool | str:
    axes, rank = _axes(view, x, axis)
    if rank is None:  # a 4-D image, unless proven otherwise
        return axes in ((1, 2), (2, 3), (1, 2, 3)) or "the rank is not known"
    last = axes == tuple(range(1, rank - 1))
    first = axes == tuple(range(2, rank))
    return (3 <= rank <= 5 and (last or first)) or "it is not over the spatial axes"


def _global(name: str, kind: str, keras: str, dimensions: int) -> Pattern:
    def fits(view: View, x: Any, axis: Any) -> bool | str:
        if len(axis if isinstance(axis, tuple) else (axis,)) != dimensions:
            return f"it is not over {dimensions} axes"
        return _spatial_axes(view, x, axis)

    def config(view: View, x: Any, axis: Any, keepdims: bool) -> dict[str, Any]:
        last = _axes(view, x, axis)[0][0] == 1
        return {
            "data_format": "channels_last" if last else "channels_first",
            "keepdims": keepdims,
        }

    def formula(x: Input, axis: Array, keepdims: Attr) -> Term:
        return getattr(op, kind)(x, axis, keep_dims=keepdims)

    formula.__name__ = name
    return layer(f"Global{keras}Pooling{dimensions}D", where=fits, config=config)(
        formula
    )


global_average_1d = _global("global_average_1d", "Mean", "Average", 1)
global_average_2d = _global("global_average_2d", "Mean", "Average", 2)
global_average_3d = _global("global_average_3d", "Mean", "Average", 3)
global_max_1d = _global("global_max_1d", "Max", "Max", 1)
global_max_2d = _global("global_max_2d", "Max", "Max", 2)
global_max_3d = _global("global_max_3d", "Max", "Max", 3)


def _by_reshape(name: str, kind: str, keras: str) -> Pattern:
    """Each window an axis of its own: ``reduce_mean(reshape(x, [-1, h / p, p, w / q, q, c]), [2, 4])``."""

    def fits(view: View, x: Any, dims: Sizes, axis: Any) -> bool | str:
        shape = view.shape(x)
        if shape is None or len(shape) != 4 or None in shape[1:] or len(dims) != 6:
            return "it is no image of known size, or has no axis for each window"
        sizes = [size.number for size in dims[1:] if size is not None]
        if len(sizes) != 5 or any(n is None or n < 1 for n in sizes):
            return "the windows' sizes are not known"
        if not isinstance(axis, tuple) or sorted(a % 6 for a in axis) != [2, 4]:
            return "it is not over the windows"
        rows, high, columns, wide, channels = (n or 0 for n in sizes)
        whole = (rows * high, columns * wide, channels) == shape[1:]
        return whole or "the windows do not share out the image"

    def config(dims: Sizes) -> dict[str, Any]:
        high, wide = (size.number if size else None for size in (dims[2], dims[4]))
        return {"pool_size": (high, wide), "strides": (high, wide), "padding": "valid"}

    def formula(x: Input, dims: Dims, axis: Array) -> Term:
        return getattr(op, kind)(op.Reshape(x, dims), axis, keep_dims=False)

    formula.__name__ = name
    return layer(f"{keras}Pooling2D", where=fits, config=config)(formula)


average_by_reshape = _by_reshape("average_by_reshape", "Mean", "Average")
max_by_reshape = _by_reshape("max_by_reshape", "Max", "Max")
