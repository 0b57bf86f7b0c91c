"""Whether all that a loop computes keeps its shape from turn to turn: what a compiled loop asks for (JAX's, XLA's).

The facts of a loop hold for any batch, so two sizes that they leave open may differ: ``concat([rows, row])`` has one row more in
every turn and the shape ``[None, 4]`` in all. So the loop is inferred once more with a number for every open size of what goes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...graph import Graph, Loop, Shape, Tensor
from ...ops.values.facts import UNKNOWN, Fact
from .loops import facts_inside

_SIZES = (97, 89, 83, 79, 73, 71, 67, 61)  # by axis: nothing else has them
_OPAQUE = frozenset({"variant", "string", ""})


def mark_fixed_shapes(graph: Graph) -> Graph:
    """A copy of a layer graph whose loops say whether their shapes are fixed; the graph itself where none are.

    *before* ``Loop``; *after* ``Loop {fixed}``.
    """
    fixed = {}
    for name in graph:
        node = graph.node(name)
        if isinstance(node, Loop) and node.op == "Loop" and has_fixed_shapes(node):
            fixed[name] = replace(node, fixed=True)
    if not fixed:
        return graph
    marked = graph.copy()
    for name, loop in fixed.items():
        marked._node[name]["node"] = loop
    return marked


def has_fixed_shapes(loop: Loop) -> bool:
    """Whether every tensor in the loop is a plain one and keeps its shape, for all that is known."""
    if loop.function is None:
        return False
    known = loop.facts.get(loop.function.name, {})
    arguments = [known.get(Tensor(a), UNKNOWN) for a in loop.function.arguments]
    if any(fact.spec.dtype == "variant" for fact in arguments):
        return False
    inside = facts_inside(loop.function, [_sized(f) for f in arguments], loop.library)
    return all(map(_is_plain, inside.values()))


def _sized(fact: Fact) -> Fact:
    """The fact with a number for each open size: one for each axis, as what meets axis by axis has the same."""
    shape = fact.spec.shape
    if shape is None:
        return fact
    sizes: Shape = tuple(
        _SIZES[axis % len(_SIZES)] if size is None else size
        for axis, size in enumerate(shape)
    )
    return fact._replace(spec=replace(fact.spec, shape=sizes))


def _is_plain(facts: Mapping[Tensor, Fact]) -> bool:
    """Whether a variable's handle or a tensor of numbers, whose every size is known."""
    return all(
        spec.dtype == "resource"
        or spec.dtype not in _OPAQUE
        and spec.shape is not None
        and None not in spec.shape
        for spec in (fact.spec for fact in facts.values())
    )
