"""How strangers write a recurrent layer: what is read batch-major, projected before the loop, multiplied by a tensordot, cut in two steps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.infer.recurrence.test_settle import classes
from tests.render.keras.loop_models import recovered_v1


def cell(v1: Any, z: Any, c: Any) -> tuple[Any, Any]:
    i, f, g, o = v1.split(z, 4, 1)
    c = v1.sigmoid(f) * c + v1.sigmoid(i) * v1.tanh(g)
    return v1.sigmoid(o) * v1.tanh(c), c


def batch_major(v1: Any) -> Any:
    """``x[:, t]`` in a loop, which is how a loop of Python becomes one of TensorFlow."""
    x = v1.placeholder(v1.float32, (None, None, 3), "x")
    w, u = v1.get_variable("w", (3, 16)), v1.get_variable("u", (4, 16))
    zero = v1.zeros((v1.shape(x)[0], 4))
    steps = v1.shape(x)[1]

    def body(t: Any, h: Any, c: Any, ys: Any) -> Any:
        z = v1.matmul(x[:, t, :], w) + v1.matmul(h, u)
        h, c = cell(v1, z, c)
        return t + 1, h, c, ys.write(t, h)

    ys = v1.TensorArray(v1.float32, steps)
    *_, ys = v1.while_loop(lambda t, *_: t < steps, body, (0, zero, zero, ys))
    return v1.transpose(ys.stack(), (1, 0, 2), name="y")


def projected(v1: Any) -> Any:
    """The input's product for all steps at once, as Theano's authors wrote it."""
    x = v1.placeholder(v1.float32, (None, 6, 3), "x")
    before = v1.tensordot(x, v1.get_variable("w", (3, 16)), 1)
    before = v1.nn.bias_add(before, v1.get_variable("b", (16,)))
    u = v1.get_variable("u", (4, 16))

    def step(states: Any, z: Any) -> Any:
        return cell(v1, z + v1.matmul(states[0], u), states[1])

    zero = v1.zeros((v1.shape(x)[0], 4))
    hs, _ = v1.scan(step, v1.transpose(before, (1, 0, 2)), initializer=(zero, zero))
    return v1.transpose(hs, (1, 0, 2), name="y")


def tensordots(v1: Any) -> Any:
    """A tensordot for each gate, each of which reads the step anew."""
    x = v1.placeholder(v1.float32, (None, None, 3), "x")
    rows = v1.transpose(x, (1, 0, 2))
    steps = v1.shape(rows)[0]
    w = [v1.get_variable(f"w{n}", (3, 4)) for n in range(4)]
    u = [v1.get_variable(f"u{n}", (4, 4)) for n in range(4)]

    def body(t: Any, h: Any, c: Any) -> Any:
        z = [
            v1.tensordot(rows[t], a, axes=1) + v1.tensordot(h, b, axes=1)
            for a, b in zip(w, u)
        ]
        return (t + 1, *cell(v1, v1.concat(z, 1), c))

    zero = v1.zeros((v1.shape(x)[0], 4))
    _, h, _ = v1.while_loop(lambda t, *_: t < steps, body, (0, zero, zero))
    return v1.identity(h, name="y")


def two_steps(v1: Any) -> Any:
    """Written out, twice; the first states are zeros, as one tensor."""
    x = v1.placeholder(v1.float32, (None, 2, 3), "x")
    w, b = v1.get_variable("w", (7, 16)), v1.get_variable("b", (16,))
    h = c = v1.zeros((v1.shape(x)[0], 4))
    for t in range(2):
        z = v1.matmul(v1.concat([x[:, t], h], 1), w) + b
        h, c = cell(v1, z, c)
    return v1.identity(h, name="y")


def encoder_and_decoder(v1: Any) -> Any:
    """Steps that are fed one by one; the decoder begins where the encoder ends."""
    weights = {n: v1.get_variable(n, (7, 16)) for n in ("encoder", "decoder")}
    first = [v1.placeholder(v1.float32, (None, 3), f"x{t}") for t in range(3)]
    second = [v1.placeholder(v1.float32, (None, 3), f"y{t}") for t in range(4)]
    h = c = v1.zeros((v1.shape(first[0])[0], 4))
    for item in first:
        z = v1.matmul(v1.concat([item, h], 1), weights["encoder"])
        h, c = cell(v1, z, c)
    hs = []
    for item in second:
        z = v1.matmul(v1.concat([item, h], 1), weights["decoder"])
        h, c = cell(v1, z, c)
        hs.append(h)
    return v1.stack(hs, 1, name="y")


def packed(v1: Any) -> Any:
    """Both states in one tensor that ``scan`` carries and collects, of which the output alone is read."""
    x = v1.placeholder(v1.float32, (None, 6, 3), "x")
    first = v1.placeholder(v1.float32, (2, None, 4), "first")
    w, u = v1.get_variable("w", (4, 3, 4)), v1.get_variable("u", (4, 4, 4))

    def step(states: Any, item: Any) -> Any:
        h, c = v1.unstack(states)
        z = [v1.matmul(item, w[n]) + v1.matmul(h, u[n]) for n in range(4)]
        return v1.stack(cell(v1, v1.concat(z, 1), c))

    states = v1.scan(step, v1.transpose(x, (1, 0, 2)), initializer=first)
    return v1.identity(v1.transpose(states, (1, 2, 0, 3))[0], name="y")


def packed_layers(v1: Any) -> Any:
    """The states of two layers in one tensor, the last layer's read."""
    x = v1.placeholder(v1.float32, (None, 6, 4), "x")
    w, u = v1.get_variable("w", (2, 4, 4)), v1.get_variable("u", (2, 4, 4))

    def step(states: Any, item: Any) -> Any:
        after = []
        for n in range(2):
            item = v1.tanh(v1.matmul(item, w[n]) + v1.matmul(states[n], u[n]))
            after.append(item)
        return v1.stack(after)

    zeros = v1.zeros((2, v1.shape(x)[0], 4))
    states = v1.scan(step, v1.transpose(x, (1, 0, 2)), initializer=zeros)
    return v1.identity(v1.transpose(states, (1, 2, 0, 3))[-1], name="y")


SPELLINGS = {
    packed: "LSTM",
    packed_layers: "SimpleRNN SimpleRNN",
    batch_major: "LSTM",
    projected: "LSTM",
    tensordots: "LSTM",
    two_steps: "LSTM",
    encoder_and_decoder: "LSTM LSTM",
}


@pytest.mark.parametrize("functions", [False, True], ids=["frames", "functions"])
@pytest.mark.parametrize("build", SPELLINGS)
def test_a_spelling(build: Any, functions: bool, tmp_path: Path) -> None:
    made = recovered_v1(build, tmp_path, v2_control_flow=functions)
    assert classes(made.analysis) == Counter(SPELLINGS[build].split())
    assert made.proof.passed, made.proof


@pytest.mark.parametrize("functions", [False, True], ids=["frames", "functions"])
def test_a_list_that_a_cond_reads_before_the_loop(
    functions: bool, tmp_path: Path
) -> None:
    """``raw_rnn`` asks before its first step whether there is one: that cond stays one, and is no selection."""

    def build(v1: Any) -> Any:
        from tf_keras.src.layers.rnn import legacy_cells as cells

        x = v1.placeholder(v1.float32, (5, 3, 4), "x")
        n = v1.placeholder(v1.int32, (3,), "lengths")
        items, cell = v1.TensorArray(v1.float32, 5).unstack(x), cells.GRUCell(6)

        def loop(time: Any, output: Any, state: Any, _: Any) -> Any:
            after = cell.zero_state(3, v1.float32) if output is None else state
            ended = time >= n
            none, read = lambda: v1.zeros((3, 4)), lambda: items.read(time)
            item = v1.cond(v1.reduce_all(ended), none, read)
            return ended, item, after, output, None

        outputs, *_ = v1.nn.raw_rnn(cell, loop)
        return v1.identity(outputs.stack(), name="y")

    made = recovered_v1(build, tmp_path, v2_control_flow=functions)
    assert "Merge" not in made.source
    assert made.proof.numbers == "equal", made.proof


def test_a_product_that_something_else_reads_stays_before_the_loop(
    tmp_path: Path,
) -> None:
    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 6, 3), "x")
        before = v1.tensordot(x, v1.get_variable("w", (3, 4)), 1)
        u = v1.get_variable("u", (4, 4))
        zero = v1.zeros((v1.shape(x)[0], 4))
        hs = v1.scan(
            lambda h, z: v1.tanh(z + v1.matmul(h, u)),
            v1.transpose(before, (1, 0, 2)),
            initializer=zero,
        )
        return v1.add(v1.transpose(hs, (1, 0, 2)), before, name="y")

    made = recovered_v1(build, tmp_path)
    ops = Counter(layer.op for layer in made.analysis.layers)
    assert ops == {"Dense": 1, "RNN": 1, "Add": 1}
    assert made.proof.passed, made.proof


def test_a_second_step_with_another_weight_is_no_chain(tmp_path: Path) -> None:
    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 2, 3), "x")
        w, h = v1.get_variable("w", (3, 4)), v1.zeros((v1.shape(x)[0], 4))
        for t in range(2):
            u = v1.get_variable(f"u{t}", (4, 4))
            h = v1.tanh(v1.matmul(x[:, t], w) + v1.matmul(h, u))
        return v1.identity(h, name="y")

    made = recovered_v1(build, tmp_path)
    assert not classes(made.analysis)
    assert made.proof.passed, made.proof


def test_a_mask_ends_where_the_file_has_none(tmp_path: Path) -> None:
    """Keras hands a mask on: a mean over all steps would be one of those within the lengths alone."""

    def build(v1: Any) -> Any:
        from tf_keras.src.layers.rnn import legacy_cells as cells

        x = v1.placeholder(v1.float32, (None, 5, 3), "x")
        n = v1.placeholder(v1.int32, (None,), "lengths")
        y, _ = v1.nn.dynamic_rnn(cells.GRUCell(4), x, n, dtype=v1.float32)
        with v1.variable_scope("second"):
            y, _ = v1.nn.dynamic_rnn(cells.GRUCell(4), y, dtype=v1.float32)
        with v1.variable_scope("third"):
            z, _ = v1.nn.dynamic_rnn(cells.GRUCell(4), x, n, dtype=v1.float32)
        return v1.add(v1.reduce_mean(z, 1), v1.reduce_sum(y, 1), name="y")

    made = recovered_v1(build, tmp_path)
    assert classes(made.analysis) == {"GRU": 3}
    assert made.source.count("ops.copy(") == 2
    assert made.proof.passed, made.proof
