"""TensorProtos of every dtype and form against tf.make_ndarray."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import FormatError
from graphscope.read import load
from graphscope.wire import messages as proto
from graphscope.wire.attrs import attr_of, tensor_of
from tests.read.checkpoint.test_bundle import DTYPES, same, sample


def ours(message) -> np.ndarray:
    return tensor_of(proto.TensorProto.FromString(message.SerializeToString()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_packed_content(dtype: str) -> None:
    import tensorflow as tf

    message = tf.make_tensor_proto(sample(dtype))
    assert same(ours(message), tf.make_ndarray(message))


FIELDS = {
    "float32": ("float_val", [1.5, 2.5]),
    "float64": ("double_val", [1.5, 2.5]),
    "int32": ("int_val", [-1, 2]),
    "int16": ("int_val", [-1, 2]),
    "int8": ("int_val", [-1, 2]),
    "uint8": ("int_val", [255, 2]),
    "uint16": ("int_val", [65535, 2]),
    "int64": ("int64_val", [-(2**60), 2]),
    "uint32": ("uint32_val", [2**32 - 1, 2]),
    "uint64": ("uint64_val", [2**64 - 1, 2]),
    "bool": ("bool_val", [True, False]),
    "string": ("string_val", [b"a", b"\xff"]),
    "float16": ("half_val", [0x3C00, 0xC000]),
    "bfloat16": ("half_val", [0x3F80, 0xC000]),
    "complex64": ("scomplex_val", [1.0, 2.0, 3.0, 4.0]),
    "complex128": ("dcomplex_val", [1.0, 2.0, 3.0, 4.0]),
}


@pytest.mark.parametrize("size", [2, 5])
@pytest.mark.parametrize("dtype", FIELDS)
def test_listed_values_and_the_last_repeated(dtype: str, size: int) -> None:
    import tensorflow as tf

    field, values = FIELDS[dtype]
    message = tf.make_tensor_proto(0.0)
    message.Clear()
    message.dtype = tf.as_dtype(dtype).as_datatype_enum
    getattr(message, field).extend(values)
    message.tensor_shape.CopyFrom(tf.TensorShape([size]).as_proto())
    expected = tf.make_ndarray(message)
    found = ours(message)
    assert found.tolist() == expected.tolist() and found.shape == (size,)


def test_one_value_for_many_is_a_view() -> None:
    message = proto.TensorProto(dtype=1, float_val=[2.0])
    message.tensor_shape.dim.add(size=1 << 20)
    message.tensor_shape.dim.add(size=1 << 10)
    found = tensor_of(message)
    assert found.shape == (1 << 20, 1 << 10) and found.strides == (0, 0)


@pytest.mark.parametrize("sizes", [[1 << 40, 1 << 40], [-1], [1 << 62, 8]])
def test_impossible_shapes_are_errors(sizes: list[int]) -> None:
    message = proto.TensorProto(dtype=1, float_val=[2.0])
    for size in sizes:
        message.tensor_shape.dim.add(size=size)
    with pytest.raises(FormatError, match="shape"):
        tensor_of(message)


def test_content_of_the_wrong_length_is_an_error() -> None:
    message = proto.TensorProto(dtype=1, tensor_content=b"12345678")
    message.tensor_shape.dim.add(size=3)
    with pytest.raises(FormatError, match="8 bytes, 12 expected"):
        tensor_of(message)


def test_an_unknown_dtype_is_named() -> None:
    assert attr_of(proto.AttrValue(type=77)) == "dtype 77"


@pytest.mark.parametrize("spelling", ["content", "floats", "short"])
def test_large_values_stay_in_the_file(spelling: str, tmp_path: Path) -> None:
    values = np.arange(50_000, dtype=np.float32)
    graph = proto.GraphDef()
    graph.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    tensor = graph.node.add(name="w", op="Const").attr["value"].tensor
    tensor.dtype = 1
    tensor.tensor_shape.dim.add(size=60_000 if spelling == "short" else 50_000)
    if spelling == "content":
        tensor.tensor_content = values.tobytes()
    else:
        tensor.float_val.extend(values)
    graph.node.add(name="y", op="Relu", input=["w"])
    path = tmp_path / "g.pb"
    path.write_bytes(graph.SerializeToString())
    model = load(path)
    assert list(model.graph) == ["x", "w", "y"]
    attrs = model.graph.attrs("w")
    assert len(attrs.raw["value"].tensor.SerializeToString()) < 100
    found, extent = attrs["value"], attrs.extent("value")
    assert attrs.spec("value").shape == found.shape
    assert np.array_equal(found[:50_000], values)
    if spelling == "short":
        assert extent is None and (found[50_000:] == values[-1]).all()
    else:
        raw = path.read_bytes()[extent.offset : extent.offset + extent.length]
        assert raw == values.tobytes()


def test_left_values_can_be_put_back(tmp_path: Path) -> None:
    from graphscope.wire.protobuf import filled, parse_lean
    from graphscope.wire.source import open_source

    graph = proto.GraphDef()
    for field in ("tensor_content", "float_val"):
        tensor = graph.node.add(name=field, op="Const").attr["value"].tensor
        tensor.dtype = 1
        tensor.tensor_shape.dim.add(size=30_000)
        values = np.arange(30_000, dtype=np.float32)
        if field == "float_val":
            tensor.float_val.extend(values)
        else:
            tensor.tensor_content = values.tobytes()
    path = tmp_path / "g.pb"
    path.write_bytes(graph.SerializeToString())
    source = open_source(str(path))
    lean = parse_lean("GraphDef", source)
    assert lean != graph and filled(lean, source) == graph


def test_a_file_cannot_forge_the_mark(tmp_path: Path) -> None:
    """Content that merely has the mark's length is content."""
    graph = proto.GraphDef()
    tensor = graph.node.add(name="w", op="Const").attr["value"].tensor
    tensor.dtype, tensor.tensor_content = 4, b"\x01" * 29
    tensor.tensor_shape.dim.add(size=29)
    path = tmp_path / "g.pb"
    path.write_bytes(graph.SerializeToString())
    assert load(path).graph.attrs("w")["value"].tolist() == [1] * 29
