"""Training graphs with more than one net in them: samplers, cycles, cascades, policies that draw."""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from tests.infer.training.training_graphs import (
    builder,
    conv,
    data,
    dense,
    finish,
    known,
    name,
    train,
    weight,
)


def _trainable(scope: str):
    return tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope)


def _layer(x, units, scope):
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        w = tf.get_variable("kernel", [int(x.shape[-1]), units])
        b = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
        return tf.matmul(x, w) + b


def _entropy(logits, value: float):
    labels = tf.fill(tf.shape(logits), value)
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels)
    )


@builder
def gan_with_sampler():
    """DCGAN: the generator a second time, for pictures between the steps."""
    z, x = data(8, 4, name="z"), data(8, 12, name="real")

    def make(noise):
        return tf.nn.tanh(_layer(tf.nn.relu(_layer(noise, 9, "G/1")), 12, "G/2"))

    def judge(image):
        h = tf.nn.leaky_relu(_layer(image, 9, "D/1"))
        return _layer(h, 1, "D/2")

    fake = make(z)
    loss_d = _entropy(judge(x), 1.0) + _entropy(judge(fake), 0.0)
    loss_g = _entropy(judge(fake), 1.0)
    sample = make(z)
    tf.train.AdamOptimizer(1e-4).minimize(loss_d, var_list=_trainable("D"))
    tf.train.AdamOptimizer(1e-4).minimize(loss_g, var_list=_trainable("G"))
    finish(loss_d, loss_g)
    return known([name(sample), name(fake)], [name(sample)])


@builder
def cycle_gan():
    a, b = data(None, 12, name="real_a"), data(None, 12, name="real_b")

    def net(x, scope):
        return tf.nn.tanh(
            _layer(tf.nn.relu(_layer(x, 9, scope + "/1")), 12, scope + "/2")
        )

    def judge(x, scope):
        return _layer(tf.nn.leaky_relu(_layer(x, 9, scope + "/1")), 1, scope + "/2")

    fake_b, fake_a = net(a, "GA"), net(b, "GB")
    cycle_a, cycle_b = net(fake_b, "GB"), net(fake_a, "GA")
    cycle = tf.reduce_mean(tf.abs(a - cycle_a)) + tf.reduce_mean(tf.abs(b - cycle_b))
    real_a, false_a = judge(a, "DA"), judge(fake_a, "DA")
    real_b, false_b = judge(b, "DB"), judge(fake_b, "DB")
    loss_g = tf.reduce_mean((false_a - 1) ** 2) + tf.reduce_mean((false_b - 1) ** 2)
    loss_a = tf.reduce_mean((real_a - 1) ** 2) + tf.reduce_mean(false_a**2)
    loss_b = tf.reduce_mean((real_b - 1) ** 2) + tf.reduce_mean(false_b**2)
    tf.train.AdamOptimizer(1e-4).minimize(
        loss_g + 10 * cycle, var_list=_trainable("GA") + _trainable("GB")
    )
    tf.train.AdamOptimizer(1e-4).minimize(loss_a, var_list=_trainable("DA"))
    tf.train.AdamOptimizer(1e-4).minimize(loss_b, var_list=_trainable("DB"))
    finish(cycle)
    both = [name(fake_a), name(fake_b)]
    return known([*both, name(cycle_a), name(cycle_b)], both)


@builder
def conditional_image_gan():
    """pix2pix: the discriminator sees the input as well."""
    x, y = data(None, 8, 8, 3, name="input"), data(None, 8, 8, 3, name="target")
    with tf.variable_scope("generator"):
        fake = tf.tanh(conv(conv(x, 4), 3, activation=None))

    def judge(image):
        with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
            joined = tf.concat([x, image], 3)
            w = tf.get_variable("w", [3, 3, 6, 1])
            return tf.sigmoid(tf.nn.conv2d(joined, w, [1, 1, 1, 1], "SAME"))

    real, false = judge(y), judge(fake)
    loss_d = tf.reduce_mean(-(tf.log(real + 1e-12) + tf.log(1 - false + 1e-12)))
    loss_g = tf.reduce_mean(-tf.log(false + 1e-12)) + 100 * tf.reduce_mean(
        tf.abs(y - fake)
    )
    d = tf.train.AdamOptimizer(2e-4, 0.5)
    update = d.apply_gradients(d.compute_gradients(loss_d, _trainable("discriminator")))
    with tf.control_dependencies([update]):
        g = tf.train.AdamOptimizer(2e-4, 0.5)
        g.apply_gradients(g.compute_gradients(loss_g, _trainable("generator")))
    finish(loss_d, loss_g)
    return known([name(fake)])


@builder
def sampled_policy():
    """A policy that draws its action, a value, an old policy it is compared with (PPO)."""
    state = data(None, 4, name="state")
    action = data(None, name="action", dtype=tf.int32)
    gain, goal = data(None, name="gain"), data(None, name="goal")

    def net(scope, trainable=True):
        with tf.variable_scope(scope):
            h = tf.nn.tanh(_layer(state, 8, "h"))
            return _layer(h, 3, "pi"), tf.squeeze(_layer(h, 1, "v"), 1)

    logits, value = net("new")
    old, _ = net("old")
    for to, source in zip(_trainable("old"), _trainable("new")):
        tf.assign(to, source)
    tf.squeeze(tf.multinomial(logits, 1), 1, name="drawn")
    chosen = tf.one_hot(action, 3)
    ratio = tf.exp(
        tf.reduce_sum(chosen * tf.nn.log_softmax(logits), 1)
        - tf.stop_gradient(tf.reduce_sum(chosen * tf.nn.log_softmax(old), 1))
    )
    clipped = tf.clip_by_value(ratio, 0.8, 1.2)
    loss = -tf.reduce_mean(tf.minimum(ratio * gain, clipped * gain))
    loss += 0.5 * tf.reduce_mean(tf.square(goal - value))
    train(loss, variables=_trainable("new"))
    finish(loss)
    return known(
        ["drawn", name(logits), name(value)],
        [name(logits), name(value)],
        ["action", "gain", "goal"],
    )


@builder
def gaussian_policy():
    state, action = data(None, 4, name="state"), data(None, 2, name="action")
    gain = data(None, name="gain")
    h = dense(state, 8, tf.nn.tanh)
    mean = dense(h, 2)
    spread = tf.exp(tf.Variable(tf.zeros([2]), name="log_std"))
    tf.add(mean, spread * tf.random_normal(tf.shape(mean)), name="drawn")
    likelihood = -tf.reduce_sum(tf.square((action - mean) / spread), 1)
    loss = -tf.reduce_mean(likelihood * gain)
    train(loss)
    finish(loss)
    return known(["drawn", name(mean)], ["drawn"], ["action", "gain"])


@builder
def training_and_inference_decoders():
    """Teacher forcing beside greedy decoding, with the same weights."""
    x = data(None, 5, name="source")
    given = data(None, 6, name="decoder_inputs", dtype=tf.int32)
    target = data(None, 6, name="decoder_targets", dtype=tf.int32)
    table, kernel = weight(20, 4), weight(4, 20)
    state = dense(x, 4, tf.nn.tanh)
    words = tf.nn.embedding_lookup(table, given)
    forced = tf.tensordot(words + tf.expand_dims(state, 1), kernel, 1)
    steps, word = [], tf.zeros_like(state)
    for _ in range(3):
        scores = tf.matmul(word + state, kernel)
        best = tf.argmax(scores, 1)
        steps.append(best)
        word = tf.nn.embedding_lookup(table, best)
    tf.stack(steps, 1, name="answer")
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=forced)
    )
    train(loss)
    finish(loss)
    return known(["answer"], labels=["decoder_targets"])


@builder
def landmark_cascade():
    """Face class, box and landmarks from one trunk, losses masked by the label (MTCNN)."""
    x = data(None, 12, 12, 3, name="image")
    label = data(None, name="label", dtype=tf.int32)
    box, marks = data(None, 4, name="box"), data(None, 10, name="marks")
    h = tf.reshape(conv(conv(x, 4, stride=2), 6, stride=2), [-1, 54])
    logits = dense(h, 2)
    scores = tf.nn.softmax(logits, name="cls_prob")
    box_out, marks_out = dense(h, 4), dense(h, 10)
    valid = tf.cast(tf.not_equal(label, -1), tf.float32)
    rows = tf.range(tf.shape(scores)[0]) * 2 + tf.maximum(label, 0)
    picked = tf.gather(tf.reshape(scores, [-1]), rows)
    loss = tf.reduce_mean(-tf.log(picked + 1e-10) * valid)
    loss += 0.5 * tf.reduce_mean(
        tf.reduce_sum(tf.square(box_out - box), 1) * tf.cast(tf.abs(label), tf.float32)
    )
    loss += tf.reduce_mean(tf.reduce_sum(tf.square(marks_out - marks), 1) * valid)
    train(loss)
    finish(loss)
    three = ["cls_prob", name(box_out), name(marks_out)]
    return known(three, three, ["label", "box", "marks"])


@builder
def mixture_density():
    x, y = data(None, 1, name="x"), data(None, 1, name="y")
    h = dense(x, 8, tf.nn.tanh)
    weights, means = tf.nn.softmax(dense(h, 3)), dense(h, 3)
    spreads = tf.exp(dense(h, 3))
    bell = tf.exp(-tf.square((y - means) / spreads) / 2) / spreads
    loss = tf.reduce_mean(-tf.log(tf.reduce_sum(weights * bell, 1)))
    train(loss)
    finish(loss)
    three = [name(weights), name(means)]
    spread = spreads.op.inputs[0]
    return known([*three, name(spread), name(spreads)], [*three, name(spread)], ["y"])


@builder
def recurrent_generator():
    """A character model that is fed its own state."""
    x = data(1, 1, name="x", dtype=tf.int32)
    y = data(1, 1, name="y", dtype=tf.int32)
    state = data(1, 6, name="state")
    word = tf.squeeze(tf.nn.embedding_lookup(weight(9, 5), x), 1)
    after = tf.tanh(tf.matmul(tf.concat([word, state], 1), weight(11, 6)), name="after")
    logits = tf.matmul(after, weight(6, 9)) + tf.Variable(tf.zeros([9]))
    probs = tf.nn.softmax(logits, name="probs")
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=logits, labels=tf.reshape(y, [-1])
        )
    )
    train(loss)
    finish(loss)
    return known([name(probs)], labels=["y"])
