"""MultiHeadAttention as Keras 3 emits it, and with one thing changed."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    found_in,
    image,
    keras,
    spell,
    weight,
)


class SelfAttention(k.layers.Layer):
    """An attention layer called on one tensor, so that it can be built from one shape."""

    def __init__(self, heads: int, size: int, **arguments: Any) -> None:
        super().__init__()
        self.attention = k.layers.MultiHeadAttention(heads, size, **arguments)

    def build(self, shape: Any) -> None:
        self.attention.build(shape, shape)
        self.built = True

    def call(self, x: Any) -> Any:
        return self.attention(x, x)


def written(
    scale: float = 6**-0.5,
    scores: str = "btnh,bsnh->bnts",
    keys_first: bool = False,
    early: bool = False,
) -> Any:
    """The same with raw ops: what Keras 3 emits, spelled out."""
    x = image(None, 5, 12)

    def heads(name: str) -> Any:
        made = tf.matmul(x, tf.reshape(weight(f"{name}/kernel", 12, 2, 6), [12, 12]))
        return tf.reshape(made, [-1, 5, 2, 6]) + weight(f"{name}/bias", 2, 6)

    q, key, v = heads("query"), heads("key"), heads("value")
    if early:
        q = q * scale
    met = tf.einsum(scores, key, q) if keys_first else tf.einsum(scores, q, key)
    attended = tf.nn.softmax(met if early else met * scale)
    mixed = tf.reshape(tf.einsum("bnts,bsnh->btnh", attended, v), [-1, 5, 12])
    return tf.nn.bias_add(tf.matmul(mixed, weight("out", 12, 12)), weight("b", 12))


WEIGHTS = " ".join(
    f"{part}_dense/{kind}"
    for part in ("query", "key", "value", "output")
    for kind in ("kernel", "bias")
)
SPELLINGS = [
    spell(
        "keras",
        "multi_head_attention",
        keras(lambda: SelfAttention(2, 6), None, 5, 12),
        WEIGHTS,
        num_heads=2,
        key_dim=6,
        value_dim=6,
        use_bias=True,
    ),
    spell(
        "other value size, no bias",
        "multi_head_attention",
        keras(
            lambda: SelfAttention(2, 6, value_dim=4, use_bias=False, output_shape=7),
            None,
            5,
            12,
        ),
        value_dim=4,
        use_bias=False,
        output_shape=(7,),
    ),
    spell("written out", "multi_head_attention", written, WEIGHTS, num_heads=2),
    spell(
        "keys first, queries scaled",
        "multi_head_attention_keys_first",
        lambda: written(scores="aecd,abcd->acbe", keys_first=True, early=True),
        WEIGHTS,
        key_dim=6,
    ),
]


def near(name: str, pattern: str, build: Any) -> NearMiss:
    return NearMiss(name, pattern, build)


NEAR_MISSES = [
    near("another scale", "multi_head_attention", lambda: written(scale=0.3)),
    near(
        "queries and keys exchanged",
        "multi_head_attention",
        lambda: written(scores="bsnh,btnh->bnts"),
    ),
    near(
        "keys first by name only",
        "multi_head_attention_keys_first",
        lambda: written(scores="btnh,bsnh->bnts", keys_first=False),
    ),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)


def test_the_weights_have_the_shapes_that_keras_gives_them() -> None:
    found = found_in(keras(lambda: SelfAttention(2, 6), None, 5, 12))
    (layer,) = found.layers
    theirs = SelfAttention(2, 6)
    theirs.build((None, 5, 12))
    wanted = [tuple(w.shape) for w in theirs.weights]
    assert [use.shape for use in layer.weights.values()] == wanted
    for use in layer.weights.values():
        assert np.shape(use.array(found.model)) == use.shape
