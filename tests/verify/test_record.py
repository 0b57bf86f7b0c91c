"""What is left in ``verification.json`` where nothing could be compared."""

from __future__ import annotations

import json

import pytest
import tensorflow as tf

from graphscope.analysis.results import analyse
from graphscope.errors import NotRunnable


def test_a_source_that_tensorflow_cannot_run_is_told_in_the_record(tmp_path):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], name="x")
        y = tf.reshape(x, [37, -1, 4])  # nobody guesses a batch of 37
        tf.tanh(y, name="y")
    (tmp_path / "a.pb").write_bytes(graph.as_graph_def().SerializeToString())
    found = analyse(tmp_path / "a.pb")
    found.write_keras(tmp_path / "keras")
    with pytest.raises(NotRunnable, match="cannot be run"):
        found.prove(tmp_path / "keras")
    record = json.loads((tmp_path / "keras" / "verification.json").read_text())
    assert record["passed"] is None and "cannot be run" in record["reason"]
