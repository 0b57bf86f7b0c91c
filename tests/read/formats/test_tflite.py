"""TensorFlow Lite flatbuffers against LiteRT's interpreter and TensorFlow's own schema."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.analysis import Analysis, analyse
from graphscope.cli.terminal import verification_text
from graphscope.graph import Tensor
from graphscope.read import load
from graphscope.read.deployment.lite import file as lite_file
from graphscope.read.deployment.lite.call import RULES
from graphscope.verify import compare
from tests.read.formats.applications import KINDS, SIDES, convert, network, row, settled
from tests.read.test_hostile import survives


def _small() -> Any:
    """A network of the most usual layers."""
    import keras
    from keras import layers

    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", name="conv")(x)
    x = layers.ReLU(6.0, name="relu")(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.Add()([x, layers.Conv2D(8, 1)(y)])
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    x = layers.Dense(64, activation="tanh")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="end")(x))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same network in floats, with weights of eight bits, and in integers alone."""
    import keras

    keras.utils.set_random_seed(0)
    net, folder = _small(), tmp_path_factory.mktemp("tflite")
    paths = {kind: folder / f"{kind}.tflite" for kind in KINDS}
    for kind, path in paths.items():
        path.write_bytes(convert(net, kind))
    return paths


@pytest.mark.parametrize("kind", KINDS)
def test_keras_computes_what_litert_does(
    kind: str, converted: dict[str, Path], tmp_path: Path
) -> None:
    found = analyse(str(converted[kind]))
    kinds = Counter(layer.op for layer in found.layers)
    assert kinds["Conv2D"] == 2 and kinds["Dense"] == 2
    assert {"DepthwiseConv2D", "Conv2DTranspose", "MaxPooling2D"} <= kinds.keys()
    found.write_keras(tmp_path)
    proof = found.prove(tmp_path)
    assert proof.passed
    if kind == "float":
        assert proof.max_rel < 1e-5
    if kind == "int8":
        assert all(row["steps"] <= 4 for row in proof.outputs)


def test_another_model_is_not_equal(converted: dict[str, Path], tmp_path: Path) -> None:
    """An integer model's proof is no formality: one weight that is another is seen."""
    import h5py

    found = analyse(str(converted["int8"]))
    found.write_keras(tmp_path)
    with h5py.File(tmp_path / "model.weights.h5", "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        kernels = [n for n in names if isinstance(file[n], h5py.Dataset)]
        kernel = file[next(n for n in kernels if file[n].ndim == 2)]
        kernel[...] = -np.asarray(kernel)
    assert not found.prove(tmp_path).passed


def _deep() -> Any:
    """So many operators that the rounding of integers adds up to many steps."""
    import keras
    from keras import layers

    x = inputs = keras.Input((8, 8, 3))
    for _ in range(16):
        y = layers.Conv2D(8, 3, padding="same", activation="hard_swish")(x)
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        y = layers.Multiply()([y, layers.Dense(8, activation="sigmoid")(gate)])
        x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(y))
    return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import keras

    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("deep") / "int8.tflite"
    path.write_bytes(convert(settled(_deep()), "int8"))
    return path


def test_rounding_that_adds_up_is_told_from_a_wrong_operator(
    deep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both models share a wrong meaning of an operator: only LiteRT's own tensors can tell."""
    found = analyse(str(deep))
    found.write_keras(tmp_path / "right")
    proof = found.prove(tmp_path / "right")
    assert proof.passed and proof.outputs[0]["steps"] > 4
    assert any("adds up" in remark for remark in proof.remarks)
    assert "equal operator by operator" in verification_text(proof.to_json())
    monkeypatch.setitem(
        RULES, "MEAN", lambda call: call.op("Max", *call.all, keep_dims=True)
    )
    found = analyse(str(deep))
    found.write_keras(tmp_path / "wrong")
    proof = found.prove(tmp_path / "wrong")
    assert not proof.passed
    assert any("takes an operator for another" in remark for remark in proof.remarks)


def test_what_is_said_of_a_graphdef_is_said_of_it(converted: dict[str, Path]) -> None:
    found = Analysis(load(converted["float"]))
    (x,) = found.candidates.inputs
    assert x.spec.shape == (None, 8, 8, 3)
    names = {layer.name for layer in found.layers}
    assert any("conv" in name for name in names) and any("end" in n for n in names)
    assert not [f for f in found.findings if f.severity == "error"]


def test_a_frozen_graph_is_one_for_tensorflow(
    converted: dict[str, Path], tmp_path: Path
) -> None:
    found = analyse(str(converted["int8"]))
    found.freeze(tmp_path / "frozen.pb")
    assert compare(str(converted["int8"]), str(tmp_path / "frozen.pb")).passed


def test_large_constants_stay_in_the_file(converted: dict[str, Path]) -> None:
    model = load(converted["float"])
    kernels = [n for n in model.graph.by_op("Const") if len(model.value(n).shape) == 2]
    for name in kernels:
        assert model.graph.attrs(name).spec("value").shape == model.value(name).shape


def test_several_outputs_and_control_flow(tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([4], tf.float32)])
    def f(x):
        a, b = tf.split(x, 2)
        total = tf.while_loop(lambda t: tf.reduce_sum(t) < 9, lambda t: [t + b], [a])[0]
        return {"total": total, "b": b * 2}

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [f.get_concrete_function()]
    )
    path = tmp_path / "m.tflite"
    path.write_bytes(converter.convert())
    model = load(path)
    assert len(model.functions) == 2
    (loop,) = model.graph.by_op("StatelessWhile")
    assert model.graph.attrs(loop)["body"].name in model.functions
    for function in model.functions.values():
        assert all(isinstance(t, Tensor) for t in function.returns)
    feeds = {"x": np.array([1, 2, 3, 4], np.float32)}
    Analysis(model).freeze(tmp_path / "f.pb")
    proof = compare(str(path), str(tmp_path / "f.pb"), examples=feeds)
    assert len(proof.outputs) == 2 and proof.max_rel < 1e-6


def test_a_recurrent_operator_is_a_loop(corpus: Path, tmp_path: Path) -> None:
    """micro's LSTM: the interpreter's state persists between runs, a Keras layer's does not."""
    name = "tensorflow+tflite-micro/tensorflow/lite/micro/examples/mnist_lstm/trained_lstm.tflite"
    found = analyse(str(corpus / name))
    assert not list(found.model.graph.by_op("UNIDIRECTIONAL_SEQUENCE_LSTM"))
    found.write_keras(tmp_path)
    assert found.prove(tmp_path).max_rel < 1e-5


def test_damaged_ones(converted: dict[str, Path], tmp_path: Path) -> None:
    data = converted["int8"].read_bytes()
    path = tmp_path / "m"
    for length in range(0, len(data), 256):
        path.write_bytes(data[:length])
        survives(path)
    path.write_bytes(data)
    _is_read_or_refused(path)


@pytest.mark.parametrize("block", [1, 4])
def test_of_a_sparse_constant_only_what_is_not_zero_lies_in_the_file(
    block: int, tmp_path: Path
) -> None:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    layers = [keras.Input((256,)), keras.layers.Dense(128), keras.layers.Dense(4)]
    net = keras.Sequential(layers)
    kernel = net.weights[0].numpy()
    rows = np.random.default_rng(0).random((256 // block, 128)) < 0.1
    net.weights[0].assign(kernel * np.repeat(rows, block, 0))
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    path = tmp_path / "m.tflite"
    path.write_bytes(converter.convert())
    assert path.stat().st_size < kernel.nbytes / 2
    found = analyse(str(path))
    assert [layer.op for layer in found.layers] == ["Dense", "Dense"]
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").max_rel < 1e-5
    _is_read_or_refused(path)


def _is_read_or_refused(path: Path) -> None:
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(100):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(broken)
        survives(path)


def test_the_schema_is_tensorflows() -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    operators = {
        v: k for k, v in vars(schema.BuiltinOperator).items() if type(v) is int
    }
    assert lite_file.OPERATOR_NAMES == [operators[n] for n in range(len(operators))]
    types = {v: k for k, v in vars(schema.TensorType).items() if type(v) is int}
    assert lite_file.TYPES == [types[n].lower() for n in range(len(types))]
    numbers = {v: k for k, v in vars(schema.BuiltinOptions).items() if type(v) is int}
    for number, fields in lite_file.FIELDS.items():
        adders = [n for n in dir(schema) if n.startswith(f"{numbers[number]}Add")]
        plain = {n.removeprefix(f"{numbers[number]}Add").lower() for n in adders}
        assert {field.name.replace("_", "") for field in fields} <= plain, number


def test_a_quantised_normalisation_is_one(tmp_path: Path) -> None:
    """Its epsilon is a scalar of eight bits, its scale has leading axes of size one."""
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.Input((5, 8)), keras.layers.LayerNormalization()]
    net = keras.Sequential([*layers, keras.layers.Dense(3)])
    path = tmp_path / "norm.tflite"
    path.write_bytes(convert(net, "int8"))
    kinds = {layer.op for layer in analyse(str(path)).layers}
    assert {"LayerNormalization", "Dense"} <= kinds


@pytest.mark.slow
@pytest.mark.parametrize("name", SIDES)
def test_a_published_network_comes_back(name: str) -> None:
    net = network(name)
    rows = [row(name, kind, net) for kind in KINDS]
    assert all(" | equal " in line for line in rows), rows
