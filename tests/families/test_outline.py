"""Checkpoints of no known family: layers by convention, and a source that owns and loads every weight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse
from graphscope.verify.run.keras_source import run_source

v1 = tf.compat.v1
layers = keras.layers
OWNED = ("weight", "batch statistics")


def saved(folder: Path, **shapes: Sequence[int]) -> str:
    """A TF1 checkpoint of these variables (``__`` for a slash), without its graph."""
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [
            v1.get_variable(name.replace("__", "/"), shape=shape, use_resource=False)
            for name, shape in shapes.items()
        ]
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(variables)
        return saver.save(session, str(folder / "model"), write_meta_graph=False)


CONVENTIONS = {
    "rnn": (
        {"rnn__basic_rnn_cell__kernel": [12, 8], "rnn__basic_rnn_cell__bias": [8]},
        ["SimpleRNN"],
    ),
    "lstm": (
        {"rnn__basic_lstm_cell__kernel": [12, 32], "rnn__basic_lstm_cell__bias": [32]},
        ["LSTM"],
    ),
    "gru": (
        {
            "rnn__gru_cell__gates__kernel": [12, 16],
            "rnn__gru_cell__gates__bias": [16],
            "rnn__gru_cell__candidate__kernel": [12, 8],
            "rnn__gru_cell__candidate__bias": [8],
        },
        ["GRU"],
    ),
    "transpose": ({"up__conv2d_transpose__kernel": [4, 4, 8, 16]}, ["Conv2DTranspose"]),
    "row bias": ({"l1__w1": [8, 20], "l1__b1": [1, 20]}, ["Dense"]),
    "gpt norm": ({"h0__ln_1__g": [64], "h0__ln_1__b": [64]}, ["LayerNormalization"]),
    "transposed": ({"output_weights": [2, 128], "output_bias": [2]}, ["Dense"]),
    "slots": (
        {"wide__weights": [9, 1], "training__Ftrl__wide__weights__accumulator": [9, 1]},
        ["Dense"],
    ),
    "crf": ({"proj__W": [80, 9], "proj__b": [9], "transitions": [9, 9]}, ["Dense"]),
    "encoder": ({"encoder_h1": [784, 25], "encoder_b1": [25]}, ["Dense"]),
    "words": ({"words___word_embeddings": [50, 5]}, ["Embedding"]),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_convention_is_read_and_every_weight_has_a_home(
    name: str, tmp_path: Path
) -> None:
    shapes, expected = CONVENTIONS[name]
    check_owned(saved(tmp_path, **shapes), tmp_path, expected)


def check_owned(path: str, folder: Path, expected: Sequence[str]) -> None:
    analysis = analyse(path)
    assert [layer.op for layer in analysis.layers] == list(expected)
    analysis.write_keras(folder / "keras")
    model = run_source(folder / "keras")
    variables = [v for v in analysis.model.variables if v.role in OWNED]
    stored = [np.sort(analysis.model.weights[v.name].ravel()) for v in variables]
    loaded = [np.sort(weight.numpy().ravel()) for weight in model.weights]
    every = [np.sort(np.concatenate(arrays)) for arrays in (stored, loaded)]
    np.testing.assert_array_equal(*every)
    assert "the wiring is" in (folder / "keras" / "model.py").read_text()


def test_keras_weights_alone(tmp_path: Path) -> None:
    inputs = keras.Input((6, 8))
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(inputs)
    x = layers.BatchNormalization(scale=False)(x)
    outputs = layers.Dense(2)(x)
    keras.Model(inputs, outputs).save_weights(tmp_path / "m.weights.h5")
    kinds = {layer.op for layer in analyse(tmp_path / "m.weights.h5").layers}
    assert kinds == {"Bidirectional", "BatchNormalization", "Dense"}


def test_an_object_based_checkpoint_with_an_optimizer_of_any_name(
    tmp_path: Path,
) -> None:
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()]
    )
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    path = tf.train.Checkpoint(net=model, gen_opt=optimizer).write(str(tmp_path / "c"))
    check_owned(path, tmp_path, ["Dense", "BatchNormalization"])


def test_what_shapes_leave_open_is_said_at_the_top(tmp_path: Path) -> None:
    """A Dense of 784 rows behind 16 channels: 49 places were flattened; one of 17 rows behind them: nothing is said."""
    shapes = {
        "net__conv1__weights": [5, 5, 1, 8],
        "net__conv2__weights": [5, 5, 8, 16],
        "net__fc1__weights": [784, 17],
        "net__fc2__weights": [17, 3],
    }
    analyse(saved(tmp_path, **shapes)).write_keras(tmp_path / "keras")
    source = (tmp_path / "keras" / "model.py").read_text()
    first = " ".join(source.split("\n\n")[0].split())  # it may be wrapped
    assert first.endswith("; the wiring is assumed.")
    text = " ".join(source.split())
    assert "open in Conv2D (2): strides, padding (same or valid)" in text
    assert "net/fc1 takes 784 values, net/conv2 gives 16 channels" in text
    assert "a Flatten of 49 places (7 x 7 of a square image)" in text
    assert "net/fc2 takes" not in text
