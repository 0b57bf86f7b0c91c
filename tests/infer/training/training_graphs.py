"""Training graphs of the kinds that people publish, each with what a person would call its outputs and labels.

Built with ``tf.compat.v1`` in memory. ``Known.best`` lists what may stand first, ``whole`` the outputs that belong
together (other forms of the same prediction, as logits, may follow), ``labels`` the inputs that only measure,
``switches`` what inference feeds to mode switches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

import tensorflow.compat.v1 as tf

from graphscope.graph import Model
from graphscope.wire import messages as proto
from graphscope.wire.nodes import function_from_def, graph_from_nodes


@dataclass(frozen=True, eq=False)
class Known:
    best: frozenset[str]
    whole: frozenset[str]
    labels: frozenset[str] = frozenset()
    switches: dict[str, object] = field(default_factory=dict)


BUILDERS: dict[str, Callable[[], Known]] = {}


def known(
    best: Iterable[str],
    whole: Iterable[str] = (),
    labels: Iterable[str] = (),
    **switches: object,
) -> Known:
    first = frozenset(best)
    return Known(first, frozenset(whole) or first, frozenset(labels), switches)


def builder(build: Callable[[], Known]) -> Callable[[], Known]:
    BUILDERS[build.__name__] = build
    return build


@cache
def model_of(build: Callable[[], Known]) -> tuple[Model, Known]:
    """The graph that a builder makes, as graphscope reads it, and what is known of it; built once."""
    return build_model(build)


def build_model(build: Callable[[], Known]) -> tuple[Model, Known]:
    with tf.Graph().as_default() as made:
        tf.disable_resource_variables()
        answer = build()
        data = made.as_graph_def().SerializeToString()
    message = proto.GraphDef.FromString(data)
    functions = {
        f.signature.name: function_from_def(f) for f in message.library.function
    }
    return Model(graph_from_nodes(message.node), functions=functions), answer


def data(*shape: int | None, name: str | None = None, dtype: object = tf.float32):
    return tf.placeholder(dtype, shape, name=name)


def weight(*shape: int, name: str = "w"):
    return tf.Variable(tf.random_normal(shape, stddev=0.1), name=name)


def dense(x, units: int, activation=None, name: str | None = None):
    with tf.variable_scope(None, default_name=name or "dense"):
        w = tf.get_variable("kernel", [int(x.shape[-1]), units])
        b = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
        y = tf.nn.bias_add(tf.matmul(x, w), b)
        return activation(y) if activation else y


def conv(x, filters: int, size: int = 3, stride: int = 1, activation=tf.nn.relu):
    with tf.variable_scope(None, default_name="conv"):
        w = tf.get_variable("kernel", [size, size, int(x.shape[-1]), filters])
        b = tf.get_variable("bias", [filters], initializer=tf.zeros_initializer())
        y = tf.nn.bias_add(tf.nn.conv2d(x, w, [1, stride, stride, 1], "SAME"), b)
        return activation(y) if activation else y


def train(loss, optimizer=None, variables=None):
    step = tf.train.get_or_create_global_step()
    chosen = optimizer or tf.train.AdamOptimizer(1e-3)
    return chosen.minimize(loss, global_step=step, var_list=variables)


def name(tensor) -> str:
    return tensor.op.name if tensor.value_index == 0 else tensor.name


def finish(*summaries) -> None:
    for tensor in summaries:
        tf.summary.scalar(tensor.op.name, tensor)
    tf.summary.merge_all()
    tf.train.Saver()
    tf.global_variables_initializer()


@builder
def classifier():
    x, y = data(None, 20), data(None, name="y", dtype=tf.int64)
    keep = data(name="keep_prob")
    h = tf.nn.dropout(dense(x, 16, tf.nn.relu), keep_prob=keep)
    logits = dense(h, 4)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    )
    train(loss)
    right = tf.equal(tf.argmax(logits, 1), y)
    finish(loss, tf.reduce_mean(tf.cast(right, tf.float32)))
    return known([name(logits)], labels=["y"], keep_prob=1.0)


@builder
def softmax_beside_logits():
    x, y = data(None, 28, 28, 1), data(None, 10, name="labels")
    h = tf.reshape(tf.nn.max_pool(conv(x, 4), 2, 2, "SAME"), [-1, 14 * 14 * 4])
    logits = dense(h, 10)
    probabilities = tf.nn.softmax(logits)
    loss = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits)
    )
    train(loss, tf.train.MomentumOptimizer(0.1, 0.9))
    right = tf.equal(tf.argmax(probabilities, 1), tf.argmax(y, 1))
    finish(loss, tf.reduce_mean(tf.cast(right, tf.float32)))
    return known([name(probabilities)], labels=["labels"])


@builder
def handwritten_cross_entropy():
    x, y = data(None, 784), data(None, 10, name="y_")
    w, b = weight(784, 10), tf.Variable(tf.zeros([10]))
    prediction = tf.nn.softmax(tf.matmul(x, w) + b)
    loss = tf.reduce_mean(-tf.reduce_sum(y * tf.log(prediction), axis=[1]))
    train(loss, tf.train.GradientDescentOptimizer(0.5))
    right = tf.equal(tf.argmax(prediction, 1), tf.argmax(y, 1))
    finish(tf.reduce_mean(tf.cast(right, "float")))
    return known([name(prediction)], labels=["y_"])


@builder
def clipped_cross_entropy():
    x, y = data(None, 8), data(None, 3, name="target")
    prediction = tf.nn.softmax(dense(dense(x, 8, tf.nn.sigmoid), 3))
    loss = -tf.reduce_sum(y * tf.log(tf.clip_by_value(prediction, 1e-10, 1.0)))
    train(loss, tf.train.AdagradOptimizer(0.1))
    finish()
    return known([name(prediction)], labels=["target"])


@builder
def linear_regression_with_label_called_output():
    x, y = tf.placeholder(tf.float32, name="input"), tf.placeholder(
        tf.float32, name="output"
    )
    w, b = tf.Variable(0.3, name="weight"), tf.Variable(0.0, name="bias")
    prediction = tf.add(tf.multiply(x, w), b)
    loss = tf.reduce_sum(tf.pow(prediction - y, 2)) / (2 * 17)
    train(loss, tf.train.GradientDescentOptimizer(0.01))
    finish()
    return known([name(prediction)], labels=["output"])


@builder
def regression_with_two_unnamed_heads():
    x = data(None, 6)
    y1, y2 = data(None, 1, name="y1"), data(None, 2, name="y2")
    h = dense(x, 12, tf.nn.tanh)
    a, b = dense(h, 1), dense(h, 2)
    loss = tf.losses.mean_squared_error(y1, a) + tf.losses.mean_squared_error(y2, b)
    train(loss)
    finish(loss)
    return known([name(a), name(b)], [name(a), name(b)], ["y1", "y2"])


@builder
def regression_by_squared_error_per_example():
    x, y = data(None, 3), data(None, 1, name="t")
    prediction = dense(dense(x, 5, tf.nn.relu), 1)
    loss = tf.square(prediction - y)
    tf.train.RMSPropOptimizer(0.01).minimize(loss)
    finish()
    return known([name(prediction)], labels=["t"])


@builder
def regression_with_l2_penalty():
    x, y = data(None, 3), data(None, 1, name="t")
    w1, w2 = weight(3, 5), weight(5, 1)
    prediction = tf.matmul(tf.nn.relu(tf.matmul(x, w1)), w2)
    penalty = tf.nn.l2_loss(w1) + tf.nn.l2_loss(w2)
    loss = tf.reduce_mean(tf.abs(prediction - y)) + 0.01 * penalty
    train(loss)
    finish(loss, penalty)
    return known([name(prediction)], labels=["t"])


@builder
def huber_and_hinge_multitask():
    x = data(None, 9)
    steer, brake = data(None, name="steer"), data(None, 2, name="brake")
    h = dense(dense(x, 8, tf.nn.relu), 8, tf.nn.relu)
    angle, stop = tf.squeeze(dense(h, 1), 1), dense(h, 2)
    loss = tf.losses.huber_loss(steer, angle) + tf.losses.hinge_loss(brake, stop)
    train(loss)
    finish(loss)
    return known(
        [name(angle), name(stop)], [name(angle), name(stop)], ["steer", "brake"]
    )


@builder
def multilabel_sigmoid():
    x, y = data(None, 9), data(None, 5, name="tags")
    logits = dense(dense(x, 8, tf.nn.relu), 5)
    scores = tf.sigmoid(logits)
    loss = tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits)
    )
    train(loss)
    finish(loss)
    return known([name(scores)], labels=["tags"])


@builder
def batch_normalised_network():
    training = tf.placeholder(tf.bool, name="is_training")
    x, y = data(None, 16, 16, 3), data(None, name="y", dtype=tf.int32)
    h = tf.nn.relu(_batch_norm(conv(x, 4, activation=None), training))
    h = tf.nn.relu(_batch_norm(conv(h, 4, stride=2, activation=None), training))
    logits = dense(tf.reduce_mean(h, [1, 2]), 3)
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train(loss)
    finish(loss)
    return known([name(logits)], labels=["y"], is_training=False)


def _batch_norm(x, training, momentum=0.9):
    with tf.variable_scope(None, default_name="bn"):
        size = [int(x.shape[-1])]
        gamma = tf.get_variable("gamma", size, initializer=tf.ones_initializer())
        beta = tf.get_variable("beta", size, initializer=tf.zeros_initializer())
        mean = tf.get_variable("moving_mean", size, trainable=False)
        var = tf.get_variable("moving_variance", size, trainable=False)
        m, v = tf.nn.moments(x, list(range(len(x.shape) - 1)))
        for moving, now in ((mean, m), (var, v)):
            update = tf.assign_sub(moving, (moving - now) * (1 - momentum))
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
        m, v = tf.cond(training, lambda: (m, v), lambda: (mean, var))
        return tf.nn.batch_normalization(x, m, v, beta, gamma, 1e-3)


@builder
def batch_norm_in_training_mode_at_the_end():
    x, y = data(None, 8), data(None, 3, name="y")
    h = dense(x, 3)
    m, v = tf.nn.moments(h, [0])
    moving = tf.Variable(tf.zeros([3]), trainable=False)
    tf.add_to_collection(
        tf.GraphKeys.UPDATE_OPS, tf.assign_sub(moving, (moving - m) * 0.1)
    )
    out = tf.nn.batch_normalization(h, m, v, None, None, 1e-3)
    loss = tf.losses.mean_squared_error(y, out)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train(loss)
    finish(loss)
    return known([name(out)], labels=["y"])


@builder
def autoencoder():
    x = data(None, 64, name="x")
    code = dense(x, 8, tf.nn.sigmoid)
    decoded = dense(code, 64, tf.nn.sigmoid)
    loss = tf.reduce_mean(tf.pow(x - decoded, 2))
    train(loss, tf.train.RMSPropOptimizer(0.01))
    finish(loss)
    return known([name(decoded)])


@builder
def denoising_autoencoder_with_cross_entropy():
    x, noisy = data(None, 64, name="clean"), data(None, 64, name="noisy")
    logits = dense(dense(noisy, 8, tf.nn.relu), 64)
    tf.nn.sigmoid(logits, name="decoded")
    loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
    train(tf.reduce_mean(loss))
    finish()
    return known(["decoded"], labels=["clean"])


@builder
def variational_autoencoder():
    x = data(None, 64, name="x")
    h = dense(x, 16, tf.nn.relu)
    mean, log_var = dense(h, 2), dense(h, 2)
    z = mean + tf.exp(log_var / 2) * tf.random_normal(tf.shape(mean))
    decoded = dense(dense(z, 16, tf.nn.relu), 64, tf.nn.sigmoid)
    likelihood = x * tf.log(1e-8 + decoded) + (1 - x) * tf.log(1e-8 + 1 - decoded)
    divergence = 1 + log_var - tf.square(mean) - tf.exp(log_var)
    loss = tf.reduce_mean(
        -tf.reduce_sum(likelihood, 1) - 0.5 * tf.reduce_sum(divergence, 1)
    )
    train(loss)
    finish(loss)
    return known([name(decoded)])
