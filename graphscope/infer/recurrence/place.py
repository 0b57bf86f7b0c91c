"""A Recurrence -> layers in the graph, in the place of the loop: sequences are batch-major there, as Keras has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...graph import Graph, Layer, Node, Tensor, TensorSpec
from ...graph.edit import fresh
from ...match import View
from .cells import Unit
from .loops import is_zero
from .opening.splice import Spliced
from .turns import Recurrence, Writing, list_readers

TIME, BATCH = 0, 1  # the axes of a time-major sequence


def drop_unread(graph: Graph, names: frozenset[str], kept: frozenset[str]) -> None:
    """Remove those of the nodes that nothing outside of them reads, and what only fed them, in place."""
    read = {
        name for name in names if any(after not in names for after in graph._succ[name])
    }
    needed = graph.upstream(read)
    before = {s for n in names - needed for s in graph._pred[n]} - names
    graph.remove_nodes_from(names - needed)
    stack = list(before)
    while stack:  # what only fed them
        name = stack.pop()
        if name not in graph or graph._succ[name] or name in kept:
            continue
        if not graph.op(name).startswith("Placeholder"):
            stack += list(graph._pred[name])
            graph.remove_node(name)


def name_weights(spliced: Spliced) -> None:
    """What stands for a weight and is still read -> the weight under the name that it has in the file, in place."""
    graph = spliced.graph
    for name, use in spliced.weights.items():
        if name not in graph or not graph._succ[name] or use.value is not None:
            continue
        own = use.node if use.node not in graph else name
        if own != name:
            graph.add(own, graph.node(name))
            spliced.move(Tensor(name), Tensor(own))
            graph.remove_node(name)


class Placing:
    """One Recurrence on its way into the graph."""

    def __init__(
        self, spliced: Spliced, view: View, loop: str, recurrence: Recurrence
    ) -> None:
        self.spliced, self.graph, self.view = spliced, spliced.graph, view
        self.loop, self.of = loop, recurrence
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
        turned = None if raw or self.of.mask else self._unreversed(x, 1)
        if turned is not None:
            x, raw = turned, True
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
            found = self.view.shape(self.turn.state[unit.states[0]])
            inner = (found or (None, None, None, unit.units))[1:]
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

    def _spec(self, tensor: Tensor) -> TensorSpec:
        spec = self.view.specs.get(tensor) if tensor.node in self.view.kinds else None
        if spec is not None:
            return spec
        outputs = self.graph.node(tensor.node).outputs
        return outputs[tensor.port] if tensor.port < len(outputs) else TensorSpec()

    def _sequence(self, tensor: Tensor, raw: bool = False) -> Tensor:
        """The batch-major sequence of a tensor of the normal form, in the order of the turns (``raw``: of time)."""
        if tensor in self.known:
            return self.known[tensor]
        origin = self.form.origin.get(tensor.node)
        if origin is not None:
            reading = self.of.readings[origin]
            sequence = self._batch_major(reading.sequence)
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

    def _batch_major(self, sequence: Tensor) -> Tensor:
        """The sequence with the batch first: what a transposition was made of, or a new one."""
        source, _ = self.view.producer(sequence)
        inner = self._unreversed(source, 0)
        if inner is not None:  # Keras turns the sequence round with the time first
            return self._reversed(self._batch_major(inner))
        before = transposed(self.view, source)
        if before is not None:
            return self.spliced.now(before)
        return self._transposed(self.spliced.now(sequence))

    def _unreversed(self, tensor: Tensor, axis: int) -> Tensor | None:
        """What a reversal along an axis was made of; None where the tensor is none, or was of a loop that is gone."""
        if tensor.node not in self.graph:
            return None
        node = self.graph.node(tensor.node)
        if isinstance(node, Layer) or node.op != "ReverseV2":
            return None
        whole, axes = self.graph.inputs(tensor.node)
        known = self.graph.node(axes.node).attrs.get("value")
        if known is None and axes.node in self.view.kinds:
            known = self.view.number(axes)
        same = known is not None and np.reshape(known, -1).tolist() == [axis]
        return whole if same else None

    def _transposed(self, tensor: Tensor) -> Tensor:
        shape = self._spec(tensor).shape
        rank = len(shape) if shape is not None else 3
        axes = [1, 0, *range(2, rank)]
        spec = self._spec(tensor)
        if shape is not None:
            spec = TensorSpec(spec.dtype, tuple(shape[a] for a in axes))
        node = Node("Transpose", {"T": spec.dtype, "Tperm": "int32"}, (spec,))
        name = fresh(self.graph, f"{self.loop}/transpose")
        self.graph.add(name, node, (tensor, self._constant(np.array(axes, np.int32))))
        return Tensor(name)

    def _reversed(self, tensor: Tensor) -> Tensor:
        spec = self._spec(tensor)
        node = Node("ReverseV2", {"T": spec.dtype, "Tidx": "int32"}, (spec,))
        name = fresh(self.graph, f"{self.loop}/reverse")
        axis = self._constant(np.array([1], np.int32))
        self.graph.add(name, node, (tensor, axis))
        return Tensor(name)

    def _joined(self, parts: Sequence[Tensor]) -> Tensor:
        specs = [self._spec(each) for each in parts]
        widths = [each.shape[-1] if each.shape else None for each in specs]
        width = None if None in widths else sum(w or 0 for w in widths)
        shape = (*(specs[0].shape or (None, None, None))[:-1], width)
        spec = TensorSpec(specs[0].dtype, shape)
        attrs = {"N": len(parts), "T": spec.dtype, "Tidx": "int32"}
        name = fresh(self.graph, f"{self.loop}/concat")
        axis = self._constant(np.array(-1, np.int32))
        self.graph.add(name, Node("ConcatV2", attrs, (spec,)), (*parts, axis))
        return Tensor(name)

    def _constant(self, value: np.ndarray) -> Tensor:
        spec = TensorSpec(value.dtype.name, value.shape)
        node = Node("Const", {"dtype": value.dtype.name, "value": value}, (spec,))
        name = fresh(self.graph, f"{self.loop}/const")
        self.graph.add(name, node)
        return Tensor(name)

    def _mask(self, x: Tensor) -> Tensor | None:
        mask = self.of.mask
        if mask is None:
            return None
        if mask.sequence is not None:
            return self._without_width(self._batch_major(mask.sequence))
        if mask.lengths is None:
            return None
        lengths = self.spliced.now(mask.lengths)
        shape = (self._spec(x).shape or (None, None))[:2]
        layer = Layer(
            "SequenceMask",
            {},
            (TensorSpec("bool", shape),),
            inputs={"sequence": x, "lengths": lengths},
            output=Tensor(f"{self.turn.node}:mask"),
            pattern="settle_recurrence",
        )
        name = fresh(self.graph, "sequence_mask")
        self.graph.add(name, replace(layer, name=name), (x, lengths))
        return Tensor(name)

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
                last = self._last(sequence)
                self.spliced.move(Tensor(reader), last)
                continue
            if self.graph.op(reader) == "TensorListLength":
                continue  # which only a Gather of all reads
            major = major or self._transposed(sequence)
            self.spliced.move(Tensor(reader), major)

    def _last(self, sequence: Tensor) -> Tensor:
        shape = self._spec(sequence).shape or (None, None, None)
        spec = TensorSpec(self._spec(sequence).dtype, (shape[0], *shape[2:]))
        attrs = {"T": spec.dtype, "Index": "int32", "begin_mask": 1, "end_mask": 1}
        attrs |= {"ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 2}
        bounds = ([0, -1], [0, 0], [1, 1])
        name = fresh(self.graph, f"{self.loop}/last")
        bounds_ = [self._constant(np.array(each, np.int32)) for each in bounds]
        self.graph.add(name, Node("StridedSlice", attrs, (spec,)), (sequence, *bounds_))
        return Tensor(name)


def transposed(view: View, tensor: Tensor) -> Tensor | None:
    """What a transposition of the first two axes was made of; None where the tensor is none."""
    if tensor.node not in view.kinds or view.kinds[tensor.node] != "Transpose":
        return None
    x, axes = view.inputs[tensor.node]
    order = view.number(axes)
    if order is None or list(order[:2]) != [1, 0]:
        return None
    if list(order[2:]) != list(range(2, len(order))):
        return None
    return x
