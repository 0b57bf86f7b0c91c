"""Pooling layers, windowed and global."""

from __future__ import annotations

from typing import Any

from ..match import (
    Array,
    Attr,
    Bindings,
    Dims,
    Input,
    Pattern,
    Sizes,
    Term,
    layer,
    op,
)
from .canonical.convolutions import family
from .keras_arguments import only_spatial


def _fits(b: Bindings) -> bool | str:
    if b.padding not in ("SAME", "VALID"):
        return f"padding {b.padding} needs a layer of its own"
    windows = (only_spatial(each, b.data_format) for each in (b.ksize, b.strides))
    return all(windows) or "the window spans batch or channels"


def _pooling(kind: str, name: str, keras: str, axes: int) -> Pattern:
    def formula(
        x: Input, ksize: Attr, strides: Attr, padding: Attr, data_format: Attr
    ) -> Term:
        named = {"ksize": ksize, "strides": strides, "padding": padding}
        return getattr(family(axes), kind)(x, **named, data_format=data_format)

    formula.__name__ = name
    return layer(f"{keras}{axes}D", where=_fits)(formula)


max_pooling_1d = _pooling("MaxPool", "max_pooling_1d", "MaxPooling", 1)
max_pooling_2d = _pooling("MaxPool", "max_pooling_2d", "MaxPooling", 2)
max_pooling_3d = _pooling("MaxPool3D", "max_pooling_3d", "MaxPooling", 3)
average_pooling_1d = _pooling("AvgPool", "average_pooling_1d", "AveragePooling", 1)
average_pooling_2d = _pooling("AvgPool", "average_pooling_2d", "AveragePooling", 2)
average_pooling_3d = _pooling("AvgPool3D", "average_pooling_3d", "AveragePooling", 3)


def _axes(b: Bindings) -> tuple[int, ...]:
    """The axes counted from the front where the rank is known, sorted."""
    axes = b.axis if isinstance(b.axis, tuple) else (b.axis,)
    return tuple(sorted(a if b.shape is None else a % len(b.shape) for a in axes))


def _spatial_axes(b: Bindings) -> bool | str:
    axes = _axes(b)
    if b.shape is None:  # a 4-D image, unless proven otherwise
        return axes in ((1, 2), (2, 3), (1, 2, 3)) or "the rank is not known"
    rank = len(b.shape)
    spatial = axes in (tuple(range(1, rank - 1)), tuple(range(2, rank)))
    return (3 <= rank <= 5 and spatial) or "it is not over the spatial axes"


def _global(name: str, kind: str, keras: str, dimensions: int) -> Pattern:
    def fits(b: Bindings) -> bool | str:
        return len(_axes(b)) == dimensions or f"it is not over {dimensions} axes"

    def config(b: Bindings) -> dict[str, Any]:
        layout = "channels_last" if _axes(b)[0] == 1 else "channels_first"
        return {"data_format": layout, "keepdims": b.keepdims}

    def formula(x: Input, axis: Array, keepdims: Attr) -> Term:
        return getattr(op, kind)(x, axis, keep_dims=keepdims)

    formula.__name__ = name
    options: Any = {"where": (fits, _spatial_axes), "config": config}
    return layer(f"Global{keras}Pooling{dimensions}D", **options)(formula)


global_average_1d = _global("global_average_1d", "Mean", "Average", 1)
global_average_2d = _global("global_average_2d", "Mean", "Average", 2)
global_average_3d = _global("global_average_3d", "Mean", "Average", 3)
global_max_1d = _global("global_max_1d", "Max", "Max", 1)
global_max_2d = _global("global_max_2d", "Max", "Max", 2)
global_max_3d = _global("global_max_3d", "Max", "Max", 3)


def _by_reshape(name: str, kind: str, keras: str) -> Pattern:
    """Each window an axis of its own: ``reduce_mean(reshape(x, [-1, h / p, p, w / q, q, c]), [2, 4])``."""

    def fits(b: Bindings) -> bool | str:
        shape = b.shape
        if shape is None or len(shape) != 4 or None in shape[1:] or len(b.dims) != 6:
            return "it is no image of known size, or has no axis for each window"
        sizes = [size.number for size in b.dims[1:] if size is not None]
        if len(sizes) != 5 or any(n is None or n < 1 for n in sizes):
            return "the windows' sizes are not known"
        if not isinstance(b.axis, tuple) or sorted(a % 6 for a in b.axis) != [2, 4]:
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
