"""One turn of a loop -> what it is in layers: its cells, the sequences that they read, the masks, and what it writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .... import ops
from ....graph import Layer, Tensor, WeightUse
from ....match import Size, View
from ..opening.splice import NoRecurrence
from ..opening.turn import Turn, list_readers
from ..rnn.step import Step
from .cells import Unit, find_unit, why_none
from .loops import LoopReader, Reading, is_zero
from .masks import Mask, MaskReader
from .normal_form import NormalForm
from .projected import find_projections


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
        self.readings: dict[Tensor, Reading] = {}
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
        self._set_form(readings)
        aside = [port for port in self.turn.state if self._writes(port)]
        states = self._states(aside)
        units = self._units(states)
        if units is None:
            raise NoRecurrence(self._why_no_cell(states))
        echoes = self._echoes(states, units)
        lists = [port for port in aside if self._is_read(port)]
        zeros = {p: t for p, t in states.items() if self._begins_with_zeros(p)}
        writings = self._writings(lists, {**zeros, **echoes})
        mask = self._one_mask()
        self._check_steps(units, writings)
        self._check_turns(readings, mask.lengths if mask is not None else None)
        backwards = next(iter(readings.values())).backwards
        return Recurrence(
            self.turn, self.form, units, readings, writings, backwards, mask, echoes
        )

    def _set_form(self, readings: dict[Tensor, Reading]) -> None:
        """The normal form of the turn; what is projected of whole sequences before it counts as read."""
        before = find_projections(self.view, readings, self.uses)
        self.form = NormalForm(self.view, self.turn, readings, before)
        readings |= {each.vector: each.reading for each in before.values()}

    def _states(self, aside: Collection[int]) -> dict[int, Tensor]:
        """What each carried state is after the turn, masks seen through."""
        after = {port: self._after(port) for port in self._carried(aside)}
        states = {port: tensor for port, tensor in after.items() if tensor is not None}
        if len(states) < len(after):
            raise NoRecurrence("a masked step changes what it should keep")
        return states

    def _echoes(
        self, states: Mapping[int, Tensor], units: Sequence[Unit]
    ) -> dict[int, Tensor]:
        """The states that no cell explains, each of which must be the output of one."""
        explained = {port for unit in units for port in unit.states}
        outputs = {unit.output for unit in units}
        echoes = {p: t for p, t in states.items() if p not in explained}
        rest = [port for port, tensor in echoes.items() if tensor not in outputs]
        if rest:
            raise NoRecurrence(
                f"it carries more than its cells do: {self._named(rest)}"
            )
        return echoes

    def _writings(
        self, lists: Iterable[int], repeated: Mapping[int, Tensor]
    ) -> dict[int, Writing]:
        """What is written of each step, a list of all steps each; ``repeated`` is what a masked step may write again, by loop variable."""
        writings = {port: self._writing(port, repeated) for port in lists}
        whole = {port: each for port, each in writings.items() if each is not None}
        if len(whole) < len(writings):
            raise NoRecurrence("what it writes is not read as one whole sequence")
        return whole

    def _one_mask(self) -> Mask | None:
        """The one mask of all that is carried and written."""
        if len(self.masks) + self.unmasked > 1:
            raise NoRecurrence("some of what it carries is masked, and some is not")
        return next(iter(self.masks), None)

    def _check_steps(
        self, units: Sequence[Unit], writings: Mapping[int, Writing]
    ) -> None:
        outputs = {unit.output for unit in units}
        tensors = [each.value for each in writings.values()]
        tensors += [each for unit in units for each in unit.inputs]
        if not all(self._is_of_steps(each, outputs) for each in tensors):
            raise NoRecurrence(
                "what it computes around its cells is not of single steps"
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
        cells = [find_unit(self.form, view, after, port, self.uses) for port in after]
        units = [self._with_rate(unit) for unit in cells if unit is not None]
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

    def _mask_reader(self) -> MaskReader:
        return MaskReader(self.view, self.reader, self.readings)

    def _after(self, port: int) -> Tensor | None:
        """A loop variable after an unmasked turn; None where a masked one changes it. The mask is noted."""
        after = self._mask_reader().peeled(self.turn.after[port])
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

    def _writing(self, port: int, repeated: Mapping[int, Tensor]) -> Writing | None:
        """What goes into one list; None where a masked step writes something else than ``repeated`` or zeros."""
        place = self._place_of(port)
        if place is None:
            return None
        value, backwards, is_last = place
        peeled = self._mask_reader().peeled(value)
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
