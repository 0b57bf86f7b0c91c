"""Graph -> Graph: only what the outputs need.

Data edges are followed. Of the control dependencies of what is kept, those stay whose source is kept anyway, and those that
TensorFlow 1 needs to know which branch of a cond or which frame of a loop a node without inputs belongs to. All others
(assertions, update ops, initialisation order) are for side effects; ``effects=True`` keeps them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..errors import GraphError
from ..graph import Graph, Node, Tensor, did_you_mean
from ..ops import spellings
from ..wire.nodes import check_tensor

FRAME_OPS = spellings.FRAME_OPS


def prune(
    graph: Graph, outputs: Iterable[Tensor | str], effects: bool = False
) -> Graph:
    """A new graph with the nodes that the outputs (``"name"``, ``"name:port"`` or a Tensor) depend on.

    The order of the nodes is that of ``graph``. Raises GraphError where there is no such node.
    """
    wanted = [existing(graph, output).node for output in outputs]
    if effects:
        kept = graph.upstream(wanted, control=True)
        return _restrict(graph, kept, {})
    pivots = _Pivots(graph)
    kept, moved, stack = set(), {}, wanted
    while stack:
        name = stack.pop()
        if name in kept:
            continue
        kept.add(name)
        stack.extend(graph._pred[name])
        if graph.node(name).controls and not graph._pred[name]:
            moved[name] = pivots.above(graph.node(name).controls)
            stack.extend(moved[name])
    return _restrict(graph, kept, moved)


def existing(graph: Graph, output: Tensor | str) -> Tensor:
    """The tensor that is meant; raises GraphError with the nearest names where the graph has no such node, or port of it."""
    tensor = output if isinstance(output, Tensor) else Tensor.parse(output)
    if tensor.node not in graph:
        stripped = tensor.node.removeprefix("^").removeprefix("import/")
        if stripped in graph:
            return Tensor(stripped, tensor.port)
        raise GraphError(
            f"no node {tensor.node!r} in the graph{did_you_mean(tensor.node, graph)}"
        )
    check_tensor(graph, tensor)
    return tensor


def _restrict(graph: Graph, kept: set[str], moved: dict[str, tuple[str, ...]]) -> Graph:
    pruned = Graph(graph)
    pruned.graph.clear()  # what a graph remembers is of its own nodes
    pruned.restrict(kept)
    for name in pruned:
        node = pruned.node(name)
        if node.controls:
            controls = _controls(node, kept, moved.get(name, ()))
            pruned.add_node(name, node=replace(node, controls=controls))
    return pruned


def _controls(node: Node, kept: set[str], pivots: tuple[str, ...]) -> tuple[str, ...]:
    sources = [source for source in node.controls if source in kept]
    return (*sources, *(name for name in pivots if name not in sources))


class _Pivots:
    """For a control source: the nodes that carry the deadness or the frame it lies in, nearest first."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: dict[str, frozenset[str]] = {}

    def above(self, sources: Iterable[str]) -> tuple[str, ...]:
        pivots: dict[str, None] = {}
        for source in sources:
            if source in self.graph:
                if source not in self.known:
                    self.known[source] = self._search(source)
                pivots.update(dict.fromkeys(sorted(self.known[source])))
        return tuple(pivots)

    def _search(self, start: str) -> frozenset[str]:
        pivots: set[str] = set()
        seen, stack = {start}, [start]
        while stack:
            name = stack.pop()
            carriers = self._carriers(name)
            pivots.update(carriers)
            if carriers:
                continue
            for source in (*self.graph._pred[name], *self.graph.node(name).controls):
                if source not in seen and source in self.graph:
                    seen.add(source)
                    stack.append(source)
        return frozenset(pivots)

    def _carriers(self, name: str) -> set[str]:
        """The nodes to depend on in place of one that takes its life directly from control flow; none for others.

        An assignment inside a branch gives way to the pivot of its branch, so that it need not be kept.
        """
        if self.graph.op(name) in FRAME_OPS:
            return {name}
        reads = [
            t for t in self.graph.inputs(name) if self.graph.op(t.node) in FRAME_OPS
        ]
        if not reads or self.graph.op(name) == "Identity":
            return {name} if reads else set()
        return {pivot for tensor in reads for pivot in self._pivot(tensor)} or {name}

    def _pivot(self, tensor: Tensor) -> set[str]:
        """The Identity that stands for the branch that a port of a Switch feeds."""
        if not self.graph.op(tensor.node).endswith("Switch"):
            return set()
        inputs = self.graph.inputs(tensor.node)
        for predicate in self._spellings(inputs[-1]) if inputs else ():
            for switch, _ in self.graph.consumers(*predicate):
                if self.graph.op(switch) in spellings.SWITCHES:
                    for reader, _ in self.graph.consumers(switch, tensor.port):
                        if self.graph.op(reader) == "Identity":
                            return {reader}
        return set()

    def _spellings(self, predicate: Tensor) -> list[Tensor]:
        """A predicate, and the Identity nodes (``pred_id``) that hand the same one on."""
        seen = {predicate}
        while self.graph.op(predicate.node) == "Identity":
            predicate = next(iter(self.graph.inputs(predicate.node)), predicate)
            if predicate in seen:
                break
            seen.add(predicate)
        readers = self.graph.consumers(*predicate)
        same = [n for n, _ in readers if self.graph.op(n) == "Identity"]
        return [predicate, *map(Tensor, same)]
