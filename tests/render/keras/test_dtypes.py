"""Inputs, weights and outputs of every dtype; several of them, named and in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from graphscope.graph import Graph, Model, Node, Signature, Tensor, TensorSpec
from graphscope.render.keras import write_keras
from tests.render.keras.in_memory import InMemory
from tests.render.keras.test_model_source import X, constant, put, rng, run, written

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def fed(graph: Graph, name: str, dtype: str, shape: Any = (None, 4)) -> None:
    spec = TensorSpec(dtype, shape)
    graph.add(name, Node("Placeholder", {"dtype": dtype, "shape": shape}, (spec,)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("has_h5py", [True, False])
def test_layer_of_any_precision(
    tmp_path: Path, dtype: str, has_h5py: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = Graph()
    kind = BFLOAT16 if dtype == "bfloat16" else np.dtype(dtype)
    fed(graph, "x", dtype)
    kernel = rng().normal(size=(4, 3)).astype(kind)
    put(
        graph,
        "fc",
        "Dense",
        ["x"],
        weights={"kernel": constant(graph, "kernel", kernel)},
        config={"units": 3, "use_bias": False},
        outputs=(TensorSpec(dtype, (None, 3)),),
    )
    with monkeypatch.context() as hidden:
        if not has_h5py:
            hidden.setitem(__import__("sys").modules, "h5py", None)
        written(graph, tmp_path, "fc/out")
    model = loaded(tmp_path, has_h5py)
    x = rng().normal(size=(2, 4)).astype(kind)
    got = np.array(model(x))
    assert got.dtype == kind
    tolerance = 0.05 if kind.itemsize == 2 else 1e-5
    want = x.astype("f8") @ kernel.astype("f8")
    np.testing.assert_allclose(got.astype("f8"), want, rtol=tolerance, atol=tolerance)


def loaded(folder: Path, has_h5py: bool) -> Any:
    if has_h5py:
        return run(folder)
    import runpy

    module = runpy.run_path(str(folder / "model.py"))
    return module["load_weights"](module["build_model"](), folder / "weights.npz")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "bool"])
def test_constant_of_any_dtype_is_kept(tmp_path: Path, dtype: str) -> None:
    graph = Graph()
    fed(graph, "x", dtype, (None, 20))
    table = (rng().normal(size=20) * 9).astype(dtype)
    graph.add("table", Node("Const", {"value": table}))
    op = "LogicalOr" if dtype == "bool" else "AddV2"
    attrs = {} if dtype == "bool" else {"T": dtype}
    graph.add("sum", Node(op, attrs), [X, Tensor("table")])
    written(graph, tmp_path, "sum")
    x = (np.arange(40) % 3).reshape(2, 20).astype(dtype)
    got = np.array(run(tmp_path)(x))
    want = x | table if dtype == "bool" else x + table
    assert got.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(got, want)


def test_strings_go_in_and_out(tmp_path: Path) -> None:
    import tensorflow as tf

    graph = Graph()
    fed(graph, "x", "string", (None,))
    graph.add("join", Node("StringJoin", {"N": 2, "separator": "-"}), [X, X])
    report = written(graph, tmp_path, "join")
    got = run(tmp_path)(tf.constant(["a", "b"]))
    assert got.numpy().tolist() == [b"a-a", b"b-b"]
    assert report.not_portable


def test_outputs_are_called_as_the_signature_calls_them(tmp_path: Path) -> None:
    graph = Graph()
    fed(graph, "x", "float32")
    for name in ("mean", "peak"):
        put(graph, name, "ReLU", ["x"])
    tensors = {"average": Tensor("mean/out"), "highest": Tensor("peak/out")}
    signature = Signature({"x": X}, tensors)
    model = Model(graph, signatures={"serving_default": signature})
    report = write_keras(
        model, graph, tmp_path, inputs=[X], outputs=tuple(tensors.values())
    )
    assert "Outputs, in this order: average, highest." in report.source.text
    assert len(run(tmp_path).outputs) == 2


def test_inputs_of_several_ranks_keep_their_order(tmp_path: Path) -> None:
    graph = Graph()
    fed(graph, "scale", "float32", ())
    fed(graph, "x", "float32", (None, 4))
    fed(graph, "unused", "int32", (None, 2))
    scaled = Node("Mul", {"T": "float32"})
    graph.add("y", scaled, [X, Tensor("scale")])
    names = ["x", "scale", "unused"]
    written(graph, tmp_path, "y", inputs=[Tensor(name) for name in names])
    model = run(tmp_path)
    assert [each.name for each in model.inputs] == names
    x = rng().normal(size=(2, 4)).astype("f4")
    got = model([x, np.float32(3), np.zeros((2, 2), "int32")])
    np.testing.assert_allclose(got, 3 * x, rtol=1e-6)


def test_constant_beside_variables_is_not_trained(tmp_path: Path) -> None:
    graph, table = Graph(), rng().normal(size=(1, 20)).astype("f4")
    fed(graph, "x", "float32", (None, 20))
    graph.add("table", Node("Const", {"value": table}))
    graph.add("v", Node("VarHandleOp", {"dtype": "float32", "shape": (20,)}))
    graph.add("read", Node("ReadVariableOp", {"dtype": "float32"}), [Tensor("v")])
    graph.add("pow", Node("Maximum", {"T": "float32"}), [X, Tensor("read")])
    graph.add("y", Node("Minimum", {"T": "float32"}), [Tensor("pow"), Tensor("table")])
    model = Model(graph, weights=InMemory({"v": np.zeros(20, "f4")}))
    write_keras(model, graph, tmp_path, inputs=[X], outputs=[Tensor("y")])
    built = run(tmp_path)
    assert [len(w.shape) for w in built.trainable_variables] == [1]
    assert [len(w.shape) for w in built.non_trainable_variables] == [2]
    x = rng().normal(size=(2, 20)).astype("f4")
    want = np.minimum(np.maximum(x, 0), table)
    np.testing.assert_allclose(built(x), want, rtol=1e-6)
