"""The same noise on both sides: Keras's random functions, TensorFlow's raw ops, a session's."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from graphscope.verify.feeds.noise import SAMPLERS, Noise, fed_noise, noisy_keras

v1 = tf.compat.v1


def run(build):
    """What a graph's random op yields when it is fed, and what was drawn."""
    noise = Noise()
    with tf.Graph().as_default(), v1.Session() as session:
        made = build()
        return session.run(made, fed_noise(session, [made], {}, noise)), noise.drawn


@pytest.mark.parametrize(
    "graph, eager",
    [
        (
            lambda: tf.random.normal([2, 3], 1.0, 0.5),
            lambda: keras.random.normal((2, 3), 1.0, 0.5),
        ),
        (
            lambda: tf.random.uniform([4], -1.0, 3.0),
            lambda: keras.random.uniform((4,), -1.0, 3.0),
        ),
        (
            lambda: tf.random.truncated_normal([3, 2]),
            lambda: keras.random.truncated_normal((3, 2)),
        ),
        (
            lambda: tf.random.categorical([[0.1, 2.0, 0.3]], 5),
            lambda: keras.random.categorical([[0.1, 2.0, 0.3]], 5),
        ),
        (
            lambda: tf.random.categorical([[0.1, 2.0, 0.3]], 5),
            lambda: tf.raw_ops.Multinomial(logits=[[0.1, 2.0, 0.3]], num_samples=5),
        ),
        (
            lambda: tf.random.uniform([50], 2, 9, tf.int32),
            lambda: keras.random.randint((50,), 2, 9),
        ),
        (
            lambda: tf.random.stateless_normal([2, 2], [1, 2]),
            lambda: tf.raw_ops.RandomStandardNormal(shape=[2, 2], dtype=tf.float32),
        ),
        (
            lambda: tf.random.shuffle(tf.range(9)),
            lambda: keras.random.shuffle(np.arange(9)),
        ),
    ],
)
def test_a_graph_and_keras_draw_the_same(graph, eager):
    fed, drawn = run(graph)
    noise = Noise()
    with noisy_keras(noise):
        made = np.asarray(eager())
    np.testing.assert_allclose(fed, made, rtol=1e-6)
    assert noise.drawn == drawn and made.dtype.kind == fed.dtype.kind


def test_samples_follow_their_logits():
    drawn = Noise().categorical(np.float32([[0.0, 3.0, 0.0]]), 200)
    assert drawn.shape == (1, 200) and (drawn == 1).mean() > 0.7


def test_what_depends_on_other_noise_gets_it():
    def build():
        logits = tf.random.normal([1, 4])
        return tf.cast(tf.random.categorical(logits, 6), tf.float32) + logits[0, 0]

    assert np.array_equal(run(build)[0], run(build)[0])


def test_everything_is_as_before_afterwards():
    before = keras.random.normal, tf.raw_ops.Multinomial
    with pytest.raises(RuntimeError), noisy_keras(Noise()):
        assert keras.random.normal is not before[0]
        raise RuntimeError
    assert (keras.random.normal, tf.raw_ops.Multinomial) == before


def test_every_sampler_is_an_op():
    assert all(hasattr(tf.raw_ops, op) for op in SAMPLERS)


@pytest.mark.parametrize("taken", [False, True])
def test_a_branch_that_is_not_taken_draws_nothing(taken):
    """As dropout in a frozen graph of TensorFlow 1, which has lost the contexts of its conditions."""
    with tf.Graph().as_default() as branched:
        x = v1.placeholder(tf.float32, [None], name="x")
        pred = v1.placeholder(tf.bool, [], name="pred")
        off, on = v1.raw_ops.Switch(data=x, pred=pred)
        drawn = on * tf.random.uniform(tf.shape(on))
        merged = v1.raw_ops.Merge(inputs=[off, drawn])[0]
        noise = Noise()
        with v1.Session(graph=branched) as session:
            given = {x: np.ones(3, "float32"), pred: taken}
            fed = fed_noise(session, [merged], given, noise)
            found = session.run(merged, {**given, **fed})
    assert bool(noise.drawn) == taken
    assert (found.tolist() == [1, 1, 1]) != taken
