"""How far two arrays are apart, NaN, infinities, strings and shapes included."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.verify.differences import (
    Movement,
    describe,
    difference,
    elements,
)

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ([1.0, -4.0], [1.0, -4.0], (0, 0)),
        ([1.0, -4.0], [1.0, -3.0], (1, 0.25)),
        ([0.0, 0.0], [0.0, 0.0], (0, 0)),
        ([0.0, 0.0], [0.0, 1.0], (1, INF)),
        ([NAN, 2.0], [NAN, 2.0], (0, 0)),
        ([NAN, 2.0], [1.0, 2.0], (INF, INF)),
        ([1.0, 2.0], [NAN, 2.0], (INF, INF)),
        ([INF, 2.0], [INF, 2.0], (0, 0)),
        ([INF, 2.0], [-INF, 2.0], (INF, INF)),
        ([1.0], [1.0, 1.0], (INF, INF)),
        ([], [], (0, 0)),
        ([True, False], [True, True], (1, 1)),
        ([2**62], [2**62], (0, 0)),
        ([1 + 1j], [1 - 1j], (2, 2**0.5)),
    ],
    ids=str,
)
def test_difference(a, b, expected):
    assert difference(np.array(a), np.array(b)) == pytest.approx(expected)


def test_strings_are_equal_or_not():
    a = np.array([b"cat", b"dog"], object)
    assert difference(a, a.copy()) == (0, 0)
    assert difference(a, np.array([b"cat", b"cow"], object)) == (1, 1)


def test_a_row_says_what_is_not_finite():
    a = np.array([NAN, 1.0], "f")
    row = describe("x:0", "y:0", a, a, 1e-4)
    assert row["not_finite"] == 1 and row["passed"] and row["shape"] == [2]
    row = describe("x:0", "y:0", a, np.zeros(3, "f"), 1e-4)
    assert not row["passed"] and row["shape_b"] == [3]


def test_a_text_keeps_the_zeros_at_its_end() -> None:
    import tensorflow as tf

    for text in (b"a\0\0", tf.constant(b"a\0\0")):
        assert elements(text).item() == b"a\0\0"
    assert difference(elements(b"a\0"), elements(b"a"))[0] == 1
    assert elements(tf.constant([b"a\0", b""])).tolist() == [b"a\0", b""]


def test_texts_are_followed_at_any_rank() -> None:
    for first, second in ((b"a", b"b"), ([b"a"], [b"b"])):
        movement = Movement()
        for value in (first, first):
            movement.note(np.asarray(value, object))
        assert movement.is_none
        movement.note(np.asarray(second, object))
        assert not movement.is_none
