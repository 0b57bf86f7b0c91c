"""Slices: their keys as TensorFlow's OrderedCode writes them, their text, their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphscope.errors import FormatError
from graphscope.read.weights.partitions import (
    FULL,
    parse_slice,
    resolved,
    slice_key,
    slice_text,
)


def test_keys_as_tensorflow_writes_them() -> None:
    """From the source of ordered_code_test.cc and a table that TensorFlow wrote (see test_bundle for the rest)."""
    assert slice_key("w", ((0, FULL),)) == b"\0w\0\1\1\1\x80\x7f"
    assert slice_key("a\0\xff", ()).startswith(b"\0a\0\xff")
    big = slice_key("", ((64, 8192),))
    assert big == b"\0\0\1\1\1" + b"\xc0\x40" + b"\xe0\x20\x00"


@given(st.integers(0, 1 << 62), st.integers(0, 1 << 62))
def test_the_order_of_keys_is_the_order_of_numbers(a: int, b: int) -> None:
    keys = slice_key("w", ((a, 1),)), slice_key("w", ((b, 1),))
    assert (a < b) == (keys[0] < keys[1])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1))
def test_text_there_and_back(cuts: list) -> None:
    shape = tuple(start + length for start, length in cuts)
    assert parse_slice(slice_text(shape, tuple(cuts))) == (shape, tuple(cuts))


@pytest.mark.parametrize("text", ["", "-", "4 -:-", "4 0", "4 3,2", "x -", "4 -1,2"])
def test_what_is_no_slice(text: str) -> None:
    assert parse_slice(text) is None


def test_slices_that_leave_their_shape() -> None:
    assert resolved(((1, 2), (0, FULL)), (4, 5), "w") == ((1, 2), (0, 5))
    for extents in (((3, 2),), ((-1, 1),), ((0, 1), (0, 1))):
        with pytest.raises(FormatError):
            resolved(extents, (4,), "w")
