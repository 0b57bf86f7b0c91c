"""The weights manifest of a TensorFlow.js model: arrays one after the other over shard files, quantised or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...errors import FormatError
from ...graph import Variable
from ...graph.named_values import Row
from ...wire import messages as proto
from ...wire.attrs import numpy_dtype
from ...wire.protobuf import mark_run
from ...wire.source import Source, beside, check_inside, exists, open_source
from ..variables.roles import roles_by_name
from ..weights.stored import Piece, Stored, StoredWeights

_STORED = {"uint8": 1, "uint16": 2, "float16": 2}
_MOST = 1 << 40


class Entry(NamedTuple):
    """One weight: its own dtype, the dtype that it is stored in, and where, in all shards of its group together."""

    dtype: str
    shape: tuple[int, ...]
    stored_as: str
    scale: float
    least: float
    offset: int
    length: int


class JoinedBuffer:
    """Several files as one run of bytes."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, Source]] = []
        self.size = 0

    def append(self, source: Source) -> None:
        self.parts.append((self.size, source))
        self.size += source.size

    def skip(self, size: int) -> None:
        """Leave room for bytes that are not at hand."""
        self.size += size

    def __len__(self) -> int:
        return self.size

    def fetch(self, start: int, stop: int) -> bytes:
        pieces = []
        for first, source in self.parts:
            a, b = max(start, first), min(stop, first + source.size)
            if a < b:
                pieces.append(source.read(a - first, b - a))
        return b"".join(pieces)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int):
            return self.fetch(index, index + 1)[0]
        start, stop, _ = index.indices(self.size)
        return self.fetch(start, stop)


class Manifest:
    """All weights of a model by name; ``source`` is their shards as one file."""

    def __init__(
        self,
        entries: dict[str, Entry],
        buffer: JoinedBuffer,
        name: str,
        shortages: dict[str, str],
    ) -> None:
        self.entries = entries
        self.source = Source(name, buffer)
        self.shortages = shortages

    @property
    def weights(self) -> StoredWeights:
        """All of them, for a Model."""
        troubles = tuple(dict.fromkeys(self.shortages.values()))
        return StoredWeights(
            self.stored(), self.source.name, False, self.shortages, troubles
        )

    def fill(self, tensor: Any, name: str, dtype: str) -> None:
        """Give a TensorProto its values: a mark of where they lie, the values themselves where they are quantised.

        ``dtype`` is what the graph says of the constant: TensorFlow.js keeps an int64 as int32, a double as float32.
        """
        entry = self.entries[name]
        if numpy_dtype(dtype) is None or "string" in (dtype, entry.dtype):
            dtype = entry.dtype
        tensor.dtype = proto.DATA_TYPE_NUMBERS[dtype]
        del tensor.tensor_shape.dim[:]
        for size in entry.shape:
            tensor.tensor_shape.dim.add(size=size)
        if entry.dtype == "string":
            tensor.string_val.extend(self._strings(entry, name))
        elif entry.stored_as == entry.dtype == dtype and entry.length:
            tensor.tensor_content = mark_run(self.source, entry.offset, entry.length)
        else:
            values = self._array(entry, name).astype(numpy_dtype(dtype))
            tensor.tensor_content = values.tobytes()

    def _array(self, entry: Entry, name: str) -> np.ndarray:
        kind, stored = numpy_dtype(entry.dtype), numpy_dtype(entry.stored_as)
        if kind is None or stored is None:
            raise FormatError(
                f"{self.source.name}: {name!r} is of dtype {entry.dtype!r}"
            )
        raw = self.source.array(
            entry.offset, stored, entry.shape, f"the values of {name!r}"
        )
        if entry.stored_as in (entry.dtype, "float16"):
            return raw.astype(kind)
        array: np.ndarray = (raw * np.float64(entry.scale) + entry.least).astype(kind)
        return array

    def _strings(self, entry: Entry, name: str) -> list[bytes]:
        """Each string after its length in four bytes; a manifest does not say how long they are together."""
        strings, place = [], entry.offset
        for _ in range(_count(entry.shape)):
            length = int.from_bytes(self.source.read(place, 4, name), "little")
            strings.append(self.source.read(place + 4, length, name))
            place += 4 + length
        return strings

    def stored(self) -> dict[str, Stored]:
        """The weights for a StoredWeights."""
        stored_ = {}
        for name, entry in self.entries.items():
            plain = entry.stored_as == entry.dtype and entry.dtype != "string"
            decode = None if plain else self._decoder(name)
            piece = Piece(
                lambda: self.source, entry.offset, entry.length, None, None, decode
            )
            stored_[name] = Stored(entry.dtype, entry.shape, (piece,))
        return stored_

    def _decoder(self, name: str) -> Any:
        def decode(source: Source, piece: Piece) -> np.ndarray:
            entry = self.entries[name]
            if entry.dtype == "string":
                return np.array(self._strings(entry, name), object)
            return self._array(entry, name)

        return decode

    def variables(self) -> tuple[Variable, ...]:
        """The weights as a variable list."""
        shapes = {name: (e.dtype, e.shape) for name, e in self.entries.items()}
        roles = roles_by_name(shapes)
        stored = self.stored()
        return tuple(
            Variable(name, e.dtype, e.shape, stored[name].nbytes, roles[name].role)
            for name, e in self.entries.items()
        )


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def read_manifest(groups: list[object], name: str) -> Manifest:
    """The manifest of a ``model.json``; raises FormatError where it is damaged.

    Where a shard is missing or cut short, ``shortages`` says of which weights that leaves no values.
    """
    entries: dict[str, Entry] = {}
    shortages: dict[str, str] = {}
    buffer = JoinedBuffer()
    for group in groups:
        if not isinstance(group, dict):
            raise FormatError(f"{name}: a group of its weights manifest is none")
        group_ = _Group(group, buffer, name)
        entries |= group_.entries
        shortages |= group_.shortages
    return Manifest(entries, buffer, name, shortages)


class _Group:
    """One group of weights, which lie one after the other over its shards; these are added to ``buffer``."""

    def __init__(self, group: Row, buffer: JoinedBuffer, name: str) -> None:
        self.name, self.start, self.buffer = name, buffer.size, buffer
        self.shards = [_shard(path, name) for path in _listed(group, "paths")]
        self.lost = [shard for shard in self.shards if not exists(shard)]
        listed = [_entry(each, 0, name) for each in _listed(group, "weights")]
        self.needed = sum(entry.length for _, entry in listed)
        self.has_strings = any(entry.dtype == "string" for _, entry in listed)
        self.gap = self._append()
        self.entries = dict(self._placed(listed))
        self.shortages = self._shortages()

    def _append(self) -> range:
        """Put the shards into the buffer; returns the bytes that a single missing one leaves open."""
        there = [shard for shard in self.shards if exists(shard)]
        for shard in there:
            check_inside(shard, self.name.rpartition("/")[0], self.name)
        files = {shard: open_source(shard, packed=False) for shard in there}
        room = max(0, self.needed - sum(source.size for source in files.values()))
        gap = range(0)
        for shard in self.shards:
            if shard in files:
                self.buffer.append(files[shard])
            elif len(gap) == 0:
                gap = range(self.buffer.size, self.buffer.size + room)
                self.buffer.skip(room)
        return gap

    def _placed(self, listed: list[tuple[str, Entry]]) -> Iterator[tuple[str, Entry]]:
        place = self.start
        for key, entry in listed:
            entry = entry._replace(offset=place)
            if entry.dtype == "string":
                entry = entry._replace(length=_length(entry, self.buffer))
            yield key, entry
            place += entry.length

    def _shortages(self) -> dict[str, str]:
        """The weights whose bytes are not at hand: all, where it cannot be told which."""
        if self.lost and (len(self.lost) > 1 or self.has_strings):
            return dict.fromkeys(self.entries, self._lost())
        if self.lost:
            return {
                key: self._lost()
                for key, entry in self.entries.items()
                if entry.offset < self.gap.stop
                and entry.offset + entry.length > self.gap.start
            }
        end = max((e.offset + e.length for e in self.entries.values()), default=0)
        if end <= self.buffer.size:
            return {}
        shortage = f"{self.name}: its shards hold {self.buffer.size} bytes, its manifest needs {end}: one is truncated"
        return dict.fromkeys(self.entries, shortage)

    def _lost(self) -> str:
        listed = ", ".join(self.lost)
        shard = "this weight shard is" if len(self.lost) == 1 else "these shards are"
        return f"{listed}: {shard} missing: put it beside {self.name}"


def _listed(group: dict[str, object], key: str) -> list[object]:
    listed = group.get(key)
    return listed if isinstance(listed, list) else []


def _length(entry: Entry, buffer: JoinedBuffer) -> int:
    """The bytes of a string weight, which only its strings' own lengths tell; they may reach past what is at hand."""
    place = entry.offset
    for _ in range(_count(entry.shape)):
        data = buffer.fetch(place, place + 4)
        place += 4 + (int.from_bytes(data, "little") if len(data) == 4 else 0)
        if len(data) < 4:
            break
    return place - entry.offset


def _shard(path: object, name: str) -> str:
    text = str(path)
    if (
        not text
        or text.startswith("/")
        or "\\" in text
        or ":" in text
        or ".." in text.split("/")
    ):
        raise FormatError(
            f"{name}: a weight shard {text!r} outside of the model's folder: refused"
        )
    return beside(name, text)


def _entry(description: Any, place: int, what: str) -> tuple[str, Entry]:
    try:
        name, dtype = str(description["name"]), str(description["dtype"])
        shape = tuple(int(size) for size in description["shape"])
        how = description.get("quantization") or {}
        stored_as = str(how.get("dtype", dtype))
        scale, least = float(how.get("scale", 1)), float(how.get("min", 0))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError(
            f"{what}: a weight of its manifest is not described ({error!r})"
        ) from None
    kind = numpy_dtype(stored_as)
    count = _count(shape)
    if (
        kind is None
        or dtype not in proto.DATA_TYPE_NUMBERS
        or min(shape, default=0) < 0
        or count > _MOST
    ):
        raise FormatError(
            f"{what}: weight {name!r} is of dtype {stored_as!r} and shape {list(shape)}"
        )
    size = 0 if kind.hasobject else count * kind.itemsize
    return name, Entry(dtype, shape, stored_as, scale, least, place, size)
