"""Nodes that contradict their op are one clear error, whatever the damage."""

from __future__ import annotations

import pytest

from graphscope.errors import GraphError
from graphscope.freeze.validity import check_nodes
from graphscope.graph import Graph, Node, Tensor


def graph_with(node: Node, inputs: list[str]) -> Graph:
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    graph.add("y", node, [Tensor.parse(text) for text in inputs])
    return graph


@pytest.mark.parametrize(
    "node, inputs, message",
    [
        (Node("Relu", {}), ["x"], "no attribute 'T'"),
        (Node("Relu", {"T": (1, 2)}), ["x"], "'T' is no type"),
        (Node("Relu", {"T": "float32"}), [], "1 inputs expected, 0 found"),
        (Node("Relu", {"T": "float32"}), ["x", "x"], "1 inputs expected, 2 found"),
        (Node("Relu", {"T": "float32"}), ["x:3"], "reads x:3"),
        (Node("AddN", {"T": "float32", "N": 3}), ["x"], "3 inputs expected"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_contradicts_the_op_is_named(node, inputs, message):
    with pytest.raises(GraphError, match=f"'y'.*{message}"):
        check_nodes(graph_with(node, inputs))


def test_what_fits_and_what_nobody_knows_passes():
    check_nodes(graph_with(Node("Relu", {"T": "float32"}), ["x"]))
    check_nodes(graph_with(Node("MyOwnOp", {"T": (1, 2)}), ["x:9", "x"]))
