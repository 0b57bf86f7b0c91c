"""Which tensors are the heads of a projected sequence."""

from __future__ import annotations

import pytest

from graphscope.graph import Tensor, TensorSpec
from graphscope.match import View
from graphscope.patterns.attention.axes import _splits
from tests.match.small import Made

SEQUENCE = (2, 5, 8)


def why_not(heads: tuple[int | None, ...], before: tuple[int, ...] = SEQUENCE) -> str:
    """A projection that no layer explains, and its split."""
    graph = Made()
    x = graph.feed(shape=before)
    dense = graph.put("MatMul", x, name="dense")
    split = graph.put("Reshape", dense, name="heads")
    shapes = {x: before, dense: before, split: heads}
    view = View(graph, {t: TensorSpec("float32", s) for t, s in shapes.items()})
    return _splits(view, Tensor("x"), dense, split)


def test_a_width_that_is_split_makes_heads() -> None:
    assert why_not((2, 5, 2, 4)) == ""
    assert why_not((2, 5, 3, 2, 4), (2, 5, 3, 8)) == ""


@pytest.mark.parametrize(
    ("heads", "before"),
    [
        ((2, 5, 8), SEQUENCE),  # not split
        ((2, 5, 2, 2, 2), SEQUENCE),
        ((2, 10, 2, 2), SEQUENCE),  # over the sequence
        ((5, 2, 2, 4), SEQUENCE),
        ((2, 5, None, 4), SEQUENCE),
        ((2, 5, 2, None), SEQUENCE),
        ((2, 2, 4), (2, 8)),  # no sequence
    ],
)
def test_near_misses_of_heads(
    heads: tuple[int | None, ...], before: tuple[int, ...]
) -> None:
    assert why_not(heads, before)
