"""The derivative by an input is one node; what only looks like one stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow.core.framework.graph_pb2 import GraphDef  # noqa: E402
from tensorflow.core.framework.node_def_pb2 import NodeDef  # noqa: E402

from graphscope.graph import Graph, Model, Tensor  # noqa: E402
from graphscope.simplify.derivatives.join import join_derivatives  # noqa: E402

from .differentiated import KINDS, deep_energy, graph_of, loaded  # noqa: E402

v1 = tf.compat.v1


def joined(model: Model) -> Graph:
    ends = [Tensor(n) for n in model.graph if not model.graph._succ[n]]
    return join_derivatives(model.graph, model, ends, {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_derivative_is_one_node(kind: str, tmp_path: Path) -> None:
    build, count = KINDS[kind]
    model = loaded(graph_of(build), tmp_path)
    graph = joined(model)
    ops = Counter(graph.op(name) for name in graph)
    assert ops["Gradient"] == count
    assert not [op for op in ops if op.endswith("Grad")]
    assert not [name for name in graph.by_op("Fill", "OnesLike")]


def test_no_name_is_asked(tmp_path: Path) -> None:
    definition = graph_of(deep_energy)
    numbers = {node.name: f"n{at}" for at, node in enumerate(definition.node)}
    for node in definition.node:
        node.name = numbers[node.name]
        node.input[:] = [numbers[name] for name in node.input]
    assert len(list(joined(loaded(definition, tmp_path)).by_op("Gradient"))) == 1


def _first(definition: GraphDef, op: str) -> NodeDef:
    return next(n for n in definition.node if n.op == op)


def _other_op(definition: GraphDef) -> None:
    _first(definition, "TanhGrad").op = "SigmoidGrad"


def _other_side(definition: GraphDef) -> None:
    backward = [n for n in definition.node if n.attr["transpose_b"].b]
    backward[1].attr["transpose_b"].b = False


def _other_activation(definition: GraphDef) -> None:
    last, first = (n for n in definition.node if n.op == "TanhGrad")
    last.input[0] = first.input[0]


def _other_weight(definition: GraphDef) -> None:
    """One element of the weight that the way back reads is greater by a hundredth."""
    backward = [n for n in definition.node if n.attr["transpose_b"].b][1]
    weight = next(n for n in definition.node if n.name == backward.input[1])
    copy = definition.node.add()
    copy.CopyFrom(weight)
    copy.name = "another_weight"
    value = tf.make_ndarray(weight.attr["value"].tensor).copy()
    value[2, 3] += 0.01
    copy.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    backward.input[1] = copy.name


def _twos(definition: GraphDef) -> None:
    seed = _first(definition, "Fill")
    value = next(n for n in definition.node if n.name == seed.input[1])
    value.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.float32(2)))


CHANGES = (_other_op, _other_side, _other_activation, _other_weight, _twos)


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_in_one_place_is_none(
    change: Callable[[GraphDef], None], tmp_path: Path
) -> None:
    definition = graph_of(deep_energy)
    change(definition)
    model = loaded(definition, tmp_path)
    assert joined(model) is model.graph


def _stopped(rng: np.random.Generator) -> None:
    x = v1.placeholder(tf.float32, [None, 3], "x")
    y = tf.tanh(x) * tf.stop_gradient(tf.square(x))
    tf.negative(tf.gradients(y, x)[0], name="way")


def _clipped_beyond(rng: np.random.Generator) -> None:
    """A straight-through clip: what comes down is the gradient only where the clip does nothing."""
    x = v1.placeholder(tf.float32, [None, 3], "x")
    within = x + tf.stop_gradient(tf.clip_by_value(x, -4.0, 4.0) - x)
    tf.negative(tf.gradients(tf.square(within), x)[0], name="way")


@pytest.mark.parametrize("build", (_stopped, _clipped_beyond))
def test_a_way_that_is_stopped_is_no_derivative(
    build: Callable[[np.random.Generator], None], tmp_path: Path
) -> None:
    model = loaded(graph_of(build), tmp_path)
    assert joined(model) is model.graph


def test_ones_that_nothing_is_differentiated_with(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 3], "x")
        tf.add(tf.ones_like(tf.tanh(x)) * x, tf.fill(tf.shape(x), 1.0), name="y")
    model = loaded(graph.as_graph_def(), tmp_path)
    assert joined(model) is model.graph
