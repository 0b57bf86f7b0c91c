"""The Transformer (Vaswani et al., 2017): encoder and decoder as in TensorFlow's tutorial, and layers as in Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from . import architecture
from .legacy import v1

VOCABULARY, WIDTH, HEADS, WIDE, DEPTH, LENGTH = 20, 12, 3, 16, 2, 6


def _waves(length: int, depth: int) -> np.ndarray:
    """Sines and cosines of the positions."""
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(depth // 2) * 2 / depth)
    return np.concatenate([np.sin(angles), np.cos(angles)], -1).astype("f")


def _dense(x: Any, units: int, name: str) -> Any:
    kernel = v1.get_variable(f"{name}/kernel", [x.shape[-1], units])
    return tf.tensordot(x, kernel, 1) + v1.get_variable(f"{name}/bias", [units])


def _attention(x: Any, memory: Any, mask: Any, name: str) -> Any:
    """``scaled_dot_product_attention`` of the tutorial: the depth is read from a shape, masks are ones to hide."""
    with v1.variable_scope(name):

        def heads(x: Any, part: str) -> Any:
            x = tf.reshape(
                _dense(x, WIDTH, part), (tf.shape(x)[0], -1, HEADS, WIDTH // HEADS)
            )
            return tf.transpose(x, perm=[0, 2, 1, 3])

        q, k, v = heads(x, "wq"), heads(memory, "wk"), heads(memory, "wv")
        scores = tf.matmul(q, k, transpose_b=True)
        depth = tf.cast(tf.shape(k)[-1], tf.float32)
        scores = scores / tf.math.sqrt(depth)
        if mask is not None:
            scores += mask * -1e9
        found = tf.matmul(tf.nn.softmax(scores, axis=-1), v)
        found = tf.transpose(found, perm=[0, 2, 1, 3])
        found = tf.reshape(found, (tf.shape(x)[0], -1, WIDTH))
        return _dense(found, WIDTH, "dense")


def _norm(x: Any, name: str) -> Any:
    gamma = v1.get_variable(f"{name}/gamma", [WIDTH])
    beta = v1.get_variable(f"{name}/beta", [WIDTH])
    mean, variance = tf.nn.moments(x, [2], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-6) * gamma + beta


def _feed_forward(x: Any, name: str) -> Any:
    return _dense(tf.nn.relu(_dense(x, WIDE, f"{name}/wide")), WIDTH, f"{name}/narrow")


def _embedded(ids: Any, name: str) -> Any:
    table = v1.get_variable(f"{name}/embeddings", [VOCABULARY, WIDTH])
    x = tf.gather(table, ids) * WIDTH**0.5
    return x + tf.constant(_waves(LENGTH, WIDTH))[None]


@architecture(
    "Transformer",
    "tf1",
    layers={
        "Embedding": 2,
        "LayerNormalization": 5 * DEPTH,
        "Dense": 4 * DEPTH + 1,
    },
    lines=110,
    ops=8,  # the mask of the padding
    share=0.999,  # the factor of the embeddings
)
def tutorial() -> Any:
    """Source tokens of 0 are padding; target tokens see those before them."""
    source = v1.placeholder(tf.int32, [None, LENGTH], "source")
    target = v1.placeholder(tf.int32, [None, LENGTH], "target")
    padding = tf.cast(tf.math.equal(source, 0), tf.float32)[:, None, None, :]
    future = 1 - tf.linalg.band_part(tf.ones((LENGTH, LENGTH)), -1, 0)
    x = _embedded(source, "source")
    for n in range(DEPTH):
        with v1.variable_scope(f"encoder_{n}"):
            x = _norm(x + _attention(x, x, padding, "attention"), "norm1")
            x = _norm(x + _feed_forward(x, "ffn"), "norm2")
    y = _embedded(target, "target")
    for n in range(DEPTH):
        with v1.variable_scope(f"decoder_{n}"):
            y = _norm(y + _attention(y, y, future, "attention"), "norm1")
            y = _norm(y + _attention(y, x, padding, "cross"), "norm2")
            y = _norm(y + _feed_forward(y, "ffn"), "norm3")
    return tf.identity(_dense(y, VOCABULARY, "final"), "logits")


@architecture(
    "Transformer, Keras",
    "tf2",
    layers={
        "Embedding": 2,
        "LayerNormalization": 5,
        "MultiHeadAttention": 3,
        "Dense": 5,
    },
    lines=70,
    ops=9,
)
def keras_layers() -> Any:
    """One encoder and one decoder layer of Keras's own: a causal and a cross attention."""
    source = keras.Input((LENGTH,), dtype="int32", name="source")
    target = keras.Input((LENGTH,), dtype="int32", name="target")
    x = layers.Embedding(VOCABULARY, WIDTH)(source)
    y = layers.Embedding(VOCABULARY, WIDTH)(target)

    def attended(query: Any, memory: Any, causal: bool = False) -> Any:
        attention = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
        found = attention(query, memory, use_causal_mask=causal)
        return layers.LayerNormalization()(layers.Add()([query, found]))

    def fed(x: Any) -> Any:
        wide = layers.Dense(WIDE, activation="relu")(x)
        return layers.LayerNormalization()(layers.Add()([x, layers.Dense(WIDTH)(wide)]))

    x = fed(attended(x, x))
    y = fed(attended(attended(y, y, causal=True), x))
    return keras.Model([source, target], layers.Dense(VOCABULARY)(y))
