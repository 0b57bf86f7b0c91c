"""BERT in the idiom of its authors: TensorFlow 1, tokens flattened to a matrix, heads by reshape and transpose.

After google-research/bert's ``modeling.py``: a dense layer on rows, word pieces by gather or by one-hot product, token
types by one-hot product, positions by a slice of their table, ``(1 - mask) * -10000`` added to the scores, the layer norm of
``tf.contrib`` (moments, then ``tf.nn.batch_normalization``), the tanh or the erf form of GELU, and a pooler.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from . import architecture

v1 = tf.compat.v1


@dataclass(frozen=True)
class Config:
    """The sizes of a BERT; ``dropout`` above 0 is the training form."""

    vocabulary: int = 30
    hidden: int = 16
    layers: int = 3
    heads: int = 4
    intermediate: int = 24
    positions: int = 16
    types: int = 2
    dropout: float = 0.0
    one_hot: bool = False
    exact_gelu: bool = False


def sizes(tensor: Any) -> list[Any]:
    """The sizes of a tensor, each a number where it is known and a tensor where it is not."""
    dynamic = tf.shape(tensor)
    return [dynamic[i] if d is None else d for i, d in enumerate(tensor.shape)]


def gelu(x: Any, exact: bool) -> Any:
    if exact:
        return x * 0.5 * (1.0 + tf.math.erf(x / tf.sqrt(2.0)))
    cdf = 0.5 * (1.0 + tf.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * tf.pow(x, 3))))
    return x * cdf


def dense(x: Any, units: int, name: str, activation: Any = None) -> Any:
    """What ``tf.layers.dense`` leaves in a graph: rows times a kernel, a bias, an activation."""
    with v1.variable_scope(name, default_name="dense"):
        kernel = v1.get_variable("kernel", [x.shape[-1], units])
        bias = v1.get_variable("bias", [units])
        made = tf.nn.bias_add(tf.matmul(x, kernel), bias, name="BiasAdd")
        return made if activation is None else activation(made)


def dropout(x: Any, rate: float) -> Any:
    return v1.nn.dropout(x, rate=rate) if rate else x


def layer_norm(x: Any, name: str = "LayerNorm") -> Any:
    """``tf.contrib.layers.layer_norm`` over the last axis."""
    with v1.variable_scope(name):
        beta = v1.get_variable("beta", [x.shape[-1]])
        gamma = v1.get_variable("gamma", [x.shape[-1]])
        mean, variance = tf.nn.moments(x, [len(x.shape) - 1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)


def rows_of(x: Any) -> Any:
    return tf.reshape(x, [-1, x.shape[-1]])


def words(ids: Any, config: Config) -> Any:
    table = v1.get_variable("word_embeddings", [config.vocabulary, config.hidden])
    ids = tf.expand_dims(ids, axis=[-1])
    flat = tf.reshape(ids, [-1])
    if config.one_hot:
        found = tf.matmul(tf.one_hot(flat, depth=config.vocabulary), table)
    else:
        found = tf.gather(table, flat)
    given = sizes(ids)
    return tf.reshape(found, given[:-1] + [given[-1] * config.hidden]), table


def with_types_and_positions(x: Any, types: Any, config: Config) -> Any:
    batch, length, width = sizes(x)
    table = v1.get_variable("token_type_embeddings", [config.types, width])
    rows = tf.matmul(tf.one_hot(tf.reshape(types, [-1]), depth=config.types), table)
    x += tf.reshape(rows, [batch, length, width])
    check = v1.assert_less_equal(length, config.positions)
    with tf.control_dependencies([check]):
        whole = v1.get_variable("position_embeddings", [config.positions, width])
        some = tf.slice(whole, [0, 0], [length, -1])
        x += tf.reshape(some, [1, length, width])
    return dropout(layer_norm(x), config.dropout)


def mask_of(ids: Any, mask: Any) -> Any:
    """What may be attended to, one row for each token that asks."""
    batch, length = sizes(ids)
    seen = tf.cast(tf.reshape(mask, [batch, 1, sizes(mask)[1]]), tf.float32)
    return tf.ones([batch, length, 1], tf.float32) * seen


def attention(x: Any, mask: Any, batch: Any, length: Any, config: Config) -> Any:
    """Self-attention over rows; the result is rows again."""
    size = config.hidden // config.heads

    def to_heads(rows: Any) -> Any:
        split = tf.reshape(rows, [batch, length, config.heads, size])
        return tf.transpose(split, [0, 2, 1, 3])

    query = dense(x, config.hidden, "query")
    key = dense(x, config.hidden, "key")
    value = dense(x, config.hidden, "value")
    query, key = to_heads(query), to_heads(key)
    scores = tf.matmul(query, key, transpose_b=True)
    scores = tf.multiply(scores, 1.0 / math.sqrt(float(size)))
    if mask is not None:
        spread = tf.expand_dims(mask, axis=[1])
        scores += (1.0 - tf.cast(spread, tf.float32)) * -10000.0
    found = dropout(tf.nn.softmax(scores), config.dropout)
    context = tf.transpose(tf.matmul(found, to_heads(value)), [0, 2, 1, 3])
    return tf.reshape(context, [batch * length, config.heads * size])


def encoder(x: Any, mask: Any, config: Config) -> Any:
    batch, length, width = sizes(x)
    rows = rows_of(x)
    for number in range(config.layers):
        with v1.variable_scope(f"layer_{number}"):
            with v1.variable_scope("attention"):
                with v1.variable_scope("self"):
                    head = attention(rows, mask, batch, length, config)
                with v1.variable_scope("output"):
                    head = dropout(dense(head, width, "dense"), config.dropout)
                    head = layer_norm(head + rows)
            with v1.variable_scope("intermediate"):
                wide = dense(
                    head,
                    config.intermediate,
                    "dense",
                    lambda x: gelu(x, config.exact_gelu),
                )
            with v1.variable_scope("output"):
                rows = dropout(dense(wide, width, "dense"), config.dropout)
                rows = layer_norm(rows + head)
    return tf.reshape(rows, [batch, length, sizes(rows)[-1]])


def bert(length: int | None, config: Config, masked: bool) -> tuple[Any, Any]:
    """The graph of a BERT with its feeds; returns its sequence output and its pooled output."""
    shape = [None, length]
    ids = v1.placeholder(tf.int32, shape, "input_ids")
    mask = v1.placeholder(tf.int32, shape, "input_mask") if masked else None
    types = v1.placeholder(tf.int32, shape, "segment_ids")
    with v1.variable_scope("bert"):
        with v1.variable_scope("embeddings"):
            x, _ = words(ids, config)
            x = with_types_and_positions(x, types, config)
        with v1.variable_scope("encoder"):
            seen = mask_of(ids, mask) if masked else None
            x = encoder(x, seen, config)
        with v1.variable_scope("pooler"):
            first = tf.squeeze(x[:, 0:1, :], axis=1)
            pooled = dense(first, config.hidden, "dense", tf.tanh)
    return x, pooled


def classified(pooled: Any, training: bool) -> Any:
    """``run_classifier.py``: class probabilities, and their loss in a training graph."""
    hidden = pooled.shape[-1]
    weights = v1.get_variable("output_weights", [3, hidden])
    bias = v1.get_variable("output_bias", [3])
    if training:
        pooled = v1.nn.dropout(pooled, rate=0.1)
    logits = tf.nn.bias_add(tf.matmul(pooled, weights, transpose_b=True), bias)
    if training:
        labels = v1.placeholder(tf.int32, [None], "label_ids")
        one_hot = tf.one_hot(labels, depth=3, dtype=tf.float32)
        losses = -tf.reduce_sum(one_hot * tf.nn.log_softmax(logits, axis=-1), axis=-1)
        step = v1.train.get_or_create_global_step()
        v1.train.AdamOptimizer(1e-4).minimize(tf.reduce_mean(losses), step)
    return tf.nn.softmax(logits, axis=-1, name="probabilities")


LAYERS = {"Embedding": 2, "PositionEmbedding": 1, "LayerNormalization": 7}


@architecture(
    "BERT",
    "tf1",
    layers={**LAYERS, "MultiHeadAttention": 3, "Dense": 8},
    lines=45,
    ops=1,  # the first token
)
def classifier(training: bool = False) -> Any:
    """A classifier of sequences of any length."""
    config = Config(dropout=0.1 if training else 0.0)
    return classified(bert(None, config, masked=True)[1], training)


@architecture(
    "BERT, one-hot",
    "tf1",
    layers={**LAYERS, "MultiHeadAttention": 3, "Dense": 7},
    lines=65,
    ops=1,  # the first token
)
def one_hot() -> Any:
    """Word pieces by a product of one-hot vectors as on a TPU, the exact GELU, no mask, a fixed length."""
    config = Config(one_hot=True, exact_gelu=True)
    sequence, pooled = bert(8, config, masked=False)
    return [tf.identity(sequence, "sequence"), tf.identity(pooled, "pooled")]


@architecture(
    "BERT-base",
    "tf1",
    layers={
        "Embedding": 2,
        "PositionEmbedding": 1,
        "LayerNormalization": 25,
        "MultiHeadAttention": 12,
        "Dense": 25,
    },
    lines=60,
    ops=1,
    slow=True,
)
def base() -> Any:
    """The layers of BERT-base, narrow: what is measured is how its source reads."""
    config = Config(layers=12, hidden=24, heads=12)
    sequence, pooled = bert(16, config, masked=True)
    return [tf.identity(sequence, "sequence"), tf.identity(pooled, "pooled")]
