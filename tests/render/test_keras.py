"""Layer graphs made by hand -> source that runs, weights that load, outputs that numpy confirms."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from graphscope.graph import Graph, Layer, Model, Node, Tensor, TensorSpec, WeightUse
from graphscope.render.keras import to_keras, write_keras

X = Tensor("x")


def run(folder: Path) -> Any:
    """The model that a written folder holds, with its weights."""
    module = ModuleType("recovered")
    source = (folder / "model.py").read_text()
    exec(compile(source, "model.py", "exec"), module.__dict__)
    model = module.build_model()
    model.load_weights(folder / "model.weights.h5")
    return model


def constant(graph: Graph, name: str, value: Any) -> WeightUse:
    array = np.asarray(value)
    graph.add(name, Node("Const", {"value": array, "dtype": str(array.dtype)}))
    return WeightUse(name, array.shape)


def placeholder(graph: Graph, name: str = "x", shape: Any = (None, 4)) -> None:
    spec = TensorSpec("float32", shape)
    graph.add(name, Node("Placeholder", {"dtype": "float32", "shape": shape}, (spec,)))


def put(graph: Graph, name: str, op: str, inputs: list[str], **kwargs: Any) -> None:
    """Add one layer; its inputs are names of nodes."""
    given = [Tensor(each) for each in inputs]
    layer = Layer(
        op,
        kwargs.pop("config", {}),
        inputs={f"x{i}": tensor for i, tensor in enumerate(given)},
        output=Tensor(f"{name}/out"),
        **kwargs,
    )
    graph.add(name, layer, given)


def dense(graph: Graph, name: str, source: str, kernel: Any, bias: Any = None) -> None:
    weights = {"kernel": constant(graph, f"{name}/kernel", kernel)}
    if bias is not None:
        weights["bias"] = constant(graph, f"{name}/bias", bias)
    config = {"units": np.shape(kernel)[1], "use_bias": bias is not None}
    put(graph, name, "Dense", [source], weights=weights, config=config)


def written(graph: Graph, folder: Path, output: str, **kwargs: Any) -> Any:
    kwargs.setdefault("inputs", [X])
    return write_keras(
        Model(graph, source="made.pb"),
        graph,
        folder,
        outputs=[Tensor(output)],
        **kwargs,
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_two_dense_layers(tmp_path: Path) -> None:
    graph = Graph()
    first, second = rng().normal(size=(4, 3)), rng().normal(size=(3, 2))
    placeholder(graph)
    dense(graph, "hidden", "x", first.astype("f4"), np.ones(3, "f4"))
    put(graph, "relu", "ReLU", ["hidden"])
    dense(graph, "logits", "relu", second.astype("f4"))
    report = written(graph, tmp_path, "logits/out")
    assert report.parameters == 4 * 3 + 3 + 3 * 2
    x = rng().normal(size=(5, 4)).astype("f4")
    want = np.maximum(x @ first + 1, 0) @ second
    np.testing.assert_allclose(run(tmp_path)(x), want, rtol=1e-4, atol=1e-5)
    assert report.source.text.splitlines()[5:] == [
        "import keras",
        "from keras import layers",
        "",
        "",
        "def build_model():",
        '    """The model, without its weights."""',
        '    inputs = keras.Input((4,), name="x")',
        '    x = layers.Dense(3, name="hidden")(inputs)',
        '    x = layers.ReLU(name="relu")(x)',
        '    x = layers.Dense(2, use_bias=False, name="logits")(x)',
        '    return keras.Model(inputs, x, name="made")',
    ]
