"""TensorFlow.js models, written here as the converter writes them (tensorflowjs/write_weights.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.errors import FormatError, MissingWeight
from graphscope.graph import Tensor
from graphscope.read import load


def write(folder: Path, topology: dict, weights: dict, size: int = 100, **more) -> Path:
    """``model.json`` and its shards of ``size`` bytes, weights running across them."""
    described, data = [], b""
    for name, value in weights.items():
        how = {}
        if isinstance(value, tuple):
            value, how = value
        if value.dtype == object:
            raw = b"".join(len(s).to_bytes(4, "little") + s for s in value.ravel())
            dtype = "string"
        else:
            raw, dtype = value.tobytes(), how.pop("as", str(value.dtype))
        entry = {"name": name, "shape": list(value.shape), "dtype": dtype}
        if how:
            entry["quantization"] = how
        described.append(entry)
        data += raw
    shards = [data[n : n + size] for n in range(0, max(len(data), 1), size)]
    names = [f"group1-shard{n + 1}of{len(shards)}.bin" for n in range(len(shards))]
    for name, shard in zip(names, shards):
        (folder / name).write_bytes(shard)
    document = {
        "format": "graph-model",
        "convertedBy": "TensorFlow.js Converter v4.0.0",
        "modelTopology": topology,
        "weightsManifest": [{"paths": names, "weights": described}],
        **more,
    }
    path = folder / "model.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def graph_model(tmp_path: Path):
    """A frozen graph as TensorFlow.js holds it: constants without values; gives their values too."""
    import tensorflow as tf
    from google.protobuf import json_format

    rng = np.random.default_rng(0)
    values = {
        "k": rng.standard_normal((3, 3, 2, 4)).astype(np.float32),
        "b": rng.standard_normal(4).astype(np.float32),
        "words": np.array([b"a", b"bcd"], object),
        "axes": np.array([1, 2], np.int32),
    }
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 8, 8, 2], name="x")
        y = tf.nn.conv2d(x, tf.constant(values["k"], name="k"), 1, "SAME", name="c")
        y = tf.nn.bias_add(y, tf.constant(values["b"], name="b"), name="ba")
        tf.reduce_mean(y, tf.constant(values["axes"], name="axes"), name="y")
        tf.constant(values["words"].tolist(), name="words")
    definition = graph.as_graph_def()
    for node in definition.node:
        if node.op == "Const":
            tensor = node.attr["value"].tensor
            tensor.ClearField("tensor_content")
            tensor.ClearField("string_val")
            tensor.ClearField("int_val")
            tensor.ClearField("float_val")
    return json_format.MessageToDict(definition), values


def test_graph_model(graph_model, tmp_path: Path) -> None:
    topology, values = graph_model
    signature = {
        "inputs": {"x": {"name": "x:0", "dtype": "DT_FLOAT",
                         "tensorShape": {"dim": [{"size": "-1"}, {"size": "8"}, {"size": "8"}, {"size": "2"}]}}},
        "outputs": {"y": {"name": "y:0", "dtype": "DT_FLOAT"}},
    }  # fmt: skip
    model = load(write(tmp_path, topology, values, signature=signature))
    assert model.format == "TensorFlow.js graph model"
    assert model.producer == "TensorFlow.js Converter v4.0.0"
    assert [model.graph.op(n) for n in model.graph] == [
        "Placeholder", "Const", "Conv2D", "Const", "BiasAdd", "Const", "Mean", "Const",
    ]  # fmt: skip
    for name, value in values.items():
        found = model.value(name)
        assert found.tolist() == value.tolist(), name
    assert model.graph.attrs("c")["strides"] == (1, 1, 1, 1)
    told = model.signatures["serving_default"]
    assert told.outputs == {"y": Tensor("y")}
    assert told.specs[Tensor("x")].shape == (None, 8, 8, 2)


def test_quantised_weights(graph_model, tmp_path: Path) -> None:
    topology, values = graph_model
    codes = np.arange(72, dtype=np.uint8).reshape(3, 3, 2, 4)
    how = {"as": "float32", "dtype": "uint8", "scale": 0.5, "min": -2.0}
    half = values["b"].astype(np.float16)
    values |= {"k": (codes, how), "b": (half, {"as": "float32", "dtype": "float16"})}
    model = load(write(tmp_path, topology, values))
    assert np.allclose(model.value("k"), codes * 0.5 - 2)
    assert model.value("k").dtype == np.float32
    assert np.array_equal(model.value("b"), half.astype(np.float32))


def test_what_only_tensorflow_js_says(tmp_path: Path) -> None:
    """Its fused ops without types, its Prelu, an int64 kept as int32: frozen, TensorFlow computes what they mean."""
    import base64

    import tensorflow as tf

    from graphscope import analyse

    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 4, 4, 3)).astype(np.float32)
    kernel = rng.standard_normal((2, 2, 3, 1)).astype(np.float32)
    bias, alpha = (rng.standard_normal(3).astype(np.float32) for _ in "ba")
    weights = {"k": kernel, "b": bias, "a": alpha, "axis": np.array([1], np.int32)}
    kinds = {"k": "DT_FLOAT", "b": "DT_FLOAT", "a": "DT_FLOAT", "axis": "DT_INT64"}
    words = [base64.b64encode(word).decode() for word in (b"BiasAdd", b"Prelu")]
    float_type = {"type": "DT_FLOAT"}
    nodes = [
        {"name": "x", "op": "Placeholder", "attr": {"dtype": float_type}},
        *(
            {"name": name, "op": "Const", "attr": {"dtype": {"type": kind}}}
            for name, kind in kinds.items()
        ),
        {
            "name": "conv",
            "op": "FusedDepthwiseConv2dNative",
            "input": ["x", "k", "b", "a"],
            "attr": {
                "T": float_type,
                "strides": {"list": {"i": ["1", "1", "1", "1"]}},
                "padding": {"s": base64.b64encode(b"SAME").decode()},
                "num_args": {"i": "2"},
                "fused_ops": {"list": {"s": words}},
            },
        },
        {"name": "again", "op": "Prelu", "input": ["conv", "a"]},
        {
            "name": "y",
            "op": "Sum",
            "input": ["again", "axis"],
            "attr": {"T": float_type, "Tidx": {"type": "DT_INT64"}},
        },
    ]
    path = write(tmp_path, {"node": nodes}, weights)
    assert load(str(path)).value("axis").dtype == np.int64
    analyse(path, outputs=["y"]).freeze(tmp_path / "f.pb")
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        data = (tmp_path / "f.pb").read_bytes()
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(data), name="")
        found = session.run("y:0", {graph.get_tensor_by_name("x:0"): x})
    h = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME") + bias
    for _ in range(2):
        h = tf.where(h > 0, h, alpha * h)
    np.testing.assert_allclose(found, tf.reduce_sum(h, 1), rtol=1e-5, atol=1e-5)


def test_layers_model(tmp_path: Path) -> None:
    import tf_keras

    net = tf_keras.Sequential(
        [
            tf_keras.layers.Dense(4, input_shape=(3,), name="first"),
            tf_keras.layers.Dense(2, name="second"),
        ]
    )
    weights = {
        w.name.removesuffix(":0"): w.numpy()
        for layer in net.layers
        for w in layer.weights
    }
    topology = {"keras_version": "2", "model_config": json.loads(net.to_json())}
    model = load(write(tmp_path, topology, weights, format="layers-model"))
    assert model.layered and model.format == "TensorFlow.js layers model"
    for layer in net.layers:
        use = model.graph.node(layer.name).weights["kernel"]
        assert np.array_equal(use.array(model), layer.kernel.numpy())


def test_a_missing_and_a_short_shard(graph_model, tmp_path: Path) -> None:
    path = write(tmp_path, *graph_model)
    shard = tmp_path / "group1-shard2of4.bin"
    data = shard.read_bytes()
    shard.write_bytes(data[:-1])
    (trouble,) = load(path).weights.missing_files
    assert "truncated" in trouble
    shard.unlink()
    model = load(path)
    (trouble,) = model.weights.missing_files
    assert "shard2of4.bin" in trouble and "missing" in trouble
    assert list(model.weights.shortages) == list(model.weights)  # strings among them


def test_one_missing_shard_leaves_what_the_others_hold(tmp_path: Path) -> None:
    weights = {name: np.full(5, n, np.float32) for n, name in enumerate("abcd")}
    nodes = [
        {"name": name, "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}}
        for name in weights
    ]
    path = write(tmp_path, {"node": nodes}, weights, size=20)
    (tmp_path / "group1-shard2of4.bin").unlink()
    model = load(path)
    assert list(model.weights.shortages) == ["b"]
    assert model.graph.op("b") == "VariableV2" and model.graph.attrs("b")["shape"] == (
        5,
    )
    with pytest.raises(MissingWeight, match="shard2of4.bin"):
        model.value("b")
    for name in "acd":
        assert np.array_equal(model.value(name), weights[name])


@pytest.mark.parametrize("name", ["../secret.bin", "/etc/passwd", "a/../../b", "c:\\x"])
def test_shards_outside_of_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"node": []}, {"w": np.zeros(3, np.float32)})
    document = json.loads(path.read_text())
    document["weightsManifest"][0]["paths"] = [name]
    path.write_text(json.dumps(document))
    with pytest.raises(FormatError, match="outside"):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"modelTopology": {"node": 3}},
        {"modelTopology": []},
        {"weightsManifest": [3]},
        {"weightsManifest": [{"weights": [{}]}]},
        {"weightsManifest": [{"weights": [{"name": "a", "shape": [-1], "dtype": "int32"}]}]},
        {"weightsManifest": [{"weights": [{"name": "a", "shape": [1 << 62, 8], "dtype": "x"}]}]},
    ],
)  # fmt: skip
def test_odd_documents(change: dict, tmp_path: Path) -> None:
    from graphscope.errors import GraphscopeError

    path = write(tmp_path, {"node": [{"name": "a", "op": "Const"}]}, {})
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(GraphscopeError):
        load(path)


@pytest.mark.parametrize("text", ["0", "[]", "null", '"x"'])
def test_json_that_is_no_object(text: str) -> None:
    """Found by tests/fuzz: the reader alone, without what tells the formats apart."""
    from graphscope.read.formats import tensorflow_js
    from graphscope.read.options import Options
    from graphscope.wire.source import Source

    with pytest.raises(FormatError, match="holds no model"):
        tensorflow_js.read(Source("x", text.encode()), Options())


@pytest.mark.parametrize("quantize", ["", "uint8", "uint16", "float16"])
def test_a_graph_model_comes_back_to_keras(quantize: str, tmp_path: Path) -> None:
    """Fused ops and quantised weights, as the exporter writes them: proven with TensorFlow."""
    import keras
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    from graphscope.analysis import analyse

    layers = keras.layers
    keras.utils.set_random_seed(1)
    net = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.DepthwiseConv2D(3, activation="relu6"),
            layers.PReLU(alpha_initializer="uniform", shared_axes=(1, 2)),
            layers.Flatten(),
            layers.Dense(10, activation="tanh"),
        ]
    )
    called = tf.function(net).get_concrete_function(tf.TensorSpec((None, 8, 8, 3)))
    frozen = convert_to_constants.convert_variables_to_constants_v2(called)
    data = frozen.graph.as_graph_def().SerializeToString()
    (tmp_path / "net.pb").write_bytes(data)
    wishes = {"quantize": quantize} if quantize else {}
    source = analyse(str(tmp_path / "net.pb"))
    source.export(str(tmp_path / "web"), "tfjs", verify=False, **wishes)
    found = analyse(str(tmp_path / "web" / "model.json"))
    kinds = {layer.op for layer in found.layers}
    assert {"Conv2D", "DepthwiseConv2D", "PReLU", "Dense"} <= kinds
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed


def test_the_initializer_fills_the_tables(tmp_path: Path) -> None:
    from graphscope.analysis import analyse

    table = {
        "name": "table",
        "op": "HashTableV2",
        "attr": {
            "key_dtype": {"type": "DT_STRING"},
            "value_dtype": {"type": "DT_INT32"},
            "shared_name": {"s": ""},
        },
    }
    tkeys = {"Tin": {"type": "DT_STRING"}, "Tout": {"type": "DT_INT32"}}

    def const(name: str, dtype: str) -> dict[str, Any]:
        return {"name": name, "op": "Const", "attr": {"dtype": {"type": dtype}}}

    nodes = [
        {"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_STRING"}}},
        table,
        const("default", "DT_INT32"),
        {"name": "y", "op": "LookupTableFindV2", "input": ["table", "x", "default"], "attr": tkeys},
    ]  # fmt: skip
    fills = [
        table,
        const("keys", "DT_STRING"),
        const("values", "DT_INT32"),
        {"name": "fill", "op": "LookupTableImportV2", "input": ["table", "keys", "values"], "attr": tkeys},
    ]  # fmt: skip
    weights = {
        "default": np.array(-1, np.int32),
        "keys": np.array([b"a", b"b"], object),
        "values": np.array([3, 5], np.int32),
    }
    path = write(tmp_path, {"node": nodes}, weights, modelInitializer={"node": fills})
    found = analyse(str(path))
    assert [str(t) for t in found.outputs] == ["y:0"]
    found.freeze(tmp_path / "f.pb")
    frozen = load(tmp_path / "f.pb")
    assert list(frozen.graph.by_op("LookupTableImportV2", "InitializeTableV2"))
