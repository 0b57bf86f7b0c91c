"""Node names that no author would choose, huge constants, names that collide: the source builds, is harmless, and computes the same."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import analyse
from graphscope.verify import compare
from graphscope.verify.run.keras_source import check_source
from graphscope.wire import messages as proto

v1 = tf.compat.v1

NAMES = {
    "code": [
        '");import os;os.abort()#',
        "'''\n\nraise SystemExit",
        '"""\\',
        "{0}",
        "%s",
    ],
    "python": ["lambda", "None", "class", "x", "y", "inputs", "self", "print"],
    "ours": ["keras", "ops", "layers", "tf", "build_model", "Weight", "call", "name"],
    "case": ["Dense", "dense", "DENSE", "a/b", "a_b", "A/B", "a.b", "a-b"],
    "odd": ["\x00", "\u202e", "é", " ", "/", "..", "9", "_"],
    "long": ["n" * 3000, "n" * 3001, "m/" * 400 + "m", "x" * 254, "x" * 255],
}


def network(path: Path) -> list[str]:
    """Layers, ops, constants of all sizes, two outputs; returns the names of the nodes."""
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.normal(size=shape).astype("f")  # noqa: E731
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4], name="n0")
        h = tf.nn.relu(tf.matmul(x, draw(4, 5)) + draw(5))
        h = tf.matmul(h, draw(5, 6)) + draw(6)
        h = tf.concat([h, tf.math.atan2(h, tf.constant(draw(6)))], 1)
        h = h * tf.constant(draw(1, 12)) + tf.reduce_max(h, 1, keepdims=True)
        tf.nn.softmax(tf.matmul(h, draw(12, 12)), name="out_1")
        tf.math.cumsum(tf.gather(h, [3, 1, 1], axis=1), 1, name="out_2")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return [op.name for op in graph.get_operations()]


def renamed(path: Path, target: Path, names: Sequence[str]) -> dict[str, str]:
    """Write the graph with these names for its last nodes; returns what became of each."""
    message = proto.GraphDef.FromString(path.read_bytes())
    place = {
        node.name: names[i] if i < len(names) else f"n{i}"
        for i, node in enumerate(reversed(message.node))
    }
    for node in message.node:
        node.name = place[node.name]
        for slot, source in enumerate(node.input):
            name, colon, port = source.partition(":")
            node.input[slot] = place[name] + colon + port
    target.write_bytes(message.SerializeToString())
    return place


@pytest.mark.parametrize("kind", NAMES)
def test_names_are_only_names(kind: str, tmp_path: Path) -> None:
    network(tmp_path / "plain.pb")
    place = renamed(tmp_path / "plain.pb", tmp_path / "hostile.pb", NAMES[kind])
    outputs = ["out_1", "out_2"]
    found = analyse(
        tmp_path / "hostile.pb", outputs=[f"{place[name]}:0" for name in outputs]
    )
    report = found.write_keras(tmp_path / "keras")
    check_source(tmp_path / "keras" / "model.py")
    calls = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(report.source.text))
        if isinstance(node, ast.Call)
    ]
    assert not any("os." in call or "abort" in call for call in calls)
    proof = compare(tmp_path / "plain.pb", tmp_path / "keras", outputs=outputs)
    assert proof.passed, proof.outputs


def test_a_constant_of_millions_of_elements_is_a_weight(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 1, 3], name="x")
        many = np.arange(3_000_000, dtype="f").reshape(1_000_000, 3) * 1e-6
        tf.reduce_max(tf.math.atan2(x, many), 1, name="y")
    (tmp_path / "large.pb").write_bytes(graph.as_graph_def().SerializeToString())
    found = analyse(tmp_path / "large.pb")
    report = found.write_keras(tmp_path / "keras")
    assert len(report.source.text) < 5000 and report.parameters == 3_000_000
    assert found.prove(tmp_path / "keras").passed
