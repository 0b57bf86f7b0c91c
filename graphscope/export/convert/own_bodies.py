"""Loops and conditions that share a function -> each with one of its own, because a converter rewrites a body where it meets it first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...graph import Function, Graph
from ...graph.edit import duplicate, put
from ...graph.graph import FunctionRef
from ...ops import spellings
from ..frozen import Frozen

_RUNNERS = (*spellings.WHILES, *spellings.IFS)


def with_own_bodies(frozen: Frozen) -> Frozen:
    """``While(body=f) ... While(body=f) -> While(body=f) ... While(body=f_1)``; the same model where nothing is shared."""
    library, graph = dict(frozen.functions), duplicate(frozen.graph)
    used: set[str] = set()
    waiting = [graph]
    while waiting:
        current = waiting.pop()
        for name in list(current.by_op(*_RUNNERS)):
            waiting += _separate(current, name, library, used)
    same = library.keys() == frozen.functions.keys()
    return frozen if same else replace(frozen, graph=graph, functions=library)


def _separate(
    graph: Graph, name: str, library: dict[str, Function], used: set[str]
) -> list[Graph]:
    """Give the functions of one node names that nothing used before, in place; their bodies."""
    node, bodies = graph.node(name), []
    own = {}
    for attr, value in node.attrs.items():
        if isinstance(value, FunctionRef) and value.name in library:
            function = library[value.name]
            if value.name in used:
                new = _free(value.name, library)
                body = duplicate(function.graph)
                function = replace(function, name=new, graph=body, message=None)
                library[new] = function
                own[attr] = FunctionRef(new, value.attrs)
            used.add(function.name)
            bodies.append(function.graph)
    if own:
        put(graph, name, replace(node, attrs={**node.attrs, **own}), graph.inputs(name))
    return bodies


def _free(name: str, library: Mapping[str, Function]) -> str:
    number = 1
    while f"{name}_{number}" in library:
        number += 1
    return f"{name}_{number}"
