"""What is said turn by turn: captions, answers, made-up text, speech, letters of a picture, courses of time."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer
_sparse = tf.nn.sparse_softmax_cross_entropy_with_logits


@fifth
def captions_with_attention() -> Fetches:
    """yunjey/show-attend-and-tell: test() runs [alphas, betas, sampled_captions]; the loss has turns of its own."""
    features = tf.placeholder(tf.float32, [None, 4, 6])
    captions = tf.placeholder(tf.int32, [None, 4])

    def normed(x, training, reuse):
        with tf.variable_scope("conv_features", reuse=reuse):
            return layers.batch_normalization(
                x, momentum=0.95, training=training, name="batch_norm"
            )

    def start(x):
        with tf.variable_scope("initial_lstm", reuse=tf.AUTO_REUSE):
            mean = tf.reduce_mean(x, 1)

            def get(n):
                return layers.dense(mean, 8, tf.nn.tanh, name=n)

            return get("c"), get("h")

    def turn(x, projected, word, c, h, cell, dropout):
        with tf.variable_scope("", reuse=tf.AUTO_REUSE):
            with tf.variable_scope("attention_layer"):
                w, v = tf.get_variable("w", [8, 6]), tf.get_variable("w_att", [6, 1])
                h_att = tf.nn.relu(projected + tf.expand_dims(tf.matmul(h, w), 1))
                out = tf.reshape(tf.matmul(tf.reshape(h_att, [-1, 6]), v), [-1, 4])
                alpha = tf.nn.softmax(out)
                context = tf.reduce_sum(x * tf.expand_dims(alpha, 2), 1, name="context")
            with tf.variable_scope("selector"):
                beta = layers.dense(h, 1, tf.nn.sigmoid, name="beta")
                context = tf.multiply(beta, context, name="selected_context")
            with tf.variable_scope("lstm"):
                _, (c, h) = cell(tf.concat([word, context], 1), (c, h))
            with tf.variable_scope("logits"):
                g = tf.nn.dropout(h, 0.5) if dropout else h
                g = (
                    layers.dense(g, 5, name="h")
                    + layers.dense(context, 5, use_bias=False, name="ctx")
                    + word
                )
                g = tf.nn.tanh(g)
                g = tf.nn.dropout(g, 0.5) if dropout else g
                return layers.dense(g, 12, name="out"), alpha, beta, c, h

    def word_of(ids):
        with tf.variable_scope("word_embedding", reuse=tf.AUTO_REUSE):
            return tf.nn.embedding_lookup(
                tf.get_variable("w", [12, 5]), ids, name="word_vector"
            )

    def project(x):
        with tf.variable_scope("project_features", reuse=tf.AUTO_REUSE):
            w = tf.get_variable("w", [6, 6])
            return tf.reshape(tf.matmul(tf.reshape(x, [-1, 6]), w), [-1, 4, 6])

    cell = _CELLS.BasicLSTMCell(8)
    x = normed(features, True, None)
    (c, h), projected, words = start(x), project(x), word_of(captions[:, :3])
    truth = captions[:, 1:]
    mask = tf.to_float(tf.not_equal(truth, 0))
    loss, alphas = 0.0, []
    for t in range(3):
        logits, alpha, _, c, h = turn(x, projected, words[:, t, :], c, h, cell, True)
        alphas.append(alpha)
        loss += tf.reduce_sum(_sparse(logits=logits, labels=truth[:, t]) * mask[:, t])
    alls = tf.reduce_sum(tf.transpose(tf.stack(alphas), (1, 0, 2)), 1)
    loss += tf.reduce_sum((16.0 / 196 - alls) ** 2)
    loss = loss / tf.to_float(tf.shape(features)[0])
    x = normed(features, False, True)
    (c, h), projected = start(x), project(x)
    words, alphas, betas = [], [], []
    word = word_of(tf.fill([tf.shape(x)[0]], 1))
    for t in range(4):
        logits, alpha, beta, c, h = turn(x, projected, word, c, h, cell, False)
        word_id = tf.argmax(logits, 1)
        word = word_of(word_id)
        words.append(word_id)
        alphas.append(alpha)
        betas.append(beta)
    alphas = tf.transpose(tf.stack(alphas), (1, 0, 2))
    betas = tf.transpose(tf.squeeze(betas), (1, 0))
    sampled = tf.transpose(tf.stack(words), (1, 0))
    pairs = list(
        zip(tf.gradients(loss, tf.trainable_variables()), tf.trainable_variables())
    )
    _adam(0.001).apply_gradients(pairs)
    tf.summary.scalar("batch_loss", loss)
    for grad, var in pairs:
        tf.summary.histogram(var.op.name, var)
        tf.summary.histogram(var.op.name + "/gradient", grad)
    tf.summary.merge_all()
    return fetch(alphas, betas, sampled, first=[sampled], labels=[captions])


@fifth
def answers_in_unrolled_turns() -> Fetches:
    """suriyadeepan/practical_seq2seq: predict runs decode_outputs_test, a list of one score tensor for each turn."""
    enc = [tf.placeholder(tf.int64, [None], name=f"ei_{t}") for t in range(3)]
    labels = [tf.placeholder(tf.int64, [None], name=f"ei_{t}") for t in range(3)]
    dec = [tf.zeros_like(enc[0], dtype=tf.int64, name="GO")] + labels[:-1]
    keep = tf.placeholder(tf.float32)

    class Dropped(_CELLS.BasicLSTMCell):
        def call(self, inputs, state):
            out, state = super().call(inputs, state)
            return tf.nn.dropout(out, keep_prob=keep), state

    cells = {n: Dropped(6, name=n) for n in ("encoder_cell", "decoder_cell")}

    def run(previous):
        e = tf.get_variable("encoder/embedding", [15, 6])
        d = tf.get_variable("decoder/embedding", [12, 6])
        w, b = tf.get_variable("proj_w", [6, 12]), tf.get_variable("proj_b", [12])
        state = cells["encoder_cell"].zero_state(tf.shape(enc[0])[0], tf.float32)
        for ids in enc:
            _, state = cells["encoder_cell"](tf.nn.embedding_lookup(e, ids), state)
        outs = []
        for t, ids in enumerate(dec):
            ids = tf.stop_gradient(tf.argmax(outs[-1], 1)) if previous and t else ids
            h, state = cells["decoder_cell"](tf.nn.embedding_lookup(d, ids), state)
            outs.append(tf.matmul(h, w) + b)
        return outs

    with tf.variable_scope("decoder") as scope:
        outputs = run(False)
        scope.reuse_variables()
        tests = run(True)
    weights = [tf.ones_like(label, dtype=tf.float32) for label in labels]
    costs = [
        _sparse(logits=o, labels=y) * w for o, y, w in zip(outputs, labels, weights)
    ]
    total = tf.add_n(weights) + 1e-12
    size = tf.cast(tf.shape(labels[0])[0], tf.float32)
    loss = tf.reduce_sum(tf.add_n(costs) / total) / size
    _adam(1e-4).minimize(loss)
    return fetch(*tests, labels=labels[-1:])


@fifth
def text_made_for_a_judge() -> Fetches:
    """LantaoYu/SeqGAN generator.py: generate() runs gen_x, tokens drawn in a while loop; rewards are fed."""
    n, e, units, steps, batch = 12, 4, 5, 4, 3

    def new(*shape):
        return tf.Variable(tf.random_normal(shape, stddev=0.1))

    rate = tf.Variable(0.01, trainable=False)
    tf.Variable(tf.zeros([steps]))
    with tf.variable_scope("generator"):
        table = new(n, e)
        gates = [(new(e, units), new(units, units), new(units)) for _ in range(4)]
        wo, bo = new(units, n), new(n)
    x = tf.placeholder(tf.int32, [batch, steps])
    rewards = tf.placeholder(tf.float32, [batch, steps])
    embedded = tf.transpose(tf.nn.embedding_lookup(table, x), perm=[1, 0, 2])
    start = tf.nn.embedding_lookup(table, tf.constant([0] * batch))
    h0 = tf.stack([tf.zeros([batch, units])] * 2)

    def unit(v, memory):
        h, c = tf.unstack(memory)
        i, f, o, k = (tf.matmul(v, w) + tf.matmul(h, u) + b for w, u, b in gates)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(k)
        return tf.stack([tf.sigmoid(o) * tf.tanh(c), c])

    def scores(memory):
        h, _ = tf.unstack(memory)
        return tf.matmul(h, wo) + bo

    def draw(i, v, h, probs, tokens):
        h = unit(v, h)
        out = tf.nn.softmax(scores(h))
        token = tf.cast(tf.reshape(tf.multinomial(tf.log(out), 1), [batch]), tf.int32)
        probs = probs.write(i, tf.reduce_sum(tf.one_hot(token, n, 1.0, 0.0) * out, 1))
        return (
            i + 1,
            tf.nn.embedding_lookup(table, token),
            h,
            probs,
            tokens.write(i, token),
        )

    def array(dtype):
        return tf.TensorArray(dtype, steps)

    def below(i, *_):
        return i < steps

    *_, gen_x = tf.while_loop(
        below, draw, (0, start, h0, array(tf.float32), array(tf.int32))
    )
    gen_x = tf.transpose(gen_x.stack(), perm=[1, 0])
    forced = array(tf.float32).unstack(embedded)

    def learn(i, v, h, out):
        h = unit(v, h)
        out = out.write(i, tf.nn.softmax(scores(h)))
        v = forced.read(i)
        v.set_shape([batch, e])
        return i + 1, v, h, out

    *_, out = tf.while_loop(below, learn, (0, start, h0, array(tf.float32)))
    predictions = tf.reshape(tf.transpose(out.stack(), perm=[1, 0, 2]), [-1, n])
    log = tf.log(tf.clip_by_value(predictions, 1e-20, 1.0))
    hot = tf.one_hot(tf.to_int32(tf.reshape(x, [-1])), n, 1.0, 0.0)
    pretrain = -tf.reduce_sum(hot * log) / (steps * batch)
    reward = -tf.reduce_sum(tf.reduce_sum(hot * log, 1) * tf.reshape(rewards, [-1]))
    params = tf.trainable_variables("generator")
    for loss in (pretrain, reward):
        grads, _ = tf.clip_by_global_norm(tf.gradients(loss, params), 5.0)
        _adam(rate).apply_gradients(zip(grads, params))
    return fetch(gen_x, labels=[rewards])


@fifth
def speech_frames_with_guided_attention() -> Fetches:
    """Kyubyong/dc_tts, Text2Mel in training: synthesize.py runs Y, max_attentions and alignments."""
    parts = ([5], tf.int32), ([6, 4], tf.float32), ([6], tf.int32), ([5, 6], tf.float32)
    fed = [tf.placeholder(dtype, shape) for shape, dtype in parts]
    queue = tf.FIFOQueue(8, [p.dtype for p in fed], [p.shape for p in fed])
    queue.enqueue(fed)
    text, mels, dones, gts = queue.dequeue_many(2)

    def conv(x, n, scope, act=tf.nn.relu):
        with tf.variable_scope(scope):
            x = tf.pad(x, [[0, 0], [2, 0], [0, 0]])
            x = layers.conv1d(x, n, 3, name="conv1d")
            mean, variance = tf.nn.moments(x, [-1], keepdims=True)
            x = (x - mean) / tf.sqrt(variance + 1e-8) * tf.get_variable("gamma", [n])
            x = act(x) if act else x
            return layers.dropout(x, rate=0.05, training=True)

    with tf.variable_scope("Text2Mel"):
        shifted = tf.concat((tf.zeros_like(mels[:, :1, :]), mels[:, :-1, :]), 1)
        with tf.variable_scope("TextEnc"):
            e = tf.nn.embedding_lookup(tf.get_variable("lookup_table", [20, 6]), text)
            k, v = tf.split(conv(e, 12, "HC_1"), 2, -1)
        with tf.variable_scope("AudioEnc"):
            q = conv(shifted, 6, "C_1")
        with tf.variable_scope("Attention"):
            a = tf.matmul(q, k, transpose_b=True) * tf.rsqrt(6.0)
            a = tf.nn.softmax(a)
            most = tf.argmax(a, -1)
            r = tf.concat((tf.matmul(a, v), q), -1)
            alignments = tf.transpose(a, [0, 2, 1])
        with tf.variable_scope("AudioDec"):
            h = conv(r, 8, "C_2")
            logits = conv(h, 4, "C_3", None)
            y = tf.nn.sigmoid(logits)
            done = conv(h, 2, "C_4", None)
            masks = tf.to_float(tf.expand_dims(dones, -1))
            masked = y * masks
    with tf.variable_scope("gs"):
        step = tf.Variable(0, name="global_step", trainable=False)
    loss_mels = tf.reduce_sum(tf.abs(masked - mels)) / tf.reduce_sum(masks * 4)
    loss_dones = tf.reduce_mean(_sparse(logits=done, labels=dones))
    bd = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=mels) * masks
    bd = tf.reduce_sum(bd) / (tf.reduce_sum(masks) * 4)
    padded = tf.pad(alignments, [(0, 0), (0, 5), (0, 6)], constant_values=-1.0)[
        :, :5, :6
    ]
    inside = tf.to_float(tf.not_equal(padded, -1))
    loss_att = tf.reduce_sum(tf.abs(padded * gts) * inside) / tf.reduce_sum(inside)
    loss = loss_mels + 0.1 * bd + loss_att + loss_dones
    for name, value in (
        ("mels", loss_mels),
        ("bd", bd),
        ("dones", loss_dones),
        ("att", loss_att),
    ):
        tf.summary.scalar("Train_Loss/" + name, value)
    tf.summary.image(
        "Train/mel_gt", tf.expand_dims(tf.transpose(mels[:1], [0, 2, 1]), -1)
    )
    tf.summary.image(
        "Train/mel_hat", tf.expand_dims(tf.transpose(masked[:1], [0, 2, 1]), -1)
    )
    after = tf.cast(step + 1, tf.float32)
    rate = 0.001 * 4000**0.5 * tf.minimum(after * 4000**-1.5, after**-0.5)
    adam = _adam(rate, beta1=0.5, beta2=0.9, epsilon=1e-6)
    tf.summary.scalar("lr", rate)
    pairs = [
        (tf.clip_by_norm(tf.clip_by_value(g, -1.0, 1.0), 100), w)
        for g, w in adam.compute_gradients(loss)
    ]
    adam.apply_gradients(pairs, global_step=step)
    tf.summary.merge_all()
    return fetch(y, most, alignments, first=[y, masked])


@fifth
def letters_looked_up_and_folded() -> Fetches:
    """emedvedev/attention-ocr: exports 'prediction' (text, folded from letters) and 'probability'."""
    given = tf.placeholder(tf.string, name="input_image_as_bytes")
    many = tf.cond(
        tf.less(tf.rank(given), 1), lambda: tf.expand_dims(given, 0), lambda: given
    )

    def prepare(v):
        image = tf.image.decode_png(v, channels=1)
        image = tf.image.resize_bilinear(
            tf.expand_dims(tf.cast(image, tf.float32), 0), [8, 16]
        )
        return tf.squeeze(image, 0)

    images = tf.map_fn(prepare, many, dtype=tf.float32)
    images.set_shape([None, 8, 16, 1])
    h = layers.conv2d(images, 6, 3, 2, padding="same", activation=tf.nn.relu)
    h = tf.nn.relu(
        layers.batch_normalization(
            layers.conv2d(h, 6, [4, 3], padding="valid"), training=True
        )
    )
    h = tf.reshape(h, [-1, 6, 6])
    cell, outs = _CELLS.GRUCell(6), []
    state = tf.zeros([tf.shape(images)[0], 6])
    table_v = tf.get_variable("embedding", [7, 4])
    ids = tf.tile([1], [tf.shape(images)[0]])
    for _ in range(3):
        a = tf.nn.softmax(tf.reduce_sum(h * tf.expand_dims(state, 1), 2))
        seen = tf.reduce_sum(h * tf.expand_dims(a, 2), 1)
        out, state = cell(
            tf.concat([tf.nn.embedding_lookup(table_v, ids), seen], 1), state
        )
        outs.append(layers.dense(out, 7, name="proj", reuse=tf.AUTO_REUSE))
        ids = tf.cast(tf.argmax(outs[-1], 1), tf.int32)
    targets = tf.placeholder(tf.int32, [None, 3], name="targets")
    table = tf.raw_ops.MutableHashTableV2(key_dtype=tf.int64, value_dtype=tf.string)
    letters = [c.encode() for c in "\0\1\2abcd"]
    insert = tf.raw_ops.LookupTableInsertV2(
        table_handle=table, keys=np.arange(7), values=letters
    )
    with tf.control_dependencies([insert]):
        numbers = tf.transpose(tf.stack([tf.argmax(o, axis=1) for o in outs]))
        probs = tf.transpose(
            tf.stack([tf.reduce_max(tf.nn.softmax(o), axis=1) for o in outs])
        )

        def find(k):
            return tf.raw_ops.LookupTableFindV2(
                table_handle=table, keys=k, default_value=b""
            )

        def join(a, v):
            return tf.cond(tf.equal(v, 2), lambda: "", lambda: find(v) + a)

        text = tf.map_fn(
            lambda m: tf.foldr(join, m, initializer=""), numbers, dtype=tf.string
        )

        def times(a, v):
            return tf.multiply(tf.cast(v, tf.float64), a)

        one = tf.constant(1, tf.float64)
        probs = tf.map_fn(
            lambda m: tf.foldr(times, m, initializer=one), probs, dtype=tf.float64
        )

        def single(v):
            return tf.cond(tf.equal(tf.shape(v)[0], 1), lambda: v[0], lambda: v)

        prediction = tf.identity(single(text), name="prediction")
        probability = tf.identity(single(probs), name="probability")
    costs = [_sparse(logits=o, labels=targets[:, t]) for t, o in enumerate(outs)]
    loss = tf.reduce_mean(tf.add_n(costs))
    adadelta = tf.train.AdadeltaOptimizer(1.0)
    grads, vs = zip(*adadelta.compute_gradients(loss))
    grads, _ = tf.clip_by_global_norm(grads, 5.0)
    tf.summary.scalar("loss", loss)
    tf.summary.scalar("total_gradient_norm", tf.global_norm(grads))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        adadelta.apply_gradients(zip(grads, vs))
    return fetch(prediction, probability, labels=[targets])
