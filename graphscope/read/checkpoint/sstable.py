"""LevelDB's sorted string table, as TensorFlow writes it: the container of both checkpoint formats.

A file is blocks (each: entries, restarts, one byte of compression type, a masked CRC32C) and a footer of 48 bytes
that names the index block. Source: tensorflow/core/lib/io/table_format.txt, format.cc, block.cc.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...errors import FormatError
from ...wire.protobuf import read_varint
from ...wire.source import Source
from ..weights.crc32c import crc32c, unmasked
from .snappy import decompress

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5
MOST_BLOCKS_BYTES = 1 << 31
SNAPPY = 1
LARGE = 1 << 16  # blocks above this size need not be read to be walked
MOST_SHARING = (
    32  # writers restart after 16 keys, so keys are at most 16 times what is stored
)


class Entry(NamedTuple):
    """One key and where its value lies: at ``start`` of ``data``, which begins at byte ``base`` of the file.

    ``base`` is None where the block was compressed; ``handle`` is the block's own place.
    """

    key: bytes
    data: Any
    start: int
    length: int
    base: int | None
    handle: tuple[int, int]

    @property
    def value(self) -> bytes:
        return bytes(self.data[self.start : self.start + self.length])


def is_table(source: Source) -> bool:
    """Whether the file ends in a table's footer."""
    if source.size < FOOTER:
        return False
    return bool(source[source.size - 8 : source.size] == MAGIC.to_bytes(8, "little"))


class Table:
    """The blocks of one table, read when asked for; each block's CRC32C is checked when it is read.

    With ``lazy``, large uncompressed blocks are walked where they lie, from key to key: whoever reads a value there
    asks ``verify`` for the checksum of its block.
    """

    def __init__(self, source: Source, lazy: bool = False) -> None:
        self.source, self.lazy = source, lazy
        if not is_table(source):
            raise FormatError(
                f"{source.name}: no table footer at its end: it is truncated or of another kind"
            )
        footer = source.read(source.size - FOOTER, FOOTER, "the footer")
        _, place = self._handle(footer, 0)
        index, _ = self._handle(footer, place)
        self.handles = [
            self._handle(entry.value, 0)[0] for entry in self._entries(*index)
        ]
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

    def verify(self, offset: int, size: int) -> None:
        """Raise FormatError where a block does not match its CRC32C; the block is read, but not kept."""
        self._trailer(offset, size)
        state, step = 0, 1 << 24
        for start in range(offset, offset + size + 1, step):
            stop = min(start + step, offset + size + 1)
            state = crc32c(self.source[start:stop], state)
        self._compare(state, self.source.read(offset + size + 1, 4), offset)

    def _compare(self, computed: int, stored: bytes, offset: int) -> None:
        if computed != unmasked(int.from_bytes(stored, "little")):
            raise FormatError(
                f"{self.source.name}: the block at {offset} does not match its CRC32C: "
                "the file is damaged, copy it again"
            )

    def _trailer(self, offset: int, size: int) -> int:
        """How the block is compressed."""
        self.source.check(offset, size + TRAILER, f"the block at {offset}")
        kind = self.source[offset + size]
        if kind not in (0, SNAPPY):
            raise FormatError(
                f"{self.source.name}: the block at {offset} is compressed by method {kind}; "
                "0 (none) and 1 (snappy) are known: the file is damaged"
            )
        return int(kind)

    def _entries(self, offset: int, size: int) -> Iterator[Entry]:
        kind = self._trailer(offset, size)
        if self.lazy and kind == 0 and size > LARGE:
            return self._walk(self.source.buffer, offset, size, 0, (offset, size))
        whole = self.source.read(offset, size + TRAILER)
        self._compare(crc32c(memoryview(whole)[:-4]), whole[-4:], offset)
        data = whole[:size]
        if kind == SNAPPY:
            where = f"{self.source.name}: the block at {offset}"
            data = decompress(data, MOST_BLOCKS_BYTES, where)
        base = offset if kind == 0 else None
        return self._walk(data, 0, len(data), base, (offset, size))

    def _walk(
        self,
        data: Any,
        start: int,
        size: int,
        base: int | None,
        handle: tuple[int, int],
    ) -> Iterator[Entry]:
        what = f"{self.source.name}: the block at {handle[0]}"
        if size < 4:
            raise FormatError(f"{what} is too short to be one")
        (restarts,) = struct.unpack("<I", data[start + size - 4 : start + size])
        end = start + size - 4 - 4 * restarts
        if end < start:
            raise FormatError(f"{what} has more restart points than bytes")
        place, key, room = start, b"", MOST_SHARING * size
        while place < end:
            shared, fresh, length = data[place : place + 3].ljust(3, b"\x80")
            place += 3
            if shared | fresh | length > 127:
                shared, after = read_varint(data, place - 3, what)
                fresh, after = read_varint(data, after, what)
                length, place = read_varint(data, after, what)
            if shared > len(key) or place + fresh + length > end:
                raise FormatError(
                    f"{what} has an entry at {place} that is longer than the block: it is damaged"
                )
            key = key[:shared] + data[place : place + fresh]
            place += fresh
            room -= len(key)
            if room < 0:
                raise FormatError(f"{what} unfolds to keys far longer than itself")
            yield Entry(key, data, place, length, base, handle)
            place += length
