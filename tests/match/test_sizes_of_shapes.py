"""Arithmetic on shapes in a graph, and guards that tell what they miss. No TensorFlow is needed."""

from __future__ import annotations

import pytest

from graphscope.graph import Tensor, TensorSpec
from graphscope.match import View, explain, tile
from graphscope.ops.values.size import Size
from graphscope.patterns import layers
from graphscope.patterns.keras_arguments import kept_axis
from tests.match.small import Made


def test_what_is_added_to_a_size_is_a_size() -> None:
    graph = Made()
    x = graph.feed(shape=(None, 4))
    shape = graph.put("Shape", x, name="shape")
    more = graph.put("Add", shape, graph.const("two", [2, 3], "int32"), name="more")
    less = graph.put("Sub", more, graph.const("one", [1, 1], "int32"), name="less")
    view = View(graph, {x: TensorSpec("float32", (None, 4))})
    rows = Size(1, ((x, 0),))
    assert view.sizes(more) == (rows.added(Size(2)), Size(7))
    assert view.sizes(less) == (rows.added(Size(1)), Size(6))
    fed = graph.put("Add", shape, x, name="of what is fed")
    assert View(graph).sizes(fed) is None


def convolution(strides: tuple[int, ...], dilations: tuple[int, ...]) -> View:
    graph = Made()
    x = graph.feed(shape=(None, 8, 8, 3))
    kernel = graph.const("w", [[[[1.0] * 4] * 3] * 3] * 3)
    attrs = {"strides": strides, "padding": "SAME", "dilations": dilations}
    graph.put("Conv2D", x, kernel, name="y", data_format="NHWC", **attrs)
    return View(graph, {x: TensorSpec("float32", (None, 8, 8, 3))})


ONES = (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("strides", "dilations", "fits"),
    [
        ((1, 2, 2, 1), ONES, True),
        (ONES, (1, 2, 2, 1), True),
        ((1, 1, 1, 2), ONES, False),
        ((2, 1, 1, 1), ONES, False),
        (ONES, (1, 1, 1, 2), False),
    ],
)
def test_steps_over_batch_or_channels_are_told(
    strides: tuple[int, ...], dilations: tuple[int, ...], fits: bool
) -> None:
    view = convolution(strides, dilations)
    assert bool(tile(view, layers())) is fits
    told = str(explain(view.graph, layers(), "conv2d", "y", view=view))
    assert ("strides or dilations over batch or channels" in told) is not fits


@pytest.mark.parametrize(
    ("axis", "layout", "other"),
    [
        (1, "NHWC", 2),
        (2, "NHWC", 1),
        (-3, "NHWC", 2),
        (2, "NCHW", 3),
        (3, "NCHW", 2),
        (1, "NCHW", None),
        (3, "NHWC", None),
        (0, None, None),
        (1, None, 2),
    ],
)
def test_of_two_axes_one_was_there_before(
    axis: int, layout: str | None, other: int | None
) -> None:
    assert kept_axis(axis, layout) == other


def test_the_same_tensor_by_its_name() -> None:
    view = convolution(ONES, ONES)
    (found,) = tile(view, layers())
    assert found.output == Tensor("y") and found.pattern.op == "Conv2D"
