"""Deep Q-networks (Mnih et al., Nature 2015): raw convolutions in NCHW and NHWC, duelling heads, baselines, Keras."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import layers as tf_layers
from .legacy import v1

ACTIONS, HISTORY, SCREEN = 4, 4, 44


def conv(x: Any, filters: int, kernel: int, stride: int, form: str, name: str) -> Any:
    with v1.variable_scope(name):
        first = form == "NCHW"
        strides = [1, 1, stride, stride] if first else [1, stride, stride, 1]
        channels = x.shape[1 if first else -1]
        w = v1.get_variable("w", [kernel, kernel, channels, filters])
        y = tf.nn.conv2d(x, w, strides, "VALID", data_format=form)
        b = v1.get_variable("biases", [filters])
        return tf.nn.relu(tf.nn.bias_add(y, b, form))


def linear(x: Any, units: int, name: str, activation: Any = None) -> Any:
    with v1.variable_scope(name):
        w = v1.get_variable("Matrix", [x.shape[-1], units])
        out = tf.nn.bias_add(tf.matmul(x, w), v1.get_variable("bias", [units]))
        return out if activation is None else activation(out)


def torso(form: str, name: str) -> Any:
    """The screens, and what the convolutions see in them."""
    shape = [None, SCREEN, SCREEN, HISTORY]
    if form == "NCHW":
        shape = [None, HISTORY, SCREEN, SCREEN]
    state = v1.placeholder("float32", shape, name=name)
    net = conv(state, 4, 8, 4, form, "l1")
    net = conv(net, 6, 4, 2, form, "l2")
    net = conv(net, 6, 3, 1, form, "l3")
    return tf.reshape(net, [-1, int(np.prod(net.shape[1:]))])


def optimise(q: Any) -> None:
    """The target network, its copy ops, and the clipped loss."""
    with v1.variable_scope("target"):
        linear(linear(torso("NHWC", "target_s_t"), 16, "l4", tf.nn.relu), ACTIONS, "q")
    for old, new in zip(
        v1.global_variables("target"), v1.global_variables("prediction"), strict=True
    ):
        old.assign(v1.placeholder("float32", new.shape))
    wanted = v1.placeholder("float32", [None], name="target_q_t")
    action = v1.placeholder("int64", [None], name="action")
    taken = tf.reduce_sum(q * tf.one_hot(action, ACTIONS, 1.0, 0.0), axis=1)
    loss = tf.reduce_mean(tf.square(tf.clip_by_value(wanted - taken, -1.0, 1.0)))
    v1.train.RMSPropOptimizer(1e-3, momentum=0.95, epsilon=0.01).minimize(loss)


@architecture("DQN", "tf1", layers={"Conv2D": 3, "Dense": 2, "Flatten": 1}, lines=12)
def screens_last(training: bool = False) -> Any:
    """The history of screens in the channels."""
    with v1.variable_scope("prediction"):
        net = linear(torso("NHWC", "s_t"), 16, "l4", tf.nn.relu)
        q = linear(net, ACTIONS, "q")
        q_action = tf.argmax(q, axis=1)
    if training:
        optimise(q)
    return q if q_action is not None else None


@architecture(
    "DQN, NCHW",
    "tf1",
    layers={"Conv2D": 3, "Dense": 2},
    lines=17,
    only=("training", "checkpoint"),
)
def screens_first() -> Any:
    """As it was trained on a GPU; TensorFlow cannot run it on this CPU."""
    with v1.variable_scope("prediction"):
        return linear(linear(torso("NCHW", "s_t"), 16, "l4", tf.nn.relu), ACTIONS, "q")


@architecture(
    "Dueling DQN", "tf1", layers={"Conv2D": 3, "Dense": 4, "Add": 1}, lines=22, ops=2
)
def dueling() -> Any:
    """Wang et al., arXiv 1511.06581: a value, and the advantage of each action over their mean."""
    with v1.variable_scope("prediction"):
        net = torso("NHWC", "s_t")
        value = linear(linear(net, 8, "value_hid", tf.nn.relu), 1, "value_out")
        hidden = linear(net, 8, "adv_hid", tf.nn.relu)
        advantage = linear(hidden, ACTIONS, "adv_out")
        mean = tf.reduce_mean(advantage, axis=1, keepdims=True)
        return value + (advantage - mean)


@architecture(
    "DQN of baselines", "tf1", layers={"Conv2D": 3, "Dense": 4}, lines=24, ops=4
)
def baselines() -> Any:
    """deepq's ``cnn_to_mlp``: bytes as screens, tf.contrib layers, scores less their mean."""
    screens = v1.placeholder(tf.uint8, [None, SCREEN, SCREEN, HISTORY], name="obs")
    with v1.variable_scope("deepq/q_func"):
        net = tf.cast(screens, tf.float32) / 255.0
        with v1.variable_scope("convnet"):
            for filters, kernel, stride in ((4, 8, 4), (6, 4, 2), (6, 3, 1)):
                net = tf_layers.conv2d(
                    net, filters, kernel, stride, "same", activation=tf.nn.relu
                )
        net = tf_layers.flatten(net)
        with v1.variable_scope("action_value"):
            hidden = tf_layers.dense(net, 8, tf.nn.relu)
            scores = tf_layers.dense(hidden, ACTIONS)
        with v1.variable_scope("state_value"):
            hidden = tf_layers.dense(net, 8, tf.nn.relu)
            state = tf_layers.dense(hidden, 1)
        centred = scores - tf.expand_dims(tf.reduce_mean(scores, 1), 1)
        return state + centred


@architecture("DQN", "tf2", layers={"Conv2D": 3, "Dense": 2}, lines=14)
def keras_example() -> Any:
    """keras.io/examples/rl/deep_q_network_breakout, channels first at its input."""
    return k.Sequential(
        [
            k.Input((HISTORY, SCREEN, SCREEN)),
            L.Permute((2, 3, 1)),
            L.Conv2D(4, 8, strides=4, activation="relu"),
            L.Conv2D(6, 4, strides=2, activation="relu"),
            L.Conv2D(6, 3, strides=1, activation="relu"),
            L.Flatten(),
            L.Dense(16, activation="relu"),
            L.Dense(ACTIONS, activation="linear"),
        ]
    )


class QNetwork(tf.Module):
    """tf_agents: the observation cast and scaled inside, a subclassed network."""

    def __init__(self) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        sizes = ((8, 4, 4), (4, 4, 6), (3, 6, 6))
        self.kernels = [
            tf.Variable(rng.normal(size=(n, n, a, b)).astype("f")) for n, a, b in sizes
        ]
        self.biases = [tf.Variable(np.zeros(b, "f")) for _, _, b in sizes]
        self.hidden = tf.Variable(np.zeros((6, 8), "f"))
        self.out = tf.Variable(np.zeros((8, ACTIONS), "f"))

    def __call__(self, screens: Any) -> Any:
        net = tf.cast(screens, tf.float32) / 255.0
        for kernel, bias, stride in zip(
            self.kernels, self.biases, (4, 2, 1), strict=True
        ):
            net = tf.nn.relu(tf.nn.conv2d(net, kernel, stride, "VALID") + bias)
        net = tf.reduce_mean(net, [1, 2])
        return tf.nn.relu(net @ self.hidden) @ self.out


@architecture(
    "DQN, functional", "tf2", layers={"Conv2D": 3, "Dense": 2}, lines=18, ops=1
)
def raw() -> Any:
    """Variables and ops of TensorFlow 2."""
    return QNetwork(), [tf.TensorSpec([None, SCREEN, SCREEN, HISTORY], tf.uint8)]
