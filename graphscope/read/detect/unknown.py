"""Bytes that no reader knows -> what they are instead, in words."""

from __future__ import annotations

import json

from ...wire.source import Source

_MAGIC = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer: fetch the file itself (git lfs pull)",
    ),
    (b"<!DOCTYPE", "a web page, not a model: the download went wrong"),
    (b"<html", "a web page, not a model: the download went wrong"),
    (b"PK\x03\x04", "a zip archive that is no Keras file: unpack it first"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file that is no Keras model"),
    (b"\x80\x02", "a Python pickle (PyTorch?): graphscope never unpickles"),
    (b"\x80\x04", "a Python pickle: graphscope never unpickles"),
    (b"\x93NUMPY", "a numpy array"),
    (b"BZh", "bzip2 data: unpack it first"),
    (b"\xfd7zXZ", "xz data: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd data: unpack it first"),
)
_SHOWN = 6


def describe(source: Source) -> str:
    """One clause that says what a file seems to be."""
    head = source.head(1 << 16)
    for magic, description in _MAGIC:
        if head.startswith(magic):
            return description
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it first"
    if head.lstrip()[:1] in (b"{", b"["):
        return _json(source)
    suspected = _truncated(source)
    if suspected:
        return suspected
    if b"\0" not in head and head.isascii():
        return f"text that begins {head[:40].decode()!r}, not a model"
    return f"{source.size} bytes of an unknown kind (they begin {head[:8].hex(' ')})"


def _json(source: Source) -> str:
    try:
        document = json.loads(source.head(1 << 24))
    except (ValueError, RecursionError):
        return "text that begins like JSON and is not"
    if not isinstance(document, dict):
        return "a JSON document that holds no model"
    keys = ", ".join(map(repr, list(document)[:_SHOWN]))
    return f"a JSON document about a model (keys {keys}), not the model itself: it holds no graph and no weights"


def _truncated(source: Source) -> str:
    if source.name.endswith(".index"):
        return "named .index, but the table's footer is not at its end: a truncated checkpoint index"
    return ""
