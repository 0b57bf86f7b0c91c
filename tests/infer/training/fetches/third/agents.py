"""Acting and learning: policies, values, copies, states."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, layers, third
from ..zoo import v1 as tf


def _collect(scope):
    return tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope=scope)


@third
def epsilon_greedy_act() -> Fetches:
    """openai/baselines deepq.build_graph: act returns output_actions, exploring by an epsilon that is a variable."""
    observation = tf.placeholder(tf.float32, [None, 6], name="deepq/observation")
    stochastic = tf.placeholder(tf.bool, (), name="deepq/stochastic")
    update = tf.placeholder(tf.float32, (), name="deepq/update_eps")

    def q_func(v, scope, reuse=False):
        with tf.variable_scope(scope, reuse=reuse):
            h = layers.dense(v, 16, tf.nn.relu, name="h")
            return layers.dense(h, 4, name="q")

    eps = tf.get_variable("eps", (), initializer=tf.constant_initializer(0))
    q = q_func(observation, "q_func")
    greedy = tf.argmax(q, axis=1)
    n = tf.shape(observation)[0]
    drawn = tf.random_uniform(tf.stack([n]), minval=0, maxval=4, dtype=tf.int64)
    chance = tf.random_uniform(tf.stack([n]), minval=0, maxval=1) < eps
    mixed = tf.where(chance, drawn, greedy)
    action = tf.cond(stochastic, lambda: mixed, lambda: greedy)
    new = eps.assign(tf.cond(update >= 0, lambda: update, lambda: eps))
    taken = tf.placeholder(tf.int32, [None], name="action")
    reward = tf.placeholder(tf.float32, [None], name="reward")
    after = tf.placeholder(tf.float32, [None, 6], name="obs_tp1")
    done = tf.placeholder(tf.float32, [None], name="done")
    weights = tf.placeholder(tf.float32, [None], name="weight")
    q_t, q_next = q_func(observation, "q_func", True), q_func(after, "target_q_func")
    chosen = tf.reduce_sum(q_t * tf.one_hot(taken, 4), 1)
    best = tf.one_hot(tf.argmax(q_func(after, "q_func", True), 1), 4)
    masked = (1.0 - done) * tf.reduce_sum(q_next * best, 1)
    error = chosen - tf.stop_gradient(reward + 0.99 * masked)
    huber = tf.where(tf.abs(error) < 1.0, tf.square(error) * 0.5, tf.abs(error) - 0.5)
    loss = tf.reduce_mean(weights * huber)
    adam = tf.train.AdamOptimizer(1e-3)
    grads = adam.compute_gradients(loss, var_list=_collect("q_func"))
    clipped = [(tf.clip_by_norm(g, 10), v) for g, v in grads if g is not None]
    adam.apply_gradients(clipped)
    copies = [
        t.assign(v) for v, t in zip(_collect("q_func"), _collect("target_q_func"))
    ]
    tf.group(*copies, new)
    return fetch(action, first=[action, q, greedy, q_t], labels=[taken, reward, after])


@third
def acting_and_training_models() -> Fetches:
    """openai/baselines ppo2: act_model.step returns the action, the value and its neglogp."""

    def policy(n, reuse):
        x = tf.placeholder(tf.uint8, [n, 8, 8, 2], name="Ob")
        with tf.variable_scope("ppo2_model", reuse=reuse):
            h = tf.cast(x, tf.float32) / 255.0
            h = layers.conv2d(h, 8, 4, 2, activation=tf.nn.relu, name="c1")
            h = layers.dense(layers.flatten(h), 16, tf.nn.relu, name="fc1")
            logits = layers.dense(h, 4, name="pi")
            value = layers.dense(h, 1, name="vf")[:, 0]
        return x, logits, value

    def neglogp(logits, a):
        return tf.nn.softmax_cross_entropy_with_logits_v2(
            logits=logits, labels=tf.one_hot(a, 4)
        )

    _, act_logits, act_value = policy(4, False)
    u = tf.random_uniform(tf.shape(act_logits))
    action = tf.argmax(act_logits - tf.log(-tf.log(u)), axis=-1)
    act_neglogp = neglogp(act_logits, action)
    _, logits, value = policy(16, True)
    a = tf.placeholder(tf.int64, [None])
    adv, ret, old, old_value = (tf.placeholder(tf.float32, [None]) for _ in range(4))
    rate, clip = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    logp = neglogp(logits, a)
    shifted = logits - tf.reduce_max(logits, -1, keepdims=True)
    exp = tf.exp(shifted)
    z = tf.reduce_sum(exp, -1, keepdims=True)
    entropy = tf.reduce_mean(tf.reduce_sum(exp / z * (tf.log(z) - shifted), -1))
    near = old_value + tf.clip_by_value(value - old_value, -clip, clip)
    vf_loss = 0.5 * tf.reduce_mean(
        tf.maximum(tf.square(value - ret), tf.square(near - ret))
    )
    ratio = tf.exp(old - logp)
    pg_loss = tf.reduce_mean(
        tf.maximum(-adv * ratio, -adv * tf.clip_by_value(ratio, 1 - clip, 1 + clip))
    )
    tf.reduce_mean(tf.square(logp - old), name="approxkl")
    tf.reduce_mean(tf.cast(tf.abs(ratio - 1.0) > clip, tf.float32), name="clipfrac")
    loss = pg_loss - entropy * 0.01 + vf_loss * 0.5
    adam = tf.train.AdamOptimizer(rate, epsilon=1e-5)
    grads, variables = zip(*adam.compute_gradients(loss, tf.trainable_variables()))
    grads, _ = tf.clip_by_global_norm(grads, 0.5)
    adam.apply_gradients(list(zip(grads, variables)))
    return fetch(action, act_value, act_neglogp, first=[action, act_value, act_logits])


@third
def recurrent_actor_critic() -> Fetches:
    """awjuliani/DeepRL-Agents A3C: policy, value and the state that goes round."""
    frames = tf.placeholder(tf.float32, [None, 64], name="s")
    image = tf.reshape(frames, [-1, 8, 8, 1])
    h = layers.conv2d(image, 4, 4, 2, activation=tf.nn.elu)
    h = layers.dense(layers.flatten(h), 12, tf.nn.elu)
    c_in = tf.placeholder(tf.float32, [1, 6], name="c_in")
    h_in = tf.placeholder(tf.float32, [1, 6], name="h_in")
    kernel = tf.get_variable("lstm/kernel", [18, 24])
    bias = tf.get_variable("lstm/bias", [24], initializer=tf.zeros_initializer())

    def step(state, x):
        c, hidden = state
        gates = tf.matmul(tf.concat([x, hidden], 1), kernel) + bias
        i, j, f, o = tf.split(gates, 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        return c, tf.tanh(c) * tf.sigmoid(o)

    cs, hs = tf.scan(step, h[:, None, :], (c_in, h_in))
    state_c, state_h = cs[-1], hs[-1]
    out = tf.reshape(hs, [-1, 6])
    policy = layers.dense(out, 3, tf.nn.softmax, use_bias=False)
    value = layers.dense(out, 1, use_bias=False)
    actions = tf.placeholder(tf.int32, [None])
    target, adv = (tf.placeholder(tf.float32, [None]) for _ in range(2))
    picked = tf.reduce_sum(policy * tf.one_hot(actions, 3), [1])
    value_loss = 0.5 * tf.reduce_sum(tf.square(target - tf.reshape(value, [-1])))
    entropy = -tf.reduce_sum(policy * tf.log(policy))
    loss = -tf.reduce_sum(tf.log(picked) * adv) + 0.5 * value_loss - entropy * 0.01
    local = tf.trainable_variables()
    grads = tf.gradients(loss, local)
    clipped, _ = tf.clip_by_global_norm(grads, 40.0)
    tf.train.AdamOptimizer(1e-4).apply_gradients(zip(clipped, local))
    return fetch(
        policy,
        value,
        state_c,
        state_h,
        first=[policy, value],
        labels=[actions, target, adv],
    )


@third
def distributional_agent() -> Fetches:
    """google/dopamine rainbow: q_argmax of the online network; a target network and a replay beside it."""
    state = tf.placeholder(tf.uint8, [1, 8, 8, 4], name="state_ph")
    support = tf.linspace(-10.0, 10.0, 7)

    def network(v, scope, reuse):
        with tf.variable_scope(scope, reuse=reuse):
            h = tf.math.divide(tf.cast(v, tf.float32), 255.0)
            h = layers.conv2d(h, 8, 4, 2, activation=tf.nn.relu, name="c")
            h = layers.dense(layers.flatten(h), 16, tf.nn.relu, name="d")
            logits = tf.reshape(layers.dense(h, 21, name="o"), [-1, 3, 7])
            p = tf.nn.softmax(logits)
            return tf.reduce_sum(support * p, axis=2), logits, p

    q, _, _ = network(state, "Online", False)
    argmax = tf.argmax(q, axis=1)[0]
    states, actions, rewards, nexts, terminal = tf.data.make_one_shot_iterator(
        tf.data.Dataset.from_generator(
            lambda: iter(()),
            (tf.uint8, tf.int32, tf.float32, tf.uint8, tf.float32),
            ([32, 8, 8, 4], [32], [32], [32, 8, 8, 4], [32]),
        )
    ).get_next()
    _, logits, _ = network(states, "Online", True)
    q_next, _, p_next = network(nexts, "Target", False)
    index = tf.stack([tf.range(32), tf.cast(tf.argmax(q_next, 1), tf.int32)], 1)
    p = tf.gather_nd(p_next, index)
    z = rewards[:, None] + 0.99 * (1 - terminal[:, None]) * support[None]
    z = tf.clip_by_value(z, -10.0, 10.0)[:, None, :]
    near = tf.clip_by_value(1 - tf.abs(z - support[None, :, None]) / 3.33, 0, 1)
    goal = tf.stop_gradient(tf.reduce_sum(near * p[:, None, :], 2))
    chosen = tf.gather_nd(logits, tf.stack([tf.range(32), actions], 1))
    loss = tf.nn.softmax_cross_entropy_with_logits_v2(labels=goal, logits=chosen)
    tf.train.AdamOptimizer(6e-5, epsilon=1.5e-4).minimize(tf.reduce_mean(loss))
    for w, t in zip(_collect("Online"), _collect("Target")):
        if "Adam" not in w.name:
            t.assign(w, use_locking=True)
    return fetch(argmax, first=[argmax, q])


@third
def twin_delayed_policy() -> Fetches:
    """openai/spinningup td3: get_action runs pi; targets are averaged copies with noise on their action."""
    x = tf.placeholder(tf.float32, (None, 5))
    a = tf.placeholder(tf.float32, (None, 2))
    x2 = tf.placeholder(tf.float32, (None, 5))
    r, d = tf.placeholder(tf.float32, (None,)), tf.placeholder(tf.float32, (None,))

    def mlp(v, sizes, last=None):
        for n in sizes[:-1]:
            v = layers.dense(v, n, tf.nn.relu)
        return layers.dense(v, sizes[-1], last)

    def critic(s, act, scope, reuse=None):
        with tf.variable_scope(scope, reuse=reuse):
            h = tf.concat([s, act], -1)
            h = layers.dense(h, 8, tf.nn.relu, name="h")
            return tf.squeeze(layers.dense(h, 1, name="o"), axis=1)

    with tf.variable_scope("main"):
        with tf.variable_scope("pi"):
            pi = 2.0 * mlp(x, [8, 8, 2], tf.tanh)
        q1, q2 = critic(x, a, "q1"), critic(x, a, "q2")
        q1_pi = critic(x, pi, "q1", True)
    with tf.variable_scope("target"):
        with tf.variable_scope("pi"):
            pi_targ = 2.0 * mlp(x2, [8, 8, 2], tf.tanh)
        eps = tf.clip_by_value(
            tf.random_normal(tf.shape(pi_targ), stddev=0.2), -0.5, 0.5
        )
        a2 = tf.clip_by_value(pi_targ + eps, -2.0, 2.0)
        q_targ = tf.minimum(critic(x2, a2, "q1"), critic(x2, a2, "q2"))
    backup = tf.stop_gradient(r + 0.99 * (1 - d) * q_targ)
    q_loss = tf.reduce_mean((q1 - backup) ** 2) + tf.reduce_mean((q2 - backup) ** 2)
    pi_loss = -tf.reduce_mean(q1_pi)
    tf.train.AdamOptimizer(1e-3).minimize(pi_loss, var_list=_collect("main/pi"))
    tf.train.AdamOptimizer(1e-3).minimize(q_loss, var_list=_collect("main/q"))
    mains = [v for v in _collect("main") if "Adam" not in v.name]
    tf.group(
        [tf.assign(t, 0.995 * t + 0.005 * m) for m, t in zip(mains, _collect("target"))]
    )
    return fetch(pi)


@third
def mixture_of_dreams() -> Fetches:
    """hardmaru/WorldModelsExperiments MDN-RNN: out_logmix, out_mean, out_logstd and the final state."""
    x = tf.placeholder(tf.float32, [4, 6, 5], name="input_x")
    goal = tf.placeholder(tf.float32, [4, 6, 3], name="output_x")
    start = tf.zeros([4, 8]), tf.zeros([4, 8])
    kernel = tf.get_variable("RNN/kernel", [13, 32])
    bias = tf.get_variable("RNN/bias", [32], initializer=tf.zeros_initializer())
    c, h = start
    outs = []
    for t in range(6):
        gates = tf.matmul(tf.concat([x[:, t], h], 1), kernel) + bias
        i, j, f, o = tf.split(gates, 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        outs.append(h)
    out = tf.reshape(tf.stack(outs, 1), [-1, 8])
    w = tf.get_variable("output_w", [8, 27])
    b = tf.get_variable("output_b", [27])
    out = tf.reshape(tf.nn.xw_plus_b(out, w, b), [-1, 9])
    logmix, mean, logstd = tf.split(out, 3, 1)
    logmix = logmix - tf.reduce_logsumexp(logmix, 1, keepdims=True)
    flat = tf.reshape(goal, [-1, 1])
    v = logmix - 0.5 * ((flat - mean) / tf.exp(logstd)) ** 2 - logstd - 0.9189
    cost = tf.reduce_mean(-tf.reduce_logsumexp(v, 1, keepdims=True))
    rate = tf.Variable(1e-3, trainable=False)
    adam = tf.train.AdamOptimizer(rate)
    grads = adam.compute_gradients(cost)
    adam.apply_gradients([(tf.clip_by_value(g, -1.0, 1.0), v) for g, v in grads])
    return fetch(logmix, mean, logstd, labels=[goal])


@third
def evolved_linear_policy() -> Fetches:
    """modern policy-gradient homework (cs294): ac_na samples sy_mean + exp(logstd) * noise."""
    ob = tf.placeholder(tf.float32, [None, 6], "ob")
    ac = tf.placeholder(tf.float32, [None, 2], "ac")
    adv = tf.placeholder(tf.float32, [None], "adv")
    h = layers.dense(layers.dense(ob, 16, tf.tanh), 16, tf.tanh)
    mean = layers.dense(h, 2)
    logstd = tf.get_variable("logstd", [2])
    sampled = mean + tf.exp(logstd) * tf.random_normal(tf.shape(mean))
    z = (ac - mean) / tf.exp(logstd)
    logprob = -0.5 * tf.reduce_sum(tf.square(z), axis=1)
    loss = -tf.reduce_mean(logprob * adv)
    tf.train.AdamOptimizer(5e-3).minimize(loss)
    baseline = tf.squeeze(layers.dense(layers.dense(ob, 8, tf.tanh), 1))
    target = tf.placeholder(tf.float32, [None])
    tf.train.AdamOptimizer(5e-3).minimize(tf.nn.l2_loss(baseline - target))
    return fetch(mean, baseline, first=[mean, sampled], labels=[ac, adv, target])


@third
def adapted_by_inner_steps() -> Fetches:
    """cbfinn/maml: task outputs after the inner gradient step (outputbs)."""
    xa, xb = (tf.placeholder(tf.float32, [5, 1], n) for n in ("inputa", "inputb"))
    ya, yb = (tf.placeholder(tf.float32, [5, 1], n) for n in ("labela", "labelb"))
    weights = {
        "w1": tf.Variable(tf.truncated_normal([1, 8], stddev=0.01)),
        "b1": tf.Variable(tf.zeros([8])),
        "w2": tf.Variable(tf.truncated_normal([8, 1], stddev=0.01)),
        "b2": tf.Variable(tf.zeros([1])),
    }

    def forward(v, w):
        h = tf.nn.relu(tf.matmul(v, w["w1"]) + w["b1"])
        return tf.matmul(h, w["w2"]) + w["b2"]

    def mse(p, y):
        return tf.reduce_mean(tf.square(tf.reshape(p, [-1]) - tf.reshape(y, [-1])))

    fast = weights
    for _ in range(2):
        grads = tf.gradients(mse(forward(xa, fast), ya), list(fast.values()))
        fast = {k: v - 1e-3 * g for (k, v), g in zip(fast.items(), grads)}
    after = forward(xb, fast)
    loss = mse(after, yb)
    adam = tf.train.AdamOptimizer(1e-3)
    pairs = adam.compute_gradients(loss)
    adam.apply_gradients([(tf.clip_by_value(g, -10, 10), v) for g, v in pairs])
    return fetch(after, labels=[yb])


@third
def policy_from_a_function() -> Fetches:
    """A TF-Agents policy, frozen by hand: the mode of its categorical, from a time step's fields."""
    step = tf.placeholder(tf.int32, [None], name="step_type")
    reward = tf.placeholder(tf.float32, [None], name="reward")
    discount = tf.placeholder(tf.float32, [None], name="discount")
    seen = tf.placeholder(tf.float32, [None, 4], name="observation")
    h = layers.dense(layers.dense(seen, 16, tf.nn.relu), 8, tf.nn.relu)
    q = layers.dense(h, 2)
    logits = q - tf.reduce_logsumexp(q, -1, keepdims=True)
    action = tf.cast(tf.argmax(logits, -1), tf.int64)
    action = tf.clip_by_value(action, np.int64(0), np.int64(1))
    del step, reward, discount
    return fetch(tf.identity(action, "action"), frozen=True)
