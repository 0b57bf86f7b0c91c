"""What a training graph says of how it was trained, held against what built it."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from graphscope.infer.training.recipe import loss_ops, training_recipe
from graphscope.infer.training.roles import Training, study_training
from graphscope.wire.nodes import graph_from_nodes

v1 = tf.compat.v1


def study(optimizer: Any, loss: Any = None) -> Training:
    """The study of a small classifier; ``optimizer`` is called on the step."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        labels = v1.placeholder(tf.int64, [None], name="labels")
        kernel = v1.get_variable("w", [4, 3], use_resource=False)
        logits = tf.matmul(x, kernel) + v1.get_variable("b", [3], use_resource=False)
        losses = (loss or classified)(labels, logits)
        step = v1.train.get_or_create_global_step()
        optimizer(step).minimize(tf.reduce_mean(losses), step)
        nodes = graph.as_graph_def().node
    return study_training(graph_from_nodes(nodes))


def classified(labels: Any, logits: Any) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def squared(labels: Any, logits: Any) -> Any:
    return v1.squared_difference(logits, tf.one_hot(labels, 3))


@pytest.mark.parametrize(
    "optimizer, name, settings",
    [
        (lambda _: v1.train.AdamOptimizer(0.01, epsilon=0.1), "Adam", {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 0.1}),
        (lambda _: v1.train.GradientDescentOptimizer(0.5), "gradient descent", {"alpha": 0.5}),
        (lambda _: v1.train.MomentumOptimizer(0.1, 0.8, use_nesterov=True), "Momentum, Nesterov", {"lr": 0.1, "momentum": 0.8}),
        (lambda _: v1.train.RMSPropOptimizer(0.1, 0.7, 0.2, 1.0), "RMSProp", {"lr": 0.1, "rho": 0.7, "momentum": 0.2, "epsilon": 1.0}),
        (lambda _: v1.train.AdagradOptimizer(0.3), "Adagrad", {"lr": 0.3}),
        (lambda step: v1.train.AdamOptimizer(v1.train.exponential_decay(0.1, step, 10, 0.9)), "Adam", {"lr": "computed from global_step"}),
        (lambda _: v1.train.AdamOptimizer(v1.placeholder(tf.float32, [], name="rate")), "Adam", {"lr": "fed through rate"}),
    ],
)  # fmt: skip
def test_an_optimizer_and_its_settings(
    optimizer: Any, name: str, settings: dict[str, Any]
) -> None:
    [entry] = training_recipe(study(optimizer))
    assert (entry["optimizer"], entry["weights"]) == (name, 2)
    assert entry["settings"] | settings == entry["settings"]
    assert entry["text"].startswith(f"{name} (")


def test_what_is_measured() -> None:
    adam = v1.train.AdamOptimizer
    assert loss_ops(study(lambda _: adam())) == ["SparseSoftmaxCrossEntropyWithLogits"]
    assert loss_ops(study(lambda _: adam(), squared)) == ["SquaredDifference"]


def test_a_graph_that_does_not_train_has_no_recipe() -> None:
    with tf.Graph().as_default() as graph:
        tf.matmul(v1.placeholder(tf.float32, [None, 4]), v1.get_variable("w", [4, 3]))
        nodes = graph.as_graph_def().node
    assert training_recipe(study_training(graph_from_nodes(nodes))) == []
