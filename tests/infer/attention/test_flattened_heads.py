"""Heads that were folded into the batch, as fairseq's BART and its kin do, are an axis of their own again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.read import load

v1 = tf.compat.v1
RNG = np.random.default_rng(0)
HEADS, SIZE = 2, 3
WIDTH = HEADS * SIZE


def analysed(build: Callable[[], Any], folder: Path) -> Analysis:
    with tf.Graph().as_default() as graph:
        tf.identity(build(), "result")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return Analysis(load(str(path)), outputs=["result"])


def dense(x: Any) -> Any:
    kernel, bias = RNG.normal(size=(WIDTH, WIDTH)), RNG.normal(size=WIDTH)
    made = tf.tensordot(x, tf.constant(kernel.astype("f")), 1)
    return tf.nn.bias_add(made, tf.constant(bias.astype("f")))


def sizes(x: Any) -> list[Any]:
    return [d or tf.shape(x)[i] for i, d in enumerate(x.shape)]


def folded(x: Any, batch: Any) -> Any:
    heads = tf.transpose(tf.reshape(x, [batch, -1, HEADS, SIZE]), [0, 2, 1, 3])
    return tf.reshape(heads, [batch * HEADS, -1, SIZE])


def attend(
    x: Any, memory: Any, mask: Any = None, turned: bool = False, rows: int = HEADS
) -> Any:
    """TFBartAttention's call; ``rows`` other than the number of heads mixes examples."""
    batch, length, _ = sizes(x)
    keys, values = folded(dense(memory), batch), folded(dense(memory), batch)
    queries = folded(dense(x) * SIZE**-0.5, batch)
    there = sizes(keys)[1]
    if turned:
        scores = tf.matmul(queries, tf.transpose(keys, [0, 2, 1]))
    else:
        scores = tf.matmul(queries, keys, transpose_b=True)
    if mask is not None:
        scores = tf.reshape(scores, [batch, HEADS, length, there]) + mask
        scores = tf.reshape(scores, [batch * HEADS, length, there])
    met = tf.matmul(tf.nn.softmax(scores, axis=-1), values)
    if rows != HEADS:
        return tf.reduce_sum(tf.reshape(met, [batch, rows, -1, SIZE]), [1, 2])
    met = tf.transpose(tf.reshape(met, [batch, HEADS, length, SIZE]), [0, 2, 1, 3])
    return dense(tf.reshape(met, [batch, length, WIDTH]))


def sequence(name: str = "x", length: int | None = None) -> Any:
    return v1.placeholder(tf.float32, [None, length, WIDTH], name)


def attentions(found: Analysis) -> list[str]:
    return [each.op for each in found.layers if each.op == "MultiHeadAttention"]


def proved(found: Analysis, folder: Path) -> bool:
    found.write_keras(folder / "keras")
    return found.prove(folder / "keras").passed


def test_heads_folded_into_the_batch_are_heads(tmp_path: Path) -> None:
    for length in (4, None):

        def alone() -> Any:
            x = sequence(length=length)
            return attend(x, x)

        found = analysed(alone, tmp_path)
        assert attentions(found)
        assert proved(found, tmp_path)


def test_a_mask_is_added_where_heads_have_their_axis(tmp_path: Path) -> None:
    def masked() -> Any:
        x = sequence()
        mask = v1.placeholder(tf.int32, [None, None], "mask")
        wide = tf.tile(mask[:, None, None], [1, 1, tf.shape(x)[1], 1])
        return attend(x, x, (1.0 - tf.cast(wide, tf.float32)) * -1e4)

    found = analysed(masked, tmp_path)
    assert attentions(found)
    assert proved(found, tmp_path)


def test_queries_meet_another_sequence(tmp_path: Path) -> None:
    found = analysed(lambda: attend(sequence(), sequence("memory")), tmp_path)
    assert attentions(found)
    assert proved(found, tmp_path)


def test_matrices_are_turned_with_their_heads(tmp_path: Path) -> None:
    def turned() -> Any:
        x = sequence(length=4)
        return attend(x, x, turned=True)

    found = analysed(turned, tmp_path)
    heads = [each for each in found.layers if each.op == "Permute"]
    assert {len(each.attrs["dims"]) for each in heads} == {3}
    assert proved(found, tmp_path)


def test_stacks_that_are_cut_into_other_heads_stay(tmp_path: Path) -> None:
    def recut() -> Any:
        x = sequence(length=4)
        return attend(x, x, rows=1)

    found = analysed(recut, tmp_path)
    assert not attentions(found)
    assert proved(found, tmp_path)


def test_stacks_that_are_normalised_over_the_heads_stay(tmp_path: Path) -> None:
    def across() -> Any:
        x = sequence(length=4)
        batch = tf.shape(x)[0]
        met = tf.matmul(folded(x, batch), folded(x, batch), transpose_b=True)
        met = tf.nn.softmax(met, axis=0)
        return tf.reshape(met, [batch, HEADS, 4, 4])

    found = analysed(across, tmp_path)
    assert not attentions(found)
    assert proved(found, tmp_path)
