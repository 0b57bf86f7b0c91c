"""One ``.keras`` file in place of the weights: Keras loads it, and the folder still runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import NotExpressible
from graphscope.verify import in_one_file, save_single
from graphscope.verify.run.keras_source import run_source

keras = pytest.importorskip("keras")

SOURCE = '''"""A model."""
import keras
from keras import layers, ops

@keras.saving.register_keras_serializable(package="recovered")
class Scale(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
    def call(self, x):
        return x * self.factor
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

def build_model():
    inputs = keras.Input((3,), name="x")
    x = layers.Dense(2, name="fc")(inputs)
    x = Scale(2.0)(x)[:, :1] + ops.array([1.0], "float32")
    return keras.Model(inputs, x)
'''


def written(folder: Path, source: str = SOURCE) -> np.ndarray:
    """A folder with a model whose weights are not those that it is built with; returns what it gives for ones."""
    (folder / "model.py").write_text(source)
    model = run_source(folder, trust=True)
    model.set_weights([np.full((3, 2), 0.5), np.arange(2)])
    model.save_weights(folder / "model.weights.h5")
    return np.array(model(np.ones((1, 3))))


def test_model_goes_into_one_file_that_keras_loads(tmp_path: Path) -> None:
    want = written(tmp_path)
    path = save_single(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.keras", "model.py"]
    for model in (keras.models.load_model(path), run_source(tmp_path)):
        np.testing.assert_allclose(model(np.ones((1, 3))), want)


def test_what_keras_cannot_keep_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    written(tmp_path, SOURCE.replace(', "factor": self.factor', ""))
    with pytest.raises(NotExpressible, match="in one file"):
        save_single(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "model.py",
        "model.weights.h5",
    ]


def refused() -> Path:
    raise NotExpressible("'x' is an op, not a layer")


def test_keras_packs_what_cannot_be_packed_without_it(tmp_path: Path) -> None:
    want = written(tmp_path)
    path, remark = in_one_file(refused, tmp_path, trust=False, runs=False)
    assert path is None and remark == (
        "there is no model.keras: 'x' is an op, not a layer; TensorFlow is not installed"
    )
    path, remark = in_one_file(refused, tmp_path, trust=False, runs=True)
    assert remark == "Keras itself wrote model.keras: 'x' is an op, not a layer"
    np.testing.assert_allclose(keras.models.load_model(path)(np.ones((1, 3))), want)
