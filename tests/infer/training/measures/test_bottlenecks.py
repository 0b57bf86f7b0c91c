"""Bottlenecks: the tensors through which all that is learned reaches a loss, and what clipped gradients leave of them."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow.compat.v1 as tf

from graphscope.infer.training.roles import study_training
from tests.infer.training.training_graphs import Known, data, dense, known, model_of


def necks(build: Callable[[], Known]) -> set[str]:
    model, _ = model_of(build)
    study = study_training(model.graph)
    return {study.flow.names[i] for i in study.losses.necks}


def twice_in_one_loss() -> Known:
    """Scores that a loss takes in two forms: one bottleneck."""
    x, y = data(None, 4, name="x"), data(None, 3, name="y")
    scores = tf.identity(dense(dense(x, 8, tf.nn.relu), 3), "scores")
    sums = tf.reduce_logsumexp(scores, 1) - tf.reduce_sum(scores * y, 1)
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(sums))
    return known(["scores"])


def painted_by_fixed_features() -> Known:
    """A picture that only constants judge: no later layer, whatever the constants filter."""
    x = data(None, 8, name="x")
    picture = tf.tanh(dense(x, 8), "picture")
    fixed = tf.constant([[0.1 * i + j for i in range(5)] for j in range(8)])
    seen, wanted = tf.matmul(picture, fixed), tf.matmul(x, fixed)
    loss = tf.nn.l2_loss(seen - wanted) + tf.nn.l2_loss(
        picture[:, 1:] - picture[:, :-1]
    )
    tf.train.AdamOptimizer().minimize(loss)
    return known(["picture"])


def test_a_prediction_read_in_two_forms_is_one_bottleneck() -> None:
    assert necks(twice_in_one_loss) == {"scores"}


def test_features_that_nobody_trains_make_no_layer() -> None:
    assert necks(painted_by_fixed_features) == {"picture"}


def clipped_biases() -> Known:
    """The gradient of an added bias needs no op of its own; by norm it is clipped, and the norm is summarised."""
    x, y = data(None, 4, name="x"), data(None, dtype=tf.int64, name="y")
    w = tf.get_variable("w", [4, 3])
    b = tf.get_variable("b", [3])
    scores = tf.identity(tf.matmul(x, w) + b, "scores")
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=scores)
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(tf.reduce_sum(ce) / 4, variables), 5)
    tf.train.AdamOptimizer().apply_gradients(zip(grads, variables))
    for grad in grads:
        tf.summary.histogram("norm", tf.linalg.global_norm([grad]))
    return known(["scores"], labels=["y"])


def test_a_clip_by_norm_hides_no_step_of_the_backward_pass() -> None:
    model, _ = model_of(clipped_biases)
    roles = study_training(model.graph).named_roles()
    named = [
        n for n in model.graph if n.startswith("gradients/") and model.graph.inputs(n)
    ]
    assert [n for n in named if n not in roles] == []
    assert necks(clipped_biases) == {"scores"}
