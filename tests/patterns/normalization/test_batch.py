"""Batch, layer, group, RMS and unit normalization: fused, written out, folded, in training form."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    const,
    found_in,
    image,
    keras,
    spell,
    v1,
    weight,
)

L = k.layers


def vectors(size: int = 3) -> tuple[Any, ...]:
    return tuple(weight(name, size) for name in ("mean", "variance", "beta", "gamma"))


def batch_norm(t: Any, gamma: bool = True) -> Any:
    mean, variance, beta, scale = vectors(t.shape[-1])
    return tf.nn.batch_normalization(
        t, mean, variance, beta, scale if gamma else None, 1e-3
    )


def channels_first() -> Any:
    t = image(None, 3, 8, 8)
    mean, variance, beta, gamma = (tf.reshape(v, [1, 3, 1, 1]) for v in vectors())
    return (t - mean) * tf.math.rsqrt(variance + 1e-3) * gamma + beta


def fused(training: bool = False, **attributes: Any) -> Any:
    mean, variance, beta, gamma = vectors()
    statistics = {} if training else {"mean": mean, "variance": variance}
    return v1.nn.fused_batch_norm(
        image(),
        gamma,
        beta,
        **statistics,
        is_training=training,
        epsilon=1e-5,
        **attributes,
    )


def slim_without_scale() -> Any:
    mean, variance, beta, _ = vectors()
    return v1.nn.fused_batch_norm(
        image(), tf.ones([3]), beta, mean, variance, is_training=False
    )[0]


def of_vectors(layout: str = "NHWC", *places: int, size: int = 3) -> Any:
    """slim's ``batch_norm`` of what a fully connected layer puts out: vectors are images of one pixel, or of some."""
    t, (mean, variance, beta, gamma) = image(None, 12), vectors(size)
    inner = (*(places or (1, 1)), size)
    wide = tf.reshape(
        t, [-1, *(inner[-1:] + inner[:-1] if layout == "NCHW" else inner)]
    )
    statistics = {"mean": mean, "variance": variance, "is_training": False}
    made = v1.nn.fused_batch_norm(wide, gamma, beta, **statistics, data_format=layout)
    return tf.reshape(made[0], [-1, 12])


def two_scales() -> Any:
    t, (mean, variance, beta, gamma) = image(), vectors()
    other = tf.math.rsqrt(weight("other", 3) + 1e-3) * gamma
    return t * (tf.math.rsqrt(variance + 1e-3) * gamma) - mean * other + beta


def moved(variable: Any, value: Any, momentum: float = 0.9) -> Any:
    return v1.assign_sub(variable, (variable - value) * (1 - momentum))


def training(follow: bool = True) -> Any:
    """``tf.layers.batch_normalization`` written out, with its update ops."""
    t, (mean, variance, beta, gamma) = image(), vectors()
    batch_mean, batch_variance = tf.nn.moments(t, [0, 1, 2])
    updates = (
        [moved(mean, batch_mean), moved(variance, batch_variance)] if follow else []
    )
    with tf.control_dependencies(updates):
        made = tf.nn.batch_normalization(
            t, batch_mean, batch_variance, beta, gamma, 1e-3
        )
        return tf.identity(made, "out")


def shifted(second: float = 1.0) -> Any:
    """``tf.nn.moments`` as TensorFlow 0.12 wrote it."""
    t, (mean, variance, beta, _) = image(), vectors()
    shift = mean + 0.0
    count = tf.cast(tf.reduce_prod(tf.gather(tf.shape(t), [0, 1, 2])), tf.float32)
    divisor = tf.math.reciprocal(count)
    left = tf.reduce_sum(t - shift, [0, 1, 2]) * divisor
    batch_mean = left + shift
    spread = tf.reduce_sum(tf.math.squared_difference(t, shift), [0, 1, 2]) * divisor
    square = tf.square(left) if second == 1.0 else tf.square(left) * second
    batch_variance = spread - square
    with tf.control_dependencies(
        [moved(mean, batch_mean), moved(variance, batch_variance)]
    ):
        scale = tf.math.rsqrt(batch_variance + 1e-5)
        return t * scale + (beta - batch_mean * scale)


def training_first() -> Any:
    """Keras's on channels that come first: the statistics are flattened and given their axes again."""
    t = image(None, 3, 8, 8)
    moving = [weight(name, 3) for name in ("mean", "variance")]
    batch = tf.nn.moments(t, [0, 2, 3], keepdims=True)
    flat = [tf.squeeze(statistic, [0, 2, 3]) for statistic in batch]
    for variable, statistic in zip(moving, flat):
        v1.assign_sub(variable, (variable - statistic) * 0.1)
    mean, variance = (tf.reshape(each, [1, 3, 1, 1]) for each in flat)
    beta, gamma = (tf.reshape(weight(n, 3), [1, 3, 1, 1]) for n in ("beta", "gamma"))
    return tf.nn.batch_normalization(t, mean, variance, beta, gamma, 1e-3)


def darknet(root: Any = tf.sqrt, scale: bool = True) -> Any:
    """darkflow's: the number that keeps the root from zero is added after it."""
    t, (mean, variance, beta, gamma) = image(), vectors()
    made = (t - mean) / (root(variance) + 1e-5)
    return made * gamma + beta if scale else made


def fused_training(follow: bool = True) -> Any:
    mean, variance, _, _ = (weight(n, 3) for n in ("m", "v", "b", "g"))
    made, batch_mean, batch_variance = fused(training=True)
    if follow:
        moved(mean, batch_mean)
        moved(variance, batch_variance)
    return tf.identity(made, "out")


def slim_training_without_scale() -> Any:
    """What is no variable is no weight in the training form either."""
    mean, variance, beta, _ = vectors()
    made, batch_mean, batch_variance = v1.nn.fused_batch_norm(
        image(), tf.ones([3]), beta, is_training=True
    )[:3]
    moved(mean, batch_mean)
    moved(variance, batch_variance)
    return tf.identity(made, "out")


def direct_layer_norm() -> Any:
    t = image(None, 5, 12)
    centred = t - tf.reduce_mean(t, [-1], keepdims=True)
    variance = tf.reduce_mean(centred * centred, [-1], keepdims=True)
    return centred / tf.sqrt(variance + 1e-5) * weight("g", 12) + weight("b", 12)


def inner_layer_norm(*shape: int) -> Any:
    """Over the axis before the last, the weights of that shape."""
    t = image(None, 5, 12)
    centred = t - tf.reduce_mean(t, [1], keepdims=True)
    variance = tf.reduce_mean(centred * centred, [1], keepdims=True)
    return centred / tf.sqrt(variance + 1e-5) * weight("g", *shape) + weight("b", 1)


def contrib_layer_norm() -> Any:
    t = image(None, 5, 12)
    moments = tf.nn.moments(t, [-1], keepdims=True)
    return tf.nn.batch_normalization(
        t, *moments, weight("b", 12), weight("g", 12), 1e-12
    )


def keras2_layer_norm(rows: int = 5) -> Any:
    t = image(2, rows, 12)
    flat = tf.reshape(t, [1, 2 * rows, 12, 1])
    ones, zeros = tf.fill([2 * rows], 1.0), tf.fill([2 * rows], 0.0)
    made = tf.raw_ops.FusedBatchNormV3(
        x=flat,
        scale=ones,
        offset=zeros,
        mean=[],
        variance=[],
        epsilon=1e-3,
        data_format="NCHW",
        is_training=True,
    )
    return tf.reshape(made[0], tf.shape(t)) * weight("g", 12) + weight("b", 12)


def instance_norm(axes: list[int]) -> Any:
    t = image()
    mean, variance = tf.nn.moments(t, axes, keepdims=True)
    return (t - mean) * tf.math.rsqrt(variance + 1e-6) * weight("g", 3) + weight("b", 3)


def axes_differ() -> Any:
    t = image(None, 5, 12)
    mean = tf.reduce_mean(t, [-1], keepdims=True)
    other = tf.reduce_mean(t, [1], keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(t, other), [-1], keepdims=True)
    return tf.nn.batch_normalization(
        t, mean, variance, weight("b", 12), weight("g", 12), 1e-12
    )


def group_norm(groups: int, of: int) -> Any:
    split = tf.reshape(image(None, 4, 4, 12), [-1, 4, 4, groups, of])
    mean, variance = tf.nn.moments(
        split, [1, 2, 4] if groups * of == 12 else [1], keepdims=True
    )
    made = (split - mean) * tf.math.rsqrt(variance + 1e-5)
    return tf.reshape(made, [-1, 4, 4, 12]) * weight("g", 12) + weight("b", 12)


def group_norm_over_rows() -> Any:
    split = tf.reshape(image(None, 4, 4, 12), [-1, 4, 4, 3, 4])
    mean, variance = tf.nn.moments(split, [1, 4], keepdims=True)
    made = (split - mean) * tf.math.rsqrt(variance + 1e-5)
    return tf.reshape(made, [-1, 4, 4, 12]) * weight("g", 12) + weight("b", 12)


def rms(power: float = 2.0) -> Any:
    t = image(None, 5, 12)
    whole = tf.reduce_mean(tf.pow(t, power), -1, keepdims=True)
    return t * tf.math.rsqrt(whole + 1e-6) * weight("g", 12)


SPELLINGS = [
    spell(
        "keras",
        "batch_norm",
        keras(lambda: L.BatchNormalization(), None, 8, 8, 3),
        "gamma beta moving_mean moving_variance",
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
    ),
    spell(
        "tf.nn",
        "batch_norm",
        lambda: batch_norm(image()),
        "gamma beta moving_mean moving_variance",
    ),
    spell(
        "no scale",
        "batch_norm",
        lambda: batch_norm(image(), gamma=False),
        "beta moving_mean moving_variance",
        scale=False,
    ),
    spell("on rows", "batch_norm", lambda: batch_norm(image(None, 12))),
    spell("channels first", "batch_norm", channels_first, axis=1),
    spell(
        "fused",
        "fused_batch_norm",
        lambda: fused()[0],
        "gamma beta moving_mean moving_variance",
        epsilon=1e-5,
        axis=-1,
    ),
    spell(
        "vectors",
        "fused_batch_norm_of_vectors",
        lambda: of_vectors(size=12),
        "gamma beta moving_mean moving_variance",
        axis=-1,
        epsilon=1e-3,
    ),
    spell(
        "vectors, channels first",
        "fused_batch_norm_of_vectors",
        lambda: of_vectors("NCHW", size=12),
        axis=-1,
    ),
    spell(
        "slim without scale",
        "fused_batch_norm",
        slim_without_scale,
        "beta moving_mean moving_variance",
        scale=False,
    ),
    spell(
        "folded",
        "batch_norm_folded",
        lambda: image() * const(0, 3) + const(1, 3),
        "gamma beta moving_mean moving_variance",
        epsilon=1e-3,
    ),
    spell(
        "training form",
        "batch_norm_training",
        training,
        "gamma beta moving_mean moving_variance",
        momentum=0.9,
        epsilon=1e-3,
    ),
    spell(
        "training form, channels first",
        "batch_norm_training",
        training_first,
        "gamma beta moving_mean moving_variance",
        axis=1,
        momentum=0.9,
    ),
    spell(
        "the variance folded",
        "batch_norm_centred",
        lambda: (image() - weight("m", 3)) * weight("s", 3) + weight("o", 3),
        "gamma beta moving_mean moving_variance",
        axis=-1,
    ),
    spell(
        "darknet",
        "batch_norm_by_deviation",
        darknet,
        "gamma beta moving_mean moving_variance",
        epsilon=1e-3,
    ),
    spell(
        "training form of 0.12",
        "batch_norm_training_shifted",
        shifted,
        "beta moving_mean moving_variance",
        epsilon=1e-5,
        scale=False,
    ),
    spell(
        "fused training form",
        "fused_batch_norm_training",
        fused_training,
        "gamma beta moving_mean moving_variance",
        momentum=0.9,
    ),
    spell(
        "fused training form without scale",
        "fused_batch_norm_training",
        slim_training_without_scale,
        "beta moving_mean moving_variance",
        scale=False,
    ),
    spell(
        "keras LayerNormalization",
        "layer_norm",
        keras(lambda: L.LayerNormalization(), None, 5, 12),
        "gamma beta",
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
    ),
    spell(
        "no center",
        "layer_norm",
        keras(lambda: L.LayerNormalization(center=False), None, 5, 12),
        "gamma",
        center=False,
    ),
    spell("contrib's", "layer_norm", contrib_layer_norm, "gamma beta", epsilon=1e-12),
    spell("written out", "layer_norm", direct_layer_norm, "gamma beta", epsilon=1e-5),
    spell(
        "over two axes",
        "layer_norm",
        keras(lambda: L.LayerNormalization(axis=[1, 2]), None, 5, 12),
        "gamma beta",
        axis=[-2, -1],
    ),
    spell(
        "Keras 2's LayerNormalization",
        "layer_norm_by_fused",
        keras2_layer_norm,
        "gamma beta",
        epsilon=1e-3,
    ),
    spell(
        "instance",
        "instance_norm",
        lambda: instance_norm([1, 2]),
        "gamma beta",
        groups=-1,
        epsilon=1e-6,
    ),
    spell(
        "keras GroupNormalization",
        "group_norm",
        keras(lambda: L.GroupNormalization(3), None, 4, 4, 12),
        "gamma beta",
        groups=3,
    ),
    spell(
        "group norm, weights outside",
        "group_norm_rejoined",
        lambda: group_norm(3, 4),
        "gamma beta",
        groups=3,
    ),
    spell(
        "keras RMSNormalization",
        "rms_norm",
        keras(lambda: L.RMSNormalization(), None, 5, 12),
        "scale",
        epsilon=1e-6,
    ),
    spell("rms by power", "rms_norm", rms, "scale", axis=-1),
    spell(
        "l2_normalize",
        "unit_norm",
        lambda: tf.math.l2_normalize(image(None, 12), -1),
        axis=-1,
    ),
    spell(
        "keras UnitNormalization",
        "unit_norm_keras",
        keras(lambda: L.UnitNormalization(), None, 12),
        axis=-1,
    ),
]


def near(name: str, pattern: str, build: Any) -> NearMiss:
    return NearMiss(name, pattern, build)


NEAR_MISSES = [
    near(
        "a scale over two axes, centred",
        "batch_norm_centred",
        lambda: (image() - weight("m", 3)) * weight("s", 8, 3) + weight("o", 3),
    ),
    near(
        "channels across vectors",
        "fused_batch_norm_of_vectors",
        lambda: of_vectors("NHWC", 1, 4, size=3),
    ),
    near(
        "channels first, of some places",
        "fused_batch_norm_of_vectors",
        lambda: of_vectors("NCHW", 1, 4, size=3),
    ),
    near("no weights", "batch_norm_by_deviation", lambda: darknet(scale=False)),
    near("a root alone", "batch_norm_by_deviation", lambda: batch_norm(image())),
    near("two scales", "batch_norm", two_scales),
    near("in training form", "fused_batch_norm", lambda: fused(training=True)[0]),
    near(
        "a scale over two axes",
        "batch_norm_folded",
        lambda: image() * const(0, 8, 3) + const(1, 8, 3),
    ),
    near(
        "nobody follows the statistics", "batch_norm_training", lambda: training(False)
    ),
    near(
        "variance of another kind", "batch_norm_training_shifted", lambda: shifted(2.0)
    ),
    near(
        "nobody follows the fused statistics",
        "fused_batch_norm_training",
        lambda: fused_training(False),
    ),
    near("axes differ", "layer_norm", axes_differ),
    near("weights along both axes", "layer_norm", lambda: inner_layer_norm(5, 12)),
    near("weights along the other", "layer_norm", lambda: inner_layer_norm(12)),
    near("statistics of the batch", "layer_norm", training),
    near(
        "another number of rows",
        "layer_norm_by_fused",
        lambda: image(1, 10, 12, 1) + 0.0,
    ),
    near("over rows only", "instance_norm", lambda: instance_norm([1])),
    near("statistics of rows of groups", "group_norm", group_norm_over_rows),
    near("mean of cubes", "rms_norm", lambda: rms(3.0)),
    near(
        "a great least norm",
        "unit_norm",
        lambda: tf.math.l2_normalize(image(None, 12), -1, epsilon=0.5),
    ),
    near(
        "a small most",
        "unit_norm_keras",
        lambda: (
            lambda t: t
            * tf.minimum(tf.math.rsqrt(tf.reduce_sum(t * t, -1, keepdims=True)), 1.0)
        )(image(None, 12)),
    ),
]


def test_a_folded_batch_norm_says_what_it_assumes() -> None:
    found = found_in(lambda: image() * const(0, 3) + const(1, 3))
    (layer,) = found.layers
    assert "stand in" in layer.evidence[0]
    variance = layer.weights["moving_variance"].array(found.model)
    np.testing.assert_allclose(variance + layer.attrs["epsilon"], np.ones(3), rtol=1e-6)


def test_training_form_names_the_variables_that_move() -> None:
    (layer,) = found_in(training).layers
    assert layer.weights["moving_mean"].node == "mean"
    assert layer.weights["moving_variance"].node == "variance"
    assert "mean, variance" in layer.evidence[0]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)
