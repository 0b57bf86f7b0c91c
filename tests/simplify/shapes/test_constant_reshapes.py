"""Reshape targets that are computed from shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.graph import Graph, Model, Tensor
from graphscope.infer.shapes.forward import infer_facts
from graphscope.simplify.shapes.constant_reshapes import fold_reshape_targets
from graphscope.simplify.state import State
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes
from graphscope.wire.write import to_graph_def

tf1 = tf.compat.v1


def built(make: Any) -> Graph:
    with tf.Graph().as_default() as graph:
        tf.identity(make(tf1.placeholder(tf.float32, [None, 6, 4], "x")), "out")
    message = proto.GraphDef.FromString(graph.as_graph_def().SerializeToString())
    return graph_from_nodes(message.node)


def settled(graph: Graph) -> Graph:
    state = State(Model(graph), graph, facts=infer_facts(graph))
    return fold_reshape_targets(state).graph


def target(graph: Graph) -> list[int] | None:
    (name,) = graph.by_op("Reshape")
    source = graph.node(graph.inputs(name)[1].node)
    return source.attrs["value"].tolist() if source.op == "Const" else None


@pytest.mark.parametrize(
    "make, wanted",
    [
        (lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0], 2, 12])), [-1, 2, 12]),
        (lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0], -1, 4])), [-1, 6, 4]),
        (lambda x: tf.reshape(x[:, :, 0], tf.shape(x[:, :1, :1] + x)[:2]), [-1, 6]),
        (lambda x: tf.reshape(x, [-1, 24]), [-1, 24]),
    ],
)
def test_it_computes_the_same(make: Any, wanted: list[int]) -> None:
    graph = built(make)
    made = settled(graph)
    assert target(made) == wanted
    fed = np.arange(48, dtype=np.float32).reshape(2, 6, 4)
    first, second = (run(g, fed) for g in (graph, made))
    np.testing.assert_array_equal(first, second)


def run(graph: Graph, fed: np.ndarray) -> np.ndarray:
    message = to_graph_def(graph).SerializeToString()
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(tf1.GraphDef.FromString(message), name="")
        with tf1.Session() as session:
            return session.run("out:0", {"x:0": fed})


def test_two_unknown_sizes_stay_as_they_are() -> None:
    with tf.Graph().as_default() as made:
        x = tf1.placeholder(tf.float32, [None, None, 12], "x")
        tf.reshape(x, tf.stack([tf.shape(x)[0], tf.shape(x)[1], 3, 4]))
    message = proto.GraphDef.FromString(made.as_graph_def().SerializeToString())
    graph = graph_from_nodes(message.node)
    assert settled(graph) is graph


def test_a_constant_target_is_left_alone() -> None:
    graph = built(lambda x: tf.reshape(x, [-1, 24]))
    assert settled(graph) is graph
    assert Tensor("x") in infer_facts(graph)
