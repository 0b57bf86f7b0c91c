"""Writes LevelDB tables, for tests that need odd or broken ones."""

from __future__ import annotations

import struct
from pathlib import Path

from graphscope.read.checkpoint.sstable import MAGIC
from graphscope.read.weights.crc32c import crc32c, masked


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """Entries without prefix compression, one restart point."""
    body = b"".join(
        varint(0) + varint(len(key)) + varint(len(value)) + key + value
        for key, value in entries
    )
    return body + struct.pack("<II", 0, 1)


def sealed(data: bytes, kind: int = 0) -> bytes:
    whole = data + bytes([kind])
    return whole + struct.pack("<I", masked(crc32c(whole)))


def table(
    blocks: list[bytes], kind: int = 0, handles: list[bytes] | None = None
) -> bytes:
    """A table of some ready data blocks, each stored as compression ``kind``."""
    out, index = b"", []
    for number, data in enumerate(blocks):
        handle = varint(len(out)) + varint(len(data))
        index.append((b"%08d" % number, handles[number] if handles else handle))
        out += sealed(data, kind)
    at, data = len(out), block(index)
    out += sealed(data)
    footer = varint(0) + varint(0) + varint(at) + varint(len(data))
    return out + footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def write_table(path: Path, entries: list[tuple[bytes, bytes]]) -> None:
    path.write_bytes(table([block(entries)]))
