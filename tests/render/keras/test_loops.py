"""Graphs with loops -> a Keras model in which each loop is one layer; TensorFlow says whether it computes the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.render.keras.loop_models import recovered_v1


def dense(v1: Any, x: Any, units: int, name: str) -> Any:
    with v1.variable_scope(name):
        kernel = v1.get_variable("kernel", (x.shape[-1], units))
        bias = v1.get_variable("bias", (units,))
        return v1.nn.relu(v1.matmul(x, kernel) + bias)


def lstm_step(v1: Any, x: Any, state: Any, units: int) -> tuple[Any, Any]:
    """One step of a basic LSTM cell, as tf.contrib.rnn.BasicLSTMCell spells it."""
    c, h = state
    kernel = v1.get_variable("kernel", (x.shape[-1] + units, 4 * units))
    bias = v1.get_variable("bias", (4 * units,))
    gates = v1.nn.bias_add(v1.matmul(v1.concat([x, h], 1), kernel), bias)
    i, j, f, o = v1.split(gates, 4, axis=1)
    c = c * v1.sigmoid(f + 1.0) + v1.sigmoid(i) * v1.tanh(j)
    return c, v1.tanh(c) * v1.sigmoid(o)


def dynamic_rnn(v1: Any, x: Any, units: int, lengths: Any = None) -> Any:
    """What tf.nn.dynamic_rnn builds: time-major arrays, a while loop, and where lengths are given a cond in it."""
    with v1.variable_scope("rnn"):
        x = v1.transpose(x, (1, 0, 2))
        steps, batch = v1.shape(x)[0], v1.shape(x)[1]
        read = v1.TensorArray(v1.float32, steps, name="inputs").unstack(x)
        write = v1.TensorArray(v1.float32, steps, name="outputs")
        zeros = v1.zeros(v1.stack([batch, units]))
        zeros.set_shape((None, units))

        def body(time: Any, written: Any, c: Any, h: Any) -> Any:
            with v1.variable_scope("lstm_cell", reuse=v1.AUTO_REUSE):
                item = read.read(time)
                item.set_shape((None, x.shape[2]))
                new_c, new_h = lstm_step(v1, item, (c, h), units)
            out = new_h
            if lengths is not None:
                done = time >= lengths
                new_c, new_h = v1.where(done, c, new_c), v1.where(done, h, new_h)
                out = v1.where(done, v1.zeros_like(out), out)
                new_h = v1.cond(
                    time < v1.reduce_min(lengths), lambda: new_h * 1.0, lambda: new_h
                )
            return time + 1, written.write(time, out), new_c, new_h

        _, written, _, h = v1.while_loop(
            lambda time, *_: time < steps, body, (0, write, zeros, zeros)
        )
        return v1.transpose(written.stack(), (1, 0, 2)), h


def rnn_between(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, 5, 4), "x")
    y, _ = dynamic_rnn(v1, x, 6)
    return dense(v1, v1.reshape(y, (-1, 30)), 3, "head")


def rnn_with_lengths(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, None, 4), "x")
    lengths = v1.placeholder(v1.int32, (None,), "lengths")
    _, state = dynamic_rnn(v1, x, 5, lengths)
    return dense(v1, state, 3, "head")


def counted(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, 4), "x")
    return v1.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2.0 + x), (0, x))[
        1
    ]


def grown(v1: Any) -> Any:
    """A variable whose shape changes from turn to turn."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    shapes = (v1.TensorShape([]), v1.TensorShape([None, 4]))
    return v1.while_loop(
        lambda i, y: i < 3,
        lambda i, y: (i + 1, v1.concat([y, y[:1]], 0)),
        (0, x),
        shape_invariants=shapes,
    )[1]


def nested(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, 4), "x")
    kernel = v1.get_variable("kernel", (4, 4))

    def inner(i: Any, y: Any) -> Any:
        _, z = v1.while_loop(
            lambda j, z: j <= i,
            lambda j, z: (j + 1, v1.tanh(v1.matmul(z, kernel))),
            (0, y),
        )
        return i + 1, z + y

    return v1.while_loop(lambda i, y: i < 3, inner, (0, x))[1]


def mapped(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, 4), "x")
    scaled = v1.map_fn(lambda row: row * v1.reduce_max(row), x)
    return dense(v1, scaled, 3, "head")


def scanned(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, 4), "x")
    return v1.scan(lambda total, row: total * 0.5 + row, x)


def folded(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, 4), "x")
    return v1.foldl(lambda total, row: total + v1.square(row), x)


def greedy(v1: Any) -> Any:
    """A greedy decoder: until every example has said stop, at most as many turns as were asked for."""
    state = v1.placeholder(v1.float32, (None, 6), "state")
    most = v1.placeholder(v1.int32, (), "most")
    table = v1.get_variable("embedding", (7, 6))
    kernel = v1.get_variable("kernel", (12, 6))
    head = v1.get_variable("head", (6, 7))
    batch = v1.shape(state)[0]

    def body(time: Any, tokens: Any, done: Any, state: Any, said: Any) -> Any:
        row = v1.nn.embedding_lookup(table, tokens)
        state = v1.tanh(v1.matmul(v1.concat([row, state], 1), kernel))
        best = v1.cast(v1.argmax(v1.matmul(state, head), 1), v1.int32)
        tokens = v1.where(done, v1.zeros_like(best), best)
        done = v1.logical_or(done, v1.equal(tokens, 0))
        return time + 1, tokens, done, state, said.write(time, tokens)

    said = v1.TensorArray(v1.int32, 0, dynamic_size=True, element_shape=(None,))
    start = v1.fill([batch], 1)
    done = v1.fill([batch], False)
    result = v1.while_loop(
        lambda time, tokens, done, *_: v1.logical_and(
            time < most, v1.logical_not(v1.reduce_all(done))
        ),
        body,
        (0, start, done, state, said),
    )
    return v1.transpose(result[4].stack()), result[3]


def guarded(v1: Any) -> Any:
    """A cond in the body, without which an element past the end of the array would be read."""
    x = v1.placeholder(v1.float32, (None, 3, 4), "x")
    rows = v1.TensorArray(v1.float32, 3, clear_after_read=False).unstack(
        v1.transpose(x, (1, 0, 2))
    )

    def body(i: Any, y: Any) -> Any:
        row = v1.cond(i < 3, lambda: rows.read(i), lambda: v1.zeros_like(y))
        return i + 1, y + row

    first = v1.zeros_like(x[:, 0])
    return v1.while_loop(lambda i, y: i < 5, body, (0, first))[1]


def one_after_another(v1: Any) -> Any:
    x = v1.placeholder(v1.float32, (None, 3, 4), "x")
    with v1.variable_scope("first"):
        y, _ = dynamic_rnn(v1, x, 5)
    with v1.variable_scope("second"):
        _, h = dynamic_rnn(v1, y, 3)
    return dense(v1, h, 2, "head")


def array_through_two(v1: Any) -> Any:
    """An array that one loop fills and the next reads: no tensor leaves between them."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    filled = v1.while_loop(
        lambda i, a: i < 4,
        lambda i, a: (i + 1, a.write(i, x * v1.cast(i, v1.float32))),
        (0, v1.TensorArray(v1.float32, 4, clear_after_read=False)),
    )[1]
    return v1.while_loop(
        lambda i, y: i < 4, lambda i, y: (i + 1, y + filled.read(i)), (0, x)
    )[1]


def alone(v1: Any) -> Any:
    """One tensor is all that the frame carries, no counter: what its loop returns is no tuple."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    return v1.while_loop(
        lambda y: v1.reduce_max(y) < 20.0,
        lambda y: 1.5 * y + 0.25,
        (v1.abs(x),),
        return_same_structure=True,
    )[0]


GRAPHS: dict[str, tuple[Any, int]] = {
    "rnn": (rnn_between, 0),
    "lengths": (rnn_with_lengths, 1),
    "alone": (alone, 1),
    "counted": (counted, 1),
    "grown": (grown, 1),
    "nested": (nested, 1),
    "map": (mapped, 1),
    "scan": (scanned, 1),
    "foldl": (folded, 1),
    "greedy": (greedy, 1),
    "guarded": (guarded, 1),
    "two": (one_after_another, 0),
    "shared array": (array_through_two, 1),
}


@pytest.mark.parametrize("v2", [False, True], ids=["frames", "functions"])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_loop_becomes_one_layer(name: str, v2: bool, tmp_path: Path) -> None:
    build, count = GRAPHS[name]
    made = recovered_v1(build, tmp_path, v2_control_flow=v2)
    assert made.proof.passed, made.proof
    assert len(made.loops) == count


def test_a_loop_over_what_has_no_rank_in_a_graph_without_versions(
    tmp_path: Path,
) -> None:
    """There ``shape {}`` of a placeholder says nothing; that the loop's variable stays a scalar does not follow, it builds all the same."""
    import tensorflow as tf

    import graphscope

    v1 = tf.compat.v1
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        step, times = v1.placeholder("int32", (), "step"), v1.placeholder("int32", ())
        v1.while_loop(
            lambda i, n: n < times, lambda i, n: (i + step, n + 1), (0, 0), name="loop"
        )
    message = graph.as_graph_def()
    message.ClearField("versions")
    (tmp_path / "loop.pb").write_bytes(message.SerializeToString())
    found = graphscope.analyse(str(tmp_path / "loop.pb"), outputs=["loop/Exit"])
    found.write_keras(tmp_path / "out")
    assert found.prove(tmp_path / "out").numbers == "equal"


def test_a_loop_of_one_tensor_gives_a_tensor(tmp_path: Path) -> None:
    made = recovered_v1(alone, tmp_path)
    result = made.model()(np.ones((2, 4), np.float32))
    assert not isinstance(result, tuple | list) and tuple(result.shape) == (2, 4)
