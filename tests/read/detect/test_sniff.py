"""How the three messages of TensorFlow's files begin, and what only begins alike. TensorFlow's own classes write the bytes."""

from __future__ import annotations

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from graphscope.read.detect.sniff import begins_like, first_text_field, reads_like
from graphscope.wire.source import Source

v1 = tf.compat.v1
KINDS = ("GraphDef", "MetaGraphDef", "SavedModel")


def kinds_of(data: bytes) -> list[str]:
    return [kind for kind in KINDS if begins_like(kind, Source("x", data))]


def graph(text: str) -> bytes:
    message = text_format.Parse(text, v1.GraphDef())
    return bytes(message.SerializeToString())


NODE = 'node { name: "a" op: "NoOp" }'
FUNCTION = 'function { signature { name: "f" } }'
GRADIENT = 'gradient { function_name: "f" gradient_func: "g" }'


@pytest.mark.parametrize(
    "text",
    [
        NODE,
        "versions { producer: 27 }",
        f"library {{ {FUNCTION} }}",
        f"library {{ {GRADIENT} }}",
        f"library {{ }} {NODE}",
        f"versions {{ producer: 27 }} library {{ {FUNCTION} }}",
        "version: 21",
    ],
)
def test_a_graph_begins_with_a_node_a_library_or_its_versions(text: str) -> None:
    assert kinds_of(graph(text)) == ["GraphDef"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text",
        b"\x0a\x03abc",  # a field 1 that is no node
        b"\x0a\x05\x0a\x01a\x12\x00",  # a node without an op
        b"\x0a\x06\x0a\x00\x12\x02Hi",  # a node without a name
        b"\x12\x04\x0a\x02\x08\x01",  # a library whose function begins with a number
        b"\x12\x05\x32\x03\x0a\x01f",  # a library of a field that it has not
        b"\x3a\x01a",  # a field that a graph has not
        b"\x18\x01\x32\x00",  # the version, then such a field
        b"\x00\x01",  # field 0
        b"\x0b\x0c",  # groups
        b"\x22\x82\x20" + b"\0" * 4098,  # versions alone are a few bytes
    ],
)
def test_what_is_none_of_them(data: bytes) -> None:
    assert kinds_of(data) == []


def test_a_graph_around_a_graph_is_a_metagraph_and_around_that_a_saved_model() -> None:
    meta = v1.MetaGraphDef()
    meta.graph_def.ParseFromString(graph(NODE))
    assert kinds_of(meta.SerializeToString()) == ["MetaGraphDef"]
    meta.meta_info_def.tags.append("serve")
    meta.meta_info_def.stripped_op_list.op.add(name="NoOp")
    assert kinds_of(meta.SerializeToString()) == ["MetaGraphDef"]
    whole = SavedModel()
    whole.meta_graphs.add().CopyFrom(meta)
    assert kinds_of(whole.SerializeToString()) == ["SavedModel"]
    whole.saved_model_schema_version = 1
    assert kinds_of(whole.SerializeToString()) == ["SavedModel"]


def test_a_text_is_told_by_its_first_field() -> None:
    source = Source("x", b"# of a net\n\n  node {\n  name: 'a' }")
    assert first_text_field(source) == "node" and reads_like("GraphDef", source)
    assert not reads_like("SavedModel", source)
    assert first_text_field(Source("x", b"\xef\xbb\xbfnode: {}")) == "node"
    for data in (b"node", b"node = 3", b"Node {", b"node {\0", b'{"node": 1}'):
        assert first_text_field(Source("x", data)) == "", data
