"""Acting: values, policies, copies, perturbed copies."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer


def _globals(scope):
    return tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope=scope)


@fifth
def actor_pushed_by_its_critic() -> Fetches:
    """MorvanZhou/Reinforcement-learning-with-tensorflow DDPG.py: choose_action runs ``self.a`` (scaled_a)."""
    with tf.name_scope("S"):
        s = tf.placeholder(tf.float32, [None, 3], name="s")
    with tf.name_scope("R"):
        r = tf.placeholder(tf.float32, [None, 1], name="r")
    with tf.name_scope("S_"):
        s_ = tf.placeholder(tf.float32, [None, 3], name="s_")

    def actor(v, scope, trainable):
        with tf.variable_scope(scope):
            net = layers.dense(v, 30, tf.nn.relu, name="l1", trainable=trainable)
            with tf.variable_scope("a"):
                a = layers.dense(net, 1, tf.nn.tanh, name="a", trainable=trainable)
                return tf.multiply(a, np.float32([2.0]), name="scaled_a")

    def critic(v, a, scope, trainable):
        with tf.variable_scope(scope):
            with tf.variable_scope("l1"):
                w_s = tf.get_variable("w1_s", [3, 30], trainable=trainable)
                w_a = tf.get_variable("w1_a", [1, 30], trainable=trainable)
                b = tf.get_variable("b1", [1, 30], trainable=trainable)
                net = tf.nn.relu(tf.matmul(v, w_s) + tf.matmul(a, w_a) + b)
            with tf.variable_scope("q"):
                return layers.dense(net, 1, trainable=trainable)

    def follow(scope):
        pairs = zip(_globals(scope + "/target_net"), _globals(scope + "/eval_net"))
        return [tf.assign(t, 0.99 * t + 0.01 * e) for t, e in pairs]

    with tf.variable_scope("Actor"):
        a, a_ = actor(s, "eval_net", True), actor(s_, "target_net", False)
    follow("Actor")
    with tf.variable_scope("Critic"):
        q, q_ = critic(s, a, "eval_net", True), critic(s_, a_, "target_net", False)
    with tf.variable_scope("TD_error"):
        loss = tf.reduce_mean(tf.squared_difference(r + 0.9 * q_, q))
    with tf.variable_scope("C_train"):
        _adam(0.001).minimize(loss)
    with tf.variable_scope("a_grad"):
        a_grads = tf.gradients(q, a)[0]
    follow("Critic")
    with tf.variable_scope("policy_grads"):
        own = _globals("Actor/eval_net")
        grads = tf.gradients(ys=a, xs=own, grad_ys=a_grads)
    with tf.variable_scope("A_train"):
        _adam(-0.001).apply_gradients(zip(grads, own))
    return fetch(a, labels=[r, s_])


@fifth
def bitrates_by_two_nets() -> Fetches:
    """hongzimao/pensieve a3c.py: both predict() run ``self.out``; weights are set from placeholders."""

    def net(scope, n, activation):
        with tf.variable_scope(scope):
            inputs = tf.placeholder(tf.float32, [None, 6, 8], name="InputData/X")
            parts = [
                layers.dense(inputs[:, i : i + 1, -1], 8, tf.nn.relu) for i in (0, 1)
            ]
            for i in (2, 3):
                w = tf.get_variable(f"conv{i}", [4, 8, 8])
                h = tf.nn.conv1d(
                    tf.pad(inputs[:, i : i + 1, :], [[0, 0], [0, 3], [0, 0]]),
                    w,
                    1,
                    "VALID",
                )
                parts.append(layers.flatten(tf.nn.relu(h)))
            h = layers.dense(tf.concat(parts, 1), 8, tf.nn.relu)
            return inputs, layers.dense(h, n, activation)

    def settable(scope):
        params = tf.trainable_variables(scope)
        fed = [tf.placeholder(tf.float32, p.shape) for p in params]
        _ = [p.assign(f) for p, f in zip(params, fed)]
        return params

    _, out = net("actor", 6, tf.nn.softmax)
    params = settable("actor")
    acts = tf.placeholder(tf.float32, [None, 6])
    weights = tf.placeholder(tf.float32, [None, 1])
    log = tf.log(tf.reduce_sum(tf.multiply(out, acts), 1, keepdims=True))
    entropy = tf.reduce_sum(tf.multiply(out, tf.log(out + 1e-6)))
    grads = tf.gradients(tf.reduce_sum(log * -weights) + 0.5 * entropy, params)
    tf.train.RMSPropOptimizer(1e-4).apply_gradients(zip(grads, params))
    _, value = net("critic", 1, None)
    params = settable("critic")
    target = tf.placeholder(tf.float32, [None, 1])
    tf.subtract(target, value)
    loss = tf.reduce_mean(tf.square(value - target))
    grads = tf.gradients(loss, params)
    tf.train.RMSPropOptimizer(1e-3).apply_gradients(zip(grads, params))
    for name in ("TD_loss", "Eps_total_reward", "Avg_entropy"):
        tf.summary.scalar(name, tf.Variable(0.0))
    tf.summary.merge_all()
    return fetch(out, value, labels=[acts, weights, target])


def _mlp(x, sizes, last=None):
    for n in sizes[:-1]:
        x = layers.dense(x, n, tf.nn.relu)
    return layers.dense(x, sizes[-1], last)


@fifth
def squashed_gaussian_and_two_critics() -> Fetches:
    """openai/spinningup tf1/sac: saves mu, pi, q1 and q2; test_agent runs mu."""
    x, a, x2 = (tf.placeholder(tf.float32, [None, n]) for n in (5, 2, 5))
    r, d = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])

    def actor_critic(s, act):
        with tf.variable_scope("pi"):
            net = layers.dense(s, 12, tf.nn.relu)
            mu = layers.dense(net, 2)
            log_std = tf.clip_by_value(layers.dense(net, 2), -20, 2)
            pi = mu + tf.random_normal(tf.shape(mu)) * tf.exp(log_std)
            away = ((pi - mu) / (tf.exp(log_std) + 1e-8)) ** 2
            logp = tf.reduce_sum(-0.5 * (away + 2 * log_std + np.log(2 * np.pi)), 1)
            logp -= tf.reduce_sum(
                2 * (np.log(2) - pi - tf.nn.softplus(-2 * pi)), axis=1
            )
            mu, pi = tf.tanh(mu) * 2.0, tf.tanh(pi) * 2.0
        values = []
        for name in ("q1", "q2"):
            with tf.variable_scope(name):
                q = _mlp(tf.concat([s, act], -1), (12, 1))
                values.append(tf.squeeze(q, axis=1))
        return (mu, pi, logp, *values)

    with tf.variable_scope("main"):
        mu, pi, logp, q1, q2 = actor_critic(x, a)
    with tf.variable_scope("main", reuse=True):
        *_, q1_pi, q2_pi = actor_critic(x, pi)
        _, pi_next, logp_next, _, _ = actor_critic(x2, a)
    with tf.variable_scope("target"):
        *_, q1_t, q2_t = actor_critic(x2, pi_next)
    soft = tf.minimum(q1_t, q2_t) - 0.2 * logp_next
    backup = tf.stop_gradient(r + 0.99 * (1 - d) * soft)
    pi_loss = tf.reduce_mean(0.2 * logp - tf.minimum(q1_pi, q2_pi))
    value_loss = 0.5 * tf.reduce_mean((backup - q1) ** 2)
    value_loss += 0.5 * tf.reduce_mean((backup - q2) ** 2)
    step = _adam(1e-3).minimize(pi_loss, var_list=_globals("main/pi"))
    with tf.control_dependencies([step]):
        step = _adam(1e-3).minimize(value_loss, var_list=_globals("main/q"))
    pairs = list(zip(_globals("main"), _globals("target")))
    with tf.control_dependencies([step]):
        tf.group([tf.assign(t, 0.995 * t + 0.005 * m) for m, t in pairs])
    tf.group([tf.assign(t, m) for m, t in pairs])
    return fetch(mu, pi, q1, q2, first=[mu, pi], labels=[r, d])


@fifth
def normalised_actor_with_noise_in_its_weights() -> Fetches:
    """openai/baselines ddpg_learner.py: step runs [actor_tf, critic_with_actor_tf]; gradients are flat, not applied."""
    obs0, obs1 = (tf.placeholder(tf.float32, [None, 4], n) for n in ("obs0", "obs1"))
    terminals, rewards = (
        tf.placeholder(tf.float32, (None, 1), n) for n in ("terminals1", "rewards")
    )
    actions = tf.placeholder(tf.float32, [None, 2], "actions")
    target = tf.placeholder(tf.float32, (None, 1), "critic_target")
    stddev = tf.placeholder(tf.float32, (), "param_noise_stddev")
    with tf.variable_scope("obs_rms"):
        sums = [
            tf.get_variable(n, s, tf.float64, tf.ones_initializer(), trainable=False)
            for n, s in (("runningsum", [4]), ("runningsumsq", [4]), ("count", ()))
        ]
        mean = tf.to_float(sums[0] / sums[2])
        std = tf.sqrt(
            tf.maximum(tf.to_float(sums[1] / sums[2]) - tf.square(mean), 1e-2)
        )
        fed = [tf.placeholder(tf.float64, v.shape) for v in sums]
        tf.group([tf.assign_add(v, f) for v, f in zip(sums, fed)])
    normal0, normal1 = (
        tf.clip_by_value((o - mean) / (std + 1e-8), -5.0, 5.0) for o in (obs0, obs1)
    )

    def actor(o, name):
        with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
            h = layers.dense(o, 8, tf.nn.relu, name="fc0")
            return tf.nn.tanh(layers.dense(h, 2, name="output"))

    def critic(o, a, name):
        with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
            h = layers.dense(tf.concat([o, a], -1), 8, tf.nn.relu, name="fc0")
            return layers.dense(h, 1, name="output")

    actor_tf = actor(normal0, "actor")
    q = critic(normal0, actions, "critic")
    critic_tf = tf.clip_by_value(q, -100.0, 100.0)
    with_actor = tf.clip_by_value(critic(normal0, actor_tf, "critic"), -100.0, 100.0)
    later = critic(normal1, actor(normal1, "target_actor"), "target_critic")
    rewards + (1.0 - terminals) * 0.99 * later
    perturbed = {}
    for name in ("param_noise_actor", "adaptive_param_noise_actor"):
        perturbed[name] = actor(normal0, name)
        noisy = [
            tf.assign(p, v + tf.random_normal(tf.shape(v), 0.0, stddev))
            for v, p in zip(_globals("actor/"), _globals(name + "/"))
        ]
        tf.group(*noisy)
    adaptive = perturbed["adaptive_param_noise_actor"]
    tf.sqrt(tf.reduce_mean(tf.square(actor_tf - adaptive)))

    def flat(loss, variables):
        grads = tf.gradients(loss, variables)
        return tf.concat([tf.reshape(g, [-1]) for g in grads], 0)

    flat(-tf.reduce_mean(with_actor), tf.trainable_variables("actor/"))
    critic_loss = tf.reduce_mean(tf.square(q - tf.clip_by_value(target, -100.0, 100.0)))
    flat(critic_loss, tf.trainable_variables("critic/"))
    for name in ("actor", "critic"):
        pairs = list(zip(_globals(name + "/"), _globals(f"target_{name}/")))
        tf.group(*[tf.assign(t, v) for v, t in pairs])
        tf.group(*[tf.assign(t, 0.999 * t + 0.001 * v) for v, t in pairs])
    for value in (critic_tf, with_actor, actor_tf, perturbed["param_noise_actor"]):
        centre = tf.reduce_mean(value, keepdims=True)
        tf.sqrt(tf.reduce_mean(tf.square(value - centre)))
        tf.reduce_mean(value)
    return fetch(actor_tf, with_actor, first=[actor_tf], labels=[target, rewards])


@fifth
def agents_with_a_common_critic() -> Fetches:
    """openai/maddpg: act() runs act_sample of one observation; a target policy and a target critic beside."""
    obs = [tf.placeholder(tf.float32, [None, 4], f"observation{i}") for i in (0, 1)]

    def mlp(v, n, scope, reuse=None):
        with tf.variable_scope(scope, reuse=reuse):
            h = layers.dense(v, 8, tf.nn.relu, name="f1")
            return layers.dense(
                layers.dense(h, 8, tf.nn.relu, name="f2"), n, name="out"
            )

    def sample(logits):
        u = tf.random_uniform(tf.shape(logits))
        return tf.nn.softmax(logits - tf.log(-tf.log(u)), axis=-1)

    def clipped(optimizer, loss, variables):
        pairs = optimizer.compute_gradients(loss, var_list=variables)
        optimizer.apply_gradients([(tf.clip_by_norm(g, 0.5), v) for g, v in pairs])

    def track(own, other):
        pairs = zip(
            sorted(own, key=lambda v: v.name), sorted(other, key=lambda v: v.name)
        )
        tf.group(*[t.assign(0.99 * t + 0.01 * v) for v, t in pairs])

    with tf.variable_scope("agent_0"):
        acts = [tf.placeholder(tf.float32, [None, 3], f"action{i}") for i in (0, 1)]
        target = tf.placeholder(tf.float32, [None], "target")
        both = tf.concat(obs + acts, 1)
        q = mlp(both, 1, "q_func")[:, 0]
        loss = tf.reduce_mean(tf.square(q - target))
        tf.reduce_mean(tf.square(q))
        clipped(_adam(0.01), loss, _globals("agent_0/q_func"))
        mlp(both, 1, "target_q_func")[:, 0]
        track(_globals("agent_0/q_func"), _globals("agent_0/target_q_func"))
    with tf.variable_scope("agent_0", reuse=tf.AUTO_REUSE):
        acts = [tf.placeholder(tf.float32, [None, 3], f"action{i}") for i in (0, 1)]
        p = mlp(obs[0], 3, "p_func")
        action = sample(p)
        penalty = tf.reduce_mean(tf.square(p))
        joined = tf.concat([*obs, sample(p), acts[1]], 1)
        q = mlp(joined, 1, "q_func", True)[:, 0]
        clipped(
            _adam(0.01), penalty * 1e-3 - tf.reduce_mean(q), _globals("agent_0/p_func")
        )
        sample(mlp(obs[0], 3, "target_p_func"))
        track(_globals("agent_0/p_func"), _globals("agent_0/target_p_func"))
    return fetch(action, first=[action, p], labels=[target])


@fifth
def values_of_a_table() -> Fetches:
    """saschaschramm/QLearning model.py: predict_action runs [actions, q_values], predict_q the values alone."""
    inputs = tf.placeholder(tf.int32, [1])
    q_values = layers.dense(tf.one_hot(inputs, 16), 4)
    actions = tf.argmax(q_values, axis=1)
    next_q = tf.placeholder(tf.float32, [1, 4])
    loss = tf.reduce_sum(tf.squared_difference(next_q, q_values))
    tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return fetch(q_values, first=[q_values, actions], labels=[next_q])


@fifth
def board_by_one_matrix() -> Fetches:
    """JordiMD92/thellia qnetwork.py: Qout, by one matrix without a bias."""
    board = tf.placeholder(shape=[1, 64], dtype=tf.float32)
    w = tf.Variable(tf.random_uniform([64, 64], 0, 0.01))
    out = tf.matmul(board, w)
    next_q = tf.placeholder(shape=[1, 64], dtype=tf.float32)
    loss = tf.reduce_sum(tf.square(next_q - out))
    tf.train.GradientDescentOptimizer(learning_rate=0.1).minimize(loss)
    return fetch(out, labels=[next_q])


@fifth
def values_gathered_by_action() -> Fetches:
    """A stranger's DQN (qqqqqwwwweeerr1gmail/tf_v1 DQN/scripts/0.py): ``output``; the loss gathers by enumerated actions."""
    q_target = tf.placeholder(tf.float32, (None, 4))
    r = tf.placeholder(shape=None, dtype=tf.float32)
    states = tf.placeholder(tf.float32, (None, 4))
    enum_actions = tf.placeholder(tf.int32, (None, 2))
    output = _mlp(states, (20, 20, 4))
    predictions = tf.gather_nd(output, indices=enum_actions)
    labels = r + 0.9 * tf.reduce_max(q_target, axis=1)
    cost = tf.reduce_mean(tf.losses.mean_squared_error(labels, predictions))
    tf.train.GradientDescentOptimizer(0.001).minimize(cost)
    return fetch(output, labels=[q_target, r])


@fifth
def policy_and_value_apart() -> Fetches:
    """dennybritz/reinforcement-learning a3c: predictions are probs of the policy, logits of the value."""

    def shared(states, reuse):
        with tf.variable_scope("shared", reuse=reuse):
            x = tf.to_float(states) / 255.0
            h = layers.conv2d(x, 4, 4, 2, activation=tf.nn.relu, name="conv1")
            fc = layers.dense(layers.flatten(h), 12, tf.nn.relu, name="fc1")
            if not reuse:
                for v in (h, fc):
                    tf.summary.histogram("activation", v)
                    tf.summary.scalar("fraction_of_zero", tf.nn.zero_fraction(v))
            return fc

    def train(loss, scope):
        rmsprop = tf.train.RMSPropOptimizer(0.00025, 0.99, 0.0, 1e-6)
        pairs = rmsprop.compute_gradients(loss)
        tf.summary.scalar(f"{scope}/loss", loss)
        rmsprop.apply_gradients([(g, v) for g, v in pairs if g is not None], step)

    step = tf.train.get_or_create_global_step()
    states = tf.placeholder(tf.uint8, [None, 12, 12, 4], name="X")
    targets = tf.placeholder(tf.float32, [None], name="y")
    actions = tf.placeholder(tf.int32, [None], name="actions")
    fc = shared(states, False)
    with tf.variable_scope("policy_net"):
        logits = layers.dense(fc, 4)
        probs = tf.nn.softmax(logits)
        entropy = -tf.reduce_sum(probs * tf.log(probs), 1)
        where = tf.range(tf.shape(states)[0]) * tf.shape(probs)[1] + actions
        picked = tf.gather(tf.reshape(probs, [-1]), where)
        loss = tf.reduce_sum(-(tf.log(picked) * targets + 0.01 * entropy))
        tf.summary.scalar("advantage_mean", tf.reduce_mean(targets))
        tf.summary.scalar("entropy_mean", tf.reduce_mean(entropy))
        tf.summary.histogram("cross_entropy", entropy)
        train(loss, "policy_net")
    again = tf.placeholder(tf.uint8, [None, 12, 12, 4], name="X_1")
    truth = tf.placeholder(tf.float32, [None], name="y_1")
    fc = shared(again, True)
    with tf.variable_scope("value_net"):
        value = tf.squeeze(layers.dense(fc, 1), axis=[1])
        train(tf.reduce_sum(tf.squared_difference(value, truth)), "value_net")
        for name, v in (("max", tf.reduce_max(value)), ("mean", tf.reduce_mean(value))):
            tf.summary.scalar(name + "_value", v)
        tf.summary.histogram("values", value)
    return fetch(
        probs, value, first=[probs, logits, value], labels=[targets, actions, truth]
    )
