"""Runs are cut where the fewest tensors cross."""

from __future__ import annotations

from graphscope.graph import Graph, Node, Tensor
from graphscope.render.drawing.runs import RUNS, WIDEST, cut_into_runs
from graphscope.render.drawing.scope import Scope, heads_of
from graphscope.render.drawing.units import units_of


def blocks(count: int) -> Graph:
    """``count`` blocks of four nodes: one opens, two stand side by side, one closes."""
    graph = Graph()
    last: list[Tensor] = []
    for i in range(count):
        graph.add(f"open{i}", Node("Foo"), last)
        for side in "lr":
            graph.add(f"{side}{i}", Node("Foo"), [Tensor(f"open{i}")])
        graph.add(f"close{i}", Node("Foo"), [Tensor(f"l{i}"), Tensor(f"r{i}")])
        last = [Tensor(f"close{i}")]
    return graph


def test_blocks_stay_whole() -> None:
    units = units_of(blocks(120))
    root = Scope((), "root", list(units.stacks))
    cut_into_runs(root, units)
    assert 3 <= len(root.items) <= 2 * RUNS
    for run in root.items:
        heads = heads_of(run)
        inside = [h for h in heads if h[0] in "lr"]
        assert len(inside) % 2 == 0, heads


def test_what_is_narrow_is_left_alone() -> None:
    units = units_of(blocks(10))
    root = Scope((), "root", list(units.stacks))
    cut_into_runs(root, units)
    assert root.items == list(units.stacks) and len(root.items) <= WIDEST
