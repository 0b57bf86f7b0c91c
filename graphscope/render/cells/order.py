"""Graph -> its nodes, inputs before what reads them; and which nodes are drawn inside the nodes that read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from heapq import heappop, heappush

from ...graph import Graph
from ...ops import spellings

_READS = frozenset({*spellings.ENTERS, "Identity", "ReadVariableOp"})
_PLACES = frozenset({*spellings.VARIABLES, "Const"})


def in_order(graph: Graph) -> list[str]:
    """The nodes in topological order, the file's where it allows; the edges that close loops do not count."""
    closing = frozenset(graph.by_op(*spellings.NEXT_ITERATIONS))
    return (
        _earliest_first(graph, frozenset())
        or _earliest_first(graph, closing)
        or _despite_loops(graph)
    )


def _earliest_first(graph: Graph, closing: frozenset[str]) -> list[str]:
    """Of the nodes whose inputs are in the order, always the file's first, as ``networkx.lexicographical_topological_sort`` does.

    What ``closing`` nodes yield does not count as an input. Empty where nodes go round in a circle all the same.
    """
    names = list(graph)
    place = {name: i for i, name in enumerate(names)}
    waits = [sum(source not in closing for source in graph._pred[n]) for n in names]
    ready = [i for i, count in enumerate(waits) if not count]
    order = []
    while ready:
        name = names[heappop(ready)]
        order.append(name)
        for reader in () if name in closing else graph._succ[name]:
            waits[place[reader]] -= 1
            if not waits[place[reader]]:
                heappush(ready, place[reader])
    return order if len(order) == len(names) else []


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
