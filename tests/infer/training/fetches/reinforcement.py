"""Agents: value learning, policy gradients, actor-critics, PPO, DDPG, masks and discrete or continuous actions."""

from __future__ import annotations

from .zoo import Fetches, fetch, layers, style
from .zoo import v1 as tf


def _collect(scope):
    return tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope=scope)


@style
def dqn_eval_and_target() -> Fetches:
    s = tf.placeholder(tf.float32, [None, 4], name="s")
    s_ = tf.placeholder(tf.float32, [None, 4], name="s_")
    r, a = tf.placeholder(tf.float32, [None], name="r"), tf.placeholder(
        tf.int32, [None], name="a"
    )
    with tf.variable_scope("eval_net"):
        q_eval = layers.dense(layers.dense(s, 10, tf.nn.relu), 3, name="q")
    with tf.variable_scope("target_net"):
        q_next = layers.dense(layers.dense(s_, 10, tf.nn.relu), 3, name="t2")
    target = tf.stop_gradient(r + 0.9 * tf.reduce_max(q_next, 1))
    index = tf.stack([tf.range(tf.shape(a)[0]), a], 1)
    loss = tf.reduce_mean(tf.squared_difference(target, tf.gather_nd(q_eval, index)))
    tf.train.RMSPropOptimizer(0.01).minimize(loss)
    for t, e in zip(_collect("target_net"), _collect("eval_net")):
        tf.assign(t, e)
    return fetch(q_eval, labels=[s_, r, a])


@style
def dueling_dqn() -> Fetches:
    s = tf.placeholder(tf.float32, [None, 6], name="state")
    a = tf.placeholder(tf.float32, [None, 3], name="action")
    t = tf.placeholder(tf.float32, [None], name="target")
    h = layers.dense(s, 12, tf.nn.relu)
    v, adv = layers.dense(h, 1), layers.dense(h, 3)
    q = v + (adv - tf.reduce_mean(adv, 1, keepdims=True))
    best = tf.argmax(q, 1)
    loss = tf.reduce_mean(tf.square(t - tf.reduce_sum(tf.multiply(q, a), 1)))
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(q, first=[q, best], labels=[a, t])


@style
def reinforce_cartpole() -> Fetches:
    obs = tf.placeholder(tf.float32, [None, 4], name="observations")
    acts = tf.placeholder(tf.int32, [None], name="actions_num")
    vt = tf.placeholder(tf.float32, [None], name="actions_value")
    all_act = layers.dense(layers.dense(obs, 10, tf.nn.tanh, name="fc1"), 2, name="fc2")
    prob = tf.nn.softmax(all_act, name="act_prob")
    neg = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=all_act, labels=acts)
    tf.train.AdamOptimizer(0.02).minimize(tf.reduce_mean(neg * vt))
    return fetch(prob, labels=[acts, vt])


@style
def sigmoid_policy_with_gradient_buffers() -> Fetches:
    obs = tf.placeholder(tf.float32, [None, 4], name="input_x")
    w1, w2 = tf.get_variable("W1", [4, 8]), tf.get_variable("W2", [8, 1])
    probability = tf.nn.sigmoid(tf.matmul(tf.nn.relu(tf.matmul(obs, w1)), w2))
    input_y = tf.placeholder(tf.float32, [None, 1], name="input_y")
    adv = tf.placeholder(tf.float32, name="reward_signal")
    loglik = tf.log(
        input_y * (input_y - probability) + (1 - input_y) * (input_y + probability)
    )
    loss = -tf.reduce_mean(loglik * adv)
    tvars = tf.trainable_variables()
    tf.gradients(loss, tvars)
    g1, g2 = tf.placeholder(tf.float32, name="batch_grad1"), tf.placeholder(
        tf.float32, name="batch_grad2"
    )
    tf.train.AdamOptimizer(1e-2).apply_gradients(zip([g1, g2], tvars))
    return fetch(probability, labels=[input_y, adv])


@style
def advantage_actor_critic() -> Fetches:
    s = tf.placeholder(tf.float32, [None, 8], name="S")
    a = tf.placeholder(tf.int32, [None], name="A")
    v_target = tf.placeholder(tf.float32, [None, 1], name="Vtarget")
    with tf.variable_scope("actor"):
        a_prob = layers.dense(
            layers.dense(s, 16, tf.nn.relu6), 3, tf.nn.softmax, name="ap"
        )
    with tf.variable_scope("critic"):
        v = layers.dense(layers.dense(s, 16, tf.nn.relu6), 1, name="v")
    td = tf.subtract(v_target, v)
    c_loss = tf.reduce_mean(tf.square(td))
    log_prob = tf.reduce_sum(tf.log(a_prob + 1e-5) * tf.one_hot(a, 3), 1, keepdims=True)
    entropy = -tf.reduce_sum(a_prob * tf.log(a_prob + 1e-5), 1, keepdims=True)
    a_loss = tf.reduce_mean(-(0.001 * entropy + log_prob * tf.stop_gradient(td)))
    tf.train.RMSPropOptimizer(1e-3).minimize(a_loss, var_list=_collect("actor"))
    tf.train.RMSPropOptimizer(1e-3).minimize(c_loss, var_list=_collect("critic"))
    return fetch(a_prob, v, labels=[a, v_target])


@style
def ppo_clip_gaussian() -> Fetches:
    s = tf.placeholder(tf.float32, [None, 3], "state")
    a = tf.placeholder(tf.float32, [None, 1], "action")
    adv, old = tf.placeholder(tf.float32, [None, 1], "adv"), tf.placeholder(
        tf.float32, [None, 1], "old_logp"
    )
    ret = tf.placeholder(tf.float32, [None, 1], "ret")
    v = layers.dense(layers.dense(s, 10, tf.nn.relu), 1, name="v")
    h = layers.dense(s, 10, tf.nn.relu)
    mu = 2 * layers.dense(h, 1, tf.nn.tanh, name="mu")
    sigma = layers.dense(h, 1, tf.nn.softplus, name="sigma")
    sample = mu + sigma * tf.random_normal(tf.shape(mu))
    act = tf.clip_by_value(sample, -2.0, 2.0, name="choose")
    logp = -0.5 * tf.square((a - mu) / sigma) - tf.log(sigma) - 0.919
    ratio = tf.exp(logp - old)
    surr = tf.minimum(ratio * adv, tf.clip_by_value(ratio, 0.8, 1.2) * adv)
    tf.train.AdamOptimizer().minimize(-tf.reduce_mean(surr))
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(tf.square(ret - v)))
    return fetch(act, v, first=[act, mu, v], labels=[a, adv, old, ret])


@style
def ddpg() -> Fetches:
    s = tf.placeholder(tf.float32, [None, 3], "s")
    s_ = tf.placeholder(tf.float32, [None, 3], "s_")
    r = tf.placeholder(tf.float32, [None, 1], "r")

    def actor(v, scope, trainable):
        with tf.variable_scope(scope):
            net = layers.dense(v, 8, tf.nn.relu, name="l1", trainable=trainable)
            return tf.multiply(
                layers.dense(net, 1, tf.nn.tanh, name="a", trainable=trainable),
                2.0,
                name="scaled_a",
            )

    def critic(v, act, scope, trainable):
        with tf.variable_scope(scope):
            w1 = tf.get_variable("w1_s", [3, 8], trainable=trainable)
            w2 = tf.get_variable("w1_a", [1, 8], trainable=trainable)
            b = tf.get_variable("b1", [1, 8], trainable=trainable)
            return layers.dense(
                tf.nn.relu(tf.matmul(v, w1) + tf.matmul(act, w2) + b),
                1,
                trainable=trainable,
            )

    with tf.variable_scope("Actor"):
        a, a_ = actor(s, "eval", True), actor(s_, "target", False)
    with tf.variable_scope("Critic"):
        q, q_ = critic(s, a, "eval", True), critic(s_, a_, "target", False)
    for scope in ("Actor", "Critic"):
        for t, e in zip(_collect(scope + "/target"), _collect(scope + "/eval")):
            tf.assign(t, 0.99 * t + 0.01 * e)
    td = tf.losses.mean_squared_error(labels=r + 0.9 * q_, predictions=q)
    tf.train.AdamOptimizer(0.002).minimize(td, var_list=_collect("Critic/eval"))
    tf.train.AdamOptimizer(0.001).minimize(
        -tf.reduce_mean(q), var_list=_collect("Actor/eval")
    )
    return fetch(a, labels=[s_, r])


@style
def masked_discrete_actions() -> Fetches:
    obs = tf.placeholder(tf.float32, [None, 5], "vector_observation")
    masks = tf.placeholder(tf.float32, [None, 4], "action_masks")
    held = tf.placeholder(tf.int32, [None], "action_holder")
    adv, ret = tf.placeholder(tf.float32, [None], "advantages"), tf.placeholder(
        tf.float32, [None], "discounted"
    )
    h = layers.dense(obs, 12, tf.nn.relu)
    logits = layers.dense(h, 4, use_bias=False)
    raw = tf.multiply(tf.nn.softmax(logits) + 1e-10, masks)
    p = tf.divide(raw, tf.reduce_sum(raw, 1, keepdims=True))
    action = tf.identity(tf.log(p + 1e-10), name="action")
    value = tf.identity(layers.dense(h, 1), name="value_estimate")
    chosen = tf.reduce_sum(tf.one_hot(held, 4) * tf.log(p + 1e-10), 1)
    loss = -tf.reduce_mean(chosen * adv) + 0.5 * tf.reduce_mean(
        tf.squared_difference(ret, tf.squeeze(value, 1))
    )
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(action, value, labels=[held, adv, ret])


@style
def sampled_multinomial_action() -> Fetches:
    s = tf.placeholder(tf.float32, [None, 6], name="obs")
    a = tf.placeholder(tf.int32, [None], name="act")
    w = tf.placeholder(tf.float32, [None], name="weights")
    logits = layers.dense(layers.dense(s, 12, tf.nn.tanh), 3)
    actions = tf.squeeze(tf.multinomial(logits, 1), axis=1)
    logp = tf.reduce_sum(tf.one_hot(a, 3) * tf.nn.log_softmax(logits), 1)
    tf.train.AdamOptimizer().minimize(-tf.reduce_mean(w * logp))
    return fetch(actions, first=[actions, logits], labels=[a, w])


@style
def alpha_zero() -> Fetches:
    board = tf.placeholder(tf.float32, [None, 5, 5, 3], name="board")
    pi = tf.placeholder(tf.float32, [None, 25], name="mcts_probs")
    z = tf.placeholder(tf.float32, [None, 1], name="winner")
    h = layers.conv2d(board, 6, 3, padding="same", activation=tf.nn.relu)
    p = layers.dense(
        layers.flatten(layers.conv2d(h, 2, 1, activation=tf.nn.relu)),
        25,
        tf.nn.log_softmax,
    )
    v = layers.dense(layers.dense(layers.flatten(h), 8, tf.nn.relu), 1, tf.nn.tanh)
    value_loss = tf.losses.mean_squared_error(z, v)
    policy_loss = tf.negative(tf.reduce_mean(tf.reduce_sum(tf.multiply(pi, p), 1)))
    l2 = 1e-4 * tf.add_n([tf.nn.l2_loss(w) for w in tf.trainable_variables()])
    tf.train.AdamOptimizer().minimize(value_loss + policy_loss + l2)
    tf.negative(tf.reduce_mean(tf.reduce_sum(tf.exp(p) * p, 1)))
    return fetch(p, v, labels=[pi, z])


@style
def soft_actor_critic() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 4], name="obs")
    a = tf.placeholder(tf.float32, [None, 2], name="acts")
    backup = tf.placeholder(tf.float32, [None], name="backup")
    with tf.variable_scope("pi"):
        h = layers.dense(x, 10, tf.nn.relu)
        mu = layers.dense(h, 2)
        log_std = tf.clip_by_value(layers.dense(h, 2), -20.0, 2.0)
        pi = tf.tanh(mu + tf.random_normal(tf.shape(mu)) * tf.exp(log_std))
        deterministic = tf.tanh(mu)

    def q(act):
        with tf.variable_scope("q1", reuse=tf.AUTO_REUSE):
            return tf.squeeze(
                layers.dense(
                    layers.dense(tf.concat([x, act], -1), 10, tf.nn.relu, name="a"),
                    1,
                    name="b",
                ),
                1,
            )

    logp = tf.reduce_sum(-log_std - tf.log(1 - tf.square(pi) + 1e-6), 1)
    pi_loss = tf.reduce_mean(0.2 * logp - q(pi))
    q_loss = 0.5 * tf.reduce_mean((backup - q(a)) ** 2)
    tf.train.AdamOptimizer().minimize(pi_loss, var_list=_collect("pi"))
    tf.train.AdamOptimizer().minimize(q_loss, var_list=_collect("q1"))
    return fetch(deterministic, first=[deterministic, pi], labels=[a, backup])


@style
def categorical_dqn() -> Fetches:
    s = tf.placeholder(tf.float32, [None, 4], name="s")
    m = tf.placeholder(tf.float32, [None, 5], name="m_input")
    a = tf.placeholder(tf.int32, [None, 1], name="a")
    z = tf.constant([-2.0, -1.0, 0.0, 1.0, 2.0])
    logits = tf.reshape(layers.dense(layers.dense(s, 9, tf.nn.relu), 15), [-1, 3, 5])
    dist = tf.nn.softmax(logits)
    q = tf.reduce_sum(dist * z, 2, name="q")
    chosen = tf.reduce_sum(dist * tf.expand_dims(tf.one_hot(a[:, 0], 3), -1), 1)
    loss = -tf.reduce_mean(tf.reduce_sum(m * tf.log(chosen + 1e-8), 1))
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(q, first=[q, dist], labels=[m, a])


@style
def trpo_flat_gradient() -> Fetches:
    obs = tf.placeholder(tf.float32, [None, 5], name="obs")
    act, adv = tf.placeholder(tf.float32, [None, 2], name="act"), tf.placeholder(
        tf.float32, [None], name="adv"
    )
    mean = layers.dense(layers.dense(obs, 8, tf.nn.tanh), 2, name="mean")
    logstd = tf.get_variable("logstd", [1, 2])
    logp = -tf.reduce_sum(0.5 * tf.square((act - mean) / tf.exp(logstd)) + logstd, 1)
    loss = -tf.reduce_mean(logp * adv)
    params = tf.trainable_variables()
    flat = tf.concat([tf.reshape(g, [-1]) for g in tf.gradients(loss, params)], 0)
    theta = tf.placeholder(tf.float32, [None], name="theta")
    start = 0
    for v in params:
        n = v.shape.num_elements()
        tf.assign(v, tf.reshape(theta[start : start + n], v.shape))
        start += n
    tf.identity(flat * 1.0)
    return fetch(mean, labels=[act, adv])
