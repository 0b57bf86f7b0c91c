"""An actor and a critic as in MorvanZhou's DDPG: a layer that bears the name of a placeholder which nothing reads, and an output that something reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.cli.terminal import training_lines
from graphscope.graph import Tensor
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1


def product(x: Any, units: int, name: str) -> Any:
    with v1.variable_scope(name):
        kernel = v1.get_variable("kernel", [x.shape[-1], units], use_resource=False)
        bias = v1.get_variable("bias", [units], use_resource=False)
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        state = v1.placeholder(tf.float32, [None, 4], name="s")
        v1.placeholder(tf.float32, [None, 2], name="a")  # the author forgot it
        reward = v1.placeholder(tf.float32, [None, 1], name="r")
        with v1.variable_scope("Actor"):
            hidden = tf.nn.relu(product(state, 6, "l1"))
            action = tf.multiply(tf.tanh(product(hidden, 2, "a")), 2.0, name="scaled")
        with v1.variable_scope("Critic"):
            both = tf.nn.relu(product(state, 6, "of_s") + product(action, 6, "of_a"))
            value = product(both, 1, "q")
        error = tf.reduce_mean(tf.math.squared_difference(reward, value))
        actor, critic = (
            v1.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES, scope)
            for scope in ("Actor", "Critic")
        )
        v1.train.AdamOptimizer(0.002).minimize(error, var_list=critic)
        v1.train.AdamOptimizer(0.001).minimize(-tf.reduce_mean(value), var_list=actor)
        session.run(v1.global_variables_initializer())
        prefix = str(tmp_path_factory.mktemp("ddpg") / "model.ckpt")
        return str(v1.train.Saver().save(session, prefix))


def test_a_layer_may_bear_the_name_of_a_placeholder_that_nothing_reads(
    checkpoint: str, tmp_path: Path
) -> None:
    analysis = Analysis(load(checkpoint))
    assert analysis.model_inputs == (Tensor("s"),)
    assert "a" in [layer.name for layer in analysis.layers]
    source = analysis.write_keras(tmp_path).source
    assert [each.tensor for each in source.program.inputs] == [Tensor("s")]
    assert analysis.prove(tmp_path).passed


def test_an_output_that_something_reads_is_compared_too(
    checkpoint: str, tmp_path: Path
) -> None:
    """What was frozen has one end: by itself it speaks of the critic alone."""
    analysis = Analysis(load(checkpoint))
    assert len(analysis.outputs) == 2
    analysis.freeze(tmp_path / "frozen.pb")
    proof = compare(checkpoint, tmp_path / "frozen.pb")
    assert proof.verdict == "equal"
    assert {row["a"] for row in proof.outputs} == {*map(str, analysis.outputs)}


def test_it_is_not_told_that_an_actor_follows_the_loss_of_its_critic(
    checkpoint: str,
) -> None:
    from graphscope.analysis.documents import describe_model

    training = describe_model(Analysis(load(checkpoint)))["training"]
    lines = list(training_lines(training))
    assert len(lines) == 3 and not any(" on Squared" in line for line in lines)
    assert lines[-1] == "what one of them or more follow: SquaredDifference"


def test_a_feed_whose_name_a_layer_bears_is_fed_what_the_original_is(
    tmp_path: Path,
) -> None:
    """As feature columns scope them: ``input_layer/width/truediv`` of the placeholder ``width``, and the order differs."""
    with tf.Graph().as_default(), v1.Session() as session:
        feeds = {n: v1.placeholder(tf.float32, [None, 1], n) for n in ("width", "age")}
        scaled = []
        for name, mean in (("age", 3.0), ("width", 50.0)):
            with v1.variable_scope(f"input_layer/{name}"):
                # the same tensor once more, where the proof must feed the placeholder
                same = tf.reshape(feeds[name], [-1, 1])
                scaled.append((same - mean) / 7.0)
        y = product(tf.concat([*scaled, feeds["age"]], 1), 2, "logits")
        session.run(v1.global_variables_initializer())
        saved = str(tmp_path / "saved")
        v1.saved_model.simple_save(session, saved, feeds, {"y": y})
    analysis = Analysis(load(saved))
    analysis.write_keras(tmp_path / "keras")
    assert {"age", "width"} <= {layer.name for layer in analysis.layers}
    assert analysis.prove(tmp_path / "keras").passed
