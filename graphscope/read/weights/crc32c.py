"""CRC32C (Castagnoli), as the checkpoint formats store it: Google's library computes it, the formats mask it."""

from __future__ import annotations

from typing import Any

import google_crc32c

MASK_DELTA = 0xA282EAD8
_PIECE = (
    1 << 22
)  # the library takes bytes only: what is none is copied, so much at a time


def crc32c(data: Any, value: int = 0) -> int:
    """The checksum of some bytes, going on from ``value``.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if isinstance(data, bytes):
        return int(google_crc32c.extend(value, data))
    view = memoryview(data).cast("B")
    for start in range(0, len(view), _PIECE):
        value = google_crc32c.extend(value, bytes(view[start : start + _PIECE]))
    return value


def unmasked(stored: int) -> int:
    """The checksum that a stored, masked one stands for (``crc32c::Unmask``)."""
    rotated = (stored - MASK_DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def masked(value: int) -> int:
    """A checksum in the form that files store (``crc32c::Mask``)."""
    return (((value >> 15) | (value << 17)) + MASK_DELTA) & 0xFFFFFFFF
