"""Graph -> the order in which its nodes are written: each after its inputs, every region with one exit in one piece.

A region with one exit is what one node post-dominates. Where the node is reached, what its region shares with others
has been laid out before: what several nodes read comes first below the node on which all of its ways to an output
meet, and so never in the midst of one of them; of that, what is made from outside alone comes first, then what is made
from this. So the two inputs of a NASNet cell stand before the cell, however each was made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from ...graph import Graph
from ...graph.order import post_order

_SINK = object()


def lay_out(graph: Graph, roots: Sequence[str]) -> list[str]:
    """The nodes that the roots need, each after its inputs, inputs in slot order; no recursion."""
    plain = list(post_order(roots, partial(_sources, graph)))
    meets = post_dominators(graph, plain, roots)
    fed = _fed(graph, plain, meets)
    shared: dict[object, list[str]] = defaultdict(list)
    for name in sorted(plain, key=fed.__contains__):
        if len(_readers(graph, name, meets)) > 1:
            shared[meets[name]].append(name)
    first = shared.pop(_SINK, [])
    below = [*first, *roots]
    return list(post_order(below, lambda n: [*shared.get(n, ()), *_sources(graph, n)]))


def _sources(graph: Graph, name: str) -> list[str]:
    return [tensor.node for tensor in graph.inputs(name)]


def _readers(graph: Graph, name: str, numbers: Mapping[str, object]) -> list[str]:
    return [reader for reader in graph._succ[name] if reader in numbers]


def _fed(
    graph: Graph, order: Sequence[str], meets: Mapping[str, object]
) -> set[object]:
    """The nodes whose region reads what another region yields that meets the others where this one does."""
    fed: set[object] = set()
    for name in order:
        for reader in _readers(graph, name, meets):
            fed.add(_just_below(meets[name], reader, meets))
    return fed


def _just_below(meet: object, name: object, meets: Mapping[str, object]) -> object:
    """What holds ``name`` among the regions that ``meet`` joins; ``meet`` itself where it is ``name``.

    On a cycle, what bears no such name.
    """
    while name != meet and name in meets and meets[name] != meet:  # type: ignore[index]
        name = meets[name]  # type: ignore[index]
    return name


def post_dominators(
    graph: Graph, order: Sequence[str], roots: Sequence[str]
) -> dict[str, object]:
    """Node -> the nearest node on all of its ways to a root; a sink behind the roots where there is none.

    ``order`` has every node after its inputs. One pass from the back is enough for a graph without cycles (Cooper,
    Harvey and Kennedy, A Simple, Fast Dominance Algorithm); on a cycle the answer is only an approximation.
    """
    meets: dict[str, object] = {}
    depth: dict[object, int] = {_SINK: 0}
    pending = set(roots)
    for name in reversed(order):
        meeting: object = _SINK if name in pending else None
        for reader in graph._succ[name]:
            if reader in meets and meeting is not _SINK:
                meeting = (
                    reader if meeting is None else _meet(meeting, reader, meets, depth)
                )
        meets[name] = _SINK if meeting is None else meeting
        depth[name] = depth[meets[name]] + 1
    return meets


def _meet(
    a: object, b: object, meets: Mapping[str, object], depth: Mapping[object, int]
) -> object:
    """The nearest node on the ways of both."""
    while a is not b and a != b:
        if depth[a] < depth[b]:
            a, b = b, a
        a = meets[a]  # type: ignore[index]
    return a
