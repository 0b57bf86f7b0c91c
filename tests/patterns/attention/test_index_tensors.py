"""Masks of the past, op by op: what is one, and what differs from it in one number or wire. No TensorFlow is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphscope.graph import Tensor, TensorSpec
from graphscope.match import View
from graphscope.patterns.attention.index_tensors import Halves, halves
from tests.match.small import Made


class Masked(Made):
    """A sequence of unknown length, and masks of its length."""

    def __init__(self) -> None:
        super().__init__()
        self.specs: dict[Tensor, TensorSpec] = {}
        self.feed("x", (None, None, 8))
        self.specs[Tensor("x")] = TensorSpec("float32", (None, None, 8))

    def length(self) -> Tensor:
        whole = self.put("Shape", Tensor("x"), name=f"shape{len(self)}")
        self.specs[whole] = TensorSpec("int32", (3,))
        edges = [
            self.const(f"e{len(self)}{i}", [n], "int32")
            for i, n in enumerate((1, 2, 1))
        ]
        size = self.put("StridedSlice", whole, *edges, shrink_axis_mask=1)
        self.specs[size] = TensorSpec("int32", ())
        return size

    def ones(self, value: float = 1.0) -> Tensor:
        size = self.length()
        pair = self.put("Pack", size, size, axis=0)
        self.specs[pair] = TensorSpec("int32", (2,))
        made = self.put("Fill", pair, self.const(f"v{len(self)}", value))
        self.specs[made] = TensorSpec("float32", (None, None))
        return made

    def band(self, low: Any = -1, high: Any = 0, value: float = 1.0) -> Tensor:
        bounds = [
            (
                each
                if isinstance(each, Tensor)
                else self.const(f"b{len(self)}{i}", each, "int32")
            )
            for i, each in enumerate((low, high))
        ]
        made = self.put("MatrixBandPart", self.ones(value), *bounds)
        self.specs[made] = TensorSpec("float32", (None, None))
        return made

    def reshaped(self, mask: Tensor, *shape: Any) -> Tensor:
        target = self.const(
            f"t{len(self)}", [-1 if d is None else d for d in shape], "int32"
        )
        made = self.put("Reshape", mask, target)
        self.specs[made] = TensorSpec("float32", shape)
        return made

    def seen(self, mask: Tensor) -> Halves | None:
        return halves(View(self, self.specs), mask)


def test_a_band_of_unknown_length_is_the_past() -> None:
    graph = Masked()
    assert graph.seen(graph.band()) == (1, 0)
    assert graph.seen(graph.band(value=3.0)) == (3, 0)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (-1, 1), (-1, -1), (1, 0), (0, -1)])
def test_another_band_is_not(low: int, high: int) -> None:
    graph = Masked()
    assert graph.seen(graph.band(low, high)) is None


def test_a_band_as_wide_as_something_that_a_run_knows_is_not() -> None:
    graph = Masked()
    size = graph.length()
    assert graph.seen(graph.band(low=size)) is None
    assert graph.seen(graph.band(high=size)) is None


def test_a_mask_keeps_its_halves_where_its_last_two_axes_stay() -> None:
    graph = Masked()
    mask = graph.const("mask", np.tril(np.ones((4, 4), np.float32)))
    graph.specs[mask] = TensorSpec("float32", (4, 4))
    assert graph.seen(graph.reshaped(mask, 1, 1, 4, 4)) == (1, 0)
    assert graph.seen(graph.reshaped(mask, 2, 8)) is None
    assert graph.seen(graph.reshaped(mask, 16)) is None


def test_a_reshape_between_unknown_ranks_is_none() -> None:
    graph = Masked()
    band = graph.band()
    known = graph.reshaped(band, 1, 4, 4)
    del graph.specs[band]
    assert graph.seen(known) is None
    graph.specs[band] = TensorSpec("float32", (4, 4))
    assert graph.seen(known) == (1, 0)
    del graph.specs[known]
    assert graph.seen(known) is None


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.tril(np.ones((3, 3))), (1, 0)),
        (np.triu(np.ones((3, 3)), 1), (0, 1)),
        (np.ones((1, 3)), (1, 1)),
        (np.array([[1.0, 0, 0]]), None),
        (np.tril(np.ones((3, 3)), 1), None),
        (np.tril(np.ones((3, 3)), -1), None),
        (np.array([1.0, 0]), None),
        (np.array([["a", "b"], ["c", "d"]]), None),
    ],
)
def test_an_array_is_a_mask_of_two_numbers(array: Any, expected: Any) -> None:
    graph = Masked()
    graph.const("mask", array, str(array.dtype))
    assert graph.seen(Tensor("mask")) == expected
