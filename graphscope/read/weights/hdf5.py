"""HDF5 files as Keras writes them: groups, attributes, and datasets that stay in the file.

Links and datasets that lead to other files are never followed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...errors import FormatError
from ...wire.source import Source
from .stored import Piece, Stored

MAGIC = b"\x89HDF\r\n\x1a\n"
FLOOR, RATIO = 64 << 20, 64  # what a compressed dataset may grow to
_MOST_OBJECTS = 1_000_000


class Dataset(NamedTuple):
    """One array: its path in the file, and where its values lie."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    stored: Stored


class SourceFile(io.RawIOBase):
    """A part of a Source as the file object that h5py wants."""

    def __init__(self, source: Source, start: int, size: int) -> None:
        self.source, self.start, self.size, self.place = source, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, target: Any) -> int:
        first = self.start + self.place
        length = max(0, min(len(target), self.size - self.place))
        target[:length] = self.source[first : first + length]
        self.place += length
        return length


class Hdf5:
    """An open HDF5 file that is a whole Source, or lies in it uncompressed from byte ``start`` on."""

    def __init__(self, source: Source, start: int = 0, size: int | None = None) -> None:
        import h5py

        self.source, self.start = source, start
        length = source.size - start if size is None else size
        try:
            self.file = h5py.File(SourceFile(source, start, length), "r")
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise FormatError(
                f"{source.name}: an HDF5 file that cannot be opened ({error}): it is damaged"
            ) from None

    def _object(self, path: str) -> Any | None:
        """The group or dataset at a path, by hard links alone."""
        import h5py

        here: Any = self.file
        for part in [p for p in path.split("/") if p]:
            if not isinstance(here, h5py.Group) or part not in here:
                return None
            if not isinstance(here.get(part, getlink=True), h5py.HardLink):
                raise FormatError(
                    f"{self.source.name}: {path!r} is a link, which graphscope does not follow"
                )
            here = here[part]
        return here

    def has(self, path: str) -> bool:
        """Whether there is such a group or dataset."""
        return self._guarded(self._object, path) is not None

    def attribute(self, path: str, name: str) -> Any | None:
        """An attribute as text or a list of texts; None where there is none. Long lists come in chunks (``name0``)."""
        return self._guarded(self._attribute, path, name)

    def _attribute(self, path: str, name: str) -> Any | None:
        found = self._object(path)
        if found is None:
            return None
        if name in found.attrs:
            return _text(found.attrs[name])
        chunks, number = [], 0
        while f"{name}{number}" in found.attrs:
            chunk = _text(found.attrs[f"{name}{number}"])
            chunks += chunk if isinstance(chunk, list) else [chunk]
            number += 1
        return chunks or None

    def texts(self, path: str, name: str) -> list[str]:
        """An attribute that is a list of texts; [] where it is absent or something else."""
        found = self.attribute(path, name)
        return [str(each) for each in found] if isinstance(found, list) else []

    def dataset(self, path: str) -> Dataset | None:
        """The dataset at a path; None where there is none."""
        import h5py

        found = self._guarded(self._object, path)
        return self._described(path, found) if isinstance(found, h5py.Dataset) else None

    def datasets(self) -> Iterator[Dataset]:
        """All datasets, in the order of the file's groups."""
        import h5py

        waiting: list[tuple[str, Any]] = [("", self.file)]
        seen: set[int] = set()
        while waiting:
            path, here = waiting.pop()
            place = self._guarded(_address, here) if here is not None else -1
            if here is None or place in seen or len(seen) > _MOST_OBJECTS:
                continue
            seen.add(place)
            if isinstance(here, h5py.Dataset):
                yield self._described(path, here)
            elif isinstance(here, h5py.Group):
                names = self._guarded(list, here)
                for name in reversed(names):
                    inner = f"{path}/{name}".strip("/")
                    waiting.append((inner, self._guarded(self._object, inner)))

    def _described(self, path: str, found: Any) -> Dataset:
        return self._guarded(self._describe, path, found)  # type: ignore[no-any-return]

    def _describe(self, path: str, found: Any) -> Dataset:
        if found.external or found.is_virtual:
            raise FormatError(
                f"{self.source.name}: the values of {path!r} are said to lie in other files: not followed"
            )
        dtype, shape = found.dtype, tuple(found.shape or ())
        name = "string" if dtype.kind in "OSU" else dtype.name
        offset = found.id.get_offset()
        little = dtype.newbyteorder("<") == dtype
        if offset is not None and little and dtype.kind in "fiub":
            size = int(np.prod(shape, dtype=object)) * dtype.itemsize
            piece = Piece(lambda: self.source, self.start + offset, size)
        else:
            piece = Piece(lambda: self.source, 0, 0, None, None, self._decoder(path))
        return Dataset(path, name, shape, Stored(name, shape, (piece,)))

    def _decoder(self, path: str) -> Any:
        def decode(source: Source, piece: Piece) -> np.ndarray:
            found = self.file[path]
            if found.size * found.dtype.itemsize > max(FLOOR, RATIO * source.size):
                raise FormatError(
                    f"{source.name}: {path!r} unpacks to {found.size:,} values: refused"
                )
            array = self._guarded(lambda: np.asarray(found[()]))
            if array.dtype.kind in "OSU":
                return array.astype(object)
            made: np.ndarray = array.astype(array.dtype.newbyteorder("<"), copy=False)
            return made

        return decode

    def _guarded(self, call: Any, *arguments: Any) -> Any:
        """``call(*arguments)``; what h5py throws at a damaged file becomes a FormatError."""
        try:
            return call(*arguments)
        except (
            OSError,
            ValueError,
            RuntimeError,
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
            MemoryError,
        ) as error:
            raise FormatError(
                f"{self.source.name}: damaged HDF5 ({' '.join(str(error).split())})"
            ) from None


def _address(found: Any) -> int:
    import h5py

    return int(h5py.h5o.get_info(found.id).addr)


def _text(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_text(each) for each in value.tolist()]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
