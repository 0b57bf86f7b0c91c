"""Users with items, questions with answers, pictures with pictures: distances, products, triplets."""

from __future__ import annotations

from ..zoo import Fetches, fetch, layers, seventh
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer


@seventh
def rows_denoised_for_a_user() -> Fetches:
    """cheungdaven/DeepRec CDAE: test runs layer_2, the reconstruction of a corrupted row of ratings."""
    corrupted = tf.placeholder(tf.float32, [None, 20])
    ratings = tf.placeholder(tf.float32, [None, 20])
    user = tf.placeholder(tf.int32, [None])

    def weight(*shape):
        return tf.Variable(tf.random_normal(shape, stddev=0.01))

    w, out, v, b, c = weight(20, 6), weight(6, 20), weight(9, 6), weight(6), weight(20)
    h = tf.matmul(corrupted, w) + tf.nn.embedding_lookup(v, user) + b
    y = tf.sigmoid(tf.matmul(tf.sigmoid(h), out) + c)
    loss = -tf.reduce_sum(ratings * tf.log(y) + (1 - ratings) * tf.log(1 - y))
    loss += 0.01 * tf.add_n([tf.nn.l2_loss(p) for p in (w, out, v, b, c)])
    _adam(0.01).minimize(loss)
    return fetch(y, labels=[ratings])


@seventh
def items_near_their_users() -> Fetches:
    """cheungdaven/DeepRec CML: predict runs pred_distance of user and item; a negative item is pushed away."""
    user, item, other = (
        tf.placeholder(tf.int32, [None], name=n)
        for n in ("user_id", "item_id", "neg_item_id")
    )
    keep = tf.placeholder(tf.float32)
    p, q = (tf.Variable(tf.random_normal([n, 6], stddev=0.4)) for n in (9, 20))
    u, i, j = (
        tf.nn.embedding_lookup(*pair) for pair in ((p, user), (q, item), (q, other))
    )
    near, far = (
        tf.reduce_sum(tf.nn.dropout(tf.squared_difference(u, v), keep), 1)
        for v in (i, j)
    )
    loss = tf.reduce_sum(tf.maximum(near - far + 0.5, 0))
    tf.train.AdagradOptimizer(0.1).minimize(loss, var_list=[p, q])
    for v in (p, q):
        tf.assign(v, tf.clip_by_norm(v, 1.0, axes=[1]))
    return fetch(near, first=[near, far], labels=[other], twins=[(far,)])


@seventh
def answers_in_a_hyperbolic_ball() -> Fetches:
    """A stranger's HyperQA (indexed as file 2625803694): predict_op is output_pos; a wrong answer is scored beside it."""
    ids = [
        tf.placeholder(tf.int32, [None, None], name=f"q{i}_inputs") for i in (1, 2, 3)
    ]
    drop = tf.placeholder(tf.float32, name="dropout")
    lengths = [tf.placeholder(tf.int32, [None]) for _ in ids]
    rate = tf.placeholder(tf.float32, name="learn_rate")
    fed = tf.placeholder(tf.float32, [20, 5])
    table = tf.Variable(tf.constant(0.0, shape=[20, 5]), trainable=False)
    table.assign(fed)

    def clip(v, length):
        most = tf.reduce_max(length)
        return v[:, :most], most

    def project(v):
        flat = tf.reshape(v, [-1, 5])
        h = layers.dense(flat, 6, tf.nn.relu, name="trans_proj", reuse=tf.AUTO_REUSE)
        return tf.reshape(tf.nn.dropout(h, drop), [-1, tf.shape(v)[1], 6])

    codes = []
    for v, length in zip(ids, lengths):
        v, most = clip(v, length)
        codes.append((tf.nn.embedding_lookup(table, v), length, most))

    def score(one, other):
        outs = []
        for v, length, most in (one, other):
            mask = tf.expand_dims(tf.sequence_mask(length, most, tf.float32), 2)
            outs.append(tf.reduce_sum(project(v) * mask, 1))
        a, b = (tf.clip_by_norm(tf.nn.dropout(v, drop), 1.0, axes=1) for v in outs)
        d = tf.reduce_sum(tf.square(a - b), 1, keepdims=True)
        na = tf.reduce_sum(tf.square(a), 1, keepdims=True)
        nb = tf.reduce_sum(tf.square(b), 1, keepdims=True)
        x = 1 + 2 * d / ((1 - na) * (1 - nb) + 1e-6)
        ball = tf.log(x + tf.sqrt(tf.square(x) - 1 + 1e-6))
        with tf.variable_scope("fl", reuse=tf.AUTO_REUSE):
            w = tf.get_variable("final_weights", [1, 1])
            return tf.nn.xw_plus_b(ball, w, tf.get_variable("bias", [1]))

    good, bad = score(codes[0], codes[1]), score(codes[0], codes[2])
    hinge = tf.maximum(0.0, 5.0 - good + bad)
    cost = tf.reduce_sum(hinge)
    own = tf.trainable_variables()
    cost += 1e-5 * tf.add_n([tf.nn.l2_loss(v) for v in own if "bias" not in v.name])
    tf.summary.scalar("cost_function", cost)
    adam = _adam(rate)
    pairs = [
        (tf.clip_by_norm(tf.clip_by_value(g, -10, 10), 1.0), v)
        for g, v in adam.compute_gradients(cost)
    ]
    adam.apply_gradients(pairs, global_step=tf.Variable(0, trainable=False))
    tf.gradients(cost, own)
    return fetch(good, first=[good, bad], twins=[(bad,)])


@seventh
def novel_pictures_by_triplets() -> Fetches:
    """A stranger's task2 (indexed as file 17081252019): runs embeddings; all triplets of a batch are compared."""
    x = tf.placeholder(tf.float32, [None, 12, 12, 3], name="image")
    y = tf.placeholder(tf.int64, [None], name="label")
    keep = tf.placeholder(tf.float32, name="keep_prob")
    h = layers.conv2d(x, 6, 3, padding="same", activation=tf.nn.relu)
    h = layers.max_pooling2d(h, 2, 2)
    h = layers.dense(layers.flatten(h), 12, tf.nn.relu)
    codes = layers.dense(tf.nn.dropout(h, keep), 6)
    dots = tf.matmul(codes, tf.transpose(codes))
    norms = tf.diag_part(dots)
    squares = tf.expand_dims(norms, 0) - 2.0 * dots + tf.expand_dims(norms, 1)
    squares = tf.maximum(squares, 0.0)
    zero = tf.to_float(tf.equal(squares, 0.0))
    distances = (1.0 - zero) * tf.sqrt(squares + zero * 1e-16)
    triplets = tf.expand_dims(distances, 2) - tf.expand_dims(distances, 1) + 0.5
    same = tf.equal(tf.expand_dims(y, 0), tf.expand_dims(y, 1))
    apart = tf.logical_not(tf.cast(tf.eye(tf.shape(y)[0]), tf.bool))
    valid = tf.logical_and(
        tf.expand_dims(tf.logical_and(same, apart), 2),
        tf.logical_not(tf.expand_dims(same, 1)),
    )
    mask = tf.to_float(valid)
    triplets = tf.maximum(tf.multiply(mask, triplets), 0.0)
    positive = tf.reduce_sum(tf.to_float(tf.greater(triplets, 1e-16)))
    _ = positive / (tf.reduce_sum(mask) + 1e-16)
    loss = tf.reduce_sum(triplets) / (positive + 1e-16)
    _adam(1e-4).minimize(loss)
    true, said = (tf.placeholder(tf.int64, [None], name=n) for n in ("true", "pred"))
    tf.reduce_mean(tf.cast(tf.equal(true, said), tf.float32))
    return fetch(codes, labels=[y, true, said])


@seventh
def games_asked_of_all() -> Fetches:
    """A stranger's recaller (file 1052284506): test runs output over all games; training samples a few."""
    hist, data = (tf.placeholder(tf.int32, [None, None]) for _ in "hd")
    tf.placeholder(tf.int32, [None])
    last, kind = (tf.placeholder(tf.int32, [None]) for _ in "lk")
    sample = tf.placeholder(tf.int32, [None, None])
    y = tf.placeholder(tf.float32, [None, None])
    keep, rate = tf.placeholder(tf.float32), tf.placeholder(tf.float64)
    games = tf.get_variable("gameid_emb_w", [20, 4])
    kinds = tf.get_variable("model_emb_w", [7, 4])
    traces = tf.get_variable("datatraceid_emb_w", [9, 4])
    input_b = tf.get_variable("input_b", [20])
    parts = [
        tf.reduce_mean(tf.nn.embedding_lookup(games, hist), 1),
        tf.reduce_mean(tf.nn.embedding_lookup(traces, data), 1),
        tf.nn.embedding_lookup(games, last),
        tf.nn.embedding_lookup(kinds, kind),
    ]
    h = layers.batch_normalization(tf.concat(parts, axis=-1), name="b1")
    h = tf.nn.dropout(layers.dense(h, 12, activation=tf.nn.relu, name="f1"), keep)
    h = tf.nn.dropout(layers.dense(h, 8, activation=tf.nn.relu, name="f2"), keep)
    user = layers.dense(h, 4, activation=tf.nn.relu, name="f3")
    sample_b = tf.nn.embedding_lookup(input_b, sample)
    sample_w = tf.transpose(tf.nn.embedding_lookup(games, sample), perm=[0, 2, 1])
    logits = tf.squeeze(tf.matmul(tf.expand_dims(user, 1), sample_w), axis=1)
    yhat = tf.nn.softmax(logits + sample_b)
    loss = tf.reduce_mean(-y * tf.log(yhat + 1e-24))
    tf.summary.scalar("loss", loss)
    step = tf.Variable(0, trainable=False, name="global_step")
    _adam(rate).minimize(loss, global_step=step)
    every = tf.matmul(user, games, transpose_b=True) + input_b
    output = tf.nn.softmax(every)
    return fetch(output, first=[output, every], labels=[y, sample])


@seventh
def ratings_of_books_by_two_tables() -> Fetches:
    """wolfgangB33r/applied-ai-examples books.py: pDotq, the product of two tables; only the ratings are fed."""
    ratings = tf.placeholder(tf.float32, name="ratings")
    p = tf.Variable(tf.random_normal([5, 2]), name="P")
    q = tf.Variable(tf.random_normal([6, 2]), name="Q")
    product = tf.tensordot(p, q, [[1], [1]])
    loss = tf.reduce_sum(tf.square(product - ratings))
    tf.summary.scalar("loss", loss)
    tf.summary.scalar("sumP", tf.reduce_sum(p))
    tf.summary.scalar("sumQ", tf.reduce_sum(q))
    tf.train.GradientDescentOptimizer(0.001).minimize(loss)
    tf.summary.merge_all()
    return fetch(product, labels=[ratings])


@seventh
def likes_by_a_generalised_product() -> Fetches:
    """tlatkowski/neural-recommender: prediction, a sigmoid that the loss squashes again."""
    users, items = (tf.placeholder(tf.int32, [None]) for _ in "ui")
    ratings = tf.placeholder(tf.float32, [None])
    u = tf.gather(tf.get_variable("users_embeddings", [9, 5]), users)
    i = tf.gather(tf.get_variable("items_embeddings", [20, 5]), items)
    product = tf.multiply(u, i)
    prediction = tf.squeeze(layers.dense(product, units=1, activation=tf.nn.sigmoid), 1)
    loss = tf.losses.sigmoid_cross_entropy(ratings, prediction)
    _adam(0.001).minimize(loss)
    return fetch(
        prediction, first=[prediction, prediction.op.inputs[0]], labels=[ratings]
    )


@seventh
def next_day_by_plain_layers() -> Fetches:
    """A stranger's FeedForward (indexed as file 36231392794): predict runs prediction; a decaying rate."""
    x = tf.placeholder(tf.float32, [None, 24])
    y = tf.placeholder(tf.float32, [None, 24])
    h = x
    for i in range(3):
        with tf.variable_scope(f"layer{i}"):
            h = layers.dense(h, 16, activation=tf.nn.relu)
    with tf.variable_scope("proj_layer"):
        prediction = layers.dense(h, 24)
    with tf.variable_scope("optimization"):
        error = tf.reduce_mean(tf.square(prediction - y))
        tf.summary.scalar("mean_squared_error", error)
        step = tf.Variable(0, trainable=False)
        rate = tf.train.exponential_decay(1e-3, step, 100000, 0.98, staircase=True)
        _adam(rate).minimize(error, global_step=step)
    return fetch(prediction, labels=[y])
