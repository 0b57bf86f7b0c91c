"""Acting: actors with critics, policies with values, copies that are fed or synchronised."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, fetch, layers, seventh
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


def _linear(v, n, scope=None):
    w = tf.Variable(tf.random_uniform([int(v.shape[-1]), n], -0.1, 0.1))
    return tf.matmul(v, w) + tf.Variable(tf.random_uniform([n], -0.1, 0.1))


@seventh
def actor_and_critic_fed_by_hand() -> Fetches:
    """pemami4911/deep-rl ddpg.py: predict() runs scaled_out of the actor, out of the critic; gradients are fed."""

    def actor():
        inputs = tf.placeholder(tf.float32, [None, 3], "InputData/X")
        net = layers.dense(layers.dense(inputs, 16, tf.nn.relu), 12, tf.nn.relu)
        return tf.multiply(layers.dense(net, 1, tf.tanh), np.float32([2.0]))

    def critic():
        inputs = tf.placeholder(tf.float32, [None, 3], "InputData/X")
        action = tf.placeholder(tf.float32, [None, 1], "InputData/X")
        net = layers.dense(inputs, 16, tf.nn.relu)
        w1, b1, w2, b2 = (
            tf.Variable(tf.truncated_normal(s, stddev=0.02))
            for s in ([16, 12], [12], [1, 12], [12])
        )
        for v, w, b in ((net, w1, b1), (action, w2, b2)):
            tf.nn.bias_add(
                tf.matmul(v, w), b
            )  # tflearn's layers, made for their weights
        net = tf.matmul(net, w1) + tf.matmul(action, w2) + b2
        return action, layers.dense(tf.nn.relu(net), 1)

    def follow(target, own):
        for t, o in zip(target, own):
            t.assign(tf.multiply(o, 0.001) + tf.multiply(t, 1.0 - 0.001))

    scaled_out = actor()
    own = tf.trainable_variables()
    actor()
    target = tf.trainable_variables()[len(own) :]
    follow(target, own)
    given = tf.placeholder(tf.float32, [None, 1])
    grads = tf.gradients(scaled_out, own, -given)
    _adam(0.0001).apply_gradients(zip(grads, own))
    count = len(own) + len(target)
    action, out = critic()
    own = tf.trainable_variables()[count:]
    critic()
    follow(tf.trainable_variables()[count + len(own) :], own)
    predicted = tf.placeholder(tf.float32, [None, 1])
    loss = tf.reduce_mean(tf.square(predicted - out))
    _adam(0.001).minimize(loss)
    tf.div(tf.gradients(out, action), tf.constant(64, dtype=tf.float32))
    for tag in ("Reward", "Qmax_Value"):
        tf.summary.scalar(tag, tf.Variable(0.0))
    return fetch(scaled_out, out, first=[scaled_out], labels=[predicted, given])


@seventh
def gomoku_policy_and_value() -> Fetches:
    """junxiaosong/AlphaZero_Gomoku: policy_value runs [action_fc, evaluation_fc2]; the policy ends in a log-softmax."""
    states = tf.placeholder(tf.float32, [None, 4, 6, 6])
    h = tf.reshape(states, [-1, 6, 6, 4])
    for n in (8, 8, 8):
        h = layers.conv2d(h, n, [3, 3], padding="same", activation=tf.nn.relu)
    a = layers.conv2d(h, 4, [1, 1], padding="same", activation=tf.nn.relu)
    action = layers.dense(tf.reshape(a, [-1, 4 * 36]), 36, activation=tf.nn.log_softmax)
    e = layers.conv2d(h, 2, [1, 1], padding="same", activation=tf.nn.relu)
    e = layers.dense(tf.reshape(e, [-1, 2 * 36]), 12, activation=tf.nn.relu)
    value = layers.dense(e, 1, activation=tf.nn.tanh)
    labels = tf.placeholder(tf.float32, [None, 1])
    value_loss = tf.losses.mean_squared_error(labels, value)
    probs = tf.placeholder(tf.float32, [None, 36])
    policy_loss = tf.negative(
        tf.reduce_mean(tf.reduce_sum(tf.multiply(probs, action), 1))
    )
    penalty = tf.nn.l2_loss(tf.Variable(tf.truncated_normal([8, 6, 6])))
    loss = value_loss + policy_loss + tf.multiply(tf.constant(1e-4), penalty)
    _adam().minimize(loss)
    tf.negative(tf.reduce_mean(tf.reduce_sum(tf.exp(action) * action, 1)))
    return fetch(action, value, labels=[labels, probs])


@seventh
def screens_to_values_with_fed_targets() -> Fetches:
    """devsisters/DQN-tensorflow agent.py: predict runs q_action; target weights are assigned from placeholders."""
    step = tf.Variable(0, trainable=False, name="step/step")
    step.assign(tf.placeholder("int32", None, name="step_input"))

    def net(scope, name):
        weights = {}
        with tf.variable_scope(scope):
            s = tf.placeholder("float32", [None, 20, 20, 4], name=name)
            h = s
            for i, (n, k, stride) in enumerate(((6, 4, 2), (6, 3, 2))):
                w = tf.get_variable(f"l{i}/w", [k, k, int(h.shape[3]), n])
                b = tf.get_variable(f"l{i}/biases", [n])
                conv = tf.nn.conv2d(h, w, [1, stride, stride, 1], "VALID")
                h = tf.nn.relu(tf.nn.bias_add(conv, b))
                weights[f"l{i}_w"], weights[f"l{i}_b"] = w, b
            shape = h.get_shape().as_list()
            h = tf.reshape(h, [-1, int(np.prod(shape[1:]))])
            for name, n, act in (("l4", 12, tf.nn.relu), ("q", 3, None)):
                w = tf.get_variable(name + "/Matrix", [int(h.shape[1]), n])
                b = tf.get_variable(name + "/bias", [n])
                h = tf.nn.bias_add(tf.matmul(h, w), b)
                h = act(h) if act else h
                weights[name + "_w"], weights[name + "_b"] = w, b
            return h, weights

    q, w = net("prediction", "s_t")
    q_action = tf.argmax(q, axis=1)
    average = tf.reduce_mean(q, 0)
    tf.summary.merge([tf.summary.histogram(f"q/{i}", average[i]) for i in range(3)])
    _, t_w = net("target", "target_s_t")
    with tf.variable_scope("pred_to_target"):
        for name, t in t_w.items():
            t.assign(tf.placeholder("float32", t.shape.as_list(), name=name))
    with tf.variable_scope("optimizer"):
        target = tf.placeholder("float32", [None], name="target_q_t")
        action = tf.placeholder("int64", [None], name="action")
        hot = tf.one_hot(action, 3, 1.0, 0.0, name="action_one_hot")
        acted = tf.reduce_sum(q * hot, axis=1, name="q_acted")
        clipped = tf.clip_by_value(target - acted, -1, 1, name="clipped_delta")
        loss = tf.reduce_mean(tf.square(clipped), name="loss")
        tf.train.RMSPropOptimizer(0.00025, momentum=0.95, epsilon=0.01).minimize(loss)
    with tf.variable_scope("summary"):
        for tag in ("average_reward", "average_loss"):
            tf.summary.scalar(tag, tf.placeholder("float32", None, name=tag))
        fed = tf.placeholder("float32", None, name="episode_rewards")
        tf.summary.histogram("episode_rewards", fed)
    with tf.variable_scope("load_pred_from_pkl"):
        for name, v in w.items():
            v.assign(tf.placeholder("float32", v.shape.as_list(), name=name))
    tf.train.Saver([*w.values(), step], max_to_keep=10)
    return fetch(q_action, first=[q_action, q], labels=[target, action])


def _universe_policy(name):
    with tf.variable_scope(name):
        x = seen = tf.placeholder(tf.float32, [None, 12, 12, 1])
        for i in range(2):
            with tf.variable_scope(f"l{i + 1}"):
                w = tf.get_variable("W", [3, 3, int(x.shape[3]), 6])
                b = tf.get_variable("b", [1, 1, 1, 6])
                x = tf.nn.elu(tf.nn.conv2d(x, w, [1, 2, 2, 1], "SAME") + b)
        flat = tf.reshape(x, [-1, int(np.prod(x.shape.as_list()[1:]))])
        x = tf.expand_dims(flat, [0])
        cell = _CELLS.BasicLSTMCell(8)
        c_in, h_in = (tf.placeholder(tf.float32, [1, 8]) for _ in "ch")
        state = _CELLS.LSTMStateTuple(c_in, h_in)
        out, (c, h) = tf.nn.dynamic_rnn(
            cell, x, initial_state=state, sequence_length=tf.shape(seen)[:1]
        )
        x = tf.reshape(out, [-1, 8])
        w, v = (
            tf.get_variable(n + "/w", [8, k]) for n, k in (("action", 4), ("value", 1))
        )
        b, d = (
            tf.get_variable(n + "/b", [k]) for n, k in (("action", 4), ("value", 1))
        )
        logits = tf.matmul(x, w) + b
        vf = tf.reshape(tf.matmul(x, v) + d, [-1])
        calm = logits - tf.reduce_max(logits, [1], keepdims=True)
        drawn = tf.squeeze(tf.multinomial(calm, 1), [1])
        sample = tf.one_hot(drawn, 4)[0, :]
        own = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, name)
        return seen, logits, vf, sample, [c[:1, :], h[:1, :]], own


@seventh
def starter_agent_with_two_copies() -> Fetches:
    """openai/universe-starter-agent: act runs [sample, vf] + state_out of the local copy; the global one is trained."""
    with tf.variable_scope("global_step_scope"):
        step = tf.get_variable("global_step", [], tf.int32, trainable=False)
    _, _, vf_g, sample_g, state_g, var_g = _universe_policy("global")
    x, logits, vf, sample, state, var = _universe_policy("local")
    ac = tf.placeholder(tf.float32, [None, 4], name="ac")
    adv = tf.placeholder(tf.float32, [None], name="adv")
    r = tf.placeholder(tf.float32, [None], name="r")
    log_prob, prob = tf.nn.log_softmax(logits), tf.nn.softmax(logits)
    pi_loss = -tf.reduce_sum(tf.reduce_sum(log_prob * ac, [1]) * adv)
    vf_loss = 0.5 * tf.reduce_sum(tf.square(vf - r))
    entropy = -tf.reduce_sum(prob * log_prob)
    size = tf.to_float(tf.shape(x)[0])
    loss = pi_loss + 0.5 * vf_loss - entropy * 0.01
    grads = tf.gradients(loss, var)
    for tag, v in (("policy", pi_loss), ("value", vf_loss), ("entropy", entropy)):
        tf.summary.scalar("model/" + tag, v / size)
    tf.summary.image("model/state", x)
    tf.summary.scalar("model/grad_global_norm", tf.global_norm(grads))
    tf.summary.scalar("model/var_global_norm", tf.global_norm(var))
    tf.summary.merge_all()
    grads, _ = tf.clip_by_global_norm(grads, 40.0)
    tf.group(*[a.assign(b) for a, b in zip(var, var_g)])
    update = _adam(1e-4).apply_gradients(list(zip(grads, var_g)))
    tf.group(update, step.assign_add(tf.shape(x)[0]))
    return fetch(
        *(sample, vf, *state),
        first=[sample, logits, sample_g],
        labels=[ac, adv, r],
        twins=[(sample_g, vf_g, *state_g)],
    )


@seventh
def threads_of_one_actor_critic() -> Fetches:
    """miyosuda/async_deep_reinforce: pi and v; a thread's gradients are applied to the global net, which is displayed."""

    def net():
        s = tf.placeholder("float", [None, 12, 12, 4])
        w1 = tf.Variable(tf.random_uniform([4, 4, 4, 6], -0.1, 0.1))
        b1 = tf.Variable(tf.random_uniform([6], -0.1, 0.1))
        h = tf.nn.relu(tf.nn.conv2d(s, w1, [1, 2, 2, 1], "VALID") + b1)
        h = tf.nn.relu(_linear(tf.reshape(h, [-1, 150]), 12))
        return tf.nn.softmax(_linear(h, 3)), tf.reshape(_linear(h, 1), [-1])

    with tf.variable_scope("net_-1"):
        pi_g, v_g = net()
    shared = tf.trainable_variables()
    with tf.variable_scope("net_0"):
        pi, v = net()
    own = tf.trainable_variables()[len(shared) :]
    a, td = tf.placeholder("float", [None, 3]), tf.placeholder("float", [None])
    log_pi = tf.log(tf.clip_by_value(pi, 1e-20, 1.0))
    entropy = -tf.reduce_sum(pi * log_pi, axis=1)
    policy = -tf.reduce_sum(
        tf.reduce_sum(tf.multiply(log_pi, a), axis=1) * td + entropy * 0.01
    )
    r = tf.placeholder("float", [None])
    loss = policy + 0.5 * tf.nn.l2_loss(r - v)
    grads = [tf.clip_by_norm(g, 40.0) for g in tf.gradients(loss, own)]
    rate = tf.placeholder("float")
    tf.train.RMSPropOptimizer(rate, 0.99, 0.0, 0.1).apply_gradients(zip(grads, shared))
    tf.group(*[tf.assign(mine, its) for mine, its in zip(own, shared)])
    tf.summary.scalar("score", tf.placeholder(tf.int32))
    return fetch(
        pi_g, v_g, first=[pi_g, v_g, pi, v], labels=[a, td, r], twins=[(pi, v)]
    )


@seventh
def policy_beside_its_older_self() -> Fetches:
    """uidilr/gail_ppo_tf: act runs [act_stochastic or act_deterministic, v_preds]; get_action_prob runs act_probs."""

    def policy(name):
        with tf.variable_scope(name):
            obs = tf.placeholder(tf.float32, [None, 4], name="obs")
            with tf.variable_scope("policy_net"):
                h = layers.dense(layers.dense(obs, 12, tf.tanh), 12, tf.tanh)
                h = layers.dense(h, 2, tf.tanh)
                probs = layers.dense(tf.divide(h, 0.1), 2, tf.nn.softmax)
            with tf.variable_scope("value_net"):
                h = layers.dense(layers.dense(obs, 12, tf.tanh), 12, tf.tanh)
                value = layers.dense(h, 1)
            drawn = tf.reshape(tf.multinomial(tf.log(probs), 1), [-1])
            best = tf.argmax(probs, axis=1)
            return probs, value, drawn, best, tf.trainable_variables(name)

    probs, value, drawn, best, own = policy("policy")
    old_probs, _, _, _, old = policy("old_policy")
    with tf.variable_scope("assign_op"):
        _ = [tf.assign(o, v) for o, v in zip(old, own)]
    with tf.variable_scope("train_inp"):
        actions = tf.placeholder(tf.int32, [None], name="actions")
        rewards, later, gaes = (
            tf.placeholder(tf.float32, [None], n)
            for n in ("rewards", "v_preds_next", "gaes")
        )
    act = tf.reduce_sum(probs * tf.one_hot(actions, 2), axis=1)
    act_old = tf.reduce_sum(old_probs * tf.one_hot(actions, 2), axis=1)
    with tf.variable_scope("loss"):
        ratios = tf.exp(
            tf.log(tf.clip_by_value(act, 1e-10, 1.0))
            - tf.log(tf.clip_by_value(act_old, 1e-10, 1.0))
        )
        clipped = tf.clip_by_value(ratios, 0.8, 1.2)
        clip = tf.minimum(tf.multiply(gaes, ratios), tf.multiply(gaes, clipped))
        clip = tf.reduce_mean(clip)
        tf.summary.scalar("loss_clip", clip)
        entropy = probs * tf.log(tf.clip_by_value(probs, 1e-10, 1.0))
        entropy = tf.reduce_mean(-tf.reduce_sum(entropy, axis=1), axis=0)
        tf.summary.scalar("entropy", entropy)
        vf = tf.reduce_mean(tf.squared_difference(rewards + 0.95 * later, value))
        tf.summary.scalar("loss_vf", vf)
        loss = -(clip - vf + 0.01 * entropy)
        tf.summary.scalar("loss_total", loss)
    tf.summary.merge_all()
    _adam(1e-4, epsilon=1e-5).minimize(loss, var_list=own)
    return fetch(
        *(best, value),
        first=[best, drawn, probs, value],
        labels=[actions, rewards, later, gaes],
        twins=[(drawn, value), (probs, value)],
    )


@seventh
def bell_curves_of_controls() -> Fetches:
    """A stranger's PiVNetwork (indexed as file 16692759499): predict_pi_and_V runs [mu, sigma, V]; two losses."""

    def layer(v, n, name, act=tf.identity):
        with tf.name_scope("net" + name):
            w = tf.Variable(tf.truncated_normal([int(v.shape[1]), n], stddev=0.01))
            b = tf.Variable(tf.truncated_normal([n]))
            h = act(tf.nn.xw_plus_b(v, w, b))
            tf.summary.histogram("weight", w)
            tf.summary.histogram("bias", b)
        return h

    x = tf.placeholder(tf.float32, [None, 6])
    reward = tf.placeholder(tf.float32, [None, 1])
    a = tf.placeholder(tf.float32, [None, 2])
    h = layer(x, 16, "Hidden1", tf.nn.relu)
    layer(h, 16, "Hidden2", tf.nn.relu)
    mu, sigma = layer(h, 2, "mu"), layer(h, 2, "sigma", tf.nn.softplus)
    value = layer(h, 1, "v")
    loss = -tf.square(a - mu) / sigma - tf.sqrt(2.0 * 3.14159265 * sigma)
    loss *= reward - value
    adam = _adam(0.0001)
    adam.minimize(loss)
    adam.minimize(tf.square(reward - value))
    return fetch(mu, sigma, value, labels=[reward, a])


@seventh
def duel_of_a_policy() -> Fetches:
    """A stranger's agent (indexed as file 44633519916): choose_action runs output, value plus centred advantage."""
    with tf.variable_scope("actor"):
        x = tf.placeholder(tf.float32, [None, 4], name="observation")

        def layer(v, n, scope, act=None):
            with tf.variable_scope(scope):
                w = tf.get_variable("w", [int(v.shape[1]), n])
                h = tf.matmul(v, w) + tf.get_variable("b", [n])
                return act(h) if act else h

        a = layer(x, 20, "l1", tf.nn.relu)
        value, advantage = layer(a, 1, "l3/value"), layer(a, 2, "l3/advantage")
        out = value + (advantage - tf.reduce_mean(advantage, axis=1, keepdims=True))
    with tf.variable_scope("loss"):
        chosen = tf.placeholder(tf.int32, [None], name="chosen_action")
        gain = tf.placeholder(tf.float32, [None], name="advantage")
        cross = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=chosen, logits=out
        )
        loss = tf.reduce_mean(cross * gain)
        tf.train.RMSPropOptimizer(0.01).minimize(loss)
    return fetch(out, labels=[chosen, gain])


@seventh
def policy_squashed_twice() -> Fetches:
    """A stranger's Reinforce (indexed as file 44394568239): choose_action runs act_prob, which the loss squashes again."""
    x = tf.placeholder(tf.float32, [None, 4], name="inputs")
    target = tf.placeholder(tf.float32, [None], name="rewards")
    action = tf.placeholder(tf.int32, [None], name="action")
    with tf.variable_scope("r_network"):
        out = layers.dense(layers.dense(x, 12, tf.nn.relu), 2)
    probs = tf.nn.softmax(out)
    with tf.variable_scope("loss"):
        log = tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=probs, labels=action
        )
        loss = tf.reduce_mean(log * target)
    with tf.variable_scope("train"):
        tf.train.RMSPropOptimizer(0.01).minimize(loss)
    return fetch(probs, labels=[target, action])
