"""Text and speech: language models, translators, taggers, transcripts."""

from __future__ import annotations

import importlib

from ..zoo import Fetches, fetch, layers, third
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")


@third
def character_model() -> Fetches:
    """sherjilozair/char-rnn-tensorflow: sample() runs probs and final_state."""
    ids = tf.placeholder(tf.int32, [2, 5])
    targets = tf.placeholder(tf.int32, [2, 5])
    cell = _CELLS.MultiRNNCell([_CELLS.BasicLSTMCell(6) for _ in range(2)])
    initial = cell.zero_state(2, tf.float32)
    w = tf.get_variable("rnnlm/softmax_w", [6, 11])
    b = tf.get_variable("rnnlm/softmax_b", [11])
    table = tf.get_variable("embedding", [11, 6])
    x = tf.nn.dropout(tf.nn.embedding_lookup(table, ids), keep_prob=0.9)
    state, outs = initial, []
    with tf.variable_scope("rnnlm"):
        for t in range(5):
            out, state = cell(x[:, t], state)
            outs.append(out)
    out = tf.reshape(tf.concat(outs, 1), [-1, 6])
    logits = tf.matmul(out, w) + b
    probs = tf.nn.softmax(logits)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.reshape(targets, [-1]), logits=logits
    )
    cost = tf.reduce_sum(loss) / 2 / 5
    rate = tf.Variable(0.0, trainable=False)
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(cost, variables), 5.0)
    tf.train.AdamOptimizer(rate).apply_gradients(zip(grads, variables))
    tf.summary.histogram("logits", logits)
    tf.summary.scalar("train_loss", cost)
    return fetch(probs, labels=[targets])


@third
def spectrogram_from_text() -> Fetches:
    """keithito/tacotron: linear_outputs (through Griffin-Lim outside), with mel_outputs and alignments."""
    text = tf.placeholder(tf.int32, [2, None], "inputs")
    lengths = tf.placeholder(tf.int32, [2], "input_lengths")
    mel_targets = tf.placeholder(tf.float32, [2, None, 4], "mel_targets")
    linear_targets = tf.placeholder(tf.float32, [2, None, 9], "linear_targets")
    x = tf.nn.embedding_lookup(tf.get_variable("embedding", [20, 6]), text)
    x = layers.dropout(layers.dense(x, 8, tf.nn.relu), 0.5, training=True)
    memory = x * tf.sequence_mask(lengths, tf.shape(text)[1], tf.float32)[..., None]
    query = tf.get_variable("decoder/query", [12, 8])
    out = tf.get_variable("decoder/out", [16, 8])
    frames = tf.transpose(mel_targets, [1, 0, 2])
    aligned = tf.TensorArray(tf.float32, tf.shape(frames)[0])
    made = tf.TensorArray(tf.float32, tf.shape(frames)[0])

    def body(t, h, aligned, made):
        before = tf.cond(t > 0, lambda: frames[t - 1], lambda: tf.zeros([2, 4]))
        q = tf.matmul(tf.concat([before, h], 1), query)
        score = tf.nn.softmax(tf.reduce_sum(tf.tanh(memory + q[:, None]), -1))
        context = tf.reduce_sum(memory * score[..., None], 1)
        h = tf.tanh(tf.matmul(tf.concat([q, context], 1), out))
        return t + 1, h, aligned.write(t, score), made.write(t, h)

    _, _, aligned, made = tf.while_loop(
        lambda t, *_: t < tf.shape(frames)[0],
        body,
        (0, tf.zeros([2, 8]), aligned, made),
    )
    mel = layers.dense(tf.transpose(made.stack(), [1, 0, 2]), 4)
    post = layers.conv1d(mel, 8, 3, padding="same", activation=tf.nn.relu)
    post = layers.batch_normalization(post, training=True)
    linear = layers.dense(post, 9)
    alignments = tf.transpose(aligned.stack(), [1, 2, 0])
    l1 = tf.abs(linear_targets - linear)
    loss = tf.reduce_mean(tf.abs(mel_targets - mel)) + 0.5 * tf.reduce_mean(l1)
    loss += 0.5 * tf.reduce_mean(l1[:, :, 0:3])
    step = tf.Variable(0, name="global_step", trainable=False)
    s = tf.cast(step + 1, tf.float32)
    rate = 0.002 * 4000.0**0.5 * tf.minimum(s * 4000.0**-1.5, s**-0.5)
    adam = tf.train.AdamOptimizer(rate)
    grads, variables = zip(*adam.compute_gradients(loss))
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        adam.apply_gradients(zip(grads, variables), global_step=step)
    tf.summary.histogram("mel_outputs", mel)
    return fetch(
        linear, mel, alignments, first=[linear], labels=[mel_targets, linear_targets]
    )


@third
def waveform_sampler() -> Fetches:
    """ibab/tensorflow-wavenet: predict_proba, the last step's softmax in double precision."""
    ids = tf.placeholder(tf.int32)
    x = tf.reshape(tf.one_hot(ids, 16), [1, -1, 16])
    h = layers.conv1d(tf.pad(x, [[0, 0], [1, 0], [0, 0]]), 8, 2, use_bias=False)
    skips = 0.0
    for rate in (1, 2, 4):
        v = tf.pad(h, [[0, 0], [rate, 0], [0, 0]])
        f = layers.conv1d(v, 8, 2, dilation_rate=rate, use_bias=False)
        g = layers.conv1d(v, 8, 2, dilation_rate=rate, use_bias=False)
        z = tf.tanh(f) * tf.sigmoid(g)
        h = h + layers.conv1d(z, 8, 1)
        skips += layers.conv1d(z, 8, 1)
    raw = layers.conv1d(tf.nn.relu(layers.conv1d(tf.nn.relu(skips), 8, 1)), 16, 1)
    out = tf.reshape(raw, [-1, 16])
    proba = tf.cast(tf.nn.softmax(tf.cast(out, tf.float64)), tf.float32)
    last = tf.slice(proba, [tf.shape(proba)[0] - 1, 0], [1, 16])
    return fetch(tf.reshape(last, [-1]))


@third
def transcript_with_state() -> Fetches:
    """mozilla/DeepSpeech export: logits with new_state_c and new_state_h, from previous_state_*."""
    x = tf.placeholder(tf.float32, [1, 4, 5, 6], name="input_node")
    lengths = tf.placeholder(tf.int32, [1], name="input_lengths")
    c = tf.placeholder(tf.float32, [1, 8], name="previous_state_c")
    h = tf.placeholder(tf.float32, [1, 8], name="previous_state_h")
    v = tf.reshape(tf.transpose(x, [1, 0, 2, 3]), [-1, 30])
    for n in (12, 12, 8):
        v = tf.minimum(tf.nn.relu(layers.dense(v, n)), 20.0)
    v = tf.reshape(v, [-1, 1, 8])
    kernel = tf.get_variable("cudnn_lstm/kernel", [16, 32])
    bias = tf.get_variable("cudnn_lstm/bias", [32])
    outs, state_c, state_h = [], c, h
    for t in range(4):
        gates = tf.matmul(tf.concat([v[t], state_h], 1), kernel) + bias
        i, j, f, o = tf.split(gates, 4, 1)
        on = tf.cast(t < lengths, tf.float32)[:, None]
        new_c = state_c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        new_h = tf.tanh(new_c) * tf.sigmoid(o)
        state_c = on * new_c + (1 - on) * state_c
        state_h = on * new_h + (1 - on) * state_h
        outs.append(new_h)
    v = tf.nn.relu(layers.dense(tf.reshape(tf.stack(outs), [-1, 8]), 8))
    logits = tf.reshape(layers.dense(tf.minimum(v, 20.0), 7), [-1, 1, 7])
    outputs = [
        tf.nn.softmax(logits, name="logits"),
        tf.identity(state_c, name="new_state_c"),
        tf.identity(state_h, name="new_state_h"),
    ]
    return fetch(*outputs, first=outputs[:1], frozen=True)


@third
def scene_text_decoder() -> Fetches:
    """CRNN_Tensorflow freeze: the dense form of what the beam search decoded."""
    image = tf.placeholder(tf.float32, [1, 8, 20, 3], name="input_tensor")
    x = layers.conv2d(image, 8, 3, 2, padding="same", activation=tf.nn.relu)
    x = tf.reshape(tf.transpose(x, [2, 0, 1, 3]), [10, 1, 32])
    logits = layers.dense(tf.tanh(layers.dense(x, 8)), 12)
    decoded, _ = tf.nn.ctc_beam_search_decoder(
        logits, [10], beam_width=5, merge_repeated=False
    )
    dense = tf.sparse.to_dense(decoded[0], default_value=-1, name="decoded_indices")
    return fetch(dense, frozen=True)


@third
def fine_tuned_classifier_with_own_adam() -> Fetches:
    """google-research/bert run_classifier: probabilities; AdamWeightDecayOptimizer assigns by hand."""
    ids = tf.placeholder(tf.int32, [None, 6], name="input_ids")
    mask = tf.placeholder(tf.int32, [None, 6], name="input_mask")
    segments = tf.placeholder(tf.int32, [None, 6], name="segment_ids")
    labels = tf.placeholder(tf.int32, [None], name="label_ids")
    h = tf.gather(tf.get_variable("bert/embeddings/word", [30, 8]), ids)
    h += tf.matmul(tf.one_hot(segments, 2), tf.get_variable("bert/type", [2, 8]))
    h = tf.nn.dropout(h, keep_prob=0.9)
    q, k, v = (layers.dense(h, 8, name=f"bert/{n}") for n in ("query", "key", "value"))
    score = tf.matmul(q, k, transpose_b=True) / 8**0.5
    score += (1.0 - tf.cast(mask, tf.float32)[:, None, :]) * -10000.0
    h = h + tf.matmul(tf.nn.dropout(tf.nn.softmax(score), keep_prob=0.9), v)
    mean, var = tf.nn.moments(h, [-1], keepdims=True)
    h = tf.nn.batch_normalization(
        h, mean, var, tf.get_variable("b", [8]), tf.get_variable("g", [8]), 1e-12
    )
    pooled = layers.dense(tf.squeeze(h[:, 0:1], axis=1), 8, tf.tanh, name="bert/pooler")
    w = tf.get_variable("output_weights", [3, 8])
    b = tf.get_variable("output_bias", [3], initializer=tf.zeros_initializer())
    with tf.variable_scope("loss"):
        pooled = tf.nn.dropout(pooled, keep_prob=0.9)
        logits = tf.nn.bias_add(tf.matmul(pooled, w, transpose_b=True), b)
        probabilities = tf.nn.softmax(logits, axis=-1)
        log_probs = tf.nn.log_softmax(logits, axis=-1)
        per_example = -tf.reduce_sum(tf.one_hot(labels, 3) * log_probs, axis=-1)
        loss = tf.reduce_mean(per_example)
    step = tf.train.get_or_create_global_step()
    rate = tf.train.polynomial_decay(5e-5, step, 100, end_learning_rate=0.0)
    early = tf.cast(step < 10, tf.float32)
    rate = (1.0 - early) * rate + early * 5e-5 * tf.cast(step, tf.float32) / 10.0
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), clip_norm=1.0)
    grads = [tf.convert_to_tensor(g) for g in grads]
    assignments = []
    for g, p in zip(grads, variables):
        name = p.name.removesuffix(":0")
        m, v = (
            tf.get_variable(
                f"{name}/{s}",
                p.shape,
                trainable=False,
                initializer=tf.zeros_initializer(),
            )
            for s in ("adam_m", "adam_v")
        )
        next_m = 0.9 * m + 0.1 * g
        next_v = 0.999 * v + 0.001 * tf.square(g)
        update = next_m / (tf.sqrt(next_v) + 1e-6) + 0.01 * p
        assignments += [p.assign(p - rate * update), m.assign(next_m), v.assign(next_v)]
    tf.group(*assignments, step.assign(step + 1))
    return fetch(probabilities, labels=[labels])


@third
def sampled_continuation() -> Fetches:
    """openai/gpt-2 sample.sample_sequence: the tokens that its while loop gathered."""
    context = tf.placeholder(tf.int32, [1, None])
    table = tf.get_variable("model/wte", [20, 8])
    kernel = tf.get_variable("model/h0/w", [8, 8])

    def model(tokens):
        h = tf.gather(table, tokens)
        h = h + tf.tanh(tf.tensordot(h, kernel, 1))
        return tf.einsum("btd,vd->btv", h, table)

    def body(before, output):
        logits = model(before[:, None])[:, -1, :] / tf.cast(0.7, tf.float32)
        values, _ = tf.nn.top_k(logits, k=5)
        low = tf.fill(tf.shape(logits), -1e10)
        logits = tf.where(logits < values[:, -1, None], low, logits)
        token = tf.multinomial(logits, num_samples=1, output_dtype=tf.int32)
        return [tf.squeeze(token, axis=[1]), tf.concat([output, token], axis=1)]

    with tf.name_scope("sample_sequence"):
        _, tokens = tf.while_loop(
            cond=lambda *_: True,
            body=body,
            maximum_iterations=4,
            loop_vars=[context[:, -1], context],
            shape_invariants=[tf.TensorShape([1]), tf.TensorShape([1, None])],
            back_prop=False,
        )
    return fetch(tokens)


@third
def tags_by_viterbi() -> Fetches:
    """macanv/BERT-BiLSTM-CRF-NER: pred_ids, decoded in the graph by the transitions."""
    ids = tf.placeholder(tf.int32, [None, 5], name="input_ids")
    labels = tf.placeholder(tf.int32, [None, 5], name="label_ids")
    keep = tf.placeholder_with_default(1.0, [], name="keep")
    x = tf.nn.embedding_lookup(tf.get_variable("words", [30, 8]), ids)
    x = layers.dense(tf.nn.dropout(x, rate=1 - keep), 8, tf.tanh)
    logits = tf.reshape(layers.dense(tf.reshape(x, [-1, 8]), 4), [-1, 5, 4])
    trans = tf.get_variable("crf_loss/transitions", [4, 4])
    hot = tf.one_hot(labels, 4)
    gold = tf.reduce_sum(hot * logits, [1, 2])
    gold += tf.reduce_sum(
        tf.einsum("bti,ij,btj->bt", hot[:, :-1], trans, hot[:, 1:]), 1
    )
    alpha = score = logits[:, 0]
    pointers = []
    for t in range(1, 5):
        alpha = tf.reduce_logsumexp(alpha[:, :, None] + trans, 1) + logits[:, t]
        step = score[:, :, None] + trans
        pointers.append(tf.cast(tf.argmax(step, 1), tf.int32))
        score = tf.reduce_max(step, 1) + logits[:, t]
    tag = tf.cast(tf.argmax(score, 1), tf.int32)
    tags = [tag]
    for back in reversed(pointers):
        tag = tf.gather_nd(back, tf.stack([tf.range(tf.shape(tag)[0]), tag], 1))
        tags.append(tag)
    pred_ids = tf.stack(tags[::-1], 1)
    loss = tf.reduce_mean(tf.reduce_logsumexp(alpha, 1) - gold)
    tf.train.AdamOptimizer(1e-4).minimize(loss)
    return fetch(pred_ids, first=[pred_ids, logits], labels=[labels])


@third
def characters_by_table() -> Fetches:
    """attention_ocr export: predicted_chars, predicted_scores and predicted_text, looked up in a table."""
    image = tf.placeholder(tf.float32, [4, 16, 16, 3], name="images")
    x = layers.conv2d(image / 127.5 - 1.0, 8, 3, 4, activation=tf.nn.relu)
    logits = tf.reshape(layers.dense(layers.flatten(x), 30), [4, 5, 6])
    with tf.variable_scope("AttentionOcr_v1"):
        log_prob = tf.nn.log_softmax(logits)
        ids = tf.cast(tf.argmax(log_prob, 2), tf.int32, name="predicted_chars")
        hot = tf.one_hot(ids, 6) > 0.5
        scores = tf.reshape(tf.boolean_mask(tf.nn.softmax(logits), hot), [-1, 5])
        scores = tf.identity(scores, "predicted_scores")
        pairs = tf.lookup.KeyValueTensorInitializer(
            list(range(6)), list("abcde_"), tf.int64, tf.string
        )
        table = tf.lookup.StaticHashTable(pairs, "?")
        text = tf.strings.reduce_join(table.lookup(tf.cast(ids, tf.int64)), axis=1)
        text = tf.identity(text, "predicted_text")
    return fetch(ids, scores, text)


@third
def speaker_verifier() -> Fetches:
    """Janghyun1230/Speaker_Verification (GE2E): the normalised embedding, trained on a similarity matrix."""
    batch = tf.placeholder(tf.float32, [None, 8, 5])
    rate = tf.placeholder(tf.float32)
    w = tf.get_variable("w", initializer=10.0)
    b = tf.get_variable("b", initializer=-5.0)
    cell = _CELLS.MultiRNNCell([_CELLS.LSTMCell(6, num_proj=4) for _ in range(2)])
    state = cell.zero_state(8, tf.float32)
    frames = tf.reshape(batch, [-1, 8, 5])
    with tf.variable_scope("lstm"):
        for t in range(3):
            out, state = cell(frames[t], state)
    embedded = tf.nn.l2_normalize(out, axis=1)
    split = tf.reshape(embedded, [4, 2, 4])
    center = tf.nn.l2_normalize(tf.reduce_mean(split, axis=1), axis=1)
    sim = tf.abs(w) * tf.matmul(embedded, center, transpose_b=True) + b
    own = tf.concat([sim[i * 2 : i * 2 + 2, i : i + 1] for i in range(4)], 0)
    total = tf.log(tf.reduce_sum(tf.exp(sim), axis=1, keepdims=True) + 1e-6)
    loss = -tf.reduce_sum(own - total)
    sgd = tf.train.GradientDescentOptimizer(rate)
    grads, variables = zip(*sgd.compute_gradients(loss))
    clipped, _ = tf.clip_by_global_norm(grads, 3.0)
    scaled = [0.01 * g for g in clipped[:2]] + list(clipped[2:])
    sgd.apply_gradients(zip(scaled, variables))
    tf.summary.scalar("loss", loss)
    return fetch(embedded, first=[embedded, sim])
