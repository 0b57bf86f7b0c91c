"""Pictures that are made, changed or packed."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer


@fifth
def painting_by_fixed_features() -> Fetches:
    """lengstrom/fast-style-transfer optimize.py: evaluate.py runs ``preds``; VGG's weights are constants."""
    random = np.random.RandomState(0)
    fixed = [random.randn(3, 3, a, 6).astype(np.float32) for a in (3, 6)]

    def vgg(image):
        one = tf.nn.relu(tf.nn.conv2d(image, tf.constant(fixed[0]), [1] * 4, "SAME"))
        two = tf.nn.conv2d(one, tf.constant(fixed[1]), [1, 2, 2, 1], "SAME")
        return one, two, tf.nn.relu(two)

    def normed(net, n):
        mu, sigma = tf.nn.moments(net, [1, 2], keepdims=True)
        shift, scale = tf.Variable(tf.zeros([n])), tf.Variable(tf.ones([n]))
        return scale * ((net - mu) / (sigma + 1e-3) ** 0.5) + shift

    def conv(net, n, stride, relu=True):
        w = tf.Variable(tf.truncated_normal([3, 3, int(net.shape[-1]), n], stddev=0.1))
        net = normed(tf.nn.conv2d(net, w, [1, stride, stride, 1], "SAME"), n)
        return tf.nn.relu(net) if relu else net

    content = tf.placeholder(tf.float32, [2, 16, 16, 3], name="X_content")
    mean = np.array([123.68, 116.779, 103.939], np.float32)
    target = vgg(content - mean)[1]
    h = conv(content / 255.0, 6, 1)
    h = h + conv(conv(h, 6, 1), 6, 1, relu=False)
    preds = tf.nn.tanh(conv(h, 3, 1, relu=False)) * 150 + 255.0 / 2
    one, two, three = vgg(preds - mean)
    content_loss = 7.5 * (2 * tf.nn.l2_loss(two - target) / 384)
    styles = []
    for layer in (one, three):
        _, a, b, n = layer.shape.as_list()
        feats = tf.reshape(layer, (2, a * b, n))
        grams = tf.matmul(tf.transpose(feats, perm=[0, 2, 1]), feats) / (a * b * n)
        styles.append(
            2 * tf.nn.l2_loss(grams - random.randn(n, n).astype(np.float32)) / n
        )
    style_loss = 100.0 * (styles[0] + styles[1]) / 2
    y_tv = tf.nn.l2_loss(preds[:, 1:, :, :] - preds[:, :15, :, :])
    x_tv = tf.nn.l2_loss(preds[:, :, 1:, :] - preds[:, :, :15, :])
    loss = content_loss + style_loss + 200 * 2 * (x_tv / 720 + y_tv / 720) / 2
    _adam(1e-3).minimize(loss)
    return fetch(preds)


@fifth
def equilibrium_gan() -> Fetches:
    """wiseodd/generative-models began_tensorflow.py: G_sample; the discriminator rebuilds what it is shown."""

    def xavier(size):
        return tf.random_normal(shape=size, stddev=1.0 / tf.sqrt(size[0] / 2.0))

    x, z = tf.placeholder(tf.float32, [None, 20]), tf.placeholder(tf.float32, [None, 5])
    k = tf.placeholder(tf.float32)
    d = [
        tf.Variable(xavier([20, 8])),
        tf.Variable(tf.zeros([8])),
        tf.Variable(xavier([8, 20])),
        tf.Variable(tf.zeros([20])),
    ]
    g = [
        tf.Variable(xavier([5, 8])),
        tf.Variable(tf.zeros([8])),
        tf.Variable(xavier([8, 20])),
        tf.Variable(tf.zeros([20])),
    ]
    sample = tf.nn.sigmoid(
        tf.matmul(tf.nn.relu(tf.matmul(z, g[0]) + g[1]), g[2]) + g[3]
    )

    def judge(v):
        rebuilt = tf.matmul(tf.nn.relu(tf.matmul(v, d[0]) + d[1]), d[2]) + d[3]
        return tf.reduce_mean(tf.reduce_sum((v - rebuilt) ** 2, 1))

    real, fake = judge(x), judge(sample)
    _adam(1e-3).minimize(real - k * fake, var_list=d)
    _adam(1e-3).minimize(fake, var_list=g)
    return fetch(sample)


@fifth
def refiner_of_synthetic_pictures() -> Fetches:
    """carpedm20/simulated-unsupervised-tensorflow: R_x (``output_op=self.R_x``), with a history that is fed."""
    x = tf.placeholder_with_default(
        tf.zeros([2, 16, 16, 1], tf.uint8), [None, 16, 16, 1], "synthetic"
    )
    y = tf.placeholder(tf.uint8, [None, None, None, 1], name="real_inputs")
    history = tf.placeholder(tf.float32, [None, None, None, 1], "R_x_history")
    steps = [
        tf.Variable(0, name=n, trainable=False)
        for n in ("refiner_step", "discrim_step")
    ]

    def normalize(v):
        return tf.image.resize_images(v, [12, 12]) / 127.5 - 1.0

    normal_x, normal_y = normalize(x), normalize(y)
    with tf.variable_scope("refiner"):
        h = layers.conv2d(normal_x, 6, 3, padding="same", name="conv_0")
        for i in range(2):
            inner = tf.nn.relu(
                layers.conv2d(h, 6, 3, padding="same", name=f"resnet_{i}_1")
            )
            h = tf.nn.relu(
                h + layers.conv2d(inner, 6, 3, padding="same", name=f"resnet_{i}_2")
            )
        refined = tf.tanh(layers.conv2d(h, 1, 1, name="conv_1"), name="tanh")
    shown = (refined + 1.0) * 127.5

    def judge(v, reuse=False):
        with tf.variable_scope("discriminator", reuse=reuse):
            v.set_shape([None, 12, 12, 1])
            h = layers.conv2d(v, 8, 3, 2, activation=tf.nn.relu, name="conv_1")
            logits = layers.conv2d(h, 2, 1, name="conv_5")
            return tf.nn.softmax(logits, name="softmax"), logits

    real, fake, past = (
        judge(normal_y)[1],
        judge(refined, True)[1],
        judge(history, True)[1],
    )

    def log_loss(logits, value):
        labels = tf.fill(tf.shape(logits)[:3], value)
        ce = tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=logits, labels=labels
        )
        return tf.reduce_sum(ce, [1, 2])

    realism = log_loss(fake, 1)
    near = 0.1 * tf.reduce_sum(tf.abs(refined - normal_x), [1, 2, 3])
    refiner_loss = tf.reduce_mean(realism + near, name="refiner_loss")
    tf.summary.scalar("refiner/loss", refiner_loss)
    judged = log_loss(fake, 0) + log_loss(real, 1)
    discrim = tf.reduce_mean(judged, name="discrim_loss")
    both = tf.concat([log_loss(fake, 0), log_loss(past, 0)], 0)
    with_history = tf.reduce_mean(both) + tf.reduce_mean(log_loss(real, 1))
    tf.summary.scalar("discrim_loss", discrim)
    sgd = tf.train.GradientDescentOptimizer(0.001)
    for loss, step, scope in (
        (refiner_loss, steps[0], "refiner"),
        (discrim, steps[1], "discriminator"),
        (with_history, steps[1], "discriminator"),
    ):
        own = {v.name for v in tf.trainable_variables(scope)}
        pairs = [
            (tf.clip_by_norm(g, 50.0), v)
            for g, v in sgd.compute_gradients(loss)
            if g is not None and v.name in own
        ]
        sgd.apply_gradients(pairs, global_step=step)
    return fetch(refined, first=[refined, shown])


@fifth
def codes_and_a_decoder_apart() -> Fetches:
    """hwalsuklee/tensorflow-mnist-VAE: y rebuilds, and decoded paints what is fed as z_in."""
    x_hat, x = (
        tf.placeholder(tf.float32, [None, 20], n) for n in ("input_img", "target_img")
    )
    keep = tf.placeholder(tf.float32, name="keep_prob")
    z_in = tf.placeholder(tf.float32, [None, 2], name="latent_variable")

    def stack(h, n, acts, scope, rate, reuse=False):
        with tf.variable_scope(scope, reuse=reuse):
            for i, act in enumerate(acts):
                w = tf.get_variable(f"w{i}", [int(h.shape[1]), 12])
                b = tf.get_variable(f"b{i}", [12], initializer=tf.zeros_initializer())
                h = tf.nn.dropout(act(tf.matmul(h, w) + b), rate)
            w = tf.get_variable("wo", [12, n])
            return tf.matmul(h, w) + tf.get_variable(
                "bo", [n], initializer=tf.zeros_initializer()
            )

    params = stack(x_hat, 4, (tf.nn.elu, tf.nn.tanh), "gaussian_MLP_encoder", keep)
    mu, sigma = params[:, :2], 1e-6 + tf.nn.softplus(params[:, 2:])
    z = mu + sigma * tf.random_normal(tf.shape(mu), 0, 1, dtype=tf.float32)
    decoder = (tf.nn.tanh, tf.nn.elu), "bernoulli_MLP_decoder"
    y = tf.clip_by_value(tf.sigmoid(stack(z, 20, *decoder, keep)), 1e-8, 1 - 1e-8)
    like = tf.reduce_mean(tf.reduce_sum(x * tf.log(y) + (1 - x) * tf.log(1 - y), 1))
    kl = tf.square(mu) + tf.square(sigma) - tf.log(1e-8 + tf.square(sigma)) - 1
    kl = tf.reduce_mean(0.5 * tf.reduce_sum(kl, 1))
    _adam(1e-3).minimize(kl - like)
    decoded = tf.sigmoid(stack(z_in, 20, *decoder, 1.0, True))
    return fetch(y, decoded, labels=[x])


@fifth
def packing_and_unpacking() -> Fetches:
    """A stranger's autoencoder (indexed as file 21874692653): inference runs encode, and decode_ of what is fed."""
    x = tf.placeholder("float", [None, 64], name="input_x")
    x_ = tf.placeholder("float", [None, 2, 2, 6], name="input_x_")

    def decoder(code, reuse):
        h = layers.conv2d_transpose(
            code,
            4,
            3,
            1,
            "valid",
            activation=tf.nn.relu,
            reuse=reuse,
            name="conv_trans",
        )
        return layers.conv2d_transpose(
            h, 1, 5, 1, "valid", activation=tf.nn.relu, reuse=reuse, name="decode"
        )

    h = tf.reshape(x, [-1, 8, 8, 1])
    h = layers.conv2d(h, 4, 3, padding="SAME", activation=tf.nn.relu, name="conv1")
    h = layers.max_pooling2d(h, 2, 2, "SAME", name="pool1")
    h = layers.conv2d(h, 6, 3, padding="SAME", activation=tf.nn.relu, name="conv2")
    encode = layers.max_pooling2d(h, 2, 2, "SAME", name="encode")
    decode, decode_ = decoder(encode, False), decoder(x_, True)
    truth = tf.reshape(x, [-1, 8, 8, 1])
    for made in (decode, decode_):
        _adam().minimize(tf.losses.mean_squared_error(labels=truth, predictions=made))
    return fetch(encode, decode_, first=[encode, decode, decode_])
