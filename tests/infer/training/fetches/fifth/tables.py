"""Tables, clicks, graphs of nodes, molecules."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer
_sigmoid = tf.nn.sigmoid_cross_entropy_with_logits


@fifth
def clicks_from_lines_of_text() -> Fetches:
    """lambdaji/tf_repos DeepFM.py: the estimator's predictions are {"prob": pred}; a Dataset feeds it."""
    ids, values, labels = tf.data.make_one_shot_iterator(
        tf.data.Dataset.from_tensors(
            (np.zeros(5, np.int32), np.zeros(5, np.float32), np.float32(0))
        )
        .repeat()
        .batch(4)
    ).get_next()
    b = tf.get_variable("fm_bias", [1], initializer=tf.zeros_initializer())
    w = tf.get_variable("fm_w", [30], initializer=tf.glorot_normal_initializer())
    v = tf.get_variable("fm_v", [30, 4], initializer=tf.glorot_normal_initializer())
    ids, values = tf.reshape(ids, [-1, 5]), tf.reshape(values, [-1, 5])
    with tf.variable_scope("First-order"):
        y_w = tf.reduce_sum(tf.multiply(tf.nn.embedding_lookup(w, ids), values), 1)
    with tf.variable_scope("Second-order"):
        e = tf.multiply(tf.nn.embedding_lookup(v, ids), tf.reshape(values, [-1, 5, 1]))
        squares = tf.square(tf.reduce_sum(e, 1)), tf.reduce_sum(tf.square(e), 1)
        y_v = 0.5 * tf.reduce_sum(tf.subtract(*squares), 1)
    with tf.variable_scope("Deep-part"):
        h = tf.reshape(e, [-1, 20])
        for i in range(2):
            h = layers.dense(
                h,
                8,
                tf.nn.relu,
                kernel_regularizer=lambda k: 1e-4 * tf.nn.l2_loss(k),
                name=f"mlp{i}",
            )
            h = tf.nn.dropout(h, keep_prob=0.5)
        y_d = tf.reshape(layers.dense(h, 1, tf.identity, name="deep_out"), [-1])
    with tf.variable_scope("DeepFM-out"):
        y = b * tf.ones_like(y_d, dtype=tf.float32) + y_w + y_v + y_d
        pred = tf.sigmoid(y)
    loss = tf.reduce_mean(_sigmoid(logits=y, labels=labels))
    loss += 1e-4 * tf.nn.l2_loss(w) + 1e-4 * tf.nn.l2_loss(v)
    tf.metrics.auc(labels, pred)
    _adam(5e-4, epsilon=1e-8).minimize(
        loss, global_step=tf.train.get_or_create_global_step()
    )
    return fetch(pred, first=[pred, y])


@fifth
def interactions_pooled_and_normalised() -> Fetches:
    """hexiangnan/neural_factorization_machine NeuralFM.py: ``self.out``; its bias is spread by the labels' shape."""
    features = tf.placeholder(tf.int32, [None, None])
    labels = tf.placeholder(tf.float32, [None, 1])
    keep = tf.placeholder(tf.float32, [None])
    phase = tf.placeholder(tf.bool)
    table = tf.Variable(tf.random_normal([30, 6], 0.0, 0.01), name="feature_embeddings")
    bias_table = tf.Variable(tf.random_uniform([30, 1], 0.0, 0.0), name="feature_bias")
    bias = tf.Variable(tf.constant(0.0), name="bias")
    w, b, last = (
        tf.Variable(np.zeros(s, np.float32)) for s in ((6, 8), (1, 8), (8, 1))
    )

    def norm(x, scope):
        with tf.variable_scope(scope):
            train = layers.batch_normalization(
                x, momentum=0.9, training=True, name="bn"
            )
        with tf.variable_scope(scope, reuse=True):
            use = layers.batch_normalization(x, momentum=0.9, training=False, name="bn")
        return tf.cond(phase, lambda: train, lambda: use)

    e = tf.nn.embedding_lookup(table, features)
    squared = tf.square(tf.reduce_sum(e, 1))
    fm = 0.5 * tf.subtract(squared, tf.reduce_sum(tf.square(e), 1))
    fm = tf.nn.dropout(norm(fm, "bn_fm"), keep[-1])
    fm = norm(tf.add(tf.matmul(fm, w), b), "bn_0")
    fm = tf.matmul(tf.nn.dropout(tf.nn.relu(fm), keep[0]), last)
    bilinear = tf.reduce_sum(fm, 1, keepdims=True)
    linear = tf.reduce_sum(tf.nn.embedding_lookup(bias_table, features), 1)
    out = tf.add_n([bilinear, linear, bias * tf.ones_like(labels)])
    loss = tf.nn.l2_loss(tf.subtract(labels, out))
    loss += 1e-3 * tf.nn.l2_loss(table)
    tf.train.AdagradOptimizer(0.05, initial_accumulator_value=1e-8).minimize(loss)
    return fetch(out, labels=[])


@fifth
def neighbours_of_users_and_items() -> Fetches:
    """xiangwang1223/neural_graph_collaborative_filtering NGCF.py: batch_test runs batch_ratings."""
    users, pos, neg = (tf.placeholder(tf.int32, (None,)) for _ in range(3))
    tf.placeholder(tf.float32, [None])
    mess = tf.placeholder(tf.float32, [None])
    init = tf.glorot_uniform_initializer()
    user_table = tf.Variable(init([4, 5]), name="user_embedding")
    item_table = tf.Variable(init([6, 5]), name="item_embedding")
    weights = {
        n: tf.Variable(init([5, 5]), name=n) for n in ("W_gc_0", "W_bi_0", "W_mlp_0")
    }
    biases = {
        n: tf.Variable(init([1, 5]), name=n) for n in ("b_gc_0", "b_bi_0", "b_mlp_0")
    }
    where = np.array([[i, (3 * i + 1) % 10] for i in range(10)], np.int64)
    folds = [tf.SparseTensor(where[:5], np.ones(5, np.float32), [5, 10])] * 2
    ego = tf.concat([user_table, item_table], axis=0)
    side = tf.concat([tf.sparse_tensor_dense_matmul(f, ego) for f in folds], 0)
    sums = tf.nn.leaky_relu(tf.matmul(side, weights["W_gc_0"]) + biases["b_gc_0"])
    both = tf.multiply(ego, side)
    both = tf.nn.leaky_relu(tf.matmul(both, weights["W_bi_0"]) + biases["b_bi_0"])
    later = tf.nn.dropout(sums + both, 1 - mess[0])
    joined = tf.concat([ego, tf.math.l2_normalize(later, axis=1)], 1)
    u_all, i_all = tf.split(joined, [4, 6], 0)
    u, p, n = (
        tf.nn.embedding_lookup(t, i)
        for t, i in ((u_all, users), (i_all, pos), (i_all, neg))
    )
    ratings = tf.matmul(u, p, transpose_a=False, transpose_b=True)
    better = tf.reduce_sum(u * p, axis=1) - tf.reduce_sum(u * n, axis=1)
    mf = tf.negative(tf.reduce_mean(tf.log(tf.nn.sigmoid(better))))
    decay = 1e-5 * (tf.nn.l2_loss(u) + tf.nn.l2_loss(p) + tf.nn.l2_loss(n)) / 4
    _adam(1e-3).minimize(mf + decay + tf.constant(0.0, tf.float32, [1]))
    return fetch(ratings)


@fifth
def items_crossed_with_entities() -> Fetches:
    """princewen/tensorflow_practice MKR: eval runs scores_normalized; a second loss trains triples of a graph."""
    names = (
        "user_indices item_indices head_indices tail_indices relation_indices".split()
    )
    user, item, head, tail, relation = (
        tf.placeholder(tf.int32, [None], n) for n in names
    )
    labels = tf.placeholder(tf.float32, [None], "labels")
    kinds = "user item entity relation".split()
    tables = {n: tf.get_variable(n + "_emb_matrix", [9, 4]) for n in kinds}

    def look(n, ids):
        return tf.nn.embedding_lookup(tables[n], ids)

    users, items, heads = look("user", user), look("item", item), look("entity", head)
    relations, tails = look("relation", relation), look("entity", tail)
    own: dict[str, list] = {"rs": [], "kge": []}

    def dense(x, n, group):
        w = tf.get_variable(f"w{len(tf.global_variables())}", [int(x.shape[1]), n])
        b = tf.get_variable(
            f"b{len(tf.global_variables())}", [n], initializer=tf.zeros_initializer()
        )
        own[group].append(w)
        return tf.nn.relu(tf.matmul(x, w) + b)

    def cross(v, e):
        c = tf.matmul(tf.expand_dims(v, 2), tf.expand_dims(e, 1))
        flat, turned = tf.reshape(c, [-1, 4]), tf.reshape(
            tf.transpose(c, [0, 2, 1]), [-1, 4]
        )
        w = [
            tf.get_variable(f"{n}{len(tf.global_variables())}", [4, 1])
            for n in ("vv", "ev", "ve", "ee")
        ]
        own["rs"] += w
        own["kge"] += w

        def pick(a, b):
            return tf.reshape(tf.matmul(flat, a) + tf.matmul(turned, b), [-1, 4])

        return pick(w[0], w[1]), pick(w[2], w[3])

    users = dense(users, 4, "rs")
    items, heads = cross(items, heads)
    tails = dense(tails, 4, "kge")
    scores = tf.reduce_sum(users * items, axis=1)
    normalized = tf.nn.sigmoid(scores)
    tail_pred = dense(tf.concat([heads, relations], axis=1), 8, "kge")
    tail_pred = tf.nn.sigmoid(dense(tail_pred, 4, "kge"))
    kge = tf.nn.sigmoid(tf.reduce_sum(tails * tail_pred, axis=1))
    away = tf.reduce_sum(tf.square(tails - tail_pred), axis=1) / 4
    tf.reduce_mean(tf.sqrt(away))
    loss_rs = tf.reduce_mean(_sigmoid(labels=labels, logits=scores))
    loss_rs += 1e-6 * (
        tf.nn.l2_loss(users) + tf.nn.l2_loss(items) + sum(map(tf.nn.l2_loss, own["rs"]))
    )
    loss_kge = -kge + 1e-6 * (
        tf.nn.l2_loss(heads)
        + tf.nn.l2_loss(tails)
        + sum(map(tf.nn.l2_loss, own["kge"]))
    )
    _adam(0.02).minimize(loss_rs)
    _adam(0.01).minimize(loss_kge)
    return fetch(normalized, first=[normalized, scores], labels=[labels])


@fifth
def news_by_words_and_entities() -> Fetches:
    """hwwang55/DKN dkn.py: eval runs ``scores``."""
    with tf.name_scope("input"):
        clicked_words = tf.placeholder(tf.int32, [None, 3, 5], name="clicked_words")
        clicked_entities = tf.placeholder(
            tf.int32, [None, 3, 5], name="clicked_entities"
        )
        news_words = tf.placeholder(tf.int32, [None, 5], name="news_words")
        news_entities = tf.placeholder(tf.int32, [None, 5], name="news_entities")
        labels = tf.placeholder(tf.float32, [None], name="labels")
    with tf.name_scope("embedding"):
        words = tf.Variable(np.zeros([20, 4], np.float32), name="word")
        entities = tf.Variable(np.zeros([15, 4], np.float32), name="entity")
        params = [words, entities]
        entities = layers.dense(entities, 4, tf.nn.tanh, name="transformed_entity")

    def kcnn(w_ids, e_ids):
        x = tf.concat(
            [
                tf.nn.embedding_lookup(words, w_ids),
                tf.nn.embedding_lookup(entities, e_ids),
            ],
            axis=-1,
        )
        outs = []
        for size in (1, 2):
            w = tf.get_variable(f"w_{size}", [size, 8, 1, 3])
            b = tf.get_variable(f"b_{size}", [3])
            if all(w is not p for p in params):
                params.append(w)
            conv = tf.nn.conv2d(tf.expand_dims(x, -1), w, [1] * 4, "VALID", name="conv")
            relu = tf.nn.relu(tf.nn.bias_add(conv, b), name="relu")
            outs.append(
                tf.nn.max_pool(relu, [1, 6 - size, 1, 1], [1] * 4, "VALID", name="pool")
            )
        return tf.reshape(tf.concat(outs, axis=-1), [-1, 6])

    with tf.variable_scope("kcnn", reuse=tf.AUTO_REUSE):
        clicked = kcnn(
            tf.reshape(clicked_words, [-1, 5]), tf.reshape(clicked_entities, [-1, 5])
        )
        news = kcnn(news_words, news_entities)
    clicked = tf.reshape(clicked, [-1, 3, 6])
    attention = tf.nn.softmax(tf.reduce_sum(clicked * tf.expand_dims(news, 1), axis=-1))
    user = tf.reduce_sum(clicked * tf.expand_dims(attention, axis=-1), axis=1)
    unnormalized = tf.reduce_sum(user * news, axis=1)
    scores = tf.sigmoid(unnormalized)
    with tf.name_scope("train"):
        loss = tf.reduce_mean(_sigmoid(labels=labels, logits=unnormalized))
        l2 = tf.Variable(tf.constant(0.0), trainable=False)
        for p in params:
            l2 = tf.add(l2, 0.01 * tf.nn.l2_loss(p))
        _adam(0.001).minimize(loss + l2)
    return fetch(scores, first=[scores, unnormalized], labels=[labels])


@fifth
def two_classes_by_machine_and_net() -> Fetches:
    """s8435330song/netease-test deepfm.py: y_out_prob; accuracy takes the argmax of y_out."""
    x = tf.placeholder("float32", [None, 12])
    y = tf.placeholder("int64", [None])
    inds = tf.placeholder("int64", [None, 3])
    tf.placeholder("float32")
    v = tf.Variable(tf.truncated_normal([12, 4], stddev=0.01), dtype="float32")
    with tf.variable_scope("FM"):
        b = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
        w1 = tf.get_variable("w1", [12, 2])
        linear = tf.add(tf.matmul(x, w1), b)
        pairs = tf.subtract(
            tf.pow(tf.matmul(x, v), 2), tf.matmul(tf.pow(x, 2), tf.pow(v, 2))
        )
        y_fm = tf.add(linear, tf.multiply(0.5, tf.reduce_mean(pairs, 1, keepdims=True)))
    with tf.variable_scope("DNN"):
        h = tf.reshape(tf.gather(v, inds), [-1, 12])
        for i in range(2):
            w, c = tf.get_variable(f"w{i}", [12, 12]), tf.get_variable(f"b{i}", [12])
            h = tf.nn.relu(tf.matmul(h, w) + c)
        w, c = tf.get_variable("w_out", [12, 2]), tf.get_variable("b_out", [2])
        y_dnn = tf.nn.relu(tf.matmul(h, w) + c)
    out = tf.add(y_fm, y_dnn)
    prob = tf.nn.softmax(out)
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=out)
    )
    tf.summary.scalar("loss", loss)
    right = tf.equal(tf.cast(tf.argmax(out, 1), tf.int64), y)
    tf.summary.scalar("accuracy", tf.reduce_mean(tf.cast(right, tf.float32)))
    step = tf.Variable(0, trainable=False)
    ftrl = tf.train.FtrlOptimizer(
        0.01, l1_regularization_strength=1e-2, l2_regularization_strength=1e-2
    )
    ftrl.minimize(loss, global_step=step)
    return fetch(prob, first=[prob, out], labels=[y])
