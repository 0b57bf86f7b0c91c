"""GPT-2 in the idiom of its authors: TensorFlow 1, queries, keys and values of one ``conv1d``, a causal mask, tied logits.

After openai/gpt-2's ``model.py``: the norm and the softmax are written out, the mask counts from the lower right corner
so that it fits a past, and ``present`` hands keys and values on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from . import architecture

v1 = tf.compat.v1


@dataclass(frozen=True)
class Config:
    """The sizes of a GPT-2."""

    vocabulary: int = 30
    context: int = 16
    width: int = 16
    heads: int = 4
    layers: int = 3


def sizes(x: Any) -> list[Any]:
    """The sizes of a tensor, each a number where it is known and a tensor where it is not."""
    dynamic = tf.shape(x)
    return [dynamic[i] if d is None else d for i, d in enumerate(x.shape.as_list())]


def softmax(x: Any, axis: int = -1) -> Any:
    x = x - tf.reduce_max(x, axis=axis, keepdims=True)
    powers = tf.exp(x)
    return powers / tf.reduce_sum(powers, axis=axis, keepdims=True)


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + tf.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * tf.pow(x, 3))))


def norm(x: Any, scope: str, epsilon: float = 1e-5) -> Any:
    with v1.variable_scope(scope):
        gain = v1.get_variable("g", [x.shape[-1]])
        bias = v1.get_variable("b", [x.shape[-1]])
        mean = tf.reduce_mean(x, axis=-1, keepdims=True)
        centred = x - mean
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        return centred * tf.math.rsqrt(variance + epsilon) * gain + bias


def conv1d(x: Any, scope: str, units: int) -> Any:
    """A dense layer on any rank, whose kernel is that of a convolution of width 1."""
    with v1.variable_scope(scope):
        *start, width = sizes(x)
        kernel = v1.get_variable("w", [1, width, units])
        bias = v1.get_variable("b", [units])
        rows = tf.reshape(x, [-1, width])
        made = tf.matmul(rows, tf.reshape(kernel, [-1, units])) + bias
        return tf.reshape(made, start + [units])


def causal(queries: Any, keys: Any, dtype: Any) -> Any:
    """Ones in the lower triangle, counted from the lower right corner."""
    i = tf.range(queries)[:, None]
    j = tf.range(keys)
    return tf.cast(i >= j - keys + queries, dtype)


def attention(x: Any, scope: str, past: Any, config: Config) -> tuple[Any, Any]:
    def split_heads(x: Any) -> Any:
        *start, width = sizes(x)
        split = tf.reshape(x, start + [config.heads, width // config.heads])
        return tf.transpose(split, [0, 2, 1, 3])

    def merge_heads(x: Any) -> Any:
        x = tf.transpose(x, [0, 2, 1, 3])
        *start, heads, size = sizes(x)
        return tf.reshape(x, start + [heads * size])

    with v1.variable_scope(scope):
        joint = conv1d(x, "c_attn", config.width * 3)
        q, k, v = map(split_heads, tf.split(joint, 3, axis=2))
        present = tf.stack([k, v], axis=1)
        if past is not None:
            past_k, past_v = tf.unstack(past, axis=1)
            k = tf.concat([past_k, k], axis=-2)
            v = tf.concat([past_v, v], axis=-2)
        scores = tf.matmul(q, k, transpose_b=True)
        scores = scores * tf.math.rsqrt(tf.cast(v.shape[-1], scores.dtype))
        _, _, queries, keys = sizes(scores)
        seen = tf.reshape(causal(queries, keys, scores.dtype), [1, 1, queries, keys])
        scores = scores * seen - tf.cast(1e10, scores.dtype) * (1 - seen)
        mixed = merge_heads(tf.matmul(softmax(scores), v))
        return conv1d(mixed, "c_proj", config.width), present


def block(x: Any, scope: str, past: Any, config: Config) -> tuple[Any, Any]:
    with v1.variable_scope(scope):
        mixed, present = attention(norm(x, "ln_1"), "attn", past, config)
        x = x + mixed
        with v1.variable_scope("mlp"):
            h = norm(x, "ln_2")
            h = gelu(conv1d(h, "c_fc", config.width * 4))
            h = conv1d(h, "c_proj", config.width)
        return x + h, present


def gpt2(
    length: int | None = None,
    past_length: int | None = 0,
    config: Config = Config(),
) -> tuple[Any, Any]:
    """The graph of a GPT-2; returns logits and presents. A ``past_length`` of 0 is a graph without a past."""
    tokens = v1.placeholder(tf.int32, [None, length], "tokens")
    past = None
    if past_length != 0:
        size = config.width // config.heads
        shape = [None, config.layers, 2, config.heads, past_length, size]
        past = v1.placeholder(tf.float32, shape, "past")
    with v1.variable_scope("model"):
        number, steps = sizes(tokens)
        wpe = v1.get_variable("wpe", [config.context, config.width])
        wte = v1.get_variable("wte", [config.vocabulary, config.width])
        before = 0 if past is None else tf.shape(past)[-2]
        positions = tf.expand_dims(before + tf.range(tf.shape(tokens)[1]), axis=0)
        positions = tf.tile(positions, [tf.shape(tokens)[0], 1])
        h = tf.gather(wte, tokens) + tf.gather(wpe, positions)
        pasts = [None] * config.layers if past is None else tf.unstack(past, axis=1)
        presents = []
        for layer, each in enumerate(pasts):
            h, present = block(h, f"h{layer}", each, config)
            presents.append(present)
        h = norm(h, "ln_f")
        flat = tf.reshape(h, [number * steps, config.width])
        logits = tf.matmul(flat, wte, transpose_b=True)
        logits = tf.reshape(logits, [number, steps, config.vocabulary])
    present = tf.stack(presents, axis=1)
    return tf.identity(logits, "logits"), tf.identity(present, "present")


def _layers(count: int) -> dict[str, int]:
    return {
        "ReversibleEmbedding": 1,
        "PositionEmbedding": 1,
        "LayerNormalization": 2 * count + 1,
        "MultiHeadAttention": count,
        "Dense": 2 * count,
    }


@architecture("GPT-2", "tf1", layers=_layers(3), lines=40)
def logits(training: bool = False) -> Any:
    """Sequences of any length; the training graph has the loss of the next token."""
    found, _ = gpt2()
    if training:
        tokens = v1.get_default_graph().get_tensor_by_name("tokens:0")
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tokens[:, 1:], logits=found[:, :-1]
        )
        v1.train.AdamOptimizer(1e-4).minimize(tf.reduce_mean(losses))
    return found


@architecture("GPT-2 small", "tf1", layers=_layers(12), lines=120, slow=True)
def small() -> Any:
    """The layers of the smallest GPT-2, narrow."""
    return gpt2(8, config=Config(width=24, heads=12, layers=12))[0]


@architecture(
    "GPT-2 with its past",
    "tf1",
    layers={"LayerNormalization": 5, "Dense": 8, "ReversibleEmbedding": 1},
    lines=140,
    ops=60,
)
def cached() -> Any:
    """Keys and values go in and come out, so that the heads are not inside of a layer."""
    return list(gpt2(4, 3, Config(layers=2)))
