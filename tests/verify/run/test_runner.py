"""A Keras model as the proof runs it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from graphscope.errors import GraphscopeError
from graphscope.verify.run.keras_runner import KerasRunner


def test_a_sum_without_rows_is_run_as_predict_runs_it() -> None:
    given = keras.Input((4,), name="x")
    kept = given[0:0, :]
    with pytest.raises(Exception, match="Biases must be 1D"):
        layers.Add()([np.zeros((0, 4), "f"), np.zeros((0, 4), "f")])
    model = keras.Model(given, layers.Add()([kept, kept]))
    runner = KerasRunner(model, "made here")
    (found,) = runner.run({"x": np.ones((3, 4), "f")}, ["output 0"])
    assert found.shape == (0, 4)


def test_what_fails_either_way_is_one_line() -> None:
    given = keras.Input((4,), name="x")
    model = keras.Model(given, layers.Reshape((5,))(layers.Dense(5)(given)))
    with pytest.raises(GraphscopeError, match="made here cannot be run"):
        KerasRunner(model, "made here").run({"x": np.ones((3, 6), "f")}, ["output 0"])
