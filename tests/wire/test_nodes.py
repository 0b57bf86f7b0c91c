"""Graphs against TensorFlow's own parse: nodes, inputs, control inputs, attributes; function references."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import GraphError
from graphscope.graph import FunctionRef, Tensor
from graphscope.read import load
from graphscope.wire import messages as proto
from graphscope.wire.nodes import MISSING, graph_from_nodes, kinds


def value_of(attr, name: str):
    """An AttrValue of TensorFlow's, decoded by TensorFlow's own means."""
    kind = attr.WhichOneof("value")
    if kind is None:
        return None
    if kind == "list":
        for field, values in attr.list.ListFields():
            return tuple(one(field.name, value) for value in values)
        return ()
    return one(kind, getattr(attr, kind))


def one(kind: str, value):
    import tensorflow as tf

    if kind == "type":
        return tf.as_dtype(value).name
    if kind == "shape":
        shape = tf.TensorShape(value)
        return None if shape.rank is None else tuple(shape.as_list())
    if kind == "tensor":
        return tf.make_ndarray(value)
    if kind == "s":
        return value.decode("utf-8", "surrogateescape")
    return value.name if kind == "func" else value


def assert_equal_attrs(ours, theirs, where: str) -> None:
    # what the node leaves out has the default that the file's own OpDef gives it
    assert set(theirs) <= set(ours) <= {*theirs, *ours.otherwise}, where
    for name in theirs:
        expected = value_of(theirs[name], name)
        found = ours[name]
        if isinstance(found, FunctionRef):
            found = found.name
        if isinstance(expected, np.ndarray):
            assert found.shape == expected.shape, (where, name)
            if expected.dtype == object:
                assert (found == expected).all(), (where, name)
            else:
                assert (
                    np.ascontiguousarray(found).tobytes() == expected.tobytes()
                ), where
        elif isinstance(expected, tuple) and expected and hasattr(expected[0], "dtype"):
            assert all(map(np.array_equal, found, expected))
        elif isinstance(found, tuple) and found and isinstance(found[0], FunctionRef):
            assert tuple(f.name for f in found) == tuple(e for e in expected)
        else:
            assert found == expected or found != found, (where, name)


def assert_equal_graphs(graph, graph_def) -> None:
    assert list(graph) == [node.name for node in graph_def.node]
    for node in graph_def.node:
        data = [text for text in node.input if not text.startswith("^")]
        found = [str(t) if t.port else t.node for t in graph.inputs(node.name)]
        assert found == [text.removesuffix(":0") for text in data]
        ours = graph.node(node.name)
        assert ours.op == node.op and ours.device == node.device
        assert list(ours.controls) == [t[1:] for t in node.input if t.startswith("^")]
        assert_equal_attrs(ours.attrs, node.attr, node.name)


def tensorflow_graphs(path: Path):
    """The GraphDef that TensorFlow reads from a file of any kind."""
    import tensorflow as tf
    from google.protobuf import text_format

    v1 = tf.compat.v1
    data = path.read_bytes()
    if path.stem == "saved_model":
        from tensorflow.core.protobuf import saved_model_pb2

        saved = saved_model_pb2.SavedModel()
        if path.suffix == ".pb":
            saved.ParseFromString(data)
        else:
            text_format.Parse(data.decode(), saved)
        return saved.meta_graphs[0].graph_def
    if path.suffix == ".meta":
        return v1.MetaGraphDef.FromString(data).graph_def
    if path.suffix in (".pbtxt", ".txt"):
        return text_format.Parse(data.decode(), v1.GraphDef())
    return v1.GraphDef.FromString(data)


def graph_files(corpus: Path) -> list[Path]:
    rows = [
        line.split("\t") for line in (corpus / "INDEX.tsv").read_text().splitlines()[1:]
    ]
    kinds = ("frozen_pb", "graphdef", "metagraph", "savedmodel", "hub_module")
    return [corpus / row[0] for row in rows if row[3].startswith(kinds)]


def test_every_corpus_graph(corpus: Path) -> None:
    files = graph_files(corpus)
    assert len(files) > 50
    for path in files:
        assert_equal_graphs(load(path).graph, tensorflow_graphs(path))


def test_function_bodies_refer_to_ports(tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([4], tf.float32, name="x")])
    def pick(x):
        values, places = tf.math.top_k(x, 2)
        first, second, third = tf.split(tf.concat([values, values, values], 0), 3)
        return tf.cast(places, tf.float32) + third, first + second

    definition = pick.get_concrete_function().graph.as_graph_def()
    inner = tf.function(lambda x: pick(x)).get_concrete_function(
        tf.TensorSpec([4], tf.float32)
    )
    path = tmp_path / "f.pb"
    path.write_bytes(inner.graph.as_graph_def().SerializeToString())
    model = load(path)
    (function,) = model.functions.values()
    assert function.arguments == ("x",)
    assert len(function.returns) == 2 and len(definition.node)
    body = function.graph
    (cast,) = body.by_op("Cast")
    assert body.inputs(cast)[0].port == 1
    ports = sorted(t.port for n in body.by_op("AddV2") for t in body.inputs(n))
    assert ports == [0, 0, 1, 2]
    assert {body.op(t.node) for t in function.returns} == {"Identity"}


def nodes(*rows: tuple) -> list:
    return [proto.NodeDef(name=name, op=op, input=inputs) for name, op, *inputs in rows]


def test_a_duplicate_name_is_an_error() -> None:
    with pytest.raises(GraphError, match="two nodes are called 'a'"):
        graph_from_nodes(nodes(("a", "NoOp"), ("a", "NoOp")))


def test_a_node_that_is_read_and_not_there_is_marked_as_missing() -> None:
    graph = graph_from_nodes(nodes(("b", "Relu", "gone")))
    assert graph.inputs("b") == (Tensor("gone"),)
    assert graph.op("gone") == "Placeholder" and MISSING in graph.attrs("gone")


def test_a_cycle_is_read_as_it_is() -> None:
    graph = graph_from_nodes(nodes(("a", "Relu", "b"), ("b", "Relu", "a")))
    assert graph.inputs("a") == (Tensor("b"),) and graph.inputs("b") == (Tensor("a"),)


def test_a_self_reference_and_odd_inputs_do_not_hang() -> None:
    graph = graph_from_nodes(nodes(("a", "OfNobody", "a", "a:2", "^a")))
    assert graph.inputs("a") == (Tensor("a"), Tensor("a", 2))
    assert graph.node("a").controls == ("a",)


def test_nodes_of_tensorflow_s_own_classes_are_taken() -> None:
    """As ``graph.as_graph_def().node`` has them: each constant keeps its value."""
    tf = pytest.importorskip("tensorflow")
    with tf.Graph().as_default() as graph:
        for number in (0.5, 1.5):
            tf.constant(number, name=f"c{number:g}".replace(".", "_"))
        nodes = graph.as_graph_def().node
    read = graph_from_nodes(nodes)
    assert [float(read.attrs(name)["value"]) for name in read] == [0.5, 1.5]


def test_constants_keep_their_values_where_no_more_of_them_are_shared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kinds, "_MOST_CONSTANTS", 2)
    values = [1.0, 2.0, 1.0, 3.0, 3.0, 4.0, 2.0]
    message = proto.GraphDef()
    for number, value in enumerate(values):
        added = message.node.add(name=f"c{number}", op="Const")
        added.attr["dtype"].type = 1
        added.attr["value"].tensor.dtype = 1
        added.attr["value"].tensor.float_val.append(value)
    path = tmp_path / "graph.pb"
    path.write_bytes(message.SerializeToString())
    graph = load(str(path)).graph
    read = [graph.attrs(f"c{number}") for number in range(len(values))]
    assert [float(attrs["value"]) for attrs in read] == values
    assert {attrs["dtype"] for attrs in read} == {"float32"}
    assert read[0] is read[2] and read[3] is not read[4]
