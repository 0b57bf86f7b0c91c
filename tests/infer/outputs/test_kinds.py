"""Kinds of graphs on which an output was missed, or a false one offered; each was red before its mechanism was mended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tensorflow.compat.v1 as tf

from graphscope.infer.outputs.answer import Candidates
from graphscope.infer.outputs.find import find_outputs
from tests.infer.training.training_graphs import build_model, data, dense, known, weight


def answer(build: Callable[[], object]) -> Candidates:
    tf.disable_control_flow_v2()
    try:
        return find_outputs(build_model(lambda: build() or known([]))[0])
    finally:
        tf.enable_control_flow_v2()


def best(build: Callable[[], object]) -> set[str]:
    return {str(c.tensor).removesuffix(":0") for c in answer(build).best()}


def kinds(build: Callable[[], object]) -> dict[str, str]:
    return {c.tensor.node: c.kind for c in answer(build).inputs}


def minimise(loss) -> None:
    tf.train.AdamOptimizer().minimize(loss)


@pytest.mark.parametrize("trained", ["no", "energy", "energy and force"])
def test_a_force_is_an_output_trained_on_or_not(trained: str) -> None:
    def build() -> None:
        x, y = data(None, 3, name="coord"), data(None, 1, name="y")
        energy = tf.identity(
            tf.matmul(tf.tanh(tf.matmul(x, weight(3, 5))), weight(5, 1)), "energy"
        )
        force = tf.negative(tf.gradients(energy, x)[0], "force")
        loss = tf.reduce_mean(tf.square(energy - y))
        if trained == "energy and force":
            loss += tf.reduce_mean(tf.square(force))
        minimise(loss) if trained != "no" else None

    assert best(build) == {"energy", "force"}


def test_a_policy_gradient_is_no_output() -> None:
    def build() -> None:
        x, act = data(None, 4, name="x"), data(None, 2, name="act")
        mean = tf.identity(dense(dense(x, 8, tf.nn.tanh), 2), "mean")
        loss = tf.reduce_mean(tf.square(mean - act))
        parts = tf.gradients(loss, tf.trainable_variables())
        tf.concat([tf.reshape(g, [-1]) for g in parts], 0, name="flatgrad")

    assert best(build) == {"mean"} and kinds(build)["act"] == "label"


def test_gradients_left_behind_the_output_are_none() -> None:
    def build() -> None:
        x = data(None, 4, name="x")
        y = tf.nn.softmax(dense(dense(x, 8, tf.nn.relu), 3), name="y")
        tf.gradients(y, tf.trainable_variables())

    assert best(build) == {"y"}


@pytest.mark.parametrize("clamp", ["clip", "relu", "minimum"])
def test_the_last_clamp_belongs_to_the_prediction(clamp: str) -> None:
    def build() -> None:
        x = data(None, 8, name="x")
        y = dense(dense(x, 3, tf.nn.relu), 8)
        forms = {
            "clip": lambda: tf.clip_by_value(tf.nn.relu(y), 0.0, 1.0, name="out"),
            "relu": lambda: tf.nn.relu(y, name="out"),
            "minimum": lambda: tf.minimum(y, 1.0, name="out"),
        }
        minimise(tf.nn.l2_loss(forms[clamp]() - x))

    assert best(build) == {"out"}


def test_a_clamp_before_a_logarithm_is_the_losses() -> None:
    def build() -> None:
        x, t = data(None, 4, name="x"), data(None, 3, name="t")
        p = tf.nn.softmax(dense(x, 3), name="prob")
        q = tf.clip_by_value(p / tf.reduce_sum(p, 1, keepdims=True), 1e-7, 1.0)
        minimise(-tf.reduce_mean(tf.reduce_sum(t * tf.log(q), 1)))

    assert best(build) == {"prob"} and kinds(build)["t"] == "label"


def test_a_percentage_of_an_unshaped_label_measures() -> None:
    def build() -> None:
        x, t = tf.placeholder(tf.float32, name="x"), tf.placeholder(
            tf.float32, name="t"
        )
        y = tf.squeeze(tf.matmul(tf.reshape(x, [-1, 4]), weight(4, 1)), name="yhat")
        tf.multiply((y - t) / t, 100.0)
        minimise(tf.nn.l2_loss(y - t))

    assert best(build) == {"yhat"} and kinds(build)["t"] == "label"


@pytest.mark.parametrize("log", [True, False])
def test_a_masked_policy_is_an_output_and_its_mask_an_input(log: bool) -> None:
    def build() -> None:
        x, mask = data(None, 3, name="obs"), data(None, 4, name="m")
        p = tf.nn.softmax(tf.matmul(x, weight(3, 4))) * mask
        p = p / tf.reduce_sum(p, 1, keepdims=True)
        tf.identity(tf.log(p + 1e-8) if log else p, "action")

    assert best(build) == {"action"} and kinds(build)["m"] == "data"


@pytest.mark.parametrize("loops", [3, 6])
def test_chained_loops(loops: int) -> None:
    """Three rounds of dependence were made: behind a third loop nothing was a candidate."""

    def build() -> None:
        h = data(None, 5, name="x")
        for i in range(loops):
            w = weight(5, 5, name=f"w{i}")
            body = lambda n, v, w=w: (n + 1, tf.tanh(tf.matmul(v, w)))  # noqa: E731
            _, h = tf.while_loop(lambda n, v: n < 3, body, (0, h))
        tf.identity(h, "y")

    assert best(build) == {"y"}


def test_an_unread_exit_of_a_loop_is_no_output() -> None:
    def build() -> None:
        x, w = data(None, 5, name="x"), weight(5, 5)
        body = lambda n, v, u: (n + 1, tf.tanh(tf.matmul(v, w)), u + v)  # noqa: E731
        loop = tf.while_loop(lambda n, v, u: n < 3, body, (0, x, x))
        dense(tf.reshape(loop[1], [-1, 5]), 2, name="out")

    assert all("Exit" not in str(c.tensor) for c in answer(build).outputs)


def test_what_only_a_summary_reads_is_offered_with_the_reason() -> None:
    def build() -> None:
        y = dense(data(None, 16, name="x"), 16)
        tf.summary.image("y", tf.reshape(y, [-1, 4, 4, 1]))

    found = answer(build)
    assert found.outputs and "summary" in found.remarks[0]


@pytest.mark.parametrize("kind", ["less", "all", "shape"])
def test_results_of_op_graphs(kind: str) -> None:
    def build() -> None:
        a = tf.placeholder(tf.bool if kind == "all" else tf.float32, [2, 3], name="a")
        made = {
            "less": lambda: tf.less(a, 1.0),
            "all": lambda: tf.reduce_all(a),
            "shape": lambda: tf.shape(a),
        }
        tf.identity(made[kind](), "output")

    assert best(build) == {"output"}


def test_a_sampler_is_preferred_to_the_generator_in_training() -> None:
    def build() -> None:
        z, real = data(None, 5, name="z"), data(None, 8, name="real")
        with tf.variable_scope("g"):
            w = weight(5, 8)

        def generator(noise: object) -> object:
            return tf.tanh(tf.matmul(noise, w))

        with tf.variable_scope("d"):
            v = weight(8, 1)
        fake, sampler = generator(tf.nn.dropout(z, rate=0.1)), generator(z)
        judged = tf.matmul(fake, v)
        d_loss = tf.reduce_mean(judged) - tf.reduce_mean(tf.matmul(real, v))
        tf.train.AdamOptimizer().minimize(d_loss, var_list=[v])
        tf.train.AdamOptimizer().minimize(-tf.reduce_mean(judged), var_list=[w])
        tf.identity(sampler, "sampler")

    assert "sampler" in best(build)


def test_evidence_sums_up_to_what_orders() -> None:
    def build() -> None:
        x, t = data(None, 4, name="x"), data(None, 3, name="t")
        logits = dense(x, 3)
        tf.nn.softmax(logits, name="prob")
        minimise(
            tf.reduce_mean(
                tf.nn.softmax_cross_entropy_with_logits_v2(labels=t, logits=logits)
            )
        )

    first, *rest = answer(build).outputs
    assert first.evidence and all(e.text for e in first.evidence)
    assert sum(e.points for e in first.evidence) > sum(
        e.points for e in rest[-1].evidence
    )


@pytest.mark.slow
def test_styles_of_published_code() -> None:
    """Of 78 graphs in the styles of published code, as many as when this was written; see benchmarks/outputs.py."""
    from tests.infer.training.fetches.zoo import all_styles, build_style

    right = 0
    for name in all_styles():
        model, fetches = build_style(name)
        first = find_outputs(model).outputs[:1]
        right += any(str(c.tensor).removesuffix(":0") in fetches.first for c in first)
    assert right >= 76
