"""Sparse and ragged inputs: what the proof feeds, and what becomes of products with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.read import load
from graphscope.render.keras import KerasReport
from graphscope.verify.feeds.sparse import places
from graphscope.verify.feeds.sparse_parts import sparse_feeds

v1 = tf.compat.v1
Build = Callable[[], Any]


def written(build: Build, folder: Path) -> Analysis:
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        v1.set_random_seed(0)
        out = tf.identity(build(), name="out")
        session.run(v1.global_variables_initializer())
        frozen = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), [out.op.name]
        )
    path = folder / "graph.pb"
    path.write_bytes(frozen.SerializeToString())
    return Analysis(load(str(path)), outputs=["out"])


def proved(build: Build, folder: Path) -> KerasReport:
    found = written(build, folder)
    report = found.write_keras(folder / "keras")
    proof = found.prove(folder / "keras")
    assert proof.passed and not proof.remarks, proof.remarks
    return report


def table(*shape: int) -> Any:
    values = np.random.default_rng(sum(shape)).normal(size=shape)
    return v1.get_variable("table", initializer=values.astype("float32"))


def named(name: str = "features", shape: Any = None) -> Any:
    return v1.sparse_placeholder(tf.float32, shape, name=name)


def product(**options: Any) -> Any:
    return v1.sparse_tensor_dense_matmul(named(), table(7, 4), **options)


@pytest.mark.parametrize(
    "build",
    [
        product,
        lambda: tf.nn.relu(product() + v1.get_variable("b", [4])),
        lambda: v1.sparse_tensor_dense_matmul(named(), table(4, 7), adjoint_b=True),
        lambda: v1.sparse_tensor_dense_matmul(named(shape=[9, 7]), table(7, 4)),
    ],
)
def test_a_product_with_a_sparse_placeholder_is_a_dense_layer_of_a_sparse_input(
    build: Build, tmp_path: Path
) -> None:
    report = proved(build, tmp_path)
    (given,) = report.source.program.inputs
    assert given.sparse and given.name == "features"
    assert "layers.Dense(4" in report.source.text
    assert not report.not_portable


def test_a_sparse_matrix_on_the_other_side_is_an_input_too(tmp_path: Path) -> None:
    def build() -> Any:
        x = v1.placeholder(tf.float32, [None, 7], name="x")
        h = tf.matmul(x, table(7, 4))
        return v1.sparse_tensor_dense_matmul(named("adj"), h)

    report = proved(build, tmp_path)
    assert {each.name: each.sparse for each in report.source.program.inputs} == {
        "adj": True,
        "x": False,
    }


def values_too() -> Any:
    x = named(shape=[9, 7])
    return v1.sparse_tensor_dense_matmul(x, table(7, 4)) * tf.reduce_sum(x.values)


def positive_only() -> Any:
    """``tf.sparse.retain`` by what the values are, not by chance."""
    x = named(shape=[9, 7])
    kept = tf.sparse.retain(x, x.values > 0.1)
    return v1.sparse_tensor_dense_matmul(kept, table(7, 4))


def scaled() -> Any:
    return v1.sparse_tensor_dense_matmul(named(shape=[9, 7]) * 2.0, table(7, 4))


@pytest.mark.parametrize("build", [values_too, positive_only, scaled])
def test_parts_that_something_else_reads_stay_three_inputs(
    build: Build, tmp_path: Path
) -> None:
    report = proved(build, tmp_path)
    assert not any(each.sparse for each in report.source.program.inputs)


def bag(**options: Any) -> Any:
    ids = v1.sparse_placeholder(tf.int64, name="ids")
    return tf.nn.embedding_lookup_sparse(table(7, 4), ids, None, **options)


def weighed() -> Any:
    ids = v1.sparse_placeholder(tf.int64, name="ids")
    weights = tf.SparseTensor(
        ids.indices, v1.placeholder(tf.float32, [None]), ids.dense_shape
    )
    return tf.nn.embedding_lookup_sparse(table(7, 4), ids, weights, combiner="sum")


def filled() -> Any:
    ids = v1.sparse_placeholder(tf.int64, [6, 5], name="ids")
    return v1.nn.safe_embedding_lookup_sparse(table(7, 4), ids, combiner="mean")


def ragged() -> Any:
    values = v1.placeholder(tf.int32, [None], name="values")
    splits = v1.placeholder(tf.int64, [None], name="splits")
    rows = tf.nn.embedding_lookup(table(7, 4), values)
    given = tf.RaggedTensor.from_row_splits(rows, splits, validate=False)
    return tf.reduce_sum(given.to_tensor(), axis=1)


@pytest.mark.parametrize(
    "build",
    [
        bag,
        lambda: bag(combiner="sum"),
        weighed,
        filled,
        lambda: tf.sparse.to_dense(named(shape=[4, 3])),
        lambda: tf.sparse.reduce_sum(tf.sparse.reorder(named(shape=[4, 3])), 1),
        ragged,
    ],
)
def test_what_reads_the_parts_is_proved_on_parts_that_fit(
    build: Build, tmp_path: Path
) -> None:
    proved(build, tmp_path)


def test_parts_are_found_by_the_arguments_that_they_are_given_to(
    tmp_path: Path,
) -> None:
    (found,), ragged_found = sparse_feeds(written(filled, tmp_path).model.graph)
    assert found.sizes == (6, 5) and found.is_filled and not ragged_found
    assert found.indices != found.values[0]


@pytest.mark.parametrize("sizes", [(1, 1), (5, 7), (3, 2, 4), (40, 10**9)])
@pytest.mark.parametrize("empty_rows", [False, True])
def test_places_are_in_order_inside_the_shape_and_in_every_row(
    sizes: tuple[int, ...], empty_rows: bool
) -> None:
    found = places(np.random.default_rng(0), sizes, empty_rows)
    assert found.shape == (len(found), len(sizes))
    assert (found >= 0).all() and (found < np.array(sizes)).all()
    assert found.tolist() == sorted(map(list, set(map(tuple, found.tolist()))))
    assert empty_rows or set(found[:, 0]) == set(range(sizes[0]))
