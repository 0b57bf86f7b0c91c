"""Classifiers: plain, multi-label, towers, distilled, with attention, with auxiliary heads and handmade losses."""

from __future__ import annotations

from .zoo import Fetches, fetch, layers, style
from .zoo import v1 as tf


def _accuracy(logits, labels, axis=1):
    right = tf.equal(tf.argmax(logits, axis), tf.argmax(labels, axis))
    return tf.reduce_mean(tf.cast(right, tf.float32), name="accuracy")


@style
def convnet_with_dropout_and_softmax() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 784], name="x")
    y = tf.placeholder(tf.float32, [None, 10], name="y")
    keep = tf.placeholder(tf.float32, name="keep")
    h = tf.reshape(x, [-1, 28, 28, 1])
    for n in (4, 8):
        h = layers.max_pooling2d(
            layers.conv2d(h, n, 5, padding="same", activation=tf.nn.relu), 2, 2
        )
    h = tf.nn.dropout(layers.dense(layers.flatten(h), 16, tf.nn.relu), keep_prob=keep)
    logits = layers.dense(h, 10)
    prob = tf.nn.softmax(logits)
    cost = tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits)
    )
    tf.train.AdamOptimizer(1e-4).minimize(cost)
    tf.summary.scalar("acc", _accuracy(prob, y))
    tf.summary.merge_all()
    return fetch(prob, labels=[y])


@style
def argmax_prediction_named() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 30], name="input_x")
    y = tf.placeholder(tf.int64, [None], name="input_y")
    scores = layers.dense(layers.dense(x, 12, tf.nn.relu), 4, name="scores")
    predictions = tf.argmax(scores, 1, name="predictions")
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=scores)
    )
    correct = tf.equal(predictions, y)
    tf.reduce_mean(tf.cast(correct, "float"), name="accuracy")
    tf.train.RMSPropOptimizer(1e-3).minimize(loss)
    return fetch(
        predictions,
        first=[predictions, scores.op.inputs[0].op.outputs[0], scores],
        labels=[y],
    )


@style
def text_cnn() -> Fetches:
    ids = tf.placeholder(tf.int32, [None, 20], name="input_x")
    y = tf.placeholder(tf.float32, [None, 2], name="input_y")
    keep = tf.placeholder(tf.float32, name="dropout_keep_prob")
    with tf.device("/cpu:0"), tf.name_scope("embedding"):
        table = tf.Variable(tf.random_uniform([50, 8], -1.0, 1.0), name="W")
        e = tf.expand_dims(tf.nn.embedding_lookup(table, ids), -1)
    pooled = []
    for size in (3, 4):
        with tf.name_scope(f"conv-maxpool-{size}"):
            w = tf.Variable(tf.truncated_normal([size, 8, 1, 6], stddev=0.1), name="W")
            b = tf.Variable(tf.constant(0.1, shape=[6]), name="b")
            h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(e, w, [1, 1, 1, 1], "VALID"), b))
            pooled.append(
                tf.nn.max_pool(h, [1, 21 - size, 1, 1], [1, 1, 1, 1], "VALID")
            )
    h = tf.nn.dropout(tf.reshape(tf.concat(pooled, 3), [-1, 12]), keep_prob=keep)
    l2 = tf.constant(0.0)
    with tf.name_scope("output"):
        w = tf.get_variable("W", [12, 2])
        b = tf.Variable(tf.constant(0.1, shape=[2]), name="b")
        l2 += tf.nn.l2_loss(w) + tf.nn.l2_loss(b)
        scores = tf.nn.xw_plus_b(h, w, b, name="scores")
        predictions = tf.argmax(scores, 1, name="predictions")
    losses = tf.nn.softmax_cross_entropy_with_logits(logits=scores, labels=y)
    loss = tf.reduce_mean(losses) + 0.1 * l2
    optimizer = tf.train.AdamOptimizer(1e-3)
    grads = optimizer.compute_gradients(loss)
    optimizer.apply_gradients(grads, global_step=tf.Variable(0, trainable=False))
    for g, v in grads:
        if g is not None:
            tf.summary.scalar(f"{v.op.name}/sparsity", tf.nn.zero_fraction(g))
    tf.summary.scalar("loss", loss)
    return fetch(predictions, first=[predictions, scores], labels=[y])


@style
def multilabel_with_threshold() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 24])
    y = tf.placeholder(tf.float32, [None, 6])
    logits = layers.dense(layers.dense(x, 16, tf.nn.elu), 6)
    scores = tf.nn.sigmoid(logits, name="scores")
    bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits)
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(tf.reduce_sum(bce, 1)))
    hit = tf.cast(scores > 0.5, tf.float32) * y
    precision = tf.reduce_sum(hit) / (
        tf.reduce_sum(tf.cast(scores > 0.5, tf.float32)) + 1e-8
    )
    tf.summary.scalar("precision", precision)
    return fetch(scores, labels=[y])


@style
def focal_loss_binary() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 12], name="features")
    y = tf.placeholder(tf.float32, [None, 1], name="targets")
    p = layers.dense(layers.dense(x, 8, tf.nn.relu), 1, tf.nn.sigmoid, name="prob")
    p_t = y * p + (1 - y) * (1 - p)
    loss = -tf.reduce_mean(tf.pow(1 - p_t, 2.0) * tf.log(p_t + 1e-7))
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(p, labels=[y])


@style
def renormalised_mask_softmax() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 5], name="x")
    y = tf.placeholder(tf.float32, [None, 4], name="y")
    p = tf.nn.softmax(layers.dense(x, 4), name="p")
    q = tf.clip_by_value(p / tf.reduce_sum(p, -1, keepdims=True), 1e-8, 1 - 1e-8)
    loss = -tf.reduce_mean(tf.reduce_sum(y * tf.log(q) + (1 - y) * tf.log(1 - q), 1))
    tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    return fetch(p, labels=[y])


@style
def top_five_labels() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 16, 16, 3], name="images")
    y = tf.placeholder(tf.int32, [None], name="labels")
    h = layers.conv2d(x, 4, 3, activation=tf.nn.relu)
    logits = layers.dense(tf.reduce_mean(h, [1, 2]), 20, name="logits")
    probabilities = tf.nn.softmax(logits, name="probabilities")
    values, indices = tf.nn.top_k(probabilities, 5, name="top_k")
    loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
    tf.train.AdamOptimizer().minimize(loss)
    right = tf.nn.in_top_k(logits, y, 5)
    tf.summary.scalar("top5", tf.reduce_mean(tf.cast(right, tf.float32)))
    return fetch(values, indices, first=[values, indices, probabilities], labels=[y])


@style
def multi_gpu_towers() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 9], name="x")
    y = tf.placeholder(tf.int64, [None], name="y")
    optimizer, grads, heads = tf.train.GradientDescentOptimizer(0.1), [], []
    for i, (xs, ys) in enumerate(zip(tf.split(x, 2), tf.split(y, 2))):
        with tf.name_scope(f"tower_{i}"), tf.variable_scope("net", reuse=tf.AUTO_REUSE):
            logits = layers.dense(
                layers.dense(xs, 7, tf.nn.relu, name="a"), 3, name="b"
            )
            heads.append(logits)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ys, logits=logits)
            )
            grads.append(optimizer.compute_gradients(loss))
    mean = [
        (tf.reduce_mean(tf.stack([g for g, _ in pair]), 0), pair[0][1])
        for pair in zip(*grads)
    ]
    optimizer.apply_gradients(mean)
    return fetch(heads[0], first=heads, labels=[y])


@style
def knowledge_distillation() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 14], name="x")
    y = tf.placeholder(tf.float32, [None, 3], name="y")
    soft = tf.placeholder(tf.float32, [None, 3], name="teacher_logits")
    t = tf.placeholder(tf.float32, [], name="temperature")
    logits = layers.dense(layers.dense(x, 8, tf.nn.relu), 3)
    prediction = tf.nn.softmax(logits, name="prediction")
    hard_loss = tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits)
    soft_loss = tf.nn.softmax_cross_entropy_with_logits_v2(
        labels=tf.nn.softmax(soft / t), logits=logits / t
    )
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(hard_loss + t * t * soft_loss))
    _accuracy(prediction, y)
    return fetch(prediction, labels=[y, soft, t])


@style
def attention_weights_beside_scores() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 11, 6], name="frames")
    y = tf.placeholder(tf.float32, [None, 4], name="y")
    h = layers.dense(x, 8, tf.nn.tanh)
    alpha = tf.nn.softmax(layers.dense(h, 1), axis=1, name="alpha")
    context = tf.reduce_sum(alpha * h, 1)
    p = tf.nn.softmax(layers.dense(context, 4), name="output")
    loss = -tf.reduce_mean(tf.reduce_sum(y * tf.log(p), 1))
    tf.train.AdamOptimizer().minimize(loss)
    return fetch(p, labels=[y])


@style
def batch_norm_by_layers() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 12, 12, 1], name="X")
    y = tf.placeholder(tf.int32, [None], name="Y")
    training = tf.placeholder_with_default(False, [], name="training")
    h = x
    for n in (4, 6):
        h = layers.conv2d(h, n, 3, use_bias=False)
        h = tf.nn.relu(layers.batch_normalization(h, training=training))
    logits = layers.dense(layers.flatten(h), 5, name="outputs")
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    loss = tf.reduce_mean(xentropy, name="loss")
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        tf.train.AdamOptimizer().minimize(loss)
    correct = tf.nn.in_top_k(logits, y, 1)
    tf.reduce_mean(tf.cast(correct, tf.float32))
    return fetch(logits, labels=[y])


@style
def auxiliary_classifier() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 10])
    y = tf.placeholder(tf.int64, [None])
    h = layers.dense(x, 9, tf.nn.relu)
    aux = layers.dense(h, 3, name="aux")
    for _ in range(4):
        h = layers.dense(h, 9, tf.nn.relu)
    main = layers.dense(h, 3, name="main")
    loss = tf.losses.sparse_softmax_cross_entropy(
        y, main
    ) + 0.4 * tf.losses.sparse_softmax_cross_entropy(y, aux)
    tf.train.AdamOptimizer().minimize(loss)
    predictions = {
        "classes": tf.argmax(main, 1),
        "probabilities": tf.nn.softmax(main, name="softmax_tensor"),
    }
    tf.metrics.accuracy(y, predictions["classes"])
    return fetch(predictions["probabilities"], labels=[y])


@style
def capsule_lengths() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 12], name="x")
    y = tf.placeholder(tf.float32, [None, 3], name="y")
    u = tf.reshape(layers.dense(x, 12), [-1, 3, 4])
    n2 = tf.reduce_sum(tf.square(u), -1, keepdims=True)
    v = n2 / (1 + n2) * u / tf.sqrt(n2 + 1e-9)
    length = tf.sqrt(tf.reduce_sum(tf.square(v), -1) + 1e-9, name="v_length")
    pos = tf.square(tf.maximum(0.0, 0.9 - length))
    neg = tf.square(tf.maximum(0.0, length - 0.1))
    margin = tf.reduce_mean(tf.reduce_sum(y * pos + 0.5 * (1 - y) * neg, 1))
    decoded = layers.dense(
        layers.dense(tf.reshape(v * tf.expand_dims(y, -1), [-1, 12]), 8, tf.nn.relu),
        12,
        tf.nn.sigmoid,
    )
    loss = margin + 0.0005 * tf.reduce_mean(tf.square(decoded - x))
    tf.train.AdamOptimizer().minimize(loss)
    prediction = tf.argmax(length, 1, name="prediction")
    tf.reduce_mean(tf.cast(tf.equal(prediction, tf.argmax(y, 1)), tf.float32))
    return fetch(length, first=[length, prediction], labels=[y])


@style
def svm_hinge() -> Fetches:
    x = tf.placeholder(tf.float32, [None, 2], name="x_data")
    y = tf.placeholder(tf.float32, [None, 1], name="y_target")
    a, b = tf.Variable(tf.random_normal([2, 1])), tf.Variable(tf.random_normal([1, 1]))
    output = tf.subtract(tf.matmul(x, a), b)
    margin = tf.reduce_mean(tf.maximum(0.0, tf.subtract(1.0, tf.multiply(output, y))))
    loss = tf.add(margin, tf.multiply(0.01, tf.reduce_sum(tf.square(a))))
    prediction = tf.sign(output)
    tf.reduce_mean(tf.cast(tf.equal(prediction, y), tf.float32))
    tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    return fetch(output, first=[output, prediction], labels=[y])
