"""V1 checkpoints: tables of SavedTensorSlices, one for all tensors or one a shard.

The first entry (its key is empty) lists every tensor and slice of its shard; each other entry is one slice, values
included. Values are left in the file: only the head of each entry is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...errors import FormatError
from ...graph.named_values import Message
from ...wire import messages as proto
from ...wire.attrs import numpy_dtype, tensor_of
from ...wire.protobuf import read_varint
from ...wire.source import Source, check_inside, exists, open_source
from ..weights.partitions import Extents, extents_of, resolved
from ..weights.stored import Piece, Stored, StoredWeights
from .locate import V1_SHARD
from .sstable import Entry, Table

_META, _DATA = 0x0A, 0x12  # SavedTensorSlices.meta and .data
_RAW = {"float32": 0x2A, "float64": 0x32, "complex64": 0x4A, "complex128": 0x62}


def is_slice_table(table: Table) -> bool:
    """Whether a table's first entry lists slices."""
    first = next(iter(table), None)
    return first is not None and not first.key and first.value[:1] == b"\x0a"


def shards_of(path: str) -> list[str]:
    """All shards of the checkpoint that a file belongs to, this one alone where it is not sharded."""
    shard = V1_SHARD.search(path)
    if not shard or shard[1] == "?????":
        return [path]
    stem, count = path[: shard.start()], int(shard[2])
    return [f"{stem}-{number:05d}-of-{count:05d}" for number in range(count)]


def read_slices(source: Source) -> StoredWeights:
    """The weights of a V1 checkpoint; raises FormatError where a shard is damaged.

    Where a shard is missing, what the others hold and speak of is read.
    """
    missing_files: list[str] = []
    listed: dict[str, Any] = {}
    pieces: dict[str, dict[Extents, Piece]] = {}
    for path in shards_of(source.name):
        if path != source.name and not exists(path):
            missing_files.append(
                f"{path}: this shard of the checkpoint is missing: put it beside {source.name}"
            )
            continue
        check_inside(path, source.name.rpartition("/")[0], source.name)
        _read_shard(
            source if path == source.name else open_source(path), listed, pieces
        )
    stored = {}
    for name, meta in listed.items():
        dtype = proto.DATA_TYPES.get(meta.type, f"dtype {meta.type}")
        shape = tuple(dim.size for dim in meta.shape.dim)
        slices = tuple(pieces.get(name, {}).values())
        if len(slices) == 1 and slices[0].cut == tuple((0, size) for size in shape):
            slices = (_whole(slices[0]),)
        stored[name] = Stored(
            dtype, shape, tuple(sorted(slices, key=lambda p: p.cut or ()))
        )
    return StoredWeights(
        dict(sorted(stored.items())),
        source.name,
        shortages=_shortages(stored, missing_files),
        missing_files=tuple(missing_files),
    )


def _shortages(stored: dict[str, Stored], missing: list[str]) -> dict[str, str]:
    """The weights of which slices are not here, each with the shards that may hold them."""
    if not missing:
        return {}
    return {
        name: "; ".join(missing)
        for name, each in stored.items()
        if sum(_count(piece, each.shape) for piece in each.pieces) < each.count
    }


def _count(piece: Piece, shape: tuple[int, ...]) -> int:
    sizes = shape if piece.cut is None else [length for _, length in piece.cut]
    return math.prod(sizes)


def _whole(piece: Piece) -> Piece:
    return Piece(piece.opened, piece.offset, piece.length, None, None, piece.decode)


def _read_shard(
    source: Source, listed: dict[str, Any], pieces: dict[str, dict[Extents, Piece]]
) -> None:
    table = Table(source, lazy=True)
    verified = cache(lambda handle: table.verify(*handle))

    def opener(handle: tuple[int, int]) -> Callable[[], Source]:
        def opened() -> Source:
            verified(handle)
            return source

        return opened

    for entry in table:
        what = f"{source.name}: the entry {entry.key!r}"
        if not entry.key:
            message = proto.parse("SavedTensorSlices", entry.value, what)
            for meta in message.meta.tensor:
                _check_shape(meta, what)
                listed.setdefault(meta.name, meta)
            continue
        name, extents, start, length = _head(entry, what)
        if name not in listed:
            raise FormatError(
                f"{what} is a slice of {name!r}, which the table does not list"
            )
        shape = tuple(dim.size for dim in listed[name].shape.dim)
        cut = (
            resolved(extents, shape, what) if extents else tuple((0, s) for s in shape)
        )
        dtype = proto.DATA_TYPES.get(listed[name].type, "")
        pieces.setdefault(name, {})[cut] = _piece(
            entry, opener(entry.handle), start, length, cut, dtype
        )


def _check_shape(meta: Message, what: str) -> None:
    if meta.shape.unknown_rank or any(dim.size < 0 for dim in meta.shape.dim):
        raise FormatError(f"{what} lists {meta.name!r} without a shape")


def _head(entry: Entry, what: str) -> tuple[str, Extents, int, int]:
    """Name, extents and the place of the TensorProto (within the block) of one SavedSlice."""
    block, end = entry.data, entry.start + entry.length
    tag, place = read_varint(block, entry.start, what)
    size, place = read_varint(block, place, what)
    if tag != _DATA or place + size > end:
        raise FormatError(f"{what} is no slice of a tensor: the file is damaged")
    name = ""
    extents: Extents = ()
    end = place + size
    while place < end:
        tag, place = read_varint(block, place, what)
        size, place = read_varint(block, place, what)
        if place + size > end:
            break
        if tag == 0x1A:
            return name, extents, place, size
        if tag == 0x0A:
            name = block[place : place + size].decode("utf-8", "surrogateescape")
        elif tag == 0x12:
            message = proto.parse("TensorSliceProto", block[place : place + size], what)
            extents = extents_of(message)
        place += size
    raise FormatError(f"{what} has no values: the file is damaged")


def _piece(
    entry: Entry, opened: Any, start: int, length: int, cut: Extents, dtype: str
) -> Piece:
    """Raw where the values lie packed and little-endian in an uncompressed block, else to be decoded."""
    shape = tuple(size for _, size in cut)
    kind = numpy_dtype(dtype)
    if entry.base is not None and dtype in _RAW and kind is not None:
        count = (
            kind.itemsize * int(np.prod(shape, dtype=object))
            if shape
            else kind.itemsize
        )
        raw = _packed(entry.data, start, length, _RAW[dtype])
        if raw is not None and raw[1] == count:
            return Piece(opened, entry.base + raw[0], count, cut)
    if entry.base is None:
        content = entry.data[start : start + length]
        return Piece(opened, 0, 0, cut, None, _decoder(dtype, shape, content))
    decode = _decoder(dtype, shape)
    return Piece(opened, entry.base + start, length, cut, None, decode)


def _decoder(
    dtype: str, shape: tuple[int, ...], raw: bytes | None = None
) -> Callable[[Source, Piece], np.ndarray]:
    """A decoder of a TensorProto; ``raw`` are its bytes where they do not lie in the file as they are."""

    def decode(source: Source, piece: Piece) -> np.ndarray:
        data = raw or source.read(piece.offset, piece.length)
        message = proto.parse("TensorProto", data, f"{source.name}: a slice")
        del message.tensor_shape.dim[:]
        for size in shape:
            message.tensor_shape.dim.add(size=size)
        message.dtype = proto.DATA_TYPE_NUMBERS[dtype]
        return np.ascontiguousarray(tensor_of(message)).reshape(shape)

    return decode


def _packed(
    block: bytes, place: int, length: int, number: int
) -> tuple[int, int] | None:
    """``(start, length)`` of a packed field that is the only one with values in a TensorProto."""
    end = place + length
    payload = None
    while place < end:
        tag, place = read_varint(block, place, "")
        if tag & 7 == 0:
            _, place = read_varint(block, place, "")
            continue
        if tag & 7 != 2:
            return None
        size, place = read_varint(block, place, "")
        if tag == number:
            payload = None if payload else (place, size)
        elif tag not in (0x12,):
            return None
        place += size
    return payload
