"""Slices against TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.compiler.tf2xla.python import xla

from graphscope import ops
from graphscope.graph import TensorSpec
from tests.ops.oracle import Case, case, check, floats, known, table

X = floats(5, 6, 7)


def strided(begin: Any, end: Any, strides: Any, **masks: int) -> Case:
    return case(
        "StridedSlice",
        input=X,
        begin=known(begin),
        end=known(end),
        strides=known(strides),
        **masks,
    )


@table(
    case("Slice", input=X, begin=known([0, 1, 2]), size=known([5, -1, 3])),
    case("Slice", input=X, begin=known([1, 0, 0]), size=known([-1, -1, -1])),
    case(
        "Slice",
        input=X,
        begin=known([1, 0, 0]),
        size=np.array([1, 2, 3], np.int32),
        expect={"keras": False},
    ),
    strided([0, 1], [3, 5], [1, 2]),
    strided([1], [0], [1], shrink_axis_mask=1),
    strided([-1], [0], [1], shrink_axis_mask=1),
    strided([0, 1], [0, 3], [1, 1], begin_mask=1, end_mask=1),
    strided([4, 0], [0, 0], [-1, -1], end_mask=3, begin_mask=2),
    strided([0, 1], [0, 2], [1, 1], ellipsis_mask=1, shrink_axis_mask=2),
    strided([0, 0, 0], [0, 0, 0], [1, 1, 1], begin_mask=5, end_mask=5, new_axis_mask=2),
    strided([0, 0, 3], [0, 0, 9], [1, 1, 2], begin_mask=1, end_mask=1, ellipsis_mask=2),
    strided([0, 0, 0], [0] * 3, [1] * 3, ellipsis_mask=1, new_axis_mask=2, end_mask=4),
    strided([-3], [-1], [1]),
    strided([3], [1], [1]),
    strided([0, 6, 5], [0, 0, 1], [1, -4, -2], begin_mask=1, end_mask=3),
    strided([1, 0, 0], [0, 0, 0], [-1, 1, -3], ellipsis_mask=2, begin_mask=4),
    strided(
        [2, 0, 0],
        [0, 0, 0],
        [1, 1, -1],
        shrink_axis_mask=1,
        new_axis_mask=2,
        end_mask=4,
    ),
    case(
        "StridedSliceGrad",
        shape=known([5, 6]),
        begin=known([0, 1]),
        end=known([2, 3]),
        strides=known([1, 1]),
        dy=floats(2, 2),
    ),
)
def test_slicing(row: Case) -> None:
    check(row)


bounds = st.integers(-8, 8)
steps = st.sampled_from([1, 2, 3, -1, -2])
masks = st.integers(0, 7)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(bounds, bounds, steps), min_size=1, max_size=3),
    masks,
    masks,
    masks,
    masks,
)
def test_any_strided_slice(
    parts: Any, begin: int, end: int, shrink: int, new: int
) -> None:
    """Whatever the masks say, shape, fold and text are TensorFlow's."""
    import tensorflow as tf

    starts, stops, strides = (list(column) for column in zip(*parts))
    strides = [1 if shrink >> i & 1 else step for i, step in enumerate(strides)]
    row = strided(
        starts,
        stops,
        strides,
        begin_mask=begin,
        end_mask=end,
        shrink_axis_mask=shrink,
        new_axis_mask=new,
    )
    try:
        tf.raw_ops.StridedSlice(
            **{k: getattr(v, "array", v) for k, v in row.arguments.items()}
        )
    except (tf.errors.InvalidArgumentError, ValueError):
        return
    check(row)


@pytest.mark.parametrize("size", [4, None])
def test_an_unknown_bound_leaves_the_other_axes(size: int | None) -> None:
    begin = ops.Partial(np.array([0, 1], np.int32), np.array([False, True]))
    ends, ones = np.array([3, 3], np.int32), np.array([1, 1], np.int32)
    specs = [TensorSpec("float32", (5, 6, size)), *[TensorSpec("int32", (2,))] * 3]
    call = ops.Call("StridedSlice", {}, specs, [None, begin, ends, ones])
    assert ops.shapes(call, 1) == ((None, 2, size),)
    assert ops.keras_text(call, list("xbes")) is None


@pytest.mark.parametrize("start", [[1, 0, 3], [-2, 0, 9]])
def test_a_slice_is_updated_as_xla_does(start: list[int]) -> None:
    """TensorFlow exports no raw op for it."""
    x, update = np.zeros((3, 2, 5), np.float32), np.ones((2, 2, 1), np.float32)
    want = xla.dynamic_update_slice(x, update, start)
    values = [x, update, np.array(start, np.int32)]
    specs = [TensorSpec(str(v.dtype), v.shape) for v in values]
    (got,) = ops.values(ops.Call("XlaDynamicUpdateSlice", {}, specs, values), 1)
    np.testing.assert_array_equal(got, want)
