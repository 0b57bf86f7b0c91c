"""Words: tags, answers, documents, translations, captions, pairs."""

from __future__ import annotations

import importlib

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer
_sparse = tf.nn.sparse_softmax_cross_entropy_with_logits


@fifth
def tags_of_words_and_letters() -> Fetches:
    """guillaumegenthial/sequence_tagging ner_model.py: predict_batch runs [logits, trans_params]."""
    words = tf.placeholder(tf.int32, [None, None], name="word_ids")
    lengths = tf.placeholder(tf.int32, [None], name="sequence_lengths")
    chars = tf.placeholder(tf.int32, [None, None, None], name="char_ids")
    word_lengths = tf.placeholder(tf.int32, [None, None], name="word_lengths")
    labels = tf.placeholder(tf.int32, [None, None], name="labels")
    keep = tf.placeholder(tf.float32, [], name="dropout")
    rate = tf.placeholder(tf.float32, [], name="lr")

    def both(x, n, sizes):
        cells = _CELLS.LSTMCell(n), _CELLS.LSTMCell(n)
        return tf.nn.bidirectional_dynamic_rnn(
            *cells, x, sequence_length=sizes, dtype=tf.float32
        )

    with tf.variable_scope("words"):
        table = tf.get_variable("_word_embeddings", [30, 6])
        x = tf.nn.embedding_lookup(table, words, name="word_embeddings")
    with tf.variable_scope("chars"):
        table = tf.get_variable("_char_embeddings", [20, 4])
        c = tf.nn.embedding_lookup(table, chars, name="char_embeddings")
        s = tf.shape(c)
        c = tf.reshape(c, [s[0] * s[1], s[-2], 4])
        _, ((_, fw), (_, bw)) = both(c, 3, tf.reshape(word_lengths, [s[0] * s[1]]))
        c = tf.reshape(tf.concat([fw, bw], axis=-1), [s[0], s[1], 6])
    x = tf.nn.dropout(tf.concat([x, c], axis=-1), keep)
    with tf.variable_scope("bi-lstm"):
        (fw, bw), _ = both(x, 5, lengths)
        h = tf.nn.dropout(tf.concat([fw, bw], axis=-1), keep)
    with tf.variable_scope("proj"):
        w = tf.get_variable("W", [10, 4])
        b = tf.get_variable("b", [4], initializer=tf.zeros_initializer())
        steps = tf.shape(h)[1]
        pred = tf.matmul(tf.reshape(h, [-1, 10]), w) + b
        logits = tf.reshape(pred, [-1, steps, 4])
    transitions = tf.get_variable("transitions", [4, 4])
    mask = tf.sequence_mask(lengths, steps, tf.float32)
    unary = tf.reduce_sum(tf.reduce_sum(logits * tf.one_hot(labels, 4), 2) * mask, 1)
    starts, ends = labels[:, :-1], labels[:, 1:]
    pairs = tf.gather(tf.reshape(transitions, [-1]), starts * 4 + ends)
    binary = tf.reduce_sum(pairs * mask[:, 1:], 1)

    def turn(t, alpha):
        after = tf.reduce_logsumexp(tf.expand_dims(alpha, 2) + transitions[None], 1)
        on = mask[:, t : t + 1]
        return t + 1, on * (after + logits[:, t]) + (1 - on) * alpha

    shapes = tf.TensorShape([]), tf.TensorShape([None, 4])
    _, alpha = tf.while_loop(lambda t, _: t < steps, turn, (1, logits[:, 0]), shapes)
    loss = tf.reduce_mean(-(unary + binary - tf.reduce_logsumexp(alpha, 1)))
    tf.summary.scalar("loss", loss)
    optimizer = _adam(rate)
    grads, vs = zip(*optimizer.compute_gradients(loss))
    grads, _ = tf.clip_by_global_norm(grads, 5.0)
    optimizer.apply_gradients(zip(grads, vs))
    return fetch(logits, transitions, first=[logits], labels=[labels])


@fifth
def memory_of_words() -> Fetches:
    """carpedm20/MemN2N-tensorflow: z, the scores of the next word (its softmax stands in the loss alone)."""
    given = tf.placeholder(tf.float32, [None, 6], name="input")
    time = tf.placeholder(tf.int32, [None, 5], name="time")
    target = tf.placeholder(tf.float32, [4, 20], name="target")
    context = tf.placeholder(tf.int32, [4, 5], name="context")
    step = tf.Variable(0, name="global_step")

    def new(*shape):
        return tf.Variable(tf.random_uniform(shape, -0.1, 0.1))

    a, b, c, t_a, t_b = new(20, 6), new(20, 6), new(6, 6), new(5, 6), new(5, 6)
    look = tf.nn.embedding_lookup
    a_in = tf.add(look(a, context), look(t_a, time))
    b_in = tf.add(look(b, context), look(t_b, time))
    hid = given
    for _ in range(2):
        seen = tf.matmul(tf.reshape(hid, [-1, 1, 6]), a_in, transpose_b=True)
        p = tf.nn.softmax(tf.reshape(seen, [-1, 5]))
        out = tf.reshape(tf.matmul(tf.reshape(p, [-1, 1, 5]), b_in), [-1, 6])
        d = tf.add(tf.matmul(hid, c), out)
        f, g = tf.slice(d, [0, 0], [4, 3]), tf.slice(d, [0, 3], [4, 3])
        hid = tf.concat([f, tf.nn.relu(g)], 1)
    w = new(6, 20)
    z = tf.matmul(hid, w)
    rate = tf.train.exponential_decay(0.001, step, 100, 0.96, staircase=True)
    loss = tf.nn.softmax_cross_entropy_with_logits(logits=z, labels=target)
    optimizer = tf.train.GradientDescentOptimizer(rate)
    pairs = optimizer.compute_gradients(loss, [a, b, c, t_a, t_b, w])
    clipped = [(tf.clip_by_norm(g, 50), v) for g, v in pairs]
    with tf.control_dependencies([step.assign_add(1)]):
        optimizer.apply_gradients(clipped)
    return fetch(z, labels=[target])


@fifth
def documents_by_words_and_sentences() -> Fetches:
    """brightmart/text_classification HierarchicalAttention: predict.py runs ``logits``; predictions serve accuracy."""
    learning = tf.Variable(0.01, trainable=False, name="learning_rate")
    tf.assign(learning, learning * 0.5)
    ids = tf.placeholder(tf.int32, [None, 6], name="input_x")
    y = tf.placeholder(tf.int32, [None], name="input_y")
    tf.placeholder(tf.float32, [None, 5], name="input_y_multilabel")
    keep = tf.placeholder(tf.float32, name="dropout_keep_prob")
    step = tf.Variable(0, trainable=False, name="Global_Step")
    epoch = tf.Variable(0, trainable=False, name="Epoch_Step")
    tf.assign(epoch, tf.add(epoch, tf.constant(1)))

    def get(name, *shape):
        return tf.get_variable(name, shape)

    def gru(xs, n, size, scope):
        with tf.variable_scope(scope):
            gates = {
                k: (get("W_" + k, size, n), get("U_" + k, n, n), get("b_" + k, n))
                for k in "zrh"
            }
        h, states = tf.ones((tf.shape(xs[0])[0], n)), []
        for x in xs:

            def part(k, v):
                return (
                    tf.matmul(x, gates[k][0]) + tf.matmul(v, gates[k][1]) + gates[k][2]
                )

            z, r = tf.nn.sigmoid(part("z", h)), tf.nn.sigmoid(part("r", h))
            w, u, b = gates["h"]
            new = tf.nn.tanh(tf.matmul(x, w) + r * tf.matmul(h, u) + b)
            h = (1 - z) * h + z * new
            states.append(h)
        return states

    def attend(states, n, scope):
        stacked = tf.stack(states, axis=1)
        with tf.variable_scope(scope):
            flat = tf.matmul(tf.reshape(stacked, [-1, n]), get("W", n, n)) + get("b", n)
            u = tf.reshape(tf.nn.tanh(flat), [-1, len(states), n])
            logits = tf.reduce_sum(tf.multiply(u, get("context_vector", n)), axis=2)
        p = tf.nn.softmax(logits - tf.reduce_max(logits, axis=1, keepdims=True))
        return tf.reduce_sum(tf.expand_dims(p, 2) * stacked, axis=1)

    def two_ways(xs, n, size, scope):
        fw = gru(xs, n, size, scope + "_fw")
        bw = gru(xs[::-1], n, size, scope + "_bw")[::-1]
        return [tf.concat(pair, axis=1) for pair in zip(fw, bw)]

    x = tf.stack(tf.split(ids, 2, axis=1), axis=1)
    x = tf.reshape(tf.nn.embedding_lookup(get("Embedding", 20, 4), x), [-1, 3, 4])
    words = two_ways([tf.squeeze(v, 1) for v in tf.split(x, 3, axis=1)], 3, 4, "word")
    sentences = tf.reshape(attend(words, 6, "word_attention"), [-1, 2, 6])
    parts = [tf.squeeze(v, 1) for v in tf.split(sentences, 2, axis=1)]
    document = attend(two_ways(parts, 6, 6, "sentence"), 12, "sentence_attention")
    with tf.name_scope("dropout"):
        document = tf.nn.dropout(document, keep_prob=keep)
    with tf.name_scope("output"):
        logits = tf.matmul(document, get("W_projection", 12, 5)) + get(
            "b_projection", 5
        )
    predictions = tf.argmax(logits, 1, name="predictions")
    right = tf.equal(tf.cast(predictions, tf.int32), y)
    tf.reduce_mean(tf.cast(right, tf.float32), name="Accuracy")
    with tf.name_scope("loss"):
        loss = tf.reduce_mean(_sparse(labels=y, logits=logits))
        loss += tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()]) * 1e-4
    rate = tf.train.exponential_decay(learning, step, 1000, 0.8, staircase=True)
    optimizer = _adam(rate)
    grads, vs = zip(*optimizer.compute_gradients(loss))
    grads, _ = tf.clip_by_global_norm(grads, 5.0)
    optimizer.apply_gradients(zip(grads, vs), global_step=step)
    return fetch(logits, first=[logits, predictions], labels=[y])


@fifth
def translation_fed_by_its_own_label() -> Fetches:
    """Kyubyong/transformer: eval.py runs ``preds``, feeding y what was predicted so far; training queues x and y."""
    fed = [tf.placeholder(tf.int32, [5]) for _ in range(2)]
    queue = tf.FIFOQueue(8, [tf.int32] * 2, [[5], [5]])
    queue.enqueue(fed)
    x, y = queue.dequeue_many(4)
    before = tf.concat((tf.ones_like(y[:, :1]) * 2, y[:, :-1]), -1)

    def embed(ids, n, scope):
        with tf.variable_scope(scope):
            table = tf.get_variable("lookup_table", [n, 8])
            table = tf.concat((tf.zeros([1, 8]), table[1:, :]), 0)
            return tf.nn.embedding_lookup(table, ids) * 8**0.5

    def norm(v, scope="ln"):
        with tf.variable_scope(scope):
            mean, variance = tf.nn.moments(v, [-1], keepdims=True)
            beta = tf.get_variable("beta", [8], initializer=tf.zeros_initializer())
            gamma = tf.get_variable("gamma", [8], initializer=tf.ones_initializer())
            return gamma * ((v - mean) / ((variance + 1e-8) ** 0.5)) + beta

    def attend(queries, keys, scope, causal=False):
        with tf.variable_scope(scope):
            q, k, v = (layers.dense(a, 8, tf.nn.relu) for a in (queries, keys, keys))
            q, k, v = (tf.concat(tf.split(a, 2, axis=2), 0) for a in (q, k, v))
            out = tf.matmul(q, tf.transpose(k, [0, 2, 1])) / 4**0.5
            masks = tf.tile(tf.sign(tf.abs(tf.reduce_sum(keys, axis=-1))), [2, 1])
            masks = tf.tile(tf.expand_dims(masks, 1), [1, 5, 1])
            low = tf.ones_like(out) * (-(2.0**32) + 1)
            out = tf.where(tf.equal(masks, 0), low, out)
            if causal:
                tril = tf.linalg.band_part(tf.ones_like(out[0]), -1, 0)
                out = tf.where(tf.equal(tf.tile(tril[None], [8, 1, 1]), 0), low, out)
            out = layers.dropout(
                tf.nn.softmax(out), 0.1, training=tf.convert_to_tensor(True)
            )
            out = tf.concat(tf.split(tf.matmul(out, v), 2, axis=0), 2) + queries
            return norm(out)

    def forward(v, scope):
        with tf.variable_scope(scope):
            h = layers.conv1d(v, 16, 1, activation=tf.nn.relu)
            return norm(layers.conv1d(h, 8, 1) + v)

    def start(ids, n, scope):
        e = embed(ids, n, scope)
        keys = tf.expand_dims(tf.sign(tf.reduce_sum(tf.abs(e), axis=-1)), -1)
        place = tf.tile(
            tf.expand_dims(tf.range(tf.shape(ids)[1]), 0), [tf.shape(ids)[0], 1]
        )
        e += embed(place, 5, scope + "_pe")
        return layers.dropout(e * keys, 0.1, training=tf.convert_to_tensor(True))

    with tf.variable_scope("encoder"):
        enc = start(x, 15, "enc_embed")
        enc = forward(attend(enc, enc, "self"), "ff")
    with tf.variable_scope("decoder"):
        dec = attend(
            start(before, 12, "dec_embed"),
            start(before, 12, "dec_embed2"),
            "self_attention",
            True,
        )
        dec = forward(attend(dec, enc, "vanilla_attention"), "ff")
    logits = layers.dense(dec, 12)
    preds = tf.to_int32(tf.argmax(logits, axis=-1))
    istarget = tf.to_float(tf.not_equal(y, 0))
    acc = tf.reduce_sum(tf.to_float(tf.equal(preds, y)) * istarget) / tf.reduce_sum(
        istarget
    )
    tf.summary.scalar("acc", acc)
    smooth = (1 - 0.1) * tf.one_hot(y, depth=12) + 0.1 / 12
    loss = tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=smooth)
    mean = tf.reduce_sum(loss * istarget) / tf.reduce_sum(istarget)
    step = tf.Variable(0, name="global_step", trainable=False)
    _adam(1e-4, beta1=0.9, beta2=0.98, epsilon=1e-8).minimize(mean, global_step=step)
    tf.summary.scalar("mean_loss", mean)
    tf.summary.merge_all()
    return fetch(preds, first=[preds, logits])
