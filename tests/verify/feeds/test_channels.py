"""Other lengths are drawn while an output is the same for every input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.verify import compare
from graphscope.verify.feeds.channels import LENGTHS, size_rounds
from graphscope.verify.feeds.draw import Port

v1 = tf.compat.v1
TABLE = np.array([[1, 5], [-2, 3], [4, -1], [0, 2]], "f")


def write(path: Path, scale: float = 1.0, is_steady: bool = False) -> str:
    """The largest of each number that the words of a text stand for."""
    with tf.Graph().as_default() as graph:
        words = v1.placeholder(tf.int32, [None, None], name="words")
        vectors = tf.gather(TABLE, words)
        pooled = tf.reduce_max(vectors * (0.0 if is_steady else 1.0), 1)
        tf.where(pooled < 2.5, pooled * scale, pooled, name="y")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return str(path)


def test_what_is_pooled_over_all_words_is_drawn_of_few(tmp_path: Path) -> None:
    """32 words of 4 have each of them: only a shorter text tells that its maximum hangs on them."""
    a, b = write(tmp_path / "a.pb"), write(tmp_path / "b.pb")
    proof = compare(a, b)
    assert proof.passed and not any("constant" in row for row in proof.outputs)


def test_a_difference_that_few_words_show_is_seen(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.pb"), write(tmp_path / "b.pb", scale=1.5)
    assert compare(a, b).verdict == "different"


def test_what_never_changes_proves_nothing_still(tmp_path: Path) -> None:
    a, b = (write(tmp_path / name, is_steady=True) for name in ("a.pb", "b.pb"))
    proof = compare(a, b)
    assert not proof.passed and proof.outputs[0]["constant"]
    assert len(proof.drawn) >= len(LENGTHS)


@pytest.mark.parametrize(
    "shape, is_constant, expected",
    [
        ((None, None), True, len(LENGTHS)),
        ((None, None), False, 0),
        ((None, 8), True, 0),
    ],
)
def test_lengths_are_drawn_where_they_are_open(
    shape: Any, is_constant: bool, expected: int
) -> None:
    ports = {"x": Port("x", "int32", shape)}
    assert len([*size_rounds(None, ports, lambda: is_constant)]) == expected
