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
    import tensorflow as tf

    import keras
    from tests.render.keras.loop_models import recovered_v2

    kind = getattr(keras.layers, f"ConvLSTM{axes}D")
    inputs = keras.Input((3, *[5] * axes, 2))
    model = keras.Model(inputs, kind(3, 3, padding="same", strides=2)(inputs))
    spec = tf.TensorSpec((None, *inputs.shape[1:]), "float32")
    made = recovered_v2(model, [spec], tmp_path)
    assert [each.op for each in made.analysis.layers] == [f"ConvLSTM{axes}D"]
    assert made.proof.passed, made.proof
