"""Nodes, atoms, small models of beginners."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf
from .vision import queued

_adam = tf.train.AdamOptimizer


@fifth
def nodes_by_attention() -> Fetches:
    """PetarV-/GAT execute_cora.py: logits (runs loss and accuracy of them); masks and labels are integers."""
    with tf.name_scope("input"):
        ftr = tf.placeholder(tf.float32, (1, 7, 5))
        bias = tf.placeholder(tf.float32, (1, 7, 7))
        lbl = tf.placeholder(tf.int32, (1, 7, 3))
        msk = tf.placeholder(tf.int32, (1, 7))
        attn_drop, ffd_drop = (tf.placeholder(tf.float32, ()) for _ in range(2))
        tf.placeholder(tf.bool, ())

    def head(seq, n, activation):
        seq = tf.nn.dropout(seq, 1.0 - ffd_drop)
        fts = layers.conv1d(seq, n, 1, use_bias=False)
        f_1, f_2 = layers.conv1d(fts, 1, 1), layers.conv1d(fts, 1, 1)
        logits = f_1 + tf.transpose(f_2, [0, 2, 1])
        coefs = tf.nn.softmax(tf.nn.leaky_relu(logits) + bias)
        coefs = tf.nn.dropout(coefs, 1.0 - attn_drop)
        vals = tf.matmul(coefs, tf.nn.dropout(fts, 1.0 - ffd_drop))
        shift = tf.Variable(tf.zeros([n]), name="BiasAdd/biases")
        return activation(tf.nn.bias_add(vals, shift))

    h = tf.concat([head(ftr, 4, tf.nn.elu) for _ in range(3)], axis=-1)
    logits = tf.add_n([head(h, 3, lambda v: v) for _ in range(2)]) / 2
    log, lab = tf.reshape(logits, [-1, 3]), tf.reshape(lbl, [-1, 3])
    mask = tf.cast(tf.reshape(msk, [-1]), tf.float32)
    mask /= tf.reduce_mean(mask)
    ce = tf.nn.softmax_cross_entropy_with_logits(
        logits=log, labels=tf.cast(lab, tf.float32)
    )
    loss = tf.reduce_mean(ce * mask)
    right = tf.equal(tf.argmax(log, 1), tf.argmax(lab, 1))
    tf.reduce_mean(tf.cast(right, tf.float32) * mask)
    decay = tf.add_n(
        [tf.nn.l2_loss(v) for v in tf.trainable_variables() if "bias" not in v.name]
    )
    _adam(0.005).minimize(loss + decay * 0.0005)
    return fetch(logits, first=[logits, log], labels=[lbl, msk])


@fifth
def energies_and_forces_of_two_queues() -> Fetches:
    """atomistic-machine-learning/SchNet train_energy_force.py: Ep and Fp, of training and of validation data."""

    def data():
        return queued(
            ([4], tf.int32),
            ([4, 3], tf.float32),
            ([1], tf.float32),
            ([4, 3], tf.float32),
        )

    def predict(z, r):
        with tf.variable_scope("SchNet", reuse=tf.AUTO_REUSE):
            x = tf.nn.embedding_lookup(tf.get_variable("atom_embedding", [10, 6]), z)
            d = tf.expand_dims(r, 1) - tf.expand_dims(r, 2)
            d = tf.sqrt(tf.reduce_sum(d**2, -1) + 1e-9)
            basis = tf.exp(
                -10.0
                * (tf.expand_dims(d, -1) - np.linspace(0, 3, 5).astype(np.float32)) ** 2
            )
            for i in range(2):
                w = layers.dense(
                    basis,
                    6,
                    lambda v: tf.log(0.5 * tf.exp(v) + 0.5),
                    name=f"filter_{i}",
                )
                y = layers.dense(x, 6, use_bias=False, name=f"in2fac_{i}")
                y = tf.reduce_sum(tf.expand_dims(y, 1) * w, 2)
                y = layers.dense(
                    y, 6, lambda v: tf.log(0.5 * tf.exp(v) + 0.5), name=f"fac2out_{i}"
                )
                x = x + layers.dense(y, 6, name=f"dense_{i}")
            e = layers.dense(
                layers.dense(x, 4, tf.nn.softplus, name="output_0"), 1, name="output_1"
            )
            mean = tf.get_variable("mu", [1], trainable=False)
            scale = tf.get_variable("sigma", [1], trainable=False)
            energy = tf.reduce_sum(e * scale + mean, axis=1)
        return energy, -tf.gradients(tf.reduce_sum(energy), r)[0]

    def errors(ep, fp, e, f):
        loss = 0.01 * tf.nn.l2_loss(ep - e) + tf.nn.l2_loss(fp - f)
        mae = tf.reduce_mean(tf.abs(ep - e)), tf.reduce_mean(tf.abs(fp - f))
        return loss, (*mae, tf.sqrt(tf.reduce_mean((fp - f) ** 2)))

    z, r, e, f = data()
    ep, fp = predict(z, r)
    loss, measures = errors(ep, fp, e, f)
    z, r, e, f = data()
    ep_val, fp_val = predict(z, r)
    val_loss, val_measures = errors(ep_val, fp_val, e, f)
    step = tf.Variable(0, name="global_step", trainable=False)
    rate = tf.train.exponential_decay(1e-3, step, 100000, 0.96)
    pairs = _adam(rate).compute_gradients(loss)
    trained = _adam(rate).apply_gradients(pairs, global_step=step)
    ema = tf.train.ExponentialMovingAverage(0.99, step)
    with tf.control_dependencies([trained]):
        ema.apply(tf.trainable_variables())
    for i, v in enumerate((loss, *measures, val_loss, *val_measures)):
        tf.summary.scalar(f"error_{i}", v)
    return fetch(ep, fp, first=[ep, fp, ep_val, fp_val], twins=[(ep_val, fp_val)])


@fifth
def logistic_regression() -> Fetches:
    """nfmcclure/tensorflow_cookbook 08_logistic_regression.py: ``prediction`` rounds, for accuracy alone."""
    x = tf.placeholder(tf.float32, [None, 7])
    y = tf.placeholder(tf.float32, [None, 1])
    a, b = tf.Variable(tf.random_normal([7, 1])), tf.Variable(tf.random_normal([1, 1]))
    output = tf.add(tf.matmul(x, a), b)
    loss = tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(logits=output, labels=y)
    )
    tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    chance = tf.sigmoid(output)
    prediction = tf.round(chance)
    right = tf.cast(tf.equal(prediction, y), tf.float32)
    tf.reduce_mean(right)
    return fetch(prediction, first=[output, chance, prediction], labels=[y])


@fifth
def eyes_open_or_closed() -> Fetches:
    """A stranger's net (indexed as file 26281365801): prediction = argmax(model); target likewise of the label."""
    step = tf.Variable(0, trainable=False, name="global_step")
    x, y = tf.placeholder(tf.float32, name="X"), tf.placeholder(tf.float32, name="Y")
    with tf.name_scope("layer1"):
        w1 = tf.Variable(tf.random_uniform([8, 10], -1.0, 1.0), name="W1")
        h = tf.nn.relu(tf.matmul(x, w1))
        tf.summary.histogram("X", x)
        tf.summary.histogram("Weights", w1)
    with tf.name_scope("layer2"):
        w2 = tf.Variable(tf.random_uniform([10, 20], -1.0, 1.0), name="W2")
        h = tf.nn.relu(tf.matmul(h, w2))
    with tf.name_scope("output"):
        w3 = tf.Variable(tf.random_uniform([20, 2], -1.0, 1.0), name="W3")
        model = tf.matmul(h, w3)
    with tf.name_scope("optimizer"):
        cost = tf.reduce_mean(
            tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=model)
        )
        _adam(0.01).minimize(cost, global_step=step)
        tf.summary.scalar("cost", cost)
    tf.summary.merge_all()
    prediction, target = tf.argmax(model, 1), tf.argmax(y, 1)
    right = tf.equal(prediction, target)
    tf.reduce_mean(tf.cast(right, tf.float32)) * 100
    return fetch(prediction, first=[prediction, model], labels=[y])
