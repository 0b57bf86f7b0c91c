"""Graph -> Graph in which a derivative by a feed is one node, ``Gradient``, and its backward ops are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...graph import Graph, Model, Node, Shape, Tensor, TensorSpec
from ...graph.edit import duplicate, put
from ..prune import prune
from .find import derivatives_by_feeds


def join_derivatives(
    graph: Graph,
    model: Model,
    outputs: Iterable[Tensor],
    shapes: Mapping[str, Shape],
) -> Graph:
    """A copy in which one node differentiates; the graph itself where nothing is a derivative.

    ``MatMul(TanhGrad(Tanh(h), MatMul(ones, v)), w) -> Gradient(y, x)``.
    """
    derivatives = derivatives_by_feeds(graph, model, shapes)
    if not derivatives:
        return graph
    copy = duplicate(graph)
    for each in derivatives:
        feed = graph.attrs(each.by.node)
        shape = shapes.get(each.by.node, feed.get("shape"))
        spec = TensorSpec(str(feed.get("dtype")), shape)
        put(copy, each.node, Node("Gradient", outputs=(spec,)), (each.of, each.by))
    return prune(copy, tuple(outputs))
