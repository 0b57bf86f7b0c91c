"""Loops, chains of equal steps and fused ops come back as the recurrent layers of Keras that they are; what is none does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphscope
from graphscope.analysis.results import Analysis
from tests.generated.recurrent import MAKERS
from tests.render.keras.loop_models import Made, recovered, recovered_v1

RECURRENT = frozenset({"ConvLSTM2D", "GRU", "LSTM", "SimpleRNN"})


def classes(found: Analysis) -> Counter[str]:
    """The recurrent layers of a model; a Bidirectional counts as its two."""
    ops = Counter(layer.op for layer in found.layers if layer.op in RECURRENT)
    for layer in found.layers:
        if layer.op == "Bidirectional":
            ops[layer.attrs["layer"]] += 2
    return ops


FAST = (
    ("v1_dynamic_frames", 0),
    ("v1_dynamic_functions", 2),
    ("v1_both_frames", 1),
    ("v1_static_frames", 0),
    ("v1_own_loop_functions", 1),
    ("v1_own_scan_functions", 0),
    ("v1_own_unrolled_frames", 1),
    ("v1_fused_frames", 0),
    ("v1_block_cells_functions", 1),
    ("keras_translation_functions", 0),
    ("keras_pictures_frames", 0),
    ("tf_keras_words_frames", 10),
)
SLOW = tuple((name, seed) for name in MAKERS for seed in range(20, 23))


def check(name: str, seed: int, folder: Path) -> None:
    rng = np.random.default_rng([seed, sum(map(ord, name))])
    written = MAKERS[name](rng, folder)
    made = recovered(written.path, folder / "keras", written.outputs)
    assert made.proof.numbers == "equal", made.proof  # some nets hardly vary
    assert classes(made.analysis) == Counter(written.classes)


@pytest.mark.parametrize(("name", "seed"), FAST)
def test_a_recurrent_model_comes_back(name: str, seed: int, tmp_path: Path) -> None:
    check(name, seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), SLOW)
def test_many_recurrent_models_come_back(name: str, seed: int, tmp_path: Path) -> None:
    check(name, seed, tmp_path)


Step = Callable[[Any, Any, Any, Any], tuple[Any, Any]]


def looped(step: Step, turns: int | None = None) -> Callable[[Any], Any]:
    """An LSTM by hand whose step may differ in one thing; ``turns`` other than the sequence is long."""

    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 5, 3), "x")
        w = v1.get_variable("w", (3 + 4, 16))
        b = v1.get_variable("b", (16,))
        zero = v1.zeros((v1.shape(x)[0], 4))
        read = v1.TensorArray(v1.float32, 5).unstack(v1.transpose(x, (1, 0, 2)))

        def body(t: Any, h: Any, c: Any) -> Any:
            item = v1.ensure_shape(read.read(t), (None, 3))
            z = v1.matmul(v1.concat([item, h], 1), w) + b
            return (t + 1, *step(v1, z, h, c))

        _, h, _ = v1.while_loop(lambda t, *_: t < (turns or 5), body, (0, zero, zero))
        return v1.identity(h, name="y")

    return build


def lstm(v1: Any, z: Any, h: Any, c: Any) -> tuple[Any, Any]:
    i, f, g, o = v1.split(z, 4, 1)
    c = v1.sigmoid(f) * c + v1.sigmoid(i) * v1.tanh(g)
    return v1.sigmoid(o) * v1.tanh(c), c


def one_op_more(v1: Any, z: Any, h: Any, c: Any) -> tuple[Any, Any]:
    h, c = lstm(v1, z, h, c)
    return h * 0.5, c


def leaking_state(v1: Any, z: Any, h: Any, c: Any) -> tuple[Any, Any]:
    h, after = lstm(v1, z, h, c)
    return h, after + 0.1 * c


def other_activation(v1: Any, z: Any, h: Any, c: Any) -> tuple[Any, Any]:
    i, f, g, o = v1.split(z, 4, 1)
    c = v1.sigmoid(f) * c + v1.sigmoid(i) * v1.tanh(g)
    return v1.sigmoid(o) * v1.nn.relu(c), c


NEAR_MISSES = {
    "one op more": looped(one_op_more),
    "a state that leaks": looped(leaking_state),
    "another activation": looped(other_activation),
    "a wrong trip count": looped(lstm, 4),
}


def test_an_lstm_by_hand(tmp_path: Path) -> None:
    made = recovered_v1(looped(lstm), tmp_path)
    assert classes(made.analysis) == {"LSTM": 1}
    assert made.proof.passed


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_is_no_lstm_stays_a_loop(name: str, tmp_path: Path) -> None:
    made = recovered_v1(NEAR_MISSES[name], tmp_path)
    assert not classes(made.analysis)
    assert made.proof.passed, made.proof


def unrolled(other_weight: int = -1) -> Callable[[Any], Any]:
    """A chain of steps, one of which may have a weight of its own."""

    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 5, 3), "x")
        w, u, own = (v1.get_variable(n, (k, 4)) for n, k in zip("wuo", (3, 4, 4)))
        h = v1.zeros((v1.shape(x)[0], 4))
        for t in range(5):
            again = own if t == other_weight else u
            h = v1.tanh(v1.matmul(x[:, t], w) + v1.matmul(h, again))
        return v1.identity(h, name="y")

    return build


def test_a_chain_of_equal_steps_is_one_layer(tmp_path: Path) -> None:
    made = recovered_v1(unrolled(), tmp_path)
    assert [layer.op for layer in made.analysis.layers] == ["SimpleRNN"]
    assert made.proof.passed


def test_one_step_with_another_weight_breaks_the_chain(tmp_path: Path) -> None:
    made = recovered_v1(unrolled(3), tmp_path)
    assert not classes(made.analysis)
    assert made.proof.passed


def of_tensorflow(v1: Any) -> Any:
    """A cell that runs an op that only TensorFlow has."""
    from tf_keras.src.layers.rnn import legacy_cells as cells

    x = v1.placeholder(v1.float32, (None, 7, 5), "x")
    lengths = v1.placeholder(v1.int32, (None,), "lengths")
    cell = cells.BasicRNNCell(8, activation=lambda z: v1.digamma(2.0 + v1.tanh(z)))
    y, _ = v1.nn.dynamic_rnn(cell, x, lengths, dtype=v1.float32)
    return v1.identity(y, name="y")


def test_a_loop_that_stays_one_sees_what_it_captures(tmp_path: Path) -> None:
    """The zeros past a row's end and the first state were both called ``state`` once, and the inner one hid the other."""
    made: Made = recovered_v1(of_tensorflow, tmp_path)
    assert len(made.loops) == 1
    assert made.proof.passed, made.proof


def test_loops_one_after_another_lead_to_the_output(tmp_path: Path) -> None:
    def build(v1: Any) -> Any:
        from tf_keras.src.layers.rnn import legacy_cells as cells

        h = v1.placeholder(v1.float32, (None, 4, 3), "x")
        for number in range(4):
            scope = f"layer_{number}"
            cell = cells.GRUCell(3)
            h, _ = v1.nn.dynamic_rnn(cell, h, dtype=v1.float32, scope=scope)
        return v1.identity(v1.reduce_mean(h, 1), name="y")

    recovered_v1(build, tmp_path)
    found = graphscope.analyse(tmp_path / "model.pb")  # nobody names the output
    assert [str(tensor) for tensor in found.outputs] == ["y:0"]
    assert classes(found) == {"GRU": 4}
