"""Feature columns of serialized examples: ids are spread and looked up as dense ones, equal to TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.analysis.results import Analysis

v1, fc = tf.compat.v1, tf.feature_column
NUMBER = fc.numeric_column("n", shape=(2,))
BUCKETS = fc.bucketized_column(NUMBER, [-1.0, 0.0, 2.0])
WORDS = fc.categorical_column_with_vocabulary_list("w", ["a", "b", "c"])
HASHED = fc.categorical_column_with_hash_bucket("h", 20)
IDS = fc.categorical_column_with_identity("i", 9, default_value=8)
CROSS = fc.crossed_column(["w", "h"], 50)
SMALL, LARGE = (
    fc.bucketized_column(fc.numeric_column(name), [-1.0, 1.0]) for name in "sl"
)
DEEP, WIDE = v1.feature_column.input_layer, v1.feature_column.linear_model
COLUMNS: dict[str, tuple[Callable[..., Any], Any]] = {
    "words, mean": (DEEP, fc.embedding_column(WORDS, 4)),
    "hashed, sqrtn": (DEEP, fc.embedding_column(HASHED, 4, "sqrtn")),
    "identity": (WIDE, IDS),
    "buckets of two numbers": (WIDE, BUCKETS),
    "crossed": (WIDE, CROSS),
}
SPARSE = {"Where", "SparseReshape", "SparseFillEmptyRows", "Unique"}


def write(folder: Path, model: Callable[[Any], Any], columns: Any) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        serialized = v1.placeholder(tf.string, [None], "serialized")
        spec = fc.make_parse_example_spec(columns)
        y = tf.identity(model(v1.io.parse_example(serialized, spec)), name="y")
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        rng = np.random.default_rng(0)
        for variable in v1.global_variables():
            variable.load(rng.normal(size=variable.shape).astype("f"), session)
        ends = {"x": serialized}, {"y": y}
        tables = v1.tables_initializer()
        v1.saved_model.simple_save(session, str(folder), *ends, tables)


@pytest.mark.parametrize(
    "keys, settings, is_crossing",
    [
        ([SMALL, LARGE], {}, True),
        ([SMALL, LARGE], {"hash_key": 5}, False),
        ([SMALL, LARGE, BUCKETS], {}, False),
        ([SMALL, BUCKETS], {}, False),
    ],
    ids=["two columns", "another key", "three", "wide"],
)
def test_buckets_are_crossed_by_keras_where_it_can(
    keys: Any, settings: Any, is_crossing: bool, tmp_path: Path
) -> None:
    cross = fc.crossed_column(keys, 40, **settings)
    write(tmp_path / "saved", lambda parsed: WIDE(parsed, [cross]), keys)
    analysis = analyse(tmp_path / "saved")
    analysis.write_keras(tmp_path / "keras")
    layers = [layer.op for layer in analysis.layers]
    assert ("HashedCrossing" in layers) is is_crossing
    assert "Embedding" in layers and not SPARSE & ops_of(analysis)
    assert analysis.prove(tmp_path / "keras").passed


def ops_of(analysis: Analysis) -> set[str]:
    graph = analysis.layer_graph
    return {graph.op(name) for name in graph}


def examples() -> np.ndarray:
    """One word, several with an empty one, none at all; -1 is no row."""
    words: list[list[bytes]] = [[b"a"], [b"c", b"", b"a"], []]
    ids: list[list[int]] = [[3], [], [8, 100, -1]]
    rows = []
    for w, i, n in zip(words, ids, ([-2.0, 0.5], [0.0, 2.0], [9.0, -1.0])):
        text = tf.train.Feature(bytes_list=tf.train.BytesList(value=w))
        number = tf.train.Feature(int64_list=tf.train.Int64List(value=i))
        floats = tf.train.Feature(float_list=tf.train.FloatList(value=n))
        feature = {"w": text, "h": text, "i": number, "n": floats}
        features = tf.train.Features(feature=feature)
        rows.append(tf.train.Example(features=features).SerializeToString())
    return np.array(rows, object)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_serialized_examples_is_dense(name: str, tmp_path: Path) -> None:
    from graphscope.verify.run.keras_source import run_source

    build, column = COLUMNS[name]
    write(tmp_path / "saved", lambda parsed: build(parsed, [column]), [column])
    analysis = analyse(tmp_path / "saved")
    report = analysis.write_keras(tmp_path / "keras")
    assert not SPARSE & ops_of(analysis)
    assert "Embedding" in [layer.op for layer in analysis.layers]
    assert report.in_layers >= report.parameters - 1  # all but a linear model's bias
    serving = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"]
    expected = serving(x=tf.constant(examples()))["y"]
    result = run_source(tmp_path / "keras")(examples())
    np.testing.assert_allclose(result, expected, 1e-6, 1e-6)


def looked_up(indices: Any, values: Any, shape: Any) -> Any:
    table = v1.get_variable("table", [9, 4])
    ids = tf.SparseTensor(indices, values, shape)
    return v1.nn.safe_embedding_lookup_sparse(table, ids, combiner="sum")


def _of_two_sparse_tensors(parsed: Any) -> Any:
    """The places of one and the values of another one."""
    i, j = parsed["i"], parsed["j"]
    return looked_up(i.indices, j.values, i.dense_shape)


def _turned(parsed: Any) -> Any:
    """All ids of all examples, one for each row."""
    ids = tf.sparse.reshape(parsed["i"], [-1, 1])
    return looked_up(ids.indices, ids.values, ids.dense_shape)


def _of_twice_the_examples(parsed: Any) -> Any:
    ids = parsed["i"]
    return looked_up(ids.indices, ids.values, ids.dense_shape * 2)


@pytest.mark.parametrize(
    "model", [_of_two_sparse_tensors, _turned, _of_twice_the_examples]
)
def test_what_is_another_matrix_stays_sparse(
    model: Callable[[Any], Any], tmp_path: Path
) -> None:
    columns = [fc.categorical_column_with_identity(name, 9) for name in "ij"]
    write(tmp_path / "saved", model, columns)
    assert "SparseFillEmptyRows" in ops_of(analyse(tmp_path / "saved"))


def _buckets_in_columns(parsed: Any) -> Any:
    """The places of a matrix column by column, its buckets row by row."""
    buckets = tf.raw_ops.Bucketize(input=parsed["n"], boundaries=[0.0])
    n = tf.shape(buckets)[0]
    example = tf.reshape(tf.tile(tf.expand_dims(tf.range(n), 1), [1, 2]), [-1])
    column = tf.tile(tf.range(2), [n])
    at = tf.cast(tf.transpose(tf.stack([column, example])), tf.int64)
    shape = tf.cast(tf.stack([2, n]), tf.int64)
    return looked_up(at, tf.reshape(buckets, [-1]), shape)


def test_buckets_elsewhere_stay_sparse(tmp_path: Path) -> None:
    write(tmp_path / "saved", _buckets_in_columns, [NUMBER])
    assert "SparseFillEmptyRows" in ops_of(analyse(tmp_path / "saved"))
