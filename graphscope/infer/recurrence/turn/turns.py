"""One turn of a loop -> what it is in layers: its cells, the sequences that they read, the masks, and what it writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

from .... import ops
from ....graph import Layer, Tensor, WeightUse
from ....match import Size, View
from ..opening.splice import NoRecurrence
from ..opening.turn import Turn, list_readers
from ..rnn.step import Step
from .cells import Unit, find_unit, why_none
from .loops import LoopReader, Reading, is_zero, mask_lengths
from .normal_form import NormalForm
from .projected import find_projections

SELECTS = frozenset({"Select"})


@dataclass(frozen=True)
class Mask:
    """Which steps of a row count: those below its length, or those that a sequence of truths says, whose time is this axis."""

    lengths: Tensor | None = None
    sequence: Tensor | None = None
    axis: int = 0


@dataclass(frozen=True)
class Writing:
    """What a turn puts into a list: a tensor of the normal form, at which place of the list, and what it writes of a masked step."""

    value: Tensor
    backwards: bool
    is_last: bool
    zero_output: bool


@dataclass(frozen=True)
class Recurrence:
    """A loop over a sequence: its cells in order, what it reads and writes, by loop variable, and the mask of all its cells.

    Where no class fits ``step`` is the one cell, which yields ``outputs``; then what is written are tensors of the turn.
    """

    turn: Turn
    form: NormalForm
    units: tuple[Unit, ...]
    readings: Mapping[Tensor, Reading]
    writings: Mapping[int, Writing]
    backwards: bool
    mask: Mask | None = None
    echoes: Mapping[int, Tensor] = field(default_factory=dict)
    step: Step | None = None
    outputs: tuple[Tensor, ...] = ()


class TurnReader:
    """Reads one turn; ``recurrence()`` is None where it is none that layers compute."""

    def __init__(self, view: View, turn: Turn, uses: dict[str, WeightUse]) -> None:
        self.view, self.turn, self.uses = view, turn, uses
        self.reader = LoopReader(view, turn)
        self.form = NormalForm(view, turn)
        self.masks: set[Mask] = set()
        self.reason = ""
        self.unmasked = False  # whether anything is carried or written of every step

    def recurrence(self) -> Recurrence | None:
        """The turn as layers; None where it is none of layers, and then ``reason`` says why."""
        try:
            return self._recurrence()
        except NoRecurrence as error:
            self.reason = str(error)
        return None

    def _recurrence(self) -> Recurrence:
        readings = self.readings = self._read()
        before = find_projections(self.view, readings, self.uses)
        self.form = NormalForm(self.view, self.turn, readings, before)
        readings |= {each.vector: each.reading for each in before.values()}
        aside = [p for p in self.turn.state if self._writes(p)]
        lists = [p for p in aside if self._is_read(p)]
        carried = self._carried(aside)
        after = {port: self._after(port) for port in carried}
        if None in after.values():
            raise NoRecurrence("a masked step changes what it should keep")
        states = {p: t for p, t in after.items() if t is not None}
        units = self._units(states)
        if units is None:
            raise NoRecurrence(self._why_no_cell(states))
        explained = {port for unit in units for port in unit.states}
        outputs = {unit.output for unit in units}
        echoes = {p: t for p, t in states.items() if p not in explained}
        if not outputs.issuperset(echoes.values()):
            rest = [p for p, t in echoes.items() if t not in outputs]
            raise NoRecurrence(
                f"it carries more than its cells do: {self._named(rest)}"
            )
        zeros = {p: t for p, t in states.items() if self._begins_with_zeros(p)}
        writings = {port: self._writing(port, {**zeros, **echoes}) for port in lists}
        if any(each is None for each in writings.values()):
            raise NoRecurrence("what it writes is not read as one whole sequence")
        if len(self.masks) + self.unmasked > 1:
            raise NoRecurrence("some of what it carries is masked, and some is not")
        mask = next(iter(self.masks), None)
        written = [each.value for each in writings.values() if each is not None]
        tensors = [*written, *(each for unit in units for each in unit.inputs)]
        if not all(self._is_of_steps(each, outputs) for each in tensors):
            raise NoRecurrence(
                "what it computes around its cells is not of single steps"
            )
        lengths = mask.lengths if mask is not None else None
        self._check_turns(readings, lengths)
        return Recurrence(
            self.turn,
            self.form,
            units,
            readings,
            {port: each for port, each in writings.items() if each is not None},
            next(iter(readings.values())).backwards,
            mask,
            echoes,
        )

    def _named(self, ports: Iterable[int]) -> str:
        return ", ".join(self.turn.after[port].node for port in ports)

    def _read(self) -> dict[Tensor, Reading]:
        """What is read of sequences, all in one direction."""
        readings = self.reader.readings()
        if not readings:
            raise NoRecurrence(
                "no step of it reads an element of a sequence in its order"
            )
        if len({each.backwards for each in readings.values()}) != 1:
            raise NoRecurrence(
                "it reads one sequence from its end and one from its start"
            )
        return readings

    def _carried(self, lists: Collection[int]) -> list[int]:
        """The loop variables that are neither lists nor counters."""
        aside = {*lists, *self.reader.counters}
        return [port for port in self.turn.state if port not in aside]

    def _check_turns(
        self, readings: Mapping[Tensor, Reading], lengths: Tensor | None
    ) -> None:
        for each in readings.values():
            if not self.reader.turns_once_a_step(self.reader.size(each), lengths):
                raise NoRecurrence(
                    "it does not turn once for each element of the sequence"
                )

    def _why_no_cell(self, after: Mapping[int, Tensor]) -> str:
        """Where the formulas of the cells and what is carried part: at which gate."""
        view = self.form.view()
        reasons = {why_none(view, after, port) for port in after} - {""}
        return "; ".join(sorted(reasons)) or "it carries nothing from step to step"

    def _units(self, after: Mapping[int, Tensor]) -> tuple[Unit, ...] | None:
        """The cells, each after those that it reads."""
        view = self.form.view()
        readings = [
            find_unit(self.form, view, after, port, self.uses) for port in after
        ]
        units = [self._with_rate(unit) for unit in readings if unit is not None]
        order = {name: at for at, name in enumerate(self.form.graph)}
        units.sort(key=lambda unit: order[unit.output.node])
        ports = [port for unit in units for port in unit.states]
        return tuple(units) if units and len(set(ports)) == len(ports) else None

    def _with_rate(self, unit: Unit) -> Unit:
        """The cell with what is dropped of its first state."""
        rate = self.form.rates.get(unit.states[0])
        if rate is None:
            return unit
        return replace(unit, config={**unit.config, "recurrent_dropout": rate})

    def _is_of_steps(self, tensor: Tensor, outputs: set[Tensor]) -> bool:
        """Whether a tensor of each step is one of a whole sequence too: of what is read and put out, element by element."""
        if tensor in outputs:
            return True
        origin = self.form.origin.get(tensor.node)
        if origin is not None:
            return origin in self.readings
        node = self.form.graph.node(tensor.node)
        alike = isinstance(node, Layer) or "elementwise" in ops.traits(node.op)
        inputs = self.form.graph.inputs(tensor.node)
        return node.op == "Const" or (
            alike
            and bool(inputs)
            and all(self._is_of_steps(t, outputs) for t in inputs)
        )

    def _begins_with_zeros(self, port: int) -> bool:
        """Whether a state is what Keras repeats of a masked step: the output before, of the first step zeros."""
        return is_zero(self.view, self.turn.inputs[port])

    def _is_read(self, port: int) -> bool:
        return bool(list_readers(self.view.graph, Tensor(self.turn.node, port)))

    def _writes(self, port: int) -> bool:
        source, _ = self.view.producer(self.turn.after[port])
        return self.view.ops[source.node] in ("TensorListSetItem", "TensorListPushBack")

    def _after(self, port: int) -> Tensor | None:
        """A loop variable after an unmasked turn; None where a masked one changes it. The mask is noted."""
        after = self._peeled(self.turn.after[port])
        if after is None:
            self.unmasked = True
            return self._value_after(port, self.turn.after[port])
        value, outside, mask = after
        if self.view.producer(outside)[0] != self.turn.state[port]:
            return None
        self.masks.add(mask)
        return self._value_after(port, value)

    def _value_after(self, port: int, value: Tensor) -> Tensor:
        return self.form.after(port, value)

    def _peeled(self, tensor: Tensor) -> tuple[Tensor, Tensor, Mask] | None:
        """What a selection yields of the steps that count and of those that do not."""
        source, _ = self.view.producer(tensor)
        if self.view.ops[source.node] == "Add":
            return self._mixed(self.view.inputs[source.node])
        if self.view.ops[source.node] not in SELECTS:
            return None
        condition, yes, no = self.view.inputs[source.node]
        mask_of = self._mask(condition)
        if mask_of is None:
            return None
        mask, inside = mask_of
        return (yes, no, mask) if inside else (no, yes, mask)

    def _mixed(self, sums: Sequence[Tensor]) -> tuple[Tensor, Tensor, Mask] | None:
        """The same of ``m * a + (1 - m) * b``, where m is a sequence of truths as numbers."""
        view = self.view
        products = [view.producer(each)[0].node for each in sums]
        if len(products) != 2 or any(view.ops[name] != "Mul" for name in products):
            return None
        for one, other in (products, products[::-1]):
            for inside, value in permutations(view.inputs[one]):
                mask = self._number_mask(inside)
                for rest, outside in permutations(view.inputs[other]):
                    if mask is not None and self._number_mask(rest, True) == mask:
                        return value, outside, mask
        return None

    def _number_mask(self, tensor: Tensor, is_rest: bool = False) -> Mask | None:
        """The mask that a tensor of ones and zeros is, or one less which it is."""
        view = self.view
        source, _ = view.producer(tensor)
        if is_rest:
            one = view.inputs[source.node][:1]
            number = view.scalar(one[0]) if one else None
            if view.ops[source.node] != "Sub" or number is None or number != 1:
                return None
            return self._number_mask(view.inputs[source.node][1])
        while view.ops[source.node] in _SHAPING - {"LogicalNot"} or self._widens(
            source
        ):
            source, _ = view.producer(view.inputs[source.node][0])
        reading = self.readings.get(source)
        if reading is None or reading.axis:
            return None
        return self._truths(reading.sequence)

    def _widens(self, tensor: Tensor) -> bool:
        """Whether a StridedSlice only adds an axis: ``m[:, None]``."""
        attrs = self.view.attrs[tensor.node]
        if self.view.ops[tensor.node] != "StridedSlice":
            return False
        masks = [int(attrs.get(f"{k}_mask") or 0) for k in ("begin", "end", "new_axis")]
        return masks[0] & 1 == masks[1] & 1 == 1 and masks[2] == 2

    def _truths(self, sequence: Tensor) -> Mask | None:
        """The truths that a sequence of numbers was made of, past an exchange of its two axes."""
        view, axis = self.view, 0
        source, _ = view.producer(sequence)
        while view.ops[source.node] in ("Cast", "Transpose"):
            before, _ = view.producer(view.inputs[source.node][0])
            axis ^= view.ops[source.node] == "Transpose"
            source = before
            spec = view.specs.get(source)
            if spec is not None and spec.dtype == "bool" and len(spec.shape or ()) == 2:
                return Mask(sequence=source, axis=axis)
        return None

    def _mask(self, condition: Tensor) -> tuple[Mask, bool] | None:
        lengths = mask_lengths(self.view, self.reader, condition)
        if lengths is not None:
            return Mask(lengths=self.view.producer(lengths[0])[0]), lengths[1]
        inside = True
        source, _ = self.view.producer(condition)
        while self.view.ops[source.node] in _SHAPING:
            inside ^= self.view.ops[source.node] == "LogicalNot"
            source, _ = self.view.producer(self.view.inputs[source.node][0])
        reading = self.readings.get(source)
        if reading is None or reading.axis:
            return None
        spec = self.view.specs.get(reading.sequence)
        if spec is None or spec.dtype != "bool":
            return None
        return Mask(sequence=self.view.producer(reading.sequence)[0]), inside

    def _writing(self, port: int, repeated: Mapping[int, Tensor]) -> Writing | None:
        """What goes into one list; ``repeated`` is what a masked step may write again, by loop variable."""
        place = self._place_of(port)
        if place is None:
            return None
        value, backwards, is_last = place
        peeled = self._peeled(value)
        if peeled is None:
            self.unmasked = True
            return Writing(self._written(value), backwards, is_last, False)
        value, outside, mask = peeled
        self.masks.add(mask)
        zero = is_zero(self.view, outside)
        repeats = self.turn.port.get(self.view.producer(outside)[0])
        written = self._written(value)
        if not zero and (repeats is None or repeated.get(repeats) != written):
            return None
        return Writing(written, backwards, is_last, zero)

    def _written(self, value: Tensor) -> Tensor:
        return self.form.of(value)

    def _place_of(self, port: int) -> tuple[Tensor, bool, bool] | None:
        """What a turn puts into a list, whether from the end, and whether always at the same place."""
        view = self.view
        source, _ = view.producer(self.turn.after[port])
        items, *rest = view.inputs[source.node]
        if view.producer(items)[0] != self.turn.state[port]:
            return None
        size = self.reader.size(next(iter(self.readings.values())))
        if not self._is_read_whole(port, size):
            return None
        if view.ops[source.node] == "TensorListPushBack":
            return rest[0], False, False
        index, value = rest
        time = self.reader.time(index)
        if time is not None and (time.first, time.step) == (Size(0), 0):
            return value, False, True
        backwards = self.reader.direction(time, size)
        return None if backwards is None else (value, backwards, False)

    def _is_read_whole(self, port: int, size: Size) -> bool:
        """Whether all that reads a list after the loop reads all of it, in its order, or its last element."""
        view = self.view
        for name in list_readers(view.graph, Tensor(self.turn.node, port)):
            op, inputs = view.ops[name], view.inputs[name]
            if op == "TensorListGather":
                if not self.reader.counts_all(inputs[1], size):
                    return False
            elif op == "TensorListGetItem":
                place = view.sizes(inputs[1])
                one = place == (Size(0),) and self._holds_one(port)
                if not one and place != (size.added(Size(-1)),):
                    return False
            elif op not in ("TensorListStack", "TensorListLength"):
                return False
        return True

    def _holds_one(self, port: int) -> bool:
        """Whether a list has a place for one element."""
        source, _ = self.view.producer(self.turn.inputs[port])
        inputs = self.view.inputs[source.node]
        return len(inputs) > 1 and self.view.sizes(inputs[1]) == (Size(1),)


_SHAPING = frozenset("ExpandDims Reshape Tile BroadcastTo Squeeze LogicalNot".split())
