"""Energies, forces, graphs, ladders, teachers, meta-learners."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, layers, seventh
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer


@seventh
def energy_learned_by_its_slope() -> Fetches:
    """A stranger's Energy_net (indexed as file 28242978466): get_energy runs energy; its derivative is what is trained."""
    with tf.variable_scope("energy"):
        pairs = tf.placeholder(tf.float32, [None, 5], name="sapairs")
        noisy = tf.placeholder(tf.float32, [None, 5], name="noise_sapairs")
        with tf.variable_scope("energy_net"):
            h = noisy
            for n in (16, 16, 16, 1):
                h = layers.dense(h, n, activation=tf.tanh)
        slope = tf.multiply(0.1**2, tf.gradients(h, noisy))
        loss = tf.reduce_mean(tf.square(pairs - noisy + slope))
        _adam().minimize(loss)
    return fetch(h, labels=[pairs])


@seventh
def anomalies_by_energy_and_rebuilding() -> Fetches:
    """A stranger's DSEBM (indexed as file 15607012): eval runs [list_score_energy, list_score_recon]."""

    def network(v):
        with tf.variable_scope("network", reuse=tf.AUTO_REUSE):
            k1 = tf.get_variable("kernel_dense", [12, 16])
            b1 = tf.get_variable("bias_dense", [16])
            k2 = tf.get_variable("kernel_dense2", [16, 20])
            b2 = tf.get_variable("bias_dense2", [20])
            c2 = tf.get_variable("bias_inv_dense2", [16])
            c1 = tf.get_variable("bias_inv_dense", [12])
            v = tf.nn.softplus(tf.matmul(v, k1) + b1)
            v = tf.nn.softplus(tf.matmul(v, k2) + b2)
            v = tf.nn.softplus(tf.matmul(v, tf.transpose(k2)) + c2)
            return tf.nn.softplus(tf.matmul(v, tf.transpose(k1)) + c1)

    x = tf.placeholder(tf.float32, [None, 12], name="input")
    tf.placeholder(tf.bool, name="is_training")
    x_noise = x + tf.random_normal(tf.shape(x))
    prime = tf.get_variable("b_prime", [8, 12])
    out, noisy = network(x), network(x_noise)
    energy = 0.5 * tf.reduce_sum(tf.square(x - prime)) - tf.reduce_sum(out)
    noise = 0.5 * tf.reduce_sum(tf.square(x_noise - prime)) - tf.reduce_sum(noisy)
    fx = tf.squeeze(x - tf.gradients(energy, x), axis=0)
    fx_noise = x_noise - tf.gradients(noise, x_noise)
    loss = tf.reduce_mean(tf.square(x - fx_noise))
    flat = layers.flatten(x - prime)
    by_energy = 0.5 * tf.reduce_sum(tf.square(flat), axis=1) - tf.reduce_sum(out, 1)
    by_recon = tf.norm(layers.flatten(x - fx), ord=2, axis=1)
    _adam(1e-3).minimize(loss)
    return fetch(by_energy, by_recon, first=[by_energy, by_recon, fx])


@seventh
def teacher_and_student() -> Fetches:
    """A stranger's distillation (indexed as file 48681137248): runs softmax_teacher to make labels; tests take softmaxes."""
    x_t, y_t = (tf.placeholder(tf.float32, [None, n]) for n in (64, 4))
    x_s, y_s = (tf.placeholder(tf.float32, [None, n]) for n in (64, 4))
    training = tf.placeholder(tf.bool, name="is_training")
    tau = tf.placeholder(tf.float32, name="temperature")
    h = layers.conv2d(tf.reshape(x_t, [-1, 8, 8, 1]), 4, 3, activation=tf.nn.relu)
    h = layers.conv2d(h, 6, 3, activation=tf.nn.relu)
    pool = layers.max_pooling2d(h, (2, 2), (1, 1))
    layers.dropout(pool, 0.25, training=training)
    h = layers.dense(layers.flatten(pool), 12, tf.nn.relu)
    h = layers.dropout(h, 0.5, training=training)
    teacher = layers.dense(h, 4)
    warm = tf.div(teacher, tau)
    soft_t = tf.nn.softmax(warm)
    cross = tf.nn.softmax_cross_entropy_with_logits_v2
    _adam(1e-3).minimize(tf.reduce_mean(cross(labels=y_t, logits=warm)))
    h = layers.dense(layers.dense(x_s, 12, tf.nn.relu), 12, tf.nn.relu)
    student = layers.dense(h, 4)
    soft_s = tf.nn.softmax(student)
    _adam(1e-3).minimize(tf.reduce_mean(cross(labels=y_s, logits=student)))
    preds = []
    for logits, y in ((teacher, y_t), (student, y_s)):
        preds.append(tf.nn.softmax(logits))
        right = tf.equal(tf.argmax(preds[-1], 1), tf.argmax(y, 1))
        tf.reduce_mean(tf.cast(right, tf.float32))
        tf.reduce_sum(tf.cast(right, tf.float32))
    return fetch(
        *(soft_t, soft_s),
        first=[soft_t, soft_s, teacher, student, *preds],
        labels=[y_t, y_s],
        twins=[(soft_t, preds[1]), preds, (teacher, student), (preds[0], soft_s)],
    )


@seventh
def transactions_as_graphs() -> Fetches:
    """A stranger's GraphConvolutionNetwork (indexed as file 6180847654): predict runs predictions, an argmax."""
    adjs = tf.placeholder(tf.float32, [None, 7, 7])
    embeddings = tf.placeholder(tf.float32, [None, 7, 5])
    targets = tf.placeholder(tf.float32, [None, 2])
    a1 = tf.Variable(tf.random_normal([6, 5]))
    b1 = tf.Variable(tf.random_normal([6, 5]))
    w = tf.Variable(tf.random_normal([6, 2]))
    m = tf.einsum("adc,adb->abc", embeddings, adjs)
    h = tf.nn.relu(tf.tensordot(m, a1, (2, 1)) + tf.tensordot(embeddings, b1, (2, 1)))
    out = tf.matmul(tf.reduce_mean(h, 1), w)
    cost = tf.losses.softmax_cross_entropy(targets, out)
    predictions = tf.argmax(out, 1)
    tf.train.GradientDescentOptimizer(0.025).minimize(cost)
    return fetch(predictions, first=[predictions, out], labels=[targets])


@seventh
def energies_of_two_species() -> Fetches:
    """A stranger's atomistic net (file 48378485258): runs energies and forces; SciPy's optimizer takes flat gradients."""
    true_e = tf.placeholder("float32", [None, 1], name="energies_in")
    true_f = tf.placeholder("float32", [None, 3], name="forces_in")
    rate = tf.placeholder("float32", name="rate")
    batch = tf.placeholder("int32", name="batchsize")
    c_f, c_e, c_r = (
        tf.placeholder("float32", name=n)
        for n in ("force_coefficient", "energy_coefficient", "regularization_strength")
    )
    total = tf.placeholder("int32", name="total_natoms")
    f_mask = tf.placeholder("int32", [None], name="forces_mask")
    hashes = tf.placeholder("string", [None], name="selected_hashes")
    parts = []
    for i in range(2):
        prints = tf.placeholder("float32", [None, 4], name=f"afp_{i}")
        mask = tf.placeholder("int32", [None], name=f"inds_mask_{i}")
        der = tf.placeholder("float32", [None, 4, 3], name=f"der_mat_{i}")
        near = tf.placeholder("int32", [None], name=f"ind_neighbor_{i}")
        center = tf.placeholder("int32", [None], name=f"ind_center_{i}")
        h, l2 = prints, 0.0
        for j, n in enumerate((6, 6, 1)):
            w = tf.get_variable(f"w{i}_{j}", [int(h.shape[1]), n])
            b = tf.get_variable(f"b{i}_{j}", [n])
            h = tf.matmul(h, w) + b
            h = tf.nn.dropout(tf.nn.tanh(h), rate=rate) if n > 1 else h
            l2 += tf.reduce_sum(tf.square(w)) + tf.reduce_sum(tf.square(b))
        energy = tf.unsorted_segment_sum(h, mask, batch)
        slope = tf.gather(tf.gradients(h, prints)[0], near)
        slope = tf.tile(tf.expand_dims(slope, 2), [1, 1, 3])
        moved = tf.reduce_sum(tf.multiply(slope, der), 1)
        parts.append((energy, -tf.unsorted_segment_sum(moved, center, total), l2))
    es, fs, l2s = zip(*parts)
    energies, forces = tf.add_n(es), 6.90 * tf.add_n(fs)
    e_loss = tf.reduce_mean(tf.square(tf.subtract(true_e, energies)))
    _ = 1 / 3 * tf.reduce_mean(tf.square(tf.subtract(true_f, forces)))
    huge = 1 / 3 * tf.reduce_mean(tf.square(3 * tf.subtract(true_f, forces)))
    for true, value in ((true_e, energies), (true_f, forces)):
        tf.reduce_max(tf.abs(tf.subtract(true, value)))
        tf.reduce_mean(tf.abs(tf.subtract(true, value)))
    bad = tf.argmax(tf.abs(tf.subtract(true_f, forces)))
    tf.gather(hashes, f_mask[bad[0]])
    loss = tf.add_n([c_f * huge, c_e * e_loss, c_r * tf.add_n(l2s)])
    grads = tf.gradients(loss, tf.trainable_variables())
    tf.concat([tf.reshape(g, [-1]) for g in grads], 0)
    return fetch(energies, forces, labels=[true_e, true_f])


@seventh
def ladder_of_noise() -> Fetches:
    """rinuboney/ladder: y, the clean encoder's softmax, is what accuracy takes; a noisy pass and a decoder are trained."""
    sizes, batch = [16, 12, 8, 4], 5
    x, outputs = tf.placeholder(tf.float32, [None, 16]), tf.placeholder(tf.float32)
    pairs = list(zip(sizes[:-1], sizes[1:]))
    w = [tf.Variable(tf.random_normal(s, name="W")) / 4.0 for s in pairs]
    v = [tf.Variable(tf.random_normal(s[::-1], name="V")) / 4.0 for s in pairs]
    beta = [tf.Variable(0.0 * tf.ones([n]), name="beta") for n in sizes[1:]]
    gamma = [tf.Variable(1.0 * tf.ones([n]), name="beta") for n in sizes[1:]]
    means = [tf.Variable(tf.zeros([n]), trainable=False) for n in sizes[1:]]
    variances = [tf.Variable(tf.ones([n]), trainable=False) for n in sizes[1:]]
    ewma = tf.train.ExponentialMovingAverage(decay=0.99)
    assigns = []

    def labeled(z):
        return tf.slice(z, [0, 0], [batch, -1])

    def unlabeled(z):
        return tf.slice(z, [batch, 0], [-1, -1])

    def normalise(z, m=None, s=None):
        if m is None:
            m, s = tf.nn.moments(z, axes=[0])
        return (z - m) / tf.sqrt(s + tf.constant(1e-10))

    def update(z, m, s, i):
        one, other = means[i].assign(m), variances[i].assign(s)
        assigns.append(ewma.apply([means[i], variances[i]]))
        with tf.control_dependencies([one, other]):
            return (z - m) / tf.sqrt(s + 1e-10)

    def encode(h, noise):
        h = h + tf.random_normal(tf.shape(h)) * noise
        zs, moments = [unlabeled(h)], [(0.0, 1 - 1e-10)]
        for i in range(3):
            pre = tf.matmul(h, w[i])
            low, up = labeled(pre), unlabeled(pre)
            m, s = tf.nn.moments(up, axes=[0])
            m_l, s_l = tf.nn.moments(low, axes=[0])
            if noise > 0:
                z = tf.concat([normalise(low, m_l, s_l), normalise(up, m, s)], 0)
                z += tf.random_normal(tf.shape(pre)) * noise
            else:
                z = tf.concat([update(low, m_l, s_l, i), normalise(up, m, s)], 0)
            if i == 2:
                h = tf.nn.softmax(gamma[i] * (z + beta[i]))
            else:
                h = tf.nn.relu(z + beta[i])
            zs.append(unlabeled(z))
            moments.append((m, s))
        return h, zs, moments

    y_c, corrupt, _ = encode(x, 0.3)
    y, clean, moments = encode(x, 0.0)
    est, costs = None, []
    for i in range(3, -1, -1):
        u = unlabeled(y_c) if i == 3 else tf.matmul(est, v[i])
        u = normalise(u)
        a = [tf.Variable(k * tf.ones([sizes[i]])) for k in (0.0, 1.0) * 5]
        mu = a[0] * tf.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
        gate = a[5] * tf.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
        est = (corrupt[i] - mu) * gate + mu
        near = (est - moments[i][0]) / moments[i][1]
        near = tf.reduce_sum(tf.square(near - clean[i]), 1)
        costs.append(tf.reduce_mean(near) / sizes[i] * 10.0)
    cost = -tf.reduce_sum(outputs * tf.log(labeled(y_c))) / batch
    loss = cost + tf.add_n(costs)
    _ = -tf.reduce_sum(outputs * tf.log(y)) / batch
    right = tf.equal(tf.argmax(y, 1), tf.argmax(outputs, 1))
    _ = tf.reduce_mean(tf.cast(right, "float")) * tf.constant(100.0)
    rate = tf.Variable(0.002, trainable=False)
    train = _adam(rate).minimize(loss)
    updates = tf.group(*assigns)
    with tf.control_dependencies([train]):
        tf.group(updates)
    return fetch(y, labels=[outputs])


@seventh
def adapted_over_tasks() -> Fetches:
    """dragen1860/MAML-TensorFlow: query predictions after each inner step, in a map over tasks; their accuracies are run."""
    nway, steps = 3, 2
    support_x = tf.placeholder(tf.float32, [None, 4, 8 * 8 * 3])
    query_x = tf.placeholder(tf.float32, [None, 4, 8 * 8 * 3])
    support_y = tf.placeholder(tf.float32, [None, 4, nway])
    query_y = tf.placeholder(tf.float32, [None, 4, nway])
    with tf.variable_scope("MAML"):
        weights = {
            "conv1": tf.get_variable("conv1w", [3, 3, 3, 4]),
            "b1": tf.get_variable("conv1b", [4]),
            "w5": tf.get_variable("fc1w", [4 * 4 * 4, nway]),
            "b5": tf.get_variable("fc1b", [nway]),
        }
    cross = tf.nn.softmax_cross_entropy_with_logits_v2

    def forward(v, w):
        v = tf.reshape(v, [-1, 8, 8, 3])
        v = tf.nn.relu(tf.nn.conv2d(v, w["conv1"], [1] * 4, "SAME") + w["b1"])
        v = tf.nn.avg_pool(v, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
        return tf.add(tf.matmul(tf.reshape(v, [-1, 64]), w["w5"]), w["b5"])

    def accuracy(logits, y):
        best = tf.argmax(tf.nn.softmax(logits, axis=1), axis=1)
        right = tf.equal(best, tf.argmax(y, axis=1))
        return tf.reduce_mean(tf.cast(right, tf.float32))

    def task(elems):
        s_x, s_y, q_x, q_y = elems
        pred = forward(s_x, weights)
        loss = first = cross(logits=pred, labels=s_y)
        fast, preds, losses = weights, [], []
        for k in range(steps):
            if k:
                loss = cross(logits=forward(s_x, fast), labels=s_y)
            grads = tf.gradients(loss, list(fast.values()))
            fast = {n: v - 0.01 * g for (n, v), g in zip(list(fast.items()), grads)}
            preds.append(forward(q_x, fast))
            losses.append(cross(logits=preds[-1], labels=q_y))
        accs = [accuracy(p, q_y) for p in preds]
        return [pred, first, accuracy(pred, s_y), preds, losses, accs]

    many = [tf.float32] * steps
    result = tf.map_fn(
        task,
        elems=(support_x, support_y, query_x, query_y),
        dtype=[tf.float32, tf.float32, tf.float32, many, many, many],
        name="map_fn",
    )
    pred, first, acc, preds, losses, accs = result
    means = [tf.reduce_sum(v) / 2 for v in losses]
    adam = _adam(1e-3, name="meta_optim")
    pairs = adam.compute_gradients(means[-1])
    adam.apply_gradients([(tf.clip_by_value(g, -10, 10), v) for g, v in pairs])
    tf.summary.scalar("support_loss", tf.reduce_sum(first) / 2)
    tf.summary.scalar("support_acc", tf.reduce_sum(acc) / 2)
    for j in range(steps):
        tf.summary.scalar(f"query_loss_{j}", means[j])
        tf.summary.scalar(f"query_acc_{j}", tf.reduce_sum(accs[j]) / 2)
    return fetch(preds[-1], first=preds, labels=[query_y])


@seventh
def reptile_of_characters() -> Fetches:
    """openai/supervised-reptile OmniglotModel: predictions, an argmax; normalised by the batch at hand."""
    x = tf.placeholder(tf.float32, (None, 12, 12))
    out = tf.reshape(x, (-1, 12, 12, 1))
    for _ in range(2):
        out = layers.conv2d(out, 6, 3, strides=2, padding="same")
        out = layers.batch_normalization(out, training=True)
        out = tf.nn.relu(out)
    out = tf.reshape(out, (-1, int(np.prod(out.get_shape()[1:]))))
    logits = layers.dense(out, 5)
    label = tf.placeholder(tf.int32, (None,))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=logits)
    predictions = tf.argmax(logits, axis=-1)
    _adam(beta1=0).minimize(loss)
    return fetch(predictions, first=[predictions, logits], labels=[label])


@seventh
def characters_matched_to_a_support_set() -> Fetches:
    """AntreasAntoniou/MatchingNetworks: preds, attention over the support set's labels; the loss squashes them again."""
    support = tf.placeholder(tf.float32, [4, 5, 10, 10, 1], "support_set_images")
    support_y = tf.placeholder(tf.int32, [4, 5], "support_set_labels")
    target = tf.placeholder(tf.float32, [4, 10, 10, 1], "target_image")
    target_y = tf.placeholder(tf.int32, [4], "target_label")
    keep = tf.placeholder(tf.float32, name="dropout-prob")
    rotate = tf.placeholder(tf.bool, name="rotate-flag")
    training = tf.placeholder(tf.bool, name="training-flag")

    def augment(images):
        def turned():
            k = tf.unstack(tf.random_uniform([1], 1, 4, tf.int32))
            parts = [tf.image.rot90(i, k=k[0]) for i in tf.unstack(images)]
            return tf.reshape(tf.stack(parts), (4, 10, 10, 1))

        return tf.cond(rotate, turned, lambda: images)

    def embed(v):
        with tf.variable_scope("g", reuse=tf.AUTO_REUSE):
            for i in range(2):
                v = layers.conv2d(v, 4, [3, 3], padding="VALID", name=f"conv{i}")
                v = tf.maximum(v, v * 0.2, name="outputs")
                v = layers.batch_normalization(v, training=training, name=f"bn{i}")
                v = tf.nn.max_pool(v, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
                v = tf.nn.dropout(v, keep_prob=keep)
            return layers.flatten(v)

    hot = tf.one_hot(support_y, 5)
    codes = [embed(augment(image)) for image in tf.unstack(support, axis=1)]
    codes.append(embed(augment(target)))
    outputs = tf.stack(codes)
    asked, similarities = outputs[-1], []
    for one in tf.unstack(outputs[:-1], axis=0):
        total = tf.reduce_sum(tf.square(one), 1, keepdims=True)
        size = tf.rsqrt(tf.clip_by_value(total, 1e-10, float("inf")))
        dot = tf.matmul(tf.expand_dims(asked, 1), tf.expand_dims(one, 2))
        similarities.append(tf.squeeze(dot, [1]) * size)
    weights = tf.nn.softmax(tf.concat(similarities, axis=1))
    preds = tf.squeeze(tf.matmul(tf.expand_dims(weights, 1), hot))
    right = tf.equal(tf.argmax(preds, 1), tf.cast(target_y, tf.int64))
    accuracy = tf.reduce_mean(tf.cast(right, tf.float32))
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target_y, logits=preds)
    )
    tf.summary.scalar("crossentropy", loss)
    tf.summary.scalar("accuracy", accuracy)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        _adam(0.001, beta1=0.9).minimize(loss)
    return fetch(preds, labels=[target_y])
