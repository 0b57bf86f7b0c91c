"""TemporaryVariable -> the sum that is accumulated in it.

``tf.accumulate_n`` of TensorFlow 1 assigns zeros to a temporary variable, lets every term add itself to it, and reads it when all
have: an order that lies in control dependencies alone. What comes out is a sum.
"""

from __future__ import annotations

from dataclasses import replace

from ...errors import NotExpressible
from ...graph import Graph, Tensor
from ...graph.edit import duplicate, put

_SIGNS = {"AssignAdd", "Assign"}


def sum_temporaries(graph: Graph) -> Graph:
    """The graph in which each destroyed temporary variable is an AddN; raises NotExpressible where it is no sum."""
    if next(graph.by_op("TemporaryVariable"), None) is None:
        return graph
    copy = duplicate(graph)
    for name in list(copy.by_op("DestroyTemporaryVariable")):
        terms = _terms(copy, name)
        dtype = str(copy.attrs(name)["T"]).removesuffix("_ref")
        node = replace(copy.node(name), op="AddN", controls=())
        attrs = {"T": dtype, "N": len(terms)}
        put(copy, name, replace(node, attrs=attrs), terms)
    return copy


def _terms(graph: Graph, name: str) -> list[Tensor]:
    """All that is assigned and added to the variable that this node destroys."""
    variable = _variable(graph, name)
    terms, stack, visited = [], [variable], {variable}
    while stack:
        for reader, slot in graph.consumers(stack.pop()):
            op = graph.op(reader)
            if reader in visited or op == "DestroyTemporaryVariable":
                continue
            visited.add(reader)
            inputs = graph.inputs(reader)
            if op not in _SIGNS or slot != 0 or len(inputs) != 2:
                raise NotExpressible(
                    f"{op} (node {reader!r}) reads a temporary variable: only sums of it can be frozen"
                )
            terms.append(inputs[1])
            stack.append(reader)
    return terms


def _variable(graph: Graph, name: str) -> str:
    """The TemporaryVariable behind a chain of assignments."""
    for _ in range(len(graph)):
        if graph.op(name) == "TemporaryVariable":
            return name
        inputs = graph.inputs(name)
        if not inputs:
            break
        name = inputs[0].node
    raise NotExpressible(f"{name!r} destroys a temporary variable that is not there")
