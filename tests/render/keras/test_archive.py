"""``model.keras`` without Keras: what Keras loads of it computes what the file does, and the next reading finds the same source."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.analysis.results import Analysis
from graphscope.errors import NotExpressible
from graphscope.read import load
from graphscope.render.keras import pack
from tests.recovery import freeze_model, scaled

keras = pytest.importorskip("keras")
layers = keras.layers
Built = Callable[[], Any]
NETS: dict[str, Built] = {}


def net(build: Built) -> Built:
    NETS[build.__name__] = build
    return build


@net
def shared() -> Any:
    a, b, dense = keras.Input((6,)), keras.Input((6,)), layers.Dense(4, "relu")
    return keras.Model([a, b], layers.Concatenate()([dense(a), dense(b)]))


@net
def nested() -> Any:
    inputs = keras.Input((5,))
    tower = keras.Model(inputs, layers.Dense(3)(layers.Dense(4, "tanh")(inputs)))
    a, b = keras.Input((5,)), keras.Input((5,))
    return keras.Model([a, b], layers.Subtract()([tower(a), tower(b)]))


@net
def a_model_at_the_end() -> Any:
    inputs = keras.Input((3,))
    tower = keras.Model(inputs, layers.Dense(2)(inputs))
    outer = keras.Input((4,))
    return keras.Model(outer, tower(layers.Dense(3)(outer)))


@net
def two_outputs() -> Any:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu", padding="same")(inputs)
    x = layers.BatchNormalization()(x)
    ends = [layers.GlobalAveragePooling2D()(x), layers.MaxPooling2D()(x)]
    return keras.Model(inputs, ends)


@net
def recurrent() -> Any:
    inputs = keras.Input((7,), dtype="int32")
    x = layers.Embedding(20, 6)(inputs)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    x, h, c = layers.LSTM(5, return_state=True, return_sequences=True)(x)
    return keras.Model(inputs, layers.LSTM(5)(x, initial_state=[h, c]))


@net
def attending() -> Any:
    inputs = keras.Input((7, 8))
    x = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    return keras.Model(inputs, layers.LayerNormalization()(layers.Add()([inputs, x])))


@net
def images() -> Any:
    kernel = keras.regularizers.L2(0.5)
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Rescaling(1 / 255.0),
            layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
            layers.SeparableConv2D(4, 3, padding="same"),
            layers.LeakyReLU(),
            layers.UpSampling2D(2),
            layers.Conv2DTranspose(2, 3, strides=2, kernel_regularizer=kernel),
            layers.ZeroPadding2D(1),
            layers.Cropping2D(((1, 0), (0, 2))),
            layers.GroupNormalization(2),
            layers.PReLU(shared_axes=[1, 2]),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(2, "softmax"),
        ]
    )


def filled(build: Built) -> tuple[Any, list[np.ndarray], list[np.ndarray]]:
    """The model with random weights, inputs for it and what it makes of them."""
    keras.backend.clear_session()
    model, rng = build(), np.random.default_rng(0)
    for each in model.weights:
        if "seed" not in each.path:
            each.assign(np.abs(rng.normal(size=each.shape) * 0.3))
    arrays = [
        (rng.uniform(0, 20, (2, *each.shape[1:]))).astype(each.dtype)
        for each in model.inputs
    ]
    return model, arrays, answers(model, arrays)


def answers(model: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    results = model(arrays if len(arrays) > 1 else arrays[0], training=False)
    return [np.array(each) for each in keras.tree.flatten(results)]


def check_packed(
    path: Path, arrays: list[np.ndarray], wanted: list[np.ndarray]
) -> None:
    keras.backend.clear_session()
    results = answers(keras.models.load_model(path), arrays)
    assert len(results) == len(wanted)
    assert max(map(scaled, wanted, results)) < 1e-5


def source_of(text: str) -> str:
    """What stands behind the docstring."""
    return text.split('"""', 2)[2]


@pytest.mark.parametrize("name", NETS)
def test_keras_loads_what_was_packed(name: str, tmp_path: Path) -> None:
    model, arrays, wanted = filled(NETS[name])
    model.save(tmp_path / "net.keras")
    source = Analysis(load(str(tmp_path / "net.keras"))).write_keras(tmp_path).source
    path = pack(source, tmp_path)
    assert not (tmp_path / "model.weights.h5").exists()
    check_packed(path, arrays, wanted)
    again = Analysis(load(str(path))).write_keras(tmp_path / "again").source
    assert source_of(again.text) == source_of(source.text)


@pytest.mark.parametrize("name", ["shared", "two_outputs"])
def test_a_frozen_graph_is_packed(name: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    model, arrays, wanted = filled(NETS[name])
    _, outputs = freeze_model(model, tmp_path / "net.pb")
    analysis = Analysis(load(str(tmp_path / "net.pb")), outputs=map(str, outputs))
    check_packed(pack(analysis.write_keras(tmp_path).source, tmp_path), arrays, wanted)


def test_what_is_no_layer_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    inputs = keras.Input((3,))
    outputs = keras.ops.cumsum(layers.Dense(2)(inputs), axis=1)
    keras.Model(inputs, outputs).save(tmp_path / "net.keras")
    source = Analysis(load(str(tmp_path / "net.keras"))).write_keras(tmp_path).source
    with pytest.raises(NotExpressible, match="is an op, not a layer"):
        pack(source, tmp_path)
    names = {each.name for each in tmp_path.iterdir()}
    assert names == {"net.keras", "model.py", "model.weights.h5"}


def test_the_command_imports_neither_keras_nor_tensorflow(tmp_path: Path) -> None:
    filled(shared)[0].save(tmp_path / "net.keras")
    words = ["keras", str(tmp_path / "net.keras"), "-o", str(tmp_path / "out")]
    words += ["--single-file", "--no-verify"]
    script = f"""
import sys
from graphscope.cli import cli
try:
    cli({words})
except SystemExit as end:
    assert not end.code, end.code
assert not {{"keras", "tensorflow"}} & sys.modules.keys()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert not done.returncode, done.stderr
    names = {each.name for each in (tmp_path / "out").iterdir()}
    assert names == {"model.py", "model.keras"}
