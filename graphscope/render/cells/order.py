"""Graph -> its nodes, inputs before what reads them; and which nodes are drawn inside the nodes that read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import networkx as nx

from ...graph import Graph

_READS = frozenset({"Identity", "ReadVariableOp", "Enter", "RefEnter"})
_PLACES = frozenset({"Const", "Variable", "VariableV2", "VarHandleOp"})


def in_order(graph: Graph) -> list[str]:
    """The nodes in topological order, the file's where it allows; the edges that close loops do not count."""
    place = {name: i for i, name in enumerate(graph)}
    for forward in (graph, _without_next_iterations(graph)):
        try:
            return list(
                nx.lexicographical_topological_sort(forward, key=place.__getitem__)
            )
        except nx.NetworkXUnfeasible:
            continue
    return _despite_loops(graph)


def _without_next_iterations(graph: Graph) -> nx.MultiDiGraph:
    """The graph without the edges that close TensorFlow 1 loops."""
    closing = set(graph.by_op("NextIteration", "RefNextIteration"))
    return nx.subgraph_view(graph, filter_edge=lambda u, v, k: u not in closing)


def _despite_loops(graph: Graph) -> list[str]:
    """Reverse postorder of a depth-first walk: right but for the edges that go back."""
    visited: set[str] = set()
    order: list[str] = []
    heads = [n for n in graph if not graph._pred[n]]
    for root in [*reversed(heads), *reversed(list(graph))]:
        if root in visited:
            continue
        visited.add(root)
        stack: list[tuple[str, Iterator[str]]] = [(root, iter(graph._succ[root]))]
        while stack:
            name, targets = stack[-1]
            target = next((t for t in targets if t not in visited), None)
            if target is None:
                order.append(name)
                stack.pop()
            else:
                visited.add(target)
                stack.append((target, iter(graph._succ[target])))
    return order[::-1]


def held_nodes(
    graph: Graph, order: list[str], keep: Collection[str] = ()
) -> dict[str, str]:
    """Node -> the constant or variable that it stands for, for each node that only hands one to its consumers."""
    stands: dict[str, str] = {}
    for name in order:
        if name in keep or not graph._succ[name]:
            continue
        op, sources = graph.op(name), list(graph._pred[name])
        if op in _PLACES and not sources:
            stands[name] = name
        elif len(sources) == 1 and sources[0] in stands and op in _READS:
            stands[name] = stands[sources[0]]
    return stands
