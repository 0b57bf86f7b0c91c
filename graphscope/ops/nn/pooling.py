"""Pooling, and what its gradients yield."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import Dim, ranked, same, shape_from, spatial_axes, window


def _sizes(call: Call, attr: str, slot: int, rank: int) -> tuple[int, ...]:
    """ksize or strides: an attribute, or in the V2 ops an input."""
    sizes = call.integers(slot) if len(call.inputs) > slot else call[attr]
    if sizes is None or len(sizes) != rank:
        raise Unsaid(f"{attr} are unknown or not one an axis")
    return tuple(sizes)


def _explicit(call: Call, rank: int) -> list[tuple[int, int]]:
    flat = call.get("explicit_paddings") or ()
    if call["padding"] != "EXPLICIT":
        return [(0, 0)] * rank
    if len(flat) != 2 * rank:
        raise Unsaid("explicit_paddings are not two an axis")
    return [(int(flat[2 * i]), int(flat[2 * i + 1])) for i in range(rank)]


def _pooled(rank: int) -> Callable[[Call], tuple[Shape]]:
    def shape(call: Call) -> tuple[Shape]:
        image = ranked(call.shape(0), rank)
        spatial_axes(call.get("data_format", "NHWC"), rank)
        sizes = _sizes(call, "ksize", 1, rank)
        strides, pads = _sizes(call, "strides", 2, rank), _explicit(call, rank)
        return (
            tuple(
                window(image[a], sizes[a], strides[a], 1, call["padding"], pads[a])
                for a in range(rank)
            ),
        )

    return shape


def _text(function: str, rank: int) -> Callable[..., str | None]:
    def text(call: Call, x: str, *_: str) -> str | None:
        channels, axes = spatial_axes(call.get("data_format", "NHWC"), rank)
        sizes = _sizes(call, "ksize", 1, rank)
        strides = _sizes(call, "strides", 2, rank)
        for per_axis in (sizes, strides):
            if per_axis[0] != 1 or per_axis[channels] != 1:
                return None  # pools over channels or the batch
        if call["padding"] not in ("SAME", "VALID"):
            return None
        layout = "first" if channels == 1 else "last"
        return (
            f"ops.{function}({x}, {literal(tuple(sizes[a] for a in axes))}, "
            f"strides={literal(tuple(strides[a] for a in axes))}, "
            f'padding={literal(call["padding"].lower())}, data_format="channels_{layout}")'
        )

    return text


define("MaxPool", "MaxPoolV2", shape=_pooled(4), keras=_text("max_pool", 4))
define("AvgPool", shape=_pooled(4), keras=_text("average_pool", 4))
define("MaxPool3D", shape=_pooled(5), keras=_text("max_pool", 5))
define("AvgPool3D", shape=_pooled(5), keras=_text("average_pool", 5))


def _known(sizes: Sequence[Dim]) -> tuple[int, ...] | None:
    known = tuple(size for size in sizes if size is not None)
    return known if len(known) == len(sizes) else None


def _places_text(call: Call, x: str) -> str | None:
    """Where in the image the largest number of each window lies: first in the window, then ``(row * columns + column) * channels + channel``."""
    image = _known(ranked(call.shape(0), 4)[1:])
    output = _known(ranked(_pooled(4)(call)[0], 4)[1:])
    size, steps = _sizes(call, "ksize", 1, 4)[1:3], _sizes(call, "strides", 2, 4)[1:3]
    if image is None or output is None or call["include_batch_in_index"]:
        return None
    rows, columns, channels = image
    ends = [(o - 1) * s + k for o, s, k in zip(output, steps, size)]
    missing = [max(end - n, 0) for end, n in zip(ends, image)]
    around = [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)]
    if any(missing):
        least = literal(float(np.finfo(call.dtype(0)).min))
        x = f"ops.pad({x}, {literal(tuple(around))}, constant_values={least})"
    patches = (
        f"ops.image.extract_patches({x}, {literal(size)}, strides={literal(steps)}, "
        f'padding="valid", data_format="channels_last")'
    )
    windows = f"ops.reshape({patches}, {literal((-1, *output[:2], math.prod(size), channels))})"
    offsets = [row * columns + column for row, column in np.ndindex(*size)]
    within = f'ops.take(ops.array({literal(offsets)}, "int32"), ops.argmax({windows}, axis=3))'
    # Keras would take what is added for a bias along another axis: subtracted
    down = f"ops.reshape(ops.arange({output[0]}) * {-steps[0] * columns}, (-1, 1, 1))"
    along = f"ops.reshape(ops.arange({output[1]}) * {-steps[1]}, (-1, 1))"
    corner = around[1][0] * columns + around[2][0]
    place = f"({within} - {down} - {along}{f' - {corner}' if corner else ''})"
    index = f"{place} * {channels} + ops.arange({channels})" if channels > 1 else place
    return f"ops.cast({index}, {literal(call['Targmax'])})"


def _with_places(call: Call, x: str) -> str:
    floats = call.dtype(0) in ("float16", "float32", "float64")
    places = _places_text(call, x) if floats else None
    return f"({_text('max_pool', 4)(call, x)}, {places})"


define(
    "MaxPoolWithArgmax",
    shape=lambda call: _pooled(4)(call) * 2,
    keras=_with_places,
)
define(
    "MaxPoolGrad",
    "MaxPoolGradV2",
    "MaxPoolGradWithArgmax",
    "MaxPool3DGrad",
    shape=same,
)
define(
    "MaxPoolGradGrad",
    "MaxPoolGradGradV2",
    "MaxPool3DGradGrad",
    shape=lambda call: (call.shape(1),),
)
define("AvgPoolGrad", shape=lambda call: (ranked(shape_from(call, 0), 4),))
define("AvgPool3DGrad", shape=lambda call: (ranked(shape_from(call, 0), 5),))


def _fractional_shape(call: Call) -> tuple[Shape, Shape, Shape]:
    image, ratio = ranked(call.shape(0), 4), call["pooling_ratio"]
    output = tuple(
        None if size is None else int(size // step)
        for size, step in zip(image, ratio, strict=True)
    )
    rows, columns = (None if s is None else s + 1 for s in output[1:3])
    return output, (rows,), (columns,)


define("FractionalMaxPool", "FractionalAvgPool", shape=_fractional_shape)
