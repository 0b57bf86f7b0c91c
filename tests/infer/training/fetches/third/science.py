"""Physics, recommenders, metric learning, autoencoders, graphs, estimators, Keras in TensorFlow 1."""

from __future__ import annotations

import math

import tf_keras

from ..zoo import Fetches, fetch, layers, third
from ..zoo import v1 as tf


@third
def flow_from_a_stream_function() -> Fetches:
    """maziarraissi/PINNs NavierStokes: u and v are derivatives of psi; u_pred, v_pred, p_pred are fetched."""
    x, y, t, u, v = (
        tf.placeholder(tf.float32, [None, 1], name=f"{n}_tf") for n in "xytuv"
    )
    lambda_1 = tf.Variable([0.0], dtype=tf.float32)
    lambda_2 = tf.Variable([0.0], dtype=tf.float32)
    h = 2.0 * (tf.concat([x, y, t], 1) + 1.0) / 3.0 - 1.0
    sizes = [3, 12, 12, 2]
    for i, (n, m) in enumerate(zip(sizes, sizes[1:])):
        std = math.sqrt(2 / (n + m))
        w = tf.Variable(tf.truncated_normal([n, m], stddev=std))
        h = tf.add(tf.matmul(h, w), tf.Variable(tf.zeros([1, m])))
        h = tf.tanh(h) if i < 2 else h
    psi, p = h[:, 0:1], h[:, 1:2]
    u_pred = tf.gradients(psi, y)[0]
    v_pred = -tf.gradients(psi, x)[0]
    u_t, u_x, u_y = tf.gradients(u_pred, [t, x, y])
    u_xx, u_yy = tf.gradients(u_x, x)[0], tf.gradients(u_y, y)[0]
    p_x = tf.gradients(p, x)[0]
    f_u = u_t + lambda_1 * (u_pred * u_x + v_pred * u_y) + p_x
    f_u = f_u - lambda_2 * (u_xx + u_yy)
    loss = tf.reduce_sum(tf.square(u - u_pred)) + tf.reduce_sum(tf.square(v - v_pred))
    loss += tf.reduce_sum(tf.square(f_u))
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(u_pred, v_pred, p, labels=[u, v])


@third
def potential_with_virial() -> Fetches:
    """deepmd-kit, frozen: o_energy, o_force, o_virial and o_atom_energy."""
    coord = tf.placeholder(tf.float32, [None, None], name="t_coord")
    box = tf.placeholder(tf.float32, [None, 9], name="t_box")
    atoms = tf.reshape(coord, [-1, 4, 3])
    r = atoms[:, :, None] - atoms[:, None]
    r = r + tf.reshape(box, [-1, 1, 3, 3])[:, :, :1] * 0.01
    s = 1.0 / (tf.reduce_sum(r * r, -1) + 1.0)
    d = tf.reshape(s, [-1, 4])
    for n in (8, 8):
        d = layers.dense(d, n, tf.tanh)
    atom = tf.reshape(layers.dense(d, 1), [-1, 4])
    atom_energy = tf.identity(atom, name="o_atom_energy")
    energy = tf.reduce_sum(atom, axis=1, name="o_energy")
    slope = tf.gradients(energy, coord)[0]
    force = tf.negative(slope, name="o_force")
    pairs = -tf.gradients(energy, r)[0]
    virial = tf.einsum("bijk,bijl->bkl", pairs, r)
    virial = tf.reshape(virial, [-1, 9], name="o_virial")
    outputs = [energy, force, virial, atom_energy]
    return fetch(*outputs, first=[energy, force, atom_energy], frozen=True)


@third
def potential_in_training() -> Fetches:
    """deepmd-kit trainer: energies, forces, prefactors that change with the rate; a label for each."""
    coord = tf.placeholder(tf.float64, [None, 12], name="t_coord")
    e_hat = tf.placeholder(tf.float64, [None], name="t_energy")
    f_hat = tf.placeholder(tf.float64, [None, 12], name="t_force")
    find_e = tf.placeholder(tf.float64, [], name="t_find_energy")
    find_f = tf.placeholder(tf.float64, [], name="t_find_force")
    atoms = tf.reshape(coord, [-1, 4, 3])
    r = atoms[:, :, None] - atoms[:, None]
    d = tf.reshape(1.0 / (tf.reduce_sum(r * r, -1) + 1.0), [-1, 4])
    for i in range(2):
        w = tf.get_variable(f"layer_{i}/matrix", [int(d.shape[1]), 8], tf.float64)
        b = tf.get_variable(f"layer_{i}/bias", [8], tf.float64)
        d = tf.tanh(tf.matmul(d, w) + b)
    w = tf.get_variable("final/matrix", [8, 1], tf.float64)
    energy = tf.reduce_sum(tf.reshape(tf.matmul(d, w), [-1, 4]), 1, name="o_energy")
    force = tf.negative(tf.gradients(energy, coord)[0], name="o_force")
    step = tf.train.get_or_create_global_step()
    rate = tf.cast(tf.train.exponential_decay(1e-3, step, 100, 0.95), tf.float64)
    e_loss = tf.reduce_mean(tf.square(energy - e_hat))
    f_loss = tf.reduce_mean(tf.square(tf.reshape(force - f_hat, [-1])))
    pref_e = find_e * (1.0 + (0.02 - 1.0) * rate / 1e-3)
    pref_f = find_f * (1.0 + (1000.0 - 1.0) * rate / 1e-3)
    loss = pref_e * e_loss / 4.0 + pref_f * f_loss
    adam = tf.train.AdamOptimizer(rate)
    adam.apply_gradients(
        zip(tf.gradients(loss, tf.trainable_variables()), tf.trainable_variables()),
        global_step=step,
    )
    tf.summary.scalar("l2_ener_loss", tf.sqrt(e_loss))
    return fetch(energy, force, labels=[e_hat, f_hat, find_e, find_f])


@third
def deep_factorisation_machine() -> Fetches:
    """ChenglongChen/tensorflow-DeepFM: out."""
    index = tf.placeholder(tf.int32, [None, None], name="feat_index")
    value = tf.placeholder(tf.float32, [None, None], name="feat_value")
    label = tf.placeholder(tf.float32, [None, 1], name="label")
    keep_fm = tf.placeholder(tf.float32, [None], name="dropout_keep_fm")
    keep_deep = tf.placeholder(tf.float32, [None], name="dropout_keep_deep")
    phase = tf.placeholder(tf.bool, name="train_phase")
    table = tf.Variable(tf.random_normal([30, 4], 0.0, 0.01), name="feature_embeddings")
    biases = tf.Variable(tf.random_uniform([30, 1], 0.0, 1.0), name="feature_bias")
    v = tf.reshape(value, [-1, 5, 1])
    e = tf.multiply(tf.nn.embedding_lookup(table, index), v)
    first = tf.reduce_sum(tf.multiply(tf.nn.embedding_lookup(biases, index), v), 2)
    first = tf.nn.dropout(first, keep_prob=keep_fm[0])
    square = tf.square(tf.reduce_sum(e, 1))
    second = 0.5 * tf.subtract(square, tf.reduce_sum(tf.square(e), 1))
    second = tf.nn.dropout(second, keep_prob=keep_fm[1])
    deep = tf.nn.dropout(tf.reshape(e, [-1, 20]), keep_prob=keep_deep[0])
    w = tf.Variable(tf.random_normal([20, 8]))
    deep = tf.add(tf.matmul(deep, w), tf.Variable(tf.zeros([1, 8])))
    mean, var = tf.nn.moments(deep, [0])
    means, variances = (tf.Variable(tf.ones([8]), trainable=False) for _ in range(2))
    moves = [
        tf.assign(means, 0.995 * means + 0.005 * mean),
        tf.assign(variances, 0.995 * variances + 0.005 * var),
    ]

    def moved():
        with tf.control_dependencies(moves):
            return tf.identity(mean), tf.identity(var)

    mean, var = tf.cond(phase, moved, lambda: (means + 0.0, variances + 0.0))
    beta, gamma = tf.Variable(tf.zeros([8])), tf.Variable(tf.ones([8]))
    deep = tf.nn.batch_normalization(deep, mean, var, beta, gamma, 1e-3)
    deep = tf.nn.dropout(tf.nn.relu(deep), keep_prob=keep_deep[1])
    together = tf.concat([first, second, deep], axis=1)
    w = tf.Variable(tf.random_normal([17, 1]), name="concat_projection")
    out = tf.add(tf.matmul(together, w), tf.Variable(tf.constant(0.01)))
    out = tf.nn.sigmoid(out)
    loss = tf.losses.log_loss(label, out)
    loss += 0.01 * tf.nn.l2_loss(w)
    tf.train.AdamOptimizer(1e-3).minimize(loss)
    return fetch(out, labels=[label])


@third
def next_item_by_attention() -> Fetches:
    """kang205/SASRec: predict runs test_logits of the items asked for."""
    training = tf.placeholder(tf.bool, shape=())
    seq, pos, neg = (tf.placeholder(tf.int32, shape=(None, 6)) for _ in range(3))
    mask = tf.expand_dims(tf.cast(tf.not_equal(seq, 0), tf.float32), -1)
    table = tf.get_variable("lookup_table", [20, 8])
    table = tf.concat([tf.zeros([1, 8]), table[1:]], 0)
    h = tf.nn.embedding_lookup(table, seq) * 8**0.5
    place = tf.tile(tf.expand_dims(tf.range(6), 0), [tf.shape(seq)[0], 1])
    h += tf.nn.embedding_lookup(tf.get_variable("places", [6, 8]), place)
    h = layers.dropout(h, 0.2, training=training) * mask
    q, k, v = (layers.dense(h, 8) for _ in range(3))
    score = tf.matmul(q, k, transpose_b=True) / 8**0.5
    past = tf.linalg.band_part(tf.ones([6, 6]), -1, 0)[None]
    score = tf.where(
        tf.tile(tf.equal(past, 0), [tf.shape(seq)[0], 1, 1]),
        tf.ones_like(score) * (-(2.0**32) + 1),
        score,
    )
    att = layers.dropout(tf.nn.softmax(score), 0.2, training=training)
    h = (tf.matmul(att, v) + h) * mask
    emb = tf.reshape(h, [-1, 8])
    flat_pos, flat_neg = tf.reshape(pos, [-1]), tf.reshape(neg, [-1])
    asked = tf.placeholder(tf.int32, shape=(9,))
    test = tf.matmul(emb, tf.transpose(tf.nn.embedding_lookup(table, asked)))
    test = tf.reshape(test, [tf.shape(seq)[0], 6, 9])[:, -1, :]
    pos_logits = tf.reduce_sum(tf.nn.embedding_lookup(table, flat_pos) * emb, -1)
    neg_logits = tf.reduce_sum(tf.nn.embedding_lookup(table, flat_neg) * emb, -1)
    real = tf.reshape(tf.cast(tf.not_equal(flat_pos, 0), tf.float32), [-1])
    loss = -tf.log(tf.sigmoid(pos_logits) + 1e-24) * real
    loss -= tf.log(1 - tf.sigmoid(neg_logits) + 1e-24) * real
    loss = tf.reduce_sum(loss) / tf.reduce_sum(real)
    auc = (tf.sign(pos_logits - neg_logits) + 1) / 2 * real
    tf.summary.scalar("auc", tf.reduce_sum(auc) / tf.reduce_sum(real))
    step = tf.Variable(0, name="global_step", trainable=False)
    tf.train.AdamOptimizer(1e-3, beta2=0.98).minimize(loss, global_step=step)
    return fetch(test, labels=[pos, neg])


@third
def interest_network() -> Fetches:
    """zhougr1993/DeepInterestNetwork: logits of a candidate and of all items (logits_all)."""
    u, i, j = (tf.placeholder(tf.int32, [None], n) for n in "uij")
    y = tf.placeholder(tf.float32, [None], "y")
    history = tf.placeholder(tf.int32, [None, None], "hist")
    lengths = tf.placeholder(tf.int32, [None], "sl")
    items = tf.get_variable("item_emb_w", [20, 6])
    bias = tf.get_variable("item_b", [20], initializer=tf.constant_initializer(0.0))
    h = tf.nn.embedding_lookup(items, history)
    mask = tf.sequence_mask(lengths, tf.shape(h)[1], tf.float32)

    def attend(query):
        score = tf.einsum("bd,btd->bt", query, h) / 6**0.5
        score = score * mask + (1 - mask) * (-(2.0**32) + 1)
        return tf.einsum("bt,btd->bd", tf.nn.softmax(score), h)

    def score(query, reuse):
        v = tf.concat([attend(query), query], -1)
        v = layers.dense(v, 8, tf.nn.sigmoid, name="f1", reuse=reuse)
        return tf.reshape(layers.dense(v, 1, name="f3", reuse=reuse), [-1])

    i_emb, j_emb = (tf.nn.embedding_lookup(items, n) for n in (i, j))
    i_b, j_b = tf.gather(bias, i), tf.gather(bias, j)
    d_i, d_j = score(i_emb, None), score(j_emb, True)
    logits = i_b + d_i
    difference = i_b - j_b + d_i - d_j
    tf.reduce_mean(tf.cast(difference > 0, tf.float32), name="mf_auc")
    tf.stack([tf.sigmoid(logits), tf.sigmoid(j_b + d_j)], -1, name="score_p_and_n")
    loss = tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=y)
    )
    step = tf.Variable(0, trainable=False, name="global_step")
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5)
    tf.train.GradientDescentOptimizer(0.1).apply_gradients(
        zip(grads, variables), global_step=step
    )
    score_op = tf.get_default_graph().get_tensor_by_name("score_p_and_n:0")
    del u
    return fetch(logits, first=[logits, score_op, difference], labels=[y])


@third
def collaborative_autoencoder() -> Fetches:
    """dawenl/vae_cf: logits; keep and is_training are numbers with defaults, the noise is scaled by one of them."""
    x = tf.placeholder(tf.float32, [None, 30])
    keep = tf.placeholder_with_default(0.75, shape=None)
    training = tf.placeholder_with_default(0.0, shape=None)
    anneal = tf.placeholder_with_default(1.0, shape=None)
    h = tf.nn.dropout(tf.nn.l2_normalize(x, 1), keep_prob=keep)
    h.set_shape([None, 30])
    w = tf.get_variable("weight_q_0to1", [30, 16])
    h = tf.matmul(tf.tanh(tf.matmul(h, w)), tf.get_variable("weight_q_1to2", [16, 8]))
    mu, logvar = h[:, :4], h[:, 4:]
    std = tf.exp(0.5 * logvar)
    kl = tf.reduce_mean(
        tf.reduce_sum(0.5 * (-logvar + tf.exp(logvar) + mu**2 - 1), axis=1)
    )
    z = mu + training * tf.random_normal(tf.shape(std)) * std
    z.set_shape([None, 4])
    w = tf.get_variable("weight_p_0to1", [4, 16])
    logits = tf.matmul(
        tf.tanh(tf.matmul(z, w)), tf.get_variable("weight_p_1to2", [16, 30])
    )
    log_softmax = tf.nn.log_softmax(logits)
    nll = -tf.reduce_mean(tf.reduce_sum(log_softmax * x, axis=-1))
    elbo = (
        nll
        + anneal * kl
        + 2
        * 0.01
        * tf.add_n(
            [tf.nn.l2_loss(v) for v in tf.trainable_variables() if v.shape.rank == 2]
        )
    )
    tf.train.AdamOptimizer(1e-3).minimize(elbo)
    tf.summary.scalar("KL", kl)
    tf.summary.scalar("neg_ELBO_train", elbo)
    return fetch(logits, first=[logits, log_softmax])


@third
def angular_margin_faces() -> Fetches:
    """auroua/InsightFace_TF: the embedding, under an angular margin."""
    images = tf.placeholder(tf.float32, [None, 16, 16, 3], name="img_inputs")
    labels = tf.placeholder(tf.int64, [None], name="img_labels")
    rate = tf.placeholder(tf.float32, name="dropout_rate")
    training = tf.placeholder_with_default(False, [], name="trainable")
    h = layers.conv2d(images, 8, 3, 2, use_bias=False)
    h = tf.nn.relu(layers.batch_normalization(h, training=training))
    h = tf.nn.dropout(layers.flatten(h), keep_prob=rate)
    h = layers.batch_normalization(layers.dense(h, 8), training=training, name="E_BN")
    w = tf.get_variable("embedding_weights", [8, 10])
    unit = h / tf.norm(h, axis=1, keepdims=True)
    cos = tf.matmul(unit, w / tf.norm(w, axis=0, keepdims=True))
    sin = tf.sqrt(1.0 - tf.square(cos))
    shifted = 64.0 * (cos * math.cos(0.5) - sin * math.sin(0.5))
    keep = 64 * (cos - math.sin(0.5) * 0.5)
    shifted = tf.where(cos - math.cos(2.64) > 0, shifted, keep)
    hot = tf.one_hot(labels, 10)
    logit = 64 * cos * (1.0 - hot) + shifted * hot
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logit, labels=labels)
    )
    for v in tf.trainable_variables():
        loss += 5e-4 * tf.nn.l2_loss(v)
    pred = tf.argmax(tf.nn.softmax(logit), axis=1)
    tf.reduce_mean(tf.cast(tf.equal(pred, labels), tf.float32), name="acc")
    momentum = tf.train.MomentumOptimizer(0.1, 0.9)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        momentum.minimize(loss)
    return fetch(h, first=[h, unit], labels=[labels])


@third
def class_prototypes() -> Fetches:
    """abdulfatir/prototypical-networks: distances to the means of a support set."""
    x = tf.placeholder(tf.float32, [None, None, 8, 8, 1])
    q = tf.placeholder(tf.float32, [None, None, 8, 8, 1])
    y = tf.placeholder(tf.int64, [None, None])
    hot = tf.one_hot(y, depth=tf.shape(x)[0])

    def encode(v, reuse):
        with tf.variable_scope("encoder", reuse=reuse):
            v = tf.reshape(v, [-1, 8, 8, 1])
            v = layers.conv2d(v, 8, 3, padding="same", name="c")
            v = layers.batch_normalization(v, training=True, name="b")
            return layers.flatten(layers.max_pooling2d(tf.nn.relu(v), 2, 2))

    shape = tf.shape(x)
    mean = tf.reduce_mean(tf.reshape(encode(x, False), [shape[0], shape[1], 128]), 1)
    far = tf.expand_dims(encode(q, True), 1) - tf.expand_dims(mean, 0)
    dists = tf.reduce_mean(tf.square(far), axis=2)
    log_p = tf.nn.log_softmax(-dists)
    log_p = tf.reshape(log_p, [shape[0], tf.shape(q)[1], -1])
    loss = -tf.reduce_mean(
        tf.reshape(tf.reduce_sum(tf.multiply(hot, log_p), axis=-1), [-1])
    )
    right = tf.equal(tf.argmax(log_p, axis=-1), y)
    tf.reduce_mean(tf.cast(right, tf.float32))
    tf.train.AdamOptimizer(1e-3).minimize(loss)
    negative = log_p.op.inputs[0].op.inputs[0]
    return fetch(log_p, first=[log_p, dists, negative, log_p.op.inputs[0]], labels=[y])


@third
def contractive_code() -> Fetches:
    """A contractive autoencoder: the derivative of its code is a penalty; the reconstruction is fetched."""
    x = tf.placeholder(tf.float32, [None, 20], name="x")
    h = layers.dense(x, 8, tf.nn.sigmoid, name="code")
    r = layers.dense(h, 20, tf.nn.sigmoid, name="reconstruction")
    entropy = -tf.reduce_sum(x * tf.log(r + 1e-8) + (1 - x) * tf.log(1 - r + 1e-8), 1)
    slope = tf.gradients(h, x)[0]
    loss = tf.reduce_mean(entropy) + 0.1 * tf.reduce_mean(tf.reduce_sum(slope**2, 1))
    tf.train.RMSPropOptimizer(1e-3).minimize(loss)
    return fetch(r, first=[r])


@third
def quantised_codes() -> Fetches:
    """VQ-VAE (sonnet's example): the reconstruction, past a straight-through code book."""
    x = tf.placeholder(tf.float32, shape=(None, 16, 16, 3))
    h = layers.conv2d(x, 8, 4, 2, padding="same", activation=tf.nn.relu)
    z = layers.conv2d(h, 6, 1)
    book = tf.get_variable("vq_vae/embedding", [6, 12])
    flat = tf.reshape(z, [-1, 6])
    far = (
        tf.reduce_sum(flat**2, 1, keepdims=True)
        - 2 * tf.matmul(flat, book)
        + tf.reduce_sum(book**2, 0, keepdims=True)
    )
    index = tf.reshape(tf.argmax(-far, 1), tf.shape(z)[:-1])
    quantised = tf.nn.embedding_lookup(tf.transpose(book), index)
    e_loss = tf.reduce_mean((tf.stop_gradient(quantised) - z) ** 2)
    q_loss = tf.reduce_mean((quantised - tf.stop_gradient(z)) ** 2)
    q = z + tf.stop_gradient(quantised - z)
    average = tf.reduce_mean(tf.one_hot(tf.reshape(index, [-1]), 12), 0)
    tf.exp(-tf.reduce_sum(average * tf.log(average + 1e-10)), name="perplexity")
    h = layers.conv2d(q, 8, 3, padding="same", activation=tf.nn.relu)
    recon = layers.conv2d_transpose(h, 3, 4, 2, padding="same")
    error = tf.reduce_mean((recon - x) ** 2) / 0.06
    tf.train.AdamOptimizer(3e-4).minimize(error + q_loss + 0.25 * e_loss)
    return fetch(recon)


@third
def adversarial_autoencoder() -> Fetches:
    """Naresh1318/Adversarial_Autoencoder: decoder_output, encoder_output and the decoder's picture of a code."""
    x = tf.placeholder(tf.float32, [8, 20], name="Input")
    target = tf.placeholder(tf.float32, [8, 20], name="Target")
    real = tf.placeholder(tf.float32, [8, 2], name="Real_distribution")
    code = tf.placeholder(tf.float32, [1, 2], name="Decoder_input")

    def block(v, sizes, scope, last=None):
        with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
            for n in sizes[:-1]:
                v = layers.dense(v, n, tf.nn.relu, name=f"{scope}{n}")
            return layers.dense(v, sizes[-1], last, name=f"{scope}_out")

    z = block(x, [16, 2], "e_latent")
    picture = block(z, [16, 20], "d_dense", tf.nn.sigmoid)
    d_real, d_fake = block(real, [12, 1], "dc_den"), block(z, [12, 1], "dc_den")
    shown = block(code, [16, 20], "d_dense", tf.nn.sigmoid)
    auto = tf.reduce_mean(tf.square(target - picture))
    ce = tf.nn.sigmoid_cross_entropy_with_logits
    d = tf.reduce_mean(ce(labels=tf.ones_like(d_real), logits=d_real))
    d += tf.reduce_mean(ce(labels=tf.zeros_like(d_fake), logits=d_fake))
    g = tf.reduce_mean(ce(labels=tf.ones_like(d_fake), logits=d_fake))
    every = tf.trainable_variables()
    tf.train.AdamOptimizer(1e-3, 0.9).minimize(auto)
    tf.train.AdamOptimizer(1e-3, 0.9).minimize(
        d, var_list=[v for v in every if "dc_" in v.name]
    )
    tf.train.AdamOptimizer(1e-3, 0.9).minimize(
        g, var_list=[v for v in every if "e_" in v.name]
    )
    tf.summary.histogram("Encoder Distribution", z)
    return fetch(picture, z, first=[picture, shown, z], labels=[target])


@third
def neighbours_unsupervised() -> Fetches:
    """williamleif/GraphSAGE unsupervised: outputs1, normalised, under a skip-gram affinity loss."""
    batch1, batch2 = (tf.placeholder(tf.int32, (None,), f"batch{n}") for n in (1, 2))
    drop = tf.placeholder_with_default(0.0, shape=(), name="dropout")
    adjacency = tf.Variable(tf.zeros([20, 5], tf.int32), trainable=False, name="adj")
    features = tf.Variable(tf.random_normal([20, 6]), trainable=False)
    w_self = tf.get_variable("self_weights", [6, 4])
    w_near = tf.get_variable("neigh_weights", [6, 4])

    def aggregate(ids):
        near = tf.transpose(tf.random_shuffle(tf.transpose(tf.gather(adjacency, ids))))
        near = tf.nn.embedding_lookup(features, near[:, :3])
        mean = tf.reduce_mean(tf.nn.dropout(near, rate=drop), axis=1)
        own = tf.nn.dropout(tf.gather(features, ids), rate=drop)
        h = tf.concat([tf.matmul(own, w_self), tf.matmul(mean, w_near)], axis=1)
        return tf.nn.l2_normalize(tf.nn.relu(h), 1)

    labels = tf.reshape(tf.cast(batch2, tf.int64), [-1, 1])
    negatives, _, _ = tf.nn.fixed_unigram_candidate_sampler(
        labels, 1, 4, False, 20, distortion=0.75, unigrams=[1] * 20
    )
    one, two = aggregate(batch1), aggregate(batch2)
    neg = aggregate(tf.cast(negatives, tf.int32))
    affinity = tf.reduce_sum(one * two, axis=1)
    neg_affinity = tf.matmul(one, tf.transpose(neg))
    ce = tf.nn.sigmoid_cross_entropy_with_logits
    loss = tf.reduce_sum(ce(labels=tf.ones_like(affinity), logits=affinity))
    loss += tf.reduce_sum(ce(labels=tf.zeros_like(neg_affinity), logits=neg_affinity))
    loss = loss / tf.cast(tf.shape(batch1)[0], tf.float32)
    ranks = tf.nn.top_k(tf.concat([neg_affinity, affinity[:, None]], 1), k=5).indices
    tf.summary.scalar(
        "mrr", tf.reduce_mean(1.0 / tf.cast(ranks[:, -1] + 1, tf.float32))
    )
    adam = tf.train.AdamOptimizer(1e-3)
    pairs = [
        (tf.clip_by_value(g, -5.0, 5.0), v) for g, v in adam.compute_gradients(loss)
    ]
    adam.apply_gradients(pairs)
    return fetch(one, first=[one])


@third
def estimator_head() -> Fetches:
    """A canned DNNClassifier's training graph: probabilities, class ids and class names hang unread."""
    features, labels = tf.data.make_one_shot_iterator(
        tf.data.Dataset.from_generator(
            lambda: iter(()), (tf.float32, tf.int64), ([None, 6], [None])
        )
    ).get_next()
    with tf.variable_scope("dnn"):
        h = layers.dense(features, 8, tf.nn.relu, name="hiddenlayer_0")
        tf.summary.scalar("fraction_of_zero_values", tf.nn.zero_fraction(h))
        logits = layers.dense(h, 3, name="logits")
    with tf.name_scope("head/predictions"):
        probabilities = tf.nn.softmax(logits, name="probabilities")
        ids = tf.expand_dims(tf.argmax(logits, -1), -1, name="class_ids")
        tf.as_string(ids, name="str_classes")
    hot = tf.expand_dims(labels, -1)
    within = tf.debugging.assert_less_equal(hot, tf.constant(2, tf.int64))
    with tf.control_dependencies([within]):
        hot = tf.identity(hot)
    ce = tf.losses.sparse_softmax_cross_entropy(tf.squeeze(hot, -1), logits)
    accuracy = tf.metrics.accuracy(hot, ids)
    del accuracy
    step = tf.train.get_or_create_global_step()
    adagrad = tf.train.AdagradOptimizer(0.05)
    adagrad.minimize(ce, global_step=step)
    return fetch(probabilities, first=[probabilities, logits, ids])


@third
def keras_model_saved_by_tensorflow() -> Fetches:
    """A Keras model compiled in a TF1 session and saved with tf.train.Saver: model.output."""
    keras = tf_keras.backend
    with tf.get_default_graph().as_default():
        x = tf_keras.layers.Input([12], name="main_input")
        h = tf_keras.layers.Dense(8, activation="relu")(x)
        h = tf_keras.layers.Dropout(0.5)(tf_keras.layers.BatchNormalization()(h))
        out = tf_keras.layers.Dense(3, activation="softmax", name="probs")(h)
        target = tf.placeholder(tf.float32, [None, None], name="probs_target")
        weights = tf.placeholder(tf.float32, [None], name="probs_sample_weights")
        clipped = tf.clip_by_value(out, 1e-7, 1 - 1e-7)
        ce = -tf.reduce_sum(target * tf.log(clipped), -1)
        masked = (
            ce
            * weights
            / tf.reduce_mean(tf.cast(tf.not_equal(weights, 0.0), tf.float32))
        )
        loss = tf.reduce_mean(masked)
        hit = tf.equal(tf.argmax(target, -1), tf.argmax(out, -1))
        tf.reduce_mean(tf.cast(hit, tf.float32))
        tf.train.AdamOptimizer().minimize(loss)
        del keras
    return fetch(out, labels=[target, weights])
