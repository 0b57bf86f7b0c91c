"""Conds folded by their mode: both kinds of TensorFlow's, and what must stay."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.errors import GraphError
from graphscope.graph import Graph, Model, Node, Tensor
from graphscope.simplify.inline import inline
from graphscope.simplify.prune import prune
from graphscope.simplify.specialise import specialise
from graphscope.wire import messages as proto
from graphscope.wire.nodes import function_from_def, graph_from_nodes
from graphscope.wire.write import to_graph_def


def model_of(graph) -> Model:
    message = proto.GraphDef.FromString(graph.as_graph_def().SerializeToString())
    functions = {
        f.signature.name: function_from_def(f) for f in message.library.function
    }
    return Model(graph_from_nodes(message.node), functions=functions)


def run(graph: Graph, fetches, feeds, functions=None):
    import tensorflow as tf

    data = to_graph_def(graph, functions or {}).SerializeToString()
    with tf.Graph().as_default() as made:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(data), name="")
        with tf.compat.v1.Session(graph=made) as session:
            return session.run(fetches, feeds)


def ops_of(graph: Graph) -> set[str]:
    return {graph.op(name) for name in graph}


@pytest.fixture
def v1():
    import tensorflow as tf

    tf.compat.v1.disable_control_flow_v2()
    return tf.compat.v1


@pytest.mark.parametrize("training", [True, False])
def test_a_cond_with_an_update_inside(v1, training):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        mode = v1.placeholder(tf.bool, [], name="is_training")
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        moving = v1.get_variable("moving", [3], use_resource=False)

        def batch():
            mean = tf.reduce_mean(x, 0)
            with tf.control_dependencies([v1.assign_sub(moving, mean * 0.1)]):
                return tf.identity(mean)

        mean = v1.cond(tf.logical_not(mode), lambda: moving + 0.0, batch)
        tf.subtract(x, mean, name="y")
    made = specialise(model_of(graph).graph, {"is_training": training})
    assert not ops_of(made) & {"Switch", "RefSwitch", "Merge"}
    small = prune(made, ["y"])
    assert ("moving" in small) is not training
    assert ("Mean" in ops_of(small)) is training


def test_nested_conds_and_the_index_of_a_merge(v1):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        mode = v1.placeholder(tf.bool, [], name="mode")
        p = v1.placeholder(tf.bool, [], name="p")
        x = v1.placeholder(tf.float32, [], name="x")

        def inner():
            return v1.cond(p, lambda: x * 2.0, lambda: x * 3.0)

        tf.identity(v1.cond(mode, inner, lambda: x * 5.0), name="y")
        switched = v1.raw_ops.Switch(data=x, pred=mode)
        merged = v1.raw_ops.Merge(inputs=[switched[0], switched[1]])
        tf.identity(merged[1], name="index")
    source = model_of(graph).graph
    kept = specialise(source, {"mode": True})
    for p, expected in ((True, 14.0), (False, 21.0)):
        assert run(prune(kept, ["y"]), "y:0", {"p:0": p, "x:0": 7.0}) == expected
    folded = prune(specialise(source, {"mode": False}), ["y", "index"])
    assert "p" not in folded
    assert run(folded, ["y:0", "index:0"], {"x:0": 7.0}) == [35.0, 0]


def test_a_mode_inside_a_loop(v1):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        mode = v1.placeholder_with_default(True, [], name="mode")
        x = v1.placeholder(tf.float32, [], name="x")

        def body(i, a):
            return i + 1, v1.cond(mode, lambda: a * 0.0, lambda: a * 2.0)

        tf.identity(v1.while_loop(lambda i, a: i < 3, body, [0, x])[1], name="y")
    made = prune(specialise(model_of(graph).graph, {"mode": False}), ["y"])
    assert run(made, "y:0", {"x:0": 1.5}) == 12.0
    assert sum(op == "Merge" for op in map(made.op, made)) == 2


@pytest.mark.parametrize("training", [True, False])
def test_conds_of_tensorflow_2(training):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        mode = tf.compat.v1.placeholder(tf.bool, [], name="mode")
        x = tf.compat.v1.placeholder(tf.float32, [], name="x")

        @tf.function
        def net(x, mode):
            y = tf.cond(mode, lambda: x * 2.0, lambda: x * 3.0)
            return tf.switch_case(tf.constant(1), [lambda: y, lambda: y + 1.0])

        tf.identity(net(x, mode), name="y")
    flat = inline(model_of(graph))
    made = specialise(flat.graph, {"mode": training}, flat.functions)
    assert not ops_of(made) & {"If", "StatelessIf", "Case", "StatelessCase"}
    expected = 7.0 if training else 10.0
    assert run(prune(made, ["y"]), "y:0", {"x:0": 3.0}) == expected


def test_logical_operators_decide_with_one_side_known(v1):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        mode = v1.placeholder(tf.bool, [], name="mode")
        other = v1.placeholder(tf.bool, [], name="other")
        both = tf.logical_and(mode, other)
        tf.identity(v1.cond(both, lambda: 1.0, lambda: 2.0), name="y")
    folded = prune(specialise(model_of(graph).graph, {"mode": False}), ["y"])
    assert "Merge" not in ops_of(folded) and run(folded, "y:0", {}) == 2.0
    kept = prune(specialise(model_of(graph).graph, {"mode": True}), ["y"])
    assert "Merge" in ops_of(kept)


def test_the_graph_given_is_not_changed_and_unknown_names_are_refused():
    graph = Graph()
    graph.add("mode", Node("Placeholder", {"dtype": "bool"}))
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    graph.add("s", Node("Switch", {"T": "float32"}), [Tensor("x"), Tensor("mode")])
    graph.add("y", Node("Identity", {"T": "float32"}), [Tensor("s", 1)])
    made = specialise(graph, {"mode:0": True})
    assert graph.op("mode") == "Placeholder" and graph.op("s") == "Switch"
    assert made.op("mode") == "Const" and made.inputs("y") == (Tensor("x"),)
    with pytest.raises(GraphError, match="no node 'phase'"):
        specialise(graph, {"phase": True})


def test_select_by_mode(v1):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        mode = v1.placeholder(tf.bool, [], name="mode")
        x = v1.placeholder(tf.float32, [2], name="x")
        v1.where(mode, x * 2.0, x * 3.0, name="y")
    made = prune(specialise(model_of(graph).graph, {"mode": True}), ["y"])
    if made.op("y") == "Identity":
        assert "Mul_1" not in ops_of(made)
    np.testing.assert_array_equal(run(made, "y:0", {"x:0": np.float32([1, 2])}), [2, 4])
