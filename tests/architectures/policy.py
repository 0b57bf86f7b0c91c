"""Actors and critics: A3C's convolutional trunk, PPO's Gaussian head, a distributional head."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import layers, v1

ACTIONS = 4


def normalized_columns_initializer(std: float = 1.0) -> Any:
    def start(shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        out = np.random.default_rng(0).normal(size=shape).astype("float32")
        return tf.constant(out * std / np.sqrt(np.square(out).sum(0, keepdims=True)))

    return start


@architecture("A3C", "tf1", layers={"Conv2D": 4, "Dense": 2}, lines=22, ops=4)
def a3c() -> Any:
    """openai/universe-starter-agent, model.py, less its LSTM: ELU convolutions, two linear heads, an argmax."""
    x = state = v1.placeholder(tf.float32, [None, 42, 42, 1])
    for i in range(4):
        with v1.variable_scope(f"l{i + 1}"):
            w = v1.get_variable("W", [3, 3, x.shape[3], 8])
            b = v1.get_variable("b", [1, 1, 1, 8])
            x = tf.nn.elu(v1.nn.conv2d(x, w, [1, 2, 2, 1], "SAME") + b)
    x = tf.reshape(x, [-1, int(np.prod(x.get_shape().as_list()[1:]))])
    heads = []
    for name, size, std in (("action", ACTIONS, 0.01), ("value", 1, 1.0)):
        w = v1.get_variable(
            f"{name}/w",
            [x.shape[1], size],
            initializer=normalized_columns_initializer(std),
        )
        b = v1.get_variable(f"{name}/b", [size], initializer=v1.zeros_initializer())
        heads.append(tf.matmul(x, w) + b)
    logits, value = heads
    shifted = logits - tf.reduce_max(logits, [1], keepdims=True)
    best = tf.one_hot(tf.argmax(tf.nn.softmax(shifted), 1), ACTIONS)
    assert state is not None
    return [logits, tf.reshape(value, [-1]), best]


@architecture("PPO, Gaussian", "tf1", layers={"Dense": 6}, lines=56, ops=9, share=0.9)
def ppo(training: bool = False) -> Any:
    """openai/baselines mlp_policy: observations clipped, mean and log of the deviation, value scaled back."""
    ob = v1.placeholder(tf.float32, [None, 6], name="ob")
    with v1.variable_scope("obfilter"):
        mean = v1.get_variable("runningmean", [6], trainable=False)
        std = v1.get_variable("runningstd", [6], trainable=False)
    obz = tf.clip_by_value((ob - mean) / (std + 2.0), -5.0, 5.0)
    last = obz
    for i in range(2):
        last = tf.nn.tanh(layers.dense(last, 8, name=f"vffc{i + 1}"))
    value = layers.dense(last, 1, name="vffinal")[:, 0]
    last = obz
    for i in range(2):
        last = tf.nn.tanh(layers.dense(last, 8, name=f"polfc{i + 1}"))
    mean = layers.dense(last, ACTIONS // 2, name="polfinal")
    logstd = v1.get_variable("logstd", [1, ACTIONS // 2])
    pdparam = tf.concat([mean, mean * 0.0 + logstd], axis=1)
    if training:
        target = v1.placeholder(tf.float32, [None])
        loss = tf.reduce_mean(tf.square(value - target)) + tf.reduce_mean(pdparam**2)
        v1.train.AdamOptimizer(1e-3, epsilon=1e-5).minimize(loss)
    return [pdparam, value]


@architecture(
    "C51",
    "tf2",
    layers={"Dense": 3},
    lines=30,
    ops=8,
    not_portable=frozenset({"Bitcast"}),
)
def c51() -> Any:
    """Categorical DQN (arXiv 1707.06887): a distribution over 11 returns for each action, and its mean."""
    x = inputs = k.Input((6,), name="observation")
    for _ in range(2):
        x = L.Dense(8, activation="relu")(x)
    logits = L.Reshape((ACTIONS, 11))(L.Dense(ACTIONS * 11)(x))
    support = np.linspace(-10, 10, 11).astype("float32")
    values = k.ops.sum(k.ops.softmax(logits) * support, axis=2)
    return k.Model(inputs, [logits, values, k.ops.argmax(values, axis=1)])
