"""Datasets that lie in chunks, packed or not -> arrays."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .cursor import Cursor
from .storage import UNDEFINED, Storage

_DEFLATE, _SHUFFLE, _FLETCHER = 1, 2, 3


class Filter(NamedTuple):
    """One step in which chunks are packed."""

    number: int
    name: str


class Chunk(NamedTuple):
    """A block of elements: where it lies in the file, where in the array, which filters were left out."""

    address: int
    length: int
    mask: int
    offsets: tuple[int, ...]


def filters(storage: Storage, body: bytes | None) -> list[Filter]:
    """The message of a filter pipeline."""
    if body is None:
        return []
    cursor = Cursor(storage, body, "a filter pipeline")
    version, count = cursor.number(1), cursor.number(1)
    if version == 1:
        cursor.take(6)
    listed = []
    for _ in range(count):
        number = cursor.number(2)
        length = cursor.number(2) if version == 1 or number >= 256 else 0
        _, values = cursor.number(2), cursor.number(2)
        name = cursor.padded(length, 8 if version == 1 else 1).rstrip(b"\0")
        cursor.take(4 * (values + (values & 1 if version == 1 else 0)))
        listed.append(Filter(number, name.decode("ascii", "replace")))
    return listed


def chunks(storage: Storage, address: int, rank: int) -> Iterator[Chunk]:
    """The chunks below a B-tree of version 1."""
    key = 8 + 8 * (rank + 1)
    pending, visited = [address], set()
    while pending:
        here = pending.pop()
        if here in visited:
            raise storage.damaged("a dataset's tree leads back to itself")
        visited.add(here)
        head = storage.signed(here, 8, b"TREE\1", "a dataset's tree")
        level, count = head[5], int.from_bytes(head[6:8], "little")
        data = storage.read(here + 24, count * (key + 8), "a dataset's tree")
        for start in range(0, len(data), key + 8):
            cursor = Cursor(storage, data[start : start + key + 8], "a chunk")
            length, mask = cursor.number(4), cursor.number(4)
            *offsets, _ = (cursor.number(8) for _ in range(rank + 1))
            child = cursor.number(8)
            if level:
                pending.append(child)
            else:
                yield Chunk(child, length, mask, tuple(offsets))


def assemble(
    storage: Storage,
    blocks: Iterator[Chunk],
    steps: list[Filter],
    sizes: tuple[int, ...],
    array: np.ndarray,
) -> None:
    """Write the values of chunks of ``sizes`` elements into an array."""
    length = math.prod(sizes) * array.dtype.itemsize
    for chunk in blocks:
        if chunk.address == UNDEFINED:
            continue
        storage.left += max(chunk.length, 0)  # values are no structure
        data = storage.read(chunk.address, chunk.length, "a chunk")
        data = _unpacked(storage, data, chunk.mask, steps, array.dtype.itemsize, length)
        block = np.frombuffer(data, array.dtype).reshape(sizes)
        place = tuple(
            slice(start, min(start + size, whole))
            for start, size, whole in zip(
                chunk.offsets, sizes, array.shape, strict=True
            )
        )
        if all(cut.start < cut.stop for cut in place):
            array[place] = block[tuple(slice(0, c.stop - c.start) for c in place)]


def _unpacked(
    storage: Storage,
    data: bytes,
    mask: int,
    steps: list[Filter],
    width: int,
    length: int,
) -> bytes:
    for number, step in reversed(list(enumerate(steps))):
        if mask >> number & 1:
            continue
        if step.number == _DEFLATE:
            data = _inflated(storage, data, length)
        elif step.number == _SHUFFLE:
            data = _unshuffled(data, width)
        elif step.number == _FLETCHER:
            data = data[:-4]
        else:
            raise storage.damaged(
                f"values packed by filter {step.number} {step.name!r}, expected deflate, shuffle or fletcher32; "
                "h5repack can write it anew"
            )
    if len(data) != length:
        raise storage.damaged(f"a chunk of {len(data)} bytes, expected {length}")
    return data


def _inflated(storage: Storage, data: bytes, length: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, length + 4)
    except zlib.error as error:
        raise storage.damaged(f"a chunk that cannot be unpacked: {error}") from None


def _unshuffled(data: bytes, width: int) -> bytes:
    count = len(data) // width
    body: Any = np.frombuffer(data, np.uint8, count * width).reshape(width, count)
    return bytes(body.T.tobytes()) + data[count * width :]
