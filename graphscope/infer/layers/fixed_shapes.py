"""Whether all that a loop computes keeps its shape from turn to turn: what a compiled loop asks for (JAX's, XLA's).

The facts of a loop hold for any batch, so two sizes that they leave open may differ: ``concat([rows, row])`` has one row more in
every turn and the shape ``[None, 4]`` in all. So the loop is inferred once more with a number for every open size of what goes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...graph import Function, FunctionRef, Graph, Loop, Shape, Tensor
from ...ops import spellings
from ...ops.values.facts import UNKNOWN, Fact
from .loops import facts_inside

_SIZES = (97, 89, 83, 79, 73, 71, 67, 61)  # by axis: nothing else has them
_RUNNING = frozenset({"Loop", "Condition"})
_OPAQUE = frozenset({"variant", "string", ""})


def mark_fixed_shapes(graph: Graph) -> Graph:
    """A copy of a layer graph whose loops and conditions say whether their shapes are fixed; the graph itself where none are.

    *before* ``Loop``; *after* ``Loop {fixed}``.
    """
    fixed = {}
    for name in graph:
        node = graph.node(name)
        if isinstance(node, Loop) and node.op in _RUNNING and has_fixed_shapes(node):
            fixed[name] = replace(node, fixed=True)
    if not fixed:
        return graph
    marked = graph.copy()
    for name, loop in fixed.items():
        marked.add_node(name, node=loop)
    return marked


def has_fixed_shapes(loop: Loop) -> bool:
    """Whether every tensor in the loop is a plain one and keeps its shape, for all that is known."""
    if loop.function is None or not all(map(_are_plain, loop.facts.values())):
        return False
    specs = loop.facts.get(loop.function.name, {})
    arguments = [
        _sized(specs.get(Tensor(name), UNKNOWN)) for name in loop.function.arguments
    ]
    inside = facts_inside(loop.function, arguments, loop.library)
    is_whole = inside.keys() >= loop.facts.keys()  # no branch left out for its sizes
    if not is_whole or not all(map(_are_sized, inside.values())):
        return False
    bodies = (loop.function, *loop.library.values())
    return all(_are_sides_alike(body, loop, inside) for body in bodies)


def _are_sides_alike(
    body: Function, loop: Loop, inside: Mapping[str, Mapping[Tensor, Fact]]
) -> bool:
    """Whether both sides of every condition yield the same shapes and types."""
    for node in map(body.graph.node, body.graph.by_op(*spellings.IFS)):
        sides = []
        for attr in ("then_branch", "else_branch"):
            ref = node.attrs.get(attr)
            side = loop.library.get(ref.name) if isinstance(ref, FunctionRef) else None
            facts = inside.get(side.name, {}) if side is not None else {}
            returns = side.returns if side is not None else ()
            sides.append([facts.get(tensor, UNKNOWN).spec for tensor in returns])
        if sides[0] != sides[1]:
            return False
    return True


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


def _are_plain(facts: Mapping[Tensor, Fact]) -> bool:
    """Whether all are numbers, or handles of variables."""
    return not any(fact.spec.dtype in _OPAQUE for fact in facts.values())


def _are_sized(facts: Mapping[Tensor, Fact]) -> bool:
    """Whether every size is known."""
    specs = [fact.spec for fact in facts.values() if fact.spec.dtype != "resource"]
    return all(s.shape is not None and None not in s.shape for s in specs)
