"""Layers -> the graph one altitude up: each layer is one node, what no layer explains stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..graph import Graph, Layer, Tensor
from ..graph.names import unused
from ..wire.opdefs import output_dtypes
from .view.nodes import PASS_THROUGH


def collapse(graph: Graph, layers: Sequence[Layer], keep: Iterable[str] = ()) -> Graph:
    """The layer graph: its nodes are layers, under their names, and the op nodes that no layer explains.

    Ops that only pass a tensor on are left out unless ``keep`` names them.
    ``graph.graph["tensors"]`` of the result maps tensors of the op graph to tensors of the layer graph: the output of
    every layer, of every op node that stayed, and of every pass-through op that did not. What a layer hides is
    not in it. A hidden value that something outside reads all the same (its shape, say) is computed again by op
    nodes, so the layer graph always means what the op graph meant.
    """
    return _Collapse(graph, layers, frozenset(keep)).made()


class _Collapse:
    def __init__(
        self, graph: Graph, layers: Sequence[Layer], keep: frozenset[str]
    ) -> None:
        self.graph, self.keep = graph, keep
        self.by_output = {layer.output: layer for layer in layers}
        self.roots = {layer.output.node: layer for layer in layers}
        self.inside = {n for layer in layers for n in layer.members}
        self.inside -= self.roots.keys()
        self.names = {id(layer): layer.name or layer.output.node for layer in layers}
        self.taken = set(self.names.values())
        self.ops: dict[str, str] = {}

    def made(self) -> Graph:
        up, needed = Graph(), self._needed()
        tensors: dict[Tensor, Tensor] = {}
        for name in self.graph:
            layer = self.roots.get(name)
            if layer is not None:
                self._add_unseen(up, layer, tensors)
                up.add(self.names[id(layer)], layer, self._inputs(layer))
                tensors[layer.output] = Tensor(self.names[id(layer)])
            if name in needed:
                node = self.graph.node(name)
                up.add(self._op(name), node, map(self._up, self.graph.inputs(name)))
        self._note(up, tensors)
        return up

    def _add_unseen(
        self, up: Graph, layer: Layer, tensors: dict[Tensor, Tensor]
    ) -> None:
        """The layers before this one whose outputs are no tensors of the op graph."""
        unseen, tensors_ahead = [], list(layer.inputs.values())
        while tensors_ahead:
            tensor = tensors_ahead.pop()
            before = self.by_output.get(tensor)
            if before is None or tensor.node in self.graph or tensor in tensors:
                continue
            unseen.append((tensor, before))
            tensors_ahead += before.inputs.values()
        for tensor, before in reversed(unseen):
            name = self.names[id(before)]
            up.add(name, before, self._inputs(before))
            tensors[tensor] = Tensor(name)

    def _note(self, up: Graph, tensors: dict[Tensor, Tensor]) -> None:
        for name in self.graph:
            ports = {
                data["port"]
                for edges in self.graph._succ[name].values()
                for data in edges.values()
            }
            if name in self.keep:  # an output that nobody reads, of several
                node = self.graph.node(name)
                ports |= set(range(len(output_dtypes(node.op, node.attrs))))
            for port in ports | {0}:
                tensor = self._up(Tensor(name, port))
                if tensor.node in up:
                    tensors.setdefault(Tensor(name, port), tensor)
        up.graph["tensors"] = tensors

    def _inputs(self, layer: Layer) -> list[Tensor]:
        return [self._up(tensor) for tensor in layer.inputs.values()]

    def _op(self, name: str) -> str:
        """The name of an op node in the layer graph: its own, unless a layer bears it."""
        if name not in self.ops:
            self.ops[name] = unused(name, self.taken, form="{}_op{}")
            self.taken.add(self.ops[name])
        return self.ops[name]

    def _source(self, tensor: Tensor) -> Tensor:
        """The tensor that this one repeats."""
        for _ in range(len(self.graph)):
            if tensor in self.by_output or tensor.node in self.keep:
                break
            before = self.graph.inputs(tensor.node)
            passes = self.graph.op(tensor.node) in PASS_THROUGH
            if not passes or tensor.port >= len(before):
                break
            tensor = before[tensor.port]
        return tensor

    def _up(self, tensor: Tensor) -> Tensor:
        tensor = self._source(tensor)
        if tensor in self.by_output:
            return Tensor(self.names[id(self.by_output[tensor])])
        return Tensor(self._op(tensor.node), tensor.port)

    def _needed(self) -> set[str]:
        """The op nodes that stay: read by a layer or by one another, or read by nothing at all."""
        needed: set[str] = set()
        stack = [t for layer in self.roots.values() for t in layer.inputs.values()]
        stack += [Tensor(n) for n in self.graph if self._is_end(n)]
        while stack:
            tensor = self._source(stack.pop())
            if tensor in self.by_output or tensor.node in needed:
                continue
            needed.add(tensor.node)
            stack += self.graph.inputs(tensor.node)
        return needed

    def _is_end(self, name: str) -> bool:
        if name in self.roots or name in self.inside:
            return False
        return name in self.keep or not self.graph._succ[name]
