"""Snappy's block format, unpacked; never to more than the length that it announces and the caller allows.

Source: github.com/google/snappy, format_description.txt.
"""

from __future__ import annotations

from ...errors import FormatError
from ...wire.protobuf import read_varint

MOST_PER_BYTE = 32  # a two-byte copy yields at most 64 bytes


def decompress(data: bytes, limit: int, what: str) -> bytes:
    """The bytes that a snappy block stands for; raises FormatError where it is damaged or larger than ``limit``."""
    length, place = read_varint(data, 0, what)
    if length > min(limit, MOST_PER_BYTE * len(data) + 64):
        raise FormatError(
            f"{what}: a snappy block of {len(data)} bytes announces {length}: it is damaged"
        )
    out = bytearray()
    while place < len(data):
        tag = data[place]
        place += 1
        if tag & 3 == 0:
            size, place = _literal(data, tag, place)
            out += data[place : place + size]
            place += size
        else:
            size, offset, place = _copy(data, tag, place)
            _repeat(out, offset, size, what)
        if len(out) > length or place > len(data):
            break
    if len(out) != length or place != len(data):
        raise FormatError(
            f"{what}: a snappy block unpacks to {len(out)} bytes, {length} expected: it is damaged"
        )
    return bytes(out)


def _literal(data: bytes, tag: int, place: int) -> tuple[int, int]:
    size = tag >> 2
    if size < 60:
        return size + 1, place
    extra = size - 59
    return int.from_bytes(data[place : place + extra], "little") + 1, place + extra


def _copy(data: bytes, tag: int, place: int) -> tuple[int, int, int]:
    kind = tag & 3
    if kind == 1:
        low = data[place] if place < len(data) else 0
        return (tag >> 2 & 7) + 4, (tag >> 5) << 8 | low, place + 1
    width = 2 if kind == 2 else 4
    offset = int.from_bytes(data[place : place + width], "little")
    return (tag >> 2) + 1, offset, place + width


def _repeat(out: bytearray, offset: int, size: int, what: str) -> None:
    if not 0 < offset <= len(out):
        raise FormatError(f"{what}: a snappy copy reaches before the block's start")
    start = len(out) - offset
    if offset >= size:
        out += out[start : start + size]
        return
    pattern = bytes(out[start:])
    out += (pattern * (size // offset + 1))[:size]
