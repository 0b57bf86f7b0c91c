"""Whose a variable is, as the object graph of a checkpoint or a SavedModel tells; Keras wrote every file here."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from graphscope.analysis import analyse
from graphscope.analysis.documents import describe_model
from graphscope.read import load


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled Keras 3 model: ``saved`` (SavedModel), ``checkpoint``, ``apart`` (model and optimizer)."""
    import keras
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("objects")
    layers = [keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)]
    model = keras.Sequential([*layers, keras.layers.BatchNormalization()])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0)
    tf.saved_model.save(model, str(folder / "saved"))
    tf.train.Checkpoint(model).write(str(folder / "checkpoint"))
    apart = tf.train.Checkpoint(net=model, trainer=model.optimizer)
    apart.write(str(folder / "apart"))
    return folder


ROLES = {"weight": 4, "batch statistics": 2, "step counter": 1}
PARAMETERS = 4 * 3 + 3 + 4 * 3


@pytest.mark.parametrize("name", ["saved", "checkpoint", "apart"])
def test_a_models_path_beats_an_optimizers(name: str, written: Path) -> None:
    document = describe_model(analyse(str(written / name)))
    assert document["parameters"] == PARAMETERS
    assert ROLES.items() <= document["variables"].items()
    assert document["layers"] == {"Dense": 1, "BatchNormalization": 1}


def test_slots_know_their_weights(written: Path) -> None:
    slots = [v for v in load(written / "apart").variables if v.role == "optimizer slot"]
    owners = Counter(v.of for v in slots if v.of)
    assert len(owners) == 4 and set(owners.values()) == {2}
    assert {v.optimizer for v in slots} == {"trainer"}


@pytest.mark.parametrize(
    "lost", ["variables", "variables/variables.data-00000-of-00001"]
)
def test_a_savedmodel_without_its_values(
    lost: str, written: Path, tmp_path: Path
) -> None:
    place = tmp_path / "model"
    shutil.copytree(written / "saved", place)
    if (place / lost).is_dir():
        shutil.rmtree(place / lost)
    else:
        (place / lost).unlink()
    document = describe_model(analyse(str(place)))
    assert document["parameters"] == PARAMETERS
    assert ROLES.items() <= document["variables"].items()
    assert document["layers"] == {"Dense": 1, "BatchNormalization": 1}
    whole = {v.path: v for v in load(written / "saved").variables if v.path}
    for variable in load(place).variables:
        if variable.path and variable.role == "weight":
            assert variable.shape == whole[variable.path].shape
            assert variable.trainable == whole[variable.path].trainable


def test_keys_alone(written: Path, tmp_path: Path) -> None:
    """Neither shard nor object graph: the keys are paths."""
    shutil.copy(written / "apart.index", tmp_path / "apart.index")
    found = load(tmp_path / "apart")
    statistics = [v for v in found.variables if v.role == "batch statistics"]
    assert [v.path.rpartition("/")[2] for v in statistics] == [
        "moving_mean",
        "moving_variance",
    ]
    assert "trainer/_iterations" in {
        v.path for v in found.variables if v.role == "step counter"
    }
