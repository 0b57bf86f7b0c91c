"""The issue's three graphs that wrote where the attacker wished, end to end through ``verify`` and ``keras``: refused, nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.analysis.results import analyse
from graphscope.errors import NotExpressible, UnsafeModel
from graphscope.verify import compare
from graphscope.wire import messages as proto

FLOAT, STRING = 1, 7


def dense() -> Any:
    graph = proto.GraphDef()
    node = graph.node.add(name="x", op="Placeholder")
    node.attr["dtype"].type = FLOAT
    for size in (2, 3):
        node.attr["shape"].shape.dim.add(size=size)
    node = graph.node.add(name="w", op="Const")
    tensor = node.attr["value"].tensor
    node.attr["dtype"].type = tensor.dtype = FLOAT
    for size in (3, 4):
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = np.arange(12, dtype="f").tobytes()
    add(graph, "dense", "MatMul", "x", "w")
    return graph


def add(graph: Any, name: str, op: str, *inputs: str) -> Any:
    node = graph.node.add(name=name, op=op, input=inputs)
    node.attr["T"].type = FLOAT
    return node


def text(nodes: Any, name: str, value: str, size: int | None = None) -> None:
    node = nodes.add(name=name, op="Const")
    tensor = node.attr["value"].tensor
    node.attr["dtype"].type = tensor.dtype = STRING
    if size is not None:
        tensor.tensor_shape.dim.add(size=size)
    tensor.string_val.append(value.encode())


def dataset_to_tfrecord(path: Path) -> Any:
    graph = dense()
    text(graph.node, "parts", "attacker's bytes", 1)
    text(graph.node, "file", str(path))
    text(graph.node, "zip", "")
    node = graph.node.add(name="set", op="TensorSliceDataset", input=["parts"])
    node.attr["Toutput_types"].list.type.append(STRING)
    node.attr["output_shapes"].list.shape.add()
    inputs = ["set", "file", "zip"]
    graph.node.add(name="write", op="DatasetToTFRecord", input=inputs)
    add(graph, "y", "Relu", "dense", "^write")
    return graph


def debug_nan_count(path: Path) -> Any:
    graph = dense()
    node = add(graph, "count", "DebugNanCount", "dense")
    node.attr["tensor_name"].s = b"dense:0"
    node.attr["debug_urls"].list.s.append(f"file://{path}".encode())
    add(graph, "y", "Relu", "dense", "^count")
    return graph


def symbolic_gradient(path: Path) -> Any:
    graph = dense()
    for name, inputs in (("good", ["a"]), ("evil", ["a", "da"])):
        function = graph.library.function.add()
        function.signature.name = name
        for each in inputs:
            function.signature.input_arg.add(name=each, type=FLOAT)
        function.signature.output_arg.add(name="r", type=FLOAT)
        if name == "evil":
            text(function.node_def, "file", str(path))
            inside = ["file:output:0", "file:output:0"]
            function.node_def.add(name="leak", op="WriteFile", input=inside)
        node = function.node_def.add(name="n", op="Neg", input=inputs[-1:])
        node.attr["T"].type = FLOAT
        function.ret["r"] = "n:y:0"
    graph.library.gradient.add(function_name="good", gradient_func="evil")
    node = graph.node.add(name="g", op="SymbolicGradient", input=["dense", "dense"])
    node.attr["f"].func.name = "good"
    node.attr["Tin"].list.type.extend([FLOAT, FLOAT])
    node.attr["Tout"].list.type.append(FLOAT)
    add(graph, "y", "Relu", "g")
    return graph


@pytest.mark.parametrize(
    "graph, op",
    [
        (dataset_to_tfrecord, "DatasetToTFRecord: files"),
        (debug_nan_count, "DebugNanCount: files"),
        (symbolic_gradient, "WriteFile: files"),
    ],
)
def test_nothing_is_run_and_nothing_written(
    tmp_path: Path, graph: Any, op: str
) -> None:
    pytest.importorskip("tensorflow")
    model, evil = tmp_path / "m.pb", tmp_path / "evil"
    model.write_bytes(graph(evil).SerializeToString())
    with pytest.raises(UnsafeModel, match=op):
        compare(model, model)
    found = analyse(model)
    try:
        found.write_keras(tmp_path / "keras")
    except NotExpressible:  # a gradient is nothing that Keras source says
        pass
    else:
        with pytest.raises(UnsafeModel, match=op.partition(":")[0]):
            found.prove(tmp_path / "keras")
    assert not evil.exists()
