"""Arithmetic on shapes of which parts are unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphscope.graph import Shape
from graphscope.ops import Unsaid
from graphscope.ops.values.dims import (
    adds_in_order,
    agree,
    axis_of,
    broadcast,
    join,
    merge,
    product,
    spatial_axes,
    window,
)

dims = st.one_of(st.none(), st.integers(0, 4))
shapes = st.one_of(st.none(), st.lists(dims, max_size=3).map(tuple))
full = st.lists(st.integers(1, 3), max_size=4).map(tuple)


@given(shapes, shapes)
def test_what_either_may_be_agrees_with_both(one: Any, other: Any) -> None:
    both = join(one, other)
    assert agree(both, one) and agree(both, other)
    assert join(one, one) == one


@given(shapes, shapes)
def test_what_both_say_is_no_less_than_the_first(one: Any, other: Any) -> None:
    merged = merge(one, other)
    assert agree(merged, one)
    if agree(one, other):
        assert agree(merged, other)


@given(full, full)
def test_broadcasting_is_numpys(one: Any, other: Any) -> None:
    try:
        wanted = np.broadcast_shapes(one, other)
    except ValueError:
        with pytest.raises(Unsaid):
            broadcast(one, other)
        return
    assert broadcast(one, other) == wanted


@pytest.mark.parametrize(
    "one, other, wanted",
    [
        ((None, 1), (3,), (None, 3)),
        ((None,), (5,), (5,)),
        ((None,), (1,), (None,)),
        (None, (3,), None),
        ((), (None, 2), (None, 2)),
    ],
)
def test_broadcasting_of_unknown_sizes(one: Any, other: Any, wanted: Any) -> None:
    assert broadcast(one, other) == wanted


def test_a_product_with_a_zero_is_zero_whatever_else() -> None:
    assert product((None, 0)) == 0
    assert product((None, 2)) is None
    assert product(()) == 1


@pytest.mark.parametrize(
    "size, kernel, stride, dilation, padding, wanted",
    [
        (7, 3, 2, 1, "SAME", 4),
        (7, 3, 2, 1, "VALID", 3),
        (7, 3, 1, 2, "VALID", 3),
        (None, 3, 1, 1, "SAME", None),
        (7, None, 2, 1, "SAME", 4),
        (7, None, 2, 1, "VALID", None),
    ],
)
def test_windows(
    size: Any, kernel: Any, stride: int, dilation: int, padding: str, wanted: Any
) -> None:
    assert window(size, kernel, stride, dilation, padding) == wanted


def test_what_cannot_be_is_unsaid() -> None:
    for wrong in (
        lambda: window(2, 5, 1, 1, "VALID"),
        lambda: window(5, 3, 0, 1, "SAME"),
        lambda: window(5, 3, 1, 1, "FULL"),
        lambda: axis_of(3, 3),
        lambda: spatial_axes("NCHW_VECT_C", 5),
    ):
        with pytest.raises(Unsaid):
            wrong()


SUMMANDS = [
    ((None, 12), (None, 12)),
    ((None, 4), (None, 1)),
    ((None, 1), (None, 4)),
    ((None, 5, 1), (None, 1, 5)),
    ((None, 8, 8), (8, 1)),
    ((None, 8, 5), (8, 1)),
    ((None, 4, 4, 3), (None, 1, 1, 3)),
    ((None, 4, 4, 3), (3,)),
    ((None, 6, 4), (6, 4)),
    ((None, 3, 3), (None, 3, 1)),
    ((1, 4), (1, 1, 4)),
    ((None, 4), (1, None, 4)),
    ((None, 4, 1), (4,)),
]


@pytest.mark.parametrize("one, other", SUMMANDS)
def test_what_is_added_in_order_is_a_sum_in_keras(one: Shape, other: Shape) -> None:
    """For batches as large as any other size; what is refused is wrong for one of them."""
    keras = pytest.importorskip("keras")
    sizes = {size for size in (*one, *other) if size} | {1, 2}
    right = []
    for batch in sizes:
        a, b = (
            np.random.normal(size=[batch if s is None else s for s in shape])
            for shape in (one, other)
        )
        got = np.asarray(keras.ops.add(keras.ops.array(a), keras.ops.array(b)))
        right.append(got.shape == (a + b).shape and np.allclose(got, a + b, 1e-5))
    assert adds_in_order(one, other) == all(right)
