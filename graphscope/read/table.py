"""LevelDB's sorted string table, as TensorFlow writes it: the container of both checkpoint formats.

A file is blocks (each: entries, restarts, one byte of compression type, a masked CRC32C) and a footer of 48 bytes
that names the index block. Source: tensorflow/core/lib/io/table_format.txt, format.cc, block.cc.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import FormatError
from .crc32c import crc32c, unmasked
from .snappy import decompress
from .source import Source
from .varint import read_varint

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5
MOST_BLOCKS_BYTES = 1 << 31
SNAPPY = 1
MOST_SHARING = (
    32  # writers restart after 16 keys, so keys are at most 16 times what is stored
)


@dataclass(frozen=True)
class Entry:
    """One key and where its value lies: in ``block``, which starts at ``base`` of the file (None: was compressed)."""

    key: bytes
    block: bytes
    start: int
    length: int
    base: int | None

    @property
    def value(self) -> bytes:
        return self.block[self.start : self.start + self.length]


def is_table(source: Source) -> bool:
    """Whether the file ends in a table's footer."""
    if source.size < FOOTER:
        return False
    return bool(source[source.size - 8 : source.size] == MAGIC.to_bytes(8, "little"))


class Table:
    """The blocks of one table, read when asked for; each block's CRC32C is checked when it is read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        if not is_table(source):
            raise FormatError(
                f"{source.name}: no table footer at its end: it is truncated or of another kind"
            )
        footer = source.read(source.size - FOOTER, FOOTER, "the footer")
        _, place = self._handle(footer, 0)
        index, _ = self._handle(footer, place)
        self.handles: list[tuple[int, int]] = []
        for entry in self._entries(*index):
            handle, _ = self._handle(entry.value, 0)
            self.handles.append(handle)
        if sum(size for _, size in self.handles) > source.size:
            raise FormatError(
                f"{source.name}: its blocks overlap: the table is damaged"
            )

    def __iter__(self) -> Iterator[Entry]:
        """All entries of all blocks, in key order."""
        for handle in self.handles:
            yield from self._entries(*handle)

    def _handle(self, data: bytes, place: int) -> tuple[tuple[int, int], int]:
        what = f"{self.source.name}: a block handle"
        offset, place = read_varint(data, place, what)
        size, place = read_varint(data, place, what)
        return (offset, size), place

    def _block(self, offset: int, size: int) -> tuple[bytes, int | None]:
        what = f"the block at {offset}"
        whole = self.source.read(offset, size + TRAILER, what)
        (stored,) = struct.unpack("<I", whole[-4:])
        if crc32c(memoryview(whole)[:-4]) != unmasked(stored):
            raise FormatError(
                f"{self.source.name}: {what} does not match its CRC32C: the file is damaged, copy it again"
            )
        kind = whole[-TRAILER]
        if kind == 0:
            return whole[:-TRAILER], offset
        if kind == SNAPPY:
            where = f"{self.source.name}: {what}"
            return decompress(whole[:-TRAILER], MOST_BLOCKS_BYTES, where), None
        raise FormatError(
            f"{self.source.name}: {what} is compressed by method {kind}; 0 (none) and 1 (snappy) are known"
        )

    def _entries(self, offset: int, size: int) -> Iterator[Entry]:
        block, base = self._block(offset, size)
        what = f"{self.source.name}: the block at {offset}"
        if len(block) < 4:
            raise FormatError(f"{what} is too short to be one")
        (restarts,) = struct.unpack("<I", block[-4:])
        end = len(block) - 4 - 4 * restarts
        if end < 0:
            raise FormatError(f"{what} has more restart points than bytes")
        place, key, room = 0, b"", MOST_SHARING * len(block)
        while place < end:
            shared, fresh, length = block[place : place + 3].ljust(3, b"\x80")
            place += 3
            if shared | fresh | length > 127:
                shared, after = read_varint(block, place - 3, what)
                fresh, after = read_varint(block, after, what)
                length, place = read_varint(block, after, what)
            if shared > len(key) or place + fresh + length > end:
                raise FormatError(
                    f"{what} has an entry at {place} that is longer than the block: it is damaged"
                )
            key = key[:shared] + block[place : place + fresh]
            place += fresh
            room -= len(key)
            if room < 0:
                raise FormatError(f"{what} unfolds to keys far longer than itself")
            yield Entry(key, block, place, length, base)
            place += length
