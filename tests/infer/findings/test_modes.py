"""Batch normalization, dropout and mode placeholders: each trap with a near miss."""

from __future__ import annotations

import numpy as np
import tensorflow.compat.v1 as tf

from tests.infer.traps import filled, found, model_of


def _image(channels: int = 2):
    return tf.placeholder(tf.float32, [None, 4, 4, channels], name="x")


def _fused(training: bool) -> None:
    x = _image()
    gamma, beta = tf.get_variable("gamma", [2]), tf.get_variable("beta", [2])
    mean = tf.get_variable("moving_mean", [2])
    variance = tf.get_variable("moving_variance", [2])
    moments = {} if training else {"mean": mean, "variance": variance}
    y, *_ = tf.nn.fused_batch_norm(x, gamma, beta, is_training=training, **moments)
    tf.identity(y, name="out")


def test_fused_batch_norm_in_training_mode() -> None:
    (finding,) = found(model_of(lambda: _fused(True)), "batch-norm-in-training-mode")
    assert finding.severity == "warning" and finding.node == "FusedBatchNormV3"
    assert not found(model_of(lambda: _fused(False)), "batch-norm-in-training-mode")


def _moments(axes: list[int]) -> None:
    x = _image()
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    scale = tf.get_variable("gamma", [2])
    tf.nn.batch_normalization(x, mean, variance, None, scale, 1e-3)


def test_batch_norm_spelled_out_in_training_mode() -> None:
    """The near miss is an instance norm: it averages over each image, never over the batch."""
    id = "batch-norm-in-training-mode"
    (finding,) = found(model_of(lambda: _moments([0, 1, 2])), id)
    assert finding.node == "moments/SquaredDifference"
    assert not found(model_of(lambda: _moments([1, 2])), id)


def _switched(name: str = "is_training") -> None:
    training = tf.placeholder(tf.bool, [], name=name)
    x = _image()
    mean = tf.get_variable("moving_mean", [2])
    variance = tf.get_variable("moving_variance", [2])
    m, v = tf.nn.moments(x, [0, 1, 2])
    m, v = tf.cond(training, lambda: (m, v), lambda: (mean, variance))
    tf.nn.batch_normalization(x, m, v, None, tf.get_variable("gamma", [2]), 1e-3)


def test_batch_norm_switched_by_a_placeholder() -> None:
    model = model_of(_switched)
    (finding,) = found(model, "mode-fed")
    assert finding.node == "is_training" and finding.severity == "info"
    assert finding.message.endswith("feed_dict={'is_training:0': False, ...}")
    assert not found(model, "batch-norm-in-training-mode")
    assert not found(model_of(lambda: _fused(False)), "mode-fed")


def test_the_switch_is_set_by_what_it_does_not_by_its_name() -> None:
    tf.disable_control_flow_v2()
    try:
        model = model_of(lambda: _switched("flag"))
    finally:
        tf.enable_control_flow_v2()
    (finding,) = found(model, "mode-fed")
    assert finding.message.endswith("feed_dict={'flag:0': False, ...}")


def test_statistics_that_were_never_updated() -> None:
    build = lambda: _fused(False)  # noqa: E731
    zeros, ones = np.zeros(2, np.float32), np.ones(2, np.float32)
    untouched = filled(build, moving_mean=zeros, moving_variance=ones)
    id = "batch-norm-never-updated"
    (finding,) = found(model_of(build, untouched), id)
    assert set(finding.nodes) == {"moving_mean", "moving_variance"}
    updated = filled(build, moving_mean=zeros, moving_variance=ones * 0.99)
    assert not found(model_of(build, updated), id)


def _dropout(rate) -> None:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    y = tf.nn.dropout(x, rate=rate() if callable(rate) else rate)
    tf.matmul(y, tf.get_variable("w", [4, 2]))


def test_dropout_that_is_always_on() -> None:
    (finding,) = found(model_of(lambda: _dropout(0.5)), "dropout-active")
    assert finding.node == "dropout/random_uniform/RandomUniform"


def test_dropout_with_a_fed_rate_is_only_told() -> None:
    fed = model_of(
        lambda: _dropout(lambda: tf.placeholder(tf.float32, [], name="rate"))
    )
    assert not found(fed, "dropout-active")
    (finding,) = found(fed, "dropout-fed")
    assert finding.message.endswith("feed_dict={'rate:0': 0.0, ...}")


def test_dropout_with_a_fed_probability_to_keep() -> None:
    def build() -> None:
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        keep = tf.placeholder_with_default(0.5, [], name="keep")
        y = tf.nn.dropout(x, rate=1 - keep)
        tf.matmul(y, tf.get_variable("w", [4, 2]))

    (finding,) = found(model_of(build), "dropout-fed")
    assert finding.message.endswith("feed_dict={'keep:0': 1.0, ...}")


def test_a_scalar_that_drops_nothing_is_no_mode() -> None:
    def build() -> None:
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        scale = tf.placeholder(tf.float32, [], name="keep_prob")
        tf.matmul(x * scale, tf.get_variable("w", [4, 2]))

    assert not found(model_of(build), "dropout-fed")


def test_random_numbers_that_are_no_dropout() -> None:
    def build(noise: bool) -> None:
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        y = tf.matmul(x, tf.get_variable("w", [4, 2]))
        tf.add(y, tf.random_normal(tf.shape(y)) if noise else 1.0)

    (finding,) = found(model_of(lambda: build(True)), "random-on-path")
    assert finding.node == "random_normal/RandomStandardNormal"
    assert not found(model_of(lambda: build(False)), "random-on-path")
