"""What a run remembers for the next: kept as it is stored, or made an input and an output, by one option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.documents import describe_outputs
from graphscope.analysis.results import Analysis
from graphscope.errors import GraphscopeError
from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1
STEPS = np.random.default_rng(3).normal(size=(4, 1, 3)).astype("f")


def kernel(name: str, rows: int) -> Any:
    value = np.random.default_rng(rows).normal(size=(rows, 5)).astype("f")
    return v1.get_variable(name, initializer=value)


def cell(x: Any, before: Any) -> Any:
    return tf.tanh(x @ kernel("k", 3) + before @ kernel("u", 5), name="new_state")


def state(name: str = "previous_state_c") -> Any:
    value = np.full((1, 5), 0.25, "f")
    return v1.get_variable(name, initializer=value, trainable=False)


def written_before_the_output(x: Any) -> Any:
    """As DeepSpeech's inference graph does: the output waits for the assignment."""
    before = state()
    new = cell(x, before)
    with tf.control_dependencies([v1.assign(before, new)]):
        return tf.identity(new * 2.0)


def read_after_the_write(x: Any) -> Any:
    before = state()
    with tf.control_dependencies([v1.assign(before, cell(x, before))]):
        return before.read_value() * 2.0


def of_the_assignment(x: Any) -> Any:
    before = state()
    return v1.assign(before, cell(x, before)) * 2.0


HABITS: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "before, of references": (written_before_the_output, False),
    "before, of resources": (written_before_the_output, True),
    "after, of references": (read_after_the_write, False),
    "after, of resources": (read_after_the_write, True),
    "of the assignment itself": (of_the_assignment, False),
}


def saved(folder: Path, habit: str) -> tuple[str, list[np.ndarray]]:
    """A checkpoint, and what its model says step after step."""
    build, is_resource = HABITS[habit]
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("", use_resource=is_resource):
            x = v1.placeholder(tf.float32, [1, 3], name="x")
            y = tf.identity(build(x), name="y")
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(folder / "m.ckpt"))
        return path, [session.run(y, {x: step}) for step in STEPS]


@pytest.mark.parametrize("habit", HABITS)
def test_a_state_becomes_an_input_and_an_output(habit: str, tmp_path: Path) -> None:
    path, expected = saved(tmp_path, habit)
    report = freeze_model(load(path), ["y"], tmp_path / "f.pb", states="inputs")
    assert report.outputs == ("y:0", "previous_state_c/next:0")
    assert "previous_state_c:0" in report.inputs
    message = v1.GraphDef.FromString((tmp_path / "f.pb").read_bytes())
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(message, name="")
        memory: dict[str, Any] = {}  # the first step begins as it is stored
        for step, wanted in zip(STEPS, expected):
            fetched = session.run(report.outputs, {"x:0": step, **memory})
            np.testing.assert_allclose(fetched[0], wanted, rtol=1e-5)
            memory = {"previous_state_c:0": fetched[1]}
    proof = compare(path, tmp_path / "f.pb")
    assert proof.verdict == "equal" and len(proof.outputs) == 2


@pytest.mark.parametrize("habit", HABITS)
def test_states_are_offered_as_pairs(habit: str, tmp_path: Path) -> None:
    path, _ = saved(tmp_path, habit)
    (state,) = describe_outputs(Analysis(load(path)))["states"]
    assert state == {
        "variable": "previous_state_c",
        "dtype": "float32",
        "shape": [1, 5],
        "next": "new_state:0",
        "initial": "0.25",
    }


def test_a_state_that_stays_is_said(tmp_path: Path) -> None:
    path, expected = saved(tmp_path, "before, of references")
    report = freeze_model(load(path), ["y"], tmp_path / "f.pb")
    assert report.outputs == ("y:0",)
    assert any("states previous_state_c begin" in each for each in report.remarks)
    assert compare(path, tmp_path / "f.pb").verdict == "equal"
    with pytest.raises(GraphscopeError, match="constant or inputs, not 'kept'"):
        freeze_model(load(path), ["y"], tmp_path / "f.pb", states="kept")


def test_what_training_writes_is_no_state(tmp_path: Path) -> None:
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        table = v1.placeholder(tf.float32, [3, 5], name="table")
        w, mean = kernel("w", 3), state("moving_mean")
        h = x @ w
        v1.assign(w, table)
        followed = 0.9 * mean + 0.1 * tf.reduce_mean(h, 0, keepdims=True)
        with tf.control_dependencies([v1.assign(mean, followed)]):
            tf.identity(h - mean, name="y")
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path / "m.ckpt"))
    report = freeze_model(load(path), ["y"], tmp_path / "f.pb", states="inputs")
    assert report.outputs == ("y:0",) and report.inputs == ("x:0",)


def test_the_states_of_a_stateful_keras_layer(tmp_path: Path) -> None:
    """Keras 3 gives a state's variable no name in the checkpoint: the copy that is restored is initialised from it."""
    import keras

    layers = [keras.layers.LSTM(4, stateful=True), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((5, 3), batch_size=2), *layers])
    tf.saved_model.save(model, str(tmp_path / "saved"))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("f")
    expected = [np.asarray(model(x)) for _ in range(3)]
    analysis = Analysis(load(str(tmp_path / "saved")))
    report = analysis.freeze(tmp_path / "f.pb", states="inputs")
    assert len(report.inputs) == len(report.outputs) == 3
    message = v1.GraphDef.FromString((tmp_path / "f.pb").read_bytes())
    (data,) = (n for n in report.inputs if f"{n[:-2]}/next:0" not in report.outputs)
    y, *states = report.outputs
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(message, name="")
        memory: dict[str, Any] = {}
        for wanted in expected:
            answer, *after = session.run([y, *states], {data: x, **memory})
            np.testing.assert_allclose(answer, wanted, rtol=1e-4, atol=1e-6)
            memory = {n.replace("/next", ""): v for n, v in zip(states, after)}
