"""GroupQueryAttention: Keras's own spelling is found and computes the same, its near misses are not and do too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.patterns.attention.test_multi_head import analysed, layers_of
from tests.patterns.spelling import NearMiss, Spelling, spell

v1 = tf.compat.v1
LENGTH, WIDTH, HEADS, GROUPS, SIZE = 5, 12, 4, 2, 8
NAME = "attention_of_groups"


def projected(x: Any, heads: int, name: str, bias: bool) -> Any:
    """Onto heads, ``[batch, length, heads, size]``."""
    kernel = v1.get_variable(f"{name}/kernel", [WIDTH, heads, SIZE])
    made = tf.einsum("bqm,muh->bquh", x, kernel)
    return made + v1.get_variable(f"{name}/bias", [heads, SIZE]) if bias else made


def attention(
    bias: bool = True,
    cross: bool = False,
    scale: float = SIZE**-0.5,
    in_turn: bool = False,
    axis: int = -1,
    groups: int = GROUPS,
    hidden: Callable[[Any], Any] = lambda scores: scores,
) -> Any:
    """``in_turn``: the heads are repeated as a row, not one by one; ``hidden`` masks the scores."""
    x = v1.placeholder(tf.float32, [None, LENGTH, WIDTH], "x")
    other = v1.placeholder(tf.float32, [None, 3, WIDTH], "y") if cross else x
    query = projected(x, HEADS, "query", bias)
    key, value = (projected(other, groups, n, bias) for n in ("key", "value"))
    times = HEADS // groups
    if in_turn:
        key, value = (tf.tile(x, [1, 1, times, 1]) for x in (key, value))
    else:
        key, value = (tf.repeat(x, times, axis=2) for x in (key, value))
    scores = tf.einsum("btnh,bsnh->bnts", query, key) * scale
    weights = tf.nn.softmax(hidden(scores), axis)
    mixed = tf.einsum("bnts,bsnh->btnh", weights, value)
    kernel = v1.get_variable("out/kernel", [HEADS, SIZE, WIDTH])
    made = tf.einsum("bquh,uhm->bqm", mixed, kernel)
    made = made + v1.get_variable("out/bias", [WIDTH]) if bias else made
    return tf.identity(made, "result")


def masked(sign: bool = True) -> Callable[[Any], Any]:
    """By truth values for each query and key; ``sign`` says that true is seen."""

    def hidden(scores: Any) -> Any:
        mask = v1.placeholder(tf.bool, [None, LENGTH, LENGTH], "mask")[:, None]
        return tf.where(mask, *((scores, -1e9) if sign else (-1e9, scores)))

    return hidden


def causal(strictly: bool = False) -> Callable[[Any], Any]:
    """By a triangle; ``strictly``: the present is hidden too."""
    seen = np.tri(LENGTH, k=-1 if strictly else 0, dtype=bool)
    return lambda scores: tf.where(tf.constant(seen), scores, -1e9)


config = {"head_dim": SIZE, "num_query_heads": HEADS, "num_key_value_heads": GROUPS}
SPELLINGS = [
    spell("Keras's", NAME, attention, use_bias=True, **config),
    spell("no bias", NAME, lambda: attention(bias=False), use_bias=False, **config),
    spell("cross", NAME, lambda: attention(cross=True), **config),
    spell("one group", NAME, lambda: attention(groups=1), num_key_value_heads=1),
    spell("own heads", NAME, lambda: attention(groups=4), num_key_value_heads=4),
    spell("mask", f"{NAME}_masked", lambda: attention(hidden=masked()), **config),
    spell(
        "causal",
        f"{NAME}_causal",
        lambda: attention(hidden=causal()),
        use_causal_mask=True,
    ),
]
NEAR_MISSES = [
    NearMiss("another scale", NAME, lambda: attention(scale=0.5)),
    NearMiss("heads in turn", NAME, lambda: attention(in_turn=True)),
    NearMiss("softmax over queries", NAME, lambda: attention(axis=2)),
    NearMiss(
        "what is true is hidden",
        f"{NAME}_masked",
        lambda: attention(hidden=masked(sign=False)),
    ),
    NearMiss(
        "the present is hidden",
        f"{NAME}_causal",
        lambda: attention(hidden=causal(strictly=True)),
    ),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_computes_the_same(
    spelling: Spelling, tmp_path: Path
) -> None:
    found = analysed(spelling.build, tmp_path)
    made = layers_of(found)
    assert spelling.pattern in made, sorted(made)
    assert spelling.config.items() <= made[spelling.pattern].config.items()
    source = found.write_keras(tmp_path / "keras").source.text
    assert "layers.GroupQueryAttention(" in source and "EinsumDense" not in source
    proof = found.prove(tmp_path / "keras")
    assert proof.passed and proof.max_rel < 1e-5


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found_and_computes_the_same(
    miss: NearMiss, tmp_path: Path
) -> None:
    found = analysed(miss.build, tmp_path)
    assert miss.pattern not in layers_of(found)
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed
