"""Models of two texts, after their authors' files: tensorflow/tensor2tensor and tensorflow/mesh (Apache 2.0)."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import tensorflow as tf

from tests.architectures.legacy import layers
from tests.families.originals import original, tokens

v1 = tf.compat.v1
scope = v1.variable_scope


def _variable(name: str, *shape: int) -> Any:
    return v1.get_variable(name, list(shape))


def _split(x: Any, heads: int) -> Any:
    x = tf.reshape(x, [-1, x.shape[1], heads, x.shape[2] // heads])
    return tf.transpose(x, [0, 2, 1, 3])


def _joined(x: Any) -> Any:
    x = tf.transpose(x, [0, 2, 1, 3])
    return tf.reshape(x, [-1, x.shape[1], x.shape[2] * x.shape[3]])


def _norm(x: Any) -> Any:
    """layer_preprocess, the sequence of which is "n"."""
    with scope("layer_prepostprocess/layer_norm"):
        scale = _variable("layer_norm_scale", x.shape[-1])
        bias = _variable("layer_norm_bias", x.shape[-1])
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-6) * scale + bias


def _timed(x: Any) -> Any:
    """get_timing_signal_1d, in numbers of numpy."""
    _, length, width = x.shape
    rates = np.exp(np.arange(width // 2) * -log(1e4) / (width // 2 - 1))
    angles = np.arange(length)[:, None] * rates
    return x + np.concatenate([np.sin(angles), np.cos(angles)], 1).astype("float32")


def _attention(x: Any, name: str, memory: Any, bias: Any, heads: int) -> Any:
    width = x.shape[-1]
    with scope(name):
        query = _norm(x)
        memory = query if memory is None else memory
        with scope("multihead_attention"):
            q, k, v = (
                _split(layers.dense(y, width, use_bias=False, name=n), heads)
                for y, n in ((query, "q"), (memory, "k"), (memory, "v"))
            )
            scored = tf.matmul(q * (width // heads) ** -0.5, k, transpose_b=True)
            y = _joined(tf.matmul(tf.nn.softmax(scored + bias), v))
            y = layers.dense(y, width, use_bias=False, name="output_transform")
    return x + y


def _fed_forward(x: Any, nonpadding: Any) -> Any:
    """dense_relu_dense; what PadRemover took away comes back as zeros."""
    with scope("ffn"):
        y = layers.dense(_norm(x), 24, activation=tf.nn.relu, name="conv1")
        return x + layers.dense(y, x.shape[-1], name="conv2") * nonpadding


def _clear(ids: Any) -> Any:
    return tf.cast(tf.not_equal(ids, 0), tf.float32)[:, :, None]


@original(
    "Transformer (tensor2tensor), 2 and 1 layers of 16, 4 heads", limit=11, heads=4
)
def transformer() -> tuple[list[Any], list[Any]]:
    """Transformer.body with shared embeddings in four shards, n before and da after each layer."""
    ids, space, target = tokens(6), tokens(1, "space"), tokens(5, "target")
    with scope("transformer"):
        with scope("symbol_modality_11_16/shared"):
            shards = [_variable(f"weights_{n}", 3 if n < 3 else 2, 16) for n in range(4)]
            table = tf.concat(shards, 0)
        embedded, answer = (
            tf.gather(table, t) * 16**0.5 * _clear(t) for t in (ids, target)
        )
        with scope("body"):
            spaces = _variable("target_space_embedding/kernel", 32, 16)
            x = _timed(embedded + tf.gather(spaces, space))
            bias = (1.0 - _clear(ids))[:, None, None, :, 0] * -1e9
            for place in range(2):
                with scope(f"encoder/layer_{place}"):
                    x = _attention(x, "self_attention", None, bias, 4)
                    x = _fed_forward(x, _clear(ids))
            with scope("encoder"):
                x = _norm(x)
            y = _timed(tf.pad(answer, [[0, 0], [1, 0], [0, 0]])[:, :-1])
            past = np.triu(np.full((5, 5), -1e9, "float32"), 1)
            with scope("decoder/layer_0"):
                y = _attention(y, "self_attention", None, past, 4)
                y = _attention(y, "encdec_attention", x, bias, 4)
                y = _fed_forward(y, 1.0)
            with scope("decoder"):
                y = _norm(y)
        return [ids, space, target], [tf.einsum("btw,vw->btv", y, table)]
