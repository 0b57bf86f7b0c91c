"""Files behind a URL, by byte ranges: http(s) with the standard library, every other scheme through fsspec.

Only the ranges asked for are fetched. What fails says which URL and why, as a FormatError.
"""

from __future__ import annotations

import re
from typing import Any

from ..errors import FormatError

TIMEOUT = 60  # seconds without a byte
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+(::[a-z0-9+]+)*://")
_FAILURES = (OSError, ValueError)  # http.client's own are turned into OSError in _open


def is_remote(path: str) -> bool:
    """Whether the path is a URL.

    >>> is_remote("s3://bucket/m.pb"), is_remote("C:/m.pb"), is_remote("m://")
    (True, False, False)
    """
    return bool(_URL.match(path))


def _is_http(path: str) -> bool:
    return path.startswith(("http://", "https://"))


def _system(path: str) -> tuple[Any, str]:
    """The fsspec file system of a URL and the path in it."""
    import fsspec

    try:
        return fsspec.core.url_to_fs(path)  # type: ignore[no-any-return]
    except (*_FAILURES, ImportError) as error:
        raise FormatError(f"{path}: {_reason(error)}") from None


def _open(path: str, **options: Any) -> Any:
    """The server's answer, to be closed by the caller; raises OSError where there is none."""
    from http.client import HTTPException  # late: most files are local
    from urllib.request import Request, urlopen

    try:
        return urlopen(Request(path, **options), timeout=TIMEOUT)
    except HTTPException as error:
        raise OSError(f"a broken answer: {error!r}") from None


def _reason(error: Exception) -> str:
    code, reason = getattr(error, "code", None), getattr(error, "reason", None)
    if code is not None:
        return f"the server says {code} {reason}"
    if reason is not None:
        return f"the server cannot be reached ({reason})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def size_of(path: str) -> int | None:
    """The size in bytes; None where only the whole file can be had. Raises FormatError where there is no such file."""
    try:
        if not _is_http(path):
            system, inner = _system(path)
            size = system.size(inner)
            return None if size is None else int(size)
        with _open(path, method="HEAD") as answer:
            length = answer.headers.get("Content-Length")
            ranged = answer.headers.get("Accept-Ranges", "none") != "none"
            return int(length) if length and ranged else None
    except _FAILURES as error:
        raise FormatError(f"{path}: cannot be opened ({_reason(error)})") from None


def fetch(path: str, start: int, stop: int | None) -> bytes:
    """The bytes from ``start`` up to ``stop`` (None: to the end); raises FormatError where they cannot be had."""
    try:
        if not _is_http(path):
            system, inner = _system(path)
            return bytes(system.cat_file(inner, start=start, end=stop))
        headers = {} if stop is None else {"Range": f"bytes={start}-{stop - 1}"}
        with _open(path, headers=headers) as answer:
            data: bytes = answer.read()
            return data if stop is None or answer.status == 206 else data[start:stop]
    except _FAILURES as error:
        raise FormatError(
            f"{path}: bytes {start} to {stop} could not be fetched ({_reason(error)})"
        ) from None


def is_file(path: str) -> bool:
    """Whether there is a file at this URL."""
    try:
        if _is_http(path):
            with _open(path, method="HEAD") as answer:
                kind = answer.headers.get("Content-Type", "")
                return not (answer.url.endswith("/") and "html" in kind)
        system, inner = _system(path)
        return bool(system.isfile(inner))
    except _FAILURES as error:
        if getattr(error, "code", None) is not None:  # the server has no such file
            return False
        raise FormatError(f"{path}: {_reason(error)}") from None


def is_folder(path: str) -> bool:
    """Whether there is a folder at this URL; over http, one whose SavedModel or checkpoint file answers."""
    if _is_http(path):
        base = path.rstrip("/")
        return any(
            is_file(f"{base}/{name}") for name in ("saved_model.pb", "checkpoint")
        )
    system, inner = _system(path)
    try:
        return bool(system.isdir(inner))
    except _FAILURES:
        return False


def listing(folder: str) -> list[str]:
    """The URLs of all that lies in a folder, sorted; [] where it cannot be listed (http has no listings)."""
    if _is_http(folder):
        base = folder.rstrip("/")
        known = ("saved_model.pb", "saved_model.pbtxt", "checkpoint", "model.json")
        return [f"{base}/{name}" for name in known if is_file(f"{base}/{name}")]
    system, inner = _system(folder)
    try:
        paths = system.ls(inner, detail=False)
    except _FAILURES:
        return []
    names = sorted(entry.rstrip("/").rpartition("/")[2] for entry in paths)
    return [f"{folder.rstrip('/')}/{name}" for name in names]
