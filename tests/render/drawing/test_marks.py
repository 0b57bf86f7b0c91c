"""Inputs and outputs are marked at the node that they are."""

from __future__ import annotations

from graphscope.graph import Graph, Layer, Node, Tensor
from graphscope.render.drawing.marks import marks_of


def test_a_layer_that_bears_the_name_of_the_feed_is_not_the_feed() -> None:
    """TensorFlow Lite: a tensor ``x`` is fed, and the layer that makes it real is called after it."""
    graph = Graph()
    graph.add("x_op1", Node("Placeholder"))
    graph.add("x", Layer("Rescaling", output=Tensor("x/real", 0)), [Tensor("x_op1", 0)])
    graph.graph["tensors"] = {
        Tensor("x", 0): Tensor("x_op1", 0),
        Tensor("x/real", 0): Tensor("x", 0),
    }
    marks = marks_of(graph, [Tensor("x", 0)], ["x/real:0"])
    assert marks == {"x_op1": "input", "x": "output x/real:0"}
