"""Joining and splitting: concat, pack, unpack, split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import Dim, add, axis_of, merge, unknown

_FIRST = slice(0, 1)


def _concatenated(shapes: Sequence[Shape], axis: int | None) -> Shape:
    ranked = [shape for shape in shapes if shape is not None]
    if not ranked:
        return None
    rank = len(ranked[0])
    if any(len(shape) != rank for shape in ranked):
        raise Unsaid("concatenated tensors differ in rank")
    if axis is None:
        return unknown(rank)
    at = axis_of(axis, rank)
    joined: Shape = unknown(rank)
    for shape in ranked:
        joined = merge(joined, (*shape[:at], None, *shape[at + 1 :]))
    total: Dim = 0
    for other in shapes:
        total = add(total, None if other is None else other[at])
    return (*joined[:at], total, *joined[at + 1 :])  # type: ignore[index]


def _concat_text(call: Call, texts: Sequence[str], axis: int | None) -> str | None:
    if axis is None:
        return None
    if len(texts) == 1:
        return texts[0]
    parts = [_tensor_text(each) for each in texts if each != "[]"]
    return f"ops.concatenate([{', '.join(parts)}], axis={axis})"


def _tensor_text(text: str) -> str:
    """Sizes are said in a list; Keras joins tensors alone."""
    return f"ops.stack({text})" if text.startswith("[") else text


def _shapes(call: Call) -> list[Shape]:
    return [spec.shape for spec in call.inputs]


define(
    "ConcatV2",
    shape=lambda call: (_concatenated(_shapes(call)[:-1], call.integer(-1)),),
    keras=lambda call, *texts: _concat_text(call, texts[:-1], call.integer(-1)),
    fold=lambda *xs: np.concatenate(xs[:-1], int(xs[-1].reshape(()))),
    traits="movement",
    moves=slice(0, -1),
)
define(
    "Concat",
    shape=lambda call: (_concatenated(_shapes(call)[1:], call.integer(0)),),
    keras=lambda call, *texts: _concat_text(call, texts[1:], call.integer(0)),
    fold=lambda *xs: np.concatenate(xs[1:], int(xs[0].reshape(()))),
    traits="movement",
    moves=slice(1, None),
)
define(
    "ConcatOffset",
    shape=lambda call: _shapes(call)[1:],
    fold=lambda axis, *shapes: tuple(_offsets(int(axis), shapes)),
)


def _offsets(axis: int, shapes: Sequence[np.ndarray]) -> list[np.ndarray]:
    offsets, start = [], 0
    for shape in shapes:
        offset = np.zeros_like(shape)
        offset[axis] = start
        start += shape[axis]
        offsets.append(offset)
    return offsets


def _pack_shape(call: Call) -> tuple[Shape]:
    shapes = _shapes(call)
    merged: Shape = None
    for shape in shapes:
        merged = merge(merged, shape)
    if merged is None:
        return (None,)
    at = axis_of(call["axis"], len(merged) + 1)
    return ((*merged[:at], len(shapes), *merged[at:]),)


def _pack_text(call: Call, *texts: str) -> str:
    """Known numbers are written as arrays: Keras stacks nothing but tensors."""
    parts = list(texts)
    for slot in range(len(parts)):
        constant = call.value(slot)
        if constant is not None and constant.ndim == 0 and constant.dtype.kind in "iuf":
            value, dtype = literal(constant[()]), literal(constant.dtype.name)
            parts[slot] = f"ops.array({value}, {dtype})"
    return f"ops.stack([{', '.join(parts)}], axis={call['axis']})"


define(
    "Pack",
    shape=_pack_shape,
    keras=_pack_text,
    fold=lambda *xs, axis: np.stack(xs, axis),
    traits="movement",
    moves=slice(None),
)


def _unpack_shape(call: Call) -> Sequence[Shape]:
    shape, count = call.shape(0), int(call["num"])
    if shape is None:
        return (None,) * count
    at = axis_of(call["axis"], len(shape))
    return ((*shape[:at], *shape[at + 1 :]),) * count


define(
    "Unpack",
    shape=_unpack_shape,
    keras=lambda call, x: f"ops.unstack({x}, {call['num']}, axis={call['axis']})",
    fold=lambda x, *, axis: tuple(np.moveaxis(x, axis, 0)),
    traits="movement",
    moves=_FIRST,
)


def _split_shape(call: Call) -> Sequence[Shape]:
    axis, shape, count = call.integer(0), call.shape(1), int(call["num_split"])
    if shape is None or axis is None:
        return ((None if shape is None else unknown(len(shape))),) * count
    at = axis_of(axis, len(shape))
    size = shape[at]
    part = None if size is None else size // count
    return ((*shape[:at], part, *shape[at + 1 :]),) * count


def _split_text(call: Call, _: str, x: str) -> str | None:
    axis = call.integer(0)
    if axis is None:
        return None
    if int(call["num_split"]) == 1:
        return x
    return f"ops.split({x}, {call['num_split']}, axis={axis})"


define(
    "Split",
    shape=_split_shape,
    keras=_split_text,
    fold=lambda axis, x, *, num_split: tuple(
        np.split(x, num_split, int(axis.reshape(())))
    ),
    traits="movement",
    moves=slice(1, 2),
)


def _sizes(call: Call) -> Sequence[Dim]:
    """The parts of SplitV, -1 filled in."""
    parts, axis, shape = call.dims(1), call.integer(2), call.shape(0)
    if parts is None:
        return (None,) * int(call["num_split"])
    sizes: list[Dim] = list(parts)
    if -1 in sizes:
        at = sizes.index(-1)
        whole = (
            None if shape is None or axis is None else shape[axis_of(axis, len(shape))]
        )
        others = [size for i, size in enumerate(sizes) if i != at]
        rest: Dim = whole
        for size in others:
            rest = add(rest, None if size is None else -size)
        sizes[at] = rest
    return sizes


def _split_v_shape(call: Call) -> Sequence[Shape]:
    shape, axis, sizes = call.shape(0), call.integer(2), _sizes(call)
    if shape is None or axis is None:
        return [None if shape is None else unknown(len(shape)) for _ in sizes]
    at = axis_of(axis, len(shape))
    return [(*shape[:at], size, *shape[at + 1 :]) for size in sizes]


def _split_v_text(call: Call, x: str, parts: str, axis: str) -> str | None:
    sizes, at = _sizes(call), call.integer(2)
    if at is None or any(size is None for size in sizes[:-1]):
        return None
    if len(sizes) == 1:
        return x
    cuts = np.cumsum([size or 0 for size in sizes[:-1]]).tolist()
    return f"ops.split({x}, {literal(cuts)}, axis={at})"


def _split_v(x: np.ndarray, sizes: np.ndarray, axis: np.ndarray) -> tuple[Any, ...]:
    at, parts = int(axis.reshape(())), [int(size) for size in sizes]
    if -1 in parts:
        parts[parts.index(-1)] = x.shape[at] - sum(parts) - 1
    return tuple(np.split(x, np.cumsum(parts)[:-1], at))


define(
    "SplitV",
    shape=_split_v_shape,
    keras=_split_v_text,
    fold=_split_v,
    traits="movement",
    moves=_FIRST,
)
