"""FlatBuffers, read where they lie: every offset is checked, nothing is copied but what is asked for.

Source: flatbuffers.dev, "FlatBuffer Internals".
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from ...errors import FormatError
from ...wire.source import Source

SCALARS = {
    "i8": struct.Struct("<b"),
    "u8": struct.Struct("<B"),
    "i16": struct.Struct("<h"),
    "u16": struct.Struct("<H"),
    "i32": struct.Struct("<i"),
    "u32": struct.Struct("<I"),
    "i64": struct.Struct("<q"),
    "u64": struct.Struct("<Q"),
    "f32": struct.Struct("<f"),
    "bool": struct.Struct("<?"),
}


class Table(NamedTuple):
    """One table: where it starts in a file. Fields are read by their place in the schema."""

    source: Source
    start: int

    def _read(self, kind: str, place: int) -> Any:
        form = SCALARS[kind]
        if not 0 <= place <= self.source.size - form.size:
            raise FormatError(
                f"{self.source.name}: an offset leads to byte {place} of {self.source.size}: "
                "the file is truncated or damaged"
            )
        return form.unpack(self.source[place : place + form.size])[0]

    def _field(self, number: int) -> int | None:
        """Where a field's value lies; None where the table leaves it out."""
        vtable = self.start - self._read("i32", self.start)
        if 4 + 2 * number + 2 > self._read("u16", vtable):
            return None
        offset = self._read("u16", vtable + 4 + 2 * number)
        return self.start + offset if offset else None

    def scalar(self, number: int, kind: str, default: object = 0) -> Any:
        """A number or bool."""
        place = self._field(number)
        return default if place is None else self._read(kind, place)

    def table(self, number: int) -> Table | None:
        """A nested table."""
        place = self._field(number)
        return (
            None
            if place is None
            else Table(self.source, place + self._read("u32", place))
        )

    def run(self, number: int, size: int) -> tuple[int, int]:
        """``(offset, count)`` of a vector of values of ``size`` bytes; ``(0, 0)`` where there is none."""
        place = self._field(number)
        if place is None:
            return 0, 0
        start = place + self._read("u32", place)
        count = self._read("u32", start)
        self.source.check(start + 4, count * size, "a vector")
        return start + 4, count

    def vector(self, number: int, kind: str) -> tuple[Any, ...]:
        """A vector of scalars."""
        form = SCALARS[kind]
        start, count = self.run(number, form.size)
        data = self.source[start : start + count * form.size]
        return struct.unpack(f"<{count}{form.format[-1]}", data)

    def tables(self, number: int) -> list[Table]:
        """A vector of tables."""
        start, _ = self.run(number, 4)
        offsets = self.vector(number, "u32")
        return [
            Table(self.source, start + 4 * index + offset)
            for index, offset in enumerate(offsets)
        ]

    def data(self, number: int) -> bytes:
        """A string, or a vector of bytes."""
        start, count = self.run(number, 1)
        return bytes(self.source[start : start + count])


def root(source: Source) -> Table:
    """The table that a whole file is."""
    return Table(source, Table(source, 0)._read("u32", 0))
