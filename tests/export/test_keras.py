"""Files that hold layers and no ops, and Keras as a target."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.errors import GraphscopeError, WouldOverwrite

from .models import freeze_to, values

v1 = tf.compat.v1


def net():
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3), name="images")
    y = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(x)
    y = keras.layers.BatchNormalization(name="norm")(y)
    y = keras.layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(x, keras.layers.Dense(4, name="dense")(y), name="net")


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_a_keras_file_becomes_a_saved_model(tmp_path, name):
    model = net()
    model.save(tmp_path / name)
    report = analyse(tmp_path / name).export(tmp_path / "m", "savedmodel")
    assert report.verified.passed and report.inputs == ("images",)
    given = values(3, 8, 8, 3)
    loaded = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    (found,) = loaded(images=tf.constant(given)).values()
    np.testing.assert_allclose(found, model(given), rtol=1e-4, atol=1e-5)
    with pytest.raises(WouldOverwrite, match="the model itself"):
        analyse(tmp_path / name).export(tmp_path / name, "savedmodel", force=True)


def test_keras_is_a_target_too(tmp_path):
    kernel = values(6, 4)

    def build():
        x = v1.placeholder(tf.float32, [None, 6], name="x")
        tf.nn.softmax(tf.matmul(x, kernel, name="logits"), name="y")

    path = freeze_to(tmp_path / "net.pb", build)
    report = analyse(path).export(tmp_path / "source", "keras")
    assert report.verified.passed and report.verified.runtime == "Keras"
    names = {p.name for p in (tmp_path / "source").iterdir()}
    assert {"model.py", "model.weights.h5"} <= names
    with pytest.raises(WouldOverwrite, match="--force"):
        analyse(path).export(tmp_path / "source", "keras")
    with pytest.raises(GraphscopeError, match="--quantize is not for --to keras"):
        analyse(path).export(tmp_path / "k", "keras", quantize="int8")


def test_a_file_of_keras_2_is_saved_without_a_word(
    corpus: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its export takes no format, and tells of every capture."""
    from graphscope.export.keras import saved_by_keras

    path = next(corpus.rglob("simple_mlp.h5"))
    with saved_by_keras(str(path), lambda folder: None) as folder:
        assert (Path(folder) / "saved_model.pb").is_file()
    assert "Endpoint" not in "".join(capfd.readouterr())
