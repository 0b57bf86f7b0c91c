"""Selections between tensors of different shapes -> conditions: what a cond may return, no selection can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...graph import Function, FunctionRef, Graph, Node, Tensor
from ...graph.edit import duplicate, put
from ...graph.names import unused
from .lifted import Region

_SIDES = ("true", "false")
CHOICE = "_choice"  # marks what returns its second or its third input whole; TensorFlow lets such attributes pass


def mark_choice(graph: Graph, name: str) -> None:
    """Note in place that a SelectV2 was a cond: it returns one side as it is, and broadcasts nothing."""
    node = graph.node(name)
    attrs = {**node.attrs, CHOICE: True}
    put(graph, name, replace(node, attrs=attrs), graph.inputs(name))


def outline_choices(
    graph: Graph, names: Iterable[str], functions: Mapping[str, Function]
) -> tuple[Graph, dict[str, Function], tuple[Region, ...]]:
    """A copy in which each of these SelectV2 nodes calls a function that runs an If, and the functions copy for it.

    Both sides are computed as before; only the choice is a condition.
    """
    copy, new, regions = duplicate(graph), dict[str, Function](), []
    for name in names:
        dtype = str(copy.attrs(name).get("T") or "float32")
        inputs = copy.inputs(name)
        refs = [
            _add(new, functions, _side(f"{name}_{word}", port, dtype))
            for port, word in enumerate(_SIDES)
        ]
        whole = _add(new, functions, _choice(name, refs, dtype))
        attrs = {
            "f": whole,
            "Tin": ("bool", dtype, dtype),
            "Tout": (dtype,),
            CHOICE: True,
        }
        put(copy, name, Node("PartitionedCall", attrs), inputs)
        regions.append(Region(name, whole.name, (), 1, frozenset((name,))))
    return copy, new, tuple(regions)


def _add(
    new: dict[str, Function], functions: Mapping[str, Function], function: Function
) -> FunctionRef:
    name = unused(function.name, {*new, *functions})
    new[name] = Function(name, function.graph, function.arguments, function.returns)
    return FunctionRef(name, {})


def _side(name: str, port: int, dtype: str) -> Function:
    """A branch that returns one of its two arguments."""
    graph = Graph()
    for argument in _SIDES:
        graph.add(argument, Node("_Arg", {"T": dtype}))
    return Function(name, graph, _SIDES, (Tensor(_SIDES[port]),))


def _choice(name: str, branches: list[FunctionRef], dtype: str) -> Function:
    graph = Graph()
    graph.add("predicate", Node("_Arg", {"T": "bool"}))
    for argument in _SIDES:
        graph.add(argument, Node("_Arg", {"T": dtype}))
    attrs = {
        "then_branch": branches[0],
        "else_branch": branches[1],
        "Tcond": "bool",
        "Tin": (dtype, dtype),
        "Tout": (dtype,),
    }
    operands = [Tensor("predicate"), *map(Tensor, _SIDES)]
    graph.add("chosen", Node("If", attrs), operands)
    return Function(name, graph, ("predicate", *_SIDES), (Tensor("chosen"),))
