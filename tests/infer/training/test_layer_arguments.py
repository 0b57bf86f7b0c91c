"""Regularizers and momentum, from the training graphs in which people left them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse
from graphscope.analysis.results import Analysis

v1 = tf.compat.v1


def saved(build: Callable[[], Any], folder: Path) -> Analysis:
    """A checkpoint with its .meta; ``build`` returns the output and the loss, or the output alone."""
    made = tf.Graph()
    with made.as_default(), v1.Session(graph=made) as session:
        found = build()
        output, loss = found if isinstance(found, tuple) else (found, None)
        output = tf.identity(output, name="out")
        if loss is not None:
            updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
            with tf.control_dependencies(updates):
                v1.train.GradientDescentOptimizer(0.1).minimize(loss)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "model.ckpt"))
    return analyse(str(folder / "model.ckpt"), outputs=["out"])


def config(analysis: Analysis, name: str) -> dict[str, Any]:
    """The config of the one layer of that class."""
    return dict(next(each for each in analysis.layers if each.op == name).attrs)


def data() -> tuple[Any, Any]:
    x = v1.placeholder(tf.float32, (None, 5), name="x")
    return x, v1.placeholder(tf.float32, (None, 3), name="y")


def weights() -> tuple[Any, Any]:
    return v1.get_variable("w", (5, 3)), v1.get_variable("b", (3,))


def penalised(penalty: Callable[[Any, Any], Any]) -> Callable[[], Any]:
    """A Dense layer whose loss is a mean of squares and the penalty of its two variables."""

    def build() -> Any:
        (x, y), (w, b) = data(), weights()
        made = tf.matmul(x, w) + b
        return made, tf.reduce_mean(tf.square(made - y)) + penalty(w, b)

    return build


def listed(w: Any, b: Any) -> Any:
    """CIFAR-10's tutorial: each term in a collection, all summed at the end."""
    v1.add_to_collection("losses", tf.multiply(tf.nn.l2_loss(w), 0.02, name="decay"))
    return tf.add_n(v1.get_collection("losses"), name="total")


def kernel(**given: float) -> dict[str, Any]:
    name = "".join(each.upper() for each in given)
    return {"kernel_regularizer": {"class_name": name, "config": given}}


PENALTIES = {
    "half the squares": (lambda w, b: 0.02 * tf.nn.l2_loss(w), kernel(l2=0.01)),
    "squares": (lambda w, b: 0.02 * tf.reduce_sum(tf.square(w)), kernel(l2=0.02)),
    "a product": (lambda w, b: tf.reduce_sum(w * w) / 50, kernel(l2=0.02)),
    "a mean": (lambda w, b: 0.3 * tf.reduce_mean(tf.square(w)), kernel(l2=0.02)),
    "absolutes": (lambda w, b: 0.1 * tf.reduce_sum(tf.abs(w)), kernel(l1=0.1)),
    "both": (
        lambda w, b: 0.1 * tf.reduce_sum(tf.abs(w)) + 0.02 * tf.nn.l2_loss(w),
        kernel(l1=0.1, l2=0.01),
    ),
    "of all variables": (
        lambda w, b: 0.02 * tf.add_n([tf.nn.l2_loss(v) for v in (w, b)]),
        kernel(l2=0.01)
        | {"bias_regularizer": {"class_name": "L2", "config": {"l2": 0.01}}},
    ),
    "in a collection": (listed, kernel(l2=0.01)),
    "stacked": (
        lambda w, b: tf.reduce_sum(tf.stack([0.02 * tf.nn.l2_loss(w)])),
        kernel(l2=0.01),
    ),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_of_the_loss_is_a_regularizer(name: str, tmp_path: Path) -> None:
    penalty, wanted = PENALTIES[name]
    found = config(saved(penalised(penalty), tmp_path), "Dense")
    assert {k: v for k, v in found.items() if k.endswith("regularizer")} == wanted


def schedule(w: Any, b: Any) -> Any:
    return v1.placeholder(tf.float32, (), name="rate") * tf.nn.l2_loss(w)


NONE = {
    "a rate that is fed": schedule,
    "of a part": lambda w, b: 0.02 * tf.nn.l2_loss(w[:2]),
    "along one axis": lambda w, b: tf.norm(tf.reduce_sum(tf.square(w), 0)),
    "of an activation": lambda w, b: 0.02 * tf.nn.l2_loss(tf.nn.relu(w)),
    "a reward": lambda w, b: -0.02 * tf.nn.l2_loss(w),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_constant_penalty_is_no_regularizer(
    name: str, tmp_path: Path
) -> None:
    found = config(saved(penalised(NONE[name]), tmp_path), "Dense")
    assert not [key for key in found if key.endswith("regularizer")]


def test_a_norm_that_is_only_watched_is_no_regularizer(tmp_path: Path) -> None:
    def build() -> Any:
        (x, y), (w, b) = data(), weights()
        v1.summary.scalar("norm", 0.5 * tf.nn.l2_loss(w))
        made = tf.matmul(x, w) + b
        return made, tf.reduce_mean(tf.square(made - y))

    assert "kernel_regularizer" not in config(saved(build, tmp_path), "Dense")


def test_towers_that_share_a_weight_count_once(tmp_path: Path) -> None:
    def build() -> Any:
        (x, y), (w, b) = data(), weights()
        made, losses = tf.matmul(x, w) + b, []
        for half in tf.split(tf.square(made - y), 3, axis=1):
            losses.append(tf.reduce_mean(half) + 0.02 * tf.nn.l2_loss(w))
        return made, tf.add_n(losses)

    found = config(saved(build, tmp_path), "Dense")
    assert found["kernel_regularizer"]["config"] == {"l2": 0.01}


def slim() -> Any:
    name = "tf_keras.legacy_tf_layers"
    if name not in sys.modules:
        sys.modules[name] = import_module("tf_keras.src.legacy_tf_layers")
        for part in ("base", "convolutional", "core", "normalization", "pooling"):
            module = import_module(f"tf_keras.src.legacy_tf_layers.{part}")
            sys.modules[f"{name}.{part}"] = module
    return import_module("tf_slim")


def tf_layers(part: str) -> Any:
    return import_module(f"tf_keras.src.legacy_tf_layers.{part}")


def by_slim() -> Any:
    """slim's arg scopes: the penalties are in the collection, the total is slim's."""
    s, (x, y) = slim(), data()
    options = {
        "weights_regularizer": s.l2_regularizer(0.02),
        "biases_regularizer": s.l1_regularizer(0.1),
    }
    made = s.fully_connected(x, 3, activation_fn=None, **options)
    v1.losses.mean_squared_error(y, made)
    return made, v1.losses.get_total_loss()


def by_keras_2() -> Any:
    """tf.keras under a graph of TensorFlow 1."""
    keras, (x, y) = import_module("tf_keras"), data()
    rates = keras.regularizers
    dense = keras.layers.Dense(
        3, kernel_regularizer=rates.L2(0.01), bias_regularizer=rates.L1(0.1)
    )
    made = dense(x)
    return made, tf.reduce_mean(tf.square(made - y)) + tf.add_n(dense.losses)


def by_tf_layers() -> Any:
    (x, y), rate = data(), 0.02
    made = tf_layers("core").dense(
        x,
        3,
        kernel_regularizer=lambda w: rate * tf.nn.l2_loss(w),
        bias_regularizer=lambda b: 0.1 * tf.reduce_sum(tf.abs(b)),
    )
    kept = v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)
    return made, tf.reduce_mean(tf.square(made - y)) + tf.add_n(kept)


@pytest.mark.parametrize("build", [by_slim, by_keras_2, by_tf_layers])
def test_the_regularizers_of_a_library_come_back(
    build: Callable[[], Any], tmp_path: Path
) -> None:
    found = config(saved(build, tmp_path), "Dense")
    assert found["kernel_regularizer"] == {"class_name": "L2", "config": {"l2": 0.01}}
    assert found["bias_regularizer"] == {"class_name": "L1", "config": {"l1": 0.1}}


def test_penalties_kept_for_later_are_regularizers(tmp_path: Path) -> None:
    """An evaluation graph: nothing trains, but the collection of regularization losses is filled."""
    s = slim()

    def build() -> Any:
        x, _ = data()
        rate = s.l2_regularizer(0.02)
        return s.fully_connected(x, 3, activation_fn=None, weights_regularizer=rate)

    found = config(saved(build, tmp_path), "Dense")
    assert found["kernel_regularizer"]["config"] == {"l2": 0.01}


def test_the_source_has_the_regularizer_and_the_proof_holds(tmp_path: Path) -> None:
    import keras

    analysis = saved(penalised(PENALTIES["both"][0]), tmp_path)
    report = analysis.write_keras(tmp_path / "keras")
    assert "regularizers.L1L2(l1=0.1, l2=0.01)" in report.source.text
    assert "from keras import layers, regularizers" in report.source.text
    assert analysis.prove(tmp_path / "keras").passed
    keras.backend.clear_session()
    scope: dict[str, Any] = {}
    exec(compile(report.source.text, "model.py", "exec"), scope)
    model = scope["build_model"]()
    model.load_weights(tmp_path / "keras" / "model.weights.h5")
    kernel = np.array(model.weights[0])
    wanted = 0.1 * np.abs(kernel).sum() + 0.01 * np.square(kernel).sum()
    np.testing.assert_allclose(float(sum(model.losses)), wanted, rtol=1e-4)


def images() -> Any:
    return v1.placeholder(tf.float32, (None, 6, 6, 3), name="x")


def trained(x: Any) -> tuple[Any, Any]:
    return x, tf.reduce_mean(tf.square(x))


def moving(update: Callable[[Any, Any], Any]) -> Callable[[], Any]:
    """Batch norm at inference in the graph, its averages updated by hand beside it."""

    def build() -> Any:
        x = images()
        ones = v1.ones_initializer()
        mean = v1.get_variable("mean", (3,), trainable=False)
        variance = v1.get_variable("variance", (3,), initializer=ones, trainable=False)
        batch = tf.nn.moments(x, [0, 1, 2])
        for variable, statistic in zip((mean, variance), batch):
            v1.add_to_collection(
                v1.GraphKeys.UPDATE_OPS, update(variable, statistic).op
            )
        scale = v1.get_variable("gamma", (3,), initializer=ones)
        return trained(tf.nn.batch_normalization(x, mean, variance, None, scale, 1e-3))

    return build


def by_layer(**options: Any) -> Callable[[], Any]:
    def build() -> Any:
        phase = v1.placeholder_with_default(False, (), name="phase")
        norm = tf_layers("normalization").batch_normalization
        return trained(norm(images(), training=phase, **options))

    return build


def by_slim_norm(**options: Any) -> Callable[[], Any]:
    def build() -> Any:
        phase = v1.placeholder(tf.bool, (), name="phase")
        return trained(slim().batch_norm(images(), is_training=phase, **options))

    return build


def by_keras_2_norm() -> Any:
    keras = import_module("tf_keras")
    norm, x = keras.layers.BatchNormalization(momentum=0.8), images()
    made = norm(x, training=True)
    for update in norm.updates:
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
    return trained(made)


def averages(variable: Any, statistic: Any) -> Any:
    from tensorflow.python.training import moving_averages

    return moving_averages.assign_moving_average(variable, statistic, 0.8, False)


MOMENTA = {
    "assign_moving_average": moving(averages),
    "a sum": moving(lambda v, s: v1.assign(v, v * 0.8 + s * 0.2)),
    "a difference": moving(lambda v, s: v1.assign_sub(v, (v - s) * 0.2)),
    "a step": moving(lambda v, s: v1.assign_add(v, 0.2 * (s - v))),
    "one less the rest": moving(lambda v, s: v1.assign(v, v - (1 - 0.8) * (v - s))),
    "tf.layers": by_layer(momentum=0.8),
    "tf.layers, not fused": by_layer(momentum=0.8, fused=False),
    "slim": by_slim_norm(decay=0.8),
    "slim, not fused": by_slim_norm(decay=0.8, fused=False),
    "Keras 2": by_keras_2_norm,
}


@pytest.mark.parametrize("name", MOMENTA)
def test_the_momentum_is_what_an_update_keeps(name: str, tmp_path: Path) -> None:
    found = config(saved(MOMENTA[name], tmp_path), "BatchNormalization")
    assert found["momentum"] == pytest.approx(0.8)


def test_an_update_by_a_rate_that_is_fed_gives_no_momentum(tmp_path: Path) -> None:
    rate = moving(lambda v, s: v1.assign_sub(v, (v - s) * tf.reduce_mean(s)))
    assert "momentum" not in config(saved(rate, tmp_path), "BatchNormalization")
