"""Sequences: taggers with a CRF, CTC, language models with states, seq2seq with greedy decoders, attention."""

from __future__ import annotations

from .zoo import Fetches, fetch, layers, style
from .zoo import v1 as tf


def _gru(x, units, scope, state=None, mask=None):
    """A GRU over axis 1 as ``dynamic_rnn`` runs it: a while loop over TensorArrays."""
    with tf.variable_scope(scope):
        n = int(x.shape[-1])
        w = tf.get_variable("gates", [n + units, 2 * units])
        c = tf.get_variable("candidate", [n + units, units])
    steps, start = tf.shape(x)[1], (
        tf.zeros([tf.shape(x)[0], units]) if state is None else state
    )
    taken = tf.TensorArray(tf.float32, steps).unstack(tf.transpose(x, [1, 0, 2]))

    def body(i, h, out):
        v = taken.read(i)
        v.set_shape([None, n])
        r, u = tf.split(tf.sigmoid(tf.matmul(tf.concat([v, h], 1), w)), 2, 1)
        k = tf.tanh(tf.matmul(tf.concat([v, r * h], 1), c))
        h = u * h + (1 - u) * k
        return i + 1, h, out.write(i, h)

    _, last, out = tf.while_loop(
        lambda i, *_: i < steps,
        body,
        (0, start, tf.TensorArray(tf.float32, steps)),
    )
    outputs = tf.transpose(out.stack(), [1, 0, 2])
    outputs.set_shape([None, x.shape[1], units])
    return outputs, last


@style
def bilstm_crf_tagger() -> Fetches:
    ids = tf.placeholder(tf.int32, [None, 7], name="word_ids")
    tags = tf.placeholder(tf.int32, [None, 7], name="labels")
    lengths = tf.placeholder(tf.int32, [None], name="sequence_lengths")
    table = tf.get_variable("word_embeddings", [40, 6])
    x = tf.nn.embedding_lookup(table, ids)
    forward, _ = _gru(x, 5, "fw")
    backward, _ = _gru(tf.reverse_sequence(x, lengths, 1), 5, "bw")
    h = tf.concat([forward, tf.reverse_sequence(backward, lengths, 1)], -1)
    logits = layers.dense(h, 4, name="proj")
    trans = tf.get_variable("transitions", [4, 4])
    hot = tf.one_hot(tags, 4)
    mask = tf.sequence_mask(lengths, 7, tf.float32)
    unary = tf.reduce_sum(tf.reduce_sum(logits * hot, 2) * mask, 1)
    binary = tf.reduce_sum(
        tf.einsum("bti,ij,btj->bt", hot[:, :-1], trans, hot[:, 1:]) * mask[:, 1:], 1
    )
    alpha = logits[:, 0]
    for t in range(1, 7):
        step = tf.reduce_logsumexp(tf.expand_dims(alpha, 2) + trans, 1) + logits[:, t]
        on = mask[:, t : t + 1]
        alpha = on * step + (1 - on) * alpha
    loss = tf.reduce_mean(tf.reduce_logsumexp(alpha, 1) - unary - binary)
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(logits, first=[logits], labels=[tags])


@style
def ctc_recogniser() -> Fetches:
    inputs = tf.placeholder(tf.float32, [None, None, 5], name="inputs")
    targets = tf.sparse_placeholder(tf.int32, name="targets")
    lengths = tf.placeholder(tf.int32, [None], name="seq_len")
    h, _ = _gru(inputs, 6, "rnn")
    logits = tf.transpose(layers.dense(h, 4), [1, 0, 2])
    cost = tf.reduce_mean(tf.nn.ctc_loss(targets, logits, lengths))
    tf.train.MomentumOptimizer(0.01, 0.9).minimize(cost)
    decoded, log_prob = tf.nn.ctc_beam_search_decoder(logits, lengths)
    tf.reduce_mean(tf.edit_distance(tf.cast(decoded[0], tf.int32), targets))
    parts = (decoded[0].indices, decoded[0].values, decoded[0].dense_shape)
    return fetch(*parts, first=[*parts[:2], logits])


@style
def word_language_model_with_state() -> Fetches:
    ids = tf.placeholder(tf.int32, [4, 6], name="inputs")
    targets = tf.placeholder(tf.int32, [4, 6], name="targets")
    init = tf.placeholder(tf.float32, [4, 8], name="initial_state")
    table = tf.get_variable("embedding", [20, 8])
    h, last = _gru(tf.nn.embedding_lookup(table, ids), 8, "cell", init)
    logits = layers.dense(tf.reshape(h, [-1, 8]), 20)
    probs = tf.nn.softmax(logits, name="probs")
    final = tf.identity(last, name="final_state")
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.reshape(targets, [-1]), logits=logits
    )
    cost = tf.reduce_sum(loss) / 4.0
    tvars = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(cost, tvars), 5.0)
    tf.train.AdamOptimizer().apply_gradients(zip(grads, tvars))
    return fetch(probs, final, first=[probs], labels=[targets])


@style
def greedy_translator() -> Fetches:
    src = tf.placeholder(tf.int32, [None, 5], name="source")
    tgt = tf.placeholder(tf.int32, [None, 6], name="target")
    e_src, e_tgt = tf.get_variable("src_emb", [15, 6]), tf.get_variable(
        "tgt_emb", [12, 6]
    )
    _, state = _gru(tf.nn.embedding_lookup(e_src, src), 7, "encoder")
    with tf.variable_scope("decoder"):
        w, b = tf.get_variable("w", [13, 7]), tf.get_variable("b", [7])
        p = tf.get_variable("proj", [7, 12])

    def step(token, h):
        h = tf.tanh(
            tf.matmul(tf.concat([tf.nn.embedding_lookup(e_tgt, token), h], 1), w) + b
        )
        return h, tf.matmul(h, p)

    h, train_logits = state, []
    for t in range(5):
        h, z = step(tgt[:, t], h)
        train_logits.append(z)
    h, token, words = state, tf.zeros_like(src[:, 0]), []
    for _ in range(5):
        h, z = step(token, h)
        token = tf.argmax(z, 1, output_type=tf.int32)
        words.append(token)
    predicted = tf.stack(words, 1, name="predictions")
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tgt[:, 1:], logits=tf.stack(train_logits, 1)
    )
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(loss))
    return fetch(predicted, labels=[tgt])


@style
def sentiment_last_step() -> Fetches:
    x = tf.placeholder(tf.int32, [None, 9], name="input_data")
    y = tf.placeholder(tf.float32, [None, 2], name="labels")
    table = tf.Variable(tf.random_uniform([30, 5]), trainable=False)
    value, _ = _gru(tf.nn.embedding_lookup(table, x), 6, "lstm")
    w, b = tf.Variable(tf.truncated_normal([6, 2])), tf.Variable(
        tf.constant(0.1, shape=[2])
    )
    last = tf.gather(tf.transpose(value, [1, 0, 2]), 8)
    prediction = tf.matmul(last, w) + b
    correct = tf.equal(tf.argmax(prediction, 1), tf.argmax(y, 1))
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    loss = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(logits=prediction, labels=y)
    )
    tf.train.AdamOptimizer().minimize(loss)
    tf.summary.scalar("Accuracy", accuracy)
    return fetch(prediction, labels=[y])


@style
def stacked_recurrent_regression() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 8, 3], name="x")
    y = tf.placeholder(tf.float32, [None, 8, 1], name="y")
    h = x
    for i in range(3):
        h, _ = _gru(h, 5, f"layer{i}")
    out = layers.dense(h, 1)
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(tf.square(out - y)))
    return fetch(out, labels=[y])


@style
def transformer_classifier() -> Fetches:
    ids = tf.placeholder(tf.int32, [None, 6], name="input_ids")
    mask = tf.placeholder(tf.float32, [None, 6], name="input_mask")
    y = tf.placeholder(tf.int32, [None], name="label_ids")
    table = tf.get_variable("word_embeddings", [30, 8])
    h = tf.nn.embedding_lookup(table, ids) + tf.get_variable("position", [6, 8])
    q, k, v = (layers.dense(h, 8, name=n) for n in ("query", "key", "value"))
    scores = (
        tf.matmul(q, k, transpose_b=True) / 8**0.5
        + (1.0 - tf.expand_dims(mask, 1)) * -10000.0
    )
    h += tf.nn.dropout(tf.matmul(tf.nn.softmax(scores), v), keep_prob=0.9)
    pooled = layers.dense(h[:, 0], 8, tf.tanh, name="pooler")
    w, b = tf.get_variable("output_weights", [3, 8]), tf.get_variable(
        "output_bias", [3]
    )
    logits = tf.nn.bias_add(tf.matmul(pooled, w, transpose_b=True), b)
    probabilities = tf.nn.softmax(logits, axis=-1)
    log_probs = tf.nn.log_softmax(logits, axis=-1)
    per_example = -tf.reduce_sum(tf.one_hot(y, 3) * log_probs, -1)
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(per_example))
    return fetch(probabilities, labels=[y])


@style
def reading_span() -> Fetches:
    c, q = tf.placeholder(tf.float32, [None, 9, 5], name="c"), tf.placeholder(
        tf.float32, [None, 4, 5], name="q"
    )
    y1, y2 = tf.placeholder(tf.int32, [None], name="y1"), tf.placeholder(
        tf.int32, [None], name="y2"
    )
    hc, _ = _gru(c, 6, "c")
    hq, _ = _gru(q, 6, "q")
    s = tf.matmul(layers.dense(hc, 6, use_bias=False), hq, transpose_b=True)
    g = tf.concat([hc, tf.matmul(tf.nn.softmax(s), hq)], 2)
    l1, l2 = tf.squeeze(layers.dense(g, 1), -1), tf.squeeze(layers.dense(g, 1), -1)
    p1, p2 = tf.nn.softmax(l1), tf.nn.softmax(l2)
    outer = tf.matrix_band_part(
        tf.matmul(tf.expand_dims(p1, 2), tf.expand_dims(p2, 1)), 0, 5
    )
    yp1 = tf.argmax(tf.reduce_max(outer, 2), 1)
    yp2 = tf.argmax(tf.reduce_max(outer, 1), 1)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=l1, labels=y1)
    losses += tf.nn.sparse_softmax_cross_entropy_with_logits(logits=l2, labels=y2)
    tf.train.AdadeltaOptimizer(0.5).minimize(tf.reduce_mean(losses))
    return fetch(yp1, yp2, labels=[y1, y2])


@style
def keyword_spotting() -> Fetches:
    fingerprint = tf.placeholder(tf.float32, [None, 40], name="fingerprint_input")
    truth = tf.placeholder(tf.int64, [None], name="groundtruth_input")
    rate = tf.placeholder(tf.float32, [], name="learning_rate_input")
    keep = tf.placeholder(tf.float32, name="dropout_prob")
    h = layers.conv2d(
        tf.reshape(fingerprint, [-1, 8, 5, 1]),
        6,
        3,
        padding="same",
        activation=tf.nn.relu,
    )
    h = tf.nn.dropout(h, keep)
    logits = tf.matmul(
        tf.reshape(h, [-1, 240]),
        tf.Variable(tf.truncated_normal([240, 4], stddev=0.01)),
    )
    logits += tf.Variable(tf.zeros([4]))
    with tf.control_dependencies([tf.add_check_numerics_ops()]):
        mean = tf.losses.sparse_softmax_cross_entropy(labels=truth, logits=logits)
        tf.train.GradientDescentOptimizer(rate).minimize(mean)
    predicted = tf.argmax(logits, 1)
    tf.confusion_matrix(truth, predicted, num_classes=4)
    tf.reduce_mean(tf.cast(tf.equal(predicted, truth), tf.float32))
    return fetch(logits, labels=[truth])
