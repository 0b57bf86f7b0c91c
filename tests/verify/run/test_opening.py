"""What is opened runs as TensorFlow would run it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

import keras
from graphscope.verify.run.opening import open_runner
from keras import layers


def test_variables_that_tensorflow_1_does_not_restore_have_their_values(
    tmp_path: Path,
) -> None:
    """A compiled Keras 3 model in a SavedModel: TensorFlow 1 restores the optimizer's copies of its weights alone."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("f")
    model.fit(x, x[:, :1], verbose=0)
    tf.saved_model.save(model, str(tmp_path / "saved"))
    runner = open_runner(str(tmp_path / "saved"))
    (port,) = runner.needed(runner.outputs())
    (answer,) = runner.run({port.name: x}, runner.outputs())
    np.testing.assert_allclose(answer, model(x), rtol=1e-5)
