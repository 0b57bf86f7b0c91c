"""Files behind a URL, by byte ranges: http(s) with the standard library, every other scheme through fsspec.

Only the ranges asked for are fetched. A server is believed in nothing: what it sends is counted against what was asked for, and timed;
it may redirect to http and https alone. What fails says which URL and why, as a FormatError.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from ..errors import FormatError

TIMEOUT = 10  # seconds without a byte
PATIENCE, RATE = (
    10,
    100_000,
)  # a file may take so many seconds, and one more for so many bytes of it
MOST_BYTES = 1 << 32  # of one answer, where nobody knows better
_CHUNK = 1 << 20
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


def system_of(path: str) -> tuple[Any, str]:
    """The fsspec file system of a URL and the path in it; raises FormatError where there is none."""
    import fsspec

    try:
        return fsspec.core.url_to_fs(path)  # type: ignore[no-any-return]
    except (*_FAILURES, ImportError) as error:
        raise FormatError(f"{path}: {_reason(error)}") from None


def import_system(path: str) -> None:
    """Import what opens a URL, without opening it: processes forked from here on need not do it each (s3fs takes most of a second)."""
    import fsspec

    if not _is_http(path):
        for scheme in path.partition("://")[0].split("::"):
            with suppress(*_FAILURES, ImportError):  # whoever opens it says so
                fsspec.get_filesystem_class(scheme)


def _open(path: str, **options: Any) -> Any:
    """The server's answer, to be closed by the caller; raises OSError where there is none."""
    from http.client import HTTPException  # late: most files are local
    from urllib.request import Request

    try:
        return _opener().open(Request(path, **options), timeout=TIMEOUT)
    except HTTPException as error:
        raise OSError(f"a broken answer: {error!r}") from None


@cache
def _opener() -> Any:
    """What speaks http and https and nothing else: a redirect to ``file:`` or ``ftp:`` finds no way."""
    from urllib import request

    director = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
    ):
        director.add_handler(handler())
    return director


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
            system, inner = system_of(path)
            size = system.size(inner)
            return None if size is None else int(size)
        with _open(path, method="HEAD") as answer:
            length = answer.headers.get("Content-Length")
            ranged = answer.headers.get("Accept-Ranges", "none") != "none"
            if length and int(length) < 0:
                raise ValueError(f"the server says that it has {length} bytes")
            return int(length) if length and ranged else None
    except _FAILURES as error:
        raise FormatError(f"{path}: cannot be opened ({_reason(error)})") from None


class Details(NamedTuple):
    """What a server says of a file; ``stamp`` is its etag, else the time of its last change; ``is_page``: it is HTML."""

    size: int
    stamp: str
    modified: float
    is_page: bool


def details_of(path: str) -> Details:
    """The details of a file behind http; raises FormatError where there is no such file."""
    from email.utils import parsedate_to_datetime

    try:
        with _open(path, method="HEAD") as answer:
            headers = answer.headers
            time = headers.get("Last-Modified", "")
            seconds = parsedate_to_datetime(time).timestamp() if time else 0.0
            size = max(0, int(headers.get("Content-Length") or 0))
            is_page = "html" in headers.get("Content-Type", "")
            return Details(size, headers.get("ETag") or time, seconds, is_page)
    except _FAILURES as error:
        raise FormatError(f"{path}: cannot be opened ({_reason(error)})") from None


class Traffic:
    """The bytes that were fetched while it was open."""

    def __init__(self) -> None:
        self.bytes = 0

    def __enter__(self) -> Traffic:
        self._before = _TRAFFIC.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _TRAFFIC.reset(self._before)


_TRAFFIC: ContextVar[Traffic | None] = ContextVar("traffic", default=None)


def _counted(data: bytes) -> bytes:
    traffic = _TRAFFIC.get()
    if traffic is not None:
        traffic.bytes += len(data)
    return data


class Deadline:
    """The seconds that the fetches of one file may take together."""

    def __init__(self, size: int | None = None) -> None:
        self.left = PATIENCE + (size or 0) / RATE

    def spend(self, begin: float) -> float:
        """What is left, ``begin`` ago; raises OSError where nothing is."""
        if time.monotonic() - begin > self.left:
            raise OSError("the server takes too long")
        return time.monotonic()


def fetch(
    path: str, start: int, stop: int | None, deadline: Deadline | None = None
) -> bytes:
    """The bytes from ``start`` up to ``stop`` (None: to the end); raises FormatError where they cannot be had, or not in time."""
    time_left, begin = deadline or Deadline(), time.monotonic()
    try:
        if not _is_http(path):
            system, inner = system_of(path)
            return _counted(bytes(system.cat_file(inner, start=start, end=stop)))
        headers = {} if stop is None else {"Range": f"bytes={start}-{stop - 1}"}
        with _open(path, headers=headers) as answer:
            is_part = answer.status == 206
            first = start if is_part else 0
            most = None if stop is None else stop - first
            data = _counted(_received(answer, most, time_left))
            _check_range(answer, start, is_part)
            data = data if is_part else data[start:stop]
        time_left.left -= time.monotonic() - begin
        if stop is not None and len(data) != stop - start:
            raise OSError(f"the server sent {len(data)} bytes")
        return data
    except _FAILURES as error:
        raise FormatError(
            f"{path}: bytes {start} to {stop} could not be fetched ({_reason(error)})"
        ) from None


def _received(answer: Any, most: int | None, deadline: Deadline) -> bytes:
    """The body of an answer, no more of it than is wanted; raises OSError where it is short, endless or slow."""
    begin = time.monotonic()
    limit = MOST_BYTES if most is None else most
    parts, count = [], 0
    while count < limit:
        part = answer.read1(min(_CHUNK, limit - count))
        deadline.spend(begin)
        if not part:
            break
        parts.append(part)
        count += len(part)
    promised = answer.headers.get("Content-Length")
    if count < limit and promised and count < min(int(promised), limit):
        raise OSError(f"the answer ends after {count} bytes of {promised}")
    if most is None and count == limit:
        raise OSError(f"the answer has more than {limit:,} bytes")
    return b"".join(parts)


def _check_range(answer: Any, start: int, is_part: bool) -> None:
    """Raise OSError where the server says that it sent another range than was asked for."""
    header = re.match(r"bytes (\d{1,18})-", answer.headers.get("Content-Range", ""))
    if is_part and header is not None and int(header[1]) != start:
        raise OSError(f"the server sent bytes from {header[1]} on, asked for {start}")


def is_file(path: str) -> bool:
    """Whether there is a file at this URL."""
    try:
        if _is_http(path):
            with _open(path, method="HEAD") as answer:
                kind = answer.headers.get("Content-Type", "")
                return not (answer.url.endswith("/") and "html" in kind)
        system, inner = system_of(path)
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
    system, inner = system_of(path)
    try:
        return bool(system.isdir(inner))
    except _FAILURES:
        return False


def listing(folder: str) -> list[str]:
    """The URLs of all that lies in a folder, sorted; [] where it cannot be listed (http has no listings)."""
    if _is_http(folder):
        base = folder.rstrip("/")
        marks = ("saved_model.pb", "saved_model.pbtxt", "checkpoint", "model.json")
        return [f"{base}/{name}" for name in marks if is_file(f"{base}/{name}")]
    system, inner = system_of(folder)
    try:
        paths = system.ls(inner, detail=False)
    except _FAILURES:
        return []
    names = sorted(entry.rstrip("/").rpartition("/")[2] for entry in paths)
    return [f"{folder.rstrip('/')}/{name}" for name in names]
