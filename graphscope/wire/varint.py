"""Protobuf's and LevelDB's variable-length integers."""

from __future__ import annotations

from typing import Any

from ..errors import FormatError

LONGEST = 10


def read_varint(data: Any, place: int, what: str) -> tuple[int, int]:
    """``(value, next place)``; raises FormatError where the bytes end or the number does not."""
    value = shift = 0
    end = min(len(data), place + LONGEST)
    while place < end:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, place
        shift += 7
    raise FormatError(f"{what}: a number at byte {place} never ends: it is damaged")
