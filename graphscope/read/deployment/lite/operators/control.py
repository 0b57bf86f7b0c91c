"""Subgraphs that are called: conditions and loops."""

from __future__ import annotations

from .....errors import FormatError
from .....graph import FunctionRef, Tensor
from ..call import Call, lowers


def function_of(call: Call, option: str) -> FunctionRef:
    """The function that a subgraph became; raises FormatError where there is no such subgraph."""
    names, number = call.lowered.functions, call.option(option, -1)
    if not 0 < number < len(names):
        raise FormatError(
            f"{call.lowered.file.source.name}: a {call.operator.op} calls subgraph {number}; there are {len(names)}"
        )
    return FunctionRef(names[number], {})


def _ports(x: Tensor, call: Call) -> list[Tensor]:
    return [Tensor(x.node, port) for port in range(len(call.operator.outputs))]


def _dtypes(call: Call) -> tuple[str, ...]:
    return tuple(call.dtype(port) for port in range(len(call.operator.outputs)))


def _shapes(call: Call) -> tuple[object, ...]:
    ports = range(len(call.operator.outputs))
    return tuple(call.out(port).spec.shape for port in ports)


@lowers("IF")
def _condition(call: Call) -> list[Tensor]:
    branches = {
        "then_branch": function_of(call, "then_subgraph_index"),
        "else_branch": function_of(call, "else_subgraph_index"),
    }
    attrs = {"Tout": _dtypes(call), "output_shapes": _shapes(call)}
    return _ports(call.op("StatelessIf", *call.all, **branches, **attrs), call)


@lowers("WHILE")
def _loop(call: Call) -> list[Tensor]:
    bodies = {
        "cond": function_of(call, "cond_subgraph_index"),
        "body": function_of(call, "body_subgraph_index"),
    }
    attrs = {"T": _dtypes(call), "output_shapes": _shapes(call)}
    return _ports(call.op("StatelessWhile", *call.all, **bodies, **attrs), call)
