"""A graph from a variable list alone: what can be shown of a checkpoint without its graph."""

from __future__ import annotations

from collections.abc import Iterable

from ..graph import Graph, Node, TensorSpec, Variable


def skeleton(variables: Iterable[Variable]) -> Graph:
    """One node per variable; nothing is known of how they are wired."""
    graph = Graph()
    for variable in variables:
        attrs = {"dtype": variable.dtype, "shape": variable.shape}
        spec = TensorSpec(variable.dtype, variable.shape)
        graph.add(variable.name, Node("VariableV2", attrs, (spec,)))
    return graph
