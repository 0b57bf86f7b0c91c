"""Near misses of reading and writing values: what a constant says of itself, what an unknown op declares, what a file lacks."""

from __future__ import annotations

from urllib.error import HTTPError, URLError

import numpy as np
import pytest

from graphscope.errors import FormatError, GraphError, MissingWeight
from graphscope.graph import Graph, Node
from graphscope.wire import messages as proto
from graphscope.wire import op_registry
from graphscope.wire.attrs import Attrs
from graphscope.wire.nodes import check_missing
from graphscope.wire.remote import _reason
from graphscope.wire.source import Source
from graphscope.wire.write import put_tensor


def attrs_of(op: str, **values: object) -> Attrs:
    import tensorflow as tf

    node = tf.compat.v1.NodeDef(name="n", op=op)
    for name, value in values.items():
        node.attr[name].CopyFrom(value)
    message = proto.NodeDef.FromString(node.SerializeToString())
    return Attrs(message.attr, node=message)


def tensor(value: object) -> object:
    import tensorflow as tf

    return tf.compat.v1.AttrValue(tensor=tf.make_tensor_proto(value))


def test_only_a_constant_of_a_mere_shape_is_hollow() -> None:
    import tensorflow as tf

    shape = tf.make_tensor_proto(np.zeros((2, 3), np.float32))
    shape.ClearField("tensor_content")
    without = tf.compat.v1.AttrValue(tensor=shape)

    assert attrs_of("Const", value=without).hollow
    assert not attrs_of("Const", value=tensor([1.0, 2.0])).hollow
    assert not attrs_of("Placeholder").hollow
    assert attrs_of("Placeholder").content is None


def test_what_a_constant_says_is_looked_at_once() -> None:
    attrs = attrs_of("Const", value=tensor([1.0, 2.0]))
    first = attrs.content
    assert first is not None and first.spec.shape == (2,)
    assert attrs.content is first


def test_a_list_is_refused_where_one_value_is_declared_and_one_value_where_a_list_is() -> (
    None
):
    import tensorflow as tf

    value = tf.compat.v1.AttrValue
    numbers = value(list=value.ListValue(i=[1, 2, 2, 1]))

    assert attrs_of("MaxPool", ksize=numbers)["ksize"] == (1, 2, 2, 1)
    with pytest.raises(GraphError):
        attrs_of("Cumsum", exclusive=numbers)["exclusive"]
    with pytest.raises(GraphError):
        attrs_of("MaxPool", ksize=value(i=2))["ksize"]


def test_an_unknown_op_declares_nothing() -> None:
    assert op_registry.attr_types("MatMul")["transpose_a"] == "bool"
    assert op_registry.attr_types("NobodysOp") == {}


@pytest.mark.parametrize(
    "array, listed",
    [
        (np.array([7.0], np.float32), 0),  # one number: no repetition
        (np.array(7.0, np.float32), 0),
        (np.broadcast_to(np.float32(7), (4, 5)), 1),
        (np.full((4, 5), 7, np.float32), 0),  # equal, but each has a place of its own
    ],
    ids=["one", "scalar", "splat", "full"],
)
def test_only_a_view_of_one_number_is_written_as_one(
    array: np.ndarray, listed: int
) -> None:
    import tensorflow as tf

    message = proto.TensorProto()
    put_tensor(message, array)
    theirs = tf.compat.v1.make_ndarray(
        tf.make_tensor_proto(0.0).FromString(message.SerializeToString())
    )

    assert len(message.float_val) == listed
    assert np.array_equal(theirs, array)


def test_captured_variables_are_missing_unless_they_are_fed() -> None:
    graph = Graph()
    for number in range(5):
        graph.add(f"v{number}", Node("Placeholder", {"dtype": "resource"}), [])
    graph.add("x", Node("Placeholder", {"dtype": "float32"}), [])

    with pytest.raises(MissingWeight, match=r"'v1', 'v2', 'v3' and 1 more"):
        check_missing(graph, {"v0"}, "m.pb")
    check_missing(graph, {f"v{number}" for number in range(5)}, "m.pb")


def test_bytes_are_read_from_where_they_lie_and_not_beyond() -> None:
    source = Source("m", b"abcdef")
    assert source.read(0, 2) == b"ab" and source.read(4, 2) == b"ef"
    assert source.read(6, 0) == b""
    for offset, length in ((-1, 2), (0, -1), (5, 2)):
        with pytest.raises(FormatError, match="m: data should lie at bytes"):
            source.read(offset, length)


def test_a_server_that_answers_is_told_from_one_that_does_not() -> None:
    answered = HTTPError("http://x", 404, "Not Found", {}, None)  # type: ignore[arg-type]
    assert _reason(answered) == "the server says 404 Not Found"
    assert _reason(URLError("no route")) == "the server cannot be reached (no route)"
    assert _reason(TimeoutError()) == "TimeoutError"
