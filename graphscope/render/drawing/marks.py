"""The nodes that a drawing marks as inputs and outputs of the model."""

from __future__ import annotations

from collections.abc import Iterable

from ...graph import Graph, Layer, Tensor, above


def marks_of(
    graph: Graph, inputs: Iterable[Tensor | str], outputs: Iterable[Tensor | str]
) -> dict[str, str]:
    """Node -> the word that marks it; the layer that computes a tensor stands for it."""
    maker = {
        str(layer.output): name
        for name in graph
        if isinstance(layer := graph.node(name), Layer)
    }
    marks: dict[str, str] = {}
    for tensor in outputs:
        parsed = Tensor.parse(tensor) if isinstance(tensor, str) else tensor
        name = maker.get(str(parsed), parsed.node)
        if name in graph:
            marks[name] = "output" if name == parsed.node else f"output {parsed}"
    for tensor in inputs:
        parsed = Tensor.parse(tensor) if isinstance(tensor, str) else tensor
        raised = above(graph, parsed)
        if raised and raised.node not in marks:
            marks[raised.node] = "input"
    return marks
