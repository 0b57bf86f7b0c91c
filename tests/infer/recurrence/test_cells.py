"""The formulas of the cells against Keras's own cells, for random sizes; the near misses of each; how long a long chain takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphscope
from tests.infer.recurrence.test_settle import classes
from tests.render.keras.loop_models import frozen_v1, frozen_v2, recovered, recovered_v1

CELLS: dict[str, Callable[[Any, int], Any]] = {
    "LSTM": lambda layers, n: layers.LSTMCell(n),
    "LSTM, hard": lambda layers, n: layers.LSTMCell(
        n, activation="relu", recurrent_activation="hard_sigmoid"
    ),
    "GRU": lambda layers, n: layers.GRUCell(n, reset_after=False),
    "GRU, reset after": lambda layers, n: layers.GRUCell(n, reset_after=True),
    "SimpleRNN": lambda layers, n: layers.SimpleRNNCell(n, use_bias=False),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_formula_is_what_keras_computes(name: str, tmp_path: Path) -> None:
    """The graph that Keras writes for a cell of random sizes is read back, and one step of what is read gives its numbers."""
    import keras
    import tensorflow as tf

    rng = np.random.default_rng([len(name), 5])
    steps, features, units = (int(n) for n in rng.integers(2, 9, 3))
    inputs = keras.Input((steps, features))
    cell = CELLS[name](keras.layers, units)
    model = keras.Model(inputs, keras.layers.RNN(cell)(inputs))
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.6, variable.shape))
    frozen_v2(model, [tf.TensorSpec((None, steps, features))], tmp_path / "model.pb")
    made = recovered(tmp_path / "model.pb", tmp_path / "keras")
    assert classes(made.analysis) == {name.partition(",")[0]: 1}
    x = rng.normal(size=(7, steps, features)).astype("float32")
    np.testing.assert_allclose(made.model()(x), model(x), atol=1e-6)


def test_gradients_are_the_original_s(tmp_path: Path) -> None:
    """One step: what the recovered layers' weights and input are told is what the author's are told."""
    import keras
    import tensorflow as tf

    inputs = keras.Input((5, 3))
    x = keras.layers.LSTM(4, return_sequences=True)(inputs)
    x = keras.layers.Bidirectional(keras.layers.GRU(3, return_sequences=True))(x)
    model = keras.Model(inputs, keras.layers.SimpleRNN(2)(x))
    frozen_v2(model, [tf.TensorSpec((None, 5, 3))], tmp_path / "model.pb")
    made = recovered(tmp_path / "model.pb", tmp_path / "keras").model()
    x = tf.constant(np.random.default_rng(1).normal(size=(4, 5, 3)), tf.float32)
    told = []
    for each in (model, made):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(each(x) ** 2)
        weights = each.trainable_variables
        told.append(tape.gradient(loss, [x, *weights]))
    assert len(told[0]) == len(told[1])
    for one, other in zip(*told):
        np.testing.assert_allclose(one, other, atol=1e-6)


def by_hand(step: Callable[..., Any], kind: str = "") -> Callable[[Any], Any]:
    """A cell by hand in a while loop, one thing of which may be wrong."""

    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 5, 3), "x")
        w = [v1.get_variable(f"w{n}", (7, 4)) for n in range(3)]
        rows = v1.transpose(x, (1, 0, 2))
        zero = v1.zeros((v1.shape(x)[0], 4))

        def body(t: Any, h: Any) -> Any:
            return t + 1, step(v1, rows[t if kind != "backwards" else 4 - t], h, w)

        turns = 4 if kind == "short" else 5
        _, h = v1.while_loop(lambda t, _: t < turns, body, (0, zero))
        return v1.identity(h, name="y")

    return build


def gru(v1: Any, x: Any, h: Any, w: Any, swapped: bool = False) -> Any:
    z = v1.sigmoid(v1.matmul(v1.concat([x, h], 1), w[0]))
    r = v1.sigmoid(v1.matmul(v1.concat([x, h], 1), w[1]))
    n = v1.tanh(v1.matmul(v1.concat([x, r * h], 1), w[2]))
    return (r if swapped else z) * h + (1.0 - z) * n


def swapped_gates(v1: Any, x: Any, h: Any, w: Any) -> Any:
    """The reset gate says how much of the state stays: no GRU does that."""
    return gru(v1, x, h, w, swapped=True)


def mixed_with_other(v1: Any, x: Any, h: Any, w: Any) -> Any:
    z = v1.sigmoid(v1.matmul(v1.concat([x, h], 1), w[0]))
    return z * h + (0.9 - z) * v1.tanh(v1.matmul(v1.concat([x, h], 1), w[2]))


def test_a_gru_by_hand_in_either_direction(tmp_path: Path) -> None:
    for kind in ("", "backwards"):
        folder = tmp_path / (kind or "forwards")
        folder.mkdir()
        made = recovered_v1(by_hand(gru, kind), folder)
        assert classes(made.analysis) == {"GRU": 1}
        assert ("go_backwards=True" in made.source) == bool(kind)
        assert made.proof.passed, made.proof


@pytest.mark.parametrize("step", [swapped_gates, mixed_with_other])
def test_what_is_no_gru_is_a_cell_of_its_own(step: Any, tmp_path: Path) -> None:
    made = recovered_v1(by_hand(step), tmp_path)
    assert not classes(made.analysis)
    assert "layers.RNN(" in made.source
    assert made.proof.passed, made.proof


def test_a_loop_that_stops_early_is_no_layer(tmp_path: Path) -> None:
    made = recovered_v1(by_hand(gru, "short"), tmp_path)
    assert made.loops
    assert made.proof.passed, made.proof


def test_explain_says_why_a_loop_is_no_lstm(tmp_path: Path) -> None:
    frozen_v1(by_hand(swapped_gates), tmp_path / "model.pb")
    found = graphscope.analyse(tmp_path / "model.pb", outputs=["y"])
    told = found.explain("GRU", "while/Exit_1")
    assert told.startswith("GRU does not match at 'while'")
    assert "layers.Activation(z" in told  # the gate that does not fit
    assert found.explain("Dense", "while/Exit_1").startswith("Dense does not match at")


def test_five_hundred_steps_fold_fast(tmp_path: Path) -> None:
    """User seconds, of the process: the wall clock lies under load."""

    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 500, 3), "x")
        w, u = v1.get_variable("w", (3, 4)), v1.get_variable("u", (4, 4))
        h = v1.zeros((v1.shape(x)[0], 4))
        for item in v1.unstack(x, axis=1):
            h = v1.tanh(v1.matmul(item, w) + v1.matmul(h, u))
        return v1.identity(h, name="y")

    frozen_v1(build, tmp_path / "model.pb")
    found = graphscope.analyse(tmp_path / "model.pb", outputs=["y"])
    found.state_after("drop_unneeded")
    start = time.process_time()
    found.state_after("roll_steps")
    assert time.process_time() - start < 2
    assert classes(found) == {"SimpleRNN": 1}
