"""Conds between tensors whose sizes the graph leaves open, and of which only a run knows whether they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
v1 = tf.compat.v1

from graphscope import analyse  # noqa: E402
from graphscope.verify.run.keras_source import run_source  # noqa: E402


@pytest.fixture(autouse=True)
def switches() -> Iterator[None]:
    """Conds of Switch and Merge, as every frozen graph has them."""
    before = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    yield
    if before:
        v1.enable_control_flow_v2()


def is_long(x: Any) -> Any:
    return tf.shape(x)[1] > 4


def halved(x: Any) -> Any:
    return v1.cond(is_long(x), lambda: tf.tanh(x)[:, ::2], lambda: x)


def nested(x: Any) -> Any:
    """As Funnel pools: the same question, asked of what its first answer gave."""
    long = is_long(x)
    shorter = v1.cond(long, lambda: tf.tanh(x)[:, ::2], lambda: x[:, :1])
    return v1.cond(long, lambda: shorter + 1.0, lambda: shorter)


def padded(x: Any) -> Any:
    """As Longformer fills its last window."""
    missing = -tf.shape(x)[1] % 4

    def filled() -> Any:
        return tf.concat([x, tf.zeros([tf.shape(x)[0], missing, 3])], axis=1)

    return tf.reverse(v1.cond(missing > 0, filled, lambda: x), [1])


def either(x: Any) -> Any:
    """Both sides are one tensor: there is no question."""
    return tf.tanh(v1.cond(is_long(x), lambda: tf.identity(x), lambda: x))


def never(x: Any) -> Any:
    """No size makes it true, and the side that is never taken has another shape."""
    return v1.cond(tf.shape(x)[1] < 0, lambda: x[:, ::2], lambda: tf.tanh(x))


@pytest.mark.parametrize(
    "build, conditions",
    [(halved, 1), (nested, 2), (padded, 1), (either, 0), (never, 0)],
)
def test_each_length_has_the_side_that_it_chooses(
    build: Callable[[Any], Any], conditions: int, tmp_path: Path
) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, None, 3], "x")
        y = tf.identity(build(x), name="y")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    report = analyse(path, outputs=["y"]).write_keras(tmp_path / "keras")
    model = run_source(tmp_path / "keras")
    for length in (2, 4, 5, 8):
        batch = np.random.default_rng(length).normal(size=(2, length, 3))
        got = np.asarray(model(batch.astype("float32")))
        with v1.Session(graph=graph) as session:
            want = session.run(y, {x: batch})
        np.testing.assert_allclose(got, want, atol=1e-6)
    names = [step.class_name for step in report.source.program.steps]
    assert sum(name.startswith("Cond") for name in names) == conditions, names
