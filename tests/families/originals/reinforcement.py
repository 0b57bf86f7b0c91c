"""OpenAI's baselines (MIT), after baselines/common/{models,policies,distributions}.py, a2c/utils.py, deepq/models.py and ddpg/models.py."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import layers, slim
from tests.families.originals import image, original

v1 = tf.compat.v1
scope = v1.variable_scope


def _conv(x: Any, name: str, filters: int, size: int, strides: int) -> Any:
    """a2c.utils.conv: its bias lies as channels-first would have it."""
    with scope(name):
        w = v1.get_variable("w", [size, size, x.shape[3], filters])
        b = v1.get_variable("b", [1, filters, 1, 1])
        b = tf.reshape(b, [1, 1, 1, filters])
        return tf.nn.conv2d(x, w, [1, strides, strides, 1], "VALID") + b


def _fc(x: Any, name: str, units: int) -> Any:
    with scope(name):
        w = v1.get_variable("w", [x.shape[1], units])
        return tf.matmul(x, w) + v1.get_variable("b", [units])


def _nature_cnn(x: Any, units: int) -> Any:
    h = tf.nn.relu(_conv(x / 255.0, "c1", 4, 8, 4))
    h = tf.nn.relu(_conv(h, "c2", 8, 4, 2))
    h = tf.nn.relu(_conv(h, "c3", 8, 3, 1))
    return tf.nn.relu(_fc(slim.flatten(h), "fc1", units))


def _mlp(x: Any) -> Any:
    for place in range(2):
        x = tf.tanh(_fc(x, f"mlp_fc{place}", 16))
    return x


@original("Actor and critic (baselines A2C, PPO), 5 actions", peak=255.0)
def ppo_screens() -> tuple[list[Any], list[Any]]:
    """build_policy's "cnn": both heads on one trunk."""
    x = image(84, 84, 4)
    with scope("ppo2_model"):
        with scope("pi"):
            latent = _nature_cnn(x, 24)
        return [x], [_fc(latent, "pi", 5), _fc(latent, "vf", 1)]


@original("Actor and critic (baselines A2C, PPO), 3 actions")
def ppo_numbers() -> tuple[list[Any], list[Any]]:
    """build_policy's "mlp" with a critic of its own, and DiagGaussianPdType's spread."""
    x = image(7)
    with scope("ppo2_model"):
        with scope("pi"):
            latent = _mlp(x)
        with scope("vf"):
            value = _mlp(x)
        mean = _fc(latent, "pi", 3)
        spread = v1.get_variable("pi/logstd", [1, 3])
        return [x], [mean, spread, _fc(value, "vf", 1)]


def _linear(x: Any, units: int, normed: bool = False) -> Any:
    x = slim.fully_connected(x, units, activation_fn=None)
    return slim.layer_norm(x, center=True, scale=True) if normed else x


def _heads(x: Any, actions: int, hidden: int, duelling: bool, normed: bool) -> Any:
    with scope("action_value"):
        scores = _linear(tf.nn.relu(_linear(x, hidden, normed)), actions)
    if not duelling:
        return scores
    with scope("state_value"):
        value = _linear(tf.nn.relu(_linear(x, hidden, normed)), 1)
    mean = tf.reduce_mean(scores, 1)
    return value + scores - tf.expand_dims(mean, 1)


@original("Deep Q-network (baselines), 6 actions, duelling")
def deepq_2017() -> tuple[list[Any], list[Any]]:
    """cnn_to_mlp with its target and the rate of exploring."""
    x = image(84, 84, 4)
    outputs = []
    with scope("deepq"):
        v1.get_variable("eps", ())
        for name in ("q_func", "target_q_func"):
            with scope(name):
                h = x
                with scope("convnet"):
                    for filters, size, strides in ((4, 8, 4), (6, 4, 2), (6, 3, 1)):
                        h = slim.conv2d(h, filters, size, stride=strides)
                outputs.append(_heads(slim.flatten(h), 6, 20, True, False))
    return [x], outputs


@original("Deep Q-network (baselines), 4 actions")
def deepq_2018() -> tuple[list[Any], list[Any]]:
    """build_q_func on "mlp" with norms, not duelling."""
    x = image(9)
    with scope("deepq"), scope("q_func"):
        return [x], [_heads(_mlp(x), 4, 12, False, True)]


@original("Deep Q-network (baselines), 3 actions, duelling", peak=255.0)
def deepq_2018_screens() -> tuple[list[Any], list[Any]]:
    x = image(84, 84, 4)
    with scope("deepq"), scope("q_func"):
        return [x], [_heads(_nature_cnn(x, 24), 3, 12, True, False)]


@original("Deep Q-network (baselines), 2 actions")
def deepq_mlp() -> tuple[list[Any], list[Any]]:
    """models.mlp of 2017: no scope but the net's own."""
    x = image(4)
    with scope("deepq"), scope("q_func"):
        h = tf.nn.relu(_linear(x, 16))
        return [x], [_linear(tf.nn.relu(_linear(h, 8)), 2)]


def _ddpg(state: Any, action: Any, end: str) -> list[Any]:
    def normed(x: Any) -> Any:
        return tf.nn.relu(slim.layer_norm(layers.dense(x, 16), center=True, scale=True))

    with scope(f"{end}actor"):
        chosen = tf.nn.tanh(layers.dense(normed(normed(state)), 2))
    with scope(f"{end}critic"):
        x = tf.concat([normed(state), action], -1)
        return [chosen, layers.dense(normed(x), 1)]


@original("DDPG (baselines), 2 actions, 16 units")
def ddpg() -> tuple[list[Any], list[Any]]:
    state, action = image(5), image(2)
    with scope("obs_rms"):
        for name, shape in (("runningsum", [5]), ("runningsumsq", [5]), ("count", [])):
            v1.get_variable(name, shape, tf.float64)
    first = _ddpg(state, action, "")
    second = _ddpg(state, action, "target_")
    return [state, action], [*first, *second]


@original("AlphaZero (Othello), a board of 6, 8 channels")
def othello() -> tuple[list[Any], list[Any]]:
    """suragnair/alpha-zero-general (MIT), OthelloNNet: moves and who wins."""
    board = image(6, 6)

    def norm(x: Any) -> Any:
        return tf.nn.relu(layers.batch_normalization(x, training=False))

    x = tf.reshape(board, [-1, 6, 6, 1])
    for padding in ("same", "same", "valid", "valid"):
        x = norm(layers.conv2d(x, 8, 3, padding=padding, use_bias=False))
    x = tf.reshape(x, [-1, 32])
    x = norm(layers.dense(x, 24, use_bias=False))
    x = norm(layers.dense(x, 12, use_bias=False))
    moves = tf.nn.softmax(layers.dense(x, 37))
    return [board], [moves, tf.tanh(layers.dense(x, 1))]


@original("A3C with an LSTM (universe-starter-agent), 6 actions, LSTM of 5")
def a3c() -> tuple[list[Any], list[Any]]:
    """openai/universe-starter-agent (MIT), LSTMPolicy: the steps of one episode are the batch."""
    x = screens = image(42, 42, 1)
    memory, output = (v1.placeholder(tf.float32, [1, 5], n) for n in ("c", "h"))
    with scope("global"):
        for place in range(1, 5):
            with scope(f"l{place}"):
                w = v1.get_variable("W", [3, 3, x.shape[3], 4])
                b = v1.get_variable("b", [1, 1, 1, 4])
                x = tf.nn.elu(tf.nn.conv2d(x, w, 2, "SAME") + b)
        x = tf.reshape(x, [2, 36])
        with scope("rnn/basic_lstm_cell"):
            kernel = v1.get_variable("kernel", [41, 20])
            bias = v1.get_variable("bias", [20])
        c, h, steps = memory, output, []
        for step in range(2):
            gates = tf.matmul(tf.concat([x[step : step + 1], h], 1), kernel) + bias
            i, j, f, o = tf.split(gates, 4, 1)
            c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
            h = tf.tanh(c) * tf.sigmoid(o)
            steps.append(h)
        y = tf.concat(steps, 0)
        action, value = _fc(y, "action", 6), _fc(y, "value", 1)
    return [screens, memory, output], [action, value, c, h]
