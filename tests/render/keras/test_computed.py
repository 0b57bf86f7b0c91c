"""What somebody computed is no weight that training changes; what may have been trained is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import graphscope
from graphscope.ops.constants import is_computed

v1 = tf.compat.v1
RNG = np.random.default_rng(0)
POSITIONS = np.arange(16)[:, None] / 100 ** (np.arange(4) / 4)
TABLE = np.concatenate([np.sin(POSITIONS), np.cos(POSITIONS)], 1).astype("f")
SOBEL = np.float32([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])[..., None, None] / 8
COMPUTED = {
    "identity": np.eye(6, dtype="f"),
    "sobel": SOBEL,
    "positions": TABLE,
    "ramp": np.linspace(0, 3, 24, dtype="f").reshape(8, 3).copy(),
    "gauss": np.outer([1, 2, 1], [1, 2, 1]).astype("f") / 16,
}
TRAINED = {
    "normal": RNG.normal(size=(8, 4)).astype("f"),
    "uniform": RNG.uniform(size=(3, 3, 1, 1)).astype("f"),
    "not yet": np.zeros((8, 4), "f"),
    "few": np.float32([0.1, 0.2]),
    "noisy positions": TABLE + RNG.normal(size=TABLE.shape).astype("f") / 20,
    "pruned": RNG.normal(size=(8, 4)).astype("f") * (RNG.uniform(size=(8, 4)) > 0.7),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_what_a_formula_gives(name: str) -> None:
    assert is_computed(COMPUTED[name])


@pytest.mark.parametrize("name", TRAINED)
def test_what_no_formula_gives(name: str) -> None:
    assert not is_computed(TRAINED[name])


@pytest.mark.parametrize("kernel", [SOBEL, TRAINED["uniform"]])
def test_a_kernel_is_trainable_unless_it_is_computed(
    kernel: np.ndarray, tmp_path: Path
) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 9, 9, 1], name="x")
        edges = tf.nn.relu(tf.nn.conv2d(x, tf.constant(kernel), 1, "SAME"))
        dense = tf.constant(RNG.normal(size=(81, 3)).astype("f"))
        tf.identity(tf.reshape(edges, [-1, 81]) @ dense, name="y")
    (tmp_path / "net.pb").write_bytes(graph.as_graph_def().SerializeToString())
    analysis = graphscope.analyse(tmp_path / "net.pb")
    analysis.write_keras(tmp_path / "keras")
    assert analysis.prove(tmp_path / "keras").passed
    text = (tmp_path / "keras" / "model.py").read_text()
    assert text.count("trainable=False") == (kernel is SOBEL)
