"""Attention that no Keras layer computes: with keys and values of the past, with turned (rotary) heads.

It comes back as Dense and EinsumDense layers, which own every weight, and ``keras.ops`` between them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

from graphscope.analysis.results import Analysis
from graphscope.graph import Layer
from graphscope.read import load
from tests.patterns.attention.test_multi_head import dense

v1 = tf.compat.v1
WIDTH, HEADS, GROUPS, SIZE = 12, 3, 2, 4


def gpt2() -> list[Any]:
    """OpenAI's GPT-2: the past is fed, ``[batch, 2, heads, length, size]``, and the present given back."""
    x = v1.placeholder(tf.float32, [None, None, WIDTH], "x")
    past = v1.placeholder(tf.float32, [None, 2, HEADS, None, SIZE], "past")

    def split(t: Any) -> Any:
        shape = [tf.shape(t)[0], tf.shape(t)[1], HEADS, SIZE]
        return tf.transpose(tf.reshape(t, shape), [0, 2, 1, 3])

    q, k, v = map(split, tf.split(dense(x, 3 * WIDTH, "c_attn"), 3, axis=2))
    present = tf.stack([k, v], axis=1)
    past_k, past_v = tf.unstack(past, axis=1)
    k, v = tf.concat([past_k, k], axis=-2), tf.concat([past_v, v], axis=-2)
    scores = tf.matmul(q, k, transpose_b=True) * SIZE**-0.5
    queries, keys = tf.shape(scores)[-2], tf.shape(scores)[-1]
    seen = tf.range(queries)[:, None] >= tf.range(keys) - keys + queries
    b = tf.reshape(tf.cast(seen, scores.dtype), [1, 1, queries, keys])
    scores = scores * b - tf.cast(1e10, scores.dtype) * (1 - b)
    mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
    joined = tf.reshape(mixed, [tf.shape(x)[0], tf.shape(x)[1], WIDTH])
    return [dense(joined, WIDTH, "c_proj"), present]


def onto(x: Any, heads: int, name: str) -> Any:
    kernel = v1.get_variable(name, [WIDTH, heads, SIZE])
    return tf.einsum("bqm,muh->bquh", x, kernel)


def off(mixed: Any, heads: int) -> Any:
    kernel = v1.get_variable("out", [heads, SIZE, WIDTH])
    return tf.einsum("bquh,uhm->bqm", mixed, kernel)


def keras_hub() -> list[Any]:
    """KerasHub's CachedMultiHeadAttention: keys and values are written into a cache of full length."""
    x = v1.placeholder(tf.float32, [2, 1, WIDTH], "x")
    cache = v1.placeholder(tf.float32, [2, 2, 6, HEADS, SIZE], "cache")
    at = v1.placeholder(tf.int32, [], "at")
    start = tf.stack([0, at, 0, 0])
    k = xla.dynamic_update_slice(cache[:, 0], onto(x, HEADS, "key"), start)
    v = xla.dynamic_update_slice(cache[:, 1], onto(x, HEADS, "value"), start)
    query = onto(x, HEADS, "query") * SIZE**-0.5
    scores = tf.einsum("aecd,abcd->acbe", k, query)
    scores = tf.where(tf.range(6) <= at, scores, -1e9)
    mixed = tf.einsum("acbe,aecd->abcd", tf.nn.softmax(scores), v)
    return [off(mixed, HEADS), tf.stack([k, v], 1)]


def turned(x: Any) -> Any:
    """Rotary positions (Su et al. 2021, arXiv:2104.09864), as KerasHub's Llama and Mistral turn halves of a head."""
    inverse = tf.constant(1e4 ** -(np.arange(0, SIZE, 2, dtype=np.float32) / SIZE))
    places = tf.range(tf.cast(tf.shape(x)[1], tf.float32))
    angles = tf.einsum("i,j->ij", places, inverse)
    angles = tf.concat([angles, angles], -1)[None, :, None, :]
    left, right = tf.split(x, 2, axis=-1)
    other = tf.reshape(tf.stack([-right, left], -2), tf.shape(x))
    return x * tf.cos(angles) + other * tf.sin(angles)


def mistral() -> list[Any]:
    """KerasHub's CachedMistralAttention: heads of keys repeated for the queries, queries and keys turned."""
    x = v1.placeholder(tf.float32, [None, None, WIDTH], "x")
    mask = v1.placeholder(tf.bool, [None, None, None], "mask")[:, None]
    heads = 2 * GROUPS
    q, k = turned(onto(x, heads, "query")), turned(onto(x, GROUPS, "key"))
    k, v = (tf.repeat(t, 2, axis=2) for t in (k, onto(x, GROUPS, "value")))
    scores = tf.einsum("bquh,bkuh->buqk", q, k) * SIZE**-0.5
    weights = tf.nn.softmax(tf.where(mask, scores, -1e9))
    return [off(tf.einsum("buqk,bkuh->bquh", weights, v), heads)]


MODELS = {
    gpt2: ["Dense"] * 2,
    keras_hub: ["EinsumDense"] * 4,
    mistral: ["EinsumDense"] * 4,
}


def frozen(build: Callable[[], list[Any]], folder: Path) -> Analysis:
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        made = [tf.identity(t, f"result_{i}") for i, t in enumerate(build())]
        names = [t.op.name for t in made]
        rng = np.random.default_rng(0)
        for variable in v1.global_variables():
            shape = variable.shape.as_list()
            variable.load(rng.normal(0, shape[0] ** -0.5, shape), session)
        definition = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), names
        )
    (folder / "graph.pb").write_bytes(definition.SerializeToString())
    return Analysis(load(str(folder / "graph.pb")), outputs=names)


@pytest.mark.parametrize("build", MODELS, ids=lambda build: str(build.__name__))
def test_its_weights_are_in_dense_layers_and_it_computes_the_same(
    build: Callable[[], list[Any]], tmp_path: Path
) -> None:
    found = frozen(build, tmp_path)
    nodes = [found.layer_graph.node(name) for name in found.layer_graph]
    owners = [n for n in nodes if isinstance(n, Layer) and n.weights]
    wanted = MODELS[build]
    assert sorted(layer.op for layer in owners) == wanted
    report = found.write_keras(tmp_path / "keras")
    assert not report.not_portable, report.not_portable
    assert "add_weight" not in report.source.text
    proof = found.prove(tmp_path / "keras")
    assert proof.passed and proof.max_rel < 1e-5
