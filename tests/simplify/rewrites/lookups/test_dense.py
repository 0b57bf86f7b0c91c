"""Feature columns of dense features: rows looked up by the dense tensor, nothing sparse left, equal to TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse

v1, fc = tf.compat.v1, tf.feature_column
IDENTITY = fc.categorical_column_with_identity("x", 12, default_value=0)
HASHED = fc.categorical_column_with_hash_bucket("x", 20)
WORDS = fc.categorical_column_with_vocabulary_list("x", ["a", "b", "c"], None, -1, 1)
DEEP, WIDE = v1.feature_column.input_layer, v1.feature_column.linear_model
COLUMNS: dict[str, tuple[Callable[..., Any], Any, Any, int]] = {
    "one number": (DEEP, fc.embedding_column(IDENTITY, 4), tf.int64, 1),
    "mean": (DEEP, fc.embedding_column(IDENTITY, 4), tf.int64, 3),
    "sum": (DEEP, fc.embedding_column(IDENTITY, 4, "sum"), tf.int64, 3),
    "sqrtn": (DEEP, fc.embedding_column(IDENTITY, 4, "sqrtn"), tf.int64, 3),
    "strings": (DEEP, fc.embedding_column(HASHED, 4), tf.string, 1),
    "words": (DEEP, fc.embedding_column(WORDS, 4), tf.string, 2),
    "indicator": (DEEP, fc.indicator_column(WORDS), tf.string, 1),
    "linear": (WIDE, IDENTITY, tf.int64, 1),
    "linear sum": (WIDE, IDENTITY, tf.int64, 3),
    "linear strings": (WIDE, HASHED, tf.string, 2),
}
SPARSE = ("Where", "Sparse", "Unique", "Segment")


def write(folder: Path, model: Callable[[Any], Any], dtype: Any, length: int) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(dtype, [None, length], name="x")
        y = tf.identity(model(x), name="y")
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        rng = np.random.default_rng(0)
        for variable in v1.global_variables():
            value = rng.normal(size=variable.shape).astype("f")
            session.run(v1.assign(variable, value))
        tables = v1.tables_initializer()
        v1.saved_model.simple_save(session, str(folder), {"x": x}, {"y": y}, tables)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_looked_up_by_its_dense_feature(name: str, tmp_path: Path) -> None:
    build, column, dtype, length = COLUMNS[name]
    write(tmp_path / "saved", lambda x: build({"x": x}, [column]), dtype, length)
    analysis = analyse(tmp_path / "saved")
    report = analysis.write_keras(tmp_path / "keras")
    assert analysis.prove(tmp_path / "keras").passed
    reasons = " ".join(report.not_portable.values())
    assert not any(word in reasons for word in SPARSE), reasons
    assert report.in_layers >= report.parameters - 1  # all but a linear model's bias
    if name != "indicator":
        assert "Embedding" in [layer.op for layer in analysis.layers]


def test_missing_numbers_count_for_nothing(tmp_path: Path) -> None:
    """An example with some, one with all numbers missing: -1 is no row, and a mean of none is 0."""
    build, column, dtype, length = COLUMNS["mean"]
    write(tmp_path / "saved", lambda x: build({"x": x}, [column]), dtype, length)
    analyse(tmp_path / "saved").write_keras(tmp_path / "keras")
    from graphscope.verify.run.keras_source import run_source

    x = np.array([[3, -1, 5], [-1, -1, -1], [0, 0, 11]], np.int64)
    serving = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"]
    expected = serving(x=tf.constant(x))["y"]
    result = run_source(tmp_path / "keras")(x)
    np.testing.assert_allclose(result, expected, 1e-6, 1e-6)
    assert not np.any(result[1])


def _other_mask(x: Any) -> Any:
    """The places of one mask and the elements of another: no dense tensor stands behind it."""
    table = v1.get_variable("table", [12, 4])
    at, values = tf.where(x > 1), tf.gather_nd(x, tf.where(x >= 1))
    values = values[: tf.shape(at)[0]]
    ids = tf.SparseTensor(at, values, tf.shape(x, out_type=tf.int64))
    return v1.nn.safe_embedding_lookup_sparse(table, ids, combiner="sum")


def _other_shape(x: Any) -> Any:
    """Three numbers of one example as one number each of three."""
    table = v1.get_variable("table", [12, 4])
    at = tf.where(x >= 0)
    sparse = tf.SparseTensor(at, tf.gather_nd(x, at), tf.shape(x, out_type=tf.int64))
    ids = tf.sparse.reshape(sparse, [-1, 1])
    return v1.nn.safe_embedding_lookup_sparse(table, ids, combiner="sum")


@pytest.mark.parametrize("model", [_other_mask, _other_shape])
def test_what_is_not_dense_stays_sparse(
    model: Callable[[Any], Any], tmp_path: Path
) -> None:
    write(tmp_path / "saved", model, tf.int64, 3)
    analysis = analyse(tmp_path / "saved")
    report = analysis.write_keras(tmp_path / "keras")
    assert "SparseFillEmptyRows" in " ".join(report.not_portable.values())
