"""TensorFlow Lite flatbuffers against TensorFlow's own interpreter and schema."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphscope.graph import Tensor
from graphscope.read import load
from graphscope.read.formats import tflite


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> dict[str, Path]:
    """A small network, in floats and quantised."""
    import tensorflow as tf

    net = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 3)),
            tf.keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            tf.keras.layers.MaxPooling2D(),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(10),
        ]
    )
    folder, made = tmp_path_factory.mktemp("tflite"), {}
    for name in ("float", "quantised"):
        converter = tf.lite.TFLiteConverter.from_keras_model(net)
        if name == "quantised":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        made[name] = folder / name
        made[name].write_bytes(converter.convert())
    return made


@pytest.mark.parametrize("kind", ["float", "quantised"])
def test_against_the_interpreter(kind: str, converted: dict[str, Path]) -> None:
    import tensorflow as tf

    path = converted[kind]
    interpreter = tf.lite.Interpreter(str(path), experimental_preserve_all_tensors=True)
    model = load(path)
    graph = model.graph
    theirs = [op["op_name"] for op in interpreter._get_ops_details()]
    ours = [graph.op(n) for n in graph if graph.op(n) not in ("Const", "Placeholder")]
    assert ours == [op for op in theirs if op != "DELEGATE"]
    held = {t["index"]: t for t in interpreter.get_tensor_details()}
    checked = 0
    for number, tensor in held.items():
        node = tensor["name"]
        if node in graph and graph.op(node) == "Const":
            assert np.array_equal(model.value(node), interpreter.tensor(number)())
            checked += 1
    assert checked >= 4
    (signature,) = model.signatures.values()
    assert len(signature.inputs) == len(interpreter.get_input_details())
    (x,) = signature.inputs.values()
    assert signature.specs[x].shape == (None, 8, 8, 3)


def test_options_and_ports(converted: dict[str, Path]) -> None:
    model = load(converted["float"])
    (conv,) = model.graph.by_op("CONV_2D")
    attrs = model.graph.attrs(conv)
    assert attrs["padding"] == "SAME" and attrs["stride_w"] == 1
    assert attrs["fused_activation_function"] == "RELU"
    assert len(model.graph.inputs(conv)) == 3
    assert model.graph.node(conv).outputs[0].shape == (None, 8, 8, 16)


def test_large_constants_stay_in_the_file(converted: dict[str, Path]) -> None:
    model = load(converted["float"])
    (dense,) = model.graph.by_op("FULLY_CONNECTED")
    kernel = model.graph.inputs(dense)[1].node
    extent = model.graph.attrs(kernel).extent("value")
    raw = Path(extent.path).read_bytes()[extent.offset :][: extent.length]
    assert raw == model.value(kernel).tobytes()


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
    (tmp_path / "m").write_bytes(converter.convert())
    model = load(tmp_path / "m")
    assert len(model.functions) == 2
    (loop,) = model.graph.by_op("WHILE")
    assert {"cond_subgraph_index", "body_subgraph_index"} <= set(
        model.graph.attrs(loop)
    )
    (split,) = model.graph.by_op("SPLIT", "SPLIT_V")
    ports = {
        t.port for n in model.graph for t in model.graph.inputs(n) if t.node == split
    }
    assert ports == {0, 1}
    for function in model.functions.values():
        assert all(isinstance(t, Tensor) for t in function.returns)


def test_damaged_ones(converted: dict[str, Path], tmp_path: Path) -> None:
    from tests.read.test_hostile import survives

    data = converted["float"].read_bytes()
    path = tmp_path / "m"
    for length in range(0, len(data), 64):
        path.write_bytes(data[:length])
        survives(path)
    rng = np.random.default_rng(0)
    for _ in range(150):
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
    assert tflite._OPERATORS == [operators[n] for n in range(len(operators))]
    types = {v: k for k, v in vars(schema.TensorType).items() if type(v) is int}
    assert tflite._TYPES == [types[n].lower() for n in range(len(types))]
    numbers = {v: k for k, v in vars(schema.BuiltinOptions).items() if type(v) is int}
    for number, fields in tflite._FIELDS.items():
        adders = [n for n in dir(schema) if n.startswith(f"{numbers[number]}Add")]
        plain = {n.removeprefix(f"{numbers[number]}Add").lower() for n in adders}
        assert {name.replace("_", "") for name, _, _ in fields} <= plain, number
