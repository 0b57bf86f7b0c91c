"""Classes, actions, values, scores."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, eighth, fetch, layers
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


def _mlp(v, sizes, act=tf.nn.relu, last=None):
    for n in sizes[:-1]:
        v = layers.dense(v, n, act)
    return layers.dense(v, sizes[-1], last)


@eighth
def classes_beside_their_logits() -> Fetches:
    """File 13775238000: predict runs y_hat, a softmax that nothing reads."""
    x, y = tf.placeholder(tf.float32, [None, 9]), tf.placeholder(tf.float32, [None, 4])
    names = {"w_h": (9, 12), "b_h": (12,), "w_o": (12, 4), "b_o": (4,)}
    v = {
        n: tf.get_variable(n, initializer=tf.random_uniform(s))
        for n, s in names.items()
    }
    with tf.name_scope("DNN"):
        hidden = tf.nn.relu(tf.add(tf.matmul(x, v["w_h"]), v["b_h"]))
        logits = tf.add(tf.matmul(hidden, v["w_o"]), v["b_o"])
        y_hat = tf.nn.softmax(logits)
    with tf.name_scope("cost"):
        cross = tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y)
        cost = tf.reduce_mean(cross)
    _adam(0.1).minimize(cost)
    return fetch(y_hat, first=[y_hat, logits], labels=[y])


@eighth
def land_cover_by_patches() -> Fetches:
    """File 24855259229: predict runs y_hat, logits; losses and accuracies are built anew in every epoch."""
    with tf.name_scope("placeholder"):
        x = tf.placeholder(tf.float32, [None, 5, 5, 8], name="x")
        y = tf.placeholder(tf.float32, [None, 4], name="y")
        phase = tf.placeholder(tf.bool, name="phase")

    def weights(shape):
        init = tf.random_normal(shape, stddev=0.1)
        return tf.Variable(init), tf.Variable(tf.constant(0.1, shape=shape[-1:]))

    def conv(v, n):
        w, b = weights([3, 3, int(v.shape[3]), n])
        v = tf.nn.conv2d(v, w, [1] * 4, "SAME")
        return tf.nn.relu(tf.nn.bias_add(v, b))

    h = layers.batch_normalization(x, training=phase)
    h = layers.batch_normalization(conv(h, 6), training=phase)
    h = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    h = tf.nn.max_pool(conv(h, 8), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    w, b = weights([2 * 2 * 8, 12])
    h = tf.add(tf.matmul(tf.reshape(h, [-1, 2 * 2 * 8]), w), b)
    w, b = weights([12, 4])
    y_hat = tf.add(tf.matmul(tf.nn.dropout(h, rate=0.8), w), b)

    def loss():
        cross = tf.nn.softmax_cross_entropy_with_logits_v2(logits=y_hat, labels=y)
        return tf.reduce_mean(cross)

    _adam(0.01).minimize(loss())
    for _ in range(2):
        loss()
        right = tf.equal(tf.argmax(y_hat, 1), tf.argmax(y, 1))
        tf.reduce_mean(tf.cast(right, tf.float32))
    return fetch(y_hat, labels=[y])


@eighth
def normal_actions_with_an_offset() -> Fetches:
    """File 26473474480, continuous: choose_action runs action, inference mu, statistics v."""
    s = tf.placeholder(tf.float32, [None, 5], "vector_observation")
    a = tf.placeholder(tf.float32, [None, 2], "pl_action")
    episode = tf.placeholder(tf.int32, [], "episode")
    dc_r = tf.placeholder(tf.float32, [None, 1], name="discounted_reward")
    lr = tf.train.polynomial_decay(5e-4, episode, 50000, 1e-10, power=1.0)
    offset = tf.placeholder(tf.float32, [2], "sigma_offset")
    step = tf.get_variable("global_step", (), tf.int32, trainable=False)
    with tf.variable_scope("actor"):
        h = layers.dense(layers.dense(s, 12, tf.nn.relu), 12, tf.nn.relu)
        mu, sigma = layers.dense(h, 2, tf.nn.tanh), layers.dense(h, 2, tf.nn.sigmoid)
    scale = sigma + offset
    drawn = mu + scale * tf.random_normal(tf.shape(mu))
    sample = tf.clip_by_value(drawn, -1, 1)
    log_prob = -0.5 * tf.square((a - mu) / scale) - tf.log(scale) - 0.9189385
    with tf.variable_scope("critic"):
        v = _mlp(s, (12, 12, 1))
    entropy = 1.4189385 + tf.log(scale)
    tf.summary.scalar("LOSS/entropy", tf.reduce_mean(entropy))
    action = tf.identity(sample, name="action")
    advantage = tf.stop_gradient(dc_r - v)
    actor_loss = tf.reduce_mean(log_prob * advantage)
    critic_loss = tf.reduce_mean(tf.squared_difference(v, dc_r))
    adam = _adam(lr)
    critic = adam.minimize(critic_loss, var_list=tf.trainable_variables("critic"))
    with tf.control_dependencies([critic]):
        own = tf.trainable_variables("actor")
        adam.minimize(-actor_loss, var_list=own, global_step=step)
    for tag, value in (("actor", -actor_loss), ("critic", critic_loss), ("lr", lr)):
        tf.summary.scalar("LOSS/" + tag, tf.reduce_mean(value))
    tf.summary.merge_all()
    return fetch(
        *(mu, action, v), first=[mu, action], labels=[a, dc_r], twins=[(mu, v)]
    )


@eighth
def chosen_actions_by_name() -> Fetches:
    """File 26473474480, discrete: choose_action runs action, the argmax of the probabilities; v beside."""
    s = tf.placeholder(tf.float32, [None, 5], "vector_observation")
    a = tf.placeholder(tf.float32, [None, 3], "pl_action")
    dc_r = tf.placeholder(tf.float32, [None, 1], name="discounted_reward")
    step = tf.get_variable("global_step", (), tf.int32, trainable=False)
    with tf.variable_scope("actor"):
        probs = _mlp(s, (12, 12, 3), last=tf.nn.softmax)
    with tf.variable_scope("critic"):
        v = _mlp(s, (12, 12, 1))
    chosen = tf.argmax(probs, axis=1)
    log = tf.log(tf.reduce_sum(tf.multiply(probs, a), axis=1))[:, np.newaxis]
    action = tf.identity(chosen, name="action")
    advantage = tf.stop_gradient(dc_r - v)
    actor_loss = tf.reduce_mean(log * advantage)
    critic_loss = tf.reduce_mean(tf.squared_difference(v, dc_r))
    adam = _adam(5e-4)
    critic = adam.minimize(critic_loss, var_list=tf.trainable_variables("critic"))
    with tf.control_dependencies([critic]):
        own = tf.trainable_variables("actor")
        adam.minimize(-actor_loss, var_list=own, global_step=step)
    return fetch(
        *(action, v), first=[action, probs], labels=[a, dc_r], twins=[(probs, v)]
    )


@eighth
def both_states_in_one_batch() -> Fetches:
    """File 31443601946: get_action runs the last of predict; states and next states are one batch, split for the loss."""

    def net(scope):
        frames = tf.placeholder(tf.uint8, [None, 4, 12, 12])
        tf.placeholder(tf.int32, [])
        with tf.variable_scope(scope):
            h = tf.transpose(frames / 255, [0, 2, 3, 1])
            for n, k in ((6, 4), (8, 3)):
                h = layers.conv2d(h, n, k, 2, use_bias=False, activation=tf.nn.relu)
            one, two = tf.split(layers.flatten(h), 2, axis=1)
            half = int(one.shape[1])
            w, u = (tf.Variable(tf.random_normal([half, n])) for n in (3, 1))
            advantages, value = tf.matmul(one, w), tf.matmul(two, u)
            mean = tf.reduce_mean(advantages, axis=1, keepdims=True)
            q = value + (advantages - mean)
            predict = tf.argmax(q, 1)
            return q, predict, predict[-1]

    q, predict, action = net("main")
    target_q, _, _ = net("target")
    rewards, ends = (tf.placeholder(tf.float32, [None]) for _ in "re")
    taken = tf.placeholder(tf.int32, [None])

    def select(values, actions):
        return tf.reduce_sum(values * tf.one_hot(actions, 3, 1.0, 0.0), axis=1)

    now, later = tf.split(q, 2)
    value = select(now, taken)
    best = select(target_q, tf.argmax(later, 1))
    target = tf.stop_gradient(rewards + 0.99 * best * (-ends + 1))
    loss = tf.losses.huber_loss(value, target)
    tf.summary.scalar("loss", loss)
    tf.train.RMSPropOptimizer(0.00025, momentum=0.95, epsilon=0.01).minimize(loss)
    pairs = zip(tf.trainable_variables("main"), tf.trainable_variables("target"))
    _ = [t.assign(m.value()) for m, t in pairs]
    return fetch(action, first=[action, predict, q], labels=[rewards, ends, taken])


@eighth
def clicks_weighed_by_their_cost() -> Fetches:
    """File 31256645906: inference runs scores, compute_logits logits; each example has a weight."""
    u, i = (tf.placeholder(tf.int32, [None]) for _ in "ui")
    y, w = (tf.placeholder(tf.float32, [None]) for _ in "yw")
    lr = tf.placeholder(tf.float32, [], name="learning_rate")
    users, items = (tf.get_variable(n, [9, 4]) for n in ("user_emb_w", "item_emb_w"))
    user_b, item_b = (tf.get_variable(n, [9]) for n in ("user_b", "item_b"))
    one, two = tf.nn.embedding_lookup(users, u), tf.nn.embedding_lookup(items, i)
    logits = tf.reduce_sum(one * two, axis=-1)
    logits = logits + tf.gather(user_b, u) + tf.gather(item_b, i)
    scores = tf.nn.sigmoid(logits)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=y)
    for name, v in (("logits", logits), ("scores", scores), ("loss", losses)):
        mean = tf.reduce_mean(v)
        tf.summary.scalar(name + "_mean", mean)
        deviation = tf.sqrt(tf.reduce_mean(tf.square(v - mean)))
        tf.summary.scalar(name + "_stddev", deviation)
        tf.summary.scalar(name + "_max", tf.reduce_max(v))
        tf.summary.histogram(name, v)
    loss = tf.reduce_mean(losses * w)
    step = tf.Variable(0, trainable=False, name="global_step")
    own = tf.trainable_variables()
    clipped, _ = tf.clip_by_global_norm(tf.gradients(loss, own), 5)
    _adam(lr).apply_gradients(zip(clipped, own), global_step=step)
    tf.summary.merge_all()
    return fetch(scores, first=[scores, logits], labels=[y, w])


@eighth
def actor_without_its_critic() -> Fetches:
    """File 26550898987: predict runs mu; the gradient by the action is fed, and divided by the batch's size."""
    with tf.variable_scope("actor"):
        x = tf.placeholder(tf.float32, [None, 4], name="inputs")
        slope = tf.placeholder(tf.float32, [None, 2])
        h = x
        for n in (12, 8):
            h = tf.nn.relu(layers.batch_normalization(layers.dense(h, n)))
        mu = tf.multiply(layers.dense(h, 2, tf.nn.tanh), np.float32([2.0, 2.0]))
    own = tf.trainable_variables("actor")
    grads = [tf.div(g, 64) for g in tf.gradients(mu, own, -slope)]
    _adam(0.0001).apply_gradients(zip(grads, own))
    return fetch(mu, labels=[slope])


@eighth
def discrete_soft_actor() -> Fetches:
    """File 6834171582: get_action runs pi, get_means mu; values of all actions, an entropy that is learned."""
    x, x2 = (tf.placeholder(tf.float32, [None, 5]) for _ in "xy")
    a = tf.placeholder(tf.float32, [None, 3])
    r, d = (tf.placeholder(tf.float32, [None]) for _ in "rd")
    target_entropy = tf.log(tf.cast(3, tf.float32)) * 0.5
    log_alpha = tf.get_variable("log_alpha", initializer=0.5)
    alpha = tf.exp(log_alpha)

    def nets(s):
        with tf.variable_scope("pi"):
            logits = _mlp(s, (8, 8, 3))
            log = tf.nn.log_softmax(logits, axis=-1)
            mu = tf.argmax(logits, axis=-1)
            pi = tf.squeeze(tf.multinomial(logits, 1), axis=1)
            entropy = -tf.reduce_sum(tf.exp(log) * log, axis=-1)
        qs = []
        for n in ("q1", "q2"):
            with tf.variable_scope(n):
                qs.append(_mlp(s, (8, 8, 3)))
        hot = tf.one_hot(pi, 3)
        taken = [tf.reduce_sum(q * a, axis=1) for q in qs]
        drawn = [tf.reduce_sum(q * hot, axis=1) for q in qs]
        return mu, pi, entropy, logits, qs, taken, drawn

    with tf.variable_scope("main"):
        mu, pi, entropy, logits, qs, taken, _ = nets(x)
    with tf.variable_scope("target"):
        _, _, later, _, _, _, drawn = nets(x2)
    low = tf.minimum(*qs)
    backup = tf.stop_gradient(tf.minimum(*drawn) + alpha * later)
    backup = r + 0.99 * (1 - d) * backup
    losses = [0.5 * tf.reduce_mean((backup - q) ** 2) for q in taken]
    cross = tf.nn.softmax(logits, axis=-1) * tf.nn.log_softmax(low, axis=-1)
    pi_loss = tf.reduce_mean(-tf.reduce_sum(cross, axis=-1) - alpha * entropy)
    stop = tf.stop_gradient(target_entropy - entropy)
    alpha_loss = -tf.reduce_mean(log_alpha * stop)
    step = _adam(1e-3).minimize(pi_loss, var_list=tf.trainable_variables("main/pi"))
    with tf.control_dependencies([step]):
        own = tf.trainable_variables("main/q")
        step = _adam(1e-3).minimize(sum(losses), var_list=own)
    with tf.control_dependencies([step]):
        _adam(1e-3).minimize(alpha_loss, var_list=[log_alpha])
        pairs = zip(tf.trainable_variables("main"), tf.trainable_variables("target"))
        tf.group([tf.assign(t, 0.995 * t + 0.005 * m) for m, t in pairs])
    return fetch(pi, mu, first=[pi, mu, logits], labels=[a, r, d])


@eighth
def rewards_in_double_precision() -> Fetches:
    """File 31306897745: predict runs the reward of state, action and next state."""
    s, sn = (tf.placeholder(tf.float64, [None, 4]) for _ in "sn")
    a = tf.placeholder(tf.float64, [None, 2])
    target = tf.placeholder(tf.float64, [None, 1])
    with tf.variable_scope("rewards_model"):
        out = _mlp(tf.concat([s, a, sn], axis=1), (12, 12, 1), tf.tanh)
    loss = tf.reduce_mean(tf.nn.l2_loss(out - target))
    _adam(1e-3).minimize(loss)
    return fetch(out, labels=[target])


@eighth
def value_of_state_and_action() -> Fetches:
    """File 23477771112: Y_hat; a second layer was built and forgotten."""
    x = tf.placeholder("float32", [None, 5])
    y = tf.placeholder("float32", [None, 1])
    with tf.variable_scope("pi"):
        one = layers.dense(x, 12, tf.nn.relu)
        layers.dense(one, 12, tf.nn.relu)
        y_hat = layers.dense(one, 1)
    loss = 0.5 * tf.losses.mean_squared_error(y, y_hat)
    _adam(tf.placeholder("float32", [])).minimize(loss)
    return fetch(y_hat, labels=[y])


@eighth
def scores_filtered_by_action() -> Fetches:
    """File 18950217258: eval runs scores; the loss filters one of each row."""
    x = tf.placeholder(tf.float32, [None, 4], name="input_x")
    y = tf.placeholder(tf.float32, [None], name="input_y")
    actions = tf.placeholder(tf.int32, [None], name="filters")

    def layer(v, n, name):
        w = tf.Variable(tf.truncated_normal([int(v.shape[1]), n], stddev=0.1), name="W")
        b = tf.Variable(tf.constant(0.0, shape=[n]), name="b")
        return tf.nn.xw_plus_b(v, w, b, name=name)

    h = x
    for n in (12, 8):
        with tf.name_scope(f"FC-{n}"):
            h = tf.nn.relu(layer(h, n, "Z"), name="A")
    with tf.name_scope("regression"):
        scores = layer(h, 2, "scores")
    with tf.name_scope("loss"):
        hot = tf.one_hot(actions, 2, axis=-1, name="filters")
        q = tf.reduce_sum(tf.multiply(scores, hot), axis=1)
        loss = tf.reduce_mean(tf.square(y - q))
    _adam(0.002).minimize(loss)
    return fetch(scores, labels=[y, actions])
