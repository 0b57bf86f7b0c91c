"""Tables, graphs, talks, money, preferences, formulas."""

from __future__ import annotations

import importlib
import math

import numpy as np

from ..zoo import Fetches, fetch, layers, tenth
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


@tenth
def triples_of_a_knowledge_base() -> Fetches:
    """daiquocnguyen/ConvKB: eval.py runs predictions, a sigmoid that the loss does not take; labels are 1 and -1."""
    x = tf.placeholder(tf.int32, [None, 3], name="input_x")
    y = tf.placeholder(tf.float32, [None, 1], name="input_y")
    keep = tf.placeholder(tf.float32, name="dropout_keep_prob")
    l2 = tf.constant(0.0)
    with tf.name_scope("embedding"):
        bound = math.sqrt(1.0 / 4)
        w = tf.Variable(tf.random_uniform([11, 4], -bound, bound), name="W")
        chars = tf.expand_dims(tf.nn.embedding_lookup(w, x), -1)
    pooled = []
    for size in (1, 2):
        with tf.name_scope(f"conv-maxpool-{size}"):
            w = tf.Variable(tf.truncated_normal([3, size, 1, 5], stddev=0.1), name="W")
            b = tf.Variable(tf.constant(0.0, shape=[5]), name="b")
            h = tf.nn.conv2d(chars, w, [1, 1, 1, 1], "VALID", name="conv")
            pooled.append(tf.nn.relu(tf.nn.bias_add(h, b), name="relu"))
    flat = tf.reshape(tf.concat(pooled, 2), [-1, 35])
    with tf.name_scope("dropout"):
        flat = tf.nn.dropout(flat, keep_prob=keep)
    with tf.name_scope("output"):
        w = tf.get_variable("W", shape=[35, 1])
        b = tf.Variable(tf.constant(0.0, shape=[1]), name="b")
        l2 += tf.nn.l2_loss(w)
        l2 += tf.nn.l2_loss(b)
        scores = tf.nn.xw_plus_b(flat, w, b, name="scores")
        predictions = tf.nn.sigmoid(scores)
    with tf.name_scope("loss"):
        loss = tf.reduce_mean(tf.nn.softplus(scores * y)) + 0.001 * l2
    step = tf.Variable(0, name="global_step", trainable=False)
    adam = _adam(1e-4)
    adam.apply_gradients(adam.compute_gradients(loss), global_step=step)
    return fetch(predictions, first=[predictions, scores], labels=[y], twins=[[scores]])


@tenth
def signals_on_a_graph() -> Fetches:
    """mdeff/cnn_graph lib/models.py: predict runs op_prediction, an argmax; losses are averaged and summarised."""
    regularizers = []

    def variable(name, shape):
        v = tf.get_variable(name, shape)
        regularizers.append(tf.nn.l2_loss(v))
        tf.summary.histogram(v.op.name, v)
        return v

    with tf.name_scope("inputs"):
        x = tf.placeholder(tf.float32, (4, 8), "data")
        labels = tf.placeholder(tf.int32, (4), "labels")
        dropout = tf.placeholder(tf.float32, (), "dropout")
    laplace = tf.constant(np.random.RandomState(0).rand(8, 8), tf.float32)
    h = tf.expand_dims(x, 2)
    for i in range(2):
        with tf.variable_scope(f"conv{i + 1}"):
            with tf.name_scope("filter"):
                c = int(h.shape[2])
                x0 = tf.reshape(tf.transpose(h, perm=[1, 2, 0]), [8, c * 4])
                x1 = tf.matmul(laplace, x0)
                x2 = 2 * tf.matmul(laplace, x1) - x0
                v = tf.reshape(tf.stack([x0, x1, x2]), [3, 8, c, 4])
                v = tf.reshape(tf.transpose(v, perm=[3, 1, 2, 0]), [32, c * 3])
                h = tf.matmul(v, variable("weights", [c * 3, 3]))
                h = tf.reshape(h, [4, 8, 3])
            with tf.name_scope("bias_relu"):
                h = tf.nn.relu(h + variable("bias", [1, 1, 3]))
            with tf.name_scope("pooling"):
                h = tf.expand_dims(h, 3)
                h = tf.nn.max_pool(h, [1, 1, 1, 1], [1, 1, 1, 1], "SAME")
                h = tf.squeeze(h, [3])
    with tf.variable_scope("logits"):
        h = tf.nn.dropout(tf.reshape(h, [4, 24]), keep_prob=dropout)
        logits = tf.matmul(h, variable("weights", [24, 5])) + variable("bias", [5])
    with tf.name_scope("loss"):
        with tf.name_scope("cross_entropy"):
            entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
                logits=logits, labels=tf.cast(labels, tf.int64)
            )
            entropy = tf.reduce_mean(entropy)
        with tf.name_scope("regularization"):
            decay = 5e-4 * tf.add_n(regularizers)
        loss = entropy + decay
        for name, value in (
            ("cross_entropy", entropy),
            ("reg", decay),
            ("total", loss),
        ):
            tf.summary.scalar(name, value)
        with tf.name_scope("averages"):
            averages = tf.train.ExponentialMovingAverage(0.9)
            apply = averages.apply([entropy, decay, loss])
            tf.summary.scalar("avg", averages.average(loss))
            with tf.control_dependencies([apply]):
                tf.identity(averages.average(loss), name="control")
    with tf.name_scope("training"):
        step = tf.Variable(0, name="global_step", trainable=False)
        rate = tf.train.exponential_decay(0.1, step, 100, 0.95, staircase=True)
        tf.summary.scalar("learning_rate", rate)
        momentum = tf.train.MomentumOptimizer(rate, 0.9)
        grads = momentum.compute_gradients(loss)
        train = momentum.apply_gradients(grads, global_step=step)
        for g, v in grads:
            tf.summary.histogram(v.op.name + "/gradients", g)
        with tf.control_dependencies([train]):
            tf.identity(rate, name="control")
    with tf.name_scope("prediction"):
        prediction = tf.argmax(logits, axis=1)
    tf.summary.merge_all()
    return fetch(
        prediction, first=[prediction, logits], labels=[labels], twins=[[logits]]
    )


@tenth
def energy_of_what_is_odd() -> Fetches:
    """tnakae/DAGMM: predict runs the energy under a mixture that was fitted last and written into variables."""
    x = tf.placeholder(dtype=tf.float32, shape=[None, 6])
    drop = tf.placeholder(dtype=tf.float32, shape=[])
    with tf.variable_scope("CompNet"):
        with tf.variable_scope("Encoder"):
            h = layers.dense(x, 4, tf.nn.tanh, name="layer_1")
            z = layers.dense(h, 2, name="layer_2")
        with tf.variable_scope("Decoder"):
            h = layers.dense(z, 4, tf.nn.tanh, name="layer_1")
            dash = layers.dense(h, 6, name="layer_2")
        error = tf.reduce_sum(tf.square(x - dash), axis=1)
        length = tf.norm(x, axis=1)
        cosine = 0.5 * (
            1.0 - tf.reduce_sum(x * dash, axis=1) / (length * tf.norm(dash, axis=1))
        )
        far = tf.norm(x - dash, axis=1) / length
        z = tf.concat([z, far[:, None], cosine[:, None]], axis=1)
    with tf.variable_scope("EstNet"):
        h = layers.dense(z, 5, tf.nn.tanh, name="layer_1")
        h = layers.dropout(h, rate=drop, name="drop_1")
        gamma = tf.nn.softmax(layers.dense(h, 2, name="logits"))
    with tf.variable_scope("GMM"):
        total = tf.reduce_sum(gamma, axis=0)
        phi = tf.reduce_mean(gamma, axis=0)
        mu = tf.einsum("ik,il->kl", gamma, z) / total[:, None]
        centred = tf.sqrt(gamma[:, :, None]) * (z[:, None, :] - mu[None, :, :])
        sigma = tf.einsum("ikl,ikm->klm", centred, centred) / total[:, None, None]
        least = tf.diag(tf.ones(4, dtype=tf.float32)) * 1e-6
        low = tf.cholesky(sigma + least[None, :, :])

    def energy(phi, mu, low):
        with tf.variable_scope("GMM_energy"):
            centred = z[:, None, :] - mu[None, :, :]
            v = tf.matrix_triangular_solve(low, tf.transpose(centred, [1, 2, 0]))
            det = 2.0 * tf.reduce_sum(tf.log(tf.matrix_diag_part(low)), axis=1)
            own = tf.reduce_sum(tf.square(v), axis=1)
            own = own + 4 * tf.log(2.0 * np.pi) + det[:, None]
            logits = tf.log(phi[:, None]) - 0.5 * own
            return -tf.reduce_logsumexp(logits, axis=0)

    loss = tf.reduce_mean(error) + 0.1 * tf.reduce_mean(energy(phi, mu, low))
    with tf.variable_scope("GMM_diag_loss"):
        diag = tf.reduce_sum(tf.divide(1, tf.matrix_diag_part(sigma)))
    _adam(1e-4).minimize(loss + 0.005 * diag)
    with tf.variable_scope("GMM"):
        shapes = [2], [2, 4], [2, 4, 4], [2, 4, 4]
        fixed = [
            tf.Variable(tf.zeros(shape=s), dtype=tf.float32, name=n)
            for s, n in zip(shapes, ("phi", "mu", "sigma", "L"))
        ]
    tf.group(*(tf.assign(v, own) for v, own in zip(fixed, (phi, mu, sigma, low))))
    energies = energy(fixed[0], fixed[1], fixed[3])
    tf.add_to_collection("save", x)
    tf.add_to_collection("save", energies)
    return fetch(energies)


@tenth
def beliefs_of_a_dialogue() -> Fetches:
    """nmrksic/neural-belief-tracker: runs y (and predictions, its argmax), of what was believed the turn before."""
    values, d, units = 3, 6, 4
    size = values + 1
    init = np.random.RandomState(0).rand(size + 1, d).astype(np.float32)
    full = tf.placeholder(tf.float32, [None, 10, d])
    asked, slots, said = (tf.placeholder(tf.float32, (None, d)) for _ in range(3))
    w_slots, w_values = (tf.constant(init, name="W_init") for _ in range(2))
    y_ = tf.placeholder(tf.float32, [None, size])
    past = tf.placeholder(tf.float32, [None, size])
    keep = tf.placeholder("float")

    def weight(*shape):
        return tf.Variable(tf.random_normal(list(shape)))

    heard = tf.zeros([d], tf.float32)
    for k in (1, 2, 3):
        w = tf.Variable(tf.truncated_normal([k, d, 1, d], stddev=0.1), name="W")
        b = tf.Variable(tf.constant(0.1, shape=[d]), name="b")
        h = tf.nn.conv2d(tf.expand_dims(full, -1), w, [1, 1, 1, 1], "VALID")
        h = tf.nn.relu(tf.nn.bias_add(h, b), name="relu")
        h = tf.nn.max_pool(h, [1, 11 - k, 1, 1], [1, 1, 1, 1], "VALID")
        heard += tf.reshape(h, [-1, d])
    candidates = tf.nn.sigmoid(tf.matmul(w_values, weight(d, d)) + weight(d))
    each = [tf.multiply(heard, candidates[i, :]) for i in range(values)]
    each = tf.reshape(tf.transpose(tf.stack(each), [1, 0, 2]), [-1, d])
    joint = tf.nn.sigmoid(tf.matmul(each, weight(d, units)) + weight(units))
    joint = tf.nn.dropout(tf.reshape(joint, [-1, values, units]), keep_prob=keep)
    y = tf.matmul(tf.reshape(joint, [-1, units]), weight(units, 1)) + weight(1)
    y = tf.reshape(y, [-1, values])
    dot = tf.reduce_mean(tf.multiply(w_slots[0, :], asked), 1)
    decision = tf.multiply(tf.expand_dims(dot, 1), heard)
    requests, confirms = [], []
    w, b = weight(d, units), weight(units)
    for _ in range(values):
        h = tf.nn.sigmoid(tf.matmul(decision, w) + b)
        h = tf.nn.dropout(h, keep_prob=keep)
        requests.append(tf.matmul(h, weight(units, 1)) + weight(1))
    w, b, w2, b2 = weight(d, units), weight(units), weight(units, 1), weight(1)
    for i in range(values):
        dot = tf.reduce_mean(tf.multiply(w_slots[0, :], slots), 1)
        dot *= tf.reduce_mean(tf.multiply(w_values[i, :], said), 1)
        dot = tf.cast(tf.equal(dot, tf.ones(tf.shape(dot))), "float32")
        h = tf.multiply(tf.expand_dims(dot, 1), heard)
        h = tf.nn.dropout(tf.nn.sigmoid(tf.matmul(h, w) + b), keep_prob=keep)
        confirms.append(tf.matmul(h, w2) + b2)
    none = tf.zeros([tf.shape(y)[0], 1])
    y = tf.concat([y, none], 1)
    y = y + tf.concat([*confirms, none], 1) + tf.concat([*requests, none], 1)

    def mixed():
        on, off = weight(1, 1), weight(1, 1)
        whole = off * tf.ones([size, size])
        return on * tf.diag(tf.ones(size)) + tf.matrix_set_diag(whole, tf.zeros(size))

    combined = tf.matmul(past, mixed()) + tf.matmul(y, mixed())
    y = tf.nn.softmax(combined)
    entropy = tf.nn.softmax_cross_entropy_with_logits(logits=combined, labels=y_)
    predictions = tf.cast(tf.argmax(y, 1), "float32")
    true = tf.cast(tf.argmax(y_, 1), "float32")
    tf.reduce_mean(tf.cast(tf.equal(predictions, true), "float"))
    both = tf.reduce_sum(tf.multiply(predictions, true))
    recall = both / tf.reduce_sum(true)
    precision = both / tf.reduce_sum(predictions)
    (2 * recall * precision) / (recall + precision)
    _adam(0.001).minimize(entropy)
    return fetch(
        y,
        first=[y, predictions, combined],
        labels=[y_],
        twins=[[predictions], [y, predictions], [combined]],
    )


@tenth
def weights_of_a_portfolio() -> Fetches:
    """ZhengyaoJiang/PGPortfolio: decide_by_history runs the net's output, a softmax; its loss is what it would earn."""
    count = tf.placeholder(tf.int32, shape=[])
    x = tf.placeholder(tf.float32, shape=[None, 3, 4, 8])
    last = tf.placeholder(tf.float32, shape=[None, 4])
    v = tf.transpose(x, [0, 2, 3, 1])
    v = v / v[:, :, -1, 0, None, None]
    decay = []

    def conv(v, n, k, act=None):
        h = layers.conv2d(v, n, [1, k], padding="valid", activation=act)
        kernel = tf.trainable_variables()[-2]
        decay.append(5e-8 * tf.nn.l2_loss(kernel))
        return h

    v = conv(v, 2, 3, tf.nn.relu)
    v = conv(v, 5, 6, tf.nn.relu)
    v = tf.reshape(v, [count, 4, 1, 5])
    v = tf.concat([v, tf.reshape(last, [-1, 4, 1, 1])], axis=3)
    v = conv(v, 1, 1)[:, :, 0, 0]
    own = tf.get_variable("btc_bias", [1, 1], initializer=tf.zeros_initializer)
    voting = tf.concat([tf.tile(own, [count, 1]), v], 1)
    out = tf.nn.softmax(voting)
    step = tf.Variable(0, trainable=False)
    future, now = (tf.placeholder(tf.float32, [None, 3, 4]) for _ in range(2))
    price = tf.concat([tf.ones([count, 1]), now[:, 0, :]], 1)
    later = tf.concat([tf.ones([count, 1]), future[:, 0, :]], 1)
    w = (price * out) / tf.reduce_sum(price * out, axis=1)[:, None]
    spent = tf.abs(out[1:count][:, 1:] - w[: count - 1][:, 1:])
    cost = 1 - tf.reduce_sum(spent, axis=1) * 0.0025
    grows = tf.reduce_sum(out * later, axis=1)
    vector = grows * tf.concat([tf.ones(1), cost], axis=0)
    tf.reduce_mean(tf.log(grows))
    tf.reduce_prod(vector)
    mean = tf.reduce_mean(vector)
    deviation = tf.sqrt(tf.reduce_mean((vector - mean) ** 2))
    (mean - 1) / deviation
    loss = -tf.reduce_mean(tf.log(vector))
    for each in decay:
        loss += each
    rate = tf.train.exponential_decay(3e-4, step, 50000, 1.0, staircase=True)
    _adam(rate).minimize(loss, global_step=step)
    return fetch(
        out, first=[out, voting], labels=[future, now], twins=[[voting], [out, voting]]
    )


@tenth
def what_people_prefer() -> Fetches:
    """mrahtz/learning-from-human-preferences: runs r1 of one film, or pred, which of two is preferred."""
    training = tf.placeholder(tf.bool)
    s1, s2 = (tf.placeholder(tf.uint8, shape=(None, None, 12, 12, 2)) for _ in range(2))
    mu = tf.placeholder(tf.float32, shape=(None, 2))

    def net(s, reuse):
        x = tf.cast(s, tf.float32) / 255.0
        for i, (k, stride) in enumerate([(5, 2), (3, 1)]):
            x = layers.conv2d(x, 3, k, stride, name=f"c{i}", reuse=reuse)
            x = layers.batch_normalization(x, training=training)
            x = tf.nn.leaky_relu(x, alpha=0.01)
            x = layers.dropout(x, 0.5, training=training)
        x = tf.reshape(x, [-1, 12])
        x = layers.dense(x, 6, name="d1", reuse=reuse)
        x = tf.nn.leaky_relu(x, alpha=0.01)
        return layers.dense(x, 1, name="d2", reuse=reuse)[:, 0]

    with tf.variable_scope("pred_0"):
        r1, r2 = (
            net(tf.reshape(s, [-1, 12, 12, 2], name=n), reuse)
            for s, n, reuse in ((s1, "a", None), (s2, "b", True))
        )
        with tf.control_dependencies([tf.assert_rank(r1, 1), tf.assert_rank(r2, 1)]):
            r1 = tf.reshape(r1, tf.shape(s1)[0:2], name="c")
            r2 = tf.reshape(r2, tf.shape(s2)[0:2], name="d")
        rs = tf.stack([tf.reduce_sum(r1, axis=1), tf.reduce_sum(r2, axis=1)], axis=1)
        with tf.control_dependencies([tf.assert_rank(rs, 2)]):
            pred = tf.nn.softmax(rs)
        right = tf.equal(tf.argmax(mu, 1), tf.argmax(pred, 1))
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
        loss = tf.nn.softmax_cross_entropy_with_logits(
            labels=tf.stop_gradient(mu), logits=rs
        )
        loss = tf.reduce_sum(loss)
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            _adam(learning_rate=1e-4).minimize(loss)
    tf.summary.scalar("reward predictor accuracy", tf.reduce_mean([accuracy]))
    tf.summary.scalar("reward predictor loss", tf.reduce_mean([loss]))
    tf.summary.merge_all()
    return fetch(
        r1, first=[r1, pred], labels=[mu], twins=[[pred], [r1, pred], [r1, r2, pred]]
    )


@tenth
def can_a_formula_be_true() -> Fetches:
    """dselsam/neurosat: test runs logits, find_solutions all_votes, final_lits and logits, after a loop of messages."""
    d = 4
    with tf.variable_scope("params"):
        l_init, c_init = (
            tf.get_variable(n, initializer=tf.random_normal([1, d]))
            for n in ("L_init", "C_init")
        )

        def mlp(sizes, name):
            with tf.variable_scope(name):
                ws = [
                    (tf.get_variable(f"w{i}", [a, b]), tf.get_variable(f"b{i}", [b]))
                    for i, (a, b) in enumerate(zip(sizes, sizes[1:]))
                ]

            def forward(v):
                for i, (w, b) in enumerate(ws):
                    v = tf.matmul(v, w) + b
                    v = tf.nn.relu(v) if i + 1 < len(ws) else v
                return v

            return forward

        lc, cl = mlp([d, d, d], "LC_msg"), mlp([d, d, d], "CL_msg")
        vote = mlp([d, d, 1], "L_vote")
        bias = tf.get_variable("vote_bias", [], initializer=tf.zeros_initializer())
        l_cell, c_cell = _CELLS.LSTMCell(d), _CELLS.LSTMCell(d)
    n_vars, n_lits, n_clauses = (
        tf.placeholder(tf.int32, shape=[], name=n)
        for n in ("n_vars", "n_lits", "n_clauses")
    )
    unpack = tf.sparse_placeholder(tf.float32, shape=[None, None], name="L_unpack")
    sat = tf.placeholder(tf.bool, shape=[None], name="is_sat")
    batches = tf.shape(sat)[0]
    each = tf.div(n_vars, batches)
    with tf.name_scope("pass_messages"):
        denom = tf.sqrt(tf.cast(d, tf.float32))
        lits = tf.tile(tf.div(l_init, denom), [n_lits, 1])
        clauses = tf.tile(tf.div(c_init, denom), [n_clauses, 1])

        def body(i, lc_state, lh, cc_state, ch):
            told = tf.sparse_tensor_dense_matmul(unpack, lc(lh), adjoint_a=True)
            with tf.variable_scope("C_update", reuse=tf.AUTO_REUSE):
                _, (cc_state, ch) = c_cell(told, (cc_state, ch))
            told = tf.sparse_tensor_dense_matmul(unpack, cl(ch))
            flip = tf.concat([lh[n_vars : 2 * n_vars, :], lh[0:n_vars, :]], axis=0)
            with tf.variable_scope("L_update", reuse=tf.AUTO_REUSE):
                _, (lc_state, lh) = l_cell(tf.concat([told, flip], 1), (lc_state, lh))
            return i + 1, lc_state, lh, cc_state, ch

        start = 0, tf.zeros([n_lits, d]), lits, tf.zeros([n_clauses, d]), clauses
        anything = (tf.TensorShape([None, d]),) * 4
        _, _, final_lits, _, _ = tf.while_loop(
            lambda i, *_: tf.less(i, 3), body, start, (tf.TensorShape([]), *anything)
        )
    with tf.name_scope("compute_logits"):
        votes = vote(final_lits)
        joined = tf.concat([votes[0:n_vars], votes[n_vars:n_lits]], axis=1)
        joined = tf.reshape(joined, [batches, each, 2])
        logits = tf.reduce_mean(joined, axis=[1, 2]) + bias
    costs = tf.nn.sigmoid_cross_entropy_with_logits(
        logits=logits, labels=tf.cast(sat, tf.float32)
    )
    with tf.name_scope("l2"):
        l2 = tf.zeros([])
        for v in tf.trainable_variables():
            l2 += tf.nn.l2_loss(v)
    cost = tf.identity(tf.reduce_mean(costs) + 1e-10 * l2, name="cost")
    step = tf.get_variable(
        "global_step", [], initializer=tf.zeros_initializer(), trainable=False
    )
    rate = tf.train.polynomial_decay(2e-5, step, 100, 1e-6, power=1.0)
    adam = _adam(learning_rate=rate)
    grads, own = zip(*adam.compute_gradients(cost))
    grads, _ = tf.clip_by_global_norm(grads, 0.65)
    adam.apply_gradients(zip(grads, own), name="apply_gradients", global_step=step)
    return fetch(
        logits, labels=[sat], twins=[[logits, votes, final_lits], [logits, votes]]
    )
