"""A Recurrence -> layers in the graph, in the place of the loop: sequences are batch-major there, as Keras has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...graph import Layer, Tensor, TensorSpec
from ...graph.edit import fresh
from ...match import View
from .opening.splice import Spliced
from .opening.turn import list_readers
from .sequences import Sequences
from .turn.cells import Unit
from .turn.loops import Reading, is_zero
from .turn.turns import Recurrence, Writing

TIME, BATCH = 0, 1  # the axes of a time-major sequence


class Placing(Sequences):
    """One Recurrence on its way into the graph."""

    def __init__(
        self, spliced: Spliced, view: View, loop: str, recurrence: Recurrence
    ) -> None:
        super().__init__(spliced, view, loop)
        self.of = recurrence
        self.form, self.turn = recurrence.form, recurrence.turn
        self.known: dict[Tensor, Tensor] = {}
        self.layers: dict[Tensor, str] = {}

    def place(self) -> None:
        for unit in self.of.units:
            self._unit(unit)
        node = self.turn.node
        for unit in self.of.units:
            for number, port in enumerate(unit.states):
                state = Tensor(self.layers[unit.output], 1 + number)
                self.spliced.move(Tensor(node, port), state)
        for port, output in self.of.echoes.items():
            state = Tensor(self.layers[output], 1)
            self.spliced.move(Tensor(node, port), state)
        for port, writing in self.of.writings.items():
            self._list(port, writing)

    # -- what goes in ---------------------------------------------------------------------
    def _unit(self, unit: Unit) -> None:
        direct = all(each.node in self.form.origin for each in unit.inputs)
        raw = self.of.backwards and direct
        parts = [self._sequence(each, raw) for each in unit.inputs]
        x = parts[0] if len(parts) == 1 else self._joined(parts)
        reversal = None if raw or self.of.mask else self._unreversed(x, 1)
        if reversal is not None:
            x, raw = reversal, True
        inputs = {"sequence": x}
        mask = self._mask(x)
        if mask is not None:
            inputs["mask"] = mask
        inputs |= self._initial(unit.states)
        title = self._title(unit)
        config = dict(unit.config)
        if raw:
            config["go_backwards"] = True
        if mask is not None and self._zero_output(unit):
            config["zero_output_for_mask"] = True
        old = self.graph.node(self.loop)
        shape = self._spec(x).shape or (None, None)
        inner: tuple[int | None, ...] = (unit.units,)
        if unit.op != unit.cell.op:  # pictures, whose size the graph tells
            state_shape = self.view.shape(self.turn.state[unit.states[0]])
            inner = (state_shape or (None, None, None, unit.units))[1:]
        spec = TensorSpec(self._spec(x).dtype or "float32", (*shape[:2], *inner))
        state = TensorSpec(spec.dtype, (shape[0], *inner))
        layer = Layer(
            unit.op,
            {**config, "return_sequences": True, "return_state": True},
            outputs=(spec, *(state for _ in unit.states)),
            inputs=inputs,
            weights=unit.weights,
            members=getattr(old, "members", frozenset()),
            output=Tensor(f"{self.turn.node}:{unit.states[0]}"),
            pattern=unit.cell.pattern.name,
            name=title,
        )
        name = fresh(self.graph, title)
        self.graph.add(name, replace(layer, name=name), inputs.values())
        self.layers[unit.output] = name
        self.known[unit.output] = Tensor(name)

    def _loop_title(self, otherwise: str) -> str:
        """The loop's name, less the While's own."""
        scope = str(self.graph.node(self.loop).attrs.get("scope", self.loop))
        parts = [p for p in scope.split("/") if not p.startswith("while")]
        return parts[-1] if parts else otherwise

    def _title(self, unit: Unit) -> str:
        """The layer's name: its loop's; of one of several cells with its number."""
        title = self._loop_title(unit.cell.op.lower())
        if len(self.of.units) > 1:
            return f"{title}_{self.of.units.index(unit)}"
        return title

    def _sequence(self, tensor: Tensor, raw: bool = False) -> Tensor:
        """The batch-major sequence of a tensor of the normal form, in the order of the turns (``raw``: of time)."""
        if tensor in self.known:
            return self.known[tensor]
        origin = self.form.origin.get(tensor.node)
        if origin is not None:
            reading = self.of.readings[origin]
            sequence = self._steps(reading)
            if reading.backwards and not raw:
                return self._reversed(sequence)
            return sequence
        lifted = self._lifted(tensor)
        self.known[tensor] = lifted
        return lifted

    def _lifted(self, tensor: Tensor) -> Tensor:
        """What a turn computes of one step without a state, of all steps at once."""
        node = self.form.graph.node(tensor.node)
        inputs = self.form.graph.inputs(tensor.node)
        operands = [
            (
                self._constant(self.form.graph.attrs(each.node)["value"])
                if self.form.graph.op(each.node) == "Const"
                else self._sequence(each)
            )
            for each in inputs
        ]
        spec = self._spec(operands[0])
        outputs = (TensorSpec(spec.dtype, None),)
        name = fresh(self.graph, f"{self.loop}/{tensor.node}")
        if isinstance(node, Layer):
            name = fresh(self.graph, node.op.lower())
            node = replace(node, name=name, inputs=dict(zip("x", operands)))
        self.graph.add(name, replace(node, outputs=outputs, controls=()), operands)
        return Tensor(name)

    def _steps(self, reading: Reading) -> Tensor:
        """The batch-major sequence that is read."""
        if reading.axis:
            return self.spliced.now(reading.sequence)
        return self._batch_major(reading.sequence)

    def _mask(self, x: Tensor) -> Tensor | None:
        mask = self.of.mask
        if mask is None:
            return None
        if mask.sequence is not None and mask.axis:
            return self.spliced.now(mask.sequence)
        if mask.sequence is not None:
            return self._without_width(self._batch_major(mask.sequence))
        if mask.lengths is None:
            return None
        return self._lengths_mask(x, mask.lengths)

    def _without_width(self, mask: Tensor) -> Tensor:
        """A mask as Keras has it: one truth for each step, not a vector of one."""
        inner = self._unreversed(mask, 1)
        if inner is not None:
            return self._reversed(self._without_width(inner))
        node = self.graph.node(mask.node)
        if isinstance(node, Layer) or node.op != "ExpandDims":
            return mask
        whole, place = self.graph.inputs(mask.node)
        axis = self.view.number(place) if place.node in self.view.kinds else None
        last = axis is not None and int(axis.reshape(())) in (-1, 2)
        return whole if last else mask

    def _zero_output(self, unit: Unit) -> bool:
        return any(w.zero_output for w in self.of.writings.values())

    def _initial(self, states: Sequence[int]) -> dict[str, Tensor]:
        first = [self.turn.inputs[port] for port in states]
        if all(is_zero(self.view, each) for each in first):
            return {}
        named = enumerate(map(self.spliced.now, first))
        return {f"initial_state_{n}": tensor for n, tensor in named}

    # -- what comes out -------------------------------------------------------------------
    def _list(self, port: int, writing: Writing) -> None:
        """Whoever reads the list reads the sequence."""
        sequence = self._sequence(writing.value)
        if writing.backwards:
            sequence = self._reversed(sequence)
        major: Tensor | None = None
        for reader in list_readers(self.graph, Tensor(self.turn.node, port)):
            if self.graph.op(reader) == "TensorListGetItem":
                last = self._entry(sequence, 1, -1)
                self.spliced.move(Tensor(reader), last)
                continue
            if self.graph.op(reader) == "TensorListLength":
                continue  # which only a Gather of all reads
            major = major or self._transposed(sequence)
            self.spliced.move(Tensor(reader), major)
