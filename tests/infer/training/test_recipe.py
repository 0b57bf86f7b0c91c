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


def test_a_loss_that_is_only_looked_at_is_none_that_was_trained_on() -> None:
    """As cifar_model of dotnet/machinelearning-testdata: a hinge loss is trained on, a cross entropy only watched."""

    def both(labels: Any, logits: Any) -> Any:
        classified(labels, logits)
        return squared(labels, logits)

    assert loss_ops(study(lambda _: v1.train.AdamOptimizer(), both)) == [
        "SquaredDifference"
    ]


def test_a_loss_without_an_op_of_its_own() -> None:
    def distance(labels: Any, logits: Any) -> Any:
        return tf.square(logits - tf.one_hot(labels, 3))

    assert loss_ops(study(lambda _: v1.train.AdamOptimizer(), distance)) == [
        "the square of a difference"
    ]


@pytest.mark.parametrize("resource", [False, True])
def test_the_rows_of_an_embedding_are_trained_too(resource: bool) -> None:
    """Adam has no op for them: it scatters and subtracts."""
    with tf.Graph().as_default() as graph:
        ids = v1.placeholder(tf.int64, [None], name="ids")
        table = v1.get_variable("table", [9, 4], use_resource=resource)
        kernel = v1.get_variable("w", [4, 3], use_resource=resource)
        average = tf.train.ExponentialMovingAverage(0.9)
        logits = tf.matmul(tf.nn.embedding_lookup(table, ids), kernel)
        v1.train.AdamOptimizer().minimize(tf.reduce_mean(tf.square(logits)))
        average.apply([table, kernel])
        nodes = graph.as_graph_def().node
    [entry] = training_recipe(study_training(graph_from_nodes(nodes)))
    assert entry["weights"] == 2


def test_what_a_variable_holds_is_told() -> None:
    def with_rate(_: Any) -> Any:
        rate = v1.get_variable("rate", [], use_resource=False)
        return v1.train.GradientDescentOptimizer(rate)

    [entry] = training_recipe(study(with_rate), {"rate": 0.125}.get)
    assert entry["text"].startswith("gradient descent (lr 0.125 in the variable rate;")
