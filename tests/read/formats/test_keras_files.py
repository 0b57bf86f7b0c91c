"""Keras files against Keras: layers, config, wiring and every weight; nothing in them is run."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import FormatError, UnknownFormat
from graphscope.graph import Layer, Tensor
from graphscope.read import load


@pytest.fixture(scope="module")
def net():
    """A functional model with a nested one, a shared layer, a Lambda and an LSTM."""
    import keras
    from keras import layers

    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(4, 3, name="c1")(image)
    x = layers.BatchNormalization(name="bn", scale=False)(x)
    inner = keras.Sequential(
        [
            keras.Input((14, 14, 4)),
            layers.Conv2D(2, 3, name="ci"),
            layers.GlobalAveragePooling2D(name="pool"),
        ],
        name="inner",
    )
    a = inner(x)
    shared = layers.Dense(2, name="shared", use_bias=False)
    y = layers.Add(name="add")([a, shared(shared(a))])
    y = layers.Lambda(lambda t: t * 2, name="double", output_shape=(2,))(y)
    z = layers.LSTM(3, name="lstm")(layers.Reshape((1, 2), name="rows")(y))
    model = keras.Model(image, [y, z])
    model.compile("adam", "mse")
    for weight in model.weights:  # all different
        weight.assign(np.random.default_rng(weight.shape.rank).random(weight.shape))
    return model


def values(model) -> list[np.ndarray]:
    return sorted((w.numpy() for w in model.weights), key=lambda a: (a.shape, a.sum()))


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "odd.bin"])
def test_layers_wiring_and_weights(name: str, net, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "odd.bin":
        net.save(tmp_path / "m.keras")
        (tmp_path / "m.keras").rename(path)
    else:
        net.save(path)
    model = load(path)
    assert model.layered and not model.inferred
    assert model.producer.startswith("Keras 3.")
    graph = model.graph
    ops = {name: graph.op(name) for name in graph}
    assert ops["c1"] == "Conv2D" and ops["lstm"] == "LSTM"
    assert graph.attrs("c1")["kernel_size"] == (3, 3)
    assert graph.inputs("inner/ci") == (Tensor("bn"),)
    assert graph.inputs("add") == (Tensor("inner/pool"), Tensor("shared_call1"))
    assert graph.inputs("shared_call1") == (Tensor("shared"),)
    assert set(model.signatures["call"].inputs) == {"image"}
    assert set(model.signatures["call"].outputs) == {"double", "lstm"}
    assert any("Lambda" in remark for remark in model.remarks)
    layer = graph.node("bn")
    assert isinstance(layer, Layer)
    assert set(layer.weights) == {"beta", "moving_mean", "moving_variance"}
    for keras_layer in (*net.layers, *net.get_layer("inner").layers):
        inner = "inner/" if keras_layer in net.get_layer("inner").layers else ""
        payload = graph._node.get(inner + keras_layer.name, {}).get("node")
        if payload is None or keras_layer.name == "inner":
            continue
        for weight in keras_layer.weights:
            found = payload.weights[weight.name].array(model)
            assert np.array_equal(found, weight.numpy()), (
                keras_layer.name,
                weight.name,
            )


def test_weights_alone(net, tmp_path: Path) -> None:
    net.save_weights(tmp_path / "m.weights.h5")
    model = load(tmp_path / "m.weights.h5")
    assert model.inferred and model.layered
    assert {model.graph.op(n) for n in model.graph} >= {"Conv2D", "LSTM", "Dense"}
    held = [model.weights[v.name] for v in model.variables if "optimizer" not in v.name]
    held = sorted(held, key=lambda a: (a.shape, a.sum()))
    expected = values(net)
    assert len(held) == len(expected)
    assert all(map(np.array_equal, held, expected))


def test_legacy_keras_2(tmp_path: Path) -> None:
    import tf_keras

    model = tf_keras.Sequential(
        [
            tf_keras.layers.Conv2D(4, 3, input_shape=(8, 8, 1), name="first"),
            tf_keras.Sequential([tf_keras.layers.Flatten(name="f")], name="nest"),
            tf_keras.layers.Dense(2, name="last"),
        ]
    )
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "w.h5")
    found = load(tmp_path / "m.h5")
    assert found.graph.inputs("last") == (Tensor("nest/f"),)
    (start,) = found.signatures["call"].inputs
    assert found.graph.inputs("first") == (Tensor(start),)
    kernel = found.graph.node("last").weights["kernel"].array(found)
    assert np.array_equal(kernel, model.get_layer("last").kernel.numpy())
    alone = load(tmp_path / "w.h5")
    assert alone.inferred and alone.graph.op("first") == "Conv2D"
    assert np.array_equal(alone.value("last/kernel"), kernel)


def test_extents_are_the_raw_bytes(net, tmp_path: Path) -> None:
    for name in ("m.keras", "m.h5"):
        net.save(tmp_path / name)
        model = load(tmp_path / name)
        key = model.graph.node("c1").weights["kernel"].node
        (extent,) = model.weights.extents(key)
        raw = Path(extent.path).read_bytes()[extent.offset :][: extent.length]
        assert raw == net.get_layer("c1").kernel.numpy().tobytes()


def archive(path: Path, config: object, weights: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(config))
        file.writestr("model.weights.h5", weights)
    return path


@pytest.fixture
def empty_h5(tmp_path: Path) -> bytes:
    import h5py

    with h5py.File(tmp_path / "e.h5", "w") as file:
        file.create_group("layers")
    return (tmp_path / "e.h5").read_bytes()


@pytest.mark.parametrize(
    "config, match",
    [
        ([], "names no class"),
        ({"class_name": "Mine", "config": {}}, "subclassed"),
        ({"class_name": "Sequential", "config": {"layers": [3]}}, "is none"),
        (
            {
                "class_name": "Functional",
                "config": {
                    "input_layers": [],
                    "output_layers": [["gone", 0, 0]],
                    "layers": [],
                },
            },
            "'gone' that it does not have",
        ),
    ],
)
def test_odd_configs(config, match: str, tmp_path: Path, empty_h5: bytes) -> None:
    with pytest.raises(FormatError, match=match):
        load(archive(tmp_path / "m.keras", config, empty_h5))


def test_damaged_ones(net, tmp_path: Path) -> None:
    from graphscope.errors import GraphscopeError
    from tests.read.test_hostile import survives

    for name in ("m.keras", "m.h5"):
        net.save(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        for length in range(0, len(data), len(data) // 40):
            (tmp_path / name).write_bytes(data[:length])
            survives(tmp_path / name)
        for place in range(0, len(data), len(data) // 60):
            broken = bytearray(data)
            broken[place] ^= 0xFF
            (tmp_path / name).write_bytes(broken)
            survives(tmp_path / name)
    assert GraphscopeError


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["w"] = np.ones(3)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["layer_names"] = ["d"]
        group = file.create_group("d")
        group.attrs["weight_names"] = ["w"]
        group["w"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "w")
    with pytest.raises(FormatError, match="link"):
        load(tmp_path / "m.h5")
    with h5py.File(tmp_path / "n.h5", "w") as file:
        file.attrs["layer_names"] = ["d"]
        group = file.create_group("d")
        group.attrs["weight_names"] = ["w"]
        group.create_dataset("w", (3,), "f8", external=[(str(tmp_path / "x"), 0, 24)])
    with pytest.raises(FormatError, match="other files"):
        load(tmp_path / "n.h5")


def test_another_zip_is_no_keras_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(UnknownFormat, match="zip archive that is no Keras"):
        load(tmp_path / "m.keras")
