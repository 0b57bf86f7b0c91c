"""Series: sleep, steps of somebody who walks, music, speech, pens, sessions."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, fetch, layers, tenth
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_WRAPPERS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cell_wrappers")
_adam = tf.train.AdamOptimizer


@tenth
def stages_of_sleep() -> Fetches:
    """akaraspt/deepsleepnet: predict.py runs pred_op of the validation net, an argmax; a training net shares its weights."""

    def net(train):
        x = tf.placeholder(
            tf.float32, [4, 64, 1, 1], name=f"x_{'train' if train else 'valid'}_inputs"
        )
        y = tf.placeholder(
            tf.int32, [4], name=f"x_{'train' if train else 'valid'}_targets"
        )
        keep = 0.5 if train else 1.0
        with tf.variable_scope("deepfeaturenet", reuse=not train):

            def conv(v, k, n, s, name, decay=0.0):
                with tf.variable_scope(name):
                    w = tf.get_variable("weights", [k, 1, int(v.shape[3]), n])
                    if decay and train:
                        cost = tf.multiply(tf.nn.l2_loss(w), decay, name="weight_loss")
                        tf.add_to_collection("losses", cost)
                    h = tf.nn.conv2d(v, w, [1, s, 1, 1], "SAME")
                    h = layers.batch_normalization(
                        h, training=train, name="bn", epsilon=1e-5
                    )
                    return tf.nn.relu(h, name="relu")

            parts = []
            for i, (k, s, p) in enumerate([(5, 2, 4), (20, 8, 2)]):
                h = conv(x, k, 3, s, f"l{i}_conv", 1e-3)
                h = tf.nn.max_pool(h, [1, p, 1, 1], [1, p, 1, 1], "SAME")
                h = tf.nn.dropout(h, keep_prob=keep)
                h = conv(conv(h, 3, 4, 1, f"l{i}_conv1"), 3, 4, 1, f"l{i}_conv2")
                h = tf.nn.max_pool(h, [1, 2, 1, 1], [1, 2, 1, 1], "SAME")
                parts.append(tf.reshape(h, [4, -1], name=f"l{i}_flat"))
            h = tf.nn.dropout(tf.concat(parts, 1), keep_prob=keep)
            with tf.variable_scope("softmax_linear"):
                w = tf.get_variable("weights", [int(h.shape[1]), 5])
                b = tf.get_variable("biases", [5])
                logits = tf.add(tf.matmul(h, w), b, name="logits")
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
                logits=logits, labels=y
            )
            loss = tf.reduce_mean(loss, name="cross_entropy")
            loss += tf.add_n(tf.get_collection("losses"), name="regular_loss")
            return y, logits, loss, tf.argmax(logits, 1)

    _, _, loss, _ = net(True)
    y, logits, _, pred = net(False)
    own = tf.trainable_variables()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        grads = tf.gradients(loss, own)
        _adam(1e-4).apply_gradients(zip(grads, own))
    return fetch(pred, first=[pred, logits], labels=[y], twins=[[logits]])


@tenth
def how_somebody_moves() -> Fetches:
    """guillaume-chevalier/LSTM-Human-Activity-Recognition lstm.py: runs pred_Y beside the accuracy and the cost."""
    hidden = {
        "hidden": tf.Variable(tf.random_normal([3, 6])),
        "output": tf.Variable(tf.random_normal([6, 4])),
    }
    bias = {
        "hidden": tf.Variable(tf.random_normal([6])),
        "output": tf.Variable(tf.random_normal([4])),
    }
    x = tf.placeholder(tf.float32, [None, 5, 3])
    y = tf.placeholder(tf.float32, [None, 4])
    v = tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, 3])
    v = tf.split(tf.matmul(v, hidden["hidden"]) + bias["hidden"], 5, 0)
    cells = _CELLS.MultiRNNCell([_CELLS.BasicLSTMCell(6) for _ in range(2)])
    outs, _ = tf.nn.static_rnn(cells, v, dtype=tf.float32)
    pred = tf.matmul(outs[-1], hidden["output"]) + bias["output"]
    l2 = 0.0015 * sum(tf.nn.l2_loss(w) for w in tf.trainable_variables())
    cost = tf.nn.softmax_cross_entropy_with_logits(logits=pred, labels=y)
    cost = tf.reduce_mean(cost) + l2
    _adam(0.0025).minimize(cost)
    right = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1))
    tf.reduce_mean(tf.cast(right, tf.float32))
    return fetch(pred, labels=[y])


@tenth
def music_from_noise() -> Fetches:
    """olofmogren/c-rnn-gan rnn_gan.py: sample() runs _lengths_freqs_velocities, a list of one tensor a step."""

    def linear(v, n, scope, again=False):
        with tf.variable_scope(scope, reuse=again):
            w = tf.get_variable("w", [int(v.shape[1]), n])
            return tf.matmul(v, w) + tf.get_variable("b", [n])

    def run(v, keep=0.5):
        cell = _WRAPPERS.DropoutWrapper(_CELLS.BasicLSTMCell(5), output_keep_prob=keep)
        cells = _CELLS.MultiRNNCell([cell])
        start = cells.zero_state(4, tf.float32)
        return tf.nn.static_rnn(cells, v, initial_state=start)[0]

    with tf.variable_scope("model"):
        with tf.variable_scope("G"):
            meta = tf.random_uniform(shape=[4, 2], minval=0.0, maxval=1.0)
            meta = tf.nn.relu(linear(meta, 3, "meta_layer"))
            w = tf.get_variable("meta_softmax_w", [3, 2])
            b = tf.get_variable("meta_softmax_b", [2])
            meta = tf.nn.softmax(tf.nn.xw_plus_b(meta, w, b))
            noise = tf.random_uniform(shape=[4, 3, 3], minval=0.0, maxval=1.0)
            noise = [tf.squeeze(v, [1]) for v in tf.split(noise, 3, 1)]
            steps = [
                tf.nn.relu(linear(v, 5, "input_layer", i != 0))
                for i, v in enumerate(noise)
            ]
            song = [
                tf.nn.relu(linear(v, 3, "output_layer", i != 0))
                for i, v in enumerate(run(steps))
            ]
        data = tf.placeholder(tf.float32, [4, 3, 3])
        about = tf.placeholder(tf.float32, [4, 2])
        rate = tf.Variable(0.9, trainable=False)
        g_own = [v for v in tf.trainable_variables() if v.name.startswith("model/G/")]
        descent = tf.train.GradientDescentOptimizer(rate)
        both = zip(tf.split(song, 3, 2), tf.split(data, 3, 2))
        errors = [
            tf.reduce_mean(tf.squared_difference(tf.transpose(a, perm=[1, 0, 2]), b))
            for a, b in both
        ]
        before = 2 * errors[0] + errors[1] + errors[2]
        grads, _ = tf.clip_by_global_norm(tf.gradients(before, g_own), 5.0)
        descent.apply_gradients(zip(grads, g_own))

        def judge(v):
            v = [tf.nn.dropout(s, keep_prob=0.5) for s in v]
            said = [
                tf.sigmoid(linear(s, 1, "decision", i != 0 or again))
                for i, s in enumerate(run(v))
            ]
            return tf.reduce_mean(tf.stack(said))

        with tf.variable_scope("D") as scope:
            again = False
            true = [tf.squeeze(v, [1]) for v in tf.split(data, 3, 1)]
            real = judge([tf.concat([about, v], 1) for v in true])
            scope.reuse_variables()
            again = True
            false = judge([tf.concat([meta, v], 1) for v in song])
        d_loss = tf.reduce_mean(
            -tf.log(tf.clip_by_value(real, 1e-30, 1.0))
            - tf.log(1 - tf.clip_by_value(false, 0.0, 1.0 - 1e-6))
        )
        g_loss = tf.reduce_mean(-tf.log(tf.clip_by_value(false, 1e-30, 1.0)))
        d_own = [v for v in tf.trainable_variables() if v.name.startswith("model/D/")]
        for loss, own, speed in ((d_loss, d_own, rate * 0.5), (g_loss, g_own, rate)):
            grads, _ = tf.clip_by_global_norm(tf.gradients(loss, own), 5.0)
            tf.train.GradientDescentOptimizer(speed).apply_gradients(zip(grads, own))
        new = tf.placeholder(tf.float32, shape=[], name="new_learning_rate")
        tf.assign(rate, new)
    return fetch(*song, labels=[data, about])


@tenth
def is_somebody_speaking() -> Fetches:
    """jtkim-kaist/VAD VAD_bDNN.py: evaluation runs m_valid.logits, a sigmoid, of a second model of the same weights."""

    def model(train):
        keep = tf.placeholder(tf.float32, name="keep_probabilty")
        x = tf.placeholder(tf.float32, shape=[None, 14], name="inputs")
        y = tf.placeholder(tf.float32, shape=[None, 7], name="labels")
        h = x
        for i in range(2):
            w = tf.get_variable(f"hidden_{i}_w", [int(h.shape[1]), 9])
            b = tf.get_variable(f"hidden_{i}_b", [9])
            h = tf.matmul(h, w) + b
            h = layers.batch_normalization(
                h, momentum=0.9, training=train, name=f"bn_{i}"
            )
            h = tf.nn.dropout(tf.nn.relu(h), keep_prob=keep)
        w, b = tf.get_variable("output_w", [9, 7]), tf.get_variable("output_b", [7])
        out = tf.reshape(tf.sigmoid(tf.matmul(h, w) + b), [-1, 7])
        cost = tf.reduce_mean(tf.square(y - out))
        step = tf.Variable(0, trainable=False)
        rate = tf.train.exponential_decay(2e-5, step, 200, 0.95, staircase=True)
        adam = _adam(rate)
        grads = adam.compute_gradients(cost, var_list=tf.trainable_variables())
        adam.apply_gradients(grads, global_step=step)
        return out, y

    with tf.variable_scope("model", reuse=None):
        trained, label = model(True)
    with tf.variable_scope("model", reuse=tf.AUTO_REUSE):
        out, y = model(False)
    fed = tf.placeholder(dtype=tf.float32)
    with tf.variable_scope("Aggregated_Training_Parts"):
        for name in ("cost", "accuracy"):
            tf.summary.scalar(name, fed)
    return fetch(out, labels=[y, label])


@tenth
def strokes_of_a_sketch() -> Fetches:
    """hardmaru/sketch-rnn model.py: sample() runs pi, mu1, mu2, sigma1, sigma2, corr, pen and the final state."""
    size, turns, mixtures, units = 2, 3, 2, 4
    cell = _CELLS.MultiRNNCell([_CELLS.GRUCell(units) for _ in range(1)])
    x = tf.placeholder(dtype=tf.float32, shape=[size, turns, 5])
    target = tf.placeholder(dtype=tf.float32, shape=[size, turns, 5])
    start = cell.zero_state(batch_size=size, dtype=tf.float32)
    width = 3 + mixtures * 6
    with tf.variable_scope("rnn_mdn"):
        w = tf.get_variable("output_w", [units, width])
        b = tf.get_variable("output_b", [width])
    pens = [tf.squeeze(v, [1]) for v in tf.split(x, turns, 1)]
    state, outs = start, []
    with tf.variable_scope("rnn_mdn/rnn_decoder") as scope:
        for i, pen in enumerate(pens):
            if i:
                scope.reuse_variables()
            out, new = cell(pen, state)
            over = tf.tile(tf.reshape(pen[:, 3], [size, 1]), [1, units])
            over = tf.greater(over, tf.zeros_like(over, dtype=tf.float32))
            state = (tf.where(over, start[0], new[0]),)
            outs.append(out)
    out = tf.reshape(tf.concat(outs, 1), [-1, units])
    z = tf.nn.xw_plus_b(out, w, b)
    x1, x2, eos, eoc, cont = tf.split(tf.reshape(target, [-1, 5]), 5, 1)
    pen_data = tf.concat([eos, eoc, cont], 1)
    pen = z[:, 0:3]
    pi, mu1, mu2, s1, s2, corr = tf.split(z[:, 3:], 6, 1)
    pi = tf.exp(tf.subtract(pi, tf.reduce_max(pi, 1, keepdims=True)))
    pi = tf.multiply(tf.reciprocal(tf.reduce_sum(pi, 1, keepdims=True)), pi)
    s1, s2, corr = tf.exp(s1), tf.exp(s2), tf.tanh(corr)
    n1, n2, s1s2 = tf.subtract(x1, mu1), tf.subtract(x2, mu2), tf.multiply(s1, s2)
    far = tf.square(tf.divide(n1, s1)) + tf.square(tf.divide(n2, s2))
    far -= 2 * tf.divide(tf.multiply(corr, tf.multiply(n1, n2)), s1s2)
    free = 1 - tf.square(corr)
    likely = tf.exp(tf.divide(-far, 2 * free))
    likely = tf.divide(likely, 2 * np.pi * tf.multiply(s1s2, tf.sqrt(free)))
    shape = tf.reduce_sum(tf.multiply(likely, pi), 1, keepdims=True)
    shape = tf.reduce_mean(-tf.log(tf.maximum(shape, 1e-20)))
    weight = pen_data[:, 2] + np.sqrt(20.0) * pen_data[:, 0] + 20.0 * pen_data[:, 1]
    off = tf.nn.softmax_cross_entropy_with_logits(logits=pen, labels=pen_data)
    cost = shape + tf.reduce_mean(tf.multiply(off, weight))
    rate = tf.Variable(0.01, trainable=False)
    own = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(cost, own), 5.0)
    _adam(rate, epsilon=0.001).apply_gradients(zip(grads, own))
    parts = pi, mu1, mu2, s1, s2, corr, pen
    return fetch(*parts, state[0], first=parts, labels=[target], twins=[parts])


@tenth
def next_click_of_a_session() -> Fetches:
    """CRIPAC-DIG/SR-GNN tensorflow_code: runs score_test, of the second of two passes with equal weights and inputs."""
    size, n, items, deviation = 2, 4, 9, 0.5
    init = tf.random_uniform_initializer(-deviation, deviation)
    mask = tf.placeholder(dtype=tf.float32)
    alias, item, tar = (tf.placeholder(dtype=tf.int32) for _ in range(3))
    w1, w2 = (tf.get_variable(f"nasr_w{i}", [n, n], initializer=init) for i in (1, 2))
    v = tf.get_variable("nasrv", [1, n], initializer=init)
    b = tf.get_variable("nasr_b", [n], initializer=tf.zeros_initializer())
    table = tf.get_variable("embedding", [items, n], initializer=init)
    ways = [
        (
            tf.placeholder(tf.float32, [size, None, None]),
            tf.get_variable(f"W_{name}", [n, n], initializer=init),
            tf.get_variable(f"b_{name}", [n], initializer=init),
        )
        for name in ("in", "out")
    ]

    def ggnn():
        state = tf.nn.embedding_lookup(table, item)
        cell = _CELLS.GRUCell(n)
        with tf.variable_scope("gru"):
            state = tf.reshape(state, [size, -1, n])
            parts = []
            for adjacent, w, own in ways:
                h = tf.matmul(tf.reshape(state, [-1, n]), w) + own
                parts.append(tf.matmul(adjacent, tf.reshape(h, [size, -1, n])))
            av = tf.reshape(tf.concat(parts, -1), [-1, 2 * n])
            _, state = tf.nn.dynamic_rnn(
                cell, tf.expand_dims(av, 1), initial_state=tf.reshape(state, [-1, n])
            )
        return tf.reshape(state, [size, -1, n])

    def forward(states, train):
        last = tf.cast(tf.reduce_sum(mask, 1), tf.int32) - 1
        last = tf.gather_nd(alias, tf.stack([tf.range(size), last], axis=1))
        last = tf.gather_nd(states, tf.stack([tf.range(size), last], axis=1))
        seq = [tf.nn.embedding_lookup(states[i], alias[i]) for i in range(size)]
        seq = tf.stack(seq, axis=0)
        last = tf.reshape(tf.matmul(last, w1), [size, 1, -1])
        m = tf.reshape(tf.matmul(tf.reshape(seq, [-1, n]), w2), [size, -1, n])
        m = tf.reshape(tf.nn.sigmoid(last + m + b), [-1, n])
        coef = tf.matmul(m, v, transpose_b=True) * tf.reshape(mask, [-1, 1])
        ma = tf.reduce_sum(tf.reshape(coef, [size, -1, 1]) * seq, 1)
        ma = tf.concat([ma, tf.reshape(last, [-1, n])], -1)
        y = tf.matmul(ma, tf.get_variable("B", [2 * n, n], initializer=init))
        logits = tf.matmul(y, table[1:], transpose_b=True)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tar - 1, logits=logits
        )
        loss = tf.reduce_mean(loss)
        if train:
            own = [tf.nn.l2_loss(w) for w in tf.trainable_variables()]
            loss += tf.add_n(own) * 1e-5
        return loss, logits

    with tf.variable_scope("ggnn_model", reuse=None):
        loss, trained = forward(ggnn(), True)
    with tf.variable_scope("ggnn_model", reuse=True):
        _, scores = forward(ggnn(), False)
    step = tf.Variable(0)
    rate = tf.train.exponential_decay(1e-3, step, 100, 0.1, staircase=True)
    _adam(rate).minimize(loss, global_step=step)
    return fetch(scores, first=[scores, trained], labels=[tar], twins=[[trained]])


@tenth
def written_by_hand() -> Fetches:
    """sjvasquez/handwriting-synthesis rnn.py: runs sampled_sequence, drawn in a loop in either branch of a condition."""
    size, mixtures, units, chars = 2, 2, 4, 5
    x, y = (tf.placeholder(tf.float32, [None, None, 3]) for _ in range(2))
    x_len = tf.placeholder(tf.int32, [None])
    c = tf.placeholder(tf.int32, [None, None])
    c_len = tf.placeholder(tf.int32, [None])
    turns, samples = tf.placeholder(tf.int32, []), tf.placeholder(tf.int32, [])
    prime = tf.placeholder(tf.bool, [])
    x_prime = tf.placeholder(tf.float32, [None, None, 3])
    x_prime_len = tf.placeholder(tf.int32, [None])
    bias = tf.placeholder_with_default(tf.zeros([samples]), [None])
    text = tf.one_hot(c, chars)
    known = tf.expand_dims(tf.sequence_mask(c_len, dtype=tf.float32), 2)
    pooled = tf.reduce_sum(text * known, 1)
    cell = _CELLS.LSTMCell(units)

    def read(v):
        own = tf.expand_dims(pooled, 1) + tf.zeros_like(v[:, :, :1])
        return tf.concat([v, own], 2)

    def parsed(z, free=None):
        pis, sigmas, rhos, mus, es = tf.split(
            z, [mixtures, 2 * mixtures, mixtures, 2 * mixtures, 1], axis=-1
        )
        if free is not None:
            pis, sigmas = pis * (1 + tf.expand_dims(free, 1)), sigmas - free[:, None]
        sigmas = tf.clip_by_value(tf.exp(sigmas), 1e-4, np.inf)
        rhos = tf.clip_by_value(tf.tanh(rhos), 1e-8 - 1.0, 1.0 - 1e-8)
        es = tf.clip_by_value(tf.nn.sigmoid(es), 1e-8, 1.0 - 1e-8)
        return tf.nn.softmax(pis, axis=-1), mus, sigmas, rhos, es

    outs, _ = tf.nn.dynamic_rnn(
        cell, read(x), sequence_length=x_len, dtype=tf.float32, scope="rnn"
    )
    wide = 6 * mixtures + 1
    with tf.variable_scope("rnn/gmm"):
        w = tf.get_variable("weights", [units, wide])
        b = tf.get_variable("biases", [wide])
    flat = tf.matmul(tf.reshape(outs, [-1, units]), w) + b
    params = tf.reshape(flat, [tf.shape(x)[0], tf.shape(x)[1], wide])
    pis, mus, sigmas, rho, es = parsed(params)
    s1, s2 = tf.split(sigmas, 2, axis=2)
    y1, y2, y3 = tf.split(y, 3, axis=2)
    m1, m2 = tf.split(mus, 2, axis=2)
    norm = 1.0 / (2 * np.pi * s1 * s2 * tf.sqrt(1 - tf.square(rho)))
    far = tf.square((y1 - m1) / s1) + tf.square((y2 - m2) / s2)
    far -= 2 * rho * (y1 - m1) * (y2 - m2) / (s1 * s2)
    likely = tf.exp(-1.0 * far / (2 * (1 - tf.square(rho)))) * norm
    likely = tf.clip_by_value(tf.reduce_sum(pis * likely, 2), 1e-8, np.inf)
    end = tf.squeeze(tf.where(tf.equal(tf.ones_like(y3), y3), es, 1 - es))
    nll = -(tf.log(likely) + tf.log(end))
    mask = tf.sequence_mask(x_len, maxlen=tf.shape(y)[1])
    mask = tf.logical_and(mask, tf.logical_not(tf.is_nan(nll)))
    nll = tf.where(mask, nll, tf.zeros_like(nll))
    count = tf.reduce_sum(tf.cast(mask, tf.float32), axis=1)
    tf.reduce_sum(nll, axis=1) / tf.maximum(count, 1.0)
    loss = tf.reduce_sum(nll) / tf.maximum(tf.reduce_sum(count), 1.0)

    def draw(h):
        pis, mus, sigmas, rhos, es = parsed(tf.matmul(h, w) + b, bias)
        which = tf.cast(tf.multinomial(tf.log(pis), 1)[:, 0], tf.int32)
        a = tf.random_normal([size, mixtures])
        o = rhos * a + tf.sqrt(1 - rhos**2) * tf.random_normal([size, mixtures])
        s1, s2 = tf.split(sigmas, 2, axis=1)
        m1, m2 = tf.split(mus, 2, axis=1)
        places = tf.stack([m1 + s1 * a, m2 + s2 * o], axis=2)
        place = tf.gather_nd(places, tf.stack([tf.range(size), which], axis=1))
        stop = tf.cast(tf.random_uniform([size, 1]) < es, tf.float32)
        return tf.concat([place, stop], axis=1)

    def free_run(state, first):
        def body(i, pen, c, h, drawn):
            with tf.variable_scope("rnn", reuse=True):
                out, (c, h) = cell(tf.concat([pen, pooled], 1), (c, h))
            pen = draw(out)
            return i + 1, pen, c, h, drawn.write(i, pen)

        drawn = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
        *_, drawn = tf.while_loop(
            lambda i, *_: i < turns, body, (0, first, *state, drawn)
        )
        return tf.transpose(drawn.stack(), [1, 0, 2])

    def primed():
        with tf.variable_scope("", reuse=True):
            _, state = tf.nn.dynamic_rnn(
                cell,
                read(x_prime),
                sequence_length=x_prime_len,
                dtype=tf.float32,
                scope="rnn",
            )
        return free_run(state, draw(state[1]))

    def unprimed():
        first = tf.concat([tf.zeros([size, 2]), tf.ones([size, 1])], axis=1)
        return free_run(tuple(cell.zero_state(size, tf.float32)), first)

    sampled = tf.cond(prime, primed, unprimed)
    step = tf.Variable(0, trainable=False)
    rate = tf.Variable(0.0, trainable=False, name="learning_rate")
    rms = tf.train.RMSPropOptimizer(rate, decay=0.9)
    grads = rms.compute_gradients(loss)
    grads = [(tf.clip_by_value(g, -10.0, 10.0), own) for g, own in grads]
    rms.apply_gradients(grads, global_step=step)
    return fetch(sampled, labels=[y, x_len])
