"""Closed scopes are split where they would close a circle, and only there."""

from __future__ import annotations

from graphscope.graph import Graph, Node, Tensor
from graphscope.render.drawing.acyclic import acyclic_parts
from graphscope.render.drawing.units import Units, units_of


def wired(*edges: str) -> Units:
    """Units from edges like ``"a1 b1"``; every node is a unit of its own."""
    graph = Graph()
    names = dict.fromkeys(" ".join(edges).split())
    for name in names:
        sources = [edge.split()[0] for edge in edges if edge.split()[1] == name]
        graph.add(f"{name}/op", Node("Foo"), [Tensor(f"{s}/op") for s in sources])
    return units_of(graph)


def parts(units: Units, limit: int = 99) -> dict[str, int]:
    boxes: dict[str, list[str]] = {}
    for head in units.stacks:
        boxes.setdefault(head[0], []).append(head)
    return {
        head[:2]: part for head, (_, part) in acyclic_parts(units, boxes, limit).items()
    }


def test_a_line_of_scopes_is_not_split() -> None:
    assert set(parts(wired("a1 b1", "a2 b2", "b1 c1")).values()) == {1}


def test_two_scopes_that_feed_each_other_are_split_once() -> None:
    found = parts(wired("a1 b1", "b2 a2"))
    assert sorted(found.values()) == [1, 1, 1, 2]


def test_a_scope_that_is_left_and_entered_again() -> None:
    found = parts(wired("a1 b1", "b1 a2", "a2 b2"))
    assert found == {"a1": 1, "b1": 1, "a2": 2, "b2": 2}


def test_a_loop_of_the_graph_is_no_reason() -> None:
    assert set(parts(wired("a1 b1", "b1 a1")).values()) == {1}


def test_what_reads_a_loop_from_outside_comes_after_it() -> None:
    found = parts(wired("a1 a2", "a2 a1", "a1 b1", "b1 a3"))
    assert found == {"a1": 1, "a2": 1, "b1": 1, "a3": 2}


def test_too_many_parts_are_none() -> None:
    assert parts(wired("a1 b1", "b1 a2", "a2 b2"), limit=3) == {}
