"""CRC32C (Castagnoli), as the checkpoint formats store it: many lanes at once in numpy.

The checksum is linear over GF(2): the bytes are cut into lanes of equal length, all lanes step together through a
table of 65,536 entries, and the lanes are joined pairwise with the matrix that appends zeros.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

POLYNOMIAL = 0x82F63B78
MASK_DELTA = 0xA282EAD8
_SMALL = 64  # below this many bytes the plain loop is quicker


@cache
def _byte_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


@cache
def _pair_table() -> np.ndarray:
    """The state after two bytes, by ``low 16 bits of state ^ bytes``."""
    small = np.array(_byte_table(), np.uint32)
    values = np.arange(65536, dtype=np.uint32)
    once = small[values & 255] ^ (values >> 8)
    return small[once & 255] ^ (once >> 8)


@cache
def _zeros(length: int) -> np.ndarray:
    """Four tables of 256: what the state becomes when ``length`` zero bytes follow, by byte of the state."""
    if length == 1:
        basis = np.uint32(1) << np.arange(32, dtype=np.uint32)
        table = np.array(_byte_table(), np.uint32)
        images = table[basis & 255] ^ (basis >> 8)
    else:
        half = _zeros(length // 2)
        images = _apply(half, _images(half))
        if length % 2:
            images = _apply(_zeros(1), images)
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    return np.stack(
        [
            np.bitwise_xor.reduce(
                np.where(bits, images[8 * n : 8 * n + 8], 0).astype(np.uint32), 1
            )
            for n in range(4)
        ]
    )


def _images(tables: np.ndarray) -> np.ndarray:
    return tables[:, 1 << np.arange(8)].reshape(32)


def _apply(tables: np.ndarray, state: Any) -> Any:
    return (
        tables[0][state & 255]
        ^ tables[1][(state >> 8) & 255]
        ^ tables[2][(state >> 16) & 255]
        ^ tables[3][state >> 24]
    )


def crc32c(data: Any, value: int = 0) -> int:
    """The checksum of some bytes, going on from ``value``.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    view = memoryview(data).cast("B")
    state = ~value & 0xFFFFFFFF
    if len(view) >= 4 * _SMALL:
        state, done = _many(view, state)
        view = view[done:]
    table = _byte_table()
    for byte in view:
        state = table[(state ^ byte) & 255] ^ (state >> 8)
    return ~state & 0xFFFFFFFF


def _many(view: memoryview, state: int) -> tuple[int, int]:
    """The state after as many bytes as fill whole lanes, and how many those were."""
    lanes = 1 << min(13, max(3, (len(view).bit_length() - 3) // 2 + 1))
    length = len(view) // lanes // 2 * 2
    words = np.frombuffer(view, "<u2", lanes * length // 2).reshape(lanes, -1)
    states = np.zeros(lanes, np.uint32)
    states[0] = state
    table = _pair_table()
    for column in np.ascontiguousarray(words.T).astype(np.uint32):
        states = table[(states ^ column) & 0xFFFF] ^ (states >> np.uint32(16))
    span = length
    while len(states) > 1:
        states = _apply(_zeros(span), states[::2]) ^ states[1::2]
        span *= 2
    return int(states[0]), lanes * length


def unmasked(stored: int) -> int:
    """The checksum that a stored, masked one stands for (``crc32c::Unmask``)."""
    rotated = (stored - MASK_DELTA) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def masked(value: int) -> int:
    """A checksum in the form that files store (``crc32c::Mask``)."""
    return (((value >> 15) | (value << 17)) + MASK_DELTA) & 0xFFFFFFFF
