"""Canned estimators, after tensorflow/estimator's canned/dnn.py and linear.py (Apache 2.0); ChenglongChen/tensorflow-DeepFM (MIT)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import layers
from tests.families.originals import image, original

v1 = tf.compat.v1
scope = v1.variable_scope


def _deep(x: Any, classes: int) -> Any:
    for place, units in enumerate((6, 5)):
        x = layers.dense(x, units, tf.nn.relu, name=f"hiddenlayer_{place}")
    return layers.dense(x, classes, name="logits")


def _wide(columns: dict[str, Any], classes: int) -> Any:
    """_LinearModel: a weighted sum for each column, all added, and one bias."""
    sums = []
    with scope("linear/linear_model"):
        for name in sorted(columns):
            with scope(name):
                x = columns[name]
                w = v1.get_variable("weights", [x.shape[1], classes])
                sums.append(tf.matmul(x, w))
        return sum(sums) + v1.get_variable("bias_weights", [classes])


@original(
    "Wide & deep (canned estimator), 2 hidden layers, 2 columns beside, 2 outputs"
)
def wide_and_deep() -> tuple[list[Any], list[Any]]:
    """DNNLinearCombinedClassifier: numbers go deep, words wide."""
    numbers, words, days = image(4), image(9), image(7)
    with scope("dnn"):
        deep = _deep(numbers, 2)
    wide = _wide({"days": days, "words": words}, 2)
    return [numbers, days, words], [deep + wide]


@original("Wide & deep (canned estimator), 2 hidden layers, deep alone, 3 outputs")
def deep_of_embeddings() -> tuple[list[Any], list[Any]]:
    """DNNClassifier over two embedded columns."""
    ages, words = image(5), image(8)
    with scope("dnn"):
        ends = []
        with scope("input_from_feature_columns/input_layer"):
            for name, x in (("ages_embedding", ages), ("words_embedding", words)):
                with scope(name):
                    table = v1.get_variable("embedding_weights", [x.shape[1], 3])
                    ends.append(tf.matmul(x, table))
        return [ages, words], [_deep(tf.concat(ends, 1), 3)]


@original("DeepFM, 20 features of 4, 2 layers", limit=20)
def deep_fm() -> tuple[list[Any], list[Any]]:
    """DeepFM._init_graph with both halves, without norms."""
    index, value = v1.placeholder(tf.int32, [2, 5]), image(5)

    def unnamed(*shape: int) -> Any:
        return v1.Variable(tf.zeros(shape))

    table = v1.Variable(tf.zeros([20, 4]), name="feature_embeddings")
    bias = v1.Variable(tf.zeros([20, 1]), name="feature_bias")
    by = tf.reshape(value, [-1, 5, 1])
    x = tf.gather(table, index) * by
    first = tf.reduce_sum(tf.gather(bias, index) * by, 2)
    total = tf.square(tf.reduce_sum(x, 1))
    second = 0.5 * (total - tf.reduce_sum(tf.square(x), 1))
    y = tf.reshape(x, [-1, 20])
    for before, units in ((20, 7), (7, 6)):
        y = tf.nn.relu(tf.matmul(y, unnamed(before, units)) + unnamed(1, units))
    joint = tf.concat([first, second, y], 1)
    return [index, value], [tf.sigmoid(tf.matmul(joint, unnamed(15, 1)) + unnamed())]
