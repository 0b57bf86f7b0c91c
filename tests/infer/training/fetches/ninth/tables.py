"""Rows, pairs, triples and graphs: missing values, survival, effects of treatment, clicks, methods' names."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, blind, fetch, layers, ninth
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


def _variable(*shape):
    return tf.Variable(tf.random_normal(shape, stddev=0.3))


@ninth
def missing_values_filled_in() -> Fetches:
    """jsyoon0823/GAIN gain.py: runs [G_sample]; observed values are put back in numpy."""
    x, m, h = (tf.placeholder(tf.float32, [None, 5]) for _ in range(3))
    sizes = ((10, 5), (5, 5), (5, 5))
    judge = [(_variable(*s), tf.Variable(tf.zeros([5]))) for s in sizes]
    maker = [(_variable(*s), tf.Variable(tf.zeros([5]))) for s in sizes]

    def net(v, weights):
        for w, b in weights[:-1]:
            v = tf.nn.relu(tf.matmul(v, w) + b)
        w, b = weights[-1]
        return tf.nn.sigmoid(tf.matmul(v, w) + b)

    sample = net(tf.concat(values=[x, m], axis=1), maker)
    hat = x * m + sample * (1 - m)
    prob = net(tf.concat(values=[hat, h], axis=1), judge)
    d_loss = -tf.reduce_mean(
        m * tf.log(prob + 1e-8) + (1 - m) * tf.log(1.0 - prob + 1e-8)
    )
    g_temp = -tf.reduce_mean((1 - m) * tf.log(prob + 1e-8))
    mse = tf.reduce_mean((m * x - m * sample) ** 2) / tf.reduce_mean(m)
    _adam().minimize(d_loss, var_list=[v for pair in judge for v in pair])
    _adam().minimize(g_temp + 10 * mse, var_list=[v for pair in maker for v in pair])
    return fetch(sample, first=[sample, hat], twins=[[hat]])


@blind
def survival_by_cause() -> Fetches:
    """chl8856/DeepHit class_DeepHit.py: predict runs out; two masks, two labels, three weights of losses are fed."""
    tf.placeholder(tf.int32, [], name="batch_size")
    rate = tf.placeholder(tf.float32, [], name="learning_rate")
    keep = tf.placeholder(tf.float32, [], name="keep_probability")
    a, b, c = (tf.placeholder(tf.float32, [], n) for n in ("alpha", "beta", "gamma"))
    x = tf.placeholder(tf.float32, [None, 6], name="inputs")
    k = tf.placeholder(tf.float32, [None, 1], name="labels")
    t = tf.placeholder(tf.float32, [None, 1], name="timetoevents")
    mask1 = tf.placeholder(tf.float32, [None, 2, 7], name="mask1")
    mask2 = tf.placeholder(tf.float32, [None, 7], name="mask2")

    def dense(v, n, act, decay=tf.nn.l2_loss):
        return layers.dense(v, n, act, kernel_regularizer=lambda w: 1e-4 * decay(w))

    shared = dense(
        tf.nn.dropout(dense(x, 8, tf.nn.relu), keep_prob=keep), 8, tf.nn.relu
    )
    h = tf.concat([x, shared], axis=1)
    out = tf.stack([dense(h, 5, tf.nn.relu) for _ in range(2)], axis=1)
    out = tf.nn.dropout(tf.reshape(out, [-1, 10]), keep_prob=keep)
    out = dense(out, 14, tf.nn.softmax, lambda w: tf.reduce_sum(tf.abs(w)))
    out = tf.reshape(out, [-1, 2, 7])

    def total(mask):
        return tf.reduce_sum(tf.reduce_sum(mask * out, 2), 1, keepdims=True)

    seen = tf.sign(k)
    one = seen * tf.log(total(mask1) + 1e-8)
    two = (1.0 - seen) * tf.log(total(tf.expand_dims(mask2, 1)) + 1e-8)
    likelihood = -tf.reduce_mean(one + 1.0 * two)
    ranks, steady = [], []
    for e in range(2):
        ones = tf.ones_like(t, dtype=tf.float32)
        event = tf.cast(tf.equal(k, e + 1), tf.float32)
        own = tf.reshape(tf.slice(out, [0, e, 0], [-1, 1, -1]), [-1, 7])
        r = tf.matmul(own, tf.transpose(mask2))
        diagonal = tf.reshape(tf.diag_part(r), [-1, 1])
        r = tf.transpose(tf.matmul(ones, tf.transpose(diagonal)) - r)
        later = tf.matmul(ones, tf.transpose(t)) - tf.matmul(t, tf.transpose(ones))
        order = tf.matmul(tf.diag(tf.squeeze(event)), tf.nn.relu(tf.sign(later)))
        ranks.append(tf.reduce_mean(order * tf.exp(-r / 0.1), 1, keepdims=True))
        risk = tf.reduce_sum(own * mask2, axis=0)
        steady.append(tf.reduce_mean((risk - event) ** 2, 1, keepdims=True))

    def summed(parts):
        flat = tf.reshape(tf.stack(parts, axis=1), [-1, 2])
        return tf.reduce_sum(tf.reduce_mean(flat, 1, keepdims=True))

    loss = a * likelihood + b * summed(ranks) + c * summed(steady)
    _adam(rate).minimize(loss + tf.losses.get_regularization_loss())
    return fetch(out, labels=[k, t, mask1, mask2])


@ninth
def effect_of_a_treatment() -> Fetches:
    """clinicalml/cfrnet cfr_net.py: runs output, of two heads stitched by the treatment; codes are balanced."""
    x = tf.placeholder("float", [None, 6], name="x")
    t = tf.placeholder("float", [None, 1], name="t")
    y_ = tf.placeholder("float", [None, 1], name="y_")
    do_in = tf.placeholder("float", name="dropout_in")
    do_out = tf.placeholder("float", name="dropout_out")
    r_alpha = tf.placeholder("float", name="r_alpha")
    r_lambda = tf.placeholder("float", name="r_lambda")
    p = tf.placeholder("float", name="p_treated")
    h = x
    for n in (6, 5):
        h = tf.nn.elu(tf.matmul(h, _variable(n, 5)) + tf.Variable(tf.zeros([1, 5])))
        h = tf.nn.dropout(h, keep_prob=do_in)
    size = tf.sqrt(tf.reduce_sum(tf.square(h), axis=1, keepdims=True) + 1e-10)
    rep = h / size
    decay = 0.0
    i0, i1 = (tf.cast(tf.where(c)[:, 0], tf.int32) for c in (t < 1, t > 0))
    heads = []
    for i in (i0, i1):
        w, v = _variable(5, 4), _variable(4, 1)
        decay += tf.nn.l2_loss(w) + tf.nn.l2_loss(v)
        z = tf.matmul(tf.gather(rep, i), w) + tf.Variable(tf.zeros([1, 4]))
        z = tf.nn.dropout(tf.nn.elu(z), keep_prob=do_out)
        heads.append(tf.matmul(z, v) + tf.Variable(tf.zeros([1])))
    y = tf.dynamic_stitch([i0, i1], heads)
    weight = t / (2 * p) + (1 - t) / (2 * 1 - p)
    risk = tf.reduce_mean(weight * tf.square(y_ - y))
    tf.sqrt(tf.reduce_mean(tf.square(y_ - y)))
    means = [tf.reduce_mean(tf.gather(rep, i), axis=0) for i in (i1, i0)]
    apart = tf.reduce_sum(tf.square(p * means[0] - (1 - p) * means[1]))
    total = risk + r_alpha * apart + r_lambda * decay
    step = tf.Variable(0, trainable=False)
    rate = tf.train.exponential_decay(1e-3, step, 100, 0.97)
    _adam(rate).minimize(total, global_step=step)
    return fetch(y, labels=[y_])


@blind
def codes_of_a_network() -> Fetches:
    """suanrong/SDNE sdne.py: get_embedding runs H, the code of an autoencoder whose neighbours are pulled together."""
    adjacent = tf.placeholder("float", [None, None])
    x = tf.placeholder("float", [None, 12])
    shapes = {"e0": (12, 8), "e1": (8, 3), "d0": (3, 8), "d1": (8, 12)}
    w = {n: tf.Variable(tf.random_normal(s), name=n) for n, s in shapes.items()}
    b = {n: tf.Variable(tf.zeros([s[1]]), name=n) for n, s in shapes.items()}

    def net(v, names):
        for n in names:
            v = tf.nn.sigmoid(tf.matmul(v, w[n]) + b[n])
        return v

    code = net(x, ("e0", "e1"))
    rebuilt = net(code, ("d0", "d1"))
    second = tf.reduce_sum(tf.pow((rebuilt - x) * (x * 9.0 + 1), 2))
    laplace = tf.diag(tf.reduce_sum(adjacent, 1)) - adjacent
    both = tf.matmul(tf.matmul(tf.transpose(code), laplace), code)
    first = 2 * tf.trace(both)
    loss = 1.0 * first + 500 * second + tf.reduce_sum(tf.pow(rebuilt, 2))
    tf.train.RMSPropOptimizer(0.01).minimize(loss)
    return fetch(code, labels=[adjacent], twins=[[code, rebuilt]])


@ninth
def triples_of_a_knowledge_graph() -> Fetches:
    """thunlp/TensorFlow-TransX transE.py: test_step runs predict, the distance of the fed triple; others are pushed."""
    pos = [tf.placeholder(tf.int32, [None]) for _ in range(3)]
    neg = [tf.placeholder(tf.int32, [None]) for _ in range(3)]
    with tf.variable_scope("model"), tf.name_scope("embedding"):
        entities = tf.get_variable("ent_embedding", [20, 6])
        relations = tf.get_variable("rel_embedding", [5, 6])
        tables = entities, entities, relations
        ph, pt, pr = (tf.nn.embedding_lookup(w, i) for w, i in zip(tables, pos))
        nh, nt, nr = (tf.nn.embedding_lookup(w, i) for w, i in zip(tables, neg))
    near = tf.reduce_sum(abs(ph + pr - pt), 1, keepdims=True)
    far = tf.reduce_sum(abs(nh + nr - nt), 1, keepdims=True)
    with tf.name_scope("output"):
        loss = tf.reduce_sum(tf.maximum(near - far + 1.0, 0))
    step = tf.Variable(0, name="global_step", trainable=False)
    descent = tf.train.GradientDescentOptimizer(0.001)
    descent.apply_gradients(descent.compute_gradients(loss), global_step=step)
    return fetch(near, twins=[[far]], first=[near, far])


@blind
def interest_that_evolves() -> Fetches:
    """mouna99/dien model.py: calculate runs y_hat; an auxiliary loss judges each step by clicks and by none."""
    with tf.name_scope("Inputs"):
        names = "mid_his_batch_ph cat_his_batch_ph"
        mids, cats = (tf.placeholder(tf.int32, [None, 4], n) for n in names.split())
        names = "uid_batch_ph mid_batch_ph cat_batch_ph"
        uid, mid, cat = (tf.placeholder(tf.int32, [None], n) for n in names.split())
        mask = tf.placeholder(tf.float32, [None, None], name="mask")
        lengths = tf.placeholder(tf.int32, [None], name="seq_len_ph")
        target = tf.placeholder(tf.float32, [None, None], name="target_ph")
        rate = tf.placeholder(tf.float64, [])
        no_mid, no_cat = (
            tf.placeholder(tf.int32, [None, 4, None], n)
            for n in ("noclk_mid_batch_ph", "noclk_cat_batch_ph")
        )
    users = tf.get_variable("uid_embedding_var", [9, 3])
    items = tf.get_variable("mid_embedding_var", [20, 3])
    kinds = tf.get_variable("cat_embedding_var", [5, 3])
    for v in (users, items, kinds):
        tf.summary.histogram(v.op.name, v)
    look = tf.nn.embedding_lookup
    item = tf.concat([look(items, mid), look(kinds, cat)], 1)
    past = tf.concat([look(items, mids), look(kinds, cats)], 2)
    never = tf.concat([look(items, no_mid[:, :, 0]), look(kinds, no_cat[:, :, 0])], -1)
    with tf.name_scope("rnn_1"):
        states, _ = tf.nn.dynamic_rnn(
            _CELLS.GRUCell(6), past, lengths, dtype=tf.float32, scope="gru1"
        )

    def judged(v):
        v = layers.batch_normalization(v, name="bn1a", reuse=tf.AUTO_REUSE)
        for n, name in ((7, "f1a"), (5, "f2a")):
            v = tf.nn.sigmoid(layers.dense(v, n, name=name, reuse=tf.AUTO_REUSE))
        v = layers.dense(v, 2, name="f3a", reuse=tf.AUTO_REUSE)
        return (tf.nn.softmax(v) + 1e-8)[:, :, 0]

    click = judged(tf.concat([states[:, :-1], past[:, 1:]], -1))
    none = judged(tf.concat([states[:, :-1], never[:, 1:]], -1))
    side = -tf.log(click) * mask[:, 1:] - tf.log(1.0 - none) * mask[:, 1:]
    side = tf.reduce_mean(side)
    with tf.name_scope("Attention_layer_1"):
        query = tf.tile(tf.expand_dims(layers.dense(item, 6), 1), [1, 4, 1])
        pair = tf.concat([query, states, query - states, query * states], -1)
        score = layers.dense(layers.dense(pair, 8, tf.nn.sigmoid), 1)[:, :, 0]
        score = tf.where(tf.equal(mask, 1.0), score, tf.ones_like(score) * -1e9)
        alphas = tf.nn.softmax(score)
        tf.summary.histogram("alpha_outputs", alphas)
    with tf.name_scope("rnn_2"):
        _, final = tf.nn.dynamic_rnn(
            _CELLS.GRUCell(6),
            states * tf.expand_dims(alphas, -1),
            lengths,
            dtype=tf.float32,
            scope="gru2",
        )
        tf.summary.histogram("GRU2_Final_State", final)
    inp = tf.concat([look(users, uid), item, final, tf.reduce_sum(past, 1)], 1)
    h = layers.batch_normalization(inp, name="bn1")
    for n, name in ((8, "f1"), (6, "f2")):
        h = layers.dense(h, n, name=name)
        alpha = tf.get_variable(f"prelu_{name}", [n])
        h = tf.maximum(0.0, h) + alpha * tf.minimum(0.0, h)
    y_hat = tf.nn.softmax(layers.dense(h, 2, name="f3")) + 0.00000001
    with tf.name_scope("Metrics"):
        loss = -tf.reduce_mean(tf.log(y_hat) * target) + side
        tf.summary.scalar("loss", loss)
        _adam(learning_rate=rate).minimize(loss)
        right = tf.cast(tf.equal(tf.round(y_hat), target), tf.float32)
        tf.summary.scalar("accuracy", tf.reduce_mean(right))
    tf.summary.merge_all()
    return fetch(y_hat, first=[y_hat, y_hat.op.inputs[0]], twins=[[y_hat.op.inputs[0]]])


@ninth
def names_of_methods() -> Fetches:
    """tech-srl/code2vec tensorflow_model.py: runs the k best words and their scores, attention and code of a method."""
    rows = tf.data.Dataset.from_tensors(
        tuple(np.ones([3, 4], np.int32) for _ in range(3))
        + (np.ones([3, 4], np.float32), np.ones([3, 1], np.int32))
    ).repeat()
    train = tf.data.make_initializable_iterator(rows).get_next()
    line = [tf.placeholder(tf.int32, [None, 4]) for _ in range(3)]
    valid = tf.placeholder(tf.float32, [None, 4])

    def coded(source, path, target, mask, drop):
        words = tf.get_variable("WORDS_VOCAB", [20, 3])
        paths = tf.get_variable("PATHS_VOCAB", [15, 3])
        attention = tf.get_variable("ATTENTION", [9, 1])
        look = tf.nn.embedding_lookup
        v = tf.concat([look(words, source), look(paths, path), look(words, target)], -1)
        v = tf.nn.dropout(v, rate=0.25) if drop else v
        flat = tf.reshape(v, [-1, 9])
        flat = tf.tanh(tf.matmul(flat, tf.get_variable("TRANSFORM", [9, 9])))
        weights = tf.reshape(tf.matmul(flat, attention), [-1, 4, 1])
        weights += tf.expand_dims(tf.log(mask), axis=2)
        weights = tf.nn.softmax(weights, axis=1)
        rows = tf.reshape(flat, [-1, 4, 9])
        return tf.reduce_sum(tf.multiply(rows, weights), axis=1), weights

    with tf.variable_scope("model"):
        targets = tf.get_variable("TARGET_WORDS_VOCAB", [12, 9])
        code, _ = coded(*train[:4], True)
        logits = tf.matmul(code, targets, transpose_b=True)
        size = tf.cast(tf.shape(train[4])[0], tf.float32)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.reshape(train[4], [-1]), logits=logits
        )
        _adam().minimize(tf.reduce_sum(entropy) / size)
    with tf.variable_scope("model", reuse=True):
        code, weights = coded(*line, valid, False)
        scores = tf.matmul(code, tf.transpose(targets))
    best = tf.nn.top_k(scores, k=5)
    top = tf.nn.softmax(best.values)
    whole = [best.indices, top, weights, code]
    return fetch(
        *whole,
        first=[best.indices, best.values, top, code, scores],
        twins=[[best.indices, top], [best.indices, top, code], [scores], [top]],
    )
