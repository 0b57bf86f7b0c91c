"""Attention and position embeddings one altitude up: each spelling is found in a graph of layers, and computes the same.

The proof runs the written model beside the graph, so that a match that claims too much fails here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.graph import Layer
from graphscope.read import load
from tests.patterns.spelling import NearMiss, Spelling, spell

v1 = tf.compat.v1
LENGTH, WIDTH, HEADS = 5, 12, 3
SIZE = WIDTH // HEADS


def dense(x: Any, units: int, name: str, bias: bool = True) -> Any:
    """A dense layer on three axes."""
    kernel = v1.get_variable(f"{name}/kernel", [x.shape[-1], units])
    made = tf.tensordot(x, kernel, 1)
    return made + v1.get_variable(f"{name}/bias", [units]) if bias else made


def split(x: Any, heads: int = HEADS) -> Any:
    length = x.shape[1] or tf.shape(x)[1]
    return tf.reshape(x, [tf.shape(x)[0], length, heads, x.shape[2] // heads])


def by_matrix(q: Any, k: Any, v: Any, masked: Callable[[Any], Any], scale: Any) -> Any:
    """Heads moved before the sequence, as BERT and GPT-2 multiply them."""
    q, k, v = (tf.transpose(x, [0, 2, 1, 3]) for x in (q, k, v))
    weights = tf.nn.softmax(masked(scale(tf.matmul(q, k, transpose_b=True))))
    return tf.transpose(tf.matmul(weights, v), [0, 2, 1, 3])


def by_einsum(q: Any, k: Any, v: Any, masked: Callable[[Any], Any], scale: Any) -> Any:
    scores = tf.einsum("bfnh,btnh->bnft", q, k)
    return tf.einsum("bnft,btnh->bfnh", tf.nn.softmax(masked(scale(scores))), v)


def attention(
    meet: Callable[..., Any] = by_matrix,
    masked: Callable[[Any], Any] = lambda scores: scores,
    scale: Callable[[Any], Any] = lambda scores: scores / SIZE**0.5,
    early: Callable[[Any], Any] = lambda query: query,
    joint: bool = False,
    cross: bool = False,
    length: int | None = LENGTH,
    bias: bool = True,
    last: str = "",
) -> Any:
    """Attention with one part of it spelled in another way."""
    x = v1.placeholder(tf.float32, [None, length, WIDTH], "x")
    y = v1.placeholder(tf.float32, [None, 7, WIDTH], "y") if cross else x
    if joint:
        q, k, v = tf.split(dense(x, 3 * WIDTH, "joint"), 3, axis=2)
    else:
        q, k, v = dense(x, WIDTH, "q", bias), dense(y, WIDTH, "k"), dense(y, WIDTH, "v")
    mixed = meet(split(early(q)), split(k), split(v), masked, scale)
    if last == "heads swapped":
        mixed = tf.transpose(mixed, [0, 1, 3, 2])
    joined = tf.reshape(mixed, [tf.shape(x)[0], length or tf.shape(x)[1], WIDTH])
    return tf.identity(dense(joined, WIDTH, "out"), "result")


def past(scores: Any) -> Any:
    """The causal mask of GPT-2, on lengths that are known or not."""
    size = tf.shape(scores)[-1]
    seen = tf.cast(tf.range(size)[:, None] >= tf.range(size), scores.dtype)
    return scores * seen - 1e10 * (1 - seen)


def band(scores: Any) -> Any:
    ones = tf.ones([LENGTH, LENGTH])
    return scores + (1 - tf.linalg.band_part(ones, -1, 0)) * -1e9


def replaced(fill: float) -> Callable[[Any], Any]:
    def masked(scores: Any) -> Any:
        mask = v1.placeholder(tf.bool, [None, 1, 1, LENGTH], "mask")
        return tf.where(mask, scores, tf.fill(tf.shape(scores), fill))

    return masked


def added(scores: Any) -> Any:
    mask = v1.placeholder(tf.float32, [None, LENGTH, LENGTH], "mask")
    return scores + (1.0 - mask[:, None]) * -10000.0


def with_positions(
    cut: Callable[[Any, Any], Any], length: int | None = None, rows: int = 9
) -> Any:
    """Embedded tokens, and what ``cut`` makes of a table of positions."""
    ids = v1.placeholder(tf.int32, [None, length], "ids")
    words = tf.gather(v1.get_variable("words", [20, WIDTH]), ids)
    table = v1.get_variable("positions", [rows, WIDTH])
    return tf.identity(words + cut(table, words), "result")


def counted(start: int) -> Callable[[Any, Any], Any]:
    return lambda table, x: tf.gather(table, tf.range(start, start + tf.shape(x)[1]))


def sliced(table: Any, x: Any) -> Any:
    return tf.expand_dims(tf.slice(table, [0, 0], [tf.shape(x)[1], -1]), 0)


def plain_attention(axis: int = -1, scale: float | None = None) -> Any:
    """Attention without heads and without projections."""
    x = v1.placeholder(tf.float32, [None, LENGTH, WIDTH], "x")
    y = v1.placeholder(tf.float32, [None, LENGTH, WIDTH], "y")
    scores = tf.matmul(x, tf.transpose(y, [0, 2, 1]))
    scores = scores if scale is None else scores * scale
    found = tf.matmul(tf.nn.softmax(scores, axis=axis), y)
    return tf.identity(found, "result")


HEADED, MASKED = "attention_of_heads", "attention_of_heads_masked"
CAUSAL, PLACED = "attention_of_heads_causal", "position_embedding"
half = {"num_heads": HEADS, "key_dim": SIZE}
SPELLINGS = [
    spell("products of matrices", HEADED, lambda: attention(), **half),
    spell("einsums", HEADED, lambda: attention(by_einsum), **half),
    spell("length unknown", HEADED, lambda: attention(length=None), **half),
    spell(
        "query scaled",
        HEADED,
        lambda: attention(scale=lambda s: s, early=lambda q: q * SIZE**-0.5),
        **half,
    ),
    spell("one joint layer", HEADED, lambda: attention(joint=True), **half),
    spell("cross", HEADED, lambda: attention(cross=True), **half),
    spell("a bias is missing", HEADED, lambda: attention(bias=False), use_bias=True),
    spell("added mask", HEADED, lambda: attention(masked=added), additive_mask=True),
    spell("shifted", HEADED, lambda: attention(masked=lambda s: s + 1e-9), **half),
    spell("mask", MASKED, lambda: attention(masked=replaced(-1e9)), **half),
    spell("GPT-2's mask", CAUSAL, lambda: attention(masked=past), use_causal_mask=True),
    spell(
        "GPT-2's mask, length unknown",
        CAUSAL,
        lambda: attention(masked=past, length=None),
        use_causal_mask=True,
    ),
    spell("a band", CAUSAL, lambda: attention(by_einsum, masked=band), **half),
    spell("no heads", "attention", plain_attention, use_scale=False),
    spell("scaled", "attention", lambda: plain_attention(scale=0.3), use_scale=True),
    spell("counted", PLACED, lambda: with_positions(counted(0)), input_dim=9),
    spell("sliced", f"{PLACED}_cut", lambda: with_positions(sliced), input_dim=9),
    spell(
        "as long as the sequences",
        f"{PLACED}_added",
        lambda: with_positions(lambda table, x: table[None], 9),
        input_dim=9,
    ),
]


def future(scores: Any) -> Any:
    ones = tf.ones([LENGTH, LENGTH])
    return scores + (1 - tf.linalg.band_part(ones, 0, -1)) * -1e9


def wrong_axis(q: Any, k: Any, v: Any, masked: Any, scale: Any) -> Any:
    scores = scale(tf.einsum("bfnh,btnh->bnft", q, k))
    return tf.einsum("bnft,btnh->bfnh", tf.nn.softmax(scores, axis=2), v)


def over_heads(q: Any, k: Any, v: Any, masked: Any, scale: Any) -> Any:
    """The heads of one token attend to one another."""
    weights = tf.nn.softmax(scale(tf.matmul(q, k, transpose_b=True)))
    return tf.matmul(weights, v)


NEAR_MISSES = [
    NearMiss("another scale", HEADED, lambda: attention(scale=lambda s: s / 3.0)),
    NearMiss("no scale", HEADED, lambda: attention(scale=lambda s: s)),
    NearMiss("softmax over queries", HEADED, lambda: attention(wrong_axis)),
    NearMiss("tokens not moved behind heads", HEADED, lambda: attention(over_heads)),
    NearMiss("heads swapped", HEADED, lambda: attention(last="heads swapped")),
    NearMiss("near scores", MASKED, lambda: attention(masked=replaced(-3.0))),
    NearMiss("the future", CAUSAL, lambda: attention(masked=future)),
    NearMiss("over queries", "attention", lambda: plain_attention(axis=1)),
    NearMiss("from 1", PLACED, lambda: with_positions(counted(1))),
    NearMiss(
        "the end of the table",
        f"{PLACED}_cut",
        lambda: with_positions(
            lambda t, x: tf.slice(t, [1, 0], [tf.shape(x)[1], -1])[None]
        ),
    ),
    NearMiss(
        "one row for all",
        f"{PLACED}_added",
        lambda: with_positions(lambda table, x: table[:1][None], 9),
    ),
]


def analysed(build: Callable[[], Any], folder: Path) -> Analysis:
    """The graph, frozen with random weights, and read."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        build()
        rng = np.random.default_rng(0)
        for variable in v1.global_variables():
            shape = variable.shape.as_list()
            variable.load(rng.normal(0, shape[0] ** -0.5, shape), session)
        frozen = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["result"]
        )
    path = folder / "graph.pb"
    path.write_bytes(frozen.SerializeToString())
    return Analysis(load(str(path)), outputs=["result"])


def layers_of(found: Analysis) -> dict[str, Layer]:
    nodes = (found.layer_graph.node(name) for name in found.layer_graph)
    return {node.pattern: node for node in nodes if isinstance(node, Layer)}


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_computes_the_same(
    spelling: Spelling, tmp_path: Path
) -> None:
    found = analysed(spelling.build, tmp_path)
    layers = layers_of(found)
    assert spelling.pattern in layers, f"{sorted(layers)} found"
    config = layers[spelling.pattern].config
    assert {key: config[key] for key in spelling.config} == spelling.config
    found.write_keras(tmp_path / "keras")
    proof = found.prove(tmp_path / "keras")
    assert proof.passed and proof.max_rel < 1e-4


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found_and_computes_the_same(
    miss: NearMiss, tmp_path: Path
) -> None:
    found = analysed(miss.build, tmp_path)
    assert not {layer.op for layer in layers_of(found).values()} & {
        "MultiHeadAttention" if miss.pattern != CAUSAL else "",
        "PositionEmbedding",
    }
    assert miss.pattern not in layers_of(found)
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed
