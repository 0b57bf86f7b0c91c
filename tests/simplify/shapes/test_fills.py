"""Tensors filled to a size that is known only when the graph runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.graph import Graph, Model
from graphscope.infer.shapes.forward import infer_facts
from graphscope.simplify.shapes.fills import expand_fills
from graphscope.simplify.state import State
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes
from graphscope.wire.write import to_graph_def

tf1 = tf.compat.v1


def built(make: Any, *shape: int | None) -> Graph:
    with tf.Graph().as_default() as graph:
        tf.identity(make(tf1.placeholder(tf.float32, shape, "x")), "out")
    message = proto.GraphDef.FromString(graph.as_graph_def().SerializeToString())
    return graph_from_nodes(message.node)


def settled(graph: Graph) -> Graph:
    return expand_fills(State(Model(graph), graph, facts=infer_facts(graph))).graph


def run(graph: Graph, fed: np.ndarray) -> np.ndarray:
    message = to_graph_def(graph).SerializeToString()
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(tf1.GraphDef.FromString(message), name="")
        with tf1.Session() as session:
            return session.run("out:0", {"x:0": fed})


@pytest.mark.parametrize(
    "make, shape",
    [
        (lambda x: tf.fill(tf.stack([tf.shape(x)[0], 8]), 0.0), (None, 3, 2)),
        (lambda x: tf.fill(tf.concat([tf.shape(x)[:1], [8]], 0), 2.5), (None, 3)),
        (lambda x: tf.fill(tf.stack([4, tf.shape(x)[1]]), 7), (2, None, 3)),
        (lambda x: tf.fill(tf.expand_dims(tf.shape(x)[0], 0), 1.0), (None,)),
    ],
)
def test_it_computes_the_same(make: Any, shape: tuple[int | None, ...]) -> None:
    graph = built(make, *shape)
    made = settled(graph)
    assert not list(made.by_op("Fill"))
    fed = np.full([size or 5 for size in shape], np.nan, np.float32)
    first, second = (run(g, fed) for g in (graph, made))
    assert first.dtype == second.dtype
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: tf.fill([2, 8], 0.0),
        lambda x: tf.fill(tf.stack([tf.shape(x)[0], tf.shape(x)[1]]), 0.0),
        lambda x: tf.fill(tf.stack([tf.shape(x)[0] * 2, 8]), 0.0),
    ],
)
def test_others_stay(make: Any) -> None:
    graph = built(make, None, None)
    assert settled(graph) is graph
