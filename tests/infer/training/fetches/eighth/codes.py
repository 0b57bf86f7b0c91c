"""Codes, pictures, texts: what encodes, rebuilds, draws, goes on."""

from __future__ import annotations

import importlib

from ..zoo import Fetches, eighth, fetch, layers
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


@eighth
def outliers_rebuilt_badly() -> Fetches:
    """File 22816989646: reconstruct runs reconstruction, transform z_mean; no activation anywhere."""
    w1, w_log = tf.get_variable("w1", [9, 3]), tf.get_variable("log_sigma_w1", [9, 3])
    b1, b_log = tf.Variable(tf.zeros([3])), tf.Variable(tf.zeros([3]))
    w2, b2 = tf.Variable(tf.zeros([3, 9])), tf.Variable(tf.zeros([9]))
    x = tf.placeholder(tf.float32, [None, 9])
    mean = tf.add(tf.matmul(x, w1), b1)
    log = tf.add(tf.matmul(x, w_log), b_log)
    eps = tf.random_normal(tf.stack([tf.shape(x)[0], 3]), 0, 1)
    z = tf.add(mean, tf.multiply(tf.sqrt(tf.exp(log)), eps))
    out = tf.add(tf.matmul(z, w2), b2)
    near = 0.5 * tf.reduce_sum(tf.pow(tf.subtract(out, x), 2.0))
    latent = -0.5 * tf.reduce_sum(1 + log - tf.square(mean) - tf.exp(log), 1)
    cost = tf.reduce_mean(near + latent)
    _ = near + latent
    _adam().minimize(cost)
    return fetch(out, mean, first=[out])


@eighth
def layers_folded_and_unfolded() -> Fetches:
    """File 18146922406: reconstruct runs reconstruction, transform the last hidden code; softplus everywhere."""
    sizes = (12, 8, 4)
    x = h = tf.placeholder(tf.float32, [None, 12])
    pairs = [*zip(sizes[:-1], sizes[1:])]
    code = None
    for a, b in [*pairs, *[p[::-1] for p in pairs[::-1]]]:
        w = tf.Variable(tf.random_normal([a, b]))
        h = tf.nn.softplus(tf.add(tf.matmul(h, w), tf.Variable(tf.zeros([b]))))
        code = h if b == 4 else code
    cost = 0.5 * tf.reduce_sum(tf.pow(tf.subtract(h, x), 2.0))
    _adam().minimize(cost)
    return fetch(h, code, first=[h])


@eighth
def few_shots_embedded() -> Fetches:
    """File 38907345045: embed runs the support's embedding; the loss picks log-probabilities of distances."""
    x = tf.placeholder(tf.float32, [None, None, 8, 8, 1], name="x")
    q = tf.placeholder(tf.float32, [None, None, 8, 8, 1], name="q")
    y = tf.placeholder(tf.int64, [None, None], name="y")
    training = tf.placeholder(tf.bool)
    n, k = tf.shape(x)[0], tf.shape(x)[1]
    m = tf.shape(q)[1]
    hot = tf.one_hot(y, depth=n)

    def encode(v, reuse):
        with tf.variable_scope("encoder", reuse=reuse):
            for i in range(2):
                v = layers.conv2d(v, 4, 3, padding="SAME", name=f"conv{i}")
                v = layers.batch_normalization(v, training=True, name=f"bn{i}")
                v = layers.max_pooling2d(tf.nn.relu(v), 2, 2)
                v = layers.dropout(v, rate=0.1, training=training)
            return layers.flatten(v)

    code = encode(tf.reshape(x, [n * k, 8, 8, 1]), False)
    size = tf.shape(code)[-1]
    means = tf.reduce_mean(tf.reshape(code, [n, k, size]), axis=1)
    asked = encode(tf.reshape(q, [n * m, 8, 8, 1]), True)
    rows, classes = tf.shape(asked)[0], tf.shape(means)[0]
    a = tf.tile(tf.expand_dims(asked, axis=1), (1, classes, 1))
    b = tf.tile(tf.expand_dims(means, axis=0), (rows, 1, 1))
    dists = tf.reduce_mean(tf.square(a - b), axis=2)
    log = tf.reshape(tf.nn.log_softmax(-dists), [n, m, -1])
    picked = tf.reduce_sum(tf.multiply(hot, log), axis=-1)
    loss = -tf.reduce_mean(tf.reshape(picked, [-1]))
    tf.reduce_mean(tf.to_float(tf.equal(tf.argmax(log, axis=-1), y)))
    step = tf.Variable(0, trainable=False)
    rate = tf.train.exponential_decay(0.002, step, 2000, 0.5, staircase=True)
    _adam(rate).minimize(loss, global_step=step)
    return fetch(code, first=[code, log], labels=[y])


@eighth
def sparse_rows_factorised() -> Fetches:
    """File 26152647539: predict_proba runs proba, get_embedding embedding, of sparse rows; an AUC is counted."""
    x = tf.sparse_placeholder(tf.float32, name="input_x")
    with tf.name_scope("label"):
        y = tf.placeholder(tf.float32, [None, 1], name="input_y")
    step = tf.Variable(0, name="global_step", trainable=False)
    w0 = tf.Variable(tf.constant(0.1, shape=[1]), name="w0")
    w, v = tf.get_variable("W", [9, 1]), tf.get_variable("V", [9, 4])
    dense = tf.sparse_tensor_dense_matmul
    one = dense(x, w, name="mul_sparse") + w0
    left = tf.pow(dense(x, v, name="mul_sparse"), tf.constant(2.0))
    right = dense(tf.square(x), tf.pow(v, 2), name="mul_sparse")
    two = tf.reduce_sum(tf.subtract(left, right), 1, keepdims=True) * tf.constant(0.5)
    with tf.name_scope("prediction"):
        scores = one + two
    penalty = 0.1 * tf.nn.l2_loss(w0) + 0.1 * tf.nn.l2_loss(w) + 0.1 * tf.nn.l2_loss(v)
    code = dense(x, v, name="mul_sparse")
    cross = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=scores)
    _adam(1e-4).minimize(tf.reduce_mean(cross) + penalty, global_step=step)
    with tf.name_scope("prediction/"):
        proba = tf.sigmoid(scores)
    with tf.name_scope("metrics"):
        tf.metrics.auc(labels=y, predictions=proba, num_thresholds=20)
    return fetch(proba, code, first=[proba, scores], labels=[y])


@eighth
def regions_of_a_brain() -> Fetches:
    """File 10910957230: generated_images of a VAE over volumes of a fixed batch; the loss flattens them."""
    images = tf.placeholder(tf.float32, [None, 4 * 4 * 4])
    h = tf.reshape(images, [3, 4, 4, 4, 1])

    def lrelu(v):
        return tf.maximum(v, 0.2 * v)

    def dense(v, n, scope):
        with tf.variable_scope(scope):
            w = tf.get_variable("Matrix", [int(v.shape[1]), n])
            return tf.matmul(v, w) + tf.get_variable("bias", [n])

    with tf.variable_scope("recognition"):
        w = tf.get_variable("w", [3, 3, 3, 1, 4])
        b = tf.get_variable("b", [4])
        h = lrelu(tf.nn.conv3d(h, w, [1, 2, 2, 2, 1], "SAME") + b)
        flat = tf.reshape(h, [3, 2 * 2 * 2 * 4])
        mean, deviation = dense(flat, 3, "w_mean"), dense(flat, 3, "w_stddev")
    z = mean + deviation * tf.random_normal([3, 3], 0, 1)
    with tf.variable_scope("generation"):
        h = tf.nn.relu(tf.reshape(dense(z, 2 * 2 * 2 * 4, "z"), [-1, 2, 2, 2, 4]))
        w = tf.get_variable("w", [3, 3, 3, 1, 4])
        h = tf.nn.conv3d_transpose(h, w, [3, 4, 4, 4, 1], [1, 2, 2, 2, 1], "SAME")
        made = tf.nn.sigmoid(h + tf.get_variable("b", [1]))
    flat = tf.reshape(made, [3, 64])
    like = images * tf.log(1e-8 + flat) + (1 - images) * tf.log(1e-8 + 1 - flat)
    near = -tf.reduce_sum(like, 1)
    far = tf.square(mean) + tf.square(deviation) - tf.log(tf.square(deviation)) - 1
    cost = tf.reduce_mean(near + 0.5 * tf.reduce_sum(far, 1))
    _adam(0.00001).minimize(cost)
    return fetch(made)


@eighth
def figures_by_matched_codes() -> Fetches:
    """File 37028134872: encoding runs mu, figure_generate the picture of a fed code, both of passes for use."""
    x = tf.placeholder(tf.float32, [5, 16])
    y = tf.placeholder(tf.float32, [5, 4])
    fed = tf.placeholder(tf.float32, [5, 2])

    def stack(v, sizes, scope, training, reuse=False, last=None):
        with tf.variable_scope(scope, reuse=reuse):
            for i, n in enumerate(sizes[:-1]):
                v = layers.dense(v, n, name=f"d{i}")
                v = layers.batch_normalization(v, training=training, name=f"b{i}")
                v = tf.nn.relu(v)
            return layers.dense(v, sizes[-1], last, name="out")

    def encode(training, reuse=False):
        both = stack(x, (12, 8, 4), "encoder", training, reuse)
        return tf.split(both, 2, axis=1)

    def decode(v, training, reuse=False):
        return stack(v, (8, 12, 16), "decoder", training, reuse, tf.nn.sigmoid)

    def judge(v, reuse):
        return stack(tf.concat([v, y], 1), (8, 1), "discriminator", True, reuse)

    def crossed(logits, like):
        cross = tf.nn.sigmoid_cross_entropy_with_logits(
            logits=logits, labels=like(logits)
        )
        return tf.reduce_mean(cross)

    mu, log = encode(True)
    z = tf.random_normal([5, 2]) * tf.exp(log) + mu
    error = tf.reduce_sum(tf.pow(decode(z, True) - x, 2), [1])
    fake, real = judge(z, False), judge(fed, True)
    codes = tf.trainable_variables("encoder")
    figures = codes + tf.trainable_variables("decoder")
    _adam(1e-4).minimize(tf.reduce_mean(error), var_list=figures)
    _adam(1e-4).minimize(crossed(fake, tf.ones_like), var_list=codes)
    judged = crossed(fake, tf.zeros_like) + crossed(real, tf.ones_like)
    _adam(1e-4).minimize(judged, var_list=tf.trainable_variables("discriminator"))
    mu, _ = encode(False, True)
    painted = decode(fed, False, True)
    return fetch(mu, painted, labels=[y])


@eighth
def renderings_denoised() -> Fetches:
    """File 20836594909: get_pred runs denoised_img, trained on an error relative to the reference."""
    noisy = tf.placeholder(tf.float32, [None, None, None, 3], name="noisy_img")
    reference = tf.placeholder(tf.float32, [None, None, None, 3], name="reference")
    h = noisy
    for n in (6, 6):
        h = layers.conv2d(h, n, 3, padding="same", activation=tf.nn.relu)
    clean = layers.conv2d(h, 3, 3, padding="same", activation=tf.nn.relu)
    square = tf.square(tf.subtract(clean, reference))
    loss = tf.reduce_mean(square / (tf.square(reference) + 1.0e-2))
    step = tf.Variable(0, trainable=False)
    rate = tf.train.exponential_decay(1e-4, step, 100, 0.9)
    adam = _adam(rate)
    pairs = [
        (tf.clip_by_value(g, -1.0, 1.0), v) for g, v in adam.compute_gradients(loss)
    ]
    apply = adam.apply_gradients(pairs, global_step=step)
    with tf.control_dependencies([apply]):
        tf.no_op(name="Train")
    return fetch(clean, labels=[reference])


@eighth
def next_state_of_a_world() -> Fetches:
    """File 13051292057: predict runs next_state; both states of the cell are fed with no shape."""
    x = tf.placeholder(tf.float32, [None, 6, 5])
    c, h = (tf.placeholder(tf.float32) for _ in "ch")
    for v in (c, h):
        v.set_shape([None, 8])
    state = _CELLS.LSTMStateTuple(c, h)
    out, _ = tf.nn.dynamic_rnn(
        _CELLS.LSTMCell(8, name="LSTM_Cell"), x, initial_state=state
    )
    later = layers.dense(out[:, -1], 4)
    true = tf.placeholder(tf.float32, [None, 4])
    loss = tf.reduce_mean(tf.reduce_sum(tf.square(true - later), axis=-1))
    _adam(1e-4).minimize(loss)
    tf.summary.scalar("RNN_loss", loss)
    tf.summary.scalar("RNN_test_loss", tf.placeholder(tf.float32))
    return fetch(later, labels=[true])


@eighth
def documents_by_their_mean_code() -> Fetches:
    """File 19695116547: get_representation runs mu; words are log-softmaxed; three optimizers share a loss."""
    x_s = tf.sparse_placeholder(tf.float32, shape=[None, 12], name="input")
    x = tf.sparse_tensor_to_dense(x_s, validate_indices=False)

    def weight(shape):
        return tf.Variable(tf.truncated_normal(shape, stddev=0.1))

    with tf.variable_scope("Encoder"):
        h = tf.nn.relu(tf.matmul(x, weight([12, 8])) + weight([8]))
        h = tf.nn.relu(tf.matmul(h, weight([8, 8])) + weight([8]))
        mu = tf.matmul(h, weight([8, 3])) + weight([3])
        log = tf.matmul(h, weight([8, 3])) + weight([3])
        sigma = tf.sqrt(tf.exp(log))
        z = mu + sigma * tf.random_normal((tf.shape(x)[0], 3), 0, 1)
    encoder = tf.trainable_variables()
    with tf.variable_scope("Generator"):
        e = -tf.matmul(z, weight([12, 3]), transpose_b=True) - weight([12])
        p = tf.nn.log_softmax(e)
    generator = tf.trainable_variables()[len(encoder) :]
    kl = tf.reduce_sum(1 + log - tf.square(mu) - tf.exp(log), 1)
    near = -tf.reduce_sum(x * p, 1)
    total = tf.reduce_mean(-0.5 * kl + near)
    length = tf.reduce_sum(x, 1)
    perplexity = tf.exp(tf.reduce_mean((-0.5 * kl + near) / length))
    _adam(1e-3).minimize(total, var_list=encoder)
    _adam(1e-3).minimize(total, var_list=generator)
    _adam(1e-3).minimize(total, global_step=tf.Variable(0, trainable=False))
    for tag, v in (("total", total), ("perplexity", perplexity)):
        tf.summary.scalar(tag, v)
    return fetch(mu, first=[mu, p])


@eighth
def words_that_go_on() -> Fetches:
    """File 25438711783: runs predictions, one word of each unrolled turn after the sequence that was read."""
    x = tf.placeholder(tf.int32, [1, 8])
    hot = tf.one_hot(x, 9)
    cell = _CELLS.GRUCell(6, name="gru")
    outputs, states = tf.nn.dynamic_rnn(
        cell, hot, sequence_length=[8], dtype=tf.float32
    )
    outputs = tf.squeeze(outputs, [0])[3:-1]
    logits = layers.dense(outputs, 9, name="dense")
    targets = hot[0, 4:]
    loss = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=targets)
    )
    _adam(0.0002, 0.9, 0.999).minimize(loss)
    state, output, predictions = tf.expand_dims(states[-1], 0), hot[:, -1], []
    for _ in range(3):
        output, state = cell(output, state)
        logits = layers.dense(output, 9, name="dense", reuse=True)
        output = tf.argmax(tf.nn.softmax(logits), 1)
        predictions.append(output)
        output = tf.cast(tf.one_hot(output, 9), tf.float32)
    return fetch(*predictions)
