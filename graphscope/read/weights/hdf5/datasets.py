"""A dataset's header -> its type, its shape, where its values lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ....errors import FormatError
from .chunks import Chunk, Filter, assemble, chunks, filters
from .cursor import Cursor
from .datatypes import Datatype, dataspace, datatype
from .headers import DATASPACE, DATATYPE, EXTERNAL, FILL, FILTERS, LAYOUT, Header
from .storage import UNDEFINED, Storage

_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = range(4)
_NEWEST = 5  # ours: chunks in one of the indices that only libver="latest" writes
_SINGLE = 1  # the index of a dataset that is one chunk


@dataclass(frozen=True)
class Layout:
    """Where the values lie: in the header itself, in one run of bytes, or in chunks."""

    kind: int
    data: bytes = b""
    address: int = UNDEFINED
    sizes: tuple[int, ...] = ()
    single: Chunk | None = None


@dataclass(frozen=True)
class Values:
    """All that is needed to read a dataset."""

    element: Datatype
    shape: tuple[int, ...]
    layout: Layout
    steps: list[Filter]
    fill: bytes

    @property
    def nbytes(self) -> int:
        """The size when unpacked."""
        return math.prod(self.shape) * self.element.dtype.itemsize

    @property
    def run(self) -> int | None:
        """The address of values that lie in one run as they are; None for others."""
        is_run = self.layout.kind == _CONTIGUOUS and self.layout.address != UNDEFINED
        return self.layout.address if is_run else None

    def array(self, storage: Storage) -> np.ndarray:
        """The values as they lie in the file."""
        dtype = self.element.dtype
        if self.layout.kind == _COMPACT:
            return self._whole(storage, self.layout.data)
        if self.run is not None:
            storage.left += self.nbytes  # values are no structure
            return self._whole(storage, storage.read(self.run, self.nbytes, "values"))
        if self.layout.kind == _NEWEST:
            raise FormatError(
                f'{storage.source.name}: chunks indexed as libver="latest" does, which graphscope cannot read; '
                "h5repack --high=v18 writes them in the usual way"
            )
        is_filled = len(self.fill) == dtype.itemsize and any(self.fill)
        array = np.zeros(self.shape, dtype)
        if is_filled:
            array[...] = np.frombuffer(self.fill, dtype)[0]
        if self.layout.kind == _CHUNKED:
            blocks = self._chunks(storage)
            assemble(storage, blocks, self.steps, self.layout.sizes, array)
        return array

    def _whole(self, storage: Storage, data: bytes) -> np.ndarray:
        if len(data) < self.nbytes:
            raise storage.damaged(
                f"{len(data)} bytes of values, expected {self.nbytes}"
            )
        dtype = self.element.dtype
        count = math.prod(self.shape)
        return np.frombuffer(data, dtype, count).reshape(self.shape)

    def _chunks(self, storage: Storage) -> Iterator[Chunk]:
        if self.layout.single is not None:
            return iter([self.layout.single])
        if self.layout.address == UNDEFINED:
            return iter(())
        return chunks(storage, self.layout.address, len(self.shape))


def values(storage: Storage, header: Header, path: str) -> Values:
    """The dataset of a header; raises FormatError where its values lie in other files."""
    kind, space, body = (header.first(k) for k in (DATATYPE, DATASPACE, LAYOUT))
    if kind is None or space is None or body is None:
        raise storage.damaged(f"{path!r} is neither a group nor a dataset")
    element, shape = datatype(storage, kind), dataspace(storage, space)
    steps = filters(storage, header.first(FILTERS))
    place = _layout(storage, body, element, shape or ())
    if header.all(EXTERNAL) or place.kind == _VIRTUAL:
        raise FormatError(
            f"{storage.source.name}: the values of {path!r} are said to lie in other files: not followed"
        )
    size = math.prod(place.sizes) * element.dtype.itemsize
    is_odd = len(place.sizes) != len(shape or ()) or not 0 < size < 1 << 32
    if place.kind == _CHUNKED and is_odd:
        raise storage.damaged(f"{path!r} has chunks of {list(place.sizes)} elements")
    sizes = shape if shape is not None else (0,)
    return Values(element, sizes, place, steps, _fill(storage, header.first(FILL)))


def _layout(
    storage: Storage, body: bytes, element: Datatype, shape: tuple[int, ...]
) -> Layout:
    cursor = Cursor(storage, body, "a layout")
    version = cursor.number(1)
    if version in (1, 2):
        return _old_layout(cursor)
    kind = cursor.number(1)
    if version not in (3, 4) or kind > _VIRTUAL:
        raise storage.damaged(f"a layout of version {version} and class {kind}")
    if kind == _COMPACT:
        return Layout(kind, cursor.take(cursor.number(2)))
    if kind == _CONTIGUOUS:
        return Layout(kind, address=cursor.number(8))
    if kind == _VIRTUAL:
        return Layout(kind)
    if version == 4:
        return _indexed(cursor, element, shape)
    rank = cursor.number(1)
    address = cursor.number(8)
    sizes = tuple(cursor.number(4) for _ in range(max(0, rank - 1)))
    return Layout(kind, address=address, sizes=sizes)


def _indexed(cursor: Cursor, element: Datatype, shape: tuple[int, ...]) -> Layout:
    """Version 4: of its five indices, the one of a dataset that is a single chunk."""
    flags, rank, width = cursor.number(1), cursor.number(1), cursor.number(1)
    sizes = tuple(cursor.number(width) for _ in range(rank))[:-1]
    if cursor.number(1) != _SINGLE:
        return Layout(_NEWEST, sizes=sizes)
    length, mask = math.prod(sizes) * element.dtype.itemsize, 0
    if flags & 2:
        length, mask = cursor.number(8), cursor.number(4)
    chunk = Chunk(cursor.number(8), length, mask, (0,) * len(shape))
    return Layout(_CHUNKED, sizes=sizes, single=chunk)


def _old_layout(cursor: Cursor) -> Layout:
    rank, kind = cursor.number(1), cursor.number(1)
    cursor.take(5)
    address = cursor.number(8) if kind != _COMPACT else UNDEFINED
    sizes = tuple(cursor.number(4) for _ in range(rank))
    data = cursor.take(cursor.number(4)) if kind == _COMPACT else b""
    return Layout(kind, data, address, sizes[:-1] if kind == _CHUNKED else ())


def _fill(storage: Storage, body: bytes | None) -> bytes:
    """The element that stands where nothing was written; b"" for zeros."""
    if body is None:
        return b""
    cursor = Cursor(storage, body, "a fill value")
    version = cursor.number(1)
    if version == 3:
        return cursor.take(cursor.number(4)) if cursor.number(1) & 0x20 else b""
    cursor.take(2)
    return cursor.take(cursor.number(4)) if cursor.number(1) else b""
