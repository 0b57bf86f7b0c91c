"""Ops between two transposes are computed in the other layout, when that is all that the transposes are for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.graph import Graph, Model, Tensor
from graphscope.read import load
from graphscope.simplify.prune import prune
from graphscope.simplify.rewrites.layouts import drop_transposes
from graphscope.simplify.state import State
from graphscope.wire.write import to_graph_def

v1 = tf.compat.v1


def made(build: Callable[[Any], Any], folder: Path) -> Graph:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, (None, 4, 7, 9), name="x")
        tf.identity(build(x), name="out")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return load(str(path)).graph


def without_transposes(graph: Graph, *kept: str) -> Graph:
    state = State(Model(graph), graph, outputs=tuple(map(Tensor, kept)))
    return drop_transposes(state).graph


def const(*shape: int) -> Any:
    values = np.random.default_rng(0).normal(0, 0.3, shape)
    return tf.constant(values.astype("float32"))


def last(x: Any) -> Any:
    return tf.transpose(x, [0, 2, 3, 1])


def first(x: Any) -> Any:
    return tf.transpose(x, [0, 3, 1, 2])


def run(graph: Graph, x: np.ndarray) -> Any:
    message = to_graph_def(graph, {}, {"producer": 1645})
    with tf.Graph().as_default(), v1.Session() as session:
        data = message.SerializeToString()
        tf.import_graph_def(v1.GraphDef.FromString(data), name="")
        return session.run("out:0", {"x:0": x})


TURNED = {
    "convolution": lambda x: first(tf.nn.conv2d(last(x), const(3, 3, 4, 6), 1, "SAME")),
    "strides and dilations": lambda x: first(
        tf.nn.conv2d(last(x), const(3, 2, 4, 6), 1, "SAME", dilations=[1, 2, 1, 1])
    ),
    "explicit paddings": lambda x: first(
        tf.nn.conv2d(
            last(x), const(3, 2, 4, 6), [1, 2, 1, 1], [[0, 0], [1, 2], [3, 0], [0, 0]]
        )
    ),
    "with a vector": lambda x: first(
        tf.nn.conv2d(last(x), const(3, 3, 4, 6), 1, "SAME") + const(6)
    ),
    "with a reshaped vector": lambda x: first(
        tf.reshape(const(6), [1, 1, 1, 6])
        + tf.nn.conv2d(last(x), const(3, 3, 4, 6), 1, "SAME")
    ),
    "with bias and activation": lambda x: first(
        tf.nn.relu(
            tf.nn.bias_add(
                tf.nn.conv2d(last(x), const(3, 3, 4, 6), 1, "SAME"), const(6)
            )
        )
    ),
}


@pytest.mark.parametrize("name", TURNED)
def test_the_transposes_are_gone_and_the_values_stay(name: str, tmp_path: Path) -> None:
    graph = made(TURNED[name], tmp_path)
    turned = prune(without_transposes(graph), ["out"])
    assert not list(turned.by_op("Transpose"))
    x = np.random.default_rng(1).normal(size=(2, 4, 7, 9)).astype("float32")
    np.testing.assert_allclose(run(turned, x), run(graph, x), rtol=1e-4, atol=1e-5)


def read_twice(x: Any) -> Any:
    y = tf.nn.conv2d(last(x), const(3, 3, 4, 4), 1, "SAME")
    return first(y) + first(tf.nn.relu(y))


KEPT = {
    "the result is read twice": read_twice,
    "turned another way": lambda x: tf.transpose(
        tf.nn.conv2d(last(x), const(3, 3, 4, 6), 1, "SAME"), [0, 3, 2, 1]
    ),
    "a matrix is added": lambda x: first(
        tf.nn.conv2d(last(x), const(3, 3, 4, 6), 1, "SAME") + const(9, 6)
    ),
    "a softmax between": lambda x: first(
        tf.nn.softmax(tf.nn.conv2d(last(x), const(3, 3, 4, 6), 1, "SAME"))
    ),
    "nothing but a ReLU between": lambda x: first(tf.nn.relu(last(x))),
}


@pytest.mark.parametrize("name", KEPT)
def test_anything_else_stays(name: str, tmp_path: Path) -> None:
    graph = made(KEPT[name], tmp_path)
    assert without_transposes(graph) is graph


def test_an_output_inside_stays(tmp_path: Path) -> None:
    graph = made(TURNED["convolution"], tmp_path)
    inner = next(graph.by_op("Conv2D"))
    assert without_transposes(graph, inner) is graph
