"""What a block would be worth: what must be passed to it counts once where it is the same, or a multiple."""

from __future__ import annotations

from typing import Any

import pytest

from graphscope.graph import Graph, Layer, Tensor
from graphscope.infer.blocks.cost import Worth, scope


def worth(*configs: dict[str, Any]) -> tuple[Worth, list[list[str]]]:
    """Runs of one layer each, with these configs."""
    graph = Graph()
    for number, config in enumerate(configs):
        graph.add(f"conv{number}", Layer("Conv2D", config))
    names = list(graph)
    return Worth(graph, names), [[name] for name in names]


@pytest.mark.parametrize(
    "configs, count",
    [
        ([{"filters": 8}, {"filters": 8}], 0),
        ([{"filters": 8}, {"filters": 16}], 1),
        ([{"filters": 8, "groups": 2}, {"filters": 16, "groups": 4}], 1),
        ([{"filters": 8, "groups": 2}, {"filters": 16, "groups": 3}], 2),
        # a shape that follows from the filters, and one that does not
        ([{"filters": 8, "shape": (2, 16)}, {"filters": 16, "shape": (2, 32)}], 1),
        ([{"filters": 8, "shape": (2, 16)}, {"filters": 16, "shape": (3, 32)}], 2),
        ([{"kernel_size": (1, 7)}, {"kernel_size": (7, 1)}], 1),
        ([{"shape": (1, 7)}, {"shape": (7,)}], 1),
    ],
)
def test_what_differs_alike_counts_once(
    configs: list[dict[str, Any]], count: int
) -> None:
    found, runs = worth(*configs)
    assert found._differences(runs) == count


def test_an_input_that_all_read_is_worth_less_than_one_of_their_own() -> None:
    found, runs = worth({}, {}, {})
    x, y, mask = Tensor("x"), Tensor("y"), Tensor("mask")
    alone = found.score(runs, [(Tensor(f"x{n}"),) for n in range(3)], 8, 3)
    alike = found.score(runs, [(Tensor(f"x{n}"), mask) for n in range(3)], 8, 3)
    each = found.score(runs, [(x, mask), (y, x), (mask, y)], 8, 3)
    assert alone > alike > each


def test_a_scope_ends_with_a_word() -> None:
    assert scope(["stack1_block1_add", "stack1_block12_add"]) == "stack1"
    assert scope([]) == ""
