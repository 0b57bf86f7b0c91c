"""A fourth set of twenty styles, written after the third was mended, and measured once before any answer was seen."""

from __future__ import annotations

import importlib

from .zoo import Fetches, fetch, fourth, layers
from .zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


def _entropy(logits, labels):
    return tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=labels)


@fourth
def cifar_by_queue_and_averages() -> Fetches:
    """tensorflow/models tutorials cifar10: logits; a weight decay, averages of losses and of all variables."""
    x = tf.placeholder(tf.float32, [8, 12, 12, 3])
    y = tf.placeholder(tf.int32, [8])
    h = x
    for n in (8, 8):
        h = tf.nn.lrn(layers.conv2d(h, n, 3, activation=tf.nn.relu), 4)
    h = layers.dense(tf.reshape(h, [8, -1]), 12, tf.nn.relu)
    w = tf.get_variable("softmax_linear/weights", [12, 10])
    b = tf.get_variable("softmax_linear/biases", [10])
    logits = tf.add(tf.matmul(h, w), b, name="softmax_linear/softmax_linear")
    tf.summary.histogram("softmax_linear/activations", logits)
    tf.summary.scalar("sparsity", tf.nn.zero_fraction(logits))
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    mean = tf.reduce_mean(ce, name="cross_entropy")
    total = tf.add_n([mean, tf.multiply(tf.nn.l2_loss(w), 0.004)], name="total_loss")
    averages = tf.train.ExponentialMovingAverage(0.9, name="avg").apply([mean, total])
    step = tf.train.get_or_create_global_step()
    with tf.control_dependencies([averages]):
        sgd = tf.train.GradientDescentOptimizer(0.1)
        grads = sgd.compute_gradients(total)
    with tf.control_dependencies([sgd.apply_gradients(grads, global_step=step)]):
        tf.train.ExponentialMovingAverage(0.99, step).apply(tf.trainable_variables())
    return fetch(logits, labels=[y])


@fourth
def matting_alpha() -> Fetches:
    """Deep image matting: pred_mattes, trained on alpha and on the composition."""
    image = tf.placeholder(tf.float32, [2, 16, 16, 3])
    trimap = tf.placeholder(tf.float32, [2, 16, 16, 1])
    alpha, back, fore, raw = (
        tf.placeholder(tf.float32, [2, 16, 16, n]) for n in (1, 3, 3, 3)
    )
    h = tf.concat([image, trimap], 3)
    for n in (8, 8):
        h = layers.conv2d(h, n, 3, padding="same", activation=tf.nn.relu)
    mattes = layers.conv2d(h, 1, 5, padding="same", activation=tf.nn.sigmoid)
    weight = tf.where(
        tf.equal(trimap, 128), tf.ones_like(trimap), tf.zeros_like(trimap)
    )
    a_loss = tf.sqrt(tf.square(mattes - alpha) + 1e-12)
    composed = mattes * fore + (1.0 - mattes) * back
    c_loss = tf.sqrt(tf.square(composed - raw) + 1e-12) / 255.0
    loss = tf.reduce_sum(a_loss * weight) + tf.reduce_sum(c_loss * weight)
    _adam(1e-5).minimize(loss)
    return fetch(mattes, labels=[alpha, raw])


@fourth
def centres_and_sizes() -> Fetches:
    """xingyizhou/CenterNet ports: heat map, sizes and offsets; decoded outside."""
    x = tf.placeholder(tf.float32, [None, 32, 32, 3], "inputs")
    hm = tf.placeholder(tf.float32, [None, 8, 8, 3])
    wh, off = (tf.placeholder(tf.float32, [None, 8, 8, 2]) for _ in range(2))
    mask = tf.placeholder(tf.float32, [None, 8, 8, 1])
    training = tf.placeholder(tf.bool, name="is_training")
    h = layers.conv2d(x, 8, 3, 4, padding="same")
    h = tf.nn.relu(layers.batch_normalization(h, training=training))
    heads = []
    for n, name in ((3, "hm"), (2, "wh"), (2, "reg")):
        v = layers.conv2d(h, 8, 3, padding="same", activation=tf.nn.relu)
        heads.append(layers.conv2d(v, n, 1, name=name))
    heat = tf.nn.sigmoid(heads[0], name="heat")
    pos = tf.cast(tf.equal(hm, 1.0), tf.float32)
    p = tf.clip_by_value(heat, 1e-4, 1.0 - 1e-4)
    focal = tf.log(p) * tf.pow(1 - p, 2) * pos
    focal += tf.log(1 - p) * tf.pow(p, 2) * tf.pow(1 - hm, 4) * (1 - pos)
    n = tf.maximum(tf.reduce_sum(pos), 1.0)
    loss = -tf.reduce_sum(focal) / n
    loss += 0.1 * tf.reduce_sum(tf.abs(wh * mask - heads[1] * mask)) / n
    loss += tf.reduce_sum(tf.abs(off * mask - heads[2] * mask)) / n
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        _adam(1e-3).minimize(loss)
    return fetch(heat, heads[1], heads[2], labels=[hm, wh, off, mask])


@fourth
def cyclic_translation() -> Fetches:
    """vanhuyz/CycleGAN: fake_y and fake_x; pooled fakes are fed."""
    x, y = (tf.placeholder(tf.float32, [1, 8, 8, 3], n) for n in ("real_x", "real_y"))
    pools = [tf.placeholder(tf.float32, [1, 8, 8, 3], f"fake_{n}_pool") for n in "xy"]

    def make(v, scope):
        with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
            h = layers.conv2d(v, 8, 3, padding="same", name="c")
            m, s = tf.nn.moments(h, [1, 2], keepdims=True)
            h = tf.nn.relu((h - m) / tf.sqrt(s + 1e-5))
            return tf.tanh(layers.conv2d(h, 3, 3, padding="same", name="o"))

    def judge(v, scope):
        with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
            h = tf.nn.leaky_relu(layers.conv2d(v, 8, 3, 2, name="c"))
            return layers.conv2d(h, 1, 3, name="o")

    fake_y, fake_x = make(x, "G"), make(y, "F")
    cycle = tf.reduce_mean(tf.abs(make(fake_y, "F") - x))
    cycle += tf.reduce_mean(tf.abs(make(fake_x, "G") - y))
    groups = {s: [] for s in ("G", "F", "D_X", "D_Y")}
    losses = {
        "G": tf.reduce_mean(tf.squared_difference(judge(fake_y, "D_Y"), 0.9)) + cycle,
        "F": tf.reduce_mean(tf.squared_difference(judge(fake_x, "D_X"), 0.9)) + cycle,
        "D_Y": tf.reduce_mean(tf.squared_difference(judge(y, "D_Y"), 0.9))
        + tf.reduce_mean(tf.square(judge(pools[1], "D_Y"))),
        "D_X": tf.reduce_mean(tf.squared_difference(judge(x, "D_X"), 0.9))
        + tf.reduce_mean(tf.square(judge(pools[0], "D_X"))),
    }
    for scope in groups:
        own = [v for v in tf.trainable_variables() if v.name.startswith(scope + "/")]
        _adam(2e-4, beta1=0.5).minimize(losses[scope], var_list=own)
    tf.summary.image("X/generated", tf.cast((fake_y + 1) * 127.5, tf.uint8))
    return fetch(fake_y, fake_x)


@fourth
def conditional_variational() -> Fetches:
    """A conditional VAE: the reconstruction, or the picture of a drawn code."""
    x = tf.placeholder(tf.float32, [None, 20])
    y = tf.placeholder(tf.float32, [None, 4])
    h = layers.dense(tf.concat([x, y], 1), 12, tf.nn.elu)
    mu, sigma = layers.dense(h, 3), 1e-6 + tf.nn.softplus(layers.dense(h, 3))
    z = mu + sigma * tf.random_normal(tf.shape(mu), 0, 1, dtype=tf.float32)
    h = layers.dense(tf.concat([z, y], 1), 12, tf.nn.tanh)
    out = tf.clip_by_value(layers.dense(h, 20, tf.sigmoid), 1e-8, 1 - 1e-8)
    like = tf.reduce_sum(x * tf.log(out) + (1 - x) * tf.log(1 - out), 1)
    kl = 0.5 * tf.reduce_sum(
        tf.square(mu) + tf.square(sigma) - tf.log(1e-8 + tf.square(sigma)) - 1, 1
    )
    elbo = tf.reduce_mean(like) - tf.reduce_mean(kl)
    _adam(1e-3).minimize(-elbo)
    return fetch(out, first=[out, out.op.inputs[0], out.op.inputs[0].op.inputs[0]])


@fourth
def double_q_with_noisy_layers() -> Fetches:
    """A noisy dueling network: the action is the argmax of q_eval."""
    s = tf.placeholder(tf.float32, [None, 6], "s")
    s_ = tf.placeholder(tf.float32, [None, 6], "s_")
    target = tf.placeholder(tf.float32, [None, 3], "Q_target")

    def net(v, scope):
        with tf.variable_scope(scope):
            w, u = tf.get_variable("w", [6, 10]), tf.get_variable("sw", [6, 10])
            h = tf.nn.relu(tf.matmul(v, w + u * tf.random_normal([6, 10])))
            value, advantage = layers.dense(h, 1), layers.dense(h, 3)
            mean = tf.reduce_mean(advantage, axis=1, keepdims=True)
            return value + (advantage - mean)

    q_eval = net(s, "eval_net")
    q_next = net(s_, "target_net")
    tf.train.RMSPropOptimizer(1e-3).minimize(
        tf.reduce_mean(tf.squared_difference(target, q_eval))
    )
    t = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, "target_net")
    e = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, "eval_net")
    for a, b in zip(t, e):
        tf.assign(a, b)
    del q_next
    return fetch(q_eval, labels=[target])


@fourth
def impala_by_time() -> Fetches:
    """scalable_agent: action, policy logits and baseline of unrolled frames; the action is drawn."""
    frames = tf.placeholder(tf.float32, [5, 2, 10], "frames")
    rewards = tf.placeholder(tf.float32, [5, 2], "rewards")
    taken = tf.placeholder(tf.int32, [5, 2], "actions")
    vs, adv = (tf.placeholder(tf.float32, [5, 2]) for _ in range(2))
    torso = layers.dense(tf.reshape(frames, [10, 10]), 8, tf.nn.relu)
    torso = tf.concat([torso, tf.reshape(tf.clip_by_value(rewards, -1, 1), [10, 1])], 1)
    core = tf.reshape(torso, [5, 2, 9])
    cell = _CELLS.LSTMCell(6, name="core")
    state, outs = cell.zero_state(2, tf.float32), []
    for t in range(5):
        out, state = cell(core[t], state)
        outs.append(out)
    flat = tf.reshape(tf.stack(outs), [10, 6])
    logits = layers.dense(flat, 4, name="policy_logits")
    baseline = tf.reshape(layers.dense(flat, 1, name="baseline"), [5, 2])
    action = tf.reshape(tf.multinomial(logits, 1, output_dtype=tf.int32), [5, 2])
    by_time = tf.reshape(logits, [5, 2, 4])
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=by_time, labels=taken)
    loss = tf.reduce_sum(ce * tf.stop_gradient(adv))
    loss += 0.5 * 0.5 * tf.reduce_sum(tf.square(vs - baseline))
    p = tf.nn.softmax(by_time)
    loss += -0.01 * tf.reduce_sum(
        -tf.reduce_sum(p * tf.nn.log_softmax(by_time), -1) * -1
    )
    tf.train.RMSPropOptimizer(6e-4, 0.99, 0.0, 0.1).minimize(loss)
    return fetch(
        action,
        baseline,
        first=[action, logits, by_time, p, baseline],
        labels=[taken, vs, adv],
    )


@fourth
def summariser_with_pointers() -> Fetches:
    """abisee/pointer-generator, one step of decoding: final distributions over the extended vocabulary."""
    enc = tf.placeholder(tf.int32, [2, 6], "enc_batch")
    ext = tf.placeholder(tf.int32, [2, 6], "enc_batch_extend_vocab")
    dec = tf.placeholder(tf.int32, [2, 1], "dec_batch")
    goal = tf.placeholder(tf.int32, [2, 1], "target_batch")
    table = tf.get_variable("embedding", [20, 8])
    states = layers.dense(tf.nn.embedding_lookup(table, enc), 8, tf.tanh)
    query = layers.dense(tf.nn.embedding_lookup(table, dec[:, 0]), 8)
    attn = tf.nn.softmax(tf.reduce_sum(tf.tanh(states + query[:, None]), 2))
    context = tf.reduce_sum(attn[..., None] * states, 1)
    p_gen = layers.dense(tf.concat([context, query], 1), 1, tf.sigmoid)
    vocab = tf.nn.softmax(layers.dense(tf.concat([context, query], 1), 20))
    extra = tf.concat([p_gen * vocab, tf.zeros([2, 4])], 1)
    rows = tf.tile(tf.expand_dims(tf.range(2), 1), [1, 6])
    where = tf.stack([rows, ext], 2)
    final = extra + tf.scatter_nd(where, (1 - p_gen) * attn, [2, 24])
    gold = tf.gather_nd(final, tf.stack([tf.range(2), goal[:, 0]], 1))
    loss = tf.reduce_mean(-tf.log(gold + 1e-10))
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 2.0)
    tf.train.AdagradOptimizer(0.15, 0.1).apply_gradients(zip(grads, variables))
    return fetch(final, labels=[goal])


@fourth
def sentences_by_two_directions() -> Fetches:
    """ESIM: probabilities of entailment, of a premise and a hypothesis."""
    p, h = (tf.placeholder(tf.int32, [None, 5], n) for n in ("premise", "hypothesis"))
    y = tf.placeholder(tf.int32, [None], "y")
    keep = tf.placeholder(tf.float32, name="dropout_keep_prob")
    table = tf.get_variable("emb", [30, 8])
    a, b = (tf.nn.dropout(tf.nn.embedding_lookup(table, v), keep) for v in (p, h))
    e = tf.matmul(a, b, transpose_b=True)
    a2 = tf.matmul(tf.nn.softmax(e), b)
    b2 = tf.matmul(tf.nn.softmax(tf.transpose(e, [0, 2, 1])), a)
    parts = []
    for u, v in ((a, a2), (b, b2)):
        m = layers.dense(tf.concat([u, v, u - v, u * v], 2), 8, tf.nn.relu)
        parts += [tf.reduce_mean(m, 1), tf.reduce_max(m, 1)]
    f = layers.dense(tf.nn.dropout(tf.concat(parts, 1), keep), 8, tf.tanh)
    logits = layers.dense(f, 3)
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    _adam(4e-4).minimize(tf.reduce_mean(ce))
    return fetch(logits, labels=[y])


@fourth
def listener_of_commands() -> Fetches:
    """tensorflow/examples speech_commands freeze: labels_softmax, from a WAV file's bytes."""
    wav = tf.placeholder(tf.string, [], name="wav_data")
    decoded = tf.audio.decode_wav(
        wav, desired_channels=1, desired_samples=1600, name="decoded_sample_data"
    )
    spectrogram = tf.raw_ops.AudioSpectrogram(
        input=decoded.audio, window_size=160, stride=80, magnitude_squared=True
    )
    mfcc = tf.raw_ops.Mfcc(
        spectrogram=spectrogram,
        sample_rate=decoded.sample_rate,
        dct_coefficient_count=8,
    )
    h = tf.reshape(mfcc, [-1, 19 * 8])
    h = layers.conv2d(tf.reshape(h, [-1, 19, 8, 1]), 4, 3, activation=tf.nn.relu)
    logits = layers.dense(tf.reshape(h, [-1, 17 * 6 * 4]), 5)
    return fetch(tf.nn.softmax(logits, name="labels_softmax"), frozen=True)


@fourth
def acoustic_model() -> Fetches:
    """A CTC recogniser in training: decoded beams beside the loss and the label error."""
    x = tf.placeholder(tf.float32, [None, None, 6])
    targets = tf.sparse_placeholder(tf.int32)
    lengths = tf.placeholder(tf.int32, [None])
    h = layers.dense(x, 8, tf.nn.relu)
    h = layers.conv1d(h, 8, 3, padding="same", activation=tf.nn.relu)
    w = tf.get_variable("w", [8, 7])
    b = tf.get_variable("b", [7])
    logits = tf.matmul(tf.reshape(h, [-1, 8]), w) + b
    logits = tf.reshape(logits, [tf.shape(x)[0], -1, 7])
    logits = tf.transpose(logits, (1, 0, 2))
    cost = tf.reduce_mean(tf.nn.ctc_loss(targets, logits, lengths))
    tf.train.MomentumOptimizer(1e-2, 0.9).minimize(cost)
    decoded, _ = tf.nn.ctc_greedy_decoder(logits, lengths)
    distance = tf.edit_distance(tf.cast(decoded[0], tf.int32), targets)
    tf.reduce_mean(distance)
    d = decoded[0]
    return fetch(
        d.indices, d.values, d.dense_shape, first=[d.indices, d.values, logits]
    )


@fourth
def heat_equation() -> Fetches:
    """A PINN with a source: u_pred and f_pred are fetched."""
    x, t, u, xf, tf_ = (
        tf.placeholder(tf.float32, [None, 1], n) for n in ("x", "t", "u", "x_f", "t_f")
    )
    sizes = [2, 10, 10, 1]
    ws = [tf.Variable(tf.random_normal(s)) for s in zip(sizes, sizes[1:])]
    bs = [tf.Variable(tf.zeros([1, n])) for n in sizes[1:]]

    def net(a, b):
        h = tf.concat([a, b], 1)
        for w, c in list(zip(ws, bs))[:-1]:
            h = tf.tanh(tf.add(tf.matmul(h, w), c))
        return tf.add(tf.matmul(h, ws[-1]), bs[-1])

    u_pred, v = net(x, t), net(xf, tf_)
    v_t, v_x = tf.gradients(v, tf_)[0], tf.gradients(v, xf)[0]
    f_pred = v_t - 0.1 * tf.gradients(v_x, xf)[0] - tf.sin(xf)
    loss = tf.reduce_mean(tf.square(u - u_pred)) + tf.reduce_mean(tf.square(f_pred))
    _adam().minimize(loss)
    return fetch(u_pred, f_pred, first=[u_pred], labels=[u])


@fourth
def molecules_by_messages() -> Fetches:
    """SchNet-like: energy and forces, both trained on."""
    r = tf.placeholder(tf.float32, [None, 4, 3], "R")
    z = tf.placeholder(tf.int32, [None, 4], "Z")
    e, f = tf.placeholder(tf.float32, [None, 1], "E"), tf.placeholder(
        tf.float32, [None, 4, 3], "F"
    )
    h = tf.nn.embedding_lookup(tf.get_variable("emb", [10, 8]), z)
    d = tf.sqrt(tf.reduce_sum(tf.square(r[:, :, None] - r[:, None]), -1) + 1e-6)
    rbf = tf.exp(-10.0 * tf.square(d[..., None] - tf.linspace(0.0, 3.0, 6)))
    for _ in range(2):
        w = layers.dense(layers.dense(rbf, 8, tf.nn.softplus), 8)
        h = h + layers.dense(tf.reduce_sum(w * h[:, None], 2), 8, tf.nn.softplus)
    energy = tf.reduce_sum(layers.dense(h, 1), 1, name="energy")
    forces = -tf.gradients(energy, r)[0]
    loss = 0.01 * tf.reduce_mean(tf.square(energy - e)) + tf.reduce_mean(
        tf.square(f - forces)
    )
    _adam(1e-3).minimize(loss)
    return fetch(energy, forces, labels=[e, f])


@fourth
def wide_and_deep_by_columns() -> Fetches:
    """A click model with sparse fields: the probability."""
    ids = tf.placeholder(tf.int64, [None, 4], "feat_ids")
    vals = tf.placeholder(tf.float32, [None, 4], "feat_vals")
    y = tf.placeholder(tf.float32, [None], "label")
    table = tf.get_variable("fm_v", [50, 4])
    wide = tf.get_variable("fm_w", [50])
    bias = tf.get_variable("fm_bias", [1], initializer=tf.constant_initializer(0.0))
    y_w = tf.reduce_sum(tf.nn.embedding_lookup(wide, ids) * vals, 1)
    e = tf.nn.embedding_lookup(table, ids) * vals[..., None]
    y_v = 0.5 * tf.reduce_sum(
        tf.square(tf.reduce_sum(e, 1)) - tf.reduce_sum(tf.square(e), 1), 1
    )
    y_d = tf.reshape(layers.dense(layers.dense(tf.reshape(e, [-1, 16]), 8), 1), [-1])
    logit = bias * tf.ones_like(y_d, dtype=tf.float32) + y_w + y_v + y_d
    pred = tf.sigmoid(logit)
    loss = tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(logits=logit, labels=y)
    )
    loss += 1e-4 * tf.nn.l2_loss(wide) + 1e-4 * tf.nn.l2_loss(table)
    tf.metrics.auc(y, pred)
    tf.train.AdagradOptimizer(0.05).minimize(loss)
    return fetch(pred, labels=[y])


@fourth
def sessions_by_sampled_scores() -> Fetches:
    """GRU4Rec: yhat over all items in use, over the batch's in training; the state goes round."""
    x, y = (tf.placeholder(tf.int32, [3], n) for n in ("input", "output"))
    state = tf.placeholder(tf.float32, [3, 8], "rnn_state")
    table = tf.get_variable("gru_layer/embedding", [20, 8])
    w = tf.get_variable("gru_layer/softmax_w", [20, 8])
    b = tf.get_variable("gru_layer/softmax_b", [20])
    cell = _CELLS.GRUCell(8)
    out, final = cell(tf.nn.embedding_lookup(table, x), state)
    sampled = tf.matmul(out, tf.nn.embedding_lookup(w, y), transpose_b=True)
    sampled = tf.nn.softmax(sampled + tf.nn.embedding_lookup(b, y))
    cost = tf.reduce_mean(-tf.log(tf.linalg.diag_part(sampled) + 1e-24))
    yhat = tf.nn.softmax(tf.matmul(out, w, transpose_b=True) + b)
    _adam(1e-2).minimize(cost)
    return fetch(yhat, final, first=[yhat], labels=[y])


@fourth
def triplets_mined_in_the_batch() -> Fetches:
    """omoindrot/tensorflow-triplet-loss: embeddings."""
    x = tf.placeholder(tf.float32, [None, 8, 8, 1])
    y = tf.placeholder(tf.int64, [None])
    h = layers.conv2d(x, 8, 3, activation=tf.nn.relu, padding="same")
    h = layers.max_pooling2d(layers.batch_normalization(h, training=True), 2, 2)
    e = layers.dense(tf.reshape(h, [-1, 128]), 8, name="fc_1")
    tf.reduce_mean(tf.norm(e, axis=1), name="embedding_mean_norm")
    dots = tf.matmul(e, tf.transpose(e))
    norm = tf.linalg.diag_part(dots)
    far = tf.maximum(norm[None] - 2.0 * dots + norm[:, None], 0.0)
    zero = tf.cast(tf.equal(far, 0.0), tf.float32)
    far = (1.0 - zero) * tf.sqrt(far + zero * 1e-16)
    same = tf.cast(tf.equal(y[None], y[:, None]), tf.float32)
    hardest = tf.reduce_max(same * far, 1, keepdims=True)
    most = tf.reduce_max(far, 1, keepdims=True)
    closest = tf.reduce_min(far + most * same, 1, keepdims=True)
    loss = tf.reduce_mean(tf.maximum(hardest - closest + 0.5, 0.0))
    _adam(1e-3).minimize(loss)
    return fetch(e, labels=[y])


@fourth
def graph_of_nodes() -> Fetches:
    """kipf/gae: reconstructions of the adjacency, of latent codes."""
    x = tf.placeholder(tf.float32, [9, 6])
    a = tf.placeholder(tf.float32, [9, 9])
    goal = tf.placeholder(tf.float32, [9, 9])
    drop = tf.placeholder_with_default(0.0, shape=())
    h = tf.nn.relu(tf.matmul(a, tf.matmul(x, tf.get_variable("w1", [6, 8]))))
    h = tf.nn.dropout(h, rate=drop)
    z = tf.matmul(a, tf.matmul(h, tf.get_variable("w2", [8, 4])), name="z_mean")
    recon = tf.reshape(tf.matmul(z, tf.transpose(z)), [-1])
    labels = tf.reshape(goal, [-1])
    cost = 1.2 * tf.reduce_mean(
        tf.nn.weighted_cross_entropy_with_logits(
            logits=recon, labels=labels, pos_weight=3.0
        )
    )
    adam = _adam(1e-2)
    adam.apply_gradients(adam.compute_gradients(cost))
    hit = tf.equal(
        tf.cast(tf.greater_equal(tf.sigmoid(recon), 0.5), tf.int32),
        tf.cast(labels, tf.int32),
    )
    tf.reduce_mean(tf.cast(hit, tf.float32))
    return fetch(z, first=[z, recon], labels=[goal])


@fourth
def several_answers_of_an_estimator() -> Fetches:
    """A model_fn with a dictionary of predictions, frozen: classes, probabilities and an embedding."""
    x = tf.placeholder(tf.float32, [None, 10], "features")
    h = layers.dense(x, 12, tf.nn.relu)
    code = tf.identity(layers.dense(h, 6, tf.nn.relu), "embedding")
    logits = layers.dense(code, 4)
    out = [
        tf.argmax(logits, 1, name="classes"),
        tf.nn.softmax(logits, name="probabilities"),
        code,
    ]
    return fetch(*out, first=out[:2], frozen=True)


@fourth
def driving_by_branches() -> Fetches:
    """Conditional imitation learning: one branch of controls for each command, and a speed."""
    image = tf.placeholder(tf.float32, [None, 8, 8, 3], "input_image")
    speed = tf.placeholder(tf.float32, [None, 1], "input_speed")
    control = tf.placeholder(tf.float32, [None, 4, 3], "input_control")
    mask = tf.placeholder(tf.float32, [None, 4, 3], "mask")
    drops = tf.placeholder(tf.float32, [2], "dropout")
    h = layers.dense(layers.flatten(layers.conv2d(image, 4, 3, 2)), 12, tf.nn.relu)
    h = tf.nn.dropout(h, drops[0])
    j = tf.concat([h, layers.dense(speed, 6, tf.nn.relu)], 1)
    branches = [
        layers.dense(tf.nn.dropout(layers.dense(j, 8, tf.nn.relu), drops[1]), 3)
        for _ in range(4)
    ]
    seen = layers.dense(layers.dense(h, 8, tf.nn.relu), 1)
    error = tf.square(tf.stack(branches, 1) - control) * mask
    loss = 0.95 * tf.reduce_mean(error) + 0.05 * tf.reduce_mean(tf.square(seen - speed))
    _adam(2e-4, 0.7, 0.85).minimize(loss)
    return fetch(*branches, seen, first=[*branches], labels=[control, mask])


@fourth
def flows_of_density() -> Fetches:
    """RealNVP: the sample that its inverse gives; the density is trained."""
    x = tf.placeholder(tf.float32, [None, 4], "x")
    z = tf.placeholder(tf.float32, [None, 4], "z")

    def coupling(v, i):
        with tf.variable_scope(f"c{i}", reuse=tf.AUTO_REUSE):
            h = layers.dense(v, 8, tf.nn.relu, name="h")
            return layers.dense(h, 2, tf.tanh, name="s"), layers.dense(h, 2, name="t")

    a, b = x[:, :2], x[:, 2:]
    det = 0.0
    for i in range(2):
        s, t = coupling(a, i)
        a, b, det = b * tf.exp(s) + t, a, det + tf.reduce_sum(s, 1)
    code = tf.concat([a, b], 1, name="code")
    logp = -0.5 * tf.reduce_sum(code**2, 1) + det
    _adam(1e-3).minimize(-tf.reduce_mean(logp))
    a, b = z[:, :2], z[:, 2:]
    for i in (1, 0):
        s, t = coupling(b, i)
        a, b = b, (a - t) * tf.exp(-s)
    sample = tf.concat([a, b], 1, name="sample")
    return fetch(sample, first=[sample, code])
