"""Folding: everything is drawn once, within the budget, without new cycles."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphscope.graph import Graph, Layer, Node, Tensor
from graphscope.render.drawing.boxes import scope_title
from graphscope.render.drawing.fold import BUDGET, LOOSE, Folding, fold
from graphscope.render.drawing.scope import all_scopes
from graphscope.render.drawing.scopes import narrow_tree
from graphscope.render.drawing.units import Units, units_of
from tests.render.drawn import layer_graph, op_graph, random_graph


def assert_lawful(units: Units, made: Folding) -> None:
    """Every unit in exactly one box; a box has a scope exactly where it stands for one."""
    drawn = [head for heads in made.boxes.values() for head in heads]
    assert sorted(drawn) == sorted(units.stacks)
    for box, heads in made.boxes.items():
        assert box in made.closed or heads == [box]
        assert box in made.inside


def quotient(units: Units, made: Folding) -> nx.DiGraph:
    box_of = {head: box for box, heads in made.boxes.items() for head in heads}
    graph = nx.DiGraph()
    graph.add_nodes_from(made.boxes)
    graph.add_edges_from(
        (box_of[s], box_of[t])
        for s, targets in units.after.items()
        for t in targets
        if box_of[s] != box_of[t]
    )
    return graph


@pytest.mark.parametrize("scopes", [True, False])
@pytest.mark.parametrize("nodes", [10, 300, 3000])
def test_within_the_budget_and_acyclic(nodes: int, scopes: bool) -> None:
    units = units_of(random_graph(nodes, nodes, scopes))
    made = fold(units)
    assert_lawful(units, made)
    assert len(made.boxes) <= 1.5 * BUDGET
    assert nx.is_directed_acyclic_graph(quotient(units, made))


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.integers(0, 99), st.integers(3, 30))
def test_small_budgets(nodes: int, seed: int, budget: int) -> None:
    units = units_of(random_graph(nodes, seed))
    made = fold(units, budget=budget)
    assert_lawful(units, made)
    assert nx.is_directed_acyclic_graph(quotient(units, made))


def test_a_small_graph_is_not_folded() -> None:
    units = units_of(op_graph())
    assert not fold(units).closed
    assert list(units.stacks.values()) == [["x"], ["fc/MatMul", "fc/add", "fc/Relu"]]
    assert units.held["fc/add"] == {1: "fc/bias"}


def test_light_layers_stand_below_the_layer_that_feeds_them() -> None:
    units = units_of(layer_graph()[0])
    assert list(units.stacks.values()) == [
        ["images"],
        ["conv1", "bn1", "relu1"],
        ["conv2"],
        ["add"],
        ["fc"],
    ]


def test_nodes_of_a_role_are_one_box() -> None:
    graph = random_graph(50)
    roles = {name: "gradient" for name in list(graph)[30:]}
    units = units_of(graph, (), roles)
    made = fold(units, {u: roles[u] for u in units.stacks if u in roles})
    gradients = [b for b, s in made.closed.items() if s.kind == "role"]
    drawn = {n for b in gradients for h in made.boxes[b] for n in units.stacks[h]}
    assert drawn == set(roles)


def test_a_hundred_of_a_kind_are_one_box() -> None:
    graph = Graph()
    graph.add("save/RestoreV2", Node("RestoreV2"))
    for i in range(100):
        graph.add(f"save/Assign_{i}", Node("Assign"), [Tensor("save/RestoreV2", i)])
    made = fold(units_of(graph))
    assert len(made.boxes) == 2
    (twins,) = made.closed.values()
    assert twins.kind == "twins" and twins.copies == 100


def test_separate_parts_of_a_kind_are_one_box() -> None:
    graph = random_graph(40)
    for i in range(30):
        graph.add(f"init_{i}/shape", Node("Shape"))
        graph.add(f"init_{i}/Assign", Node("Assign"), [Tensor(f"init_{i}/shape")])
        graph.add(f"other_{i}", Node("Foo"), [Tensor(f"init_{i}/shape")])
    made = fold(units_of(graph))
    assert [s.copies for s in made.closed.values() if s.kind == "twins"] == [30]


def test_loops_stay_whole() -> None:
    graph = Graph()
    for i in range(30):
        graph.add(
            f"while/a{i}",
            Node("Merge"),
            [Tensor(f"while/a{i - 1 if i else 29}"), Tensor("x")],
        )
    graph.add("x", Node("Placeholder"))
    made = fold(units_of(graph), budget=5)
    assert not [p for p in made.parts.values() if p[1] > 1]


def test_wide_graphs_are_folded_until_they_fit() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder"))
    for i in range(60):
        for j in range(i % 7 + 2):
            source = f"tower_{i}/n{j - 1}" if j else "x"
            graph.add(f"tower_{i}/n{j}", Node("Add"), [Tensor(source), Tensor("x")])
    units = units_of(graph)
    assert len(fold(units).boxes) < len(units.stacks) / 2


@pytest.mark.parametrize("shape", ["chain", "star", "deep scopes", "no edges"])
def test_twenty_thousand_nodes_are_a_page(shape: str) -> None:
    graph = Graph()
    graph.add("n0", Node("Foo"))
    for i in range(1, 20_000):
        name = f"{'a/' * 500}n{i}" if shape == "deep scopes" and i < 2000 else f"n{i}"
        source = {"chain": f"n{i - 1}", "star": "n0"}.get(shape)
        op = ("Foo", "Bar", "Baz")[i % 3]
        graph.add(name, Node(op), [Tensor(source)] if source else [])
    made = fold(units_of(graph))
    assert len(made.boxes) <= BUDGET * 1.5


@pytest.mark.parametrize("blocks", [3, 20, 100, 400])
def test_layers_that_nothing_joins_stand_in_blocks_in_their_order(blocks: int) -> None:
    """Of weights alone there are layers and no edge: not one box for all, and the order of the layers is kept."""
    graph = Graph()
    for block in range(blocks):
        for role in ("conv", "norm"):
            graph.add(f"net/block{block}/{role}", Layer("Conv2D"))
    units = units_of(graph)
    folding = fold(units)
    assert_lawful(units, folding)
    assert 6 <= len(folding.boxes) <= LOOSE
    drawn = [head for heads in folding.boxes.values() for head in heads]
    assert drawn == list(units.stacks)


def test_copies_in_several_runs_are_called_by_what_they_are() -> None:
    graph = Graph()
    graph.add("in", Layer("InputLayer", {}))
    for number in range(128):
        graph.add(f"branch_{number}", Layer("Dense", {}), [Tensor("in")])
    graph.add("add", Layer("Add", {}), [Tensor(f"branch_{n}") for n in range(128)])
    units = units_of(graph)
    twins = [s for s in all_scopes(narrow_tree(units, {})) if s.kind == "twins"]
    assert [scope_title(graph, each) for each in twins] == ["128 × Dense"]
