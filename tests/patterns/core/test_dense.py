"""Dense, EinsumDense and Embedding in their spellings."""

from __future__ import annotations

from typing import Any

import keras as k
import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    image,
    keras,
    spell,
    v1,
    weight,
)


def rows() -> Any:
    return image(None, 12)


def steps() -> Any:
    return image(None, 5, 12)


def ids() -> Any:
    return v1.placeholder(tf.int32, [None, 5], name="ids")


def batched(shape: int = 3) -> Any:
    return tf.matmul(steps(), weight("w", 12, 4)) + weight("b", 4)


def einsum(equation: str, *kernel: int) -> Any:
    return tf.einsum(equation, steps(), weight("w", *kernel))


def dense(**arguments: Any) -> Any:
    return keras(lambda: k.layers.Dense(7, **arguments), None, 12)


SPELLINGS = [
    spell(
        "keras",
        "dense",
        dense(),
        "kernel bias",
        units=7,
        use_bias=True,
        activation="linear",
    ),
    spell("no bias", "dense", dense(use_bias=False), "kernel", use_bias=False),
    spell(
        "matmul and add",
        "dense",
        lambda: tf.matmul(rows(), weight("w", 12, 3)) + weight("b", 3),
        "kernel bias",
        units=3,
    ),
    spell(
        "bias first",
        "dense",
        lambda: weight("b", 3) + tf.matmul(rows(), weight("w", 12, 3)),
        "kernel bias",
    ),
    spell(
        "bias_add",
        "dense",
        lambda: tf.nn.bias_add(tf.matmul(rows(), weight("w", 12, 3)), weight("b", 3)),
        "kernel bias",
    ),
    spell(
        "one unit",
        "dense",
        lambda: tf.matmul(rows(), weight("w", 12, 1)) + weight("b", 1),
        "kernel bias",
        units=1,
    ),
    spell("batched", "dense", batched, "kernel bias", units=4),
    spell(
        "PyTorch's layout",
        "dense_transposed",
        lambda: tf.matmul(rows(), weight("w", 3, 12), transpose_b=True)
        + weight("b", 3),
        "kernel bias",
        units=3,
    ),
    spell(
        "a stack of one kernel",
        "dense_of_stack",
        lambda: tf.matmul(image(None, 5, 12), weight("w", 1, 12, 3)) + weight("b", 3),
        "kernel bias",
        units=3,
    ),
    spell(
        "logits by the table of an embedding",
        "dense_of_turned_stack",
        lambda: tf.matmul(image(None, 5, 12), weight("w", 1, 7, 12), transpose_b=True),
        "kernel",
        units=7,
    ),
    spell(
        "keras on three axes",
        "dense_by_matrix",
        keras(lambda: k.layers.Dense(4), None, 5, 12),
        "kernel bias",
        units=4,
    ),
    spell(
        "tensordot",
        "dense_by_matrix",
        lambda: tf.tensordot(image(None, None, 12), weight("w", 12, 4), 1)
        + weight("b", 4),
        "kernel bias",
        units=4,
    ),
    spell(
        "einsum",
        "dense_einsum",
        lambda: einsum("btc,cd->btd", 12, 4),
        "kernel",
        units=4,
    ),
    spell(
        "einsum to heads",
        "einsum_dense",
        lambda: einsum("btc,chd->bthd", 12, 2, 6),
        "kernel",
        equation="btc,chd->bthd",
        output_shape=(5, 2, 6),
    ),
    spell(
        "einsum with a bias on two axes",
        "einsum_dense",
        lambda: einsum("btc,chd->bthd", 12, 2, 6) + weight("b", 2, 6),
        "kernel bias",
        bias_axes="hd",
    ),
    spell(
        "keras EinsumDense to heads",
        "einsum_dense_by_matrix",
        keras(
            lambda: k.layers.EinsumDense("abc,cde->abde", (5, 2, 6), bias_axes="de"),
            None,
            5,
            12,
        ),
        "kernel bias",
        equation="abc,cde->abde",
        output_shape=(5, 2, 6),
        bias_axes="de",
    ),
    spell(
        "keras EinsumDense from heads",
        "einsum_dense_from_heads",
        keras(
            lambda: k.layers.EinsumDense("abcd,cde->abe", (5, 12), bias_axes="e"),
            None,
            5,
            2,
            6,
        ),
        "kernel bias",
        equation="abcd,cde->abe",
        output_shape=(5, 12),
        bias_axes="e",
    ),
    spell(
        "gather",
        "embedding",
        lambda: tf.gather(weight("table", 9, 4), ids()),
        "embeddings",
        input_dim=9,
        output_dim=4,
    ),
    spell(
        "embedding_lookup",
        "embedding",
        lambda: tf.nn.embedding_lookup(weight("table", 9, 4), ids()),
        "embeddings",
    ),
    spell(
        "keras Embedding",
        "embedding",
        keras(lambda: k.layers.Embedding(9, 4), None, 5),
        "embeddings",
        input_dim=9,
    ),
    spell(
        "one-hot product",
        "embedding_by_one_hot",
        lambda: tf.matmul(
            tf.one_hot(tf.reshape(ids(), [-1]), 9), weight("table", 9, 4)
        ),
        "embeddings",
        input_dim=9,
    ),
]


def near(name: str, pattern: str, build: Any) -> NearMiss:
    return NearMiss(name, pattern, build)


def positions() -> Any:
    tokens = ids()
    return tf.gather(weight("wpe", 9, 4), tf.range(tf.shape(tokens)[1]))


SPELLINGS += [
    spell("positions", "embedding_of_positions", positions, "embeddings", input_dim=9),
]
NEAR_MISSES = [
    near(
        "constant indices",
        "embedding_of_positions",
        lambda: tf.gather(weight("t", 9, 4), [1, 2]),
    ),
    near(
        "two inputs",
        "dense",
        lambda: tf.matmul(rows(), tf.transpose(image(None, 12, name="y"))),
    ),
    near(
        "the input is transposed",
        "dense",
        lambda: tf.matmul(image(12, 3), weight("w", 12, 3), transpose_a=True),
    ),
    near(
        "not transposed",
        "dense_transposed",
        lambda: tf.matmul(rows(), weight("w", 12, 12)),
    ),
    near(
        "a kernel for each of two",
        "dense_of_stack",
        lambda: tf.matmul(image(2, 5, 12), weight("w", 2, 12, 3)),
    ),
    near(
        "a kernel with more axes than its input",
        "dense_of_stack",
        lambda: tf.matmul(image(5, 12), weight("w", 1, 12, 3)),
    ),
    near(
        "outputs last",
        "dense_of_turned_stack",
        lambda: tf.matmul(image(None, 5, 12), weight("w", 1, 12, 12)),
    ),
    near(
        "another grouping of rows",
        "dense_by_matrix",
        lambda: tf.reshape(
            tf.matmul(tf.reshape(steps(), [-1, 6]), weight("w", 6, 4)), [-1, 10, 4]
        ),
    ),
    near(
        "axes moved first",
        "dense_by_matrix",
        lambda: tf.tensordot(steps(), weight("w", 5, 4), [[1], [0]]),
    ),
    near("contracts the middle", "dense_einsum", lambda: einsum("btc,td->bcd", 5, 4)),
    near("batch moved", "einsum_dense", lambda: einsum("btc,cd->tbd", 12, 4)),
    near(
        "heads of another axis",
        "einsum_dense_by_matrix",
        lambda: tf.reshape(tf.matmul(steps(), weight("w", 12, 12)), [-1, 2, 5, 12]),
    ),
    near(
        "heads from other axes",
        "einsum_dense_from_heads",
        lambda: tf.matmul(
            tf.reshape(image(None, 5, 2, 6), [-1, 10, 6]), weight("w", 6, 12)
        ),
    ),
    near(
        "gathers columns",
        "embedding",
        lambda: tf.gather(weight("table", 9, 4), ids(), axis=1),
    ),
    near(
        "depth differs",
        "embedding_by_one_hot",
        lambda: tf.matmul(
            tf.one_hot(tf.reshape(ids(), [-1]), 9, on_value=2.0), weight("table", 9, 4)
        ),
    ),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)


def test_a_bias_that_is_not_one_number_a_unit_is_no_bias() -> None:
    from tests.patterns.spelling import found_in

    found = found_in(
        lambda: tf.matmul(image(4, 12), weight("w", 12, 3)) + weight("b", 4, 3)
    )
    dense_layers = [layer for layer in found.layers if layer.op == "Dense"]
    assert [list(layer.weights) for layer in dense_layers] == [["kernel"]]
