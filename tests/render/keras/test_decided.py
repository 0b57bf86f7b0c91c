"""Conditions that sizes decide, constants that others read too, and tiles of one: what Hugging Face's models are full of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.read import load

v1 = tf.compat.v1


def written(build: Callable[[], Any], folder: Path) -> str:
    """The source, after the proof that it computes the same."""
    with tf.Graph().as_default() as graph:
        tf.identity(build(), "result")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    found = Analysis(load(str(path)), outputs=["result"])
    report = found.write_keras(folder / "keras")
    assert found.prove(folder / "keras").passed
    return report.source.text


def cond(predicate: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    """As freezing lowers it: Switch and Merge."""
    v1.disable_control_flow_v2()
    try:
        return v1.cond(predicate, yes, no)
    finally:
        v1.enable_control_flow_v2()


def sequence() -> Any:
    return v1.placeholder(tf.float32, [None, None, 4], "x")


def test_a_condition_that_sizes_decide_is_gone(tmp_path: Path) -> None:
    """DeBERTa asks whether there are as many queries as keys, which are made of one sequence."""

    def decided() -> Any:
        x = sequence()
        queries, keys = tf.nn.relu(x), tf.nn.tanh(x)
        differ = tf.not_equal(tf.shape(queries)[1], tf.shape(keys)[1])
        return cond(differ, lambda: tf.reduce_sum(keys, 1), lambda: queries * keys)

    source = written(decided, tmp_path)
    assert "tf.cond" not in source and "sum" not in source


def test_a_condition_that_a_run_decides_stays(tmp_path: Path) -> None:
    def undecided() -> Any:
        x = sequence()
        long = tf.greater(tf.shape(x)[1], 3)
        return cond(long, lambda: x[..., :2], lambda: x * 2.0)

    assert "tf.cond" in written(undecided, tmp_path)


def test_a_constant_is_itself_whoever_else_reads_it(tmp_path: Path) -> None:
    """MPNet's buckets and the split into heads read one constant, once Grappler has seen it."""

    def shared() -> Any:
        eight = tf.constant(8)
        x = v1.placeholder(tf.int32, [None, None], "x")
        bound = tf.linalg.band_part(tf.fill([2, 2], eight), -1, 0)
        places = tf.range(tf.shape(x)[1])
        far = places[None] - places[:, None]
        near = tf.where(tf.less(far, eight), far, tf.minimum(far, eight))
        return tf.reduce_sum(near) + tf.minimum(x, eight) + tf.reduce_sum(bound)

    written(shared, tmp_path)


def test_what_is_one_long_is_broadcast(tmp_path: Path) -> None:
    """The token of the class, repeated for each example."""

    def token() -> Any:
        x = v1.placeholder(tf.float32, [None, 3, 4], "x")
        first = tf.constant(np.arange(4, dtype="f").reshape(1, 1, 4))
        return tf.concat([tf.tile(first, [tf.shape(x)[0], 1, 1]), x], 1)

    source = written(token, tmp_path)
    assert "ops.broadcast_to" in source and "ops.tile" not in source
