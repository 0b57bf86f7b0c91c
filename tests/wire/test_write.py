"""What is written is what was read, and plain values are encoded as TensorFlow would."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.graph import FunctionRef, Graph, Node, Tensor
from graphscope.wire import messages as proto
from graphscope.wire.attrs import Attrs, attr_of
from graphscope.wire.nodes import function_from_def, graph_from_nodes
from graphscope.wire.write import (
    Edited,
    encode,
    function_names,
    to_function_def,
    to_graph_def,
    to_node_def,
)


def round_trip(graph_def, forget_messages: bool = False):
    import dataclasses

    message = proto.GraphDef.FromString(graph_def.SerializeToString())
    functions = {
        f.signature.name: function_from_def(f) for f in message.library.function
    }
    if forget_messages:
        functions = {
            n: dataclasses.replace(f, message=None) for n, f in functions.items()
        }
    versions = {"producer": message.versions.producer}
    made = to_graph_def(graph_from_nodes(message.node), functions, versions)
    return type(graph_def).FromString(made.SerializeToString())


@pytest.fixture(scope="module")
def graph_def():
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 8, 8, 3], name="x")
        w = tf.compat.v1.placeholder(tf.float32, [3, 3, 3, 4], name="w")
        y = tf.nn.conv2d(x, w, 1, "SAME")
        with tf.control_dependencies([tf.debugging.assert_positive(y)]):
            a, b = tf.split(y, 2, 3)
        table = tf.constant([b"a\xff", b"b"])
        tf.identity(table)

        @tf.function
        def loop(v):
            parts = tf.split(v, 2, 3)
            for _ in tf.range(3):
                v = v * 2.0 + tf.concat(parts, 3)
            return tf.cond(tf.reduce_sum(v) > 0, lambda: v, lambda: -v)

        tf.identity(loop(tf.concat([b, a], 3)), name="y")
    return graph.as_graph_def()


def test_a_graph_written_again_is_the_graph(graph_def):
    again = round_trip(graph_def)
    assert list(again.node) == list(graph_def.node)
    assert list(again.library.function) == list(graph_def.library.function)
    assert again.versions.producer == graph_def.versions.producer


def test_functions_built_from_their_bodies_compute_the_same(graph_def):
    import tensorflow as tf

    results = []
    for message in (graph_def, round_trip(graph_def, forget_messages=True)):
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(message, name="")
            feeds = {
                "x:0": np.ones([1, 8, 8, 3], "f"),
                "w:0": np.ones([3, 3, 3, 4], "f"),
            }
            with tf.compat.v1.Session(graph=graph) as session:
                results.append(session.run("y:0", feeds))
    np.testing.assert_array_equal(*results)


def test_functions_that_nobody_calls_are_left_out(graph_def):
    message = proto.GraphDef.FromString(graph_def.SerializeToString())
    functions = {
        f.signature.name: function_from_def(f) for f in message.library.function
    }
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    assert not to_graph_def(graph, functions).library.function


@pytest.mark.parametrize(
    "value, kind, field",
    [
        (3, "int", "i"),
        (True, "bool", "b"),
        (0.5, "float", "f"),
        ("SAME", "string", "s"),
        ("float32", "type", "type"),
        ((None, 3), "shape", "shape"),
        (np.arange(6, dtype="f").reshape(2, 3), "tensor", "tensor"),
        (np.array([b"a", b"\xff"], object), "tensor", "tensor"),
        ((1, 2), "list(int)", "list"),
        (("float32", "int32"), "list(type)", "list"),
        (((1, None), None), "list(shape)", "list"),
        ((), "list(int)", "list"),
        (3, "", "i"),
        (b"raw", "", "s"),
        ("int64", "", "type"),
        ((0.5, 1.5), "", "list"),
    ],
)
def test_plain_values_come_back_as_they_went_in(value, kind, field):
    message = proto.AttrValue()
    encode(value, kind, message)
    assert message.WhichOneof("value") == field
    expected = "raw" if isinstance(value, bytes) else value
    np.testing.assert_equal(attr_of(message), expected)


def test_a_splat_stays_small():
    message = proto.AttrValue()
    encode(np.broadcast_to(np.float32(2), (1000, 1000)), "tensor", message)
    assert message.ByteSize() < 40
    assert attr_of(message).shape == (1000, 1000) and attr_of(message)[5, 5] == 2


def test_edited_attributes_touch_nothing_else():
    raw = proto.NodeDef(op="Conv2D")
    raw.attr["T"].type = 101
    raw.attr["padding"].s = b"SAME"
    raw.attr["odd"].i = 3
    attrs = Edited(Edited(Attrs(raw.attr), {"T": "float32"}), {"odd": None})
    assert dict(attrs) == {"T": "float32", "padding": "SAME"}
    made = to_node_def("c", Node("Conv2D", attrs), ["x", "w:1"])
    assert made.attr["T"].type == 1 and "odd" not in made.attr
    assert list(made.input) == ["x", "w:1"]


def test_function_names_are_found_in_lists_and_nested():
    inner = FunctionRef("inner", {})
    attrs = {"branches": (FunctionRef("a", {"g": inner}), FunctionRef("b", {}))}
    assert function_names(Node("Case", attrs)) == {"Case", "a", "b", "inner"}


def test_a_function_of_two_outputs_names_them():
    from graphscope.graph import Function

    body = Graph()
    body.add("x", Node("_Arg", {"T": "float32"}))
    body.add("axis", Node("Const", {"dtype": "int32", "value": np.int32(0)}))
    body.add(
        "s",
        Node("Split", {"T": "float32", "num_split": 2}),
        [Tensor("axis"), Tensor("x")],
    )
    made = to_function_def(
        Function("f", body, ("x",), (Tensor("s", 1), Tensor("x")), ("a", "b"))
    )
    assert dict(made.ret) == {"a": "s:output:1", "b": "x"}
    assert [arg.type for arg in made.signature.output_arg] == [1, 1]
