"""A sixth set of eight, written after the fifth was mended: what its first sight says of scores."""

from __future__ import annotations

import importlib

from .zoo import Fetches, fetch, layers, sixth
from .zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


@sixth
def entities_by_softmax() -> Fetches:
    """monikkinom/ner-lstm: runs [prediction, length]; lengths are counted from the words."""
    x = tf.placeholder(tf.float32, [None, 5, 6])
    y = tf.placeholder(tf.float32, [None, 5, 4])
    used = tf.sign(tf.reduce_max(tf.abs(x), axis=2))
    length = tf.cast(tf.reduce_sum(used, axis=1), tf.int32)
    cells = _CELLS.LSTMCell(5), _CELLS.LSTMCell(5)
    out, _ = tf.nn.bidirectional_dynamic_rnn(
        *cells, x, dtype=tf.float32, sequence_length=length
    )
    flat = tf.reshape(tf.concat(out, axis=-1), [-1, 10])
    w = tf.Variable(tf.truncated_normal([10, 4], stddev=0.01))
    b = tf.Variable(tf.constant(0.1, shape=[4]))
    prediction = tf.reshape(tf.nn.softmax(tf.matmul(flat, w) + b), [-1, 5, 4])
    ce = -tf.reduce_sum(y * tf.log(prediction), axis=2)
    ce *= tf.sign(tf.reduce_max(tf.abs(y), axis=2))
    ce = tf.reduce_sum(ce, axis=1) / tf.cast(length, tf.float32)
    variables = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(tf.reduce_mean(ce), variables), 10)
    _adam(0.003).apply_gradients(zip(grads, variables))
    return fetch(prediction, labels=[y])


@sixth
def canvases_drawn_in_turns() -> Fetches:
    """ericjang/draw: runs cs, the canvases of all turns; the last one's sigmoid is what the loss compares."""
    x = tf.placeholder(tf.float32, (4, 16))
    e = tf.random_normal((4, 3))
    enc, dec = _CELLS.LSTMCell(6, name="enc"), _CELLS.LSTMCell(6, name="dec")
    enc_state, dec_state = enc.zero_state(4, tf.float32), dec.zero_state(4, tf.float32)
    before, canvas, cs, kl = tf.zeros((4, 6)), tf.zeros((4, 16)), [], []

    def linear(v, n, scope):
        with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
            w = tf.get_variable("w", [v.shape[1], n])
            return tf.matmul(v, w) + tf.get_variable("b", [n])

    for _ in range(2):
        glimpse = tf.concat([x, x - tf.sigmoid(canvas)], 1)
        h, enc_state = enc(tf.concat([glimpse, before], 1), enc_state)
        mu, log = linear(h, 3, "mu"), linear(h, 3, "sigma")
        sigma = tf.exp(log)
        before, dec_state = dec(mu + sigma * e, dec_state)
        canvas = canvas + linear(before, 16, "write")
        cs.append(canvas)
        kl.append(
            0.5 * tf.reduce_sum(tf.square(mu) + tf.square(sigma) - 2 * log, 1) - 1.0
        )
    out = tf.nn.sigmoid(cs[-1])
    like = -(x * tf.log(out + 1e-8) + (1.0 - x) * tf.log(1.0 - out + 1e-8))
    cost = tf.reduce_mean(tf.reduce_sum(like, 1)) + tf.reduce_mean(tf.add_n(kl))
    adam = _adam(1e-3, beta1=0.5)
    pairs = [
        (tf.clip_by_norm(g, 5), v)
        for g, v in adam.compute_gradients(cost)
        if g is not None
    ]
    adam.apply_gradients(pairs)
    return fetch(*cs, first=[cs[-1], out])


@sixth
def domains_transferred() -> Fetches:
    """yunjey/domain-transfer-network: fake_images; a second pass rebuilds the target domain's own pictures."""
    src = tf.placeholder(tf.float32, [None, 8, 8, 3], "svhn_images")
    trg = tf.placeholder(tf.float32, [None, 8, 8, 1], "mnist_images")

    def extract(v):
        v = v if v.shape[3] == 3 else tf.image.grayscale_to_rgb(v)
        with tf.variable_scope("content_extractor", reuse=tf.AUTO_REUSE):
            v = layers.conv2d(v, 6, 3, 2, padding="same", use_bias=False, name="c1")
            v = tf.nn.relu(layers.batch_normalization(v, training=True, name="b1"))
            return tf.nn.tanh(layers.conv2d(v, 6, 4, name="c2"))

    def paint(v):
        with tf.variable_scope("generator", reuse=tf.AUTO_REUSE):
            v = layers.conv2d_transpose(v, 6, 4, use_bias=False, name="c1")
            v = tf.nn.relu(layers.batch_normalization(v, training=True, name="b1"))
            return layers.conv2d_transpose(
                v, 1, 3, 2, padding="same", activation=tf.nn.tanh, name="c2"
            )

    def judge(v):
        with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
            v = layers.conv2d(v, 6, 3, 2, activation=tf.nn.relu, name="c1")
            return layers.dense(layers.flatten(v), 1, name="c2")

    def crossed(logits, like):
        return tf.losses.sigmoid_cross_entropy(like(logits), logits)

    def train(loss, scope):
        name = "Adam_" + loss.op.name.replace("/", "_")
        _adam(3e-4, name=name).minimize(loss, var_list=tf.trainable_variables(scope))

    code = extract(src)
    fake = paint(code)
    logits, again = judge(fake), extract(fake)
    d_src, g_src = crossed(logits, tf.zeros_like), crossed(logits, tf.ones_like)
    f_src = tf.reduce_mean(tf.square(code - again)) * 15.0
    for loss, scope in (
        (d_src, "discriminator"),
        (g_src, "generator"),
        (f_src, "content_extractor"),
    ):
        train(loss, scope)
    rebuilt = paint(extract(trg))
    logits, real = judge(rebuilt), judge(trg)
    train(crossed(logits, tf.zeros_like) + crossed(real, tf.ones_like), "discriminator")
    near = tf.reduce_mean(tf.square(trg - rebuilt)) * 15.0
    train(crossed(logits, tf.ones_like) + near, "generator")
    for name, v in (
        ("src_origin", src),
        ("src_sampled", fake),
        ("trg_reconstructed", rebuilt),
    ):
        tf.summary.image(name, v)
    return fetch(fake, rebuilt)


@sixth
def correction_and_its_adjoint() -> Fetches:
    """A stranger's learned operator correction (file 14359366993): evaluate runs output, differentiate gradients."""
    approximate = tf.placeholder(tf.float32, [None, 8, 8])
    true = tf.placeholder(tf.float32, [None, 8, 8])
    ay, ty = tf.expand_dims(approximate, 3), tf.expand_dims(true, 3)
    h = layers.conv2d(ay, 6, 3, padding="same", activation=tf.nn.leaky_relu)
    output = ay + layers.conv2d(h, 1, 3, padding="same")
    rate = tf.placeholder(tf.float32)
    loss = tf.reduce_mean(
        tf.sqrt(tf.reduce_sum(tf.square(output - ty), axis=(1, 2, 3)))
    )
    step = tf.Variable(0, name="global_step", trainable=False)
    tf.summary.scalar("Loss", loss)
    _adam(rate).minimize(loss, global_step=step)
    direction = tf.placeholder(tf.float32, [None, 8, 8])
    product = tf.reduce_sum(tf.multiply(output, tf.expand_dims(direction, axis=3)))
    gradients = tf.gradients(product, approximate)[0]
    for name, v in (("TrueData", ty), ("ApprData", ay), ("NetworkOutput", output)):
        tf.summary.image(name, v, max_outputs=2)
    tf.summary.merge_all()
    return fetch(output, gradients, first=[output], labels=[true])


@sixth
def critic_with_action_gradients() -> Fetches:
    """A stranger's DDPG critic (file 48325841967): predict runs output, calculate_gradients its derivative by action."""
    predicted = tf.placeholder(tf.float32, [None, 1])
    with tf.variable_scope("critic"):
        state = tf.placeholder(tf.float32, [None, 4], name="critic_state")
        action = tf.placeholder(tf.float32, [None, 2], name="critic_action")
        h = layers.dense(
            tf.concat([state, action], 1), 8, tf.nn.relu, name="critic_layer1"
        )
        h = layers.dense(h, 8, tf.nn.relu, name="critic_layer2")
        output = layers.dense(h, 1, name="critic_output")
    cost = tf.reduce_mean(tf.square(predicted - output))
    _adam(0.001).minimize(cost)
    tf.gradients(output, action)
    return fetch(output, labels=[predicted])


@sixth
def values_masked_by_action() -> Fetches:
    """A stranger's DQN (file 15276162568): nn_output runs output; the loss keeps one value of each row."""
    inputs = tf.placeholder(tf.float32, [None, 4], name="inputs")
    actions = tf.placeholder(tf.int32, [None], name="actions")
    targets = tf.placeholder(tf.float32, [None], name="targets")
    h = layers.dense(layers.dense(inputs, 10, tf.nn.relu), 10, tf.nn.relu)
    output = layers.dense(h, 3)
    predict = tf.reduce_sum(tf.multiply(output, tf.one_hot(actions, 3)), axis=1)
    _adam(0.001).minimize(tf.reduce_mean(tf.square(targets - predict)))
    return fetch(output, labels=[actions, targets])


@sixth
def several_models_of_prices() -> Fetches:
    """A stranger's price models (file 140561961): one Y_pred for each of several nets in one graph."""
    outs = []
    for name in ("Model_1", "Model_2"):
        with tf.variable_scope(name):
            x = tf.placeholder(tf.float32, [None, 6, 3])
            y = tf.placeholder(tf.float32, [None, 1])
            out, _ = tf.nn.dynamic_rnn(_CELLS.BasicLSTMCell(5), x, dtype=tf.float32)
            outs.append(layers.dense(out[:, -1], 1))
            _adam(0.001).minimize(tf.reduce_sum(tf.square(outs[-1] - y)))
            targets, predictions = (
                tf.placeholder(tf.float32, [None, 1]) for _ in range(2)
            )
            tf.sqrt(tf.reduce_mean(tf.square(targets - predictions)))
    return fetch(*outs)


@sixth
def ensemble_of_classifiers() -> Fetches:
    """A stranger's CIFAR ensemble (file 15012205703): FN_Predict runs y_pred of each model."""
    step, outs = tf.Variable(0, trainable=False, name="global_step"), []
    for name in ("model0", "model1"):
        with tf.variable_scope(name):
            x = tf.placeholder(tf.float32, [None, 12, 12, 3])
            y = tf.placeholder(tf.float32, [None, 10])
            keep = tf.placeholder(tf.float32)
            h = layers.conv2d(x, 6, 3, padding="SAME", activation=tf.nn.relu)
            h = tf.nn.dropout(layers.max_pooling2d(h, 2, 2), keep_prob=keep)
            h = tf.nn.dropout(
                layers.dense(layers.flatten(h), 12, tf.nn.relu), keep_prob=keep
            )
            logits = layers.dense(h, 10)
            outs.append(tf.nn.softmax(logits))
        cost = tf.reduce_mean(
            tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y)
        )
        _adam(0.001).minimize(cost, global_step=step)
        right = tf.equal(tf.argmax(outs[-1], 1), tf.argmax(y, 1))
        tf.reduce_mean(tf.cast(right, tf.float32))
    return fetch(*outs)
