"""PLACE -> the files in it, folder by folder: a local folder or glob, one file, or any URL that fsspec opens.

Local links are followed where they stay inside of the place; devices, pipes and sockets are no files.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from ..errors import FormatError
from ..graph.named_values import Row
from ..wire.remote import is_remote, system_of
from .web_pages import files_below

_GLOB = re.compile(r"[*?\[]")
_FAILURES = (OSError, ValueError, ImportError)


@dataclass(frozen=True)
class File:
    """One file: ``stamp`` changes when its content does (an etag, else a time); ``modified`` in seconds since 1970, 0 where nobody says."""

    path: str
    size: int
    stamp: str = ""
    modified: float = 0.0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Folder:
    """The files of one folder, sorted by name."""

    path: str
    files: tuple[File, ...]


def folders_in(place: str) -> Iterator[Folder]:
    """Every folder of a place that holds files, each before those in it; raises FormatError where there is no such place."""
    if is_remote(place):
        yield from _remote_folders(place)
    elif os.path.isdir(place):
        yield from _local_folders(place.rstrip("/") or "/", os.path.realpath(place))
    elif os.path.isfile(place):
        yield Folder(os.path.dirname(place), tuple(_local_files([place], "")))
    elif _GLOB.search(place):
        yield from _matched(place)
    else:
        raise FormatError(f"{place}: no such file, folder or URL")


def _local_folders(folder: str, root: str) -> Iterator[Folder]:
    """Folders depth first; a link to a folder is left alone, as it may lead in a circle."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(here) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError:  # not ours to read
            continue
        paths = [e.path for e in entries if not e.is_dir(follow_symlinks=False)]
        files = tuple(_local_files(paths, root))
        if files:
            yield Folder(here, files)
        inner = [e.path for e in entries if e.is_dir(follow_symlinks=False)]
        pending += reversed(inner)


def _local_files(paths: Iterable[str], root: str) -> Iterator[File]:
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            continue
        if not stat.S_ISREG(status.st_mode) or root and not _is_inside(path, root):
            continue
        time = f"{status.st_mtime_ns}"
        yield File(path, status.st_size, time, status.st_mtime)


def _is_inside(path: str, root: str) -> bool:
    """Whether a file, or what a link leads to, lies in a folder."""
    return not os.path.islink(path) or os.path.realpath(path).startswith(
        root.rstrip("/") + "/"
    )


def _matched(pattern: str) -> Iterator[Folder]:
    """What a glob matches: folders with all in them, files grouped by their folder."""
    paths = sorted(glob.iglob(pattern, recursive=True))
    for path in paths:
        if os.path.isdir(path) and not pattern.endswith("**"):
            yield from _local_folders(path.rstrip("/"), os.path.realpath(path))
    files = _local_files((p for p in paths if os.path.isfile(p)), "")
    for folder, group in groupby(files, lambda file: os.path.dirname(file.path)):
        yield Folder(folder, tuple(group))


def _remote_folders(place: str) -> Iterator[Folder]:
    if place.startswith(("http://", "https://")):
        files = (File(*each) for each in files_below(place))
        for folder, group in groupby(files, lambda f: f.path.rpartition("/")[0]):
            yield Folder(folder, tuple(group))
        return
    system, inner = system_of(place)
    scheme = place.partition("://")[0]
    system.invalidate_cache()  # what is there now, not what an earlier survey saw
    try:
        if _GLOB.search(inner):
            matches = system.glob(inner, detail=True)
            yield from _grouped(scheme, matches)
        elif system.isfile(inner):
            yield from _grouped(scheme, {inner: system.info(inner)})
        else:
            for _, _, listed in system.walk(inner, detail=True):
                yield from _grouped(scheme, {e["name"]: e for e in listed.values()})
    except _FAILURES as error:
        raise FormatError(f"{place}: cannot be listed ({error})") from None


def _grouped(scheme: str, listed: Row) -> Iterator[Folder]:
    files = [
        _remote_file(f"{scheme}://{path.lstrip('/') if scheme != 'file' else path}", e)
        for path, e in sorted(listed.items())
        if e.get("type", "file") == "file"
    ]
    for folder, group in groupby(files, lambda f: f.path.rpartition("/")[0]):
        yield Folder(folder, tuple(group))


def _remote_file(path: str, entry: Row) -> File:
    """What a listing says of a file; each store calls its etag and its time otherwise."""
    etag = next((entry[k] for k in ("ETag", "etag", "md5Hash") if entry.get(k)), "")
    times = ("LastModified", "mtime", "updated", "last_modified", "created")
    time = next((entry[k] for k in times if entry.get(k)), 0)
    if isinstance(time, str):
        time = datetime.fromisoformat(time.replace("Z", "+00:00"))
    seconds = time.timestamp() if isinstance(time, datetime) else float(time)
    return File(path, int(entry.get("size") or 0), str(etag or seconds), seconds)


def stamp_of(files: Iterable[File]) -> str:
    """One stamp for several files."""
    text = "\n".join(f"{f.name} {f.size} {f.stamp}" for f in files)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
