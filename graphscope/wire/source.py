"""A place that bytes come from: a mapped local file, bytes in memory, or the byte ranges of a remote file.

Nothing is read but what is asked for. Every access is checked against the size: an offset or a length from a file
is a claim, not a fact.
"""

from __future__ import annotations

import gzip
import io
import mmap
import os
import zlib
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FormatError
from ..graph import Extent
from . import remote
from .remote import is_remote

GZIP_MAGIC = b"\x1f\x8b\x08"
GZIP_RATIO, GZIP_FLOOR = 64, 64 << 20  # what a gzip file may grow to: a bomb does more
BLOCK = 1 << 16  # remote files are fetched in blocks of this size
CACHED_BLOCKS = 64
LARGEST_RUN, KEPT_RUNS = (
    4 << 20,
    32 << 20,
)  # bytes of one array, and of all that are kept


class Source:
    """Random access to the bytes of one file; ``name`` is what the user calls it."""

    def __init__(self, name: str, buffer: Any, local: bool = False) -> None:
        self.name, self.buffer, self.local = name, buffer, local
        self.size = len(buffer)
        self.token = os.urandom(12)  # marks what protobuf.py left behind in here

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> Any:
        return self.buffer[index]

    def head(self, length: int = 4096) -> bytes:
        """The first bytes: what a format is told by."""
        return bytes(self.buffer[:length])

    def text(self) -> str:
        """The whole file as text; raises FormatError where it is none."""
        try:
            return bytes(self.buffer[:]).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(f"{self.name}: not text after all ({error})") from None

    def read(self, offset: int, length: int, what: str = "data") -> bytes:
        """A copy of some bytes; raises FormatError where the file does not hold them."""
        self.check(offset, length, what)
        return bytes(self.buffer[offset : offset + length])

    def check(self, offset: int, length: int, what: str = "data") -> None:
        """Raise FormatError unless the file holds these bytes."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise FormatError(
                f"{self.name}: {what} should lie at bytes {offset} to {offset + length}, "
                f"but the file ends at {self.size}: it is truncated or damaged, copy it again"
            )

    def array(
        self,
        offset: int,
        dtype: np.dtype[np.generic],
        shape: tuple[int, ...],
        what: str,
    ) -> np.ndarray:
        """A read-only array over the file's own bytes where it is mapped, else a copy."""
        count = 1
        for size in shape:
            count *= size
        self.check(offset, count * dtype.itemsize, what)
        if isinstance(self.buffer, (mmap.mmap, bytes)):
            array = np.frombuffer(self.buffer, dtype, count, offset)
        else:  # these bytes and no others: a whole block may be a thousand times as much
            end = offset + count * dtype.itemsize
            is_ranged = isinstance(self.buffer, RangeBuffer)
            fetch = self.buffer.run if is_ranged else self.buffer.fetch
            data = fetch(offset, end) if end > offset else b""
            if len(data) != end - offset:
                raise FormatError(f"{self.name}: {what} came back as {len(data)} bytes")
            array = np.frombuffer(data, dtype)
        return array.reshape(shape)

    def extent(self, offset: int, length: int) -> Extent | None:
        """Where these bytes lie on disk; None where they are not on a disk as they are."""
        return Extent(self.name, offset, length) if self.local else None


class RangeBuffer:
    """A remote file as something that can be sliced: fetched in blocks, the last few kept."""

    def __init__(self, fetch: Any, size: int) -> None:
        self.fetch, self.size = fetch, size
        self.blocks: OrderedDict[int, bytes] = OrderedDict()
        self.runs: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self.run_bytes = 0  # bytes of runs

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int):
            return self._block(index // BLOCK)[index % BLOCK]
        start, stop, _ = index.indices(self.size)
        if stop - start > 4 * BLOCK:
            return self.fetch(start, stop)  # an array: as one range, not kept
        parts = [self._block(n) for n in range(start // BLOCK, -(-stop // BLOCK))]
        first = start // BLOCK * BLOCK
        return b"".join(parts)[start - first : max(stop, start) - first]

    def run(self, start: int, stop: int) -> bytes:
        """These bytes and no others, kept for a while where they are not many: the same array is asked for again and again."""
        key = start, stop
        if key in self.runs:
            return self.runs[key]
        data = bytes(self.fetch(start, stop))
        if len(data) <= LARGEST_RUN:
            self.runs[key] = data
            self.run_bytes += len(data)
            while self.run_bytes > KEPT_RUNS:
                self.run_bytes -= len(self.runs.popitem(last=False)[1])
        return data

    def _block(self, number: int) -> bytes:
        if number not in self.blocks:
            start = number * BLOCK
            self.blocks[number] = self.fetch(start, min(start + BLOCK, self.size))
            if len(self.blocks) > CACHED_BLOCKS:
                self.blocks.popitem(last=False)
        return self.blocks[number]


def open_source(path: str, packed: bool = True) -> Source:
    """The file at a path or URL, unpacked where it is gzip (unless told that it is not ``packed``).

    Raises FormatError where it cannot be opened.
    """
    source = _open_remote(path) if is_remote(path) else _open_local(path)
    if not packed:
        return source
    return _unpacked(source) if source.head(3) == GZIP_MAGIC else source


def _open_local(path: str) -> Source:
    try:
        with open(path, "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return Source(path, b"", True)
            return Source(
                path, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), True
            )
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: cannot be opened ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _open_remote(path: str) -> Source:
    size = remote.size_of(path)
    if size is None:
        return Source(path, remote.fetch(path, 0, None))
    fetch = partial(remote.fetch, path, deadline=remote.Deadline(size))
    return Source(path, RangeBuffer(fetch, size))


def _unpacked(source: Source) -> Source:
    limit = max(GZIP_FLOOR, GZIP_RATIO * source.size)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(source.buffer[:])) as file:
            data = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(
            f"{source.name}: gzip data that cannot be unpacked ({error}): copy it again"
        ) from None
    if len(data) > limit:
        raise FormatError(
            f"{source.name}: unpacks to more than {limit:,} bytes; if you trust it, gunzip it first"
        )
    return Source(source.name, data)


def exists(path: str) -> bool:
    """Whether there is a file at this path or URL."""
    return remote.is_file(path) if is_remote(path) else os.path.isfile(path)


def is_folder(path: str) -> bool:
    """Whether there is a folder at this path or URL."""
    return remote.is_folder(path) if is_remote(path) else os.path.isdir(path)


def siblings(path: str) -> list[str]:
    """The paths of all that lies in the same folder, sorted; [] where it cannot be listed."""
    folder, _, _ = path.rpartition("/")
    return listing(folder if folder or path.startswith("/") else ".")


def listing(folder: str) -> list[str]:
    """The paths of all that lies in a folder, sorted; [] where it cannot be listed."""
    if is_remote(folder):
        return remote.listing(folder)
    try:
        return sorted(str(Path(folder) / name) for name in os.listdir(folder))
    except OSError:
        return []


def check_inside(path: str, folder: str, named: str = "") -> None:
    """Raise FormatError where a local file of a model leads out of the model's folder through a link.

    The one rule of all formats. ``named`` is the file that the user named: where that is a link itself, as in the caches of model
    hubs, what lies in the folder that it leads to counts as inside.
    """
    if is_remote(path):
        return
    real = os.path.realpath(path)
    roots = [os.path.realpath(folder or ".")]
    roots += [os.path.dirname(os.path.realpath(named))] if named else []
    if not any(os.path.commonpath([real, root]) == root for root in roots):
        raise FormatError(
            f"{path}: a link to {real}, outside of the model's folder: copy the file there, or name it yourself"
        )


def beside(path: str, name: str) -> str:
    """The path of ``name`` in the folder of ``path``."""
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{name}"
