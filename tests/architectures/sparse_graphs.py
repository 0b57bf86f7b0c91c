"""Graph convolutions over sparse tensors: Kipf & Welling's own code (github.com/tkipf/gcn), whose placeholders are sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from . import architecture
from .legacy import v1

NODES, FEATURES, HIDDEN, CLASSES = 12, 9, 6, 3


def glorot(shape: tuple[int, int], name: str) -> Any:
    limit = np.sqrt(6.0 / (shape[0] + shape[1]))
    start = tf.random.uniform(shape, minval=-limit, maxval=limit, dtype=tf.float32)
    return v1.Variable(start, name=name)


def sparse_dropout(x: Any, keep_prob: Any, noise_shape: Any) -> Any:
    random_tensor = keep_prob
    random_tensor += tf.random.uniform(noise_shape)
    dropout_mask = tf.cast(tf.floor(random_tensor), dtype=tf.bool)
    pre_out = tf.sparse.retain(x, dropout_mask)
    return pre_out * (1.0 / keep_prob)


def dot(x: Any, y: Any, sparse: bool = False) -> Any:
    return v1.sparse_tensor_dense_matmul(x, y) if sparse else tf.matmul(x, y)


def graph_convolution(x: Any, sizes: tuple[int, int], given: Any, **how: Any) -> Any:
    sparse = how.get("sparse_inputs", False)
    scope = how["scope"]
    with v1.variable_scope(f"{scope}_vars"):
        weights = [
            glorot(sizes, f"weights_{i}") for i, _ in enumerate(given["support"])
        ]
    with tf.name_scope(scope):
        if sparse:
            count = given["num_features_nonzero"]
            x = sparse_dropout(x, 1 - given["dropout"], count)
        else:
            x = v1.nn.dropout(x, 1 - given["dropout"])
        supports = [
            dot(support, dot(x, kernel, sparse=sparse), sparse=True)
            for support, kernel in zip(given["support"], weights)
        ]
        return how.get("act", tf.nn.relu)(tf.add_n(supports))


def gcn(supports: int, training: bool) -> Any:
    given = {
        "support": [v1.sparse_placeholder(tf.float32) for _ in range(supports)],
        "features": v1.sparse_placeholder(
            tf.float32, shape=tf.constant([NODES, FEATURES], dtype=tf.int64)
        ),
        "labels": v1.placeholder(tf.float32, shape=(None, CLASSES)),
        "labels_mask": v1.placeholder(tf.int32),
        "dropout": v1.placeholder_with_default(0.0, shape=()),
        "num_features_nonzero": v1.placeholder(tf.int32),
    }
    x = graph_convolution(
        given["features"],
        (FEATURES, HIDDEN),
        given,
        sparse_inputs=True,
        scope="gcn/graphconvolution_1",
    )
    x = graph_convolution(
        x,
        (HIDDEN, CLASSES),
        given,
        act=lambda y: y,
        scope="gcn/graphconvolution_2",
    )
    if training:
        losses = tf.nn.softmax_cross_entropy_with_logits(
            logits=x, labels=given["labels"]
        )
        mask = tf.cast(given["labels_mask"], tf.float32)
        loss = tf.reduce_mean(losses * (mask / tf.reduce_mean(mask)))
        loss += 5e-4 * tf.nn.l2_loss(v1.trainable_variables()[0])
        v1.train.AdamOptimizer(0.01).minimize(loss)
    return tf.nn.softmax(x)


@architecture(
    "GCN, sparse",
    "tf1",
    layers={"Dense": 2, "SparseDropout": 1, "Dropout": 1},
    lines=32,
    ops=2,
)
def kipf(training: bool = False) -> Any:
    """As its train.py builds it: one support."""
    return gcn(1, training)


@architecture(
    "GCN, Chebyshev", "tf1", layers={"Dense": 6, "SparseDropout": 1}, lines=47, ops=6
)
def chebyshev(training: bool = False) -> Any:
    """The supports of ``chebyshev_polynomials``."""
    return gcn(3, training)
