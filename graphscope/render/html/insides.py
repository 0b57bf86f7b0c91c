"""What a box unfolds to: a block to its layers, a layer to its ops, a loop or a call to the functions that it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...graph import RNN, Function, FunctionRef, Graph, Layer, Loop, Node, Tensor

DEEPEST = 8  # functions inside functions
MOST = 40_000  # nodes inside boxes, in one altitude


class Insides:
    """``blocks`` gives the layers of a block by the tensor that it computes, ``layers`` and ``ops`` the graphs that they
    stand in, ``functions`` the library of the file and ``file`` its ops before any of them was rewritten: where a recurrent
    layer's loop still stands.
    """

    def __init__(
        self,
        layers: Graph | None = None,
        ops: Graph | None = None,
        functions: Mapping[str, Function] = {},
        blocks: Mapping[Tensor, Sequence[str]] = {},
        file: Graph | None = None,
    ) -> None:
        self.layers, self.ops, self.functions = layers, ops, functions
        self.blocks, self.file = blocks, file
        self.room = MOST

    def of(self, nodes: list[Node], depth: int) -> list[tuple[str, Graph]]:
        """The graphs inside a box of some nodes, each with the name of its part (``""`` where there is one)."""
        if depth > DEEPEST:
            return []
        parts = [each for node in nodes for each in self._functions(node)]
        parts = parts or [("", graph) for graph in self._members(nodes)]
        size = sum(len(graph) for _, graph in parts)
        if size > self.room:
            return []
        self.room -= size
        return parts

    def _members(self, nodes: list[Node]) -> Iterator[Graph]:
        layers = [node for node in nodes if isinstance(node, Layer)]
        graph = Graph()
        if (
            any(layer.pattern == "block" for layer in layers)
            and self.layers is not None
        ):
            names = [n for each in layers for n in self.blocks.get(each.output, ())]
            graph = self.layers.subgraph(names)
        else:
            members = {member for layer in layers for member in layer.members}
            for ops in filter(None, (self.ops, self.file)):
                graph = ops.subgraph(_in_order_of(ops, members))
                if len(graph) > 1:
                    break
        if len(graph) > 1:
            yield graph

    def _functions(self, node: Node) -> Iterator[tuple[str, Graph]]:
        """The function of a loop or of a cell; the functions that the attributes of an op name."""
        if isinstance(node, Loop | RNN) and node.function is not None:
            if isinstance(node, Loop):
                self.functions = {**self.functions, **node.library}
            yield "inside", node.function.graph
            return
        for key, value in node.attrs.items():
            several = isinstance(value, list | tuple) and type(value) is not FunctionRef
            for ref in value if several else (value,):
                if isinstance(ref, FunctionRef) and ref.name in self.functions:
                    yield f"{key}: {ref.name}", self.functions[ref.name].graph


def _in_order_of(graph: Graph, members: set[str]) -> list[str]:
    """The members, and what stands between two of them: the loop between its stacks."""
    inside = [name for name in members if name in graph]
    after = {target for name in inside for target in graph._succ[name]}
    before = {source for name in inside for source in graph._pred[name]}
    part = {*inside, *(after & before)}
    return [name for name in graph if name in part]
