"""V2 checkpoints (tensor bundles): the ``.index`` table of entries and the ``.data-?????-of-?????`` shards.

Source: tensorflow/core/util/tensor_bundle/tensor_bundle.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...errors import FormatError
from ...graph.named_values import Message
from ...wire import messages as proto
from ...wire.attrs import numpy_dtype
from ...wire.protobuf import read_varint
from ...wire.remote import is_remote
from ...wire.source import Source, check_inside, exists, open_source
from ..detect.unknown import LFS_POINTER
from ..weights.crc32c import crc32c, unmasked
from ..weights.partitions import extents_of, resolved, slice_key
from ..weights.stored import Piece, Stored, StoredWeights
from .locate import DATA_SUFFIX, INDEX_SUFFIX
from .sstable import Table

SLICE_MARK = b"\x00"  # what every slice's own key begins with


def prefix_of(path: str) -> str:
    """The checkpoint prefix that a path of one of its files stands for."""
    return DATA_SUFFIX.sub("", path.removesuffix(INDEX_SUFFIX))


def read_bundle(source: Source, check: bool = False) -> StoredWeights:
    """The weights of a V2 checkpoint from its index; the shards are opened when values are asked for.

    Where a shard is missing or shorter than the index says, the weights say so (``shortages``) and have names, dtypes
    and shapes all the same. Raises FormatError where the index is damaged.
    """
    entries: dict[bytes, Any] = {}
    header = None
    for entry in Table(source):
        if entry.key:
            entries[entry.key] = entry
        else:
            header = proto.parse(
                "BundleHeaderProto", entry.value, f"{source.name}: the header"
            )
    if header is None:
        raise FormatError(
            f"{source.name}: a table without a header: not a checkpoint index"
        )
    _check_header(header, source.name)
    shards = _Shards(prefix_of(source.name), header.num_shards)
    stored = {}
    for key, entry in entries.items():
        if not key.startswith(SLICE_MARK):
            name = key.decode("utf-8", "surrogateescape")
            stored[name] = _stored(name, entry, entries, shards, source.name)
    shortages, missing_files = shards.shortages(stored, source.name)
    return StoredWeights(stored, source.name, check, shortages, missing_files)


def _check_header(header: Message, name: str) -> None:
    if header.endianness:
        raise FormatError(
            f"{name}: written on a big-endian machine; TensorFlow reads these nowhere else, and so does graphscope"
        )
    if not 0 < header.num_shards < 100_000:
        raise FormatError(f"{name}: claims {header.num_shards} shards: it is damaged")


class _Shards:
    """The data files of one checkpoint, opened at most once each."""

    def __init__(self, prefix: str, count: int) -> None:
        self.prefix, self.count = prefix, count
        self.used: set[int] = set()
        self.open = cache(self._open)
        self.opener = cache(self._opener)

    def path(self, number: int) -> str:
        return f"{self.prefix}.data-{number:05d}-of-{self.count:05d}"

    def _open(self, number: int) -> Source:
        path = self.path(number)
        if not exists(path):
            raise FormatError(_trouble(path, None, self.prefix + INDEX_SUFFIX))
        check_inside(path, self.prefix.rpartition("/")[0], self.prefix + INDEX_SUFFIX)
        return open_source(path, packed=False)

    def _opener(self, number: int) -> Callable[[], Source]:
        self.used.add(number)
        return lambda: self.open(number)

    def shortages(
        self, stored: dict[str, Stored], index: str
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """Weight -> what is wrong with the local shard that should hold it; and each such shard, once."""
        if is_remote(self.prefix):
            return {}, ()  # asking costs a round trip each: the values will tell
        size_of = {self.opener(n): self._size(n) for n in self.used}
        number_of = {self.opener(n): n for n in self.used}
        shortages: dict[str, str] = {}
        for name, each in stored.items():
            for piece in each.pieces:
                size = size_of[piece.opened]
                if size is None or piece.offset + piece.length > size:
                    shard = self.path(number_of[piece.opened])
                    shortages[name] = _trouble(shard, size, index)
        return shortages, tuple(dict.fromkeys(shortages.values()))

    def _size(self, number: int) -> int | None:
        """The bytes of a shard; None where it is not there."""
        return self.open(number).size if exists(self.path(number)) else None


def _trouble(shard: str, size: int | None, index: str) -> str:
    if size is None:
        return f"{shard}: this data shard is missing: put it beside {index}"
    if open_source(shard, packed=False).head(64).startswith(LFS_POINTER):
        return f"{shard}: a Git LFS pointer, not the data: fetch it (git lfs pull)"
    return f"{shard}: {size} bytes, fewer than {index} says: it is truncated, copy it again"


class _Place(NamedTuple):
    """Where something is wrong; becomes text only if something is."""

    file: str
    key: str

    def __str__(self) -> str:
        return f"{self.file}: the entry of {self.key!r}"


def _stored(
    name: str, entry: Message, entries: dict[bytes, Any], shards: _Shards, index: str
) -> Stored:
    what = _Place(index, name)
    message = proto.parse("BundleEntryProto", entry.value, what)
    shape = _shape(message, what)
    dtype = proto.DATA_TYPES.get(message.dtype) or f"dtype {message.dtype}"
    if not message.slices:
        piece = _piece(message, dtype, shape, None, shards, what)
        return Stored(dtype, shape, (piece,))
    pieces = []
    for each in message.slices:
        extents = extents_of(each)
        key = slice_key(name, extents)
        if key not in entries:
            raise FormatError(f"{what} names a slice {extents} that the index lacks")
        part = proto.parse("BundleEntryProto", entries[key].value, what)
        cut = resolved(extents, shape, str(what))
        sizes = tuple(length for _, length in cut)
        pieces.append(_piece(part, dtype, sizes, cut, shards, what))
    return Stored(
        dtype, shape, tuple(sorted(pieces, key=lambda piece: piece.cut or ()))
    )


def _shape(message: Message, what: _Place) -> tuple[int, ...]:
    shape = message.shape
    if not shape.dim and not shape.unknown_rank:
        return ()
    sizes = tuple([dim.size for dim in shape.dim])
    if shape.unknown_rank or min(sizes) < 0:
        raise FormatError(f"{what} has no shape (sizes {list(sizes)})")
    return sizes


def _piece(
    message: Message,
    dtype: str,
    shape: tuple[int, ...],
    cut: Any,
    shards: _Shards,
    what: _Place,
) -> Piece:
    number, offset, size = message.shard_id, message.offset, message.size
    if not 0 <= number < shards.count or offset < 0 or size < 0:
        raise FormatError(
            f"{what} points to shard {number}, bytes {offset}+{size}; there are {shards.count} shards"
        )
    kind, decode = numpy_dtype(dtype), None
    if kind is not None and kind.hasobject:
        decode = decode_strings(shape, message.crc32c)
    elif kind is not None:
        count = 1
        for length in shape:
            count *= length
        if count * kind.itemsize != size:
            raise FormatError(
                f"{what} has {size} bytes; {dtype} of shape {list(shape)} needs {count * kind.itemsize}"
            )
    crc = None if decode else message.crc32c
    return Piece(shards.opener(number), offset, size, cut, crc, decode)


def decode_strings(
    shape: tuple[int, ...], crc: int
) -> Callable[[Source, Piece], np.ndarray]:
    """A decoder of a string tensor: all lengths as varints, their CRC32C, then the bytes.

    The checksum of a string tensor covers its lengths as integers, not as they are stored, so it is checked here.
    """
    count = 1
    for size in shape:
        count *= size

    def decode(source: Source, piece: Piece) -> np.ndarray:
        what = f"{source.name}: the strings at {piece.offset}"
        data = source.read(piece.offset, piece.length, "strings")
        if count > len(data):
            raise FormatError(f"{what} are {count}, in {len(data)} bytes")
        lengths, place = [], 0
        for _ in range(count):
            length, place = read_varint(data, place, what)
            lengths.append(length)
        if place + 4 + sum(lengths) != len(data):
            raise FormatError(f"{what} do not end where their lengths say")
        coded = b"".join(n.to_bytes(4 if n < 1 << 32 else 8, "little") for n in lengths)
        if crc32c(coded + data[place:]) != unmasked(crc):
            raise FormatError(f"{what} do not match their CRC32C: copy the file again")
        strings, place = np.empty(count, object), place + 4
        for number, length in enumerate(lengths):
            strings[number] = data[place : place + length]
            place += length
        return strings

    return decode
