"""Files that appear whole or not at all: written beside their place, and renamed into it.

The name beside it holds the number of the process, so that a later run can tell what a killed one left.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import GraphscopeError

_UNFINISHED: set[Path] = set()


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path in the same folder to write to, which becomes ``path`` when all went well and is removed when not.

    Raises GraphscopeError where the disk is full or refuses.
    """
    remove_stale(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    _UNFINISHED.add(unfinished.absolute())
    try:
        yield unfinished
        os.replace(unfinished, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise GraphscopeError(f"cannot write {path}: {reason}") from None
    finally:
        unfinished.unlink(missing_ok=True)
        _UNFINISHED.discard(unfinished.absolute())


def remove_unfinished() -> None:
    """Remove what this process has not finished: for an end that runs no ``finally``."""
    for path in list(_UNFINISHED):
        path.unlink(missing_ok=True)


def remove_stale(path: Path) -> None:
    """Remove what runs that were killed left beside ``path``: our own files, of processes that are no more."""
    own = re.compile(rf"\.{re.escape(path.name)}\.(\d{{1,9}})\.part")
    try:
        names = os.listdir(path.parent)
    except OSError:
        return
    for name in names:
        match = own.fullmatch(name)
        if match and not is_running(int(match[1])):
            left = path.with_name(name)
            if left.is_file() and not left.is_symlink():
                left.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
