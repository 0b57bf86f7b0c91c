"""Snappy blocks: literals, all three copies, and streams that lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphscope.errors import FormatError
from graphscope.read.checkpoint.snappy import decompress
from tests.read.tables import varint


def literal(data: bytes) -> bytes:
    size = len(data) - 1
    if size < 60:
        return bytes([size << 2]) + data
    width = (size.bit_length() + 7) // 8
    return bytes([(59 + width) << 2]) + size.to_bytes(width, "little") + data


def copy(size: int, offset: int) -> bytes:
    """The shortest of the three copies that fits."""
    if 4 <= size <= 11 and offset < 2048:
        return bytes([1 | (size - 4) << 2 | offset >> 8 << 5, offset & 255])
    kind, width = (2, 2) if offset < 1 << 16 else (3, 4)
    return bytes([kind | (size - 1) << 2]) + offset.to_bytes(width, "little")


@given(st.binary(max_size=70_000))
def test_literals(data: bytes) -> None:
    block = varint(len(data)) + (literal(data) if data else b"")
    assert decompress(block, 1 << 20, "x") == data


@pytest.mark.parametrize(
    "size, offset", [(4, 1), (11, 3), (64, 1), (60, 100), (5, 2000), (8, 70_000)]
)
def test_copies(size: int, offset: int) -> None:
    start = bytes(n * 7 % 256 for n in range(max(offset, 10)))
    out = bytearray(start)
    for _ in range(size):
        out.append(out[-offset])
    block = varint(len(out)) + literal(start) + copy(size, offset)
    assert decompress(block, 1 << 20, "x") == bytes(out)


@pytest.mark.parametrize(
    "block",
    [
        varint(5) + literal(b"abc"),
        varint(2) + literal(b"abc"),
        varint(8) + literal(b"abc") + copy(5, 4),
        varint(8) + literal(b"abc") + copy(5, 0),
        varint(1 << 40) + literal(b"abc"),
        varint(9) + b"\xf0\xff",
        b"\xff" * 12,
        b"",
    ],
)
def test_lies(block: bytes) -> None:
    with pytest.raises(FormatError):
        decompress(block, 1 << 20, "x")


def test_a_snappy_checkpoint_index(tmp_path) -> None:
    """The index of a real checkpoint, its blocks packed by hand, reads as before."""
    import tensorflow as tf

    from graphscope.read import load
    from graphscope.read.checkpoint.sstable import Table
    from graphscope.wire.source import open_source
    from tests.read.checkpoint.test_bundle import save
    from tests.read.tables import block, table

    save(tmp_path / "m", {"a": tf.constant([1.0, 2.0]), "b": tf.constant("text")})
    entries = [(e.key, e.value) for e in Table(open_source(str(tmp_path / "m.index")))]
    plain = block(entries)
    packed = varint(len(plain)) + b"".join(
        literal(plain[n : n + 100]) for n in range(0, len(plain), 100)
    )
    (tmp_path / "m.index").write_bytes(table([packed], kind=1))
    weights = load(tmp_path / "m").weights
    assert weights["a"].tolist() == [1.0, 2.0] and weights["b"].item() == b"text"
