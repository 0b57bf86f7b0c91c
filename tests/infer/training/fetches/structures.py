"""Detectors, segmenters, embeddings, pairs, recommenders, graphs, multi-task nets, word vectors, quantised training."""

from __future__ import annotations

from .zoo import Fetches, fetch, layers, style
from .zoo import v1 as tf


@style
def yolo_grid_raw() -> Fetches:
    image = tf.placeholder(tf.float32, [None, 14, 14, 3], name="images")
    labels = tf.placeholder(tf.float32, [None, 7, 7, 8], name="labels")
    h = layers.conv2d(image, 6, 3, 2, padding="same", activation=tf.nn.leaky_relu)
    logits = layers.dense(layers.flatten(h), 7 * 7 * 8, name="fc_36")
    p = tf.reshape(logits, [-1, 7, 7, 8])
    response = labels[..., 0:1]
    coord = tf.reduce_sum(
        tf.square(response * (p[..., 1:5] - labels[..., 1:5])), [1, 2, 3]
    )
    obj = tf.reduce_sum(tf.square(response * (p[..., 0:1] - 1.0)), [1, 2, 3])
    cls = tf.reduce_sum(tf.square(response * (p[..., 5:] - labels[..., 5:])), [1, 2, 3])
    for n, part in (("coord", coord), ("obj", obj), ("cls", cls)):
        tf.losses.add_loss(tf.reduce_mean(part))
        tf.summary.scalar(n, tf.reduce_mean(part))
    tf.train.GradientDescentOptimizer(1e-3).minimize(tf.losses.get_total_loss())
    return fetch(logits, first=[logits, p], labels=[labels])


@style
def ssd_with_nms() -> Fetches:
    image = tf.placeholder(tf.float32, [1, 12, 12, 3], name="image_tensor")
    gt_box = tf.placeholder(tf.float32, [1, 144, 4])
    gt_cls = tf.placeholder(tf.int32, [1, 144])
    h = layers.conv2d(image, 6, 3, padding="same", activation=tf.nn.relu)
    loc = tf.reshape(layers.conv2d(h, 4, 3, padding="same"), [1, -1, 4])
    cls = tf.reshape(layers.conv2d(h, 3, 3, padding="same"), [1, -1, 3])
    loss = tf.losses.sparse_softmax_cross_entropy(gt_cls, cls) + tf.losses.huber_loss(
        gt_box, loc
    )
    tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
    scores = tf.reduce_max(tf.nn.softmax(cls)[0, :, 1:], 1)
    keep = tf.image.non_max_suppression(loc[0], scores, 10)
    boxes = tf.gather(loc[0], keep, name="detection_boxes")
    kept = tf.gather(scores, keep, name="detection_scores")
    classes = tf.gather(tf.argmax(cls[0], 1), keep, name="detection_classes")
    return fetch(boxes, kept, classes, labels=[gt_box, gt_cls])


@style
def unet_segmentation() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 8, 8, 1], name="x")
    y = tf.placeholder(tf.float32, [None, 8, 8, 2], name="y")
    keep = tf.placeholder(tf.float32, name="dropout_probability")
    d = tf.nn.dropout(
        layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu), keep
    )
    m = layers.conv2d(
        layers.max_pooling2d(d, 2, 2), 6, 3, padding="same", activation=tf.nn.relu
    )
    u = tf.concat([d, layers.conv2d_transpose(m, 4, 2, 2)], 3)
    logits = layers.conv2d(u, 2, 1, activation=tf.nn.relu)
    predicter = tf.nn.softmax(logits)
    flat, flat_y = tf.reshape(logits, [-1, 2]), tf.reshape(y, [-1, 2])
    cost = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(logits=flat, labels=flat_y)
    )
    tf.reduce_mean(
        -tf.reduce_sum(
            flat_y
            * tf.log(tf.clip_by_value(tf.reshape(predicter, [-1, 2]), 1e-10, 1.0)),
            1,
        )
    )
    tf.reduce_mean(
        tf.cast(tf.equal(tf.argmax(predicter, 3), tf.argmax(y, 3)), tf.float32)
    )
    tf.train.MomentumOptimizer(0.2, 0.2).minimize(cost)
    return fetch(predicter, labels=[y])


@style
def fcn_annotation() -> Fetches:
    image = tf.placeholder(tf.float32, [None, 8, 8, 3], name="input_image")
    annotation = tf.placeholder(tf.int32, [None, 8, 8, 1], name="annotation")
    keep = tf.placeholder(tf.float32, name="keep_probabilty")
    h = tf.nn.dropout(
        layers.conv2d(image, 6, 3, 2, padding="same", activation=tf.nn.relu),
        keep_prob=keep,
    )
    logits = layers.conv2d_transpose(h, 5, 4, 2, padding="same")
    pred = tf.expand_dims(tf.argmax(logits, 3, name="prediction"), 3)
    tf.summary.image("pred", tf.cast(pred, tf.uint8), max_outputs=2)
    tf.summary.image("gt", tf.cast(annotation, tf.uint8), max_outputs=2)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=logits, labels=tf.squeeze(annotation, [3])
        )
    )
    tf.summary.scalar("entropy", loss)
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(pred, first=[pred, logits], labels=[annotation])


@style
def dice_binary_mask() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 8, 8, 1])
    y = tf.placeholder(tf.float32, [None, 8, 8, 1])
    p = layers.conv2d(
        layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu),
        1,
        1,
        activation=tf.nn.sigmoid,
    )
    inter = tf.reduce_sum(p * y, [1, 2, 3])
    union = tf.reduce_sum(p, [1, 2, 3]) + tf.reduce_sum(y, [1, 2, 3])
    loss = 1 - tf.reduce_mean((2 * inter + 1e-5) / (union + 1e-5))
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(p, labels=[y])


@style
def triplet_face_embedding() -> Fetches:
    image = tf.placeholder(tf.float32, [None, 10, 10, 3], name="input")
    h = layers.conv2d(image, 6, 3, activation=tf.nn.relu)
    embeddings = tf.nn.l2_normalize(
        layers.dense(tf.reduce_mean(h, [1, 2]), 8), 1, 1e-10, name="embeddings"
    )
    anchor, positive, negative = tf.unstack(tf.reshape(embeddings, [-1, 3, 8]), 3, 1)
    pos, neg = (tf.reduce_sum(tf.square(anchor - v), 1) for v in (positive, negative))
    loss = tf.reduce_mean(tf.maximum(pos - neg + 0.2, 0.0))
    tf.train.AdagradOptimizer(0.1).minimize(loss)
    return fetch(embeddings)


@style
def siamese_contrastive() -> Fetches:
    x1, x2 = tf.placeholder(tf.float32, [None, 12], name="x1"), tf.placeholder(
        tf.float32, [None, 12], name="x2"
    )
    y = tf.placeholder(tf.float32, [None], name="y_")

    def network(v):
        with tf.variable_scope("siamese", reuse=tf.AUTO_REUSE):
            return layers.dense(
                layers.dense(v, 8, tf.nn.relu, name="fc1"), 2, name="fc3"
            )

    o1, o2 = network(x1), network(x2)
    d2 = tf.reduce_sum(tf.pow(tf.subtract(o1, o2), 2), 1)
    d = tf.sqrt(d2 + 1e-6, name="euc")
    loss = tf.reduce_mean(y * d2 + (1 - y) * tf.pow(tf.maximum(5.0 - d, 0), 2))
    tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    return fetch(o1, first=[o1, o2], labels=[y])


@style
def two_tower_retrieval() -> Fetches:
    q, d = tf.placeholder(tf.float32, [None, 9], name="query"), tf.placeholder(
        tf.float32, [None, 9], name="doc"
    )
    y = tf.placeholder(tf.float32, [None, 1], name="click")
    with tf.variable_scope("q"):
        eq = tf.nn.l2_normalize(layers.dense(layers.dense(q, 8, tf.nn.tanh), 4), 1)
    with tf.variable_scope("d"):
        ed = tf.nn.l2_normalize(layers.dense(layers.dense(d, 8, tf.nn.tanh), 4), 1)
    cos = tf.reduce_sum(tf.multiply(eq, ed), 1, keepdims=True, name="similarity")
    loss = tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=cos * 20.0)
    )
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(cos, labels=[y])


@style
def skip_gram_nce() -> Fetches:
    inputs = tf.placeholder(tf.int32, [16], name="train_inputs")
    labels = tf.placeholder(tf.int32, [16, 1], name="train_labels")
    valid = tf.constant([1, 3, 5], tf.int32)
    table = tf.Variable(tf.random_uniform([40, 8], -1.0, 1.0))
    w, b = tf.Variable(tf.truncated_normal([40, 8])), tf.Variable(tf.zeros([40]))
    embed = tf.nn.embedding_lookup(table, inputs)
    loss = tf.reduce_mean(tf.nn.nce_loss(w, b, labels, embed, 4, 40))
    tf.train.GradientDescentOptimizer(1.0).minimize(loss)
    norm = tf.sqrt(tf.reduce_sum(tf.square(table), 1, keepdims=True))
    normalized = table / norm
    similarity = tf.matmul(
        tf.nn.embedding_lookup(normalized, valid), normalized, transpose_b=True
    )
    return fetch(normalized, first=[normalized, similarity], labels=[labels])


@style
def matrix_factorisation_ratings() -> Fetches:
    u, i = tf.placeholder(tf.int32, [None], name="user"), tf.placeholder(
        tf.int32, [None], name="item"
    )
    r = tf.placeholder(tf.float32, [None], name="rating")
    p, q = tf.Variable(tf.random_normal([20, 4])), tf.Variable(
        tf.random_normal([30, 4])
    )
    bu, bi = tf.Variable(tf.zeros([20])), tf.Variable(tf.zeros([30]))
    eu, ei = tf.nn.embedding_lookup(p, u), tf.nn.embedding_lookup(q, i)
    pred = (
        tf.reduce_sum(eu * ei, 1)
        + tf.nn.embedding_lookup(bu, u)
        + tf.nn.embedding_lookup(bi, i)
        + 3.5
    )
    loss = tf.reduce_sum(tf.square(r - pred)) + 0.1 * (
        tf.nn.l2_loss(eu) + tf.nn.l2_loss(ei)
    )
    tf.train.AdamOptimizer().minimize(loss)
    tf.sqrt(tf.reduce_mean(tf.square(r - pred)))
    return fetch(pred, labels=[r])


@style
def bpr_ranking() -> Fetches:
    u = tf.placeholder(tf.int32, [None], name="u")
    i, j = tf.placeholder(tf.int32, [None], name="i"), tf.placeholder(
        tf.int32, [None], name="j"
    )
    users, items = tf.get_variable("users", [20, 4]), tf.get_variable("items", [30, 4])
    eu, ei, ej = (
        tf.nn.embedding_lookup(t, n) for t, n in ((users, u), (items, i), (items, j))
    )
    positive = tf.reduce_sum(eu * ei, 1, name="score")
    difference = positive - tf.reduce_sum(eu * ej, 1)
    loss = -tf.reduce_mean(tf.log(tf.sigmoid(difference))) + 0.01 * tf.nn.l2_loss(eu)
    tf.train.AdamOptimizer().minimize(loss)
    all_scores = tf.matmul(eu, items, transpose_b=True, name="batch_ratings")
    return fetch(all_scores, first=[all_scores, positive], labels=[j])


@style
def graph_convolution() -> Fetches:
    x = tf.placeholder(tf.float32, [10, 6], name="features")
    a = tf.placeholder(tf.float32, [10, 10], name="support")
    y, mask = tf.placeholder(tf.float32, [10, 3], name="labels"), tf.placeholder(
        tf.int32, name="labels_mask"
    )
    keep = tf.placeholder_with_default(0.0, [], name="dropout")
    w0, w1 = tf.get_variable("w0", [6, 8]), tf.get_variable("w1", [8, 3])
    h = tf.nn.relu(tf.matmul(a, tf.matmul(tf.nn.dropout(x, 1 - keep), w0)))
    out = tf.matmul(a, tf.matmul(tf.nn.dropout(h, 1 - keep), w1))
    prediction = tf.nn.softmax(out)
    m = tf.cast(mask, tf.float32)
    m /= tf.reduce_mean(m)
    loss = 5e-4 * tf.nn.l2_loss(w0) + tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(logits=out, labels=y) * m
    )
    tf.reduce_mean(
        tf.cast(tf.equal(tf.argmax(out, 1), tf.argmax(y, 1)), tf.float32) * m
    )
    tf.train.AdamOptimizer(0.01).minimize(loss)
    return fetch(prediction, labels=[y, mask])


@style
def age_gender_multitask() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 12, 12, 3], name="face")
    age, gender = tf.placeholder(tf.int64, [None], name="age"), tf.placeholder(
        tf.int64, [None], name="gender"
    )
    f = tf.reduce_mean(layers.conv2d(x, 8, 3, activation=tf.nn.relu), [1, 2])
    age_logits, gender_logits = layers.dense(f, 10, name="age_logits"), layers.dense(
        f, 2, name="gender_logits"
    )
    loss = tf.losses.sparse_softmax_cross_entropy(
        age, age_logits
    ) + tf.losses.sparse_softmax_cross_entropy(gender, gender_logits)
    expected = tf.reduce_sum(
        tf.nn.softmax(age_logits) * tf.range(10, dtype=tf.float32), 1, name="age_"
    )
    mae = tf.losses.absolute_difference(
        tf.cast(age, tf.float32), expected, loss_collection=None
    )
    who = tf.argmax(tf.nn.softmax(gender_logits), 1, name="gender_")
    tf.reduce_mean(tf.cast(tf.equal(who, gender), tf.float32))
    tf.train.AdamOptimizer().minimize(loss)
    tf.summary.scalar("mae", mae)
    return fetch(expected, who, first=[expected, who], labels=[age, gender])


@style
def center_loss_features() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 10], name="x")
    y = tf.placeholder(tf.int64, [None], name="labels")
    features = layers.dense(layers.dense(x, 8, tf.nn.relu), 2, name="features")
    logits = layers.dense(tf.nn.relu(features), 4, name="logits")
    centers = tf.get_variable("centers", [4, 2], trainable=False)
    batch = tf.gather(centers, y)
    diff = 0.5 * (batch - features)
    update = tf.scatter_sub(centers, y, diff)
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits) + 0.5 * tf.nn.l2_loss(
        features - batch
    )
    with tf.control_dependencies([update]):
        tf.train.AdamOptimizer().minimize(loss)
    tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y), tf.float32))
    return fetch(features, logits, first=[logits], labels=[y])


@style
def moving_average_shadow() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 8], name="x-input")
    y_ = tf.placeholder(tf.float32, [None, 3], name="y-input")
    w1, b1 = tf.Variable(tf.truncated_normal([8, 6])), tf.Variable(
        tf.constant(0.1, shape=[6])
    )
    w2, b2 = tf.Variable(tf.truncated_normal([6, 3])), tf.Variable(
        tf.constant(0.1, shape=[3])
    )
    y = tf.matmul(tf.nn.relu(tf.matmul(x, w1) + b1), w2) + b2
    step = tf.Variable(0, trainable=False)
    ema = tf.train.ExponentialMovingAverage(0.99, step)
    averages = ema.apply(tf.trainable_variables())
    average_y = tf.matmul(
        tf.nn.relu(tf.matmul(x, ema.average(w1)) + ema.average(b1)), ema.average(w2)
    ) + ema.average(b2)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=y, labels=tf.argmax(y_, 1)
        )
    )
    loss += 0.0001 * (tf.nn.l2_loss(w1) + tf.nn.l2_loss(w2))
    rate = tf.train.exponential_decay(0.8, step, 100, 0.99)
    train = tf.train.GradientDescentOptimizer(rate).minimize(loss, global_step=step)
    with tf.control_dependencies([train, averages]):
        tf.no_op(name="train")
    tf.reduce_mean(
        tf.cast(tf.equal(tf.argmax(average_y, 1), tf.argmax(y_, 1)), tf.float32)
    )
    return fetch(average_y, first=[average_y, y], labels=[y_])


@style
def wide_and_deep_click() -> Fetches:
    ids = tf.placeholder(tf.int64, [None, 3], name="ids")
    dense = tf.placeholder(tf.float32, [None, 5], name="dense")
    click = tf.placeholder(tf.float32, [None, 1], name="click")
    wide_w = tf.get_variable("wide", [50, 1])
    table = tf.get_variable("emb", [50, 4])
    wide = tf.reduce_sum(tf.nn.embedding_lookup(wide_w, ids), 1)
    deep = tf.concat(
        [tf.reshape(tf.nn.embedding_lookup(table, ids), [-1, 12]), dense], 1
    )
    logit = wide + layers.dense(layers.dense(deep, 8, tf.nn.relu), 1)
    ctr = tf.sigmoid(logit, name="ctr")
    loss = tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(logits=logit, labels=click)
    )
    tf.metrics.auc(click, ctr)
    tf.train.FtrlOptimizer(0.1).minimize(loss)
    return fetch(ctr, labels=[click])
