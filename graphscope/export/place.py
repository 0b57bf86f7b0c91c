"""Where an export goes: written beside its place and renamed into it, so that it is there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import GraphscopeError, WouldOverwrite


def check_free(
    place: Path, source: str, force: bool, is_own: Callable[[Path], bool]
) -> None:
    """Raise WouldOverwrite where something stands at ``place`` that may not be replaced, GraphscopeError where its folder is missing.

    Replaced is, with ``force``, an empty folder or what ``is_own`` says this program could have written; never the source nor a folder
    that holds it.
    """
    if not place.absolute().parent.is_dir():
        raise GraphscopeError(
            f"cannot write {place}: there is no folder {str(place.absolute().parent)!r}"
        )
    if not os.path.lexists(place) or _is_empty(place):
        return
    if _holds(place, Path(source)):
        raise WouldOverwrite(
            f"{place} is the model itself, or holds it: write to another place"
        )
    if not force:
        raise WouldOverwrite(
            f"{place} is there already: --force replaces it, or write to another place"
        )
    if not is_own(place):
        raise WouldOverwrite(
            f"{place} is no export of this kind, so it is not replaced: remove it yourself, or write to another place"
        )


def _is_empty(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink() and not any(place.iterdir())


def _holds(place: Path, source: Path) -> bool:
    target, origin = place.resolve(), source.resolve()
    return target == origin or target in origin.parents


def write_beside(place: Path, write: Callable[[Path], object]) -> Any:
    """What ``write`` gives, which writes a file or folder beside ``place`` that takes its name when it is whole, and is removed otherwise.

    Raises GraphscopeError where the disk is full or refuses.
    """
    beside = place.with_name(f".{os.getpid()}.part.{place.name}")  # the suffix tells
    try:
        answer = write(beside)
        _install(beside, place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise GraphscopeError(f"{place}: cannot be written ({reason})") from None
    finally:
        remove(beside)
    return answer


def _install(beside: Path, place: Path) -> None:
    """Rename, with what stands there set aside until the new one has its name."""
    if not place.is_dir():
        os.replace(beside, place)
        return
    aside = place.with_name(f".{place.name}.{os.getpid()}.old")
    os.rename(place, aside)
    try:
        os.rename(beside, place)
    except OSError:
        os.rename(aside, place)
        raise
    remove(aside)


def remove(path: Path) -> None:
    """Delete a file or a folder, where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def check_space(place: Path, needed: int) -> None:
    """Raise GraphscopeError where the disk has not that many bytes left."""
    free = shutil.disk_usage(place.absolute().parent).free
    if free < needed:
        raise GraphscopeError(
            f"{place}: {needed:,} bytes are needed and {free:,} are free on that disk"
        )


def size_of(place: Path) -> int:
    """The bytes of a file, or of all files below a folder."""
    if place.is_file():
        return place.stat().st_size
    return sum(each.stat().st_size for each in place.rglob("*") if each.is_file())
