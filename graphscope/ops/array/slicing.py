"""Slices: Slice, StridedSlice and what their gradients yield."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import Dim, same, shape_from, unknown

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
    dims: list[Dim] = []
    for length, start, full in zip(size, starts, whole, strict=True):
        if length == -1:
            length = None if full is None or start is None else full - start
        dims.append(length)
    return (tuple(dims),)


def _slice_text(call: Call, x: str, begin: str, size: str) -> str | None:
    starts, sizes = call.integers(1), call.integers(2)
    if starts is None or sizes is None:
        return None
    parts = []
    for start, length in zip(starts, sizes, strict=True):
        stop = "" if length == -1 else str(start + length)
        parts.append(_bounds("" if start == 0 else str(start), stop))
    return _subscript(x, parts)


def _bounds(start: str, stop: str) -> str:
    """``start:stop``, spaced where either is an expression, as black writes it."""
    plain = " " not in start + stop
    return f"{start}:{stop}" if plain else f"{start} : {stop}".strip()


def _subscript(x: str, parts: list[str]) -> str:
    """Without the whole axes at the end; Keras wants a tuple, so one slice alone gets an ellipsis."""
    while parts and parts[-1] in (":", "...") and "..." not in parts[:-1]:
        parts.pop()
    if len(parts) == 1 and (":" in parts[0] or parts[0] == "None"):
        return f"{x}[{parts[0]}, ...]"
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


def _updated(x: np.ndarray, update: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Starts are moved until the update lies within the array, as XLA does."""
    copy = x.copy()
    last = np.array(x.shape) - update.shape
    begin = np.minimum(np.maximum(starts, 0), last)
    copy[tuple(slice(b, b + n) for b, n in zip(begin, update.shape))] = update
    return copy


define(  # what keras.ops.slice_update writes: the cache of a KerasHub decoder
    "XlaDynamicUpdateSlice",
    shape=same,
    keras="ops.slice_update({0}, {2}, {1})",
    fold=_updated,
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
    index: list[Any] = []
    for at, (start, stop, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << at
        if call["ellipsis_mask"] & bit:
            index.append(Ellipsis)
        elif call["new_axis_mask"] & bit:
            index.append(None)
        elif call["shrink_axis_mask"] & bit:
            index.append(_Part(start, None, 1, False, True, True))
        else:
            open_start = bool(call["begin_mask"] & bit)
            open_stop = bool(call["end_mask"] & bit)
            index.append(_Part(start, stop, step, open_start, open_stop, False))
    return index


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

    def forward(self, whole: Dim) -> _Part | None:
        """The same elements from the first to the last, for a part that counts backwards; None where an unknown size decides which they are."""
        index = self.index()
        if whole is not None:
            places = range(*index.indices(whole))
            if not places:
                return None
            start, stop, step = places[-1], places[0] + 1, -index.step
            return _Part(start, stop, step, start == 0, stop == whole, False)
        if index.step != -1 or index.stop == -1:
            return None
        start = 0 if index.stop is None else index.stop + 1
        stop = 0 if index.start is None else index.start + 1
        open_stop = index.start in (None, -1)
        return _Part(start, stop, 1, start == 0, open_stop, False)

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
        return _bounds(start, stop) + ("" if index.step == 1 else f":{index.step}")


def _strided_shape(call: Call) -> tuple[Shape]:
    shape, parts = call.shape(0), _index(call)
    if shape is None:
        return (None,)
    left = list(shape)
    spent = sum(isinstance(part, _Part) for part in parts)
    if spent > len(left):
        raise Unsaid("more bounds than dimensions")
    dims: list[Dim] = []
    if Ellipsis not in parts:
        parts = [*parts, Ellipsis]
    for part in parts:
        if part is Ellipsis:
            skipped = len(left) - sum(
                isinstance(p, _Part) for p in parts[parts.index(Ellipsis) :]
            )
            dims += left[:skipped]
            left = left[skipped:]
        elif part is None:
            dims.append(1)
        else:
            whole = left.pop(0)
            if not part.one:
                dims.append(part.size(whole))
    return (tuple(dims),)


def _strided_text(call: Call, x: str, *_: str) -> str | None:
    parts, turned = _forward(_index(call), call.shape(0))
    words = {None: "None", Ellipsis: "..."}
    texts = [p.text() if isinstance(p, _Part) else words[p] for p in parts]
    result = _subscript(x, texts)
    if not turned:
        return result
    return (
        f"ops.flip({result}, axis={literal(turned[0] if len(turned) == 1 else turned)})"
    )


def _forward(parts: list[Any], shape: Shape) -> tuple[list[Any], tuple[int, ...]]:
    """The parts without those that count backwards, which PyTorch has not, and the axes of the result to be turned round after."""
    wholes = _wholes(parts, shape)
    forward, turned = [], []
    for at, (part, whole) in enumerate(zip(parts, wholes, strict=True)):
        if isinstance(part, _Part) and not part.one and (part.step or 1) < 0:
            straight = part.forward(whole)
            if straight is not None:
                turned.append(_axis_of_result(parts, at))
                part = straight
        forward.append(part)
    return forward, tuple(turned)


def _axis_of_result(parts: list[Any], at: int) -> int:
    """The axis that a part makes; counted from the end behind an ellipsis."""

    def count(some: list[Any]) -> int:
        return sum(not (isinstance(p, _Part) and p.one) for p in some)

    return -count(parts[at:]) if Ellipsis in parts[:at] else count(parts[:at])


def _wholes(parts: list[Any], shape: Shape) -> list[Dim]:
    """The size of the axis that each part cuts; None where it cuts none, or nobody knows."""
    spent = [isinstance(part, _Part) for part in parts]
    sizes = list(shape) if shape is not None else []
    if sum(spent) > len(sizes):
        return [None] * len(parts)
    split = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    before = iter(sizes[: sum(spent[:split])])
    after = iter(sizes[len(sizes) - sum(spent[split:]) :])
    return [
        next(before if at < split else after) if is_cut else None
        for at, is_cut in enumerate(spent)
    ]


_MASKS = (
    "begin_mask",
    "end_mask",
    "ellipsis_mask",
    "new_axis_mask",
    "shrink_axis_mask",
)


def _brackets(
    x: np.ndarray, bounds: Sequence[np.ndarray], masks: Sequence[int]
) -> tuple[Any, ...]:
    """What stands between numpy's brackets, of known begin, end and strides, and masks in the order of ``_MASKS``."""
    attrs = dict(zip(_MASKS, masks, strict=True))
    call = Call("StridedSlice", attrs, (), (x, *bounds))
    return tuple(p.index() if isinstance(p, _Part) else p for p in _index(call))


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
    return np.asarray(x[_brackets(x, (begin, end, strides), masks)])


define(
    "StridedSlice",
    shape=_strided_shape,
    keras=_strided_text,
    fold=_strided,
    traits="movement",
    moves=_FIRST,
)


def _strided_gradient(
    sizes: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    strides: np.ndarray,
    dy: np.ndarray,
    *,
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
) -> np.ndarray:
    """Zeros, but where the slice lies: there what comes down."""
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    dx = np.zeros(sizes, dy.dtype)
    dx[_brackets(dx, (begin, end, strides), masks)] = dy
    return dx


define(
    "StridedSliceGrad",
    shape=lambda call: (shape_from(call, 0),),
    fold=_strided_gradient,
)
define("StridedSliceAssign", shape=same)
define("TensorStridedSliceUpdate", shape=same)
