"""What a prompt and a notebook show of layers and graphs."""

from __future__ import annotations

from graphscope.graph import Graph, Layer, Layers, Node, Tensor, WeightUse


def test_a_layer_is_one_line() -> None:
    kernel = WeightUse("w", (4, 8))
    layer = Layer("Dense", {"units": 8}, weights={"kernel": kernel}, name="hidden")
    assert repr(layer) == "<Dense 'hidden': units=8, kernel [4, 8]>"
    assert len(repr(Layer("Dense", {"units": "x" * 5000}))) < 200


def test_layers_are_one_table() -> None:
    layers = Layers([Layer("Dense", {"units": 8}, name="<b>"), Layer("Flatten")])
    shown = layers._repr_html_()
    assert ">Dense</td>" in shown and "&lt;b&gt;" in shown and "<b>" not in shown
    assert layers[0].op == "Dense" and list(layers[1:]) == [layers[1]]


def test_a_graph_says_its_size() -> None:
    graph = Graph()
    graph.add("a", Node("Placeholder"))
    graph.add("b", Node("Relu"), [Tensor("a")])
    assert repr(graph) == "<Graph with 2 nodes and 1 edges>"
