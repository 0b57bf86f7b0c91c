"""Draws that meet both sides of every threshold, and what is said of those that none can meet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from graphscope.verify import Verification, compare

v1 = tf.compat.v1


def written(path: Path, build: Callable[[Any], Any], shape: Any = (None, 4)) -> Path:
    with tf.Graph().as_default() as graph:
        tf.identity(build(v1.placeholder(tf.float32, shape, name="x")), name="y")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def compared(folder: Path, a: Callable[[Any], Any], b: Any = None) -> Verification:
    first = written(folder / "a.pb", a)
    return compare(first, written(folder / "b.pb", b or a))


@pytest.mark.parametrize(
    "a, b",
    [
        (lambda x: tf.nn.relu6(0.5 * x), lambda x: tf.nn.relu(0.5 * x)),
        (lambda x: tf.nn.relu(0.5 * x), lambda x: tf.nn.relu6(0.5 * x)),
        (lambda x: tf.minimum(x, 8.0), lambda x: x),
        (lambda x: tf.maximum(0.1 * x, -1.5), lambda x: 0.1 * x),
        (lambda x: tf.clip_by_value(x / 255, -0.1, 0.9), lambda x: x / 255),
        (lambda x: tf.where(x > 20.0, x, 2.0 * x), lambda x: 2.0 * x),
    ],
)
def test_the_far_side_is_met(a: Any, b: Any, tmp_path: Path) -> None:
    assert not compared(tmp_path, a, b).passed
    own = compared(tmp_path, a)
    assert own.passed and not own.one_sided


def test_what_no_draw_can_meet_is_named(tmp_path: Path) -> None:
    found = compared(tmp_path, lambda x: tf.nn.relu6(tf.tanh(x), name="never_6"))
    assert found.passed and found.one_sided == ("never_6",)
    assert found.to_json()["one_sided"] == ["never_6"]


def test_what_overflows_is_left_out(tmp_path: Path) -> None:
    """Large numbers are drawn for the sake of the clip; that they overflow elsewhere is no difference."""
    found = compared(tmp_path, lambda x: tf.exp(9.0 * x) + tf.minimum(x, 9.0))
    assert found.passed and len(found.drawn) == 3


def test_thresholds_inside_a_condition_are_not_asked(tmp_path: Path) -> None:
    """What is in a branch that was not taken has no value; fetching it would end the run."""
    v1.disable_control_flow_v2()

    def build(x: Any) -> Any:
        mode = v1.placeholder_with_default(False, [], name="mode")
        taken = v1.cond(mode, lambda: tf.nn.relu6(x), lambda: tf.nn.relu(x))
        return tf.minimum(taken, 0.5, name="outside")

    path = written(tmp_path / "a.pb", build)
    found = compare(path, path, outputs=["y"])
    assert found.passed and not found.one_sided
