"""Only what the outputs need, and of the control edges only those that carry deadness or frames."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.errors import GraphError
from graphscope.graph import Graph, Node, Tensor
from graphscope.simplify.prune import prune
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes
from graphscope.wire.write import to_graph_def


def graph_of(graph) -> Graph:
    data = graph.as_graph_def().SerializeToString()
    return graph_from_nodes(proto.GraphDef.FromString(data).node)


def run(graph: Graph, fetch: str, feeds):
    import tensorflow as tf

    message = tf.compat.v1.GraphDef.FromString(to_graph_def(graph).SerializeToString())
    with tf.Graph().as_default() as made:
        tf.import_graph_def(message, name="")
        with tf.compat.v1.Session(graph=made) as session:
            return session.run(fetch, feeds)


def test_keeps_what_the_output_reads_and_nothing_else():
    graph = Graph()
    for name, inputs in {"a": [], "b": ["a"], "c": ["b"], "d": ["a"]}.items():
        graph.add(name, Node("Identity"), [Tensor(i) for i in inputs])
    assert list(prune(graph, ["c"])) == ["a", "b", "c"]
    assert list(prune(graph, [Tensor("d", 0)])) == ["a", "d"]
    assert len(graph) == 4, "the graph as read does not change"


def test_assertions_and_updates_go_unless_effects_are_asked_for():
    graph = Graph()
    graph.add("x", Node("Placeholder"))
    graph.add("check", Node("Assert", controls=("x",)))
    graph.add("y", Node("Identity", controls=("check",)), [Tensor("x")])
    assert list(prune(graph, ["y:0"])) == ["x", "y"]
    assert prune(graph, ["y"]).node("y").controls == ()
    assert list(prune(graph, ["y"], effects=True)) == ["x", "check", "y"]


def test_an_unknown_output_names_the_nearest():
    graph = Graph()
    graph.add("net/logits", Node("Placeholder"))
    with pytest.raises(GraphError, match="nearest: 'net/logits'"):
        prune(graph, ["logits"])
    assert list(prune(graph, ["import/net/logits:0"])) == ["net/logits"]


@pytest.mark.parametrize("flag", [True, False])
def test_a_branch_whose_constant_only_waits_for_an_update_keeps_its_deadness(flag):
    import tensorflow as tf

    tf.compat.v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        pred = tf.compat.v1.placeholder(tf.bool, [], name="pred")
        moving = tf.compat.v1.get_variable("v", [2], use_resource=False)

        def updated():
            with tf.control_dependencies([tf.compat.v1.assign_sub(moving, [1.0, 1.0])]):
                return tf.constant([1.0, 1.0])

        tf.identity(
            tf.compat.v1.cond(pred, updated, lambda: tf.constant([2.0, 2.0])), name="y"
        )
    small = prune(graph_of(graph), ["y"])
    assert not any(op.startswith("Assign") for op in map(small.op, small))
    expected = [1.0, 1.0] if flag else [2.0, 2.0]
    np.testing.assert_array_equal(run(small, "y:0", {"pred:0": flag}), expected)


def test_loops_keep_their_frames():
    import tensorflow as tf

    tf.compat.v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        n = tf.compat.v1.placeholder(tf.int32, [], name="n")
        loop = tf.compat.v1.while_loop(
            lambda i, a: i < n, lambda i, a: (i + 1, a * 2.0 + 1.0), [0, 1.0]
        )
        tf.identity(loop[1], name="y")
    assert run(prune(graph_of(graph), ["y"]), "y:0", {"n:0": 5}) == 63.0


def test_a_deep_chain_needs_no_recursion():
    graph = Graph()
    graph.add("n0", Node("Placeholder"))
    for i in range(1, 20_000):
        graph.add(f"n{i}", Node("Identity"), [Tensor(f"n{i - 1}")])
    assert len(prune(graph, ["n19999"])) == 20_000
