"""A derivative in the file -> a layer that differentiates the part before it, equal to the file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from graphscope.analysis.results import analyse  # noqa: E402
from graphscope.verify.run.keras_source import run_source  # noqa: E402

from ...simplify.derivatives.differentiated import KINDS, written  # noqa: E402

v1 = tf.compat.v1


@pytest.mark.parametrize("kind", KINDS)
def test_the_source_differentiates(kind: str, tmp_path: Path) -> None:
    build, count = KINDS[kind]
    analysis = analyse(written(tmp_path / "net.pb", build, seed=1))
    report = analysis.write_keras(tmp_path / "keras")
    text = (tmp_path / "keras" / "model.py").read_text()
    assert text.count("Gradient(keras.Model(") == count
    assert "Shared" not in text and "Permute" not in text and not report.not_portable
    proof = analysis.prove(tmp_path / "keras")
    assert proof.passed, str(proof)


def test_of_a_checkpoint_that_was_trained_on_both(tmp_path: Path) -> None:
    """``shared/cases/outputs_forces``, kind c: what trains on the force differentiates it once more, and is gone."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 3], "coord")
        first, last = (v1.get_variable(n, s) for n, s in (("a", [3, 5]), ("b", [5, 1])))
        energy = tf.matmul(tf.tanh(tf.matmul(x, first)), last, name="energy")
        force = tf.negative(tf.gradients(energy, x)[0], name="force")
        wanted = v1.placeholder(tf.float32, [None, 1], "y")
        loss = tf.reduce_mean((energy - wanted) ** 2) + tf.reduce_mean(force**2)
        v1.train.AdamOptimizer().minimize(loss)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "net"))
    analysis = analyse(tmp_path / "net")
    report = analysis.write_keras(tmp_path / "keras")
    assert len(report.unexplained) == 1  # the sign
    assert "-Gradient(" in (tmp_path / "keras" / "model.py").read_text()
    assert analysis.prove(tmp_path / "keras").passed


def test_it_is_saved_and_loaded_with_what_it_shares(tmp_path: Path) -> None:
    import keras

    analysis = analyse(written(tmp_path / "net.pb", KINDS["burgers"][0]))
    analysis.write_keras(tmp_path / "keras")
    model = run_source(tmp_path / "keras")
    points = [np.linspace(-1, 1, 5, dtype="f")[:, None]] * 2
    model.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(again(points), model(points))
    assert len(again.weights) == len(model.weights) == 5


_ON_JAX = """
import runpy, sys
import numpy as np
model = runpy.run_path("model.py")["build_model"]()
model.load_weights("model.weights.h5")
assert "tensorflow" not in sys.modules
points = np.load("points.npy")
np.save("there.npy", np.asarray(model.predict([points, points], verbose=0)))
"""


def test_it_differentiates_on_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    analysis = analyse(written(tmp_path / "net.pb", KINDS["burgers"][0]))
    analysis.write_keras(tmp_path / "keras")
    points = np.linspace(-1, 1, 5, dtype="f")[:, None]
    np.save(tmp_path / "keras" / "points.npy", points)
    here = np.asarray(run_source(tmp_path / "keras")([points, points]))
    subprocess.run(
        [sys.executable, "-c", _ON_JAX],
        check=True,
        cwd=tmp_path / "keras",
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    there = np.load(tmp_path / "keras" / "there.npy")
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-5)
