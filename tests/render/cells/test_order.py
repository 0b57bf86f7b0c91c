"""Topological order despite loops, and which nodes are drawn inside others."""

from __future__ import annotations

from graphscope.graph import Graph, Node, Tensor
from graphscope.render.cells.order import held_nodes, in_order
from tests.render.drawn import op_graph, random_graph


def loop() -> Graph:
    graph = Graph()
    graph.add("exit", Node("Exit"), [Tensor("switch")])
    graph.add("next", Node("NextIteration"), [Tensor("body")])
    graph.add("merge", Node("Merge"), [Tensor("enter"), Tensor("next")])
    graph.add("switch", Node("Switch"), [Tensor("merge")])
    graph.add("body", Node("Add"), [Tensor("switch", 1)])
    graph.add("enter", Node("Enter"))
    return graph


def test_the_files_order_where_it_is_one() -> None:
    assert in_order(random_graph(200)) == list(random_graph(200))


def test_a_loop_begins_where_it_is_entered() -> None:
    assert in_order(loop()) == ["enter", "merge", "switch", "exit", "body", "next"]


def test_any_cycle_is_survived() -> None:
    graph = Graph()
    for i in range(1000):
        graph.add(f"n{i}", Node("Foo"), [Tensor(f"n{(i - 1) % 1000}")])
    assert sorted(in_order(graph)) == sorted(graph)


def test_constants_and_variables_stand_in_what_reads_them() -> None:
    graph = op_graph()
    assert held_nodes(graph, in_order(graph)) == {
        "fc/kernel": "fc/kernel",
        "fc/bias": "fc/bias",
        "fc/bias/read": "fc/bias",
    }
    assert "fc/kernel" not in held_nodes(graph, in_order(graph), {"fc/kernel"})


def test_what_nothing_reads_stands_alone() -> None:
    graph = Graph()
    graph.add("c", Node("Const"))
    graph.add("i", Node("Identity"), [Tensor("c")])
    assert held_nodes(graph, in_order(graph)) == {"c": "c"}
