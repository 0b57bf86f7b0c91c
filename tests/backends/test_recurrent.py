"""Recovered recurrent layers, and the cells that are printed for the others, compute and learn the same on other backends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ..infer.recurrence.test_rnn import MODELS  # noqa: E402
from ..render.keras.loop_models import (  # noqa: E402
    Made,
    frozen_v2,
    recovered,
    recovered_v1,
)
from .record import drawn  # noqa: E402
from .test_backends import BACKENDS  # noqa: E402
from .test_training import check_used  # noqa: E402


def lstm(layers: Any) -> Any:
    return layers.LSTM(4, return_sequences=True)


def gru(layers: Any) -> Any:
    return layers.GRU(4)


def both(layers: Any) -> Any:
    return layers.Bidirectional(layers.LSTM(3, return_sequences=True))


def pictures(layers: Any) -> Any:
    return layers.ConvLSTM2D(3, 3, padding="same")


NETS: dict[str, Callable[[Any], Any]] = {
    "lstm": lstm,
    "gru": gru,
    "both": both,
    "pictures": pictures,
}


def author_s(name: str) -> Any:
    """A net of its author's: one recurrent layer and a head."""
    import keras

    keras.utils.set_random_seed(7)
    inputs = keras.Input((6, 5, 5, 2) if name == "pictures" else (6, 3))
    x = NETS[name](keras.layers)(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(x))


def net(name: str, folder: Path) -> tuple[Any, Made]:
    """The author's net and what is recovered of its frozen graph."""
    import tensorflow as tf

    model = author_s(name)
    spec = tf.TensorSpec((None, *model.inputs[0].shape[1:]))
    folder.mkdir()
    frozen_v2(lambda x: model(x, training=False), [spec], folder / "model.pb")
    made = recovered(folder / "model.pb", folder / "keras")
    assert "tensorflow" not in made.source
    return model, made


def filled(made: Made) -> Path:
    """The recovered folder with inputs, and what TensorFlow makes of them."""
    model, folder = made.model(), made.folder
    fed = [drawn(each, seed) for seed, each in enumerate(model.inputs)]
    answer = model(fed if len(fed) > 1 else fed[0], training=False)
    np.savez(folder / "given.npz", *fed)
    np.savez(folder / "want.npz", np.array(answer))
    return folder


def run(script: str, backend: str, folders: list[Path]) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name(script)),
            *map(str, folders),
        ],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize("name", NETS)
def test_gradients_are_the_original_s(name: str, tmp_path: Path) -> None:
    """One step: what the recovered weights and the input are told is what the author's are told."""
    import tensorflow as tf

    original, made = net(name, tmp_path / name)
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(size=(4, *original.inputs[0].shape[1:])), tf.float32)
    gradients = []
    for model in (original, made.model()):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(model(x, training=False) ** 2)
        gradients.append(tape.gradient(loss, [x, *model.trainable_variables]))
    assert len(gradients[0]) == len(gradients[1])
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", *BACKENDS])
def test_the_loss_falls(backend: str, tmp_path: Path) -> None:
    folders = [filled(net(name, tmp_path / name)[1]) for name in NETS]
    run("train_folders.py", backend, folders)
    for each in folders:
        check_used(each.parent.name, json.loads((each / "used.json").read_text()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_printed_cells_compute_the_same(backend: str, tmp_path: Path) -> None:
    folders = []
    for number, build in enumerate(MODELS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        folders.append(filled(recovered_v1(build, folder)))
    run("run.py", backend, folders)
    for each in folders:
        with np.load(each / "got.npz") as got, np.load(each / "want.npz") as want:
            np.testing.assert_allclose(got["arr_0"], want["arr_0"], atol=1e-5)
