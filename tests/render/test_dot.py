"""DOT: parses, joins declared nodes, holds every layer, and no name can break out."""

from __future__ import annotations

import re

import pytest

from graphscope.graph import Graph, Layer, Node, Tensor, TensorSpec
from graphscope.render import Drawing, renderer
from graphscope.render.dot import to_dot

from .drawn import hostile_graph, layer_graph, op_graph, random_graph

pygraphviz = pytest.importorskip("pygraphviz")


def parsed(dot: str) -> tuple[set[str], list[tuple[str, str]]]:
    """The nodes that have a label, and the edges, as Graphviz itself reads them."""
    graph = pygraphviz.AGraph(string=dot)
    labelled = {
        str(n) for n in graph.nodes() if n.attr["label"] not in (None, "", "\\N")
    }
    assert labelled == set(map(str, graph.nodes())), "an edge joins an undeclared node"
    return labelled, [(str(a), str(b)) for a, b in graph.edges()]


def test_each_layer_is_drawn() -> None:
    graph, specs = layer_graph()
    dot = to_dot(graph, specs, "layer", title="net", outputs=("fc",))
    nodes, edges = parsed(dot)
    assert nodes == {"images", "conv1", "conv2", "add", "fc"}
    assert set(edges) == {
        ("images", "conv1"),
        ("conv1", "conv2"),
        ("conv1", "add"),
        ("conv2", "add"),
        ("add", "fc"),
    }
    for text in (
        "Conv2D",
        "3×3, 8, same",
        "bn1",
        "? × 28 × 28 × 8",
        "5, softmax",
        "output",
    ):
        assert text in dot


def test_ops_show_their_weights_inside() -> None:
    dot = to_dot(op_graph())
    assert "[4,3]" in dot and "[3]" in dot and "VariableV2" not in dot
    assert parsed(dot)[1] == [("x", "fc/MatMul")]


def test_the_tensor_that_is_asked_for_is_marked_on_its_layer() -> None:
    graph, specs = layer_graph()
    assert "output net/fc/out:0" in to_dot(
        graph, specs, outputs=(Tensor("net/fc/out"),)
    )
    assert ">output<" in to_dot(graph, specs, outputs=("add:0",))


@pytest.mark.parametrize("as_layers", [False, True])
def test_hostile_names(as_layers: bool) -> None:
    graph = hostile_graph(as_layers)
    view = Drawing(graph, title=next(iter(graph)), level="layer" if as_layers else "op")
    dot = renderer(".dot")(view)
    assert isinstance(dot, str)
    nodes, edges = parsed(dot)
    assert len(nodes) <= len(graph) and edges


@pytest.mark.parametrize("nodes", [200, 4000])
def test_folded_drawings_are_sound(nodes: int) -> None:
    drawn, edges = parsed(to_dot(random_graph(nodes)))
    assert 5 < len(drawn) < 300 and edges


def test_what_feeds_everything_becomes_words() -> None:
    graph = Graph()
    graph.add("phase", Node("Placeholder"))
    graph.add("x", Node("Placeholder"))
    for i in range(20):
        before = Tensor(f"n{i - 1}" if i else "x")
        graph.add(f"n{i}", Node("Switch"), [before, Tensor("phase")])
    dot = to_dot(graph)
    assert "← phase" in dot
    assert not [e for e in parsed(dot)[1] if e[0] == "phase"]


def test_edges_between_folded_scopes_say_what_goes_over_them() -> None:
    graph = random_graph(600, scopes=False)
    specs = {Tensor(name): TensorSpec("float32", (7, 5)) for name in graph}
    dot = to_dot(graph, specs, budget=20)
    assert re.search(r'label="  \d+ tensors  "', dot) and 'label="  7 × 5  "' in dot


def test_ports_are_named() -> None:
    graph = Graph()
    graph.add("s", Node("Split"))
    for name in "ab":
        graph.add(name, Node("Relu"), [Tensor("s", 1)])
    assert 's -> a [label="  :1  "]' in to_dot(graph)


def test_blocks_of_a_kind_share_a_colour() -> None:
    graph = Graph()
    for i, kind in enumerate(("residual_block", "stem", "residual_block")):
        node = Layer(kind, pattern="block", output=Tensor(f"o{i}"))
        graph.add(f"b{i}", node, [Tensor(f"b{i - 1}")] if i else [])
    fills = re.findall(r'BGCOLOR="(#\w+)" CELLBORDER', to_dot(graph))
    assert len(fills) == 3 and fills[0] == fills[2]


def test_direction_and_empty_graphs() -> None:
    assert "rankdir=LR" in to_dot(op_graph(), direction="LR")
    assert parsed(to_dot(Graph())) == (set(), [])


def test_layers_without_wiring_stand_below_each_other() -> None:
    graph = Graph()
    for i in range(30):
        graph.add(f"dense_{i}", Layer("Dense", {"units": i}, output=Tensor(f"d{i}")))
    nodes, edges = parsed(to_dot(graph))
    assert len(nodes) == 30
    assert len(edges) == 28 and "invis" in to_dot(graph)
