"""TensorFlow 2's loops (functions of the library) and what is around them -> one layer each; TensorFlow is the oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.render.keras.loop_models import load, recovered, recovered_v2


def keras_model(kind: str) -> Any:
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    inputs = keras.Input((5, 4), name="x")
    recurrent = {
        "LSTM": lambda: layers.LSTM(3, return_sequences=True),
        "LSTM last": lambda: layers.LSTM(3),
        "GRU": lambda: layers.GRU(3, return_sequences=True),
        "GRU v1": lambda: layers.GRU(3, reset_after=False, go_backwards=True),
        "SimpleRNN": lambda: layers.SimpleRNN(3),
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(3)),
        "Masking": lambda: keras.Sequential([layers.Masking(), layers.LSTM(3)]),
        "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(3)),
        "ConvLSTM1D": lambda: keras.Sequential(
            [layers.Reshape((5, 3, 2)), layers.ConvLSTM1D(2, 2), layers.Flatten()]
        ),
        "stack": lambda: keras.Sequential(
            [layers.GRU(3, return_sequences=True), layers.LSTM(2)]
        ),
    }[kind]()
    x = layers.Conv1D(6, 3, padding="same", activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(2, activation="tanh")(recurrent(x)))


CLASSES = {
    "LSTM": ["LSTM"],
    "LSTM last": ["LSTM"],
    "GRU": ["GRU"],
    "GRU v1": ["GRU"],
    "SimpleRNN": ["SimpleRNN"],
    "Bidirectional": ["Bidirectional"],
    "Masking": ["LSTM"],
    "TimeDistributed": [],
    "ConvLSTM1D": ["ConvLSTM1D"],
    "stack": ["GRU", "LSTM"],
}
RECURRENT = {"Bidirectional", "ConvLSTM1D", "GRU", "LSTM", "Loop", "SimpleRNN"}


@pytest.mark.parametrize("kind", CLASSES)
def test_recurrent_layers_of_keras(kind: str, tmp_path: Path) -> None:
    import tensorflow as tf

    model = keras_model(kind)
    made = recovered_v2(model, [tf.TensorSpec((None, 5, 4), name="x")], tmp_path)
    assert made.proof.passed, made.proof
    classes = [layer.op for layer in made.analysis.layers]
    assert [op for op in classes if op in RECURRENT] == CLASSES[kind]
    assert {"Conv1D", "Dense"} <= set(classes)
    if kind != "Masking":  # which runs its cell once more, before the loop
        assert made.report.parameters == model.count_params()


def test_a_saved_model_keeps_its_variables(tmp_path: Path) -> None:
    model = keras_model("stack")
    model.export(tmp_path / "saved", verbose=False)
    made = recovered(tmp_path / "saved", tmp_path / "keras")
    assert made.proof.passed, made.proof
    assert made.report.parameters == model.count_params()
    assert not made.loops


def converge(x: Any) -> Any:
    """A Python loop over tensors, with break, a branch and a choice among several."""
    import tensorflow as tf

    total = tf.zeros_like(x)
    for step in tf.range(6):
        if tf.reduce_sum(total) > 40.0:
            break
        if step % 2 == 0:
            total += x
        else:
            total = tf.abs(total) + 0.5
        total += tf.switch_case(
            step % 3, [lambda: x * 2.0, lambda: -x, lambda: tf.ones_like(x)]
        )
    return total


def collatz(n: Any) -> Any:
    import tensorflow as tf

    steps = tf.zeros((), tf.int32)
    while n != 1:
        n = tf.where(n % 2 == 0, n // 2, 3 * n + 1)
        steps += 1
        if steps > 50:
            break
    return steps


def rows(x: Any) -> Any:
    import tensorflow as tf

    return tf.map_fn(
        lambda row: tf.vectorized_map(lambda v: v * 2.0, row) + tf.reduce_max(row), x
    )


def branches(x: Any) -> Any:
    """A condition outside any loop, whose branches have different shapes."""
    import tensorflow as tf

    return tf.cond(tf.reduce_sum(x) > 0.0, lambda: x[:1], lambda: tf.concat([x, x], 0))


@pytest.mark.parametrize("function", [converge, rows, branches])
def test_functions_with_loops(function: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    made = recovered_v2(function, [tf.TensorSpec((None, 4), name="x")], tmp_path)
    assert made.proof.passed, made.proof
    assert len(made.loops) == 1


def test_a_loop_that_decides_by_itself_when_to_end(tmp_path: Path) -> None:
    import tensorflow as tf

    made = recovered_v2(collatz, [tf.TensorSpec((), tf.int32, name="n")], tmp_path)
    assert made.proof.passed, made.proof
    assert int(made.model()(np.array(7, np.int32))) == 16


def test_the_model_predicts_trains_and_is_saved(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    model = keras_model("LSTM last")
    made = recovered_v2(model, [tf.TensorSpec((None, 5, 4), name="x")], tmp_path)
    again = made.model()
    for batch in (1, 3, 7):
        x = np.random.default_rng(batch).normal(size=(batch, 5, 4)).astype("float32")
        np.testing.assert_allclose(again.predict(x, verbose=0), model(x), atol=1e-5)
    again.save(tmp_path / "again.keras")
    loaded = keras.models.load_model(tmp_path / "again.keras")
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-5)
    before = [np.array(w) for w in again.trainable_weights]
    again.compile("sgd", "mse")
    again.fit(x, np.ones((7, 2)), epochs=1, verbose=0)
    moved = [
        np.abs(np.array(w) - b).max() for w, b in zip(again.trainable_weights, before)
    ]
    assert min(moved) > 0, dict(zip([w.path for w in again.trainable_weights], moved))


def test_the_weights_file_is_keras_s_own(tmp_path: Path) -> None:
    import tensorflow as tf

    made = recovered_v2(
        keras_model("GRU"), [tf.TensorSpec((None, 5, 4), name="x")], tmp_path
    )
    model = made.model()
    model.save_weights(tmp_path / "again.weights.h5")
    other = load(made.folder)
    other.load_weights(tmp_path / "again.weights.h5")
    for one, two in zip(model.weights, other.weights):
        np.testing.assert_array_equal(one, two)
