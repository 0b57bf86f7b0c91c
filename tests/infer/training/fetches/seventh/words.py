"""Words, tags, sounds, questions: recurrent nets with states, prototypes, mixtures."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, fetch, layers, seventh
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_WRAPPERS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cell_wrappers")
_adam = tf.train.AdamOptimizer
_sparse = tf.nn.sparse_softmax_cross_entropy_with_logits


def _clipped(optimizer, loss, norm):
    own = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, own), norm)
    optimizer.apply_gradients(zip(grads, own))


@seventh
def answers_between_two_pointers() -> Fetches:
    """HKUST-KnowComp/R-Net: yp1 and yp2, argmaxes of an outer product in a band; a dataset's iterator feeds."""
    n, d = 3, 4
    rows = tf.data.Dataset.from_tensors(
        (
            np.ones([n, 7], np.int32),
            np.ones([n, 5], np.int32),
            np.zeros([n, 7], np.float32),
            np.zeros([n, 7], np.float32),
        )
    ).repeat()
    c, q, y1, y2 = tf.data.make_one_shot_iterator(rows).get_next()
    step = tf.get_variable("global_step", [], tf.int32, trainable=False)
    is_train = tf.get_variable("is_train", [], tf.bool, trainable=False)
    words = tf.get_variable("word_mat", [20, 6], trainable=False)
    c_mask, q_mask = tf.cast(c, tf.bool), tf.cast(q, tf.bool)
    c_len = tf.reduce_sum(tf.cast(c_mask, tf.int32), axis=1)
    q_len = tf.reduce_sum(tf.cast(q_mask, tf.int32), axis=1)
    most = tf.reduce_max(c_len)
    c, c_mask = tf.slice(c, [0, 0], [n, most]), tf.slice(c_mask, [0, 0], [n, most])
    y1, y2 = tf.slice(y1, [0, 0], [n, most]), tf.slice(y2, [0, 0], [n, most])

    def dropout(v):
        return tf.cond(is_train, lambda: tf.nn.dropout(v, 0.7), lambda: v)

    def gru(v, length, scope):
        with tf.variable_scope(scope):
            cells = _CELLS.GRUCell(d, name="fw"), _CELLS.GRUCell(d, name="bw")
            out, _ = tf.nn.bidirectional_dynamic_rnn(
                *cells, dropout(v), length, dtype=tf.float32
            )
            return tf.concat(out, axis=2)

    def masked(v, mask):
        return -1e30 * (1 - tf.cast(mask, tf.float32)) + v

    def dense(v, k, scope):
        return layers.dense(v, k, use_bias=False, name=scope)

    c_e, q_e = (tf.nn.embedding_lookup(words, v) for v in (c, q))
    with tf.variable_scope("encoding"):
        c_h, q_h = gru(c_e, c_len, "c"), gru(q_e, q_len, "q")
    with tf.variable_scope("attention"):
        one = tf.nn.relu(dense(dropout(c_h), d, "inputs"))
        two = tf.nn.relu(dense(dropout(q_h), d, "memory"))
        score = tf.matmul(one, tf.transpose(two, [0, 2, 1])) / (d**0.5)
        score = tf.nn.softmax(masked(score, tf.expand_dims(q_mask, 1)))
        both = tf.concat([c_h, tf.matmul(score, q_h)], axis=2)
        both = both * tf.nn.sigmoid(dense(dropout(both), 4 * d, "gate"))
        match = gru(both, c_len, "att")
    with tf.variable_scope("pointer"):
        s = tf.nn.tanh(dense(dropout(q_h), d, "s0"))
        a = tf.nn.softmax(masked(tf.squeeze(dense(s, 1, "s"), [2]), q_mask))
        init = tf.reduce_sum(tf.expand_dims(a, axis=2) * q_h, axis=1)
        cell = _CELLS.GRUCell(2 * d, name="ptr")

        def point(state):
            with tf.variable_scope("point", reuse=tf.AUTO_REUSE):
                spread = tf.tile(tf.expand_dims(state, 1), [1, tf.shape(match)[1], 1])
                h = tf.nn.tanh(dense(tf.concat([spread, match], 2), d, "s0"))
                logits = masked(tf.squeeze(dense(h, 1, "s"), [2]), c_mask)
                a = tf.expand_dims(tf.nn.softmax(logits), axis=2)
                return tf.reduce_sum(a * match, axis=1), logits

        inp, logits1 = point(init)
        _, state = cell(dropout(inp), init)
        _, logits2 = point(state)
    with tf.variable_scope("predict"):
        outer = tf.matmul(
            tf.expand_dims(tf.nn.softmax(logits1), axis=2),
            tf.expand_dims(tf.nn.softmax(logits2), axis=1),
        )
        outer = tf.matrix_band_part(outer, 0, 15)
        yp1 = tf.argmax(tf.reduce_max(outer, axis=2), axis=1)
        yp2 = tf.argmax(tf.reduce_max(outer, axis=1), axis=1)
        cross = tf.nn.softmax_cross_entropy_with_logits_v2
        loss = cross(logits=logits1, labels=y1) + cross(logits=logits2, labels=y2)
        loss = tf.reduce_mean(loss)
    rate = tf.get_variable("lr", [], tf.float32, trainable=False)
    opt = tf.train.AdadeltaOptimizer(rate, epsilon=1e-6)
    grads, own = zip(*opt.compute_gradients(loss))
    capped, _ = tf.clip_by_global_norm(grads, 5.0)
    opt.apply_gradients(zip(capped, own), global_step=step)
    return fetch(yp1, yp2, first=[yp1, yp2, logits1, logits2])


@seventh
def stances_with_dropped_logits() -> Fetches:
    """uclnlp/fakenewschallenge: predict, the argmax of a softmax; dropout lies on the logits too, the penalty in the sum."""
    x = tf.placeholder(tf.float32, [None, 30], "features")
    y = tf.placeholder(tf.int64, [None], "stances")
    keep = tf.placeholder(tf.float32)
    batch = tf.shape(x)[0]
    h = tf.nn.dropout(tf.nn.relu(layers.dense(x, 12)), keep_prob=keep)
    flat = tf.nn.dropout(layers.dense(h, 4), keep_prob=keep)
    logits = tf.reshape(flat, [batch, 4])
    own = tf.trainable_variables()
    l2 = tf.add_n([tf.nn.l2_loss(v) for v in own if "bias" not in v.name]) * 1e-5
    loss = tf.reduce_sum(_sparse(logits=logits, labels=y) + l2)
    soft = tf.nn.softmax(logits)
    predict = tf.argmax(soft, 1)
    _clipped(_adam(0.01), loss, 5)
    return fetch(predict, first=[predict, soft, logits], labels=[y])


@seventh
def prototypes_of_texts() -> Fetches:
    """A stranger's PrototypicalModel (file 4794473172): infer runs predictions, the argmax of negative distances."""
    support = tf.placeholder(tf.int32, [None, None, None], name="support")
    queries = tf.placeholder(tf.int32, [None, None], name="queries")
    labels = tf.placeholder(tf.int32, [None], name="labels")
    keep = tf.placeholder(tf.float32, name="keep_prob")
    table = tf.get_variable("embedding_w", [20, 5])
    s = tf.nn.embedding_lookup(table, support, name="support_embedded")
    q = tf.nn.embedding_lookup(table, queries, name="queries_embedded")
    s = tf.reshape(s, [-1, 6, 5])
    cells = [
        _WRAPPERS.DropoutWrapper(_CELLS.LSTMCell(4, name=n), output_keep_prob=keep)
        for n in ("fw", "bw")
    ]
    s, _ = tf.nn.bidirectional_dynamic_rnn(*cells, s, dtype=tf.float32, scope="b1")
    q, _ = tf.nn.bidirectional_dynamic_rnn(*cells, q, dtype=tf.float32, scope="b2")
    s, q = tf.concat(s, -1), tf.concat(q, -1)
    with tf.name_scope("final_step_output"):
        s = tf.reduce_mean(tf.reshape(s[:, -1, :], [3, 2, -1]), axis=1)
        q = q[:, -1, :]
    with tf.name_scope("euclidean_distance"):
        s = tf.tile(tf.expand_dims(s, axis=0), (6, 1, 1))
        q = tf.tile(tf.expand_dims(q, axis=1), (1, 3, 1))
        distance = -tf.reduce_mean(tf.square(s - q), axis=2, name="distance")
        predictions = tf.argmax(distance, axis=-1, name="predictions")
    with tf.name_scope("loss"):
        loss = tf.reduce_mean(_sparse(logits=distance, labels=labels), name="loss")
    _clipped(_adam(1e-3), loss, 5.0)
    return fetch(predictions, first=[predictions, distance], labels=[labels])


@seventh
def sentiment_over_drawn_embeddings() -> Fetches:
    """A stranger's sentiment_classifier (file 12037366256): pred of the second pass, without its Gumbel noise."""
    tau = tf.placeholder(tf.float32, name="temperature")
    x = tf.placeholder(tf.int32, [None, None], name="inputs")
    labels = tf.placeholder(tf.int32, [None], name="labels")
    mask = tf.placeholder(tf.int32, [None, None], name="mask")
    table = tf.get_variable("embedding", [6, 5])
    param = tf.get_variable("gs_param", [20, 6])
    logits = tf.nn.embedding_lookup(param, x)
    size, length = tf.shape(x)[0], tf.shape(x)[1]
    flat = tf.reshape(logits, [size * length, -1])
    u = tf.random_uniform(tf.shape(flat), 0, 1)
    noise = -tf.log(-tf.log(u + 1e-20) + 1e-20)
    drawn = tf.nn.softmax((flat + noise) / tau)
    sure = tf.nn.softmax(flat / tau)
    hard = tf.cast(tf.equal(sure, tf.reduce_max(sure, 1, keepdims=True)), sure.dtype)
    sure = tf.stop_gradient(hard - sure) + sure
    train = tf.reshape(tf.matmul(drawn, table), [size, length, 5])
    test = tf.reshape(tf.matmul(sure, table), [size, length, 5])
    seq_length = tf.reduce_sum(mask, axis=1)
    cell = _CELLS.BasicLSTMCell(6)
    with tf.variable_scope("dynamic_rnn"):
        _, state = tf.nn.dynamic_rnn(cell, train, seq_length, dtype=tf.float32)
        _, after = tf.nn.dynamic_rnn(cell, test, seq_length, dtype=tf.float32)
    prob = layers.dense(state.h, 3, name="prob")
    cross = _sparse(labels=labels, logits=prob, name="cross_entropy")
    test_prob = layers.dense(after.h, 3, name="prob", reuse=True)
    loss = tf.reduce_mean(cross)
    pred = tf.cast(tf.argmax(test_prob, axis=1), tf.int32)
    tf.reduce_sum(tf.cast(tf.equal(labels, pred), tf.float32))
    own = [v for v in tf.trainable_variables() if "gs_param" not in v.name]
    penalty = 1e-4 * tf.add_n([tf.nn.l2_loss(v) for v in own])
    _clipped(_adam(1e-3), loss + penalty, 5.0)
    return fetch(pred, first=[pred, test_prob], labels=[labels])


@seventh
def speech_found_frame_by_frame() -> Fetches:
    """A stranger's NeuralNet (file 32250258860): exports 'inference/output', whose state is assigned beside it."""
    cell = _CELLS.MultiRNNCell([_CELLS.LSTMCell(5, name=f"c{i}") for i in (0, 1)])
    weight = tf.Variable(tf.truncated_normal([5, 2], stddev=0.1))
    bias = tf.Variable(tf.constant(0.1, shape=[2]))
    with tf.variable_scope("training"):
        examples = tf.placeholder(tf.float32, [None, 8, 6], name="examples")
        labels = tf.placeholder(tf.float32, [None, 8, 2], name="labels")
        lengths = tf.placeholder(tf.int32, [None], name="lengths")
        out, _ = tf.nn.dynamic_rnn(
            cell, examples, dtype=tf.float32, sequence_length=lengths
        )
        logits = tf.matmul(tf.reshape(out, (-1, 5)), weight) + bias
        logits = tf.reshape(logits, (tf.shape(examples)[0], 8, 2))
        cross = tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=labels)
        cross = tf.reduce_mean(tf.slice(cross, [0, 4], [-1, -1]), name="cross_entropy")
        _adam().minimize(cross, name="optimize")
        prediction = tf.nn.softmax(logits)
    with tf.variable_scope("inference"):
        frame = tf.placeholder(tf.float32, [1, 6], name="input")
        states = tuple(
            _CELLS.LSTMStateTuple(
                tf.Variable(c, trainable=False, name="cell_state"),
                tf.Variable(h, trainable=False, name="hidden_state"),
            )
            for c, h in cell.zero_state(1, tf.float32)
        )
        out, after = cell(frame, states)

        def assign(values, name):
            ops = []
            for variable, value in zip(states, values):
                ops += [variable[0].assign(value[0]), variable[1].assign(value[1])]
            return tf.tuple(ops, name=name)

        updates = assign(after, "cell_state_update_op")
        with tf.control_dependencies(updates):
            projection = tf.matmul(tf.reshape(out, [1, 5]), weight) + bias
            output = tf.nn.softmax(projection, name="output")
        assign(cell.zero_state(1, tf.float32), "reset_op")
    return fetch(
        output, first=[output, prediction], labels=[labels], twins=[(prediction,)]
    )


@seventh
def music_taken_apart() -> Fetches:
    """andabi/music-source-separation: model() gives y_hat_src1 and y_hat_src2, called anew for the loss and for use."""
    x, y1, y2 = (
        tf.placeholder(tf.float32, (None, None, 6), name=n)
        for n in ("x_mixed", "y_src1", "y_src2")
    )

    def net():
        cell = _CELLS.MultiRNNCell([_CELLS.GRUCell(5, name=f"g{i}") for i in (0, 1)])
        out, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
        return tuple(
            layers.dense(out, 6, activation=tf.nn.relu, name=n)
            for n in ("y_hat_src1", "y_hat_src2")
        )

    call = tf.make_template("net", net)
    call()
    one, two = call()
    loss = tf.reduce_mean(tf.square(y1 - one) + tf.square(y2 - two), name="loss")
    step = tf.Variable(0, name="global_step", trainable=False)
    _adam(1e-3).minimize(loss, global_step=step)
    tf.summary.scalar("loss", loss)
    tf.summary.histogram("x_mixed", x)
    tf.summary.histogram("y_src1", y1)
    used = call()
    return fetch(
        *used,
        first=[*used, one, two],
        labels=[y1, y2],
        twins=[(one, two), (used[0], two), (one, used[1])],
    )


@seventh
def sequences_copied_from_memory() -> Fetches:
    """MarkPKCollier/NeuralTuringMachine, its LSTM: outputs, a sigmoid of the steps from max_seq_len on."""
    most = tf.placeholder(tf.int32)
    x = tf.placeholder(tf.float32, (4, None, 9))
    y = tf.placeholder(tf.float32, (4, None, 8))

    def learned(n):
        start = layers.dense(tf.ones([1, 1]), n, use_bias=True)
        return tf.tile(tf.tanh(start), [4, 1])

    with tf.variable_scope("root"):
        cell = _CELLS.BasicLSTMCell(6)
        state = _CELLS.LSTMStateTuple(learned(6), learned(6))
        out, _ = tf.nn.dynamic_rnn(cell, x, initial_state=state, dtype=tf.float32)
        out = layers.dense(out, 8)
        logits = out[:, most + 1 :, :]
        outputs = tf.sigmoid(logits)
        cross = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits)
        loss = tf.reduce_sum(cross) / 4
    _clipped(_adam(1e-3), loss, 50)
    return fetch(outputs, first=[outputs, logits], labels=[y])


@seventh
def days_of_news_weighed() -> Fetches:
    """A stranger's mlp (indexed as file 32499930739): pred; the softmax goes into the cross-entropy again."""
    news = tf.placeholder(tf.float32, [None, 5, 4, 6])
    y = tf.placeholder(tf.int32, [None])
    inday = tf.Variable(tf.random_normal([5, 4, 1]))
    day = tf.reduce_sum(tf.multiply(news, inday), 2)
    cells = _CELLS.GRUCell(4, name="fw"), _CELLS.GRUCell(4, name="bw")
    out, _, _ = tf.nn.static_bidirectional_rnn(
        *cells, tf.unstack(day, axis=1), dtype=tf.float32
    )
    attention = tf.Variable(tf.random_normal([5, 1]))
    v = tf.reduce_sum(tf.multiply(tf.stack(out, 1), attention), 1)
    soft = tf.nn.softmax(tf.matmul(v, tf.Variable(tf.random_normal([8, 3]))))
    pred = tf.argmax(soft, 1)
    loss = tf.nn.softmax_cross_entropy_with_logits_v2(
        logits=soft, labels=tf.one_hot(y, 3)
    )
    _adam(0.1).minimize(loss)
    return fetch(pred, first=[pred, soft], labels=[y])
