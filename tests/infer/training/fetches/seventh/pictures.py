"""Pictures made larger, cleaner, brighter, coloured, segmented, drawn."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, layers, seventh
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer


@seventh
def patches_made_larger() -> Fetches:
    """tegg89/SRCNN-Tensorflow: pred, evaluated with the labels fed as well."""
    images = tf.placeholder(tf.float32, [None, 16, 16, 1], name="images")
    labels = tf.placeholder(tf.float32, [None, 4, 4, 1], name="labels")
    shapes = ([9, 9, 1, 8], [1, 1, 8, 6], [5, 5, 6, 1])
    w = [tf.Variable(tf.random_normal(s, stddev=1e-3)) for s in shapes]
    b = [tf.Variable(tf.zeros([s[3]])) for s in shapes]
    h = images
    for i in range(3):
        h = tf.nn.conv2d(h, w[i], [1, 1, 1, 1], "VALID") + b[i]
        h = tf.nn.relu(h) if i < 2 else h
    loss = tf.reduce_mean(tf.square(labels - h))
    tf.train.GradientDescentOptimizer(1e-4).minimize(loss)
    return fetch(h, labels=[labels])


@seventh
def noise_predicted_again_for_tests() -> Fetches:
    """wbhu/DnCNN-tensorflow: forward runs Y_test of a second pass, the noise; the target is noisy minus clean."""
    x = tf.placeholder(tf.float32, [None, 12, 12, 1], name="noisy_image")
    clean = tf.placeholder(tf.float32, [None, 12, 12, 1], name="clean_image")

    def net(v):
        for i, n in enumerate((6, 6, 6, 1)):
            with tf.variable_scope(f"conv{i}", reuse=tf.AUTO_REUSE):
                w = tf.get_variable("weights", [3, 3, int(v.shape[3]), n])
                b = tf.get_variable("biases", [1, n])
                v = tf.add(tf.nn.conv2d(v, w, [1] * 4, "SAME"), b)
                if 0 < i < 3:
                    alpha = tf.get_variable("bn_alpha", [1, n])
                    beta = tf.get_variable("bn_beta", [1, n])
                    mean, var = tf.nn.moments(v, [0, 1, 2])
                    v = (v - mean) / tf.sqrt(var + 1e-5) * alpha + beta
                v = tf.nn.relu(v) if i < 3 else v
        return v

    y = net(x)
    loss = (1.0 / 8) * tf.nn.l2_loss(x - clean - y)
    _adam(0.001, name="AdamOptimizer").minimize(loss)
    tf.summary.scalar("loss", loss)
    test = tf.placeholder(tf.float32, (1, 20, 24, 1), name="noisy_image_test")
    y_test = net(test)
    return fetch(y_test, first=[y_test, y], labels=[clean], twins=[(y,)])


@seventh
def dark_pictures_brightened() -> Fetches:
    """cchen156/Learning-to-See-in-the-Dark: out_image, depth moved to space; its mean absolute error is the loss."""
    x = tf.placeholder(tf.float32, [None, None, None, 4])
    truth = tf.placeholder(tf.float32, [None, None, None, 3])

    def conv(v, n, scope):
        v = layers.conv2d(v, n, 3, padding="same", name=scope)
        return tf.maximum(v * 0.2, v)

    def up(a, b, n, m):
        w = tf.Variable(tf.truncated_normal([2, 2, n, m], stddev=0.02))
        v = tf.nn.conv2d_transpose(a, w, tf.shape(b), strides=[1, 2, 2, 1])
        v = tf.concat([v, b], 3)
        v.set_shape([None, None, None, n * 2])
        return v

    one = conv(x, 6, "g_conv1")
    two = conv(layers.max_pooling2d(one, 2, 2, "same"), 8, "g_conv2")
    last = conv(up(two, one, 6, 8), 6, "g_conv9")
    out = tf.depth_to_space(layers.conv2d(last, 12, 1, name="g_conv10"), 2)
    loss = tf.reduce_mean(tf.abs(out - truth))
    _adam(tf.placeholder(tf.float32)).minimize(loss)
    return fetch(out, labels=[truth])


@seventh
def enlarged_about_its_own_mean() -> Fetches:
    """jmiller656/EDSR-Tensorflow: predict runs out, the output plus the batch's mean, clipped; the loss is without it."""
    x = tf.placeholder(tf.float32, [None, 8, 8, 3])
    y = tf.placeholder(tf.float32, [None, 16, 16, 3])
    mean_x, mean_y = tf.reduce_mean(x), tf.reduce_mean(y)
    target = y - mean_y
    h = first = layers.conv2d(x - mean_x, 8, 3, padding="same", activation=tf.nn.relu)
    for _ in range(2):
        inner = layers.conv2d(h, 8, 3, padding="same", activation=tf.nn.relu)
        h = h + layers.conv2d(inner, 8, 3, padding="same") * 0.1
    h = layers.conv2d(h, 8, 3, padding="same", activation=tf.nn.relu) + first
    h = layers.conv2d(h, 12, 3, padding="same", activation=tf.nn.relu)
    parts = []
    for part in tf.split(h, 3, axis=3):
        parts.append(tf.depth_to_space(part, 2))
    output = tf.nn.tanh(tf.concat(parts, 3))
    out = tf.clip_by_value(output + mean_x, 0.0, 255.0)
    loss = tf.reduce_mean(tf.losses.absolute_difference(target, output))
    mse = tf.reduce_mean(tf.squared_difference(target, output))
    psnr = tf.constant(255**2, tf.float32) / mse
    psnr = tf.constant(10, tf.float32) * (tf.log(psnr) / tf.log(tf.constant(10.0)))
    tf.summary.scalar("loss", loss)
    tf.summary.scalar("PSNR", psnr)
    for name, v in (("input_image", x), ("target_image", y), ("output_image", out)):
        tf.summary.image(name, tf.cast(v, tf.uint8))
    tf.summary.merge_all()
    _adam().minimize(loss)
    return fetch(out, labels=[y])


@seventh
def translated_and_encoded_as_png() -> Fetches:
    """affinelayer/pix2pix-tensorflow in training: display_fetches runs PNGs of the converted outputs, map over map."""
    queue = tf.train.batch([tf.zeros([16, 16, 3]), tf.ones([16, 16, 3])], batch_size=1)
    x, targets = queue[0] * 2 - 1, queue[1] * 2 - 1

    def lrelu(v):
        v = tf.identity(v)
        return (0.5 * (1 + 0.2)) * v + (0.5 * (1 - 0.2)) * tf.abs(v)

    def norm(v):
        return layers.batch_normalization(v, epsilon=1e-5, momentum=0.1, training=True)

    def judge(a, b):
        h = tf.concat([a, b], axis=3)
        for i, n in enumerate((6, 8, 1)):
            with tf.variable_scope(f"layer_{i + 1}"):
                h = tf.pad(h, [[0, 0], [1, 1], [1, 1], [0, 0]])
                h = layers.conv2d(h, n, 4, (2, 2) if i < 2 else (1, 1), "valid")
                h = norm(h) if i == 1 else h
                h = lrelu(h) if i < 2 else tf.sigmoid(h)
        return h

    with tf.variable_scope("generator"):
        with tf.variable_scope("encoder_1"):
            one = layers.conv2d(x, 6, 4, 2, "same")
        with tf.variable_scope("encoder_2"):
            two = norm(layers.conv2d(lrelu(one), 8, 4, 2, "same"))
        with tf.variable_scope("decoder_2"):
            up = norm(layers.conv2d_transpose(tf.nn.relu(two), 6, 4, 2, "same"))
            up = tf.nn.dropout(up, keep_prob=0.5)
        with tf.variable_scope("decoder_1"):
            h = tf.nn.relu(tf.concat([up, one], axis=3))
            outputs = tf.tanh(layers.conv2d_transpose(h, 3, 4, 2, "same"))
    with tf.name_scope("real_discriminator"), tf.variable_scope("discriminator"):
        real = judge(x, targets)
    with tf.name_scope("fake_discriminator"):
        with tf.variable_scope("discriminator", reuse=True):
            fake = judge(x, outputs)
    d_loss = tf.reduce_mean(-(tf.log(real + 1e-12) + tf.log(1 - fake + 1e-12)))
    g_gan = tf.reduce_mean(-tf.log(fake + 1e-12))
    g_l1 = tf.reduce_mean(tf.abs(targets - outputs))
    pairs = []
    adam = _adam(0.0002, 0.5)
    d_pairs = adam.compute_gradients(
        d_loss, var_list=tf.trainable_variables("discriminator")
    )
    d_train = adam.apply_gradients(d_pairs)
    with tf.control_dependencies([d_train]):
        adam = _adam(0.0002, 0.5)
        pairs = adam.compute_gradients(
            g_gan * 1.0 + g_l1 * 100.0, var_list=tf.trainable_variables("generator")
        )
        g_train = adam.apply_gradients(pairs)
    ema = tf.train.ExponentialMovingAverage(decay=0.99)
    update = ema.apply([d_loss, g_gan, g_l1])
    step = tf.train.get_or_create_global_step()
    tf.group(update, tf.assign(step, step + 1), g_train)
    shown, forms = [], []
    for name, v in (("inputs", x), ("targets", targets), ("outputs", outputs)):
        v = (v + 1) / 2
        forms.append(v)
        v = tf.image.convert_image_dtype(v, dtype=tf.uint8, saturate=True)
        forms.append(v)
        shown.append(
            tf.map_fn(tf.image.encode_png, v, dtype=tf.string, name=name + "_pngs")
        )
        tf.summary.image(name, v)
    for v in (real, fake):
        tf.summary.image("predict", tf.image.convert_image_dtype(v, dtype=tf.uint8))
    for tag, v in (("d", d_loss), ("gan", g_gan), ("l1", g_l1)):
        tf.summary.scalar("loss_" + tag, ema.average(v))
    for g, v in d_pairs + pairs:
        tf.summary.histogram(v.op.name + "/values", v)
        tf.summary.histogram(v.op.name + "/gradients", g)
    return fetch(shown[2], first=[shown[2], outputs, *forms[-2:]])


@seventh
def codes_recovered_from_pictures() -> Fetches:
    """hwalsuklee/tensorflow-generative-model-collections infoGAN: fake_images of a second, untrained pass."""
    x = tf.placeholder(tf.float32, [4, 8, 8, 1], name="real_images")
    y = tf.placeholder(tf.float32, [4, 6], name="y")
    z = tf.placeholder(tf.float32, [4, 5], name="z")

    def bn(v, training, name):
        return layers.batch_normalization(v, training=training, name=name)

    def lrelu(v):
        return tf.maximum(v, 0.2 * v)

    def judge(v, reuse):
        with tf.variable_scope("discriminator", reuse=reuse):
            h = lrelu(layers.conv2d(v, 6, 4, 2, "same", name="d_conv1"))
            h = layers.conv2d(h, 8, 4, 2, "same", name="d_conv2")
            h = tf.reshape(lrelu(bn(h, True, "d_bn2")), [4, -1])
            h = lrelu(bn(layers.dense(h, 12, name="d_fc3"), True, "d_bn3"))
            logit = layers.dense(h, 1, name="d_fc4")
            return tf.nn.sigmoid(logit), logit, h

    def paint(training, reuse):
        with tf.variable_scope("generator", reuse=reuse):
            h = tf.concat([z, y], 1)
            h = tf.nn.relu(bn(layers.dense(h, 12, name="g_fc1"), training, "g_bn1"))
            h = layers.dense(h, 6 * 16, name="g_fc2")
            h = tf.reshape(tf.nn.relu(bn(h, training, "g_bn2")), [4, 4, 4, 6])
            h = layers.conv2d_transpose(h, 1, 4, 2, "same", name="g_dc4")
            return tf.nn.sigmoid(h)

    def crossed(logits, like):
        return tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=like)
        )

    real, real_logits, _ = judge(x, False)
    painted = paint(True, False)
    fake, fake_logits, inside = judge(painted, True)
    d_real = crossed(real_logits, tf.ones_like(real))
    d_fake = crossed(fake_logits, tf.zeros_like(fake))
    d_loss, g_loss = d_real + d_fake, crossed(fake_logits, tf.ones_like(fake))
    with tf.variable_scope("classifier"):
        h = lrelu(bn(layers.dense(inside, 8, name="c_fc1"), True, "c_bn1"))
        code_logit = layers.dense(h, 6, name="c_fc2")
        code = tf.nn.softmax(code_logit)
    q_disc = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(
            logits=code_logit[:, :4], labels=y[:, :4]
        )
    )
    q_cont = tf.reduce_mean(tf.reduce_sum(tf.square(y[:, 4:] - code[:, 4:]), axis=1))
    q_loss = q_disc + q_cont
    every = tf.trainable_variables()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        for loss, marks in ((d_loss, "d_"), (g_loss, "g_"), (q_loss, "d_ c_ g_")):
            own = [v for v in every if any(m in v.name for m in marks.split())]
            _adam(0.0002, beta1=0.5).minimize(loss, var_list=own)
    images = paint(False, True)
    for tag, v in (("d_loss_real", d_real), ("g_loss", g_loss), ("q_loss", q_loss)):
        tf.summary.scalar(tag, v)
    return fetch(images, first=[images, painted])


@seventh
def generator_balanced_with_an_autoencoder() -> Fetches:
    """carpedm20/BEGAN-tensorflow: generate runs G, autoencode runs AE_x, both clipped to bytes; a queue feeds x."""
    loaded = tf.train.batch([tf.zeros([8, 8, 3])], batch_size=4)
    step = tf.Variable(0, name="step", trainable=False)
    g_lr, d_lr = (tf.Variable(0.00008, name=n) for n in ("g_lr", "d_lr"))
    tf.assign(g_lr, g_lr * 0.5, name="g_lr_update")
    tf.assign(d_lr, d_lr * 0.5, name="d_lr_update")
    x = loaded / 127.5 - 1.0
    z = tf.random_uniform((tf.shape(x)[0], 6), minval=-1.0, maxval=1.0)
    k_t = tf.Variable(0.0, trainable=False, name="k_t")

    def decode(v, scope):
        with tf.variable_scope(scope) as vs:
            h = tf.reshape(layers.dense(v, 4 * 4 * 6), [-1, 4, 4, 6])
            h = layers.conv2d(h, 6, 3, padding="same", activation=tf.nn.elu)
            h = tf.image.resize_nearest_neighbor(h, (8, 8))
            h = layers.conv2d(h, 3, 3, padding="same")
        return h, tf.trainable_variables(vs.name)

    painted, g_var = decode(z, "G")
    with tf.variable_scope("D"):
        h = tf.concat([painted, x], 0)
        h = layers.conv2d(h, 6, 3, padding="same", activation=tf.nn.elu)
        h = layers.conv2d(h, 6, 3, 2, "same", activation=tf.nn.elu)
        d_z = layers.dense(tf.reshape(h, [-1, 4 * 4 * 6]), 6)
    d_out, _ = decode(d_z, "D_out")
    d_var = tf.trainable_variables("D")
    ae_g, ae_x = tf.split(d_out, 2)

    def denorm(v):
        return tf.clip_by_value((v + 1) * 127.5, 0, 255)

    shown, shown_g, shown_x = denorm(painted), denorm(ae_g), denorm(ae_x)
    real = tf.reduce_mean(tf.abs(ae_x - x))
    fake = tf.reduce_mean(tf.abs(ae_g - painted))
    d_loss, g_loss = real - k_t * fake, tf.reduce_mean(tf.abs(ae_g - painted))
    d_optim = _adam(d_lr).minimize(d_loss, var_list=d_var)
    g_optim = _adam(g_lr).minimize(g_loss, global_step=step, var_list=g_var)
    balance = 0.5 * real - g_loss
    measure = real + tf.abs(balance)
    with tf.control_dependencies([d_optim, g_optim]):
        tf.assign(k_t, tf.clip_by_value(k_t + 0.001 * balance, 0, 1))
    for name, v in (("G", shown), ("AE_G", shown_g), ("AE_x", shown_x)):
        tf.summary.image(name, v)
    for name, v in (("d", d_loss), ("g", g_loss), ("m", measure), ("k", k_t)):
        tf.summary.scalar(name, v)
    return fetch(shown, shown_x, first=[shown, painted])


@seventh
def style_of_one_painting_with_a_tester() -> Fetches:
    """hwalsuklee/tensorflow-fast-style-transfer: y_hat_test of a test picture; VGG is constants, two feeds are content."""
    random = np.random.RandomState(1)
    fixed = [random.randn(3, 3, a, 6).astype(np.float32) for a in (3, 6)]

    def vgg(image, scope):
        with tf.variable_scope(scope):
            h = image
            found = []
            for w in fixed:
                h = tf.nn.conv2d(h, tf.constant(w), [1] * 4, "SAME")
                h = tf.nn.relu(tf.nn.bias_add(h, np.zeros(6, np.float32)))
                found.append(h)
                h = tf.nn.avg_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        return found

    def transform(v):
        for i, n in enumerate((6, 6, 3)):
            w = f"transform_{i}"
            v = tf.pad(v, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
            with tf.variable_scope(w, reuse=tf.AUTO_REUSE):
                k = tf.get_variable("W", [3, 3, int(v.shape[3]), n])
                v = tf.nn.conv2d(v, k, [1] * 4, "VALID")
                mu, var = tf.nn.moments(v, [1, 2], keepdims=True)
                shift = tf.get_variable("shift", [n])
                scale = tf.get_variable("scale", [n])
                v = scale * ((v - mu) / (var + 0.001) ** 0.5) + shift
            v = tf.nn.relu(v) if i < 2 else v
        return (tf.nn.tanh(v) + 1) * 127.5

    y_c = tf.placeholder(tf.float32, (2, 12, 12, 3), name="content")
    y_s = tf.placeholder(tf.float32, (1, 12, 12, 3), name="style")
    mean = np.float32([123.7, 116.8, 103.9])
    content, style = vgg(y_c - mean, "content"), vgg(y_s - mean, "style")

    def gram(v, b):
        feats = tf.reshape(v, (b, -1, 6))
        return tf.matmul(tf.transpose(feats, [0, 2, 1]), feats) / 400.0

    y_hat = transform(y_c / 255.0)
    mixed = vgg(y_hat - mean, "mixed")
    l_content = 7.5 * 2 * tf.nn.l2_loss(mixed[1] - content[1]) / 432.0
    l_style = 0.0
    for a, b in zip(mixed, style):
        l_style += 2 * tf.nn.l2_loss(gram(a, 2) - gram(b, 1)) / 72.0
    y_tv = tf.nn.l2_loss(y_hat[:, 1:, :, :] - y_hat[:, :11, :, :])
    x_tv = tf.nn.l2_loss(y_hat[:, :, 1:, :] - y_hat[:, :, :11, :])
    l_tv = 200.0 * tf.cast(2.0 * (x_tv / 396 + y_tv / 396) / 2, tf.float32)
    total = l_content + 100.0 * l_style + l_tv
    for tag, v in (("L_content", l_content), ("L_tv", l_tv), ("L_total", total)):
        tf.summary.scalar(tag, v)
    x_test = tf.placeholder(tf.float32, (14, 10, 3), name="test_input")
    y_test = transform(tf.expand_dims(x_test, 0) / 255.0)
    step = tf.train.get_or_create_global_step()
    own = tf.trainable_variables()
    grads = tf.gradients(total, own)
    _adam(1e-3).apply_gradients(zip(grads, own), global_step=step)
    return fetch(y_test, first=[y_test, y_hat], labels=[y_s], twins=[(y_hat,)])


@seventh
def cells_with_two_boxes() -> Fetches:
    """hizhangp/yolo_tensorflow: fc_32 (detections are decoded in numpy); the loss's masks come from predicted overlaps."""
    cell, boxes_per, classes, batch, size = 3, 2, 4, 2, 24
    x = tf.placeholder("float32", [None, size, size, 3])
    h = x
    for i, n in enumerate((6, 8)):
        w = tf.Variable(tf.truncated_normal([3, 3, int(h.shape[3]), n], stddev=0.1))
        b = tf.Variable(tf.constant(0.1, shape=[n]))
        h = tf.pad(h, [[0, 0], [1, 1], [1, 1], [0, 0]])
        h = tf.add(tf.nn.conv2d(h, w, [1, 2, 2, 1], "VALID", name=f"{i}_conv"), b)
        h = tf.maximum(0.1 * h, h, name=f"{i}_leaky_relu")
    h = tf.reshape(tf.transpose(h, (0, 3, 1, 2)), [-1, 6 * 6 * 8])

    def fc(v, n, linear):
        w = tf.Variable(tf.truncated_normal([int(v.shape[1]), n], stddev=0.1))
        v = tf.add(tf.matmul(v, w), tf.Variable(tf.constant(0.1, shape=[n])))
        return v if linear else tf.maximum(0.1 * v, v)

    h = tf.nn.dropout(fc(h, 16, False), keep_prob=0.5)
    out = fc(h, cell * cell * (classes + boxes_per * 5), True)
    labels = tf.placeholder("float32", [None, cell, cell, 5 + classes])
    one = cell * cell * classes
    two = one + cell * cell * boxes_per
    p_class = tf.reshape(out[:, :one], (batch, cell, cell, classes))
    p_scale = tf.reshape(out[:, one:two], (batch, cell, cell, boxes_per))
    p_boxes = tf.reshape(out[:, two:], (batch, cell, cell, boxes_per, 4))
    response = tf.reshape(labels[:, :, :, 0], [batch, cell, cell, 1])
    boxes = tf.reshape(labels[:, :, :, 1:5], [batch, cell, cell, 1, 4])
    boxes = tf.tile(boxes, [1, 1, 1, boxes_per, 1]) / size
    truth = labels[:, :, :, 5:]
    offset = np.tile(np.arange(cell)[None, None, :, None], (batch, cell, 1, boxes_per))
    offset = tf.constant(offset.astype(np.float32))
    turned = tf.transpose(offset, (0, 2, 1, 3))
    moved = tf.stack(
        [
            (p_boxes[..., 0] + offset) / cell,
            (p_boxes[..., 1] + turned) / cell,
            tf.square(p_boxes[..., 2]),
            tf.square(p_boxes[..., 3]),
        ]
    )
    moved = tf.transpose(moved, [1, 2, 3, 4, 0])

    def corners(v):
        v = tf.stack(
            [
                v[..., i] + s * v[..., j] / 2
                for s in (-1, 1)
                for i, j in ((0, 2), (1, 3))
            ]
        )
        return tf.transpose(v, [1, 2, 3, 4, 0])

    a, b = corners(moved), corners(boxes)
    low = tf.maximum(a[..., :2], b[..., :2])
    high = tf.minimum(a[..., 2:], b[..., 2:])
    inter = tf.maximum(0.0, high - low)
    inter = inter[..., 0] * inter[..., 1]
    area = [(v[..., 2] - v[..., 0]) * (v[..., 3] - v[..., 1]) for v in (a, b)]
    union = tf.maximum(area[0] + area[1] - inter, 1e-10)
    iou = tf.clip_by_value(inter / union, 1e-10, 1.0)
    mask = tf.reduce_max(iou, 3, keepdims=True)
    mask = tf.cast(iou >= mask, tf.float32) * response
    empty = tf.ones_like(mask, dtype=tf.float32) - mask
    wanted = tf.stack(
        [
            boxes[..., 0] * cell - offset,
            boxes[..., 1] * cell - turned,
            tf.sqrt(boxes[..., 2]),
            tf.sqrt(boxes[..., 3]),
        ]
    )
    wanted = tf.transpose(wanted, [1, 2, 3, 4, 0])
    axes = [1, 2, 3]
    by_class = tf.reduce_sum(tf.square(response * (p_class - truth)), axes)
    by_object = tf.reduce_sum(tf.square(mask * (p_scale - iou)), axes)
    by_empty = tf.reduce_sum(tf.square(empty * p_scale), axes)
    delta = tf.reshape(mask, [batch, cell, cell, boxes_per, 1]) * (p_boxes - wanted)
    by_box = tf.reduce_sum(tf.square(delta), [1, 2, 3, 4])
    losses = [tf.reduce_mean(v * 2.0) for v in (by_class, by_object, by_empty, by_box)]
    for i, v in enumerate(losses):
        tf.summary.scalar(f"train/loss_{i}", v)
    for i in range(4):
        tf.summary.histogram(f"train/boxes_delta_{i}", delta[..., i])
    tf.summary.histogram("train/iou", iou)
    rate = tf.train.exponential_decay(
        1e-3, tf.train.get_or_create_global_step(), 9, 0.1
    )
    train = tf.train.GradientDescentOptimizer(rate).minimize(tf.add_n(losses))
    ema = tf.train.ExponentialMovingAverage(decay=0.9999)
    with tf.control_dependencies([train]):
        tf.group(ema.apply(tf.trainable_variables()))
    return fetch(out, labels=[labels])


@seventh
def strokes_drawn_by_chance() -> Fetches:
    """A stranger's NonCausal (indexed as file 27389014842): predictions, drawn by X_out; conditioned on a class."""
    shape = [4, 8, 8, 1]
    x = tf.placeholder(tf.float32, shape)
    truth = tf.placeholder(tf.float32, shape)
    raw = tf.placeholder(tf.int32, [4])
    y = tf.one_hot(tf.reshape(raw, [4, 1, 1]), 5)

    def weight(s):
        return tf.Variable(tf.truncated_normal(s, stddev=0.1))

    def gate(v, n):
        return tf.multiply(tf.tanh(v[..., :n]), tf.sigmoid(v[..., n:]))

    def condition():
        w, b = weight([1, 1, 5, 12]), weight([12])
        v = tf.nn.conv2d(y, w, [1] * 4, "VALID") + b
        return tf.tile(tf.reshape(v, [4, 1, 1, 12]), [1, 8, 8, 1])

    first = weight([1, 1, 1, 12]), weight([12]), condition()
    layer = weight([3, 3, 6, 12]), weight([12]), weight([1, 1, 6, 6]), weight([6])
    extra = condition()
    last = weight([1, 1, 6, 2]), weight([2])

    def once(v):
        v = gate(tf.nn.conv2d(v, first[0], [1] * 4, "VALID") + first[1] + first[2], 6)
        h = gate(tf.nn.conv2d(v, layer[0], [1] * 4, "SAME") + layer[1] + extra, 6)
        v = v + tf.nn.conv2d(h, layer[2], [1] * 4, "VALID") + layer[3]
        return gate(tf.nn.conv2d(v, last[0], [1] * 4, "VALID") + last[1], 1)

    out = once(once(x))
    loss = tf.nn.l2_loss(out - truth)
    tf.train.RMSPropOptimizer(0.001).minimize(loss)
    predictions = tf.to_float(tf.less(tf.random_uniform(shape), out))
    return fetch(predictions, first=[predictions, out], labels=[truth])
