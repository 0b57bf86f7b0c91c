"""Prices, traffic, questions, mentions, sentences in another style, translations."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, blind, fetch, layers, ninth
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_WRAPPERS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cell_wrappers")
_adam = tf.train.AdamOptimizer
_sparse = tf.nn.sparse_softmax_cross_entropy_with_logits


@ninth
def prices_of_shares() -> Fetches:
    """lilianweng/stock-rnn model_rnn.py: runs pred, beside the loss; a share's symbol is embedded."""
    rate = tf.placeholder(tf.float32, None, name="learning_rate")
    symbols = tf.placeholder(tf.int32, [None, 1], name="stock_labels")
    inputs = tf.placeholder(tf.float32, [None, 5, 2], name="inputs")
    targets = tf.placeholder(tf.float32, [None, 2], name="targets")
    matrix = tf.Variable(tf.random_uniform([9, 3], -1.0, 1.0), name="embed_matrix")
    stacked = tf.tile(symbols, [1, 5], name="stacked_stock_labels")
    both = [inputs, tf.nn.embedding_lookup(matrix, stacked)]
    both = tf.concat(both, axis=2, name="inputs_with_embed")
    tf.summary.histogram("embed_matrix", matrix)
    cell = _CELLS.LSTMCell(6)
    cell = _WRAPPERS.DropoutWrapper(cell, output_keep_prob=0.8)
    val, _ = tf.nn.dynamic_rnn(cell, both, dtype=tf.float32, scope="dynamic_rnn")
    val = tf.transpose(val, [1, 0, 2])
    last = tf.gather(val, 4, name="lstm_state")
    w = tf.Variable(tf.truncated_normal([6, 2]), name="w")
    b = tf.Variable(tf.constant(0.1, shape=[2]), name="b")
    pred = tf.matmul(last, w) + b
    for name, v in (("lstm_state", last), ("w", w), ("b", b), ("pred", pred)):
        tf.summary.histogram(name, v)
    loss = tf.reduce_mean(tf.square(pred - targets), name="loss_mse")
    tf.train.RMSPropOptimizer(rate).minimize(loss, name="rmsprop_optim")
    tf.summary.scalar("loss_mse", loss)
    tf.summary.scalar("learning_rate", rate)
    return fetch(pred, labels=[targets])


@blind
def traffic_over_a_road_graph() -> Fetches:
    """VeritasYin/STGCN_IJCAI-18: the collection 'y_pred' is run; the label is the last step of the input itself."""
    x = tf.placeholder(tf.float32, [None, 6, 4, 1], name="data_input")
    keep = tf.placeholder(tf.float32, name="keep_prob")
    kernel = tf.constant(np.random.RandomState(0).rand(4, 8), tf.float32)
    tf.add_to_collection("graph_kernel", kernel)

    def temporal(v, n, name, act="GLU"):
        c = int(v.shape[3])
        own = tf.pad(v, [[0, 0], [0, 0], [0, 0], [0, n - c]]) if c < n else v
        own = own[:, 1:, :, :n]
        w = tf.get_variable(name + "w", [2, 1, c, 2 * n if act == "GLU" else n])
        b = tf.get_variable(name + "b", [w.shape[3]])
        v = tf.nn.conv2d(v, w, [1, 1, 1, 1], "VALID") + b
        if act == "GLU":
            return (v[:, :, :, :n] + own) * tf.nn.sigmoid(v[:, :, :, n:])
        return tf.nn.sigmoid(v)

    def spatial(v, n, name):
        steps, c = int(v.shape[1]), int(v.shape[3])
        flat = tf.reshape(tf.transpose(tf.reshape(v, [-1, 4, c]), [0, 2, 1]), [-1, 4])
        flat = tf.reshape(tf.matmul(flat, kernel), [-1, c, 2, 4])
        flat = tf.reshape(tf.transpose(flat, [0, 3, 1, 2]), [-1, 2 * c])
        flat = tf.matmul(flat, tf.get_variable(name + "ws", [2 * c, n]))
        flat = tf.reshape(flat, [-1, steps, 4, n]) + tf.get_variable(name + "bs", [n])
        return tf.nn.relu(flat)

    def normed(v, name):
        mean, variance = tf.nn.moments(v, axes=[2, 3], keepdims=True)
        shape = [1, 1, 4, int(v.shape[3])]
        gain = tf.get_variable(name + "gamma", initializer=tf.ones(shape))
        shift = tf.get_variable(name + "beta", initializer=tf.zeros(shape))
        return (v - mean) / tf.sqrt(variance + 1e-6) * gain + shift

    h = temporal(x[:, 0:5], 3, "a")
    h = temporal(spatial(h, 3, "s"), 4, "b")
    h = tf.nn.dropout(normed(h, "ln"), keep_prob=keep)
    h = normed(temporal(h, 4, "o"), "lo")
    w = tf.get_variable("wo", [2, 1, 4, 1])
    y = tf.nn.conv2d(h, w, [1, 1, 1, 1], "VALID") + tf.get_variable("bo", [4, 1])
    copied = tf.nn.l2_loss(x[:, 4:5] - x[:, 5:6])
    tf.add_to_collection(name="copy_loss", value=copied)
    loss = tf.nn.l2_loss(y - x[:, 5:6])
    single = y[:, 0, :, :]
    tf.add_to_collection(name="y_pred", value=single)
    tf.summary.scalar("train_loss", loss)
    step = tf.Variable(0, trainable=False)
    rate = tf.train.exponential_decay(1e-3, step, 50, 0.7, staircase=True)
    with tf.control_dependencies([tf.assign_add(step, 1)]):
        tf.train.RMSPropOptimizer(rate).minimize(loss)
    return fetch(single, first=[single, y], twins=[[y]])


@ninth
def traffic_by_turns() -> Fetches:
    """liyaguang/DCRNN: a test model of the same weights beside the training one; evaluation runs its outputs."""
    n, graph = 2, np.random.RandomState(1).rand(4, 4).astype(np.float32)
    step = tf.train.get_or_create_global_step()

    def cell(v, state, units, name, project=0):
        v = tf.concat([v, state], 1)
        both = tf.reshape(v, [n, 4, -1])
        mixed = tf.tensordot(both, tf.constant(graph), [[1], [0]])
        both = tf.concat([both, tf.transpose(mixed, [0, 2, 1])], 2)
        both = tf.reshape(both, [n * 4, -1])
        gates = tf.nn.sigmoid(layers.dense(both, 2 * units, name=name + "g"))
        r, u = tf.split(gates, 2, axis=1)
        old = tf.reshape(state, [n * 4, units])
        own = tf.concat([both, r * old], 1)
        own = tf.nn.tanh(layers.dense(own, units, name=name + "c"))
        new = u * old + (1 - u) * own
        out = layers.dense(new, project, name=name + "p") if project else new
        return tf.reshape(out, [n, -1]), tf.reshape(new, [n, -1])

    def model(trains, reuse):
        inputs = tf.placeholder(tf.float32, [n, 3, 4, 2], name="inputs")
        labels = tf.placeholder(tf.float32, [n, 3, 4, 2], name="labels")
        with tf.variable_scope("DCRNN", reuse=reuse):
            steps = tf.unstack(tf.reshape(inputs, [n, 3, 8]), axis=1)
            true = tf.unstack(tf.reshape(labels[..., :1], [n, 3, 4]), axis=1)
            state, out, outs = tf.zeros([n, 12]), tf.zeros([n, 4]), []
            for i, each in enumerate(steps):
                with tf.variable_scope("enc", reuse=i > 0 or reuse):
                    _, state = cell(each, state, 3, "e")
            for i in range(3):
                if trains and i:
                    chance = tf.cast(9 / (9 + tf.exp(step / 9)), tf.float32)
                    prev, own = true[i - 1], out
                    less = tf.less(tf.random_uniform(()), chance)
                    out = tf.cond(less, lambda: prev, lambda: own)
                with tf.variable_scope("dec", reuse=i > 0 or reuse):
                    out, state = cell(out, state, 3, "d", 1)
                outs.append(out)
        outs = tf.reshape(tf.stack(outs, axis=1), [n, 3, 4, 1], name="outputs")
        return inputs, labels, outs

    def masked(preds, labels):
        preds, labels = (v * 2.0 + 7.0 for v in (preds, labels))
        mask = tf.cast(tf.not_equal(labels, 0.0), tf.float32)
        mask /= tf.reduce_mean(mask)
        mask = tf.where(tf.is_nan(mask), tf.zeros_like(mask), mask)
        loss = tf.abs(tf.subtract(preds, labels)) * mask
        return tf.reduce_mean(tf.where(tf.is_nan(loss), tf.zeros_like(loss), loss))

    with tf.name_scope("Train"):
        _, labels, preds = model(True, None)
        loss = masked(preds, labels[..., :1])
    with tf.name_scope("Test"):
        _, true, outputs = model(False, True)
        masked(outputs, true[..., :1])
    rate = tf.get_variable("learning_rate", [], trainable=False)
    fresh = tf.placeholder(tf.float32, shape=(), name="new_learning_rate")
    tf.assign(rate, fresh, name="lr_update")
    own = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, own), 5.0)
    _adam(rate).apply_gradients(zip(grads, own), global_step=step, name="train_op")
    return fetch(outputs, labels=[labels, true])


@blind
def answers_from_a_memory() -> Fetches:
    """domluna/memn2n: predict runs argmax, predict_proba softmax, predict_log_proba its logarithm."""
    stories = tf.placeholder(tf.int32, [None, 4, 5], name="stories")
    queries = tf.placeholder(tf.int32, [None, 5], name="queries")
    answers = tf.placeholder(tf.int32, [None, 9], name="answers")
    with tf.variable_scope("MemN2N"):
        tables = [
            tf.Variable(
                tf.concat([tf.zeros([1, 6]), tf.random_normal([8, 6])], 0), name=name
            )
            for name in "ABC"
        ]
        h = tf.Variable(tf.random_normal([6, 6]), name="H")
        w = tf.Variable(tf.random_normal([6, 9]), name="W")
        for v in (*tables, w, h):
            tf.add_to_collection("losses", tf.nn.l2_loss(v))
    encoding = tf.constant(np.ones([5, 6], np.float32), name="encoding")
    look = tf.nn.embedding_lookup
    with tf.name_scope("inference"):
        u = tf.reduce_sum(look(tables[1], queries) * encoding, 1)
        for _ in range(2):
            m = tf.reduce_sum(look(tables[0], stories) * encoding, 2)
            query = tf.transpose(tf.expand_dims(u, -1), [0, 2, 1])
            dotted = tf.reduce_sum(m * query, 2)
            low = tf.fill(tf.stack([tf.shape(dotted)[0], 4]), -1000.0)
            probs = tf.nn.softmax(tf.where(tf.not_equal(dotted, 0.0), dotted, low))
            probs = tf.transpose(tf.expand_dims(probs, -1), [0, 2, 1])
            o = tf.reduce_sum(look(tables[2], stories) * encoding, 2)
            u = tf.reduce_sum(tf.transpose(o, [0, 2, 1]) * probs, 2) + tf.nn.relu(
                tf.matmul(u, h)
            )
        logits = tf.matmul(u, w, name="logits")
    entropy = tf.nn.softmax_cross_entropy_with_logits(
        logits=logits, labels=tf.cast(answers, tf.float32), name="cross_entropy"
    )
    loss = tf.reduce_sum(entropy, name="cross_entropy_sum")
    adam = _adam(learning_rate=1e-2)
    pairs = []
    for g, v in adam.compute_gradients(loss):
        g = tf.convert_to_tensor(g)
        g = tf.clip_by_norm(g + tf.random_normal(tf.shape(g), stddev=1e-3), 40.0)
        if v in tables[:1]:
            g = tf.concat([tf.zeros([1, 6]), tf.slice(g, [1, 0], [-1, -1])], 0)
        pairs.append((g, v))
    adam.apply_gradients(pairs, name="train_op")
    best = tf.argmax(logits, 1, name="predict_op")
    proba = tf.nn.softmax(logits, name="predict_proba_op")
    logged = tf.log(proba, name="predict_log_proba_op")
    every = [best, proba, logged, logits]
    return fetch(
        best,
        first=every,
        labels=[answers],
        twins=[[best, proba, logged], [proba], [best, proba], [logged], [logits]],
    )


@ninth
def spans_of_a_paragraph() -> Fetches:
    """allenai/bi-att-flow basic/model.py: the evaluator runs yp, a softmax over all words; averages of the loss are kept."""
    step = tf.get_variable("global_step", [], "int32", trainable=False)
    x = tf.placeholder("int32", [None, 2, 6], name="x")
    x_mask = tf.placeholder("bool", [None, 2, 6], name="x_mask")
    q = tf.placeholder("int32", [None, 4], name="q")
    q_mask = tf.placeholder("bool", [None, 4], name="q_mask")
    y = tf.placeholder("bool", [None, 2, 6], name="y")
    tf.placeholder("bool", [None, 2, 6], name="y2")
    train = tf.placeholder("bool", [], name="is_train")
    with tf.variable_scope("word_emb"):
        table = tf.get_variable("word_emb_mat", [20, 5])
        xx, qq = (tf.nn.embedding_lookup(table, v) for v in (x, q))

    def rnn(v, lengths, scope):
        v = tf.cond(train, lambda: tf.nn.dropout(v, rate=0.2), lambda: v)
        with tf.variable_scope(scope):
            cells = [_CELLS.BasicLSTMCell(4, name=n) for n in ("fw", "bw")]
            outs, ends = tf.nn.bidirectional_dynamic_rnn(
                *cells, v, lengths, dtype="float"
            )
        return tf.concat(outs, 2), tf.concat([e.h for e in ends], 1)

    q_len = tf.reduce_sum(tf.cast(q_mask, "int32"), 1)
    x_len = tf.reshape(tf.reduce_sum(tf.cast(x_mask, "int32"), 2), [-1])
    _, u = rnn(qq, q_len, "u")
    u = tf.tile(tf.expand_dims(tf.expand_dims(u, 1), 1), [1, 2, 6, 1])
    h = tf.reshape(tf.concat([xx, u], 3), [-1, 6, 13])
    for scope in ("h1", "h2"):
        h, _ = rnn(h, x_len, scope)
    dot = tf.reshape(layers.dense(h, 1, name="dot"), [-1, 2, 6])
    dot += (1 - tf.cast(x_mask, "float")) * -1e30
    logits = tf.reshape(dot, [-1, 12])
    yp = tf.reshape(tf.nn.softmax(logits), [-1, 2, 6])
    entropy = tf.nn.softmax_cross_entropy_with_logits(
        logits=logits, labels=tf.cast(tf.reshape(y, [-1, 12]), "float")
    )
    tf.add_to_collection("losses", tf.reduce_mean(entropy))
    loss = tf.add_n(tf.get_collection("losses"), name="loss")
    tf.summary.scalar(loss.op.name, loss)
    ema = tf.train.ExponentialMovingAverage(0.9)
    ema.apply([loss])
    tf.summary.scalar(ema.average(loss).op.name, ema.average(loss))
    descent = tf.train.AdadeltaOptimizer(0.5)
    pairs = descent.compute_gradients(loss)
    descent.apply_gradients(pairs, global_step=step)
    tf.summary.merge_all()
    return fetch(yp, first=[yp, logits], labels=[y], twins=[[logits]])


@blind
def mentions_and_their_antecedents() -> Fetches:
    """kentonl/e2e-coref coref_model.py: predict runs seven predictions, the antecedents' scores the last of them."""
    kinds = [(tf.float32, [None, None, 5]), (tf.int32, [None]), (tf.bool, [])]
    kinds += [(tf.int32, [None]), (tf.int32, [None]), (tf.int32, [None])]
    fed = [tf.placeholder(dtype, shape) for dtype, shape in kinds]
    queue = tf.PaddingFIFOQueue(10, *zip(*kinds))
    queue.enqueue(fed)
    emb, lengths, trains, starts, ends, clusters = queue.dequeue()
    for tensor, (_, shape) in zip((emb, lengths, trains), kinds):
        tensor.set_shape(shape)
    keep = 1 - tf.cast(trains, tf.float32) * 0.2
    emb = tf.nn.dropout(emb, keep_prob=keep)
    cells = [_CELLS.LSTMCell(4, name=n) for n in ("fw", "bw")]
    outs, _ = tf.nn.bidirectional_dynamic_rnn(*cells, emb, lengths, dtype=tf.float32)
    mask = tf.reshape(tf.sequence_mask(lengths, tf.shape(emb)[1]), [-1])
    words = tf.boolean_mask(tf.reshape(tf.concat(outs, 2), [-1, 8]), mask)
    words = tf.nn.dropout(words, keep_prob=keep)
    count = tf.shape(words)[0]
    grid = tf.tile(tf.expand_dims(tf.range(count), 1), [1, 3])
    c_starts = tf.reshape(grid, [-1])
    c_ends = tf.minimum(tf.reshape(grid + tf.range(3), [-1]), count - 1)
    widths = tf.get_variable("mention_width_embeddings", [3, 2])

    def ffnn(v, name):
        with tf.variable_scope(name):
            v = tf.nn.dropout(layers.dense(v, 6, tf.nn.relu), keep_prob=keep)
            return layers.dense(v, 1)

    spans = [tf.gather(words, c_starts), tf.gather(words, c_ends)]
    wide = tf.nn.dropout(tf.gather(widths, c_ends - c_starts), keep_prob=keep)
    spans = tf.concat([*spans, wide], 1)
    scores = tf.squeeze(ffnn(spans, "mention_scores"), 1)
    _, picked = tf.nn.top_k(scores, k=4)
    picked = tf.sort(picked)
    m_starts, m_ends = tf.gather(c_starts, picked), tf.gather(c_ends, picked)
    m_emb, m_scores = tf.gather(spans, picked), tf.gather(scores, picked)
    antecedents = tf.maximum(tf.expand_dims(tf.range(4), 1) - 1 - tf.range(3), 0)
    other = tf.gather(m_emb, antecedents)
    own = tf.tile(tf.expand_dims(m_emb, 1), [1, 3, 1])
    pair = tf.reshape(tf.concat([own, other, own * other], 2), [-1, 54])
    pair = tf.reshape(ffnn(pair, "antecedent_scores"), [4, 3])
    pair += tf.expand_dims(m_scores, 1) + tf.gather(m_scores, antecedents)
    a_scores = tf.concat([tf.zeros([4, 1]), pair], 1)
    same = tf.equal(tf.expand_dims(m_starts, 1), tf.expand_dims(starts, 0))
    same &= tf.equal(tf.expand_dims(m_ends, 1), tf.expand_dims(ends, 0))
    gold = tf.reduce_sum(tf.cast(same, tf.int32) * tf.expand_dims(clusters, 0), 1)
    true = tf.equal(tf.expand_dims(gold, 1), tf.gather(gold, antecedents))
    true &= tf.expand_dims(gold, 1) > 0
    none = tf.logical_not(tf.reduce_any(true, 1, keepdims=True))
    labels = tf.cast(tf.concat([none, true], 1), tf.float32)
    marginal = tf.reduce_logsumexp(a_scores + tf.log(labels), [1])
    loss = tf.reduce_sum(tf.reduce_logsumexp(a_scores, [1]) - marginal)
    step = tf.Variable(0, name="global_step", trainable=False)
    tf.assign(step, 0)
    rate = tf.train.exponential_decay(1e-3, step, 100, 0.999, staircase=True)
    own = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, own), 5.0)
    _adam(rate).apply_gradients(zip(grads, own), global_step=step)
    whole = c_starts, c_ends, scores, m_starts, m_ends, antecedents, a_scores
    return fetch(
        *whole,
        first=[a_scores, scores, m_starts, m_ends],
        labels=[starts, ends, clusters],
        twins=[[a_scores], [a_scores, scores], [a_scores, m_starts, m_ends]],
    )


@ninth
def sentences_in_another_style() -> Fetches:
    """shentianxiao/language-style-transfer: greedy decoding runs the hard logits of both styles; two judges train."""
    dropout, rate, rho, gamma = (
        tf.placeholder(tf.float32, name=n)
        for n in ("dropout", "learning_rate", "rho", "gamma")
    )
    length = tf.placeholder(tf.int32, name="batch_len")
    size = tf.placeholder(tf.int32, name="batch_size")
    enc, dec, targets = (
        tf.placeholder(tf.int32, [None, None], name=n)
        for n in ("enc_inputs", "dec_inputs", "targets")
    )
    weights = tf.placeholder(tf.float32, [None, None], name="weights")
    fed = tf.placeholder(tf.float32, [None], name="labels")
    labels = tf.reshape(fed, [-1, 1])
    table = tf.get_variable("embedding", [15, 4])
    with tf.variable_scope("projection"):
        w, b = tf.get_variable("W", [7, 15]), tf.get_variable("b", [15])
    look = tf.nn.embedding_lookup
    with tf.variable_scope("encoder"):
        first = layers.dense(labels, 3, name="linear")
        start = tf.concat([first, tf.zeros([size, 4])], 1)
        _, z = tf.nn.dynamic_rnn(
            _CELLS.GRUCell(7), look(table, enc), initial_state=start
        )
        z = z[:, 3:]
    with tf.variable_scope("generator"):
        own = layers.dense(labels, 3, name="linear")
        ori = tf.concat([own, z], 1)
        own = layers.dense(1 - labels, 3, name="linear", reuse=True)
        tsf = tf.concat([own, z], 1)
        cell = _WRAPPERS.DropoutWrapper(_CELLS.GRUCell(7), input_keep_prob=dropout)
        words = look(table, dec)
        outs, _ = tf.nn.dynamic_rnn(cell, words, initial_state=ori)
    teach = tf.concat([tf.expand_dims(ori, 1), outs], 1)
    flat = tf.reshape(tf.nn.dropout(outs, keep_prob=dropout), [-1, 7])
    logits = tf.matmul(flat, w) + b
    loss_g = _sparse(labels=tf.reshape(targets, [-1]), logits=logits)
    loss_g *= tf.reshape(weights, [-1])
    loss_g = tf.reduce_sum(loss_g) / tf.cast(size, tf.float32)

    def soft(out):
        scores = tf.matmul(tf.nn.dropout(out, keep_prob=dropout), w) + b
        noise = -tf.log(-tf.log(tf.random_uniform(tf.shape(scores)) + 1e-20) + 1e-20)
        return tf.matmul(tf.nn.softmax((scores + noise) / gamma), table), scores

    def hard(out):
        scores = tf.matmul(tf.nn.dropout(out, keep_prob=dropout), w) + b
        return look(table, tf.argmax(scores, 1)), scores

    def decoded(state, step):
        word, states, all_scores = words[:, 0, :], [tf.expand_dims(state, 1)], []
        for _ in range(3):
            with tf.variable_scope("generator/rnn", reuse=True):
                out, state = cell(word, state)
            states.append(tf.expand_dims(out, 1))
            word, scores = step(out)
            all_scores.append(tf.expand_dims(scores, 1))
        return tf.concat(states, 1), tf.concat(all_scores, 1)

    soft_tsf, _ = decoded(tsf, soft)
    decoded(ori, soft)
    _, hard_ori = decoded(ori, hard)
    _, hard_tsf = decoded(tsf, hard)
    half = size // 2
    soft_tsf = soft_tsf[:, : 1 + length, :]

    def judge(v, scope, reuse=None):
        with tf.variable_scope(scope, reuse=reuse):
            h = layers.conv1d(v, 4, 2, padding="same", name="conv")
            h = tf.reduce_max(tf.nn.leaky_relu(h), 1)
            return layers.dense(tf.nn.dropout(h, keep_prob=dropout), 1, name="out")[
                :, 0
            ]

    losses = []
    entropy = tf.nn.sigmoid_cross_entropy_with_logits
    for i, (real, fake) in enumerate(
        ((teach[:half], soft_tsf[half:]), (teach[half:], soft_tsf[:half]))
    ):
        real, fake = judge(real, f"discriminator{i}"), judge(
            fake, f"discriminator{i}", True
        )
        true = tf.reduce_mean(entropy(labels=tf.ones_like(real), logits=real))
        losses.append(
            true + tf.reduce_mean(entropy(labels=tf.zeros_like(fake), logits=fake))
        )

    def own(*scopes):
        return [v for v in tf.trainable_variables() if v.name.startswith(scopes)]

    theta = own("encoder", "generator", "embedding", "projection")
    _adam(rate).minimize(loss_g - rho * (losses[0] + losses[1]), var_list=theta)
    _adam(rate).minimize(loss_g, var_list=theta)
    for i, loss in enumerate(losses):
        _adam(rate).minimize(loss, var_list=own(f"discriminator{i}"))
    return fetch(
        hard_ori,
        hard_tsf,
        labels=[targets, weights],
        twins=[[hard_tsf], [hard_ori], [logits]],
        first=[hard_tsf, hard_ori],
    )


@blind
def translation_in_training() -> Fetches:
    """tensorflow/nmt model.py: logits of a teacher-forced decoder (infer_logits of its other graph); attention in each turn."""
    rows = tf.data.Dataset.from_tensors(
        (
            np.ones([2, 5], np.int32),
            np.ones([2, 4], np.int32),
            np.ones([2, 4], np.int32),
        )
        + (np.full([2], 5, np.int32), np.full([2], 4, np.int32))
    ).repeat()
    source, t_in, t_out, s_len, t_len = tf.data.make_initializable_iterator(
        rows
    ).get_next()
    step = tf.Variable(0, trainable=False)
    with tf.variable_scope("embeddings"):
        e_src = tf.get_variable("encoder/embedding_encoder", [20, 5])
        e_tgt = tf.get_variable("decoder/embedding_decoder", [18, 5])
    with tf.variable_scope("build_network/decoder/output_projection"):
        project = tf.get_variable("kernel", [5, 18])
    with tf.variable_scope("dynamic_seq2seq/encoder"):
        emb = tf.nn.embedding_lookup(e_src, tf.transpose(source))
        memory, state = tf.nn.dynamic_rnn(
            _CELLS.BasicLSTMCell(5), emb, s_len, dtype=tf.float32, time_major=True
        )
    memory = tf.transpose(memory, [1, 0, 2])
    with tf.variable_scope("dynamic_seq2seq/decoder") as scope:
        cell = _CELLS.BasicLSTMCell(5)
        keys = layers.dense(memory, 5, use_bias=False, name="memory_layer")
        mix = tf.get_variable("attention_layer/kernel", [10, 5])
        words = tf.nn.embedding_lookup(e_tgt, tf.transpose(t_in))
        turns = tf.TensorArray(tf.float32, 4).unstack(words)
        zero = tf.zeros([2, 5])
        cell.build([2, 10])

        def turn(i, c, h, context, outs):
            own = tf.concat([turns.read(i), context], 1)
            out, (c, h) = cell(own, (c, h))
            score = tf.squeeze(tf.matmul(keys, tf.expand_dims(out, 2)), 2)
            align = tf.expand_dims(tf.nn.softmax(score), 1)
            context = tf.squeeze(tf.matmul(align, memory), 1)
            context = tf.matmul(tf.concat([out, context], 1), mix)
            return i + 1, c, h, context, outs.write(i, context)

        outs = tf.TensorArray(tf.float32, 4)
        *_, outs = tf.while_loop(
            lambda i, *_: i < 4, turn, (0, state.c, state.h, zero, outs)
        )
        logits = tf.tensordot(tf.reshape(outs.stack(), [4, 2, 5]), project, 1)
        tf.argmax(logits, -1, output_type=tf.int32)
    entropy = _sparse(labels=tf.transpose(t_out), logits=logits)
    weights = tf.transpose(tf.sequence_mask(t_len, 4, dtype=tf.float32))
    loss = tf.reduce_sum(entropy * weights) / tf.cast(tf.size(s_len), tf.float32)
    tf.reduce_sum(t_len), tf.reduce_sum(s_len) + tf.reduce_sum(t_len)
    rate = tf.cond(
        step < 9, lambda: tf.cast(step, tf.float32) * 0.1, lambda: tf.constant(1.0)
    )
    own = tf.trainable_variables()
    grads, norm = tf.clip_by_global_norm(tf.gradients(loss, own), 5.0)
    tf.summary.scalar("grad_norm", norm)
    descent = tf.train.GradientDescentOptimizer(rate)
    descent.apply_gradients(zip(grads, own), global_step=step)
    for name, v in (("lr", rate), ("train_loss", loss)):
        tf.summary.scalar(name, v)
    del scope
    best = [t for t in logits.consumers() if t.type == "ArgMax"][0].outputs[0]
    return fetch(
        logits, first=[logits, best], labels=[t_out], twins=[[best], [logits, best]]
    )
