"""Recurrent layers -> the same with only those outputs that are read: the sequence, the last step, the states."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import numpy as np

from ...graph import Graph, Layer, Tensor
from ...graph.edit import drop_unread, duplicate, put, redirect
from ...ops import spellings
from ...ops.array.slice_masks import SliceMasks
from ..layers.layer_view import Values

RECURRENT = frozenset(
    {"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "RNN"}
)


def settle_usage(graph: Graph, values: Values, keep: Iterable[Tensor]) -> Graph:
    """The graph, changed in place: round trips of transpositions are gone, ``return_sequences`` and ``return_state`` are as needed."""
    usage = _Usage(graph, values, tuple(keep))
    for name in list(graph):
        if name in graph and usage.swaps(name):
            usage.drop_round_trip(name)
    layers = [n for n in graph if graph.op(n) in RECURRENT]
    for name in layers:
        node = graph.node(name)
        if isinstance(node, Layer):
            usage.settle(name, node)
    return graph


class _Usage:
    def __init__(self, graph: Graph, values: Values, keep: tuple[Tensor, ...]) -> None:
        self.graph, self.values, self.keep = graph, values, keep
        self.tensors: dict[Tensor, Tensor] = graph.graph.setdefault("tensors", {})

    def swaps(self, name: str) -> bool:
        """Whether a node exchanges the first two axes."""
        node = self.graph.node(name)
        if isinstance(node, Layer) or node.op != "Transpose":
            return False
        order = self.values(self.graph.inputs(name)[1])
        if order is None or order.ndim != 1 or len(order) < 2:
            return False
        return order.tolist() == [1, 0, *range(2, len(order))]

    def drop_round_trip(self, name: str) -> None:
        """``Transpose(Transpose(x))`` -> x."""
        source = self.graph.inputs(name)[0].node
        if self.swaps(source):
            self.move(Tensor(name), self.graph.inputs(source)[0])
            self.remove_unread(name)

    def move(self, old: Tensor, new: Tensor) -> None:
        """Whoever reads one tensor reads another, and the op graph's tensor of the one is the other."""
        redirect(self.graph, old, new)
        for down, up in list(self.tensors.items()):
            if up == old:
                self.tensors[down] = new

    @property
    def outputs(self) -> set[Tensor]:
        """The tensors of the layer graph that must stay."""
        return {self.tensors.get(each, each) for each in self.keep}

    def remove_unread(self, name: str) -> None:
        """Remove a node that nothing reads, and what only fed it."""
        graph, ends = self.graph, {each.node for each in self.outputs}
        stack = [name]
        while stack:
            each = stack.pop()
            if each not in graph or graph._succ[each] or each in ends:
                continue
            if not graph.op(each).startswith("Placeholder"):
                stack += list(graph._pred[each])
                graph.remove_node(each)

    def settle(self, name: str, layer: Layer) -> None:
        """A recurrent layer with the outputs that are read, under the numbers that Keras gives them."""
        if layer.op == "RNN":
            return self._settle_cell(name, layer)
        if not layer.attrs.get("zero_output_for_mask"):
            for reader in self._last_steps(name):
                self.move(Tensor(reader), Tensor(name, 1))
                self.remove_unread(reader)
        ports = {p for p in range(len(layer.outputs)) if self._is_read(Tensor(name, p))}
        attrs = {k: v for k, v in layer.attrs.items() if not k.startswith("return_")}
        outputs = layer.outputs
        if 0 in ports or not ports:
            attrs["return_sequences"] = True
        else:
            attrs.pop("zero_output_for_mask", None)
            outputs = (outputs[1], *outputs[1:])
            for down in [d for d, up in self.tensors.items() if up == Tensor(name)]:
                del self.tensors[down]
            self.move(Tensor(name, 1), Tensor(name))
            ports.discard(1)
        if ports - {0}:
            attrs["return_state"] = True
        else:
            outputs = outputs[:1]
        below = next((d for d, up in self.tensors.items() if up == Tensor(name)), None)
        result = replace(layer, attrs=attrs, outputs=outputs)
        put(self.graph, name, replace(result, output=below or layer.output))

    def _settle_cell(self, name: str, layer: Layer) -> None:
        """The same of one with a cell of its own, whose output is none of its states."""
        lasts = self._last_steps(name)
        attrs, outputs = dict(layer.attrs), layer.outputs
        if "return_sequences" in attrs and self._reads_only(name, lasts):
            for each in lasts:
                self.move(Tensor(each), Tensor(name))
                self.remove_unread(each)
            del attrs["return_sequences"]
            shape = outputs[0].shape or (None, None, None)
            last = replace(outputs[0], shape=(shape[0], *shape[2:]))
            outputs = (last, *outputs[1:])
        if not any(self._is_read(Tensor(name, p)) for p in range(1, len(outputs))):
            del attrs["return_state"]
            outputs = outputs[:1]
        put(self.graph, name, replace(layer, attrs=attrs, outputs=outputs))

    def _reads_only(self, name: str, lasts: Collection[str]) -> bool:
        """Whether nothing but these reads the layer's sequence."""
        stack, readers = [name], list[str]()
        while stack:
            each = stack.pop()
            if Tensor(each) in self.outputs:
                return False
            for reader, _ in self.graph.consumers(each, 0):
                (stack if self.swaps(reader) else readers).append(reader)
        return all(reader in lasts for reader in readers)

    def _is_read(self, tensor: Tensor) -> bool:
        return bool(self.graph.consumers(*tensor)) or tensor in self.outputs

    def _last_steps(self, name: str) -> list[str]:
        """What takes the last step of the layer's sequence, or of the same with the time first."""
        readers = [reader for reader, _ in self.graph.consumers(name, 0)]
        swaps = [reader for reader in readers if self.swaps(reader)]
        steps = [reader for reader in readers if self._is_last_step(reader, 1)]
        for each in swaps:
            after = (reader for reader, _ in self.graph.consumers(each))
            steps += [reader for reader in after if self._is_last_step(reader, 0)]
        return steps

    def _is_last_step(self, name: str, time: int) -> bool:
        """Whether a node takes the last step along the axis ``time`` of a sequence: ``x[:, -1]``."""
        node = self.graph.node(name)
        if isinstance(node, Layer) or node.op != "StridedSlice":
            return False
        begin = self.values(self.graph.inputs(name)[1])
        if begin is None or begin.size <= time or int(begin.reshape(-1)[time]) != -1:
            return False
        return SliceMasks.of(node.attrs).takes_entry(time, begin.size)


def carry_states(
    graph: Graph, whole: Graph, value: Callable[[Tensor], np.ndarray | None]
) -> Graph:
    """The graph in which a recurrent layer that begins where its last call ended is ``stateful``; the graph itself where none does.

    ``whole`` is the file's graph, in which variables are assigned; ``value`` tells what a variable holds: a stateful layer begins with zeros.
    *before* ``LSTM(x, initial_state=[h, c])``, h and c assigned what the layer yields; *after* ``LSTM(x) {stateful}``.
    """
    names = [n for n in graph if graph.op(n) in RECURRENT and _carries(graph, n, whole)]
    names = [n for n in names if all(_is_zeros(value(t)) for t in _first(graph, n))]
    copy = duplicate(graph) if names else graph
    for name in names:
        layer, before = copy.node(name), copy.inputs(name)
        if not isinstance(layer, Layer):
            continue
        inputs = dict(zip(layer.inputs, before))
        own = {k: t for k, t in inputs.items() if not k.startswith("initial_state")}
        attrs = {**layer.attrs, "stateful": True}
        put(copy, name, replace(layer, attrs=attrs, inputs=own), own.values())
        drop_unread(copy, {t.node for t in before})
    return copy


def _first(graph: Graph, name: str) -> list[Tensor]:
    """What a layer's states begin with."""
    layer = graph.node(name)
    named = layer.inputs if isinstance(layer, Layer) else ()
    pairs = zip(named, graph.inputs(name))
    return [_variable(graph, t) for key, t in pairs if key.startswith("initial_state")]


def _variable(graph: Graph, tensor: Tensor) -> Tensor:
    """The variable that a tensor reads; the tensor where it reads none."""
    while graph.op(tensor.node) in _READS and graph.inputs(tensor.node):
        tensor = graph.inputs(tensor.node)[0]
    return tensor


def _carries(graph: Graph, name: str, whole: Graph) -> bool:
    """Whether each of a layer's states begins with a variable that is assigned what the layer yields."""
    layer, first = graph.node(name), _first(graph, name)
    batch = layer.outputs[0].shape if layer.outputs else None
    if not isinstance(layer, Layer) or not first or not batch or batch[0] is None:
        return False
    return all(_is_assigned(whole, t.node, layer.members) for t in first)


def _is_assigned(whole: Graph, variable: str, members: frozenset[str]) -> bool:
    if variable not in whole:
        return False
    for reader, slot in whole.consumers(variable):
        if whole.op(reader) in spellings.ASSIGNS and slot == 0:
            if _leaves(whole, whole.inputs(reader)[1], members):
                return True
    return False


def _leaves(whole: Graph, tensor: Tensor, members: frozenset[str]) -> bool:
    """Whether a tensor is what a loop, of which these are nodes, ends with."""
    stack, visited = [tensor], set[Tensor]()
    while stack:
        each = stack.pop()
        if each.node in members:
            return True
        op, inputs = whole.op(each.node), whole.inputs(each.node)
        if op in _ENDS and each not in visited:
            visited.add(each)
            stack += inputs if "While" in op else inputs[each.port : each.port + 1]
    return False


def _is_zeros(value: np.ndarray | None) -> bool:
    return value is not None and not np.any(value)


_READS = frozenset({"Identity", "ReadVariableOp", "Enter"})
_ENDS = frozenset({*spellings.WHILES, "Identity", "IdentityN", "Exit"})
