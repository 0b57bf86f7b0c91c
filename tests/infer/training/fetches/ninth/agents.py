"""Games, bonuses for what is new, molecules and sounds that are made."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, blind, fetch, layers, ninth
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer


@blind
def moves_and_value_of_a_board() -> Fetches:
    """tensorflow/minigo dual_net.py: run() fetches policy_output and value_output; the logits stand in the loss."""
    step = tf.Variable(0, name="global_step", trainable=False)
    x = tf.placeholder(tf.float32, [None, 5, 5, 3])
    pi = tf.placeholder(tf.float32, [None, 26])
    outcome = tf.placeholder(tf.float32, [None])
    train = tf.placeholder(tf.bool, name="train_mode")

    def normed(v, **options):
        return layers.batch_normalization(
            v, momentum=0.997, epsilon=1e-5, fused=True, training=train, **options
        )

    def conv(v, n=4, k=3):
        return layers.conv2d(v, filters=n, kernel_size=[k, k], padding="same")

    h = tf.nn.relu(normed(conv(x)))
    for _ in range(2):
        h = tf.nn.relu(h + normed(conv(tf.nn.relu(normed(conv(h))))))
    policy = tf.nn.relu(normed(conv(h, 2, 1), center=False, scale=False))
    logits = layers.dense(tf.reshape(policy, [-1, 50]), 26)
    policy = tf.nn.softmax(logits)
    value = tf.nn.relu(normed(conv(h, 1, 1), center=False, scale=False))
    value = tf.nn.relu(layers.dense(tf.reshape(value, [-1, 25]), 8))
    value = tf.nn.tanh(tf.reshape(layers.dense(value, 1), [-1]))
    entropy = tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=pi)
    mse = tf.reduce_mean(tf.square(value - outcome))
    own = [tf.nn.l2_loss(v) for v in tf.trainable_variables() if "bias" not in v.name]
    cost = mse + tf.reduce_mean(entropy) + 2e-5 * tf.add_n(own)
    rate = tf.train.exponential_decay(1e-2, step, 10**7, 0.5)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        tf.train.MomentumOptimizer(rate, 0.9).minimize(cost, global_step=step)
    tf.summary.merge(
        [tf.summary.histogram(v.name, v) for v in tf.trainable_variables()],
        name="weight_summaries",
    )
    return fetch(policy, value, labels=[pi, outcome], twins=[[logits, value]])


@ninth
def trust_region_of_many_actors() -> Fetches:
    """kvfrans/parallel-trpo: rollouts run [action_dist_mu, action_dist_logstd]; no optimizer, flat gradients are fetched."""
    obs = tf.placeholder(tf.float32, [None, 6])
    action = tf.placeholder(tf.float32, [None, 2])
    advantage = tf.placeholder(tf.float32, [None])
    old_mu, old_std = (tf.placeholder(tf.float32, [None, 2]) for _ in range(2))

    def full(v, n, name):
        w = tf.get_variable(name + "_w", [int(v.shape[1]), n])
        return tf.matmul(v, w) + tf.get_variable(name + "_b", [n])

    with tf.variable_scope("policy"):
        h = tf.nn.relu(full(obs, 8, "policy_h1"))
        h = tf.nn.relu(full(h, 8, "policy_h2"))
        mu = full(h, 2, "policy_h3")
        deviation = np.random.RandomState(0).randn(1, 2).astype(np.float32)
        deviation = tf.Variable(0.01 * deviation, name="policy_logstd")
    std = tf.tile(deviation, tf.stack((tf.shape(mu)[0], 1)))
    count = tf.cast(tf.shape(obs)[0], tf.float32)

    def logp(m, s, a):
        var = tf.exp(2 * s)
        gauss = -tf.square(a - m) / (2 * var) - 0.5 * tf.log(tf.constant(2 * np.pi)) - s
        return tf.reduce_sum(gauss, [1])

    def divergence(m1, s1, m2, s2):
        v1, v2 = tf.exp(2 * s1), tf.exp(2 * s2)
        return tf.reduce_sum(s2 - s1 + (v1 + tf.square(m1 - m2)) / (2 * v2) - 0.5)

    ratio = tf.exp(logp(mu, std, action) - logp(old_mu, old_std, action))
    surrogate = -tf.reduce_mean(ratio * advantage)
    own = tf.trainable_variables()
    divergence(old_mu, old_std, mu, std) / count
    tf.reduce_sum(std + tf.constant(0.5 * np.log(2 * np.pi * np.e), tf.float32)) / count

    def flat(loss):
        grads = tf.gradients(loss, own)
        return tf.concat([tf.reshape(g, [-1]) for g in grads], 0)

    flat(surrogate)
    fixed = tf.stop_gradient(mu), tf.stop_gradient(std)
    self_kl = divergence(*fixed, mu, std) / count
    tangent = tf.placeholder(tf.float32, [None])
    start, parts = 0, []
    for g, v in zip(tf.gradients(self_kl, own), own):
        size = int(np.prod(v.shape.as_list()))
        part = tf.reshape(tangent[start : start + size], v.shape)
        parts.append(tf.reduce_sum(g * part))
        start += size
    flat(parts)
    tf.concat([tf.reshape(v, [-1]) for v in own], 0)
    theta = tf.placeholder(tf.float32, [start])
    start, ops = 0, []
    for v in own:
        size = int(np.prod(v.shape.as_list()))
        ops.append(tf.assign(v, tf.reshape(theta[start : start + size], v.shape)))
        start += size
    tf.group(*ops)
    return fetch(mu, std, first=[mu], twins=[[mu]])


@blind
def bonus_for_what_is_new() -> Fetches:
    """openai/random-network-distillation: call() runs a_samp, vpred_int and vpred_ext of the rollout; calculates int_rew."""
    ob = tf.placeholder(tf.float32, [None, None, 6, 6, 2], name="ob")
    mean, std = (
        tf.placeholder(tf.float32, [6, 6, 1], name=n) for n in ("obmean", "obstd")
    )
    ac = tf.placeholder(tf.int32, [None, None], name="ac")
    adv, ret_i, ret_e, old = (
        tf.placeholder(tf.float32, [None, None], name=n)
        for n in ("adv", "ret_int", "ret_ext", "nlp")
    )
    rate = tf.placeholder(tf.float32, [], name="lr")
    envs, steps = tf.shape(ob)[0], tf.shape(ac)[1]
    full = layers.dense

    def policy(v, t, reuse):
        v = tf.reshape(v / 255.0, (-1, 6, 6, 2))
        with tf.variable_scope("ppo", reuse=reuse):
            h = layers.conv2d(v, 4, 3, 2, activation=tf.nn.relu, name="c1")
            h = full(tf.reshape(h, (-1, 16)), 8, tf.nn.relu, name="fc1")
            x = h + full(h, 8, tf.nn.relu, name="fc2val")
            h = h + full(h, 8, tf.nn.relu, name="fc2act")
            pd = tf.reshape(full(h, 4, name="pd"), (envs, t, 4))
            vals = [full(x, 1, name=n) for n in ("vf_int", "vf_ext")]
            return pd, *(tf.reshape(v, (envs, t)) for v in vals)

    pd, v_int, v_ext = policy(ob[:, :-1], steps, False)
    roll, r_int, r_ext = policy(ob, steps + 1, True)
    noise = tf.random_uniform(tf.shape(roll))
    samp = tf.argmax(roll - tf.log(-tf.log(noise)), axis=-1)
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
    nlp = entropy(logits=roll, labels=samp)

    def chaos(v):
        v = v - tf.reduce_max(v, axis=-1, keepdims=True)
        e = tf.exp(v)
        z = tf.reduce_sum(e, axis=-1, keepdims=True)
        return tf.reduce_sum(e / z * (tf.log(z) - v), axis=-1)

    ent_roll = chaos(roll)
    x = tf.reshape(ob[:, 1:], (-1, 6, 6, 2))[:, :, :, -1:]
    x = tf.clip_by_value((x - mean) / std, -5.0, 5.0)

    def features(name):
        h = layers.conv2d(x, 4, 3, 2, activation=tf.nn.leaky_relu, name="c" + name)
        return tf.reshape(h, (-1, 16))

    target = full(features("1r"), 5, name="fc1r")
    guess = full(features("1rp_pred"), 8, tf.nn.relu, name="fc1r_hat1_pred")
    guess = full(guess, 5, name="fc1r_hat3_pred")
    tf.reduce_mean(tf.nn.moments(target, axes=[0])[1])
    tf.reduce_max(tf.abs(target))
    reward = tf.reduce_mean(
        tf.square(tf.stop_gradient(target) - guess), axis=-1, keepdims=True
    )
    reward = tf.reshape(reward, (envs, steps))
    aux = tf.reduce_mean(tf.square(tf.stop_gradient(target) - guess), -1)
    mask = tf.cast(tf.random_uniform(tf.shape(aux)) < 0.25, tf.float32)
    aux = tf.reduce_sum(mask * aux) / tf.maximum(tf.reduce_sum(mask), 1.0)
    own = entropy(logits=pd, labels=ac)
    ratio = tf.exp(old - own)
    clipped = tf.clip_by_value(ratio, 0.9, 1.1)
    pg = tf.reduce_mean(tf.maximum(-adv * ratio, -adv * clipped))
    vf = 0.5 * tf.reduce_mean(tf.square(v_int - ret_i))
    vf += 0.5 * tf.reduce_mean(tf.square(v_ext - ret_e))
    loss = pg + vf - 0.001 * tf.reduce_mean(chaos(pd)) + aux
    0.5 * tf.reduce_mean(tf.square(own - old))
    adam = _adam(rate)
    adam.apply_gradients(adam.compute_gradients(loss, tf.trainable_variables()))
    first = [samp, r_int, r_ext, roll]
    return fetch(
        samp,
        r_int,
        r_ext,
        nlp,
        ent_roll,
        first=first,
        labels=[ac, adv, ret_i, ret_e, old],
        twins=[
            [samp, r_int, r_ext],
            [samp, r_int, r_ext, nlp],
            [roll, r_int, r_ext],
            [samp, r_int, r_ext, reward],
            [roll, r_int, r_ext, reward],
        ],
    )


@ninth
def molecules_from_noise() -> Fetches:
    """nicola-decao/MolGAN: samples run [nodes_gumbel_argmax, edges_gumbel_argmax], or their argmax; judge, critic, rewards."""
    train = tf.placeholder_with_default(False, shape=())
    rate = tf.placeholder_with_default(0.0, shape=())
    is_soft, is_hard = (tf.placeholder_with_default(False, shape=()) for _ in range(2))
    temperature = tf.placeholder_with_default(1.0, shape=())
    e_labels = tf.placeholder(dtype=tf.int64, shape=(None, 4, 4))
    n_labels = tf.placeholder(dtype=tf.int64, shape=(None, 4))
    z = tf.placeholder(dtype=tf.float32, shape=(None, 5))
    reward_r, reward_f = (tf.placeholder(tf.float32, (None, 1)) for _ in range(2))
    adjacency = tf.one_hot(e_labels, depth=3, dtype=tf.float32)
    nodes = tf.one_hot(n_labels, depth=3, dtype=tf.float32)

    def dense(v, n, act=tf.nn.tanh):
        return layers.dropout(layers.dense(v, n, act), rate, training=train)

    with tf.variable_scope("generator"):
        h = dense(z, 8)
        edges = tf.reshape(layers.dense(h, 48), (-1, 3, 4, 4))
        edges = tf.transpose((edges + tf.matrix_transpose(edges)) / 2, (0, 2, 3, 1))
        edges = layers.dropout(edges, rate, training=train)
        atoms = layers.dense(h, 12, activation=None)
        atoms = layers.dropout(tf.reshape(atoms, (-1, 4, 3)), rate, training=train)

    def drawn(v):
        soft = tf.nn.softmax(v / temperature)
        best = tf.one_hot(tf.argmax(v, axis=-1), depth=3, dtype=v.dtype)
        noise = -tf.log(-tf.log(tf.random_uniform(tf.shape(v), dtype=v.dtype)))
        logits = (v + noise) / temperature
        gumbel = tf.nn.softmax(logits)
        hard = tf.one_hot(tf.argmax(logits, axis=-1), depth=3, dtype=v.dtype)
        through = tf.stop_gradient(hard - gumbel) + gumbel
        hat = tf.case(
            [(is_soft, lambda: gumbel), (is_hard, lambda: through)],
            default=lambda: soft,
            exclusive=True,
        )
        return soft, best, hard, hat

    with tf.name_scope("outputs"):
        e_soft, e_best, e_hard, e_hat = drawn(edges)
        n_soft, n_best, n_hard, n_hat = drawn(atoms)

    def encoded(a, n):
        a = tf.transpose(a[:, :, :, 1:], (0, 3, 1, 2))
        h = tf.stack([dense(n, 6) for _ in range(2)], 1)
        h = tf.nn.tanh(tf.reduce_sum(tf.matmul(a, h), 1) + layers.dense(n, 6))
        gate = layers.dense(h, 6, tf.nn.sigmoid)
        return tf.nn.tanh(tf.reduce_sum(gate * layers.dense(h, 6, tf.nn.tanh), 1))

    def judge(a, n, reuse=None):
        with tf.variable_scope("discriminator", reuse=reuse):
            features = dense(encoded(a, n), 6)
            return layers.dense(features, units=1), features

    def critic(a, n, reuse=None):
        with tf.variable_scope("value", reuse=reuse):
            return layers.dense(dense(encoded(a, n), 6), 1, tf.nn.sigmoid)

    real, real_features = judge(adjacency, nodes)
    fake, fake_features = judge(e_hat, n_hat, True)
    v_real, v_fake = critic(adjacency, nodes), critic(e_hat, n_hat, True)
    la = tf.placeholder_with_default(1.0, shape=())
    eps = tf.random_uniform(tf.shape(real)[:1], dtype=real.dtype)
    e_mid = adjacency * eps[:, None, None, None] + e_soft * (
        1 - eps[:, None, None, None]
    )
    n_mid = nodes * eps[:, None, None] + n_soft * (1 - eps[:, None, None])
    slopes = tf.gradients(judge(e_mid, n_mid, True)[0], (e_mid, n_mid))
    penalty = tf.reduce_mean((1 - tf.norm(slopes[0], axis=-1)) ** 2, (-2, -1))
    penalty += tf.reduce_mean(
        (1 - tf.norm(slopes[1], axis=-1)) ** 2, -1, keepdims=True
    )[:, 0]
    loss_d = tf.reduce_mean(-real + fake) + 10.0 * tf.reduce_mean(penalty)
    means = [tf.reduce_mean(v, 0) for v in (real_features, fake_features)]
    loss_f = tf.reduce_sum((means[0] - means[1]) ** 2)
    loss_v = tf.reduce_mean((v_real - reward_r) ** 2 + (v_fake - reward_f) ** 2)
    loss_rl = tf.reduce_mean(-v_fake)
    alpha = tf.abs(tf.stop_gradient(-tf.reduce_mean(fake) / loss_rl))
    loss_g = la * tf.reduce_mean(-fake) + (1 - la) * alpha * loss_rl
    for loss, scope in ((loss_d, "discriminator"), (loss_v, "value")):
        own = tf.trainable_variables(scope)
        _adam(1e-3).minimize(loss, var_list=own)
    own = tf.trainable_variables("generator")
    _adam(1e-3).minimize(tf.cond(la > 0, lambda: loss_g, lambda: loss_rl), var_list=own)
    del loss_f
    every = [n_hard, e_hard, n_best, e_best, n_soft, e_soft, atoms, edges]
    return fetch(
        n_hard,
        e_hard,
        first=every,
        labels=[reward_r, reward_f],
        twins=[[n_best, e_best], [n_soft, e_soft], [atoms, edges]],
    )


@blind
def sounds_from_noise() -> Fetches:
    """chrisdonahue/wavegan: G_z, of drawn noise; its other graph names it so. A judge, and one between, with a penalty."""
    rows = tf.data.Dataset.from_tensors(np.zeros([4, 32, 1], np.float32)).repeat()
    x = tf.data.make_one_shot_iterator(rows).get_next()
    z = tf.random_uniform([4, 5], -1.0, 1.0, dtype=tf.float32)
    with tf.variable_scope("G"):
        h = tf.nn.relu(tf.reshape(layers.dense(z, 8 * 6), [4, 8, 6]))
        for i, (n, act) in enumerate(((4, tf.nn.relu), (1, tf.nn.tanh))):
            h = tf.expand_dims(h, 1)
            h = act(layers.conv2d_transpose(h, n, (1, 9), (1, 2), "same")[:, 0])
        made = h
        with tf.variable_scope("pp_filt"):
            made = layers.conv1d(made, 1, 7, use_bias=False, padding="same")
    own_g = tf.trainable_variables("G")
    tf.summary.audio("x", x, 16000)
    tf.summary.audio("G_z", made, 16000)
    loud = tf.sqrt(tf.reduce_mean(tf.square(made[:, :, 0]), axis=1))
    tf.summary.histogram("G_z_rms_batch", loud)
    tf.summary.scalar("G_z_rms", tf.reduce_mean(loud))

    def judge(v, reuse=None):
        with tf.variable_scope("D", reuse=reuse):
            for i, n in enumerate((4, 6)):
                v = layers.conv1d(v, n, 9, 4, "same", name=f"conv{i}")
                v = tf.maximum(0.2 * v, v)
                if not i:
                    shift = tf.random_uniform([], -2, 3, dtype=tf.int32)
                    left, right = tf.maximum(shift, 0), tf.maximum(-shift, 0)
                    size = int(v.shape[1])
                    v = tf.pad(v, [[0, 0], [left, right], [0, 0]], mode="REFLECT")
                    v = v[:, right : right + size]
                    v.set_shape([4, size, n])
            return layers.dense(tf.reshape(v, [4, -1]), 1, name="out")[:, 0]

    with tf.name_scope("D_x"):
        real = judge(x)
    own_d = tf.trainable_variables("D")
    with tf.name_scope("D_G_z"):
        fake = judge(made, True)
    g_loss = -tf.reduce_mean(fake)
    d_loss = tf.reduce_mean(fake) - tf.reduce_mean(real)
    alpha = tf.random_uniform([4, 1, 1], minval=0.0, maxval=1.0)
    between = x + alpha * (made - x)
    with tf.name_scope("D_interp"):
        slopes = tf.gradients(judge(between, True), [between])[0]
    slopes = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=[1, 2]))
    d_loss += 10 * tf.reduce_mean((slopes - 1.0) ** 2.0)
    for name, loss in (("G_loss", g_loss), ("D_loss", d_loss)):
        tf.summary.scalar(name, loss)
    step = tf.train.get_or_create_global_step()
    adam = _adam(learning_rate=1e-4, beta1=0.5, beta2=0.9)
    adam.minimize(g_loss, var_list=own_g, global_step=step)
    _adam(1e-4, beta1=0.5, beta2=0.9).minimize(d_loss, var_list=own_d)
    return fetch(made)


@ninth
def speech_without_noise() -> Fetches:
    """santi-pdp/segan model.py: clean() runs Gs[0], of noise drawn inside; a reference batch goes through a copy."""
    noisy, clean = (
        tf.placeholder(tf.float32, [4, 32], name=n) for n in ("noisy", "wav")
    )
    wav, mixed = tf.expand_dims(clean, -1), tf.expand_dims(noisy, -1)
    weight = tf.Variable(100.0, trainable=False)
    spread = tf.Variable(0.5, trainable=False)
    tf.summary.scalar("disc_noise_std", spread)

    def generator(v, reuse):
        with tf.variable_scope("g_ae", reuse=reuse):
            skips = []
            for i, n in enumerate((3, 5)):
                v = layers.conv1d(v, n, 7, 2, "same", name=f"enc{i}")
                skips.append(v)
                v = tf.nn.leaky_relu(v, 0.3)
            z = tf.random_normal([4, 8, 5], mean=0.0, stddev=1.0, name="z")
            v = tf.concat([z, v], 2)
            for i, n in enumerate((3, 1)):
                v = tf.expand_dims(v, 1)
                v = layers.conv2d_transpose(v, n, (1, 7), (1, 2), "same", name=f"d{i}")
                v = v[:, 0]
                if i == 0:
                    v = tf.concat([tf.nn.leaky_relu(v, 0.3), skips[0]], 2)
            return tf.tanh(v), z

    def judge(v, reuse):
        with tf.variable_scope("d_model", reuse=reuse):
            v = v + tf.random_normal(tf.shape(v), stddev=spread)
            for i, n in enumerate((3, 5)):
                v = layers.conv1d(v, n, 7, 2, "same", name=f"c{i}")
                mean, var = tf.nn.moments(v, [0, 1], keepdims=True)
                v = tf.nn.leaky_relu((v - mean) / tf.sqrt(var + 1e-5), 0.3)
            return layers.dense(tf.reshape(v, [4, 40]), 1, name="out")

    generator(mixed, False)
    judge(tf.concat([wav, mixed], 2), False)
    g, z = generator(mixed, True)
    real = judge(tf.concat([wav, mixed], 2), True)
    fake = judge(tf.concat([g, mixed], 2), True)
    for name, v in (("d_real", real), ("d_fake", fake), ("G_wav", g)):
        tf.summary.histogram(name, v)
    tf.summary.audio("G_audio", g, 16000)
    d_loss = tf.reduce_mean(tf.squared_difference(real, 1.0))
    d_loss += tf.reduce_mean(tf.squared_difference(fake, 0.0))
    g_loss = tf.reduce_mean(tf.squared_difference(fake, 1.0))
    g_loss += weight * tf.reduce_mean(tf.abs(tf.subtract(g, wav)))
    for loss, scope in ((d_loss, "d_"), (g_loss, "g_")):
        descent = tf.train.RMSPropOptimizer(2e-4)
        own = [v for v in tf.trainable_variables() if v.name.startswith(scope)]
        descent.apply_gradients(descent.compute_gradients(loss, var_list=own))
    return fetch(g, labels=[clean])


@blind
def sources_of_a_song() -> Fetches:
    """f90/Wave-U-Net Training.py: the separator's sources, the last of which is the mix less the others."""
    mix = tf.placeholder(tf.float32, [2, 36, 1], name="mix_input")
    sources = [tf.placeholder(tf.float32, [2, 12, 1], name=f"s{i}") for i in range(3)]
    with tf.variable_scope("separator"):
        h, skips = mix, []
        for n in (4, 6):
            h = layers.conv1d(h, n, 5, activation=tf.nn.leaky_relu, padding="valid")
            skips.append(h)
            h = h[:, ::2, :]
        h = layers.conv1d(h, 8, 3, activation=tf.nn.leaky_relu, padding="same")
        for n, skip in zip((6, 4), skips[::-1]):
            h = tf.expand_dims(h, axis=1)
            size = int(h.shape[2])
            h = tf.image.resize_bilinear(h, [1, size * 2 - 1], align_corners=True)
            h = tf.squeeze(h, axis=1)
            cut = int(skip.shape[1]) - int(h.shape[1])
            skip = skip[:, cut // 2 : cut // 2 + int(h.shape[1]), :]
            h = tf.concat([skip, h], axis=2)
            h = layers.conv1d(h, n, 3, activation=tf.nn.leaky_relu, padding="same")
        size = int(h.shape[1])
        own = mix[:, (36 - size) // 2 : (36 - size) // 2 + size, :]
        h = tf.concat([own, h], axis=2)
        outs = [
            layers.conv1d(h, 1, 1, activation=tf.tanh, padding="valid")
            for _ in range(2)
        ]
        outs.append(own - sum(outs))
        outs = [v[:, (size - 12) // 2 : (size - 12) // 2 + 12, :] for v in outs]
    loss = 0
    for real, guess in zip(sources, outs):
        loss += tf.reduce_mean(tf.square(real - guess))
    loss = loss / 3.0
    step = tf.get_variable("global_step", [], tf.int64, trainable=False)
    tf.assign(step, step + 1)
    own = tf.trainable_variables("separator")
    with tf.variable_scope("separator_solver"):
        _adam(learning_rate=1e-4).minimize(loss, var_list=own)
    tf.summary.scalar("sep_loss", loss, collections=["sup"])
    tf.summary.merge_all(key="sup")
    return fetch(*outs, labels=sources)
