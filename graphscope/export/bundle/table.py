"""Entries -> a sorted string table, as ``read/checkpoint/sstable.py`` reads it: uncompressed blocks, an index, a footer.

Source: tensorflow/core/lib/io/table_builder.cc, block_builder.cc.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from ...read.checkpoint.sstable import FOOTER, MAGIC
from ...read.weights.crc32c import crc32c, masked
from ...wire.messages import varint

BLOCK = 1 << 16  # bytes of entries after which a block ends
NO_COMPRESSION = b"\0"
Handle = tuple[int, int]


def write_table(file: Any, entries: Iterable[tuple[bytes, bytes]]) -> None:
    """Write entries, sorted by key, to a binary file that is at its beginning."""
    handles: list[tuple[bytes, Handle]] = []
    rows: list[tuple[bytes, bytes]] = []
    size = 0
    for key, value in sorted(entries):
        rows.append((key, value))
        size += len(key) + len(value)
        if size > BLOCK:
            handles.append((key, _put(file, rows)))
            rows, size = [], 0
    if rows:
        handles.append((rows[-1][0], _put(file, rows)))
    meta = _put(file, [])
    index = _put(file, [(key, _coded(handle)) for key, handle in handles])
    places = _coded(meta) + _coded(index)
    file.write(places.ljust(FOOTER - 8, b"\0") + struct.pack("<Q", MAGIC))


def _put(file: Any, rows: Iterable[tuple[bytes, bytes]]) -> Handle:
    """Write one block; where it lies. Keys share no prefixes, so one restart point is all there is."""
    body = bytearray()
    for key, value in rows:
        body += varint(0) + varint(len(key)) + varint(len(value)) + key + value
    body += struct.pack("<II", 0, 1)
    place = file.tell()
    file.write(body + NO_COMPRESSION)
    file.write(struct.pack("<I", masked(crc32c(bytes(body) + NO_COMPRESSION))))
    return place, len(body)


def _coded(handle: Handle) -> bytes:
    return b"".join(map(varint, handle))
