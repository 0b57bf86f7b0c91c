"""Keras 3 ``.keras``: a zip of ``config.json``, ``metadata.json`` and ``model.weights.h5``."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from ...errors import FormatError
from ...graph import Model
from ...wire.source import GZIP_FLOOR, GZIP_RATIO, Source
from ..options import Options

if TYPE_CHECKING:
    from ..weights.hdf5 import Hdf5

NAME = "Keras archive"
_MAGIC = b"PK\x03\x04"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LOCAL_HEADER = 30  # bytes before the file name in a zip's local header


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


def recognises(source: Source) -> bool:
    """A zip that holds a Keras config: zips of other things are not ours."""
    if source.head(4) != _MAGIC:
        return False
    try:
        return _CONFIG in _archive(source).namelist()
    except FormatError:
        return False


def _archive(source: Source) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BufferedReader(SourceFile(source, 0, source.size)))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FormatError(f"{source.name}: a damaged zip archive ({error})") from None


def read(source: Source, options: Options) -> Model:
    from ..keras.model import model_of_keras, parse_json

    archive = _archive(source)
    config = parse_json(_member(archive, _CONFIG, source), f"{source.name}: {_CONFIG}")
    names = archive.namelist()
    about: Any = {}
    if _METADATA in names:
        about = parse_json(_member(archive, _METADATA, source), source.name)
    version = about.get("keras_version", "") if isinstance(about, dict) else ""
    if _WEIGHTS not in names:
        raise FormatError(f"{source.name}: a Keras archive without {_WEIGHTS}")
    file = _weights(archive, source)
    return model_of_keras(config, file, source, NAME, str(version))


def _member(archive: zipfile.ZipFile, name: str, source: Source) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > max(GZIP_FLOOR, GZIP_RATIO * source.size):
        raise FormatError(f"{source.name}: {name} unpacks to {info.file_size:,} bytes")
    try:
        return archive.read(info)
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise FormatError(
            f"{source.name}: {name} cannot be unpacked ({error})"
        ) from None


def _weights(archive: zipfile.ZipFile, source: Source) -> Hdf5:
    from ..weights.hdf5 import Hdf5

    info = archive.getinfo(_WEIGHTS)
    if info.compress_type != zipfile.ZIP_STORED:
        return Hdf5(
            Source(f"{source.name}!{_WEIGHTS}", _member(archive, _WEIGHTS, source))
        )
    header = source.read(info.header_offset, _LOCAL_HEADER, "a zip header")
    lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(
        header[28:30], "little"
    )
    start = info.header_offset + _LOCAL_HEADER + lengths
    source.check(start, info.file_size, _WEIGHTS)
    return Hdf5(source, start, info.file_size)
