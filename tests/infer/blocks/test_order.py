"""Graphs made by hand -> the order of their nodes: after their inputs, each region with one exit in one piece."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphscope.graph import Graph, Node, Tensor
from graphscope.infer.blocks.order import lay_out, post_dominators


def graph_of(edges: dict[str, str]) -> Graph:
    """Nodes with their inputs: ``{"c": "a b"}``."""
    graph = Graph()
    for name, inputs in edges.items():
        graph.add(name, Node("Op"), [Tensor(each) for each in inputs.split()])
    return graph


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    edges = {"n0": ""}
    for number in range(1, draw(st.integers(1, 14))):
        chosen = draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=3))
        edges[f"n{number}"] = " ".join(f"n{each}" for each in chosen)
    return graph_of(edges)


def ends(graph: Graph) -> list[str]:
    return [name for name in graph if not graph._succ[name]]


def reference(graph: Graph) -> dict[str, str]:
    """Immediate post-dominators by networkx."""
    simple = nx.DiGraph()
    simple.add_nodes_from(graph)
    simple.add_edges_from(graph.edges())
    simple.add_edges_from((name, "sink") for name in ends(graph))
    return dict(nx.immediate_dominators(simple.reverse(), "sink"))


@given(graphs())
@settings(deadline=None, max_examples=200)
def test_every_region_is_one_piece_after_its_inputs(graph: Graph) -> None:
    order = lay_out(graph, ends(graph))
    place = {name: at for at, name in enumerate(order)}
    assert sorted(order) == sorted(graph)
    assert all(place[a] < place[b] for a, b in graph.edges())
    meets = reference(graph)
    for name in graph:
        inside = [n for n in graph if name in _ways_up(n, meets)]
        places = sorted(place[n] for n in inside)
        assert places == list(range(places[0], places[0] + len(places))), name


def _ways_up(name: str, meets: dict[str, str]) -> list[str]:
    found = [name]
    while found[-1] != "sink":
        found.append(meets[found[-1]])
    return found


@given(graphs())
@settings(deadline=None, max_examples=200)
def test_post_dominators_are_those_of_networkx(graph: Graph) -> None:
    roots = ends(graph)
    order = lay_out(graph, roots)
    wanted = reference(graph)
    for name, meet in post_dominators(graph, order, roots).items():
        assert wanted[name] == (meet if isinstance(meet, str) else "sink")


@pytest.mark.parametrize("inputs", ["p a b s", "a p b s", "s b a p", "s a p b"])
def test_inputs_of_a_cell_come_before_it(inputs: str) -> None:
    """However the second input of a cell is made, and wherever it is read first: the cell is one run."""
    cell = {"h": "x", "p": "y", "s": "h", "a": "h p", "b": "s", "out": inputs}
    graph = graph_of({"x": "", "y": "x", **cell, "end": "out x y"})
    order = lay_out(graph, ["end"])
    assert set(order[:4]) == {"x", "y", "h", "p"}


@given(st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=8, max_size=8))
@settings(deadline=None, max_examples=200)
def test_cycles_are_survived(inputs: list[list[int]]) -> None:
    graph = Graph()
    for number, each in enumerate(inputs):
        graph.add(f"n{number}", Node("Op"), [Tensor(f"n{other}") for other in each])
    found = lay_out(graph, ["n7"])
    assert len(found) == len(set(found)) and "n7" in found
