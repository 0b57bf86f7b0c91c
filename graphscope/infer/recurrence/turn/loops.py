"""A While, open -> how often it turns, what it reads at each turn and writes: a Recurrence, or None where it is none of a sequence.

The trip count must be the size of the time axis, or ``min(size, max(1, max(lengths)))`` where the turn masks by these lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ....graph import Tensor
from ....match import Size, View
from ....ops import spellings
from ....ops.array.slice_masks import SliceMasks
from ....ops.values.size import Sizes
from ..opening.turn import Turn


@dataclass(frozen=True)
class Counter:
    """A loop variable that counts: ``first`` plus ``step`` times the number of the turn."""

    first: Size
    step: int


@dataclass(frozen=True)
class Reading:
    """An element of a sequence that a turn reads: the tensor, its axis of time (0, or 1 of a batch-major one), and whether from its end."""

    sequence: Tensor
    backwards: bool
    axis: int = 0


def first_alike(readings: Mapping[Tensor, Reading], tensor: Tensor) -> Tensor:
    """The first of the readings that is the same as this one: some write ``x[t]`` for each gate."""
    return next(each for each, one in readings.items() if one == readings[tensor])


class LoopReader:
    """One turn's counters, readings and writings."""

    def __init__(self, view: View, turn: Turn) -> None:
        self.view, self.turn = view, turn
        self.counters = dict(self._counters())

    def _counters(self) -> Iterator[tuple[int, Counter]]:
        for port, state in self.turn.state.items():
            first = self._first(port)
            step = self._step(self.turn.after[port], state)
            if first is not None and step:
                yield port, Counter(first, step)

    def _first(self, port: int) -> Size | None:
        sizes = self.view.sizes(self.turn.inputs[port])
        return sizes[0] if sizes is not None and len(sizes) == 1 else None

    def _step(self, after: Tensor, state: Tensor) -> int | None:
        """What one turn adds to a loop variable."""
        view = self.view
        source, _ = view.producer(after)
        if view.ops[source.node] not in ("Add", "Sub"):
            return None
        sign = -1 if view.ops[source.node] == "Sub" else 1
        left, right = view.inputs[source.node]
        for one, other in ((left, right), (right, left))[: 2 if sign > 0 else 1]:
            number = view.scalar(other)
            if view.producer(one)[0] == state and number is not None:
                return (
                    sign * int(number.reshape(())) if number.dtype.kind == "i" else None
                )
        return None

    def time(self, tensor: Tensor) -> Counter | None:
        """A tensor as a number that counts the turns: a counter, a constant, or a sum or difference of such."""
        view = self.view
        source, _ = view.producer(tensor)
        port = self.turn.port.get(source)
        if port is not None:
            return self.counters.get(port)
        if source.node not in view.dynamic:
            sizes = view.sizes(source)
            one = sizes[0] if sizes is not None and len(sizes) == 1 else None
            return Counter(one, 0) if one is not None else None
        if view.ops[source.node] not in ("Add", "Sub"):
            return None
        left, right = map(self.time, view.inputs[source.node])
        sign = -1 if view.ops[source.node] == "Sub" else 1
        first = left.first.added(right.first, sign) if left and right else None
        if left is None or right is None or first is None:
            return None
        return Counter(first, left.step + sign * right.step)

    def limits(self) -> list[Tensor | Size] | None:
        """Each number of turns after which the loop stops, as a tensor or as a size; None where it stops by anything else."""
        limits_: list[Tensor | Size] = []
        stack = [self.turn.goes_on]
        while stack:
            source, _ = self.view.producer(stack.pop())
            op, inputs = self.view.ops[source.node], self.view.inputs[source.node]
            if op == "LogicalAnd":
                stack += inputs
                continue
            if op in spellings.LESS:  # n > i, n >= i
                op, inputs = op.replace("Less", "Greater"), inputs[::-1]
            limit = self._limit(op, *inputs) if len(inputs) == 2 else None
            if limit is None:
                return None
            limits_.append(limit)
        return limits_

    def _limit(self, op: str, large: Tensor, small: Tensor) -> Tensor | Size | None:
        """How often ``large > small`` holds: up from 0 to a tensor, or down to 0."""
        if op == "Greater" and self.time(small) == Counter(Size(0), 1):
            return large
        time, last = self.time(large), self.time(small)
        if time is None or last is None or time.step != -1 or last.step:
            return None
        least = last.first.added(Size(1 if op == "Greater" else 0))
        if op not in spellings.GREATER or least != Size(0):
            return None
        return time.first.added(Size(1))

    def readings(self) -> dict[Tensor, Reading] | None:
        """Each reading of a sequence in the turn; None where one is of something else."""
        readings_ = {}
        for name in sorted(self.turn.nodes):
            if self.view.ops[name] in ("TensorListGetItem", "Gather", "StridedSlice"):
                reading = self._reading(name)
                if reading is not None:
                    readings_[Tensor(name)] = reading
                elif self.view.ops[name] == "TensorListGetItem":
                    return None
        return readings_

    def _reading(self, name: str) -> Reading | None:
        items, index = self.view.inputs[name][:2]
        source, _ = self.view.producer(items)
        sequence: Tensor | None = items
        axis = 0
        if self.view.ops[name] == "TensorListGetItem":
            sequence, time = self._rows(source), self.time(index)
        elif source.node in self.turn.nodes:
            return None
        elif self.view.ops[name] == "Gather":
            time = self.time(index) if self._takes_rows(name) else None
        else:
            axis = (
                0 if int(self.view.attrs[name].get("shrink_axis_mask") or 0) & 1 else 1
            )
            time = self._step_of(name, axis)
        if sequence is None:
            return None
        backwards = self.direction(time, self.view.axis_size(sequence, axis))
        return Reading(sequence, backwards, axis) if backwards is not None else None

    def _takes_rows(self, name: str) -> bool:
        """Whether a Gather takes entries of the first axis."""
        inputs = self.view.inputs[name]
        axis = self.view.number(inputs[2]) if len(inputs) > 2 else np.zeros(())
        plain = not self.view.attrs[name].get("batch_dims")
        return plain and axis is not None and not int(np.reshape(axis, ()))

    def _step_of(self, name: str, axis: int) -> Counter | None:
        """The number of the one step that ``x[t]``, or ``x[:, t, :]``, takes along an axis."""
        attrs, view = self.view.attrs[name], self.view
        source, _ = view.producer(view.inputs[name][1])
        places = view.inputs[source.node]
        masks = SliceMasks.of(attrs)
        if view.ops[source.node] != "Pack" or len(places) <= axis:
            return None
        one = masks.takes_entry(axis, len(places)) and not masks.begin >> axis & 1
        return self.time(places[axis]) if one else None

    def _rows(self, items: Tensor) -> Tensor | None:
        """The tensor whose rows a list holds, in their order."""
        op, inputs = self.view.ops[items.node], self.view.inputs[items.node]
        if op == "TensorListFromTensor":
            return inputs[0]
        if op != "TensorListScatterIntoExistingList":
            return None
        _, rows, places = inputs
        size = self.view.axis_size(rows, 0)
        return rows if self.counts_all(places, size) else None

    def counts_all(self, places: Tensor, size: Size) -> bool:
        """Whether a tensor holds 0, 1, ... up to the last place of a sequence of this size."""
        view = self.view
        number = view.number(places)
        if number is not None:
            return size == Size(number.size) and number.tolist() == [
                *range(number.size)
            ]
        source, _ = view.producer(places)
        if view.ops[source.node] != "Range":
            return False
        start, last, step = view.inputs[source.node]
        limit = self._length(last) or view.sizes(last)
        plain = view.sizes(start) == (Size(0),) and view.sizes(step) == (Size(1),)
        return plain and limit == (size,)

    def _length(self, tensor: Tensor) -> Sizes | None:
        """The length of the list that a loop carries and began with, where a tensor is that."""
        view = self.view
        source, _ = view.producer(tensor)
        if view.ops[source.node] != "TensorListLength":
            return None
        items, _ = view.producer(view.inputs[source.node][0])
        if items.node != self.turn.node or items.port >= len(self.turn.inputs):
            return None
        first, _ = view.producer(self.turn.inputs[items.port])
        if view.ops[first.node] != "TensorListReserve":
            return None
        return view.sizes(view.inputs[first.node][1])

    def direction(self, time: Counter | None, size: Size) -> bool | None:
        """Whether an index runs from the end of a sequence of this size; None where it does not run over it."""
        if time == Counter(Size(0), 1):
            return False
        last = size.added(Size(-1))
        if last is None or time != Counter(last, -1):
            return None
        return True

    def size(self, reading: Reading) -> Size:
        """How many steps a sequence has."""
        return self.view.axis_size(reading.sequence, reading.axis)

    def turns_once_a_step(self, size: Size, lengths: Tensor | None) -> bool:
        """Whether the loop turns once for each of so many elements, or as often as the longest row is long."""
        limits = self.limits()
        if not limits:
            return False
        exact = [self._is(limit, size) for limit in limits]
        longest = [
            lengths is not None
            and isinstance(t, Tensor)
            and self._is_longest(t, size, lengths)
            for t in limits
        ]
        return any(exact + longest) and all(a or b for a, b in zip(exact, longest))

    def _is(self, tensor: Tensor | Size, size: Size) -> bool:
        """Whether a tensor is the size; ``min(size, max(1, size))`` is, of what has a step at all."""
        if isinstance(tensor, Size):
            return tensor == size
        sizes = self.view.sizes(tensor)
        if sizes is not None and len(sizes) == 1 and sizes[0] == size:
            return True
        source, _ = self.view.producer(tensor)
        op, inputs = self.view.ops[source.node], self.view.inputs[source.node]
        if op == "Minimum":
            return all(self._is(each, size) for each in inputs)
        if op == "Maximum":
            rest = [each for each in inputs if not _is_one(self.view, each)]
            return len(rest) == 1 and self._is(rest[0], size)
        return False

    def _is_longest(self, tensor: Tensor, size: Size, lengths: Tensor) -> bool:
        """``max(lengths)``, or that made at least 1 or at most the size."""
        view = self.view
        source, _ = view.producer(tensor)
        op, inputs = view.ops[source.node], view.inputs[source.node]
        if op in ("Minimum", "Maximum"):
            drop = self._is if op == "Minimum" else lambda t, _: _is_one(view, t)
            rest = [each for each in inputs if not drop(each, size)]
            return len(rest) == 1 and self._is_longest(rest[0], size, lengths)
        if op == "Cast":
            return self._is_longest(inputs[0], size, lengths)
        return op == "Max" and uncast(view, inputs[0]) == uncast(view, lengths)


def _is_one(view: View, tensor: Tensor) -> bool:
    number = view.scalar(tensor)
    return number is not None and float(number.reshape(())) == 1


def uncast(view: View, tensor: Tensor) -> Tensor:
    """The tensor that this one repeats in another integer dtype."""
    source, _ = view.producer(tensor)
    while view.ops[source.node] == "Cast":
        source, _ = view.producer(view.inputs[source.node][0])
    return source


def is_ones(view: View, tensor: Tensor) -> bool:
    """Whether every element is one, whatever the sizes are: the mask of a dropout that drops nothing."""
    return _is_filled(view, tensor, 1)


def is_zero(view: View, tensor: Tensor) -> bool:
    """Whether every element is zero, whatever the sizes are."""
    return _is_filled(view, tensor, 0)


def _is_filled(view: View, tensor: Tensor, number: int, depth: int = 0) -> bool:
    source, _ = view.producer(tensor)
    op, inputs = view.ops[source.node], view.inputs[source.node]
    filling, constant = _FILLINGS[number], view.constant(source)
    if constant is not None and constant.dtype.kind in filling.kinds:
        return bool(np.all(constant == number))
    if op == filling.source:
        return True
    if depth > 12 or not inputs:
        return False
    if op == "Fill":
        return _is_filled(view, inputs[1], number, depth + 1)
    if op in filling.absorbing:  # one factor of zeros is enough
        return any(_is_filled(view, each, number, depth + 1) for each in inputs)
    return op in filling.moving and _is_filled(view, inputs[0], number, depth + 1)


class _Filling(NamedTuple):
    """How a tensor of one number comes about: dtypes, the op that makes it, those that move it, those that it swallows."""

    kinds: str
    source: str
    moving: frozenset[str]
    absorbing: tuple[str, ...] = ()


_MOVING = frozenset("Tile ExpandDims Reshape Squeeze BroadcastTo Cast".split())
_FILLINGS = (
    _Filling(
        "fiu",
        "ZerosLike",
        _MOVING | {"Sum", "Transpose", "StridedSlice", "Slice", "Neg"},
        ("Mul", "MatMul", "Conv2D"),
    ),
    _Filling("f", "OnesLike", _MOVING),
)


def mask_lengths(
    view: View, reader: LoopReader, condition: Tensor
) -> tuple[Tensor, bool] | None:
    """Where a condition compares the time with lengths: ``(lengths, whether it holds inside)``."""
    source, _ = view.producer(condition)
    op, inputs = view.ops[source.node], view.inputs[source.node]
    if op in _RESHAPES:
        return mask_lengths(view, reader, inputs[0])
    if op == "LogicalNot":
        lengths_behind = mask_lengths(view, reader, inputs[0])
        return (
            (lengths_behind[0], not lengths_behind[1])
            if lengths_behind is not None
            else None
        )
    if op not in _COMPARISONS or len(inputs) != 2:
        return None
    time, lengths = inputs
    time_first = reader.time(time) == Counter(Size(0), 1)
    if not time_first:
        time, lengths = lengths, time
    if reader.time(time) != Counter(Size(0), 1) or lengths.node in reader.turn.nodes:
        return None
    inside = _COMPARISONS[op][0 if time_first else 1]
    return (lengths, inside) if inside is not None else None


_RESHAPES = frozenset("ExpandDims Reshape Tile BroadcastTo Squeeze".split())
_COMPARISONS: Mapping[str, tuple[bool | None, bool | None]] = {
    # time op lengths, lengths op time: whether that holds of the steps inside
    "Less": (True, None),
    "GreaterEqual": (False, None),
    "Greater": (None, True),
    "LessEqual": (None, False),
}
