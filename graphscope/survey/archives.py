"""A zip or a tar -> its files in a folder of ours, within bounds: no path leads out, nothing grows beyond a multiple of the archive."""

from __future__ import annotations

import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import FormatError

MOST_MEMBERS = 100_000
RATIO, FLOOR, MOST_BYTES = 64, 64 << 20, 64 << 30  # of all members together
_CHUNK = 1 << 20
_ZIP = b"PK\x03\x04"
_PACKED_TAR = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_FAILURES = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, RuntimeError, OSError, ValueError, OverflowError),
)


def is_archive(path: str) -> bool:
    """Whether a local file begins like a zip or a tar; what is packed must hold one."""
    try:
        with open(path, "rb") as file:
            head = file.read(512)
        if head.startswith(_ZIP):
            return True
        packed = head.startswith(_PACKED_TAR)
        return (packed or head[257:262] == b"ustar") and tarfile.is_tarfile(path)
    except _FAILURES:
        return False


def unpack(path: str, folder: Path) -> list[str]:
    """Write the members of an archive below ``folder``; returns what was left out, and why.

    Raises FormatError where the archive is damaged, or would grow beyond its budget.
    """
    budget = _Budget(path)
    remarks: list[str] = []
    try:
        for number, (name, size, stream) in enumerate(_members(path)):
            if number >= MOST_MEMBERS:
                raise FormatError(f"{path}: has more than {MOST_MEMBERS:,} members")
            target = _inside(folder, name)
            if target is None or stream is None:
                remarks.append(f"{name[:100]!r} is left out: no plain file below it")
                continue
            budget.check(size)
            with stream:
                _copy(stream, target, budget)
    except _FAILURES as error:
        raise FormatError(f"{path}: a damaged archive ({error})") from None
    return remarks


class _Budget:
    """What all members may come to; what they say and what they are both count."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.limit = min(max(FLOOR, RATIO * os.path.getsize(path)), MOST_BYTES)
        self.left = self.limit

    def check(self, size: int) -> None:
        if size > self.left:
            raise FormatError(
                f"{self.path}: would unpack to more than {self.limit:,} bytes: if you trust it, unpack it yourself"
            )

    def spend(self, size: int) -> None:
        self.check(size)
        self.left -= size


def _members(path: str) -> Iterator[tuple[str, int, IO[bytes] | None]]:
    """Name, size and content of each member that is no folder; no content for what is no plain file."""
    with open(path, "rb") as file:
        is_zip = file.read(4) == _ZIP
    if is_zip:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield info.filename, info.file_size, archive.open(info)
        return
    with tarfile.open(path) as tar:
        for member in tar:
            if not member.isdir():
                content = tar.extractfile(member) if member.isreg() else None
                yield member.name, max(0, member.size), content


def _inside(folder: Path, name: str) -> Path | None:
    """Where a member goes; None where its name leads out of the folder or is none."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    odd = any(part in ("", ".", "..", "/") or "\0" in part for part in parts)
    if odd or not parts or name.startswith("/"):
        return None
    return folder.joinpath(*parts)


def _copy(stream: IO[bytes], target: Path, budget: _Budget) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "xb") as file:  # two members of one name: the archive is damaged
        while data := stream.read(_CHUNK):
            budget.spend(len(data))
            file.write(data)
