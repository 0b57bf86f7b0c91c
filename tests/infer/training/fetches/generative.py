"""Generators: GANs of several losses, VAEs, autoencoders, flows, style transfer."""

from __future__ import annotations

from .zoo import Fetches, fetch, layers, style
from .zoo import v1 as tf


def _vars(scope):
    return [v for v in tf.trainable_variables() if v.name.startswith(scope)]


def _entropy(logits, ones):
    like = tf.ones_like(logits) if ones else tf.zeros_like(logits)
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=like)
    )


@style
def vanilla_gan() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 20], name="X")
    z = tf.placeholder(tf.float32, [None, 6], name="Z")
    d1, d2 = tf.Variable(tf.random_normal([20, 8])), tf.Variable(
        tf.random_normal([8, 1])
    )
    g1, g2 = tf.Variable(tf.random_normal([6, 8])), tf.Variable(
        tf.random_normal([8, 20])
    )
    sample = tf.nn.sigmoid(tf.matmul(tf.nn.relu(tf.matmul(z, g1)), g2))

    def discriminator(v):
        logit = tf.matmul(tf.nn.relu(tf.matmul(v, d1)), d2)
        return tf.nn.sigmoid(logit), logit

    real, _ = discriminator(x)
    fake, _ = discriminator(sample)
    d_loss = -tf.reduce_mean(tf.log(real) + tf.log(1.0 - fake))
    g_loss = -tf.reduce_mean(tf.log(fake))
    tf.train.AdamOptimizer().minimize(d_loss, var_list=[d1, d2])
    tf.train.AdamOptimizer().minimize(g_loss, var_list=[g1, g2])
    return fetch(sample)


@style
def dcgan_with_sampler() -> Fetches:
    real = tf.placeholder(tf.float32, [4, 8, 8, 1], name="real_images")
    z = tf.placeholder(tf.float32, [None, 5], name="z")

    def generator(v, train, reuse):
        with tf.variable_scope("generator", reuse=reuse):
            h = tf.reshape(layers.dense(v, 64, name="p"), [-1, 4, 4, 4])
            h = tf.nn.relu(layers.batch_normalization(h, training=train, name="bn"))
            return tf.nn.tanh(
                layers.conv2d_transpose(h, 1, 3, 2, padding="same", name="o")
            )

    def discriminator(v, reuse):
        with tf.variable_scope("discriminator", reuse=reuse):
            h = tf.nn.leaky_relu(layers.conv2d(v, 4, 3, 2, padding="same", name="c"))
            logits = layers.dense(layers.flatten(h), 1, name="l")
            return tf.nn.sigmoid(logits), logits

    g = generator(z, True, None)
    d, d_logits = discriminator(real, None)
    d_, d_logits_ = discriminator(g, True)
    sampler = generator(z, False, True)
    d_loss = _entropy(d_logits, True) + _entropy(d_logits_, False)
    g_loss = _entropy(d_logits_, True)
    tf.summary.histogram("d", d)
    tf.summary.histogram("d_", d_)
    tf.summary.image("G", g)
    tf.train.AdamOptimizer(2e-4, 0.5).minimize(d_loss, var_list=_vars("discriminator"))
    tf.train.AdamOptimizer(2e-4, 0.5).minimize(g_loss, var_list=_vars("generator"))
    return fetch(sampler)


@style
def wgan_gradient_penalty() -> Fetches:
    real = tf.placeholder(tf.float32, [8, 10], name="real")
    noise = tf.random_normal([8, 4])

    def gen(v):
        with tf.variable_scope("G"):
            return layers.dense(layers.dense(v, 8, tf.nn.relu), 10, name="out")

    def critic(v):
        with tf.variable_scope("C", reuse=tf.AUTO_REUSE):
            return layers.dense(layers.dense(v, 8, tf.nn.relu, name="a"), 1, name="b")

    fake = gen(noise)
    c_real, c_fake = critic(real), critic(fake)
    alpha = tf.random_uniform([8, 1])
    between = real + alpha * (fake - real)
    slopes = tf.sqrt(
        tf.reduce_sum(tf.square(tf.gradients(critic(between), [between])[0]), 1)
    )
    c_loss = (
        tf.reduce_mean(c_fake)
        - tf.reduce_mean(c_real)
        + 10 * tf.reduce_mean((slopes - 1.0) ** 2)
    )
    tf.train.AdamOptimizer(1e-4, 0.5, 0.9).minimize(c_loss, var_list=_vars("C"))
    tf.train.AdamOptimizer(1e-4, 0.5, 0.9).minimize(
        -tf.reduce_mean(c_fake), var_list=_vars("G")
    )
    return fetch(fake)


@style
def conditional_gan() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 12])
    y = tf.placeholder(tf.float32, [None, 3])
    z = tf.placeholder(tf.float32, [None, 5])
    with tf.variable_scope("gen"):
        out = tf.nn.sigmoid(
            layers.dense(layers.dense(tf.concat([z, y], 1), 9, tf.nn.relu), 12)
        )

    def judge(v):
        with tf.variable_scope("dis", reuse=tf.AUTO_REUSE):
            return layers.dense(
                layers.dense(tf.concat([v, y], 1), 9, tf.nn.relu, name="a"), 1, name="b"
            )

    r, f = judge(x), judge(out)
    tf.train.AdamOptimizer().minimize(
        _entropy(r, True) + _entropy(f, False), var_list=_vars("dis")
    )
    tf.train.AdamOptimizer().minimize(_entropy(f, True), var_list=_vars("gen"))
    return fetch(out)


@style
def pix2pix() -> Fetches:
    a = tf.placeholder(tf.float32, [1, 8, 8, 3], name="input_image")
    b = tf.placeholder(tf.float32, [1, 8, 8, 3], name="target_image")
    with tf.variable_scope("generator"):
        e = layers.conv2d(a, 4, 4, 2, padding="same")
        out = tf.tanh(layers.conv2d_transpose(tf.nn.relu(e), 3, 4, 2, padding="same"))

    def judge(v):
        with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
            h = tf.nn.leaky_relu(
                layers.conv2d(tf.concat([a, v], 3), 4, 4, 2, padding="same", name="a"),
                0.2,
            )
            return tf.sigmoid(layers.conv2d(h, 1, 4, padding="same", name="b"))

    real, fake = judge(b), judge(out)
    d_loss = tf.reduce_mean(-(tf.log(real + 1e-12) + tf.log(1 - fake + 1e-12)))
    g_loss = tf.reduce_mean(-tf.log(fake + 1e-12)) + 100 * tf.reduce_mean(
        tf.abs(b - out)
    )
    tf.train.AdamOptimizer(2e-4, 0.5).minimize(d_loss, var_list=_vars("discriminator"))
    tf.train.AdamOptimizer(2e-4, 0.5).minimize(g_loss, var_list=_vars("generator"))
    return fetch(out, labels=[b])


@style
def variational_autoencoder() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 20], name="input_img")
    h = layers.dense(x, 10, tf.nn.softplus)
    mu, logvar = layers.dense(h, 3), layers.dense(h, 3)
    z = mu + tf.exp(0.5 * logvar) * tf.random_normal(tf.shape(mu))
    recon = layers.dense(layers.dense(z, 10, tf.nn.softplus), 20, tf.nn.sigmoid)
    kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), 1)
    xent = -tf.reduce_sum(
        x * tf.log(1e-10 + recon) + (1 - x) * tf.log(1e-10 + 1 - recon), 1
    )
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(xent + kl))
    return fetch(recon, first=[recon])


@style
def latent_code_autoencoder() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 16], name="x")
    w = tf.Variable(tf.random_normal([16, 4]), name="w")
    code = tf.nn.sigmoid(tf.matmul(x, w) + tf.Variable(tf.zeros([4])))
    y_pred = tf.nn.sigmoid(
        tf.matmul(code, tf.transpose(w)) + tf.Variable(tf.zeros([16]))
    )
    cost = tf.reduce_mean(tf.pow(x - y_pred, 2))
    tf.train.RMSPropOptimizer(0.01).minimize(cost)
    return fetch(y_pred)


@style
def denoising_autoencoder_relu_clip() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 8, 8, 1], name="noisy")
    t = tf.placeholder(tf.float32, [None, 8, 8, 1], name="targets")
    h = layers.max_pooling2d(
        layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu), 2, 2
    )
    h = layers.conv2d(
        tf.image.resize_nearest_neighbor(h, (8, 8)),
        4,
        3,
        padding="same",
        activation=tf.nn.relu,
    )
    logits = layers.conv2d(h, 1, 3, padding="same")
    decoded = tf.nn.sigmoid(logits, name="decoded")
    loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=logits)
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(loss))
    return fetch(decoded, labels=[t])


@style
def sparse_autoencoder() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 14])
    h = layers.dense(x, 6, tf.nn.sigmoid)
    y = tf.nn.relu(layers.dense(h, 14))
    rho = tf.reduce_mean(h, 0)
    kl = tf.reduce_sum(0.05 * tf.log(0.05 / rho) + 0.95 * tf.log(0.95 / (1 - rho)))
    loss = tf.reduce_mean(tf.square(tf.minimum(y, 1.0) - x)) + 3 * kl
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(tf.get_default_graph().get_tensor_by_name("Minimum:0"))


@style
def style_transfer() -> Fetches:
    content = tf.placeholder(tf.float32, [None, 8, 8, 3], name="X_content")
    filters = tf.constant([[[[0.1] * 4] * 3] * 3] * 3)
    h = layers.conv2d(content / 255.0, 6, 3, padding="same", activation=tf.nn.relu)
    image = tf.add(
        tf.nn.tanh(layers.conv2d(h, 3, 3, padding="same")) * 150,
        255.0 / 2,
        name="preds",
    )
    target = tf.constant([[0.5] * 4] * 4)

    def gram(v):
        f = tf.reshape(
            tf.nn.relu(tf.nn.conv2d(v, filters, [1, 1, 1, 1], "SAME")), [-1, 64, 4]
        )
        return tf.matmul(tf.transpose(f, [0, 2, 1]), f) / 256.0, f

    g, features = gram(image)
    style_loss = 2 * tf.nn.l2_loss(g - target) / 16.0
    content_loss = tf.nn.l2_loss(features - gram(content)[1])
    tv = tf.nn.l2_loss(image[:, 1:] - image[:, :7]) + tf.nn.l2_loss(
        image[:, :, 1:] - image[:, :, :7]
    )
    tf.train.AdamOptimizer().minimize(style_loss + content_loss + tv)
    return fetch(image)


@style
def infogan() -> Fetches:
    z, c = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 3])
    x = tf.placeholder(tf.float32, [None, 10])
    with tf.variable_scope("G"):
        g = layers.dense(
            layers.dense(tf.concat([z, c], 1), 8, tf.nn.relu), 10, tf.nn.sigmoid
        )

    def judge(v):
        with tf.variable_scope("D", reuse=tf.AUTO_REUSE):
            return layers.dense(
                layers.dense(v, 8, tf.nn.relu, name="a"), 1, tf.nn.sigmoid, name="b"
            )

    with tf.variable_scope("Q"):
        q = layers.dense(layers.dense(g, 8, tf.nn.relu), 3, tf.nn.softmax)
    d_loss = -tf.reduce_mean(tf.log(judge(x) + 1e-8) + tf.log(1 - judge(g) + 1e-8))
    g_loss = -tf.reduce_mean(tf.log(judge(g) + 1e-8))
    q_loss = tf.reduce_mean(-tf.reduce_sum(tf.log(q + 1e-8) * c, 1))
    tf.train.AdamOptimizer().minimize(d_loss, var_list=_vars("D"))
    tf.train.AdamOptimizer().minimize(g_loss, var_list=_vars("G"))
    tf.train.AdamOptimizer().minimize(q_loss, var_list=_vars("Q") + _vars("G"))
    return fetch(g)


@style
def super_resolution_gan() -> Fetches:
    low = tf.placeholder(tf.float32, [None, 6, 6, 3], name="low_res")
    high = tf.placeholder(tf.float32, [None, 12, 12, 3], name="high_res")
    with tf.variable_scope("SRGAN_g"):
        h = layers.conv2d(low, 12, 3, padding="same", activation=tf.nn.relu)
        sr = tf.nn.tanh(tf.depth_to_space(layers.conv2d(h, 12, 3, padding="same"), 2))

    def judge(v):
        with tf.variable_scope("SRGAN_d", reuse=tf.AUTO_REUSE):
            return layers.dense(
                layers.flatten(
                    layers.conv2d(v, 4, 3, 2, activation=tf.nn.relu, name="a")
                ),
                1,
                name="b",
            )

    real, fake = judge(high), judge(sr)
    d_loss = _entropy(real, True) + _entropy(fake, False)
    g_loss = tf.reduce_mean(tf.square(sr - high)) + 1e-3 * _entropy(fake, True)
    tf.train.AdamOptimizer(name="init").minimize(
        tf.reduce_mean(tf.square(sr - high)), var_list=_vars("SRGAN_g")
    )
    tf.train.AdamOptimizer().minimize(g_loss, var_list=_vars("SRGAN_g"))
    tf.train.AdamOptimizer().minimize(d_loss, var_list=_vars("SRGAN_d"))
    return fetch(sr, labels=[high])
