"""One variable in two layers is written once, stays one in training, and is one array in the weights file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.graph import Graph, Model, Node, Tensor, TensorSpec, WeightUse
from graphscope.render.keras import write_keras
from tests.render.keras.in_memory import InMemory
from tests.render.keras.test_model_source import (
    X,
    constant,
    dense,
    placeholder,
    put,
    rng,
    run,
    written,
)

TURNED = (("transpose", (1, 0)),)


def saved(model: Any, folder: Path) -> Any:
    """The model, saved as one file and loaded again."""
    import keras

    model.save(folder / "again.keras")
    return keras.models.load_model(folder / "again.keras")


def language_model(bias: bool, activation: str | None) -> tuple[Graph, Any, Any]:
    graph, table = Graph(), rng().normal(size=(7, 4)).astype("f4")
    spec = TensorSpec("int32", (None, 3))
    graph.add("x", Node("Placeholder", {"dtype": "int32"}, (spec,)))
    use = constant(graph, "table", table)
    config = {"input_dim": 7, "output_dim": 4}
    put(graph, "embed", "Embedding", ["x"], weights={"embeddings": use}, config=config)
    dense(graph, "hidden", "embed", np.eye(4, dtype="f4") * 2)
    weights = {"kernel": WeightUse("table", (4, 7), TURNED)}
    if bias:
        weights["bias"] = constant(graph, "bias", np.arange(7, dtype="f4"))
    config = {"units": 7, "use_bias": bias, "activation": activation}
    put(graph, "logits", "Dense", ["hidden"], weights=weights, config=config)
    return graph, table, np.arange(7) * bias


@pytest.mark.parametrize(
    "bias, activation", [(False, None), (True, None), (True, "relu"), (False, "relu")]
)
def test_output_projection_is_the_embedding_reversed(
    tmp_path: Path, bias: bool, activation: str | None
) -> None:
    graph, table, offset = language_model(bias, activation)
    report = written(graph, tmp_path, "logits/out")
    model, ids = run(tmp_path), np.array([[0, 6, 2], [3, 3, 1]], "int32")
    want = 2 * table[ids] @ table.T + offset
    want = np.maximum(want, 0) if activation else want
    np.testing.assert_allclose(model(ids), want, rtol=1e-4, atol=1e-5)
    assert report.parameters == model.count_params() == 7 * 4 + 4 * 4 + 7 * bias
    assert "embed(x, reverse=True)" in report.source.text
    np.testing.assert_allclose(saved(model, tmp_path)(ids), model(ids), rtol=1e-6)


def test_decoder_borrows_the_kernel_of_the_encoder(tmp_path: Path) -> None:
    graph, kernel = Graph(), rng().normal(size=(4, 3)).astype("f4")
    placeholder(graph)
    dense(graph, "encoder", "x", kernel, np.ones(3, "f4"))
    weights = {
        "kernel": WeightUse("encoder/kernel", (3, 4), TURNED),
        "bias": constant(graph, "back/bias", np.full(4, 2, "f4")),
    }
    config = {"units": 4, "activation": "tanh"}
    put(graph, "decoder", "Dense", ["encoder"], weights=weights, config=config)
    report = written(graph, tmp_path, "decoder/out")
    model, x = run(tmp_path), rng().normal(size=(2, 4)).astype("f4")
    want = np.tanh((x @ kernel + 1) @ kernel.T + 2)
    np.testing.assert_allclose(model(x), want, rtol=1e-4, atol=1e-5)
    assert report.parameters == model.count_params() == 12 + 3 + 4
    assert len(model.trainable_variables) == 3
    np.testing.assert_allclose(saved(model, tmp_path)(x), want, rtol=1e-4, atol=1e-5)


def test_training_keeps_them_tied(tmp_path: Path) -> None:
    graph, table, _ = language_model(False, None)
    written(graph, tmp_path, "logits/out")
    model, ids = run(tmp_path), np.array([[0, 6, 2]], "int32")
    model.compile("sgd", "mse")
    model.fit(ids, np.ones((1, 3, 7)), verbose=0)
    moved, hidden = (np.array(w) for w in model.get_weights())
    assert abs(moved - table).max() > 1e-3
    want = moved[ids] @ hidden @ moved.T
    np.testing.assert_allclose(model(ids), want, rtol=1e-4, atol=1e-5)


def test_kernel_of_a_convolution_is_that_of_a_dilated_one(tmp_path: Path) -> None:
    graph, kernel = Graph(), rng().normal(size=(3, 3, 2, 2)).astype("f4")
    placeholder(graph, shape=(None, 8, 8, 2))
    use = constant(graph, "kernel", kernel)
    source = "x"
    for rate in (1, 2):
        config = {
            "filters": 2,
            "kernel_size": (3, 3),
            "padding": "same",
            "dilation_rate": (rate, rate),
            "use_bias": False,
        }
        name = f"conv{rate}"
        put(graph, name, "Conv2D", [source], weights={"kernel": use}, config=config)
        source = name
    report = written(graph, tmp_path, "conv2/out")
    model, x = run(tmp_path), rng().normal(size=(1, 8, 8, 2)).astype("f4")
    import keras

    want = keras.ops.conv(x, kernel, padding="same")
    want = keras.ops.conv(want, kernel, padding="same", dilation_rate=2)
    np.testing.assert_allclose(model(x), want, rtol=1e-4, atol=1e-5)
    assert report.parameters == model.count_params() == 36


def test_weight_that_an_op_reads_is_the_layers_own(tmp_path: Path) -> None:
    graph, kernel = Graph(), rng().normal(size=(4, 4)).astype("f4")
    placeholder(graph)
    dense(graph, "fc", "x", np.zeros((4, 4), "f4"))
    graph.add("fc/kernel", Node("VarHandleOp", {"dtype": "float32", "shape": (4, 4)}))
    graph.add(
        "read", Node("ReadVariableOp", {"dtype": "float32"}), [Tensor("fc/kernel")]
    )
    graph.add("twice", Node("MatMul", {"T": "float32"}), [Tensor("fc"), Tensor("read")])
    model = Model(graph, weights=InMemory({"fc/kernel": kernel}))
    report = write_keras(model, graph, tmp_path, inputs=[X], outputs=[Tensor("twice")])
    x = rng().normal(size=(2, 4)).astype("f4")
    np.testing.assert_allclose(
        run(tmp_path)(x), x @ kernel @ kernel, rtol=1e-4, atol=1e-5
    )
    assert report.parameters == 16


def test_class_that_keras_does_not_know_lends_nothing(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    use = constant(graph, "k", np.eye(4, dtype="f4"))
    evil = "Dense): pass\nimport os\nclass X(layers.Dense"
    put(graph, "one", evil, ["x"], weights={"kernel": use, 'a"b': use})
    put(graph, "two", "Dense", ["one"], weights={"kernel": use}, config={"units": 4})
    text = written(graph, tmp_path, "two/out").source.text
    assert "import os" not in text and "Shared" not in text


def test_what_cannot_be_tied_is_said(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    gamma = constant(graph, "gamma", np.ones(4, "f4"))
    put(
        graph,
        "one",
        "LayerNormalization",
        ["x"],
        weights={"gamma": gamma},
        config={"center": False},
    )
    put(graph, "two", "RMSNormalization", ["one"], weights={"scale": gamma})
    report = written(graph, tmp_path, "two/out")
    assert report.parameters == run(tmp_path).count_params() == 8
    assert any("two copies" in remark for remark in report.remarks)
