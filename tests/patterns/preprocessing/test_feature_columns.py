"""Feature columns: hashed strings, and products of embeddings."""

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
    spell,
    v1,
)

L = k.layers


def strings() -> Any:
    return v1.placeholder(tf.string, [None], "x")


def numbers() -> Any:
    return v1.placeholder(tf.int64, [None], "x")


def vectors() -> tuple[Any, Any]:
    return image(None, 6), image(None, 6, name="y")


def matrices() -> tuple[Any, Any]:
    return image(None, 5, 6), image(None, 5, 6, name="y")


def rows_by_columns(row: int = 1, column: int = 2) -> Any:
    x, y = vectors()
    product = tf.matmul(tf.expand_dims(x, row), tf.expand_dims(y, column))
    return tf.squeeze(product, [1]) if row == 1 else product


def columns(*dtypes: str) -> list[Any]:
    return [v1.placeholder(t, [None, 1], name) for name, t in zip("xy", dtypes)]


def crossed(*inputs: Any, key: int = 0xDECAFCAFFE, default: int | None = None) -> Any:
    """Two columns as one, read as a column or (``default``) spread by Keras."""
    cross = tf.sparse.cross_hashed(inputs, 7, key)
    if default is None:
        return tf.reshape(cross.values, [-1, 1])
    return tf.sparse.to_dense(cross, default)


CROSSES = [
    spell("crossed", "hashed_crossing", lambda: crossed(*columns("string", "string"))),
    spell(
        "crossed numbers",
        "hashed_crossing",
        lambda: crossed(*columns("int64", "string")),
    ),
    spell(
        "Keras's HashedCrossing",
        "hashed_crossing_spread",
        lambda: L.HashedCrossing(7)(columns("string", "int64")),
    ),
]
SPELLINGS = [
    spell("hashed", "hashing", lambda: v1.string_to_hash_bucket_fast(strings(), 9)),
    spell(
        "hashed numbers",
        "hashing",
        lambda: tf.strings.to_hash_bucket_fast(tf.strings.as_string(numbers()), 9),
        num_bins=9,
    ),
    spell(
        "hashed with a key",
        "hashing_with_salt",
        lambda: tf.strings.to_hash_bucket_strong(strings(), 9, [3, 4]),
        num_bins=9,
        salt=[3, 4],
    ),
    spell(
        "product of vectors",
        "dot",
        lambda: (lambda x, y: tf.reduce_sum(x * y, 1, keepdims=True))(*vectors()),
        axes=1,
    ),
    spell("Keras's Dot", "dot_by_matrix", rows_by_columns, axes=1),
    spell(
        "buckets of numbers",
        "discretization",
        lambda: tf.raw_ops.Bucketize(input=image(None, 6), boundaries=[-0.5, 0.25]),
        bin_boundaries=[-0.5, 0.25],
    ),
]
NEAR_MISSES = [
    NearMiss(
        "crossed by another key",
        "hashed_crossing",
        lambda: crossed(*columns("string", "string"), key=1),
    ),
    NearMiss(
        "crosses of two numbers each",
        "hashed_crossing",
        lambda: crossed(*(v1.placeholder(tf.string, [None, 2], n) for n in "xy")),
    ),
    NearMiss(
        "crosses spread over ones",
        "hashed_crossing_spread",
        lambda: crossed(*columns("string", "string"), default=1),
    ),
    NearMiss(
        "unkeyed",
        "hashing_with_salt",
        lambda: tf.strings.to_hash_bucket_fast(strings(), 9),
    ),
    NearMiss(
        "keyed",
        "hashing",
        lambda: tf.strings.to_hash_bucket_strong(strings(), 9, [3, 4]),
    ),
    NearMiss(
        "over all rows",
        "dot",
        lambda: (lambda x, y: tf.reduce_sum(x * y, 0, keepdims=True))(*vectors()),
    ),
    NearMiss(
        "of matrices",
        "dot",
        lambda: (lambda x, y: tf.reduce_sum(x * y, 1, keepdims=True))(*matrices()),
    ),
    NearMiss(
        "buckets of what a layer would round",
        "discretization",
        lambda: tf.raw_ops.Bucketize(
            input=v1.placeholder(tf.float64, [None], "x"), boundaries=[1.0]
        ),
    ),
    NearMiss("columns by rows", "dot_by_matrix", lambda: rows_by_columns(2, 1)),
]


SPELLINGS += CROSSES


@pytest.mark.parametrize("spelling", SPELLINGS[3:-3], ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("spelling", SPELLINGS[:3], ids=str)
def test_what_is_hashed_is_hashed_by_keras_as_well(spelling: Spelling) -> None:
    """Strings are no numbers that the soundness test could compare: Keras's layer itself is asked."""
    found = found_in(spelling.build)
    (layer,) = found.layers
    assert (layer.pattern, layer.op) == (spelling.pattern, "Hashing")
    made = L.Hashing(**layer.attrs)
    of_strings = "AsString" not in {found.graph.op(n) for n in found.graph}
    given = ["a", "bb", "", "ümlaut"] if of_strings else [1, -2, 30, 4_000_000_000]
    output = found.tf_graph.get_tensor_by_name(str(layer.output))
    want = found.session.run(output, {"x:0": given})
    got = made(tf.constant(given, tf.string if of_strings else tf.int64))
    assert got.numpy().tolist() == want.tolist()


@pytest.mark.parametrize("spelling", CROSSES, ids=str)
def test_what_is_crossed_is_crossed_by_keras_as_well(spelling: Spelling) -> None:
    found = found_in(spelling.build)
    (layer,) = (each for each in found.layers if each.op == "HashedCrossing")
    assert layer.pattern == spelling.pattern
    columns = {"string": [["a"], ["bb"], [""]], "int64": [[3], [-2], [0]]}
    dtypes = [found.tf_graph.get_tensor_by_name(f"{n}:0").dtype.name for n in "xy"]
    feeds = [columns[dtype] for dtype in dtypes]
    output = found.tf_graph.get_tensor_by_name(str(layer.output))
    want = found.session.run(output, dict(zip(("x:0", "y:0"), feeds)))
    tensors = [tf.constant(feed, dtype) for feed, dtype in zip(feeds, dtypes)]
    assert np.array_equal(L.HashedCrossing(**layer.attrs)(tensors), want)


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_buckets_are_those_of_keras(dtype: str) -> None:
    """Integers, a boundary in the upper interval, of numbers of every type that a layer reads as they are."""
    x = lambda: v1.placeholder(dtype, [None], "x")  # noqa: E731
    found = found_in(lambda: tf.raw_ops.Bucketize(input=x(), boundaries=[-1.0, 2.0]))
    (layer,) = found.layers
    assert layer.op == "Discretization"
    numbers = [-7, -1, 0, 2, 3]
    output = found.tf_graph.get_tensor_by_name(str(layer.output))
    want = found.session.run(output, {"x:0": numbers})
    got = L.Discretization(**layer.attrs)(tf.constant(numbers, dtype))
    assert want.dtype == got.numpy().dtype == "int32"
    assert got.numpy().tolist() == want.tolist() == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)
