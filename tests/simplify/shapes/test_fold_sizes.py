"""Arithmetic on shapes that comes to a constant, and ops that change nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.graph import Graph, Model, Tensor
from graphscope.infer.shapes.open_sizes import infer_sizes
from graphscope.simplify.shapes.fold_sizes import fold_sizes
from graphscope.simplify.state import State
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes
from graphscope.wire.write import to_graph_def

v1 = tf.compat.v1


def settled(make: Any, *shape: int | None) -> tuple[Graph, Graph]:
    """The graph of ``make(x)`` as it is, and settled."""
    with tf.Graph().as_default() as made:
        tf.identity(make(v1.placeholder(tf.float32, shape, "x")), "out")
    message = proto.GraphDef.FromString(made.as_graph_def().SerializeToString())
    graph = graph_from_nodes(message.node)

    state = State(Model(graph), graph, outputs=(Tensor("out"),))
    return graph, fold_sizes(infer_sizes(state)).graph


def run(graph: Graph, fed: np.ndarray) -> np.ndarray:
    message = to_graph_def(graph).SerializeToString()
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(v1.GraphDef.FromString(message), name="")
        with v1.Session() as session:
            return session.run("out:0", {"x:0": fed})


def shortened(x: Any) -> Any:
    return tf.nn.conv1d(x, np.ones((3, 4, 4), "f"), 1, "VALID")


NEUTRAL = {
    "Python's sum": lambda x: sum([x]),
    "times one": lambda x: 1.0 * x / 1.0 - 0.0,
    "all of it": lambda x: tf.slice(x, [0, 0, 0], [-1, tf.shape(x)[1], -1]),
    "from the start": lambda x: x[:, 0:, :],
    "its own shape": lambda x: tf.reshape(x, tf.shape(tf.nn.relu(x))),
    "known but for the batch": lambda x: tf.reshape(x, [tf.shape(x)[0], -1, 4]),
    "no padding": lambda x: tf.pad(x, [[0, 0], [0, tf.shape(x)[1] % 1], [0, 0]]),
    "once": lambda x: tf.tile(x, [1, 1, 1]),
    "where it was": lambda x: tf.transpose(x, [0, 1, 2]),
    "one alone": lambda x: tf.concat([x], 1),
    "a window of one": lambda x: tf.nn.max_pool1d(x, 1, 1, "SAME"),
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_what_changes_nothing_is_an_identity(name: str) -> None:
    _, made = settled(NEUTRAL[name], None, None, 4)
    left = Counter(made.op(n) for n in made)
    left -= Counter(["ExpandDims", "Squeeze"])
    assert set(left) <= {"Placeholder", "Identity", "Const", "ExpandDims", "Squeeze"}


CHANGED = {
    "cut after a convolution": (
        lambda x: x[:, tf.shape(x)[1] - tf.shape(shortened(x))[1] :, :],
        "StridedSlice",
    ),
    "cut at the end": (
        lambda x: tf.slice(x, [0, 0, 0], [-1, tf.shape(x)[1] - 2, -1]),
        "StridedSlice",
    ),
    "padded to what it was": (
        lambda x: tf.pad(
            shortened(x),
            [[0, 0], [tf.shape(x)[1] - tf.shape(shortened(x))[1], 0], [0, 0]],
        ),
        "Pad",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_arithmetic_that_comes_to_a_constant_is_gone(name: str) -> None:
    make, left = CHANGED[name]
    graph, made = settled(make, None, None, 4)
    found = {made.op(n) for n in made}
    assert left in found and not found & {"Shape", "Sub", "Slice"}
    for length in (5, 8):
        fed = np.random.default_rng(0).normal(size=(2, length, 4)).astype("f")
        np.testing.assert_array_equal(run(graph, fed), run(made, fed))


LEFT = {
    "no more than a hundred": lambda x: x[:, : tf.minimum(tf.shape(x)[1], 100)],
    "an even length": lambda x: x[:, : tf.shape(x)[1] // 2 * 2],
    "the other way round": lambda x: x[:, ::-1, :],
    "a number that is learned": lambda x: x + v1.constant(0.0, name="w") ** 2.0,
    "zeros for each channel": lambda x: x + np.zeros(4, "f"),
    "two lengths exchanged": lambda x: tf.reshape(
        x, [tf.shape(x)[1], tf.shape(x)[0], 4]
    ),
    "integers": lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32),
    "rounded to sixteen": lambda x: tf.pad(
        x, [[0, 0], [0, -tf.shape(x)[1] % 16], [0, 0]]
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_depends_on_the_size_is_left_alone(name: str) -> None:
    graph, made = settled(LEFT[name], None, None, 4)
    assert Counter(map(graph.op, graph)) == Counter(map(made.op, made))


def test_two_inputs_need_not_be_as_long_as_each_other() -> None:
    def make(x: Any) -> Any:
        y = v1.placeholder(tf.float32, [None, None, 4], "y")
        return tf.slice(x, [0, 0, 0], [-1, tf.shape(y)[1], -1])

    graph, made = settled(make, None, None, 4)
    assert "Slice" in {made.op(n) for n in made}


def test_nothing_to_do_makes_no_copy() -> None:
    graph, made = settled(tf.nn.relu, None, None, 4)
    assert graph is made
