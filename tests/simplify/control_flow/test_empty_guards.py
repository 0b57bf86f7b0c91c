"""Which comparisons guard a net from a tensor without rows; TensorFlow computes what comes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphscope.graph import Graph, Node, Tensor, TensorSpec
from graphscope.simplify.control_flow.empty_guards import give_rows
from graphscope.wire.write import to_graph_def
from tests.match.small import Made


def guarded(
    op: str = "Greater",
    bound: Any = 0,
    port: int = 1,
    mirrored: bool = False,
    size: str = "Shape",
    net: str = "Conv2D",
) -> Made:
    """``cond(shape(x)[0] > 0, lambda: conv(x), ...)``: the branch that a Switch leads to."""
    graph = Made()
    x = graph.feed(shape=(None, 4, 4, 1))
    shape = graph.put(size, x, name="shape", out_type="int32")
    zero, one = (graph.const(f"at{n}", [n], "int32") for n in (0, 1))
    steps = graph.const("step", [1], "int32")
    count = shape
    if size == "Shape":
        count = graph.put(
            "StridedSlice", shape, zero, one, steps, name="count", shrink_axis_mask=1
        )
    limit = graph.const("bound", bound, "int32")
    sides = (limit, count) if mirrored else (count, limit)
    test = graph.put(op, *sides, name="test")
    branch = Tensor(graph.put("Switch", x, test, name="switch").node, port)
    kernel = graph.const("kernel", np.ones((3, 3, 1, 2)))
    window = {"strides": (1, 1, 1, 1), "padding": "SAME", "data_format": "NHWC"}
    graph.put(net, branch, kernel, name="y", **window)
    return graph


def selected(graph: Made) -> Graph:
    """The branch as it is computed where the cond is a selection."""
    copy = Graph()
    for name in graph:
        inputs = [Tensor("x") if t.node == "switch" else t for t in graph.inputs(name)]
        if name != "switch":
            copy.add(name, graph.node(name), inputs)
    return copy


def specs_of(rows: int | None) -> Any:
    specs = {"x": TensorSpec("float32", (rows, 4, 4, 1))}
    return lambda: lambda t: specs.get(t.node, TensorSpec("int32", ()))


def rows_given(graph: Made, rows: int | None = None) -> bool:
    plain = selected(graph)
    filled = give_rows(plain, graph, specs_of(rows))
    assert (filled is plain) <= ("Pad" not in {filled.op(name) for name in filled})
    return any(filled.op(name) == "Pad" for name in filled)


@pytest.mark.parametrize(
    ("graph", "given"),
    [
        (guarded(), True),
        (guarded("GreaterEqual", 1), True),
        (guarded("NotEqual", 0), True),
        (guarded("Equal", 0, port=0), True),
        (guarded("Less", 1, port=0), True),
        (guarded("LessEqual", 0, port=0), True),
        (guarded("Less", 0, mirrored=True), True),  # 0 < n
        (guarded("LessEqual", 1, mirrored=True), True),
        (guarded("Greater", 1, port=0, mirrored=True), True),
        (guarded(size="Size"), True),
        (guarded(port=0), False),  # the branch where there are none
        (guarded("Equal", 0), False),
        (guarded("Greater", 1), False),  # more than one row
        (guarded("GreaterEqual", 0), False),  # always
        (guarded("Less", 0), False),
        (guarded("Greater", 1, mirrored=True), False),  # fewer than one
        (guarded("Greater", [0, 0]), False),
        (guarded(size="Relu"), False),  # values, not sizes
        (guarded(net="MatMul"), False),  # which needs no rows
    ],
)
def test_what_lets_only_rows_in(graph: Made, given: bool) -> None:
    assert rows_given(graph) is given


def test_a_batch_of_one_size_needs_none() -> None:
    assert not rows_given(guarded(), rows=5)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_the_net_sees_a_row_where_there_is_none_and_else_what_it_is_given(
    rows: int,
) -> None:
    import tensorflow as tf

    plain = guarded()
    filled = give_rows(selected(plain), plain, specs_of(None))
    for name in filled:
        if filled.op(name) in ("Shape", "StridedSlice", "Greater"):
            types = {"T": "int32" if filled.op(name) != "Shape" else "float32"}
            filled.nodes[name]["node"] = Node(
                filled.op(name), {**filled.attrs(name), **types, "Index": "int32"}
            )
    message = tf.compat.v1.GraphDef.FromString(to_graph_def(filled).SerializeToString())
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(message, name="")
        x = np.ones((rows, 4, 4, 1), np.float32)
        y = session.run("y:0", {"x:0": x})
    assert y.shape == (max(rows, 1), 4, 4, 2)
    assert float(y[0, 1, 1, 0]) == 9.0 * bool(rows)
