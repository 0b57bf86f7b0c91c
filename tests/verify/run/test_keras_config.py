"""Keras files that would run code, read a file or never end when Keras loads them are refused before it does."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from graphscope.errors import FormatError, UnsafeModel
from graphscope.verify.run.keras_config import check_keras_file, check_weights

DAMAGED = Path(__file__).parent.parent.parent / "read" / "weights" / "damaged"


def archive(path: Path, layer: dict[str, Any]) -> Path:
    config = {"class_name": "Sequential", "config": {"layers": [layer]}}
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(config))
    return path


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "Lambda", "config": {}},
        {"class_name": "function", "module": "builtins", "config": "eval"},
        {"class_name": "Dense", "module": "os", "config": {}},
        {"class_name": "Popen", "module": "subprocess", "config": {}},
        {"class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}},
        {"class_name": "TFOpLambda", "config": {"function": "io.write_file"}},
        {"class_name": "TensorFlowOpLayer", "config": {"node_def": "op: 'WriteFile'"}},
        {"class_name": "get_file", "module": "keras.utils", "config": {}},
        {"class_name": "__lambda__", "config": {"value": "x"}},
        {"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        {"class_name": "Dense", "config": {"kernel": {"class_name": "Mine>Thing"}}},
    ],
)
def test_what_is_none_of_kerass_own(layer: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UnsafeModel, match="--trust"):
        check_keras_file(archive(tmp_path / "m.keras", layer))


def test_what_keras_writes_is_fine(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    from keras import layers

    x = keras.Input((8, 8, 3))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(x))
    y = layers.Bidirectional(layers.LSTM(3))(layers.Reshape((6, 24))(y))
    y = layers.Dense(2, kernel_regularizer="l2", kernel_initializer="he_normal")(y)
    model = keras.Model(x, keras.Sequential([layers.Dropout(0.1)])(y + 1.0))
    model.compile("adam", "mse")
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        check_keras_file(tmp_path / name)


def test_weights_that_libhdf5_never_ends_on() -> None:
    with pytest.raises(FormatError, match="damaged HDF5"):
        check_weights(DAMAGED / "hang.h5")
