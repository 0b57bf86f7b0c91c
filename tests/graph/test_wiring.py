"""Edges as integers: they say what the dictionaries say, before and after those are made and changed."""

from __future__ import annotations

import copy
import pickle
import random

import pytest

from graphscope.errors import GraphError
from graphscope.graph import Graph, Node, Tensor
from graphscope.graph.edit import put, read_instead
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes


def nodes(seed: int, size: int = 60) -> list:
    """NodeDefs that read nodes before and after themselves, one node several times, and nodes that are not there."""
    draw = random.Random(seed)
    listed = []
    for number in range(size):
        node = proto.NodeDef(name=f"n{number}", op="Custom")
        for _ in range(draw.randrange(4)):
            source = draw.choice([draw.randrange(size + 2), max(number - 1, 0)])
            port = draw.choice([0, 0, 0, 1, 7])
            node.input.append(f"n{source}:{port}" if port else f"n{source}")
        if number % 7 == 3:
            node.input.append(f"^n{draw.randrange(size)}")
        listed.append(node)
    return listed


def added(listed: list) -> Graph:
    """The same graph, node by node and edge by edge."""
    graph = Graph()
    names = [node.name for node in listed]
    for text in (t for node in listed for t in node.input if t[0] != "^"):
        names += [] if Tensor.parse(text).node in names else [Tensor.parse(text).node]
    for name in names:
        graph.add_node(name, node=Node("Custom"))
    for node in listed:
        data = [Tensor.parse(text) for text in node.input if text[0] != "^"]
        for slot, tensor in enumerate(data):
            graph.add_edge(tensor.node, node.name, key=slot, port=tensor.port)
    return graph


@pytest.mark.parametrize("seed", range(8))
def test_a_graph_that_was_read_says_what_one_of_dictionaries_says(seed: int) -> None:
    graph, plain = graph_from_nodes(nodes(seed)), added(nodes(seed))
    assert graph.is_wired and list(graph) == list(plain)
    for name in plain:
        assert graph.inputs(name) == plain.inputs(name)
        assert graph.upstream([name]) == plain.upstream([name])
    assert graph.is_wired
    wiring, other = graph.wiring(), plain.wiring()
    assert wiring.inputs() == other.inputs() and wiring.readers() == other.readers()
    plain.sort_readers()
    for name in plain:
        assert graph.consumers(name) == plain.consumers(name)
        assert list(graph._pred[name].items()) == list(plain._pred[name].items())
    assert not graph.is_wired


def test_a_change_is_in_the_wiring() -> None:
    graph = graph_from_nodes(nodes(1))
    put(graph, "new", Node("Custom"), [Tensor("n3", 2), Tensor("n3"), Tensor("n5")])
    assert graph.wiring().inputs()[-1] == [(3, 2), (3, 0), (5, 0)]
    read_instead(graph, "new", 1, Tensor("n9"))
    assert graph.wiring().inputs()[-1] == [(3, 2), (9, 0), (5, 0)]
    before = copy.deepcopy(graph)
    graph.remove_node("n3")
    assert "n3" not in graph.wiring().index
    assert len(graph.wiring().inputs()[-1]) == 2
    assert before.wiring().inputs()[-1] == [(3, 2), (9, 0), (5, 0)]
    few = [name for name in graph if name in ("n1", "n5", "new")]
    graph.restrict(few)
    assert graph.wiring().names == few
    graph.unlink("new")
    assert graph.wiring().inputs()[-1] == []


def test_a_copy_changes_alone() -> None:
    graph = graph_from_nodes(nodes(2))
    inputs = graph.wiring().inputs()
    changed = graph.copy()
    changed.unlink(next(n for n in changed if changed.inputs(n)))
    assert changed.wiring().inputs() != inputs
    assert graph.wiring().inputs() == inputs


def test_a_wired_graph_is_pickled() -> None:
    graph = graph_from_nodes(nodes(3))
    other = pickle.loads(pickle.dumps(graph))
    assert other.is_wired
    assert [other.inputs(name) for name in other] == [graph.inputs(n) for n in graph]
    assert list(other.reverse().successors("n4")) == list(graph.predecessors("n4"))


def test_the_first_fault_of_a_file_is_told() -> None:
    listed = [
        proto.NodeDef(name="x", op="Placeholder"),
        proto.NodeDef(name="a", op="Relu", input=["x:1"]),
        proto.NodeDef(name="b", op="Relu", input=["x", "x"]),
    ]
    with pytest.raises(GraphError, match="'a' reads 'x:1'"):
        graph_from_nodes(listed)
    with pytest.raises(GraphError, match="'b' .* has 2 inputs, expected 1"):
        graph_from_nodes(listed[::2] + listed[1:2])


def test_what_is_passed_on_round_a_circle_comes_to_an_end() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder"))
    graph.add("on", Node("IdentityN"), [Tensor("x"), Tensor("x", 1)])
    graph.add("a", Node("Identity"), [Tensor("b")])
    graph.add("b", Node("Identity"), [Tensor("a")])
    passing = ("Identity", "IdentityN")
    assert graph.past(Tensor("on", 1), passing) == Tensor("x", 1)
    assert graph.past(Tensor("on", 2), passing) == Tensor("on", 2)
    assert graph.past(Tensor("a"), passing).node in ("a", "b")
