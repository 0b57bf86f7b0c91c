"""Local response normalization (AlexNet, section 3.3): divided by a power of the sum of squares over neighbouring channels.

Keras has no such layer: the source defines one. Spellings: TensorFlow's op, a padded square whose windows are sliced and
added (Keras ports of GoogLeNet), and PyTorch's ``avg_pool3d`` over a channel axis that a reshape made spatial (ONNX).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Tensor
from ...match import (
    ANY,
    Array,
    Attr,
    Bindings,
    Dims,
    Input,
    Pattern,
    Scalar,
    Size,
    Term,
    View,
    layer,
    op,
)
from ...match.solver.match import plain_float
from ..keras_arguments import shortened


def _numbers(b: Bindings, width: int = 1) -> dict[str, float]:
    """Bias, alpha (of a sum of ``width`` squares whose mean was taken) and beta."""
    settings = {"bias": b.bias, "alpha": b.alpha / width, "beta": b.beta}
    return {name: shortened(plain_float(value)) for name, value in settings.items()}


@layer(
    "LocalResponseNormalization", config=lambda b: {"radius": b.radius, **_numbers(b)}
)
def local_response(x: Input, radius: Attr, bias: Attr, alpha: Attr, beta: Attr) -> Term:
    return op.LRN(x, depth_radius=radius, bias=bias, alpha=alpha, beta=beta)


def _padded_axis(rank: int, pads: Any, width: int) -> int | None:
    """The one axis that is padded by half a window on both sides; None where there is no such axis."""
    padded = [i for i, pair in enumerate(pads) if any(pair)]
    half = [width // 2] * 2
    if len(pads) != rank or len(padded) != 1 or list(pads[padded[0]]) != half:
        return None
    return padded[0]


def _power(x: Any, total: Any, alpha: Any, bias: Any, beta: Any) -> Term:
    return x / op.Pow(bias + alpha * total, beta)


def _offsets(view: View, slices: list[str], axis: int, rank: int) -> list[int] | None:
    """Where each slice begins along the axis; None where one is not known, or cuts along another axis too."""
    offsets = []
    for name in slices:
        begin = view.number(view.inputs[name][1])
        if begin is not None and view.attrs[name].get("ellipsis_mask") == 1:
            begin = np.append(np.zeros(rank - begin.size + 1), begin[1:])
        if begin is None or begin.size <= axis or np.delete(begin, axis).any():
            return None
        offsets.append(int(begin.reshape(-1)[axis]))
    return sorted(offsets)


def _sliced(width: int) -> Pattern:
    def fits(b: Bindings) -> bool | str:
        shape = b.shape
        axis = None if shape is None else _padded_axis(len(shape), b.pads, width)
        if shape is None or axis is None:
            return "it is not padded by half a window along one axis"
        slices = [*b.nodes("StridedSlice"), *b.nodes("Slice")]
        if _offsets(b.view, slices, axis, len(shape)) != list(range(width)):
            return "the slices are not those of one window"
        whole = all(b.view.shape(Tensor(name)) == shape for name in slices)
        return whole or "a slice is not as long as the input"

    def config(b: Bindings) -> dict[str, Any]:
        rank = len(b.shape or ())
        axis = _padded_axis(rank, b.pads, width)
        where = {} if axis == rank - 1 else {"axis": axis}
        return {"radius": width // 2, **_numbers(b), **where}

    def formula(
        x: Input, pads: Array, bias: Scalar, alpha: Scalar, beta: Scalar
    ) -> Term:
        squares = op.Pad(x**2, pads)
        parts: list[Any] = [_part(squares) for _ in range(width)]
        together, apart = parts[0], bias + alpha * parts[0]
        for part in parts[1:]:  # in the order of a loop: a sum would try every other
            together = op.Add(together, part)
            apart = op.Add(apart, alpha * part)
        return _power(x, together, alpha, bias, beta) | x / op.Pow(apart, beta)

    formula.__name__ = f"local_response_of_{width}_slices"
    return layer("LocalResponseNormalization", where=fits, config=config)(formula)


def _part(squares: object) -> Term:
    masks = {f"{name}_mask": ANY for name in ("begin", "end", "ellipsis")}
    return op.StridedSlice(squares, ..., **masks) | op.Slice(squares, ...)


local_response_3 = _sliced(3)
local_response_5 = _sliced(5)
local_response_7 = _sliced(7)


def _pooled_fits(b: Bindings) -> bool | str:
    shape = b.shape
    if shape is None or len(shape) != 4:
        return "it is no image"
    if (
        list(b.size) != [1, 1, b.size[2], 1, 1]
        or _padded_axis(5, b.pads, b.size[2]) != 2
    ):
        return "the window is not one of neighbouring channels"
    whole = [b.view.axis_size(b.x, axis) for axis in range(4)]
    split = [whole[0], Size(1), *whole[1:]]
    same = [a in (b, Size(-1)) for a, b in zip(b.dims, split)]
    if len(b.dims) != 5 or not all(same) or sum(a == Size(-1) for a in b.dims) > 1:
        return "the channels have no axis of their own"
    ends = [b.view.shape(Tensor(name)) for name in b.nodes("Reshape")]
    return shape in ends or "the shape is not restored"


@layer(
    "LocalResponseNormalization",
    where=_pooled_fits,
    config=lambda b: {
        "radius": b.size[2] // 2,
        **_numbers(b, b.size[2]),
        "axis": 1,
    },
)
def local_response_pooled(
    x: Input,
    dims: Dims,
    pads: Array,
    size: Attr,
    bias: Scalar,
    alpha: Scalar,
    beta: Scalar,
) -> Term:
    """``F.local_response_norm``, exported: a mean over a window of channels."""
    pooled = op.AvgPool3D(
        op.Pad(op.Reshape(x**2, dims), pads),
        ksize=size,
        strides=(1, 1, 1, 1, 1),
        padding="VALID",
        data_format="NCDHW",
    )
    return _power(x, op.Reshape(pooled, ANY), alpha, bias, beta)
