"""Weights that stay in their files until someone asks: what every reader gives as ``Model.weights``.

A weight is one or more pieces (the slices of a partitioned variable); a piece knows where its raw bytes lie, or how
to decode itself. ``"name 10 4 0,5:-"`` (a slice as TensorFlow's graphs write it) is a name too: that part of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ...errors import FormatError, MissingWeight
from ...graph import Extent, TensorSpec, Weights
from ...wire.attrs import numpy_dtype
from ...wire.source import Source
from .crc32c import unmasked
from .partitions import Extents, part_of

MOST_BYTES = 1 << 44  # a whole of 16 TiB is a lie


@dataclass(frozen=True)
class Piece:
    """One stored run of a weight: ``cut`` is the part of the whole that it holds (None: all of it).

    ``opened`` gives the file and is called only when values are wanted; ``decode`` makes the array of those that
    do not lie there as raw little-endian bytes.
    """

    opened: Callable[[], Source]
    offset: int
    length: int
    cut: Extents | None = None
    crc: int | None = None
    decode: Callable[[Source, Piece], np.ndarray] | None = None


@dataclass(frozen=True)
class Stored:
    """One weight as a file describes it."""

    dtype: str
    shape: tuple[int, ...]
    pieces: tuple[Piece, ...] = field(default=(), repr=False)

    @property
    def count(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def nbytes(self) -> int:
        """The bytes of its values; what is stored where they have no fixed size (strings, variants)."""
        dtype = numpy_dtype(self.dtype)
        if dtype is None or dtype.hasobject or len(self.pieces) == 1 == self._raw:
            return sum([piece.length for piece in self.pieces])
        return self.count * dtype.itemsize

    @property
    def _raw(self) -> int:
        return sum([piece.decode is None for piece in self.pieces])


class StoredWeights(Weights):
    """``Weights`` over a table of ``Stored``; ``check=True`` compares CRC32C where the file has one.

    ``shortages`` and ``missing_files`` are those of Weights.
    """

    def __init__(
        self,
        stored: Mapping[str, Stored],
        source: str,
        check: bool = False,
        shortages: Mapping[str, str] = MappingProxyType({}),
        missing_files: tuple[str, ...] = (),
    ) -> None:
        self.stored, self.source, self.check = stored, source, check
        self.shortages, self.missing_files = shortages, missing_files

    def __deepcopy__(self, memo: object) -> StoredWeights:
        """Itself: what a file says never changes."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled with all values, so that whoever reads them needs no file; raises FormatError where the file is damaged."""
        from .copied import copied

        return copied(self)

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)

    def __contains__(self, name: object) -> bool:
        return name in self.stored or (
            isinstance(name, str) and self._part(name) is not None
        )

    def _part(self, name: str) -> tuple[str, tuple[int, ...], Extents] | None:
        return part_of(name, self._shape)

    def _shape(self, name: str) -> tuple[int, ...] | None:
        return self.stored[name].shape if name in self.stored else None

    def spec(self, name: str) -> TensorSpec:
        """Dtype and shape; nothing is read."""
        if name in self.stored:
            return TensorSpec(self.stored[name].dtype, self.stored[name].shape)
        whole, _, extents = self._wanted(name)
        return TensorSpec(
            self.stored[whole].dtype, tuple(length for _, length in extents)
        )

    def nbytes(self, name: str) -> int:
        """The size of the values, in bytes."""
        return self.stored[name].nbytes

    def checksum(self, name: str) -> int | None:
        """The CRC32C that the file holds of the values' bytes; None where it holds none, or one of each of several pieces."""
        pieces = self.stored[name].pieces if name in self.stored else ()
        crc = pieces[0].crc if len(pieces) == 1 and not pieces[0].cut else None
        return None if crc is None else unmasked(crc)

    def _wanted(self, name: str) -> tuple[str, tuple[int, ...], Extents]:
        part = self._part(name)
        if part is None:
            raise KeyError(name)
        return part

    def __getitem__(self, name: str) -> np.ndarray:
        """The values; raises FormatError where the file is damaged, MissingWeight where it holds no array."""
        if name in self.stored:
            return self._whole(name)
        whole, _, extents = self._wanted(name)
        if whole in self.shortages:
            return self._whole(whole)
        for piece in self.stored[whole].pieces:
            if piece.cut == extents:
                shape = tuple(length for _, length in extents)
                return self._piece(whole, piece, shape)
        cut = tuple(slice(start, start + length) for start, length in extents)
        return self._whole(whole)[cut]

    def _whole(self, name: str) -> np.ndarray:
        if name in self.shortages:
            raise MissingWeight(f"{name!r} has no value: {self.shortages[name]}")
        stored = self.stored[name]
        pieces = stored.pieces
        if len(pieces) == 1 and pieces[0].cut is None:
            return self._piece(name, pieces[0], stored.shape)
        dtype = self._dtype(name)
        if stored.count * dtype.itemsize > MOST_BYTES:
            raise FormatError(f"{self.source}: {name!r} claims {stored.count} values")
        if sum(_count(p) for p in pieces) < stored.count:
            raise FormatError(
                f"{self.source}: the slices of {name!r} do not cover its shape {list(stored.shape)}"
            )
        sizes = {id(source): source.size for source in (p.opened() for p in pieces)}
        if sum(piece.length for piece in pieces) > sum(sizes.values()):
            raise FormatError(
                f"{self.source}: the slices of {name!r} lie over one another: the file is damaged"
            )
        array = np.empty(stored.shape, dtype)
        for piece in pieces:
            cut = piece.cut or ()
            shape = tuple(length for _, length in cut)
            target = tuple(slice(start, start + length) for start, length in cut)
            array[target] = self._piece(name, piece, shape)
        array.flags.writeable = False
        return array

    def _dtype(self, name: str) -> np.dtype[np.generic]:
        dtype = numpy_dtype(self.stored[name].dtype)
        if dtype is None:
            raise MissingWeight(
                f"{self.source}: {name!r} is a {self.stored[name].dtype}: it holds no array"
            )
        return dtype

    def _piece(self, name: str, piece: Piece, shape: tuple[int, ...]) -> np.ndarray:
        dtype, source = self._dtype(name), piece.opened()
        what = f"the values of {name!r}"
        if self.check and piece.crc is not None:
            _verify(source, piece, what)
        if piece.decode is None:
            return source.array(piece.offset, dtype, shape, what)
        source.check(piece.offset, piece.length, what)
        array = piece.decode(source, piece)
        if array.size != _product(shape):
            raise FormatError(
                f"{source.name}: {what} are {array.size}, {_product(shape)} expected for {list(shape)}"
            )
        return array.reshape(shape)

    def extents(self, name: str) -> tuple[Extent, ...] | None:
        """Where the raw little-endian bytes lie, in order; None where they must be decoded or joined first."""
        stored = self.stored.get(name)
        if self.shortages and name.partition(" ")[0] in self.shortages:
            return None
        pieces = stored.pieces if stored else ()
        if stored is None:
            part = self._part(name)
            pieces = tuple(
                p
                for p in (self.stored[part[0]].pieces if part else ())
                if part and p.cut == part[2]
            )
        elif not _in_order(stored):
            return None
        places = [
            piece.opened().extent(piece.offset, piece.length)
            for piece in pieces
            if piece.decode is None
        ]
        if not pieces or None in places or len(places) < len(pieces):
            return None
        return tuple(place for place in places if place is not None)


def _verify(source: Source, piece: Piece, what: str) -> None:
    from .crc32c import crc32c, unmasked

    source.check(piece.offset, piece.length, what)
    state, step = 0, 1 << 24
    for start in range(piece.offset, piece.offset + piece.length, step):
        stop = min(start + step, piece.offset + piece.length)
        state = crc32c(source[start:stop], state)
    if piece.crc is not None and state != unmasked(piece.crc):
        raise FormatError(
            f"{source.name}: {what} do not match their CRC32C: the file is damaged, copy it again"
        )


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _count(piece: Piece) -> int:
    return _product(tuple(length for _, length in piece.cut or ()))


def _in_order(stored: Stored) -> bool:
    """Whether the pieces, one after the other, are the whole: cut along the first dimension alone."""
    place = 0
    if len(stored.pieces) == 1 and stored.pieces[0].cut is None:
        return True
    for piece in stored.pieces:
        cut = piece.cut
        if not cut or cut[0][0] != place:
            return False
        if any(part != (0, size) for part, size in zip(cut[1:], stored.shape[1:])):
            return False
        place += cut[0][1]
    return place == stored.shape[0]
