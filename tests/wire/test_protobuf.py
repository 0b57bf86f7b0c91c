"""Large messages read without their tensors' bytes: what is wrong in one is told by the place where it stands."""

from __future__ import annotations

import pytest

from graphscope.errors import FormatError
from graphscope.wire.messages import field
from graphscope.wire.protobuf import KEPT, SMALL, parse_lean
from graphscope.wire.source import Source

NODE = field(1, field(1, b"x") + field(2, b"Placeholder"))
BEFORE = NODE * (SMALL // len(NODE) + 1)  # above what is parsed as it is


def parsed(tail: bytes) -> int:
    return len(parse_lean("GraphDef", Source("m.pb", BEFORE + tail)).node)


def test_fields_of_any_length_are_read() -> None:
    count = len(BEFORE) // len(NODE)
    long_name = field(1, field(1, b"n" * (KEPT + 1)))
    middle = field(1, field(1, b"n" * 200))

    assert parsed(b"") == count
    assert parsed(NODE + middle + long_name) == count + 3


@pytest.mark.parametrize(
    "tail",
    [b"\x02\x01a", b"\x00\x01", b"\x03\x01a"],
    ids=["short text", "number", "group"],
)
def test_a_field_of_number_0_is_refused_where_it_stands(tail: bytes) -> None:
    with pytest.raises(FormatError, match=f"field 0 at byte {len(BEFORE)} "):
        parsed(tail)


@pytest.mark.parametrize("length", [5, 200, KEPT + 1])
def test_a_field_that_ends_behind_its_message_is_refused(length: int) -> None:
    cut = field(1, b"n" * length)[:-1]
    with pytest.raises(
        FormatError, match=f"field 1 at byte {len(BEFORE)} .*truncated or damaged"
    ):
        parsed(cut)
