"""Tables: prefix compression and several blocks, read and walked lazily."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from graphscope.errors import FormatError
from graphscope.read.checkpoint.sstable import Table, is_table
from graphscope.wire.source import open_source
from tests.read.tables import block, table, varint


def shared(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A block with prefix compression throughout."""
    body, before = b"", b""
    for key, value in entries:
        same = 0
        while same < min(len(key), len(before)) and key[same] == before[same]:
            same += 1
        fresh = key[same:]
        body += varint(same) + varint(len(fresh)) + varint(len(value)) + fresh + value
        before = key
    return body + struct.pack("<II", 0, 1)


ENTRIES = [(b"a/%06d" % n, b"v" * n) for n in range(300)]


@pytest.mark.parametrize("lazy", [False, True])
def test_blocks_with_shared_prefixes(lazy: bool, tmp_path: Path) -> None:
    path = tmp_path / "t"
    big = [(b"z", b"x" * 100_000), (b"zz", b"end")]
    path.write_bytes(table([shared(ENTRIES[:150]), shared(ENTRIES[150:]), block(big)]))
    source = open_source(str(path))
    assert is_table(source)
    found = Table(source, lazy=lazy)
    assert [(e.key, e.value) for e in found] == ENTRIES + big
    for entry in found:
        if entry.base is not None:
            start = entry.base + entry.start
            assert source[start : start + entry.length] == entry.value


def test_a_lazy_block_is_verified_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "t"
    data = bytearray(table([block([(b"z", b"x" * 100_000)])]))
    data[50_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match="CRC32C"):
        list(Table(open_source(str(path))))
    lazy = Table(open_source(str(path)), lazy=True)
    (entry,) = lazy
    with pytest.raises(FormatError, match="CRC32C"):
        lazy.verify(*entry.handle)


def test_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"x" * 100)
    assert not is_table(open_source(str(path)))
    with pytest.raises(FormatError, match="no table footer"):
        Table(open_source(str(path)))
