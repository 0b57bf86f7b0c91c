"""Regressions: clipped, scaled, percentages, several heads, quantiles, uncertainty, physics, forces."""

from __future__ import annotations

import numpy as np

from .zoo import Fetches, fetch, layers, style
from .zoo import v1 as tf


@style
def percentage_error() -> Fetches:
    x = tf.placeholder("float", name="x")
    y = tf.placeholder("float", name="y")
    w, b = tf.Variable(tf.random_normal([5, 1])), tf.Variable(tf.zeros([1]))
    pred = tf.add(tf.matmul(tf.reshape(x, [-1, 5]), w), b, name="pred")
    error = tf.abs((y - pred) / y) * 100.0
    tf.summary.scalar("mape", tf.reduce_mean(error))
    tf.train.GradientDescentOptimizer(0.01).minimize(
        tf.reduce_mean(tf.square(pred - y))
    )
    return fetch(pred, labels=[y])


@style
def scaled_back_output() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 8], name="x")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    h = layers.dense(layers.dense(x, 16, tf.nn.relu), 1)
    out = tf.add(tf.multiply(h, 3.5), 12.0, name="price")
    tf.train.AdamOptimizer().minimize(tf.losses.huber_loss(y, out))
    tf.sqrt(tf.reduce_mean(tf.square(out - y)), name="rmse")
    return fetch(out, labels=[y])


@style
def clipped_pixels() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 9, 9, 1], name="low")
    y = tf.placeholder(tf.float32, [None, 9, 9, 1], name="high")
    h = layers.conv2d(
        layers.conv2d(x, 6, 3, padding="same", activation=tf.nn.relu),
        1,
        3,
        padding="same",
    )
    out = tf.clip_by_value(h, 0.0, 255.0, name="restored")
    loss = tf.reduce_mean(tf.square(out - y))
    tf.train.AdamOptimizer().minimize(loss)
    tf.summary.scalar("psnr", -10.0 * tf.log(loss) / tf.log(10.0))
    tf.summary.image("restored", out)
    return fetch(out, labels=[y])


@style
def residual_denoiser() -> Fetches:
    clean = tf.placeholder(tf.float32, [None, None, None, 1], name="clean_image")
    noise = tf.random_normal(tf.shape(clean), stddev=25 / 255.0)
    x = tf.add(clean, noise, name="noisy_image")
    h = x
    for _ in range(3):
        h = layers.conv2d(h, 6, 3, padding="same", activation=tf.nn.relu)
    y = x - layers.conv2d(h, 1, 3, padding="same")
    loss = 0.5 * tf.nn.l2_loss(clean - y)
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(y)


@style
def mean_and_variance_heads() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    h = layers.dense(x, 10, tf.nn.relu)
    mean = layers.dense(h, 1, name="mean")
    var = tf.nn.softplus(layers.dense(h, 1)) + 1e-6
    nll = tf.reduce_mean(0.5 * tf.log(var) + 0.5 * tf.square(y - mean) / var)
    tf.train.AdamOptimizer().minimize(nll)
    return fetch(mean, var, labels=[y])


@style
def quantiles() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 4])
    y = tf.placeholder(tf.float32, [None, 1])
    out = layers.dense(layers.dense(x, 10, tf.nn.tanh), 3)
    losses = []
    for i, q in enumerate((0.1, 0.5, 0.9)):
        e = y - out[:, i : i + 1]
        losses.append(tf.reduce_mean(tf.maximum(q * e, (q - 1) * e)))
    tf.train.AdamOptimizer().minimize(tf.add_n(losses))
    return fetch(out, labels=[y])


@style
def energy_and_forces() -> Fetches:
    coord = tf.placeholder(tf.float32, [None, 6], name="coord")
    e_ref = tf.placeholder(tf.float32, [None, 1], name="t_energy")
    f_ref = tf.placeholder(tf.float32, [None, 6], name="t_force")
    e = layers.dense(layers.dense(coord, 8, tf.nn.tanh), 1, name="energy")
    f = tf.negative(tf.gradients(e, coord)[0], name="o_force")
    loss = tf.reduce_mean(tf.square(e - e_ref)) + 10 * tf.reduce_mean(
        tf.square(f - f_ref)
    )
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(e, f, labels=[e_ref, f_ref])


@style
def physics_informed() -> Fetches:
    t = tf.placeholder(tf.float32, [None, 1], name="t")
    x = tf.placeholder(tf.float32, [None, 1], name="x")
    u_ref = tf.placeholder(tf.float32, [None, 1], name="u")
    h = tf.concat([t, x], 1)
    for i in range(3):
        w = tf.Variable(
            tf.truncated_normal([2 if i == 0 else 8, 8 if i < 2 else 1], stddev=0.3)
        )
        b = tf.Variable(tf.zeros([1, 8 if i < 2 else 1]))
        h = (
            tf.add(tf.matmul(h, w), b)
            if i == 2
            else tf.tanh(tf.add(tf.matmul(h, w), b))
        )
    lam = tf.Variable([0.0])
    u_x = tf.gradients(h, x)[0]
    residual = tf.gradients(h, t)[0] + h * u_x - tf.exp(lam) * tf.gradients(u_x, x)[0]
    loss = tf.reduce_mean(tf.square(u_ref - h)) + tf.reduce_mean(tf.square(residual))
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(h, residual, first=[h], labels=[u_ref])


@style
def recurrent_forecast() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 12, 3], name="X")
    y = tf.placeholder(tf.float32, [None, 1], name="Y")
    targets, predictions = tf.placeholder(tf.float32, [None, 1]), tf.placeholder(
        tf.float32, [None, 1]
    )
    w = tf.get_variable("w", [7, 4])
    state = tf.zeros([tf.shape(x)[0], 4])
    for step in tf.unstack(x, axis=1):
        state = tf.tanh(tf.matmul(tf.concat([step, state], 1), w))
    y_pred = layers.dense(state, 1)
    loss = tf.reduce_sum(tf.square(y_pred - y))
    tf.train.AdamOptimizer(0.01).minimize(loss)
    tf.sqrt(tf.reduce_mean(tf.square(targets - predictions)))
    return fetch(y_pred, labels=[y])


@style
def steering_angle() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 20, 20, 3])
    y_ = tf.placeholder(tf.float32, [None, 1])
    keep = tf.placeholder(tf.float32)
    h = layers.flatten(layers.conv2d(x, 4, 5, 2, activation=tf.nn.relu))
    h = tf.nn.dropout(layers.dense(h, 10, tf.nn.relu), keep)
    w, b = tf.Variable(tf.truncated_normal([10, 1])), tf.Variable(
        tf.constant(0.1, shape=[1])
    )
    y = tf.multiply(tf.atan(tf.matmul(h, w) + b), 2)
    l2 = tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
    loss = tf.reduce_mean(tf.square(tf.subtract(y_, y))) + l2 * 0.001
    tf.train.AdamOptimizer(1e-4).minimize(loss)
    tf.summary.scalar("loss", loss)
    return fetch(y, labels=[y_])


@style
def pose_heatmaps_stages() -> Fetches:
    image = tf.placeholder(tf.float32, [None, 12, 12, 3], name="image")
    heat = tf.placeholder(tf.float32, [None, 12, 12, 4], name="heatmap")
    vect = tf.placeholder(tf.float32, [None, 12, 12, 6], name="vectmap")
    f = layers.conv2d(image, 5, 3, padding="same", activation=tf.nn.relu)
    losses, h, v = [], None, None
    for i in range(2):
        joined = f if h is None else tf.concat([f, v, h], 3)
        v = layers.conv2d(joined, 6, 3, padding="same", name=f"Mconv_L1_{i}")
        h = layers.conv2d(joined, 4, 3, padding="same", name=f"Mconv_L2_{i}")
        losses += [tf.nn.l2_loss(v - vect), tf.nn.l2_loss(h - heat)]
    tf.train.AdamOptimizer().minimize(tf.add_n(losses))
    return fetch(v, h, labels=[heat, vect])


@style
def factorisation_machine() -> Fetches:
    ids = tf.placeholder(tf.int32, [None, 6], name="feat_index")
    values = tf.placeholder(tf.float32, [None, 6], name="feat_value")
    y = tf.placeholder(tf.float32, [None, 1], name="label")
    emb = tf.Variable(tf.random_normal([30, 4], 0, 0.01))
    bias = tf.Variable(tf.random_uniform([30, 1]))
    v = tf.nn.embedding_lookup(emb, ids) * tf.reshape(values, [-1, 6, 1])
    first = tf.reduce_sum(
        tf.nn.embedding_lookup(bias, ids) * tf.reshape(values, [-1, 6, 1]), 1
    )
    second = 0.5 * tf.subtract(
        tf.square(tf.reduce_sum(v, 1)), tf.reduce_sum(tf.square(v), 1)
    )
    deep = layers.dense(tf.reshape(v, [-1, 24]), 8, tf.nn.relu)
    out = tf.nn.sigmoid(layers.dense(tf.concat([first, second, deep], 1), 1))
    loss = tf.losses.log_loss(y, out) + 0.01 * tf.nn.l2_loss(emb)
    tf.train.AdagradOptimizer(0.1).minimize(loss)
    return fetch(out, labels=[y])


@style
def sine_by_numpy_weights() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 1], "xs")
    y = tf.placeholder(tf.float32, [None, 1], "ys")

    def add_layer(inputs, n_in, n_out, activation=None):
        with tf.name_scope("layer"):
            with tf.name_scope("weights"):
                w = tf.Variable(tf.random_normal([n_in, n_out]), name="W")
                tf.summary.histogram("weights", w)
            b = tf.Variable(tf.zeros([1, n_out]) + 0.1, name="b")
            s = tf.add(tf.matmul(inputs, w), b)
            out = s if activation is None else activation(s)
            tf.summary.histogram("outputs", out)
            return out

    prediction = add_layer(add_layer(x, 1, 10, tf.nn.relu), 10, 1)
    loss = tf.reduce_mean(tf.reduce_sum(tf.square(y - prediction), axis=[1]))
    tf.summary.scalar("loss", loss)
    tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    np.linspace(-1, 1, 3)
    return fetch(prediction, labels=[y])


@style
def depth_and_normals() -> Fetches:
    image = tf.placeholder(tf.float32, [None, 8, 8, 3], name="rgb")
    d_ref = tf.placeholder(tf.float32, [None, 8, 8, 1])
    n_ref = tf.placeholder(tf.float32, [None, 8, 8, 3])
    f = layers.conv2d(image, 8, 3, padding="same", activation=tf.nn.elu)
    depth = tf.nn.relu(layers.conv2d(f, 1, 3, padding="same"), name="depth")
    normals = tf.nn.l2_normalize(
        layers.conv2d(f, 3, 3, padding="same"), -1, name="normals"
    )
    mask = tf.cast(d_ref > 0, tf.float32)
    l1 = tf.reduce_sum(tf.abs(depth - d_ref) * mask) / tf.reduce_sum(mask)
    cosine = 1 - tf.reduce_mean(tf.reduce_sum(normals * n_ref, -1))
    tf.train.AdamOptimizer().minimize(l1 + cosine)
    return fetch(depth, normals, labels=[d_ref, n_ref])
