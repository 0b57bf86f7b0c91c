"""TensorFlow 1's conds as selections: values as TensorFlow computes them, loops left alone."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from graphscope.read import load
from graphscope.simplify.control_flow.conds_to_selects import conds_to_selects
from graphscope.simplify.prune import prune
from graphscope.wire.write import to_graph_def

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def control_flow_v1():
    before = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    yield
    if before:
        v1.enable_control_flow_v2()


def built(build, tmp_path):
    """The loaded graph of ``build``, whose result is called ``out``, and the TensorFlow graph."""
    graph = tf.Graph()
    with graph.as_default():
        tf.identity(build(), name="out")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return prune(load(str(path)).graph, ["out"]), graph


def plain():
    x, p = v1.placeholder(tf.float32, [2], name="x"), v1.placeholder(
        tf.bool, [], name="p"
    )
    return v1.cond(p, lambda: x * 2.0, lambda: x - 1.0)


def constants():
    v1.placeholder(tf.float32, [2], name="x")
    p = v1.placeholder(tf.bool, [], name="p")
    return v1.cond(p, lambda: tf.constant([1.0, 2.0]), lambda: tf.constant([3.0, 4.0]))


def nested():
    x, p = v1.placeholder(tf.float32, [2], name="x"), v1.placeholder(
        tf.bool, [], name="p"
    )
    q = tf.reduce_sum(x) > 0.0
    inner = lambda: v1.cond(q, lambda: x * 3.0, lambda: x * 5.0)  # noqa: E731
    return v1.cond(p, inner, lambda: x + 7.0)


def one_after_another():
    x, p = v1.placeholder(tf.float32, [2], name="x"), v1.placeholder(
        tf.bool, [], name="p"
    )
    for factor in (2.0, 3.0, 5.0):
        y = x
        x = v1.cond(p, lambda: y * factor, lambda: y - factor)
    return x


@pytest.mark.parametrize("build", [plain, constants, nested, one_after_another])
@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_cond_selects_what_tensorflow_computes(build, taken, sign, tmp_path) -> None:
    graph, original = built(build, tmp_path)
    made = prune(conds_to_selects(graph), ["out"])
    assert not list(made.by_op("Merge", "Switch"))
    feeds = {"x:0": np.array([1.5, 2.5], np.float32) * sign, "p:0": taken}
    rewritten = tf.Graph()
    with rewritten.as_default():
        message = tf.compat.v1.GraphDef.FromString(
            to_graph_def(made).SerializeToString()
        )
        tf.import_graph_def(message, name="")
    values = []
    for each in (original, rewritten):
        fed = {
            k: v
            for k, v in feeds.items()
            if k[0] in {n.name for n in each.as_graph_def().node}
        }
        with v1.Session(graph=each) as session:
            values.append(session.run("out:0", fed))
    np.testing.assert_array_equal(*values)


def test_a_loop_stays_a_loop(tmp_path) -> None:
    def build():
        x = v1.placeholder(tf.float32, [], name="x")
        return v1.while_loop(lambda i: i < 10.0, lambda i: i + 1.0, [x])

    graph, _ = built(build, tmp_path)
    assert conds_to_selects(graph) is graph
    assert list(graph.by_op("Merge"))
