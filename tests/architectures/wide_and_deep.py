"""Recommenders: wide & deep (Cheng et al., arXiv 1606.07792), factorisation machines, two towers, matrix factorisation.

Feature columns are spelled as ``tf.feature_column`` expands them: one-hot vocabularies, hashed buckets, buckets of numbers,
crosses, and embeddings of what is hashed.
"""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import layers as tf_layers
from .legacy import v1

BUCKETS, EDUCATION, OCCUPATIONS, CROSSES = 11, 16, 20, 30


def bucketized(x: Any, bounds: list[float]) -> Any:
    return tf.raw_ops.Bucketize(input=x, boundaries=bounds)


def weighted(ids: Any, size: int, name: str, units: int = 1) -> Any:
    """``linear_model``'s column: a row of weights for each id."""
    rows = v1.get_variable(f"{name}/weights", [size, units])
    return tf.nn.embedding_lookup(rows, ids)


def embedded(ids: Any, size: int, name: str, width: int) -> Any:
    """``embedding_column``: the mean of what the ids of one example stand for (here one)."""
    table = v1.get_variable(f"{name}_embedding/embedding_weights", [size, width])
    return tf.nn.embedding_lookup(table, ids)


@architecture(
    "Wide & Deep",
    "tf1",
    layers={"Dense": 3, "Embedding": 5},
    lines=60,
    ops=7,
    share=0.99,
)
def census(training: bool = False) -> Any:
    """The census example: ids that were hashed outside, ages in buckets, a cross, three hidden layers."""
    age = v1.placeholder(tf.float32, [None, 1], name="age")
    hours = v1.placeholder(tf.float32, [None, 1], name="hours_per_week")
    education = v1.placeholder(tf.int32, [None], name="education")
    occupation = v1.placeholder(tf.int32, [None], name="occupation")
    with v1.variable_scope("linear/linear_model"):
        ages = bucketized(age, [18, 25, 30, 35, 40, 45, 50, 55, 60, 65])
        age_ids = tf.reshape(ages, [-1])
        crossed = tf.math.floormod(education * 1009 + occupation * 31, CROSSES)
        wide = tf.add_n(
            [
                weighted(age_ids, BUCKETS, "age_bucketized"),
                weighted(education, EDUCATION, "education"),
                weighted(occupation, OCCUPATIONS, "occupation"),
                weighted(crossed, CROSSES, "education_X_occupation"),
            ]
        )
        wide = tf.nn.bias_add(wide, v1.get_variable("bias_weights", [1]))
    with v1.variable_scope("dnn"):
        one_hot = tf.one_hot(education, EDUCATION)
        deep = tf.concat(
            [age, embedded(occupation, OCCUPATIONS, "occupation", 6), one_hot, hours],
            axis=1,
        )
        for i, units in enumerate((10, 5)):
            deep = tf_layers.dense(deep, units, tf.nn.relu, name=f"hiddenlayer_{i}")
        deep = tf_layers.dense(deep, 1, name="logits")
    logits = deep + wide
    if training:
        labels = v1.placeholder(tf.float32, [None, 1], name="labels")
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
        loss = tf.reduce_mean(losses)
        linear, dnn = (v1.trainable_variables(s) for s in ("linear", "dnn"))
        tf.group(
            v1.train.FtrlOptimizer(0.2).minimize(loss, var_list=linear),
            v1.train.AdagradOptimizer(0.05).minimize(loss, var_list=dnn),
        )
    return tf.sigmoid(logits)


@architecture(
    "Wide & Deep, strings",
    "tf1",
    layers={"Dense": 3},
    lines=80,
    ops=20,
    not_portable=frozenset({"StringJoin"}),
    only=("saved_model", "checkpoint", "pb"),
)
def hashed() -> Any:
    """Strings, hashed into buckets inside the graph; the cross is hashed too."""
    occupation = v1.placeholder(tf.string, [None], name="occupation")
    country = v1.placeholder(tf.string, [None], name="native_country")
    hours = v1.placeholder(tf.float32, [None, 1], name="hours_per_week")
    ids = tf.strings.to_hash_bucket_fast(occupation, OCCUPATIONS)
    joined = tf.strings.join([occupation, country], "_X_")
    crossed = tf.strings.to_hash_bucket_fast(joined, CROSSES)
    wide = weighted(ids, OCCUPATIONS, "occupation") + weighted(
        crossed, CROSSES, "cross"
    )
    deep = tf.concat([embedded(ids, OCCUPATIONS, "occupation", 4), hours], axis=1)
    deep = tf_layers.dense(deep, 8, tf.nn.relu)
    deep = tf_layers.dense(deep, 4, tf.nn.relu)
    return tf.sigmoid(wide + tf_layers.dense(deep, 1))


@architecture("Factorisation machine", "tf1", layers={"Embedding": 2}, lines=25, ops=10)
def factorisation_machine() -> Any:
    """Rendle 2010, as DeepFM's ports spell it: half of the squared sum less the sum of squares."""
    index = v1.placeholder(tf.int32, [None, 7], name="feat_index")
    value = v1.placeholder(tf.float32, [None, 7], name="feat_value")
    factors = v1.get_variable("feature_embeddings", [50, 4])
    first = v1.get_variable("feature_bias", [50, 1])
    worth = tf.reshape(value, shape=[-1, 7, 1])
    embeddings = tf.multiply(tf.nn.embedding_lookup(factors, index), worth)
    linear = tf.nn.embedding_lookup(first, index)
    linear = tf.reduce_sum(tf.multiply(linear, worth), 2)
    summed = tf.square(tf.reduce_sum(embeddings, 1))
    squared = tf.reduce_sum(tf.square(embeddings), 1)
    second = 0.5 * tf.subtract(summed, squared)
    whole = tf.concat([linear, second], axis=1)
    weights = v1.get_variable("concat_projection", [11, 1])
    out = tf.add(tf.matmul(whole, weights), v1.get_variable("concat_bias", [1]))
    return tf.nn.sigmoid(out)


@architecture("DeepFM", "tf2", layers={"Embedding": 4, "Dense": 3}, lines=40, ops=6)
def deep_factorisation_machine() -> Any:
    """Guo et al., arXiv 1703.04247, in Keras: two fields of ids."""
    user, item = k.Input((1,), dtype="int32"), k.Input((1,), dtype="int32")
    firsts, factors = [], []
    for field, size in ((user, 20), (item, 30)):
        firsts.append(L.Flatten()(L.Embedding(size, 1)(field)))
        factors.append(L.Embedding(size, 4)(field))
    both = L.Concatenate(axis=1)(factors)
    summed = L.Lambda(lambda t: tf.square(tf.reduce_sum(t, axis=1)))(both)
    squared = L.Lambda(lambda t: tf.reduce_sum(tf.square(t), axis=1))(both)
    pairs = L.Lambda(lambda t: 0.5 * tf.reduce_sum(t, axis=1, keepdims=True))(
        L.Subtract()([summed, squared])
    )
    deep = L.Dense(6, activation="relu")(L.Flatten()(both))
    deep = L.Dense(1)(L.Dropout(0.2)(L.Dense(4, activation="relu")(deep)))
    out = L.Activation("sigmoid")(L.Add()([*firsts, pairs, deep]))
    return k.Model([user, item], out)


@architecture(
    "Two towers", "tf2", layers={"Embedding": 2, "Dense": 4, "Dot": 1}, lines=25
)
def two_towers() -> Any:
    """Normalised queries and candidates, scored by their dot product (Yi et al., RecSys 2019)."""
    query, candidate = k.Input((), dtype="int32"), k.Input((), dtype="int32")
    towers = []
    for given, size in ((query, 20), (candidate, 30)):
        x = L.Dense(8, activation="relu")(L.Embedding(size, 6)(given))
        towers.append(L.UnitNormalization()(L.Dense(4)(x)))
    return k.Model([query, candidate], L.Dot(axes=1)(towers))


@architecture("Matrix factorisation", "tf1", layers={"Embedding": 4}, lines=20, ops=8)
def matrix_factorisation() -> Any:
    """Koren et al., 2009: the product of two embeddings, their biases, and the mean rating."""
    user = v1.placeholder(tf.int32, [None], name="user")
    item = v1.placeholder(tf.int32, [None], name="item")
    p, q = v1.get_variable("p", [20, 4]), v1.get_variable("q", [30, 4])
    bu, bi = v1.get_variable("bu", [20]), v1.get_variable("bi", [30])
    dot = tf.reduce_sum(
        tf.nn.embedding_lookup(p, user) * tf.nn.embedding_lookup(q, item), 1
    )
    return dot + tf.gather(bu, user) + tf.gather(bi, item) + 3.5


@architecture("Keras WideDeepModel", "tf2", layers={"Dense": 4}, lines=20, ops=2)
def wide_deep_model() -> Any:
    """``tf.keras.experimental.WideDeepModel``: a linear model of one input, a deep one of the other, their sum."""
    sparse, dense = k.Input((12,)), k.Input((5,))
    linear = L.Dense(1)(sparse)
    deep = L.Dense(1)(
        L.Dense(4, activation="relu")(L.Dense(6, activation="relu")(dense))
    )
    return k.Model([sparse, dense], L.Activation("sigmoid")(L.Add()([linear, deep])))


@architecture("Skip-gram", "tf1", layers={"Embedding": 1, "Dense": 1}, lines=25)
def skip_gram() -> Any:
    """word2vec (Mikolov et al., arXiv 1310.4546): how near a word is to all others, by the cosine."""
    words = v1.placeholder(tf.int32, [None], name="words")
    table = v1.get_variable("embeddings", [25, 6])
    norm = tf.sqrt(tf.reduce_sum(tf.square(table), 1, keepdims=True))
    near = table / norm
    return tf.matmul(tf.nn.embedding_lookup(near, words), near, transpose_b=True)


@architecture("MADE", "tf1", layers={"Dense": 3}, lines=16)
def masked_autoencoder() -> Any:
    """Germain et al., arXiv 1502.03509: kernels times masks that keep the order of the inputs."""
    size, hidden = 6, 10
    x = net = v1.placeholder(tf.float32, [None, size], name="x")
    order = [np.arange(1, size + 1), np.arange(hidden) % (size - 1) + 1]
    order += [order[1], order[0]]
    for i, (before, after) in enumerate(zip(order, order[1:], strict=False)):
        last = i == 2
        mask = (after > before[:, None]) if last else (after >= before[:, None])
        with v1.variable_scope(f"layer_{i}"):
            w = v1.get_variable("w", mask.shape) * tf.constant(mask.astype("float32"))
            net = tf.matmul(net, w) + v1.get_variable("b", [len(after)])
            net = tf.sigmoid(net) if last else tf.nn.relu(net)
    return net if x is not None else None
