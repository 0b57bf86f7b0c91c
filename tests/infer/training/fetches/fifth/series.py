"""Courses of time and pairs of sentences."""

from __future__ import annotations

import importlib

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


@fifth
def two_sentences_by_distance() -> Fetches:
    """dhwajraj/deep-siamese-text-similarity: eval.py runs 'output/distance'; similarity is compared in training."""
    x1, x2 = (
        tf.placeholder(tf.float32, [None, 4, 6], n) for n in ("input_x1", "input_x2")
    )
    y = tf.placeholder(tf.float32, [None], name="input_y")
    keep = tf.placeholder(tf.float32, name="dropout_keep_prob")

    def side(x, scope):
        steps = tf.split(tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, 6]), 4, axis=0)
        ends = []
        for way, order in (("fw", steps), ("bw", steps[::-1])):
            with tf.variable_scope(way + scope):
                cell = _CELLS.BasicLSTMCell(5)
                state = cell.zero_state(tf.shape(order[0])[0], tf.float32)
                outs = []
                for step in order:
                    out, state = cell(step, state)
                    outs.append(tf.nn.dropout(out, keep_prob=keep))
                ends.append(outs[-1] if way == "fw" else outs[0])
        return tf.concat(ends, 1)

    with tf.name_scope("output"):
        away = tf.subtract(side(x1, "side1"), side(x2, "side2"))
        d = tf.reshape(tf.reduce_sum(tf.abs(away), 1, keepdims=True), [-1])
        distance = tf.exp(-d, name="distance")
    with tf.name_scope("loss"):
        loss = tf.losses.mean_squared_error(y, distance) / 4
    tf.summary.scalar("loss", loss)
    with tf.name_scope("accuracy"):
        right = tf.equal(tf.rint(distance), y)
        tf.reduce_mean(tf.cast(right, "float"), name="accuracy")
    step = tf.Variable(0, name="global_step", trainable=False)
    adam = _adam(1e-3)
    pairs = adam.compute_gradients(loss)
    adam.apply_gradients(pairs, global_step=step)
    for g, v in pairs:
        tf.summary.histogram(f"{v.op.name}/grad/hist", g)
        tf.summary.scalar(f"{v.op.name}/grad/sparsity", tf.nn.zero_fraction(g))
    tf.summary.merge_all()
    return fetch(distance, labels=[y])


@fifth
def class_of_a_series() -> Fetches:
    """RobRomijnders/LSTM_tsc: logits of the last step; accuracy takes their argmax."""
    x = tf.placeholder(tf.float32, [None, 6], name="input")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    keep = tf.placeholder("float", name="Drop_out_keep_prob")
    with tf.name_scope("LSTM_setup"):
        cells = [_CELLS.LSTMCell(5, name=f"cell_{i}") for i in range(2)]
        states = [c.zero_state(4, tf.float32) for c in cells]
    for step in tf.unstack(tf.expand_dims(x, axis=2), axis=1):
        h = step
        for i, cell in enumerate(cells):
            h, states[i] = cell(h, states[i])
            h = tf.nn.dropout(h, keep_prob=keep)
    with tf.name_scope("Softmax"):
        with tf.variable_scope("Softmax_params"):
            w, b = tf.get_variable("softmax_w", [5, 3]), tf.get_variable(
                "softmax_b", [3]
            )
        logits = tf.nn.xw_plus_b(h, w, b)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=logits, labels=labels, name="softmax"
        )
        cost = tf.reduce_sum(loss) / 4
    with tf.name_scope("Evaluating_accuracy"):
        right = tf.equal(tf.argmax(logits, 1), labels)
        tf.reduce_mean(tf.cast(right, "float"))
    with tf.name_scope("Optimizer"):
        variables = tf.trainable_variables()
        grads, _ = tf.clip_by_global_norm(tf.gradients(cost, variables), 5)
        _adam(0.005).apply_gradients(zip(grads, variables))
        for g, v in zip(grads, variables):
            tf.summary.histogram(v.op.name, v)
            tf.summary.histogram(v.op.name + "/gradients", g)
            tf.summary.histogram(
                v.op.name + "/gradient_norm", tf.linalg.global_norm([g])
            )
    tf.summary.merge_all()
    return fetch(logits, labels=[labels])


@fifth
def closing_price() -> Fetches:
    """hunkim/DeepLearningZeroToAll lab-12-5: Y_pred; rmse is taken of two placeholders of its own."""
    x = tf.placeholder(tf.float32, [None, 7, 5])
    y = tf.placeholder(tf.float32, [None, 1])
    cell = _CELLS.BasicLSTMCell(10, activation=tf.tanh)
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    pred = layers.dense(outputs[:, -1], 1)
    loss = tf.reduce_sum(tf.square(pred - y))
    _adam(0.01).minimize(loss)
    targets, predictions = (tf.placeholder(tf.float32, [None, 1]) for _ in range(2))
    tf.sqrt(tf.reduce_mean(tf.square(targets - predictions)))
    return fetch(pred, labels=[y])
