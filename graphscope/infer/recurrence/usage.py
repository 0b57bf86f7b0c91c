"""Recurrent layers -> the same with only those outputs that are read: the sequence, the last step, the states."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from ...graph import Graph, Layer, Tensor
from ...graph.edit import put, redirect
from ..layers.layer_view import Values

RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "ConvLSTM2D", "RNN"})


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
        graph, kept = self.graph, {each.node for each in self.outputs}
        stack = [name]
        while stack:
            each = stack.pop()
            if each not in graph or graph._succ[each] or each in kept:
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
        settled = replace(layer, attrs=attrs, outputs=outputs)
        put(self.graph, name, replace(settled, output=below or layer.output))

    def _settle_cell(self, name: str, layer: Layer) -> None:
        """The same of one with a cell of its own, whose output is none of its states."""
        lasts = self._last_steps(name)
        attrs, outputs = dict(layer.attrs), layer.outputs
        if self._reads_only(name, lasts):
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
        turned = [reader for reader in readers if self.swaps(reader)]
        steps = [reader for reader in readers if self._is_last_step(reader, 1)]
        for each in turned:
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
        masks = {k: int(node.attrs.get(f"{k}_mask") or 0) for k in _MASKS}
        others = [axis for axis in range(begin.size) if axis != time]
        whole = all(masks["begin"] >> a & masks["end"] >> a & 1 for a in others)
        plain = not masks["ellipsis"] and not masks["new_axis"]
        return bool(plain and whole and masks["shrink_axis"] == 1 << time)


_MASKS = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
