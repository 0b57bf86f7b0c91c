"""A checkpoint that has to be run otherwise than it lies there is compared so, and what that was and costs is said."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.errors import GraphscopeError
from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1


@pytest.mark.parametrize("habit", ["batch norm", "dropout"])
def test_a_graph_that_only_trains(tmp_path, habit):
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2, 2, 3], name="x")
        mean, variance, scale = (
            v1.get_variable(n, initializer=np.float32([1, 2, 3]), use_resource=False)
            for n in ("mean", "variance", "scale")
        )
        if habit == "dropout":
            y = tf.nn.dropout(x * scale, 0.5)
        else:
            y, m, v = v1.nn.fused_batch_norm(x, scale, tf.zeros([3]))
            for moving, batch in ((mean, m), (variance, v)):
                v1.assign_sub(moving, (moving - batch) * 0.1)
        tf.identity(y, name="y")
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path / "m.ckpt"))
    freeze_model(load(path), ["y"], tmp_path / "f.pb")
    proof = compare(path, tmp_path / "f.pb")
    assert proof.passed and proof.apart_from_stored > 0.01
    change, reason = {
        "dropout": ("no dropout", "the file drops at random"),
        "batch norm": ("moving statistics", "with the statistics of the batch"),
    }[habit]
    assert change in proof.run_with[0] and reason in proof.because
    said = proof.stored()
    assert said.startswith("differs from the file as stored by ") and reason in said
    assert change in proof.account() and said == proof.to_json()["stored"]
    freeze_model(load(path), ["y"], tmp_path / "as-is.pb", as_is=True)
    proof = compare(path, tmp_path / "as-is.pb")
    assert not proof.run_with and not proof.stored()
    assert proof.passed or habit == "dropout"


@pytest.fixture(scope="module")
def averaged(tmp_path_factory) -> str:
    """A checkpoint of a trained layer and its moving average, which nothing but their update reads."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        w = v1.get_variable("w", initializer=np.ones((4, 3), "f"), use_resource=False)
        y = tf.tanh(tf.matmul(x, w), name="y")
        loss = tf.reduce_mean(tf.square(y))
        step = v1.train.GradientDescentOptimizer(1.0).minimize(loss)
        with tf.control_dependencies([step]):
            train = tf.train.ExponentialMovingAverage(0.5).apply([w])
        session.run(v1.global_variables_initializer())
        for _ in range(3):
            session.run(train, {x: np.random.default_rng(1).normal(size=(8, 4))})
        folder = tmp_path_factory.mktemp("averaged")
        return v1.train.Saver().save(session, str(folder / "m.ckpt"))


@pytest.mark.parametrize("choice", ["auto", "raw", "ema"])
def test_keras_and_freeze_choose_the_same_weights_and_say_which(
    averaged, tmp_path, choice
):
    analysis = Analysis(load(averaged), outputs=["y"])
    frozen = analysis.freeze(tmp_path / "f.pb", weights=choice)
    written = analysis.write_keras(tmp_path / "k", weights=choice)
    assert compare(tmp_path / "f.pb", tmp_path / "k").passed
    expected = "raw" if choice == "raw" else "ema"
    assert frozen.weights == written.choice_of_weights == expected
    texts = [*(change.what for change in frozen.changes), *frozen.remarks]
    for said in (texts, written.remarks):
        (choice_text,) = [text for text in said if "exponential moving average" in text]
        assert ("raw ones" in choice_text) is (choice == "raw")
    assert choice_text in " ".join((tmp_path / "k" / "model.py").read_text().split())
    for proof in (analysis.prove(tmp_path / "k"), compare(averaged, tmp_path / "f.pb")):
        assert proof.passed
        is_other = choice != "raw"
        assert bool(proof.run_with) is is_other
        assert ("the moving averages of weights" in proof.account()) is is_other
        assert not is_other or proof.apart_from_stored > 0.01
        assert not is_other or "the file's own graph reads the raw" in proof.stored()


def test_averages_that_are_insisted_on_must_be_there(tmp_path):
    with tf.Graph().as_default() as graph:
        tf.identity(v1.placeholder(tf.float32, [3], name="x") * 2.0, name="y")
    (tmp_path / "g.pb").write_bytes(graph.as_graph_def().SerializeToString())
    with pytest.raises(GraphscopeError, match="holds no exponential moving averages"):
        Analysis(load(str(tmp_path / "g.pb"))).write_keras(tmp_path, weights="ema")


def test_a_target_network_is_no_average_of_the_network_that_acts(tmp_path):
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        acting, target = (
            v1.get_variable(name, initializer=value, use_resource=False)
            for name, value in (
                ("acting", np.ones((4, 3), "f")),
                ("t", 2 * np.ones((4, 3), "f")),
            )
        )
        q = tf.matmul(x, acting, name="q")
        error = q - 0.9 * tf.stop_gradient(tf.reduce_max(tf.matmul(x, target)))
        loss = tf.reduce_mean(tf.square(error))
        v1.train.AdamOptimizer().minimize(loss)
        v1.assign(target, 0.99 * target + 0.01 * acting)
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path / "m.ckpt"))
    assert freeze_model(load(path), ["q"], tmp_path / "f.pb").weights == "raw"
    assert compare(path, tmp_path / "f.pb").passed
