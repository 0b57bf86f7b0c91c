"""Tokens that were flattened to rows are a sequence again, but where rows themselves are needed."""

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


def analysed(build: Callable[[], Any], folder: Path) -> Analysis:
    with tf.Graph().as_default() as graph:
        tf.identity(build(), "result")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return Analysis(load(str(path)), outputs=["result"])


def ending_at(build: Callable[[], Any], folder: Path) -> Analysis:
    """The same where the output is the last op itself, as in a graph that was frozen at it."""
    with tf.Graph().as_default() as graph:
        name = build().op.name
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return Analysis(load(str(path)), outputs=[name])


def kernel(rows: int, columns: int) -> Any:
    return tf.constant(RNG.normal(size=(rows, columns)).astype("f"))


def sizes(x: Any) -> list[Any]:
    return [d or tf.shape(x)[i] for i, d in enumerate(x.shape)]


def flat(length: int | None, width: int = 4) -> tuple[Any, Any]:
    x = v1.placeholder(tf.float32, [None, length, width], "x")
    return x, tf.reshape(x, [-1, width])


def there_and_back(length: int | None) -> Any:
    x, rows = flat(length)
    made = tf.nn.relu(tf.matmul(rows, kernel(4, 4))) + rows
    return tf.reshape(made, sizes(x))


def shapes(found: Analysis) -> list[str]:
    return [n for n in found.layer_graph if found.layer_graph.op(n) == "Reshape"]


def proved(found: Analysis, folder: Path) -> bool:
    found.write_keras(folder / "keras")
    return found.prove(folder / "keras").passed


def test_an_output_that_is_a_reshape_back_to_a_sequence_is_kept(
    tmp_path: Path,
) -> None:
    """GPT-2's logits, BERT's sequence of vectors: the reshape goes, the tensor that it was is the output."""
    for length in (3, None):
        found = ending_at(lambda: there_and_back(length), tmp_path)
        assert [layer.op for layer in found.layers] == ["Dense", "Add"]
        assert not shapes(found)
        assert proved(found, tmp_path)


def test_an_output_on_rows_is_kept_beside_one_on_sequences(tmp_path: Path) -> None:
    """``rows`` is an output itself, and read by what is lifted."""
    with tf.Graph().as_default() as graph:
        x, rows = flat(3)
        rows = tf.nn.relu(tf.matmul(rows, kernel(4, 4)), name="rows")
        tf.reshape(tf.matmul(rows, kernel(4, 4)), sizes(x), name="back")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    found = Analysis(load(str(path)), outputs=["rows", "back"])
    assert proved(found, tmp_path)


def test_rows_between_two_reshapes_are_lifted(tmp_path: Path) -> None:
    for length in (3, None):
        found = analysed(lambda: there_and_back(length), tmp_path)
        assert not shapes(found)
        assert proved(found, tmp_path)


def test_rows_that_meet_other_axes_stay(tmp_path: Path) -> None:
    def across() -> Any:
        x, rows = flat(3)
        made = tf.matmul(rows, kernel(4, 4))
        return tf.reduce_max(made, axis=0)  # over all tokens of all examples

    found = analysed(across, tmp_path)
    assert len(shapes(found)) == 1
    assert proved(found, tmp_path)


def test_rows_cut_in_other_places_stay(tmp_path: Path) -> None:
    def recut() -> Any:
        x, rows = flat(6)
        made = tf.nn.relu(tf.matmul(rows, kernel(4, 4)))
        return tf.reshape(made, [-1, 3, 4])

    found = analysed(recut, tmp_path)
    assert len(shapes(found)) == 2
    assert proved(found, tmp_path)
