"""Slices and gathers: what picks elements by position."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Shape
from .dims import Dim, axis_of, join, same, shape_from, unknown
from .registry import Call, Unsaid, define
from .text import literal

_FIRST = slice(0, 1)


def _slice_shape(call: Call) -> tuple[Shape]:
    shape, begin, size = call.shape(0), call.dims(1), call.dims(2)
    rank = next((len(s) for s in (shape, begin, size) if s is not None), None)
    if rank is None:
        return (None,)
    if size is None:
        return (unknown(rank),)
    starts = begin or unknown(rank)
    whole = shape or unknown(rank)
    made: list[Dim] = []
    for length, start, full in zip(size, starts, whole, strict=True):
        if length == -1:
            length = None if full is None or start is None else full - start
        made.append(length)
    return (tuple(made),)


def _slice_text(call: Call, x: str, begin: str, size: str) -> str | None:
    starts, sizes = call.integers(1), call.integers(2)
    if starts is None or sizes is None:
        return None
    parts = []
    for start, length in zip(starts, sizes, strict=True):
        stop = "" if length == -1 else str(start + length)
        parts.append(f"{start or ''}:{stop}")
    return _subscript(x, parts)


def _subscript(x: str, parts: list[str]) -> str:
    while parts and parts[-1] == ":":
        parts.pop()
    return f"{x}[{', '.join(parts)}]" if parts else x


def _slice(x: np.ndarray, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    return x[
        tuple(
            slice(int(b), None if s == -1 else int(b) + int(s))
            for b, s in zip(begin, size, strict=True)
        )
    ]


define(
    "Slice",
    shape=_slice_shape,
    keras=_slice_text,
    fold=_slice,
    traits="movement",
    moves=_FIRST,
)


def _index(call: Call) -> list[Any]:
    """StridedSlice's begin, end, strides and masks -> what stands between numpy's brackets.

    An unknown begin or end is None in ``_Part``; raises Unsaid where even their number or the strides are unknown.
    """
    begin, end, strides = call.dims(1), call.dims(2), call.dims(3)
    if begin is None or end is None or strides is None:
        raise Unsaid("bounds of unknown number")
    found: list[Any] = []
    for at, (start, stop, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << at
        if call["ellipsis_mask"] & bit:
            found.append(Ellipsis)
        elif call["new_axis_mask"] & bit:
            found.append(None)
        elif call["shrink_axis_mask"] & bit:
            found.append(_Part(start, None, 1, False, True, True))
        else:
            open_start = bool(call["begin_mask"] & bit)
            open_stop = bool(call["end_mask"] & bit)
            found.append(_Part(start, stop, step, open_start, open_stop, False))
    return found


class _Part:
    """One axis of a strided slice: a slice with open ends, or one position."""

    def __init__(
        self,
        start: Dim,
        stop: Dim,
        step: Dim,
        open_start: bool,
        open_stop: bool,
        one: bool,
    ) -> None:
        self.start, self.stop, self.step, self.one = start, stop, step, one
        self.open_start, self.open_stop = open_start, open_stop

    @property
    def is_known(self) -> bool:
        """Whether start, stop and step are all numbers (or open)."""
        if self.one:
            return self.start is not None
        return (
            self.step is not None
            and (self.open_start or self.start is not None)
            and (self.open_stop or self.stop is not None)
        )

    def index(self) -> Any:
        """What numpy takes; raises Unsaid where it is not known."""
        if not self.is_known:
            raise Unsaid("bounds unknown")
        if self.one:
            return self.start
        return slice(
            None if self.open_start else self.start,
            None if self.open_stop else self.stop,
            self.step,
        )

    def size(self, whole: Dim) -> Dim:
        """How many elements are left of an axis."""
        if self.is_known and whole is not None:
            return len(range(*self.index().indices(whole)))
        if self.is_known and self.step == 1:
            return self._size_of_prefix()
        return None

    def _size_of_prefix(self) -> Dim:
        """``x[0:0]`` is empty and ``x[:]`` whole whatever the size; all other sizes depend on it."""
        start = 0 if self.open_start else self.start
        if not self.open_stop and start == self.stop:
            return 0
        return None

    def text(self) -> str:
        """As Python writes it between brackets."""
        index = self.index()
        if self.one:
            return str(index)
        start = "" if not index.start else str(index.start)
        stop = "" if index.stop is None else str(index.stop)
        if index.step < 0 and not self.open_start:
            start = str(index.start)
        return f"{start}:{stop}" + ("" if index.step == 1 else f":{index.step}")


def _strided_shape(call: Call) -> tuple[Shape]:
    shape, parts = call.shape(0), _index(call)
    if shape is None:
        return (None,)
    left = list(shape)
    spent = sum(isinstance(part, _Part) for part in parts)
    if spent > len(left):
        raise Unsaid("more bounds than dimensions")
    made: list[Dim] = []
    if Ellipsis not in parts:
        parts = [*parts, Ellipsis]
    for part in parts:
        if part is Ellipsis:
            skipped = len(left) - sum(
                isinstance(p, _Part) for p in parts[parts.index(Ellipsis) :]
            )
            made += left[:skipped]
            left = left[skipped:]
        elif part is None:
            made.append(1)
        else:
            whole = left.pop(0)
            if not part.one:
                made.append(part.size(whole))
    return (tuple(made),)


def _strided_text(call: Call, x: str, *_: str) -> str | None:
    texts = []
    for part in _index(call):
        if part is None:
            texts.append("None")
        elif part is Ellipsis:
            texts.append("...")
        else:
            texts.append(part.text())
    return _subscript(x, texts)


_MASKS = (
    "begin_mask",
    "end_mask",
    "ellipsis_mask",
    "new_axis_mask",
    "shrink_axis_mask",
)


def _strided(
    x: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    strides: np.ndarray,
    *,
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
) -> np.ndarray:
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    attrs = dict(zip(_MASKS, masks, strict=True))
    call = Call("StridedSlice", attrs, (), (x, begin, end, strides))
    parts = [p.index() if isinstance(p, _Part) else p for p in _index(call)]
    return np.asarray(x[tuple(parts)])


define(
    "StridedSlice",
    shape=_strided_shape,
    keras=_strided_text,
    fold=_strided,
    traits="movement",
    moves=_FIRST,
)
define("StridedSliceGrad", shape=lambda call: (shape_from(call, 0),))
define("StridedSliceAssign", shape=same)
define("TensorStridedSliceUpdate", shape=same)


def _gathered(params: Shape, indices: Shape, axis: int | None, batch: int) -> Shape:
    if params is None or indices is None:
        return None
    if axis is None:
        return unknown(len(params) - 1 + len(indices) - batch)
    at = axis_of(axis, len(params))
    batch %= max(len(indices), 1)
    return (*params[:at], *indices[batch:], *params[at + 1 :])


def _gather_v2_text(call: Call, x: str, indices: str, _: str) -> str | None:
    axis = call.integer(2)
    if axis is None or call["batch_dims"] != 0:
        return None
    return _take(call, x, indices, axis)


def _take(call: Call, x: str, indices: str, axis: int) -> str:
    where = call.value(1)
    if where is not None and where.ndim == 0 and call.rank(0) is not None:
        at = axis_of(axis, call.rank(0) or 0)
        return _subscript(x, [":"] * at + [str(int(where))])
    return f"ops.take({x}, {indices}, axis={axis})"


def _gather(
    x: np.ndarray, indices: np.ndarray, axis: np.ndarray, *, batch_dims: int
) -> np.ndarray | None:
    return None if batch_dims else np.take(x, indices, int(axis.reshape(())))


define(
    "Gather",
    shape=lambda call: (_gathered(call.shape(0), call.shape(1), 0, 0),),
    keras=lambda call, x, indices: _take(call, x, indices, 0),
    fold=lambda x, indices: np.take(x, indices, 0),
    traits="movement",
    moves=_FIRST,
)
define(
    "GatherV2",
    shape=lambda call: (
        _gathered(
            call.shape(0), call.shape(1), call.integer(2), call.get("batch_dims", 0)
        ),
    ),
    keras=_gather_v2_text,
    fold=_gather,
    traits="movement",
    moves=_FIRST,
)


def _gather_nd_shape(call: Call) -> tuple[Shape]:
    params, indices = call.shape(0), call.shape(1)
    if params is None or indices is None or indices[-1] is None:
        return (None,)
    if indices[-1] > len(params):
        raise Unsaid("more indices than dimensions")
    return ((*indices[:-1], *params[indices[-1] :]),)


define(
    "GatherNd",
    shape=_gather_nd_shape,
    fold=lambda x, indices: x[tuple(np.moveaxis(indices, -1, 0))],
    traits="movement",
    moves=_FIRST,
)
define(
    "ScatterNd",
    shape=lambda call: (shape_from(call, 2),),
    keras=lambda call, indices, updates, _: (
        None
        if call.integers(2) is None
        else f"ops.scatter({indices}, {updates}, {literal(call.integers(2))})"
    ),
)
define("ScatterNdNonAliasingAdd", shape=same)
define(
    "TensorScatterUpdate",
    shape=same,
    keras="ops.scatter_update({0}, {1}, {2})",
)
define(
    "TensorScatterAdd",
    "TensorScatterSub",
    "TensorScatterMax",
    "TensorScatterMin",
    shape=same,
)


def _stitch_shape(call: Call) -> tuple[Shape]:
    count = len(call.inputs) // 2
    rest: Shape = None
    for slot in range(count):
        indices, data = call.shape(slot), call.shape(count + slot)
        if indices is not None and data is not None:
            tail = data[len(indices) :]
            rest = tail if rest is None else join(rest, tail)
    tops = [call.value(slot) for slot in range(count)]
    if rest is None:
        return (None,)
    if any(top is None for top in tops):
        return ((None, *rest),)
    return ((max((int(t.max()) for t in tops if t.size), default=-1) + 1, *rest),)  # type: ignore[union-attr]


def _stitch(*arrays: np.ndarray) -> np.ndarray:
    count = len(arrays) // 2
    pairs = [
        (i.reshape(-1), d.reshape((-1, *d.shape[i.ndim :])))
        for i, d in zip(arrays[:count], arrays[count:], strict=True)
    ]
    length = max(int(i.max()) for i, _ in pairs if i.size) + 1
    made = np.zeros((length, *pairs[0][1].shape[1:]), pairs[0][1].dtype)
    for indices, data in pairs:
        made[indices] = data
    return made


define("DynamicStitch", "ParallelDynamicStitch", shape=_stitch_shape, fold=_stitch)


def _partition_shape(call: Call) -> list[Shape]:
    data, parts = call.shape(0), call.rank(1)
    one: Shape = None
    if data is not None and parts is not None:
        one = (None, *data[parts:])
    return [one] * int(call["num_partitions"])


define("DynamicPartition", shape=_partition_shape)
define("Where", shape=lambda call: ((None, call.rank(0)),))
define(
    "Unique", "UniqueV2", shape=lambda call: (_rows(call), (call.shape(0) or (None,)))
)
define("UniqueWithCounts", shape=lambda call: ((None,), call.shape(0), (None,)))


def _rows(call: Call) -> Shape:
    shape = call.shape(0)
    return (None,) if shape is None or len(shape) == 1 else unknown(len(shape))


def _top_shape(call: Call) -> tuple[Shape, Shape]:
    shape = call.shape(0)
    count = call.integer(1) if len(call.inputs) > 1 else call["k"]
    made = None if shape is None else (*shape[:-1], count)
    return made, made


def _top_text(call: Call, x: str, *_: str) -> str | None:
    count = call.integer(1) if len(call.inputs) > 1 else call["k"]
    if count is None:
        return None
    ordered = "" if call["sorted"] else ", sorted=False"
    return f"ops.top_k({x}, {count}{ordered})"


define("TopK", "TopKV2", shape=_top_shape, keras=_top_text)
define(
    "InTopK",
    "InTopKV2",
    shape=lambda call: (call.shape(1),),
    keras=lambda call, predictions, targets, *k: (
        f"ops.in_top_k({targets}, {predictions}, k={call.get('k') or call.integer(2)})"
        if call.get("k") or call.integer(2)
        else None
    ),
)
define(
    "NthElement",
    shape=lambda call: ((call.shape(0) or ())[:-1] if call.shape(0) else None,),
)


def _bound_shape(call: Call) -> tuple[Shape]:
    return (call.shape(1),)


define("LowerBound", "UpperBound", shape=_bound_shape)
define("Bucketize", shape=same)
