"""The order in which nodes are laid out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from .adjacency import Adjacency

Name = TypeVar("Name", bound=Hashable)


def post_order(
    roots: Sequence[Name], inputs_of: Callable[[Name], Sequence[Name]]
) -> Iterator[Name]:
    """The nodes that the roots need, each after its inputs, inputs in their order; no recursion.

    A region with one exit comes out in one piece, and two equal regions in the same order. A node of a cycle
    comes out before one of its inputs.
    """
    opened: set[Name] = set()
    done: set[Name] = set()
    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in opened:
                stack.pop()
                if node not in done:
                    done.add(node)
                    yield node
                continue
            opened.add(node)
            stack.extend(n for n in reversed(inputs_of(node)) if n not in opened)


def sources_first(graph: Adjacency, back: Collection[str] = ()) -> list[str] | None:
    """The nodes in the order of ``networkx.topological_sort``, which goes by generations; None where they go round in a circle.

    Edges from the nodes ``back``, those that end a turn of a loop, lead back and do not count.
    """
    pred, succ = graph._pred, graph._succ
    open_edges = {name: sum(map(len, pred[name].values())) for name in graph}
    for name in back:
        for reader, edges in succ[name].items():
            open_edges[reader] -= len(edges)
    generation = [name for name, count in open_edges.items() if not count]
    order: list[str] = []
    while generation:
        order += generation
        following = []
        for name in generation:
            for reader, edges in succ[name].items() if name not in back else ():
                left = open_edges[reader] = open_edges[reader] - len(edges)
                if not left:
                    following.append(reader)
        generation = following
    return order if len(order) == len(open_edges) else None


def is_acyclic(graph: Adjacency, back: Collection[str] = ()) -> bool:
    """Whether no node depends on itself, but for edges from the nodes ``back``."""
    return sources_first(graph, back) is not None


def descendants(graph: Adjacency, name: str) -> set[str]:
    """What depends on a node, itself left out."""
    succ, reached = graph._succ, set()
    stack = list(succ[name])
    while stack:
        below = stack.pop()
        if below not in reached:
            reached.add(below)
            stack += succ[below]
    reached.discard(name)
    return reached


def components(neighbours: Mapping[str, Sequence[str]]) -> Iterator[set[str]]:
    """The sets of nodes that hang together, by their first node; each edge is listed at both of its ends."""
    placed: set[str] = set()
    for name in neighbours:
        if name not in placed:
            component, stack = {name}, [name]
            while stack:
                near = set(neighbours[stack.pop()]) - component
                component |= near
                stack += near
            placed |= component
            yield component


def first_readers(graph: Adjacency, names: Sequence[str]) -> dict[str, int]:
    """For each node the first in the list of names that depends on it; a node that none of them depends on is left out.

    In a graph that goes round in a circle, what lies on a circle depends on itself too.
    """
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        stack = list(graph._pred.get(name, ()))
        while stack:
            node = stack.pop()
            if node not in first:
                first[node] = number
                stack += graph._pred[node]
    return first
