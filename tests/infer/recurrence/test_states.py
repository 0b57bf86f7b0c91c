"""What a file carries from call to call, what goes round within lengths, and convolutions in the cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.infer.recurrence.test_settle import classes
from tests.render.keras.loop_models import checkpoint_v1, recovered, recovered_v1


def streaming(first: float) -> Callable[[Any], Any]:
    """A speech model that goes on where its last call ended."""

    def build(v1: Any) -> Any:
        from tf_keras.src.layers.rnn import legacy_cells as cells

        x = v1.placeholder(v1.float32, (1, None, 5), "x")
        value = v1.constant_initializer(first)
        make = v1.get_variable
        h, c = (make(n, (1, 4), initializer=value, trainable=False) for n in "hc")
        cell = cells.BasicLSTMCell(4)
        state = cells.LSTMStateTuple(c, h)
        y, after = v1.nn.dynamic_rnn(cell, x, initial_state=state)
        updates = [v1.assign(c, after.c), v1.assign(h, after.h)]
        with v1.control_dependencies(updates):
            return v1.identity(y, name="logits")

    return build


def test_a_state_that_is_carried(tmp_path: Path) -> None:
    checkpoint_v1(streaming(0.0), tmp_path / "model")
    made = recovered(tmp_path / "model.meta", tmp_path / "keras", ["logits"])
    assert "layers.LSTM(4, return_sequences=True, stateful=True" in made.source
    assert made.proof.passed, made.proof  # each draw begins in the same state


def test_a_state_that_does_not_begin_with_zeros_stays_a_weight(tmp_path: Path) -> None:
    checkpoint_v1(streaming(0.5), tmp_path / "model")
    made = recovered(tmp_path / "model.meta", tmp_path / "keras", ["logits"])
    assert "stateful" not in made.source
    assert made.proof.passed, made.proof


def two_classes(v1: Any) -> Any:
    """One direction of a class, the other of another: no Bidirectional says that."""
    from tf_keras.src.layers.rnn import legacy_cells as cells

    x = v1.placeholder(v1.float32, (None, 6, 5), "x")
    n = v1.placeholder(v1.int32, (None,), "lengths")
    both = cells.BasicLSTMCell(4), cells.GRUCell(4)
    y, _ = v1.nn.bidirectional_dynamic_rnn(*both, x, n, dtype=v1.float32)
    return v1.concat(y, 2, name="y")


def test_rows_turned_round_within_their_lengths(tmp_path: Path) -> None:
    made = recovered_v1(two_classes, tmp_path)
    assert classes(made.analysis) == {"LSTM": 1, "GRU": 1}
    assert "tensorflow" not in made.source
    assert made.proof.passed, made.proof


@pytest.mark.parametrize("axes", [1, 3])
def test_a_convolution_in_the_cell(axes: int, tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    from tests.render.keras.loop_models import recovered_v2

    kind = getattr(keras.layers, f"ConvLSTM{axes}D")
    inputs = keras.Input((3, *[5] * axes, 2))
    model = keras.Model(inputs, kind(3, 3, padding="same", strides=2)(inputs))
    spec = tf.TensorSpec((None, *inputs.shape[1:]), "float32")
    made = recovered_v2(model, [spec], tmp_path)
    assert [each.op for each in made.analysis.layers] == [f"ConvLSTM{axes}D"]
    assert made.proof.passed, made.proof


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_a_sentiment_classifier(library: str, tmp_path: Path) -> None:
    """A mask of words through two directions and on; dropouts that multiply with ones at inference."""
    from importlib import import_module

    import tensorflow as tf

    from tests.render.keras.loop_models import recovered_v2

    layers = import_module(library).layers
    words = layers.Input((7,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(words)
    drops = {"dropout": 0.1, "recurrent_dropout": 0.1} if library != "keras" else {}
    both = layers.LSTM(3, return_sequences=True, **drops)
    x = layers.GRU(5)(layers.Bidirectional(both)(x))
    outputs = layers.Dense(1, activation="sigmoid")(x)
    model = import_module(library).Model(words, outputs)
    spec = tf.TensorSpec((None, 7), "int32")
    made = recovered_v2(lambda x: model(x, training=False), [spec], tmp_path)
    assert classes(made.analysis) == {"LSTM": 2, "GRU": 1}
    assert "layers.Bidirectional(" in made.source
    assert made.proof.passed, made.proof


def speech(v1: Any) -> Any:
    """Two directions, each with a dropout of its own, within lengths."""
    from tf_keras.src.layers.rnn import legacy_cell_wrappers as wrappers
    from tf_keras.src.layers.rnn import legacy_cells as cells

    x = v1.placeholder(v1.float32, (None, None, 5), "x")
    n = v1.placeholder(v1.int32, (None,), "frames")
    keep = v1.placeholder_with_default(1.0, (), "keep_prob")
    both = [
        wrappers.DropoutWrapper(cells.BasicLSTMCell(3), output_keep_prob=keep)
        for _ in range(2)
    ]
    y, _ = v1.nn.bidirectional_dynamic_rnn(*both, x, n, dtype=v1.float32)
    return v1.concat(y, 2, name="y")


def test_dropouts_of_both_directions_are_one(tmp_path: Path) -> None:
    made = recovered_v1(speech, tmp_path)
    ops = [each.op for each in made.analysis.layers]
    assert sorted(ops) == ["Bidirectional", "Dropout", "SequenceMask"]
    assert made.proof.passed, made.proof


def masked_by_numbers(kind: str) -> Callable[[Any], Any]:
    """``m * new + (1 - m) * old``, m ones and zeros of lengths, or numbers that are fed, or over a state that is fed."""

    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 6, 3), "x")
        if kind == "fed":
            m = v1.placeholder(v1.float32, (None, 6), "m")
        else:
            lengths = v1.placeholder(v1.int32, (None,), "lengths")
            m = v1.sequence_mask(lengths, 6, v1.float32)
        w, u = v1.get_variable("w", (3, 4)), v1.get_variable("u", (4, 4))
        first = v1.zeros((v1.shape(x)[0], 4))
        if kind == "a first state":
            first = v1.placeholder(v1.float32, (None, 4), "first")

        def step(before: Any, each: Any) -> Any:
            item, share = each[0], each[1][:, None]
            after = v1.tanh(v1.matmul(item, w) + v1.matmul(before, u))
            return share * after + (1 - share) * before

        rows = v1.transpose(x, (1, 0, 2)), v1.transpose(m)
        states = v1.scan(step, rows, initializer=first)
        return v1.transpose(states, (1, 0, 2), name="y")

    return build


@pytest.mark.parametrize("kind", ["lengths", "fed", "a first state"])
def test_a_mask_of_numbers(kind: str, tmp_path: Path) -> None:
    """Of a first step that is masked Keras puts out zeros, whatever the state: so the state must be zeros."""
    made = recovered_v1(masked_by_numbers(kind), tmp_path)
    assert classes(made.analysis) == ({"SimpleRNN": 1} if kind == "lengths" else {})
    assert made.proof.passed, made.proof
