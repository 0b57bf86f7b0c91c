"""The files of a folder -> units: what ``load`` is given for one model, with all the files that belong to it.

Only names are looked at: which of the units are models, their bytes tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .places import File, Folder, stamp_of

_SHARD = re.compile(r"(.*)\.data-\d{5}-of-\d{5}\Z", re.DOTALL)
_V1_SHARD = re.compile(r"(.*)-\d{5}-of-\d{5}\Z", re.DOTALL)
_WEB_SHARD = re.compile(r"group\d+-shard\d+of\d+(\.bin)?\Z")
_SAVED = ("saved_model.pb", "saved_model.pbtxt")
_BESIDE = ("fingerprint.pb", "keras_metadata.pb", "tfhub_module.pb")  # a SavedModel
_INSIDE = re.compile(r"/(variables|assets|assets\.extra)\Z")
_SMALL = 1 << 16  # bytes of the text that names the latest checkpoint


@dataclass(frozen=True)
class Unit:
    """What may be one model. ``place`` is what people are shown, ``path`` what is read: another where it was unpacked from an archive."""

    place: str
    path: str
    size: int
    stamp: str
    modified: float = 0.0


def units_of(folders: Iterable[Folder]) -> Iterator[Unit]:
    """The units of all folders; what lies in the folders of a SavedModel belongs to it. Each folder comes before those in it."""
    saved: tuple[str, list[File]] | None = None
    for folder in folders:
        if saved is not None and not folder.path.startswith(f"{saved[0]}/"):
            yield _unit(*saved)
            saved = None
        if saved is not None and _INSIDE.sub("", folder.path) == saved[0]:
            saved[1].extend(folder.files)
            continue
        marks = [file for file in folder.files if file.name in _SAVED]
        if marks and folder.path:
            if saved is not None:
                yield _unit(*saved)
            saved = folder.path, marks
        yield from _units(folder)
    if saved is not None:
        yield _unit(*saved)


def _units(folder: Folder) -> Iterator[Unit]:
    by_name = {file.name: file for file in folder.files}
    groups: dict[str, list[File]] = {}
    for name, file in by_name.items():
        owner = _owner(name, file, by_name, bool(folder.path))
        if owner:
            groups.setdefault(owner, []).append(file)
    for owner, files in groups.items():
        if owner in by_name:
            yield _unit(by_name[owner].path, files)


def _owner(name: str, file: File, by_name: dict[str, File], in_folder: bool) -> str:
    """The file by which the model is opened that this file belongs to; "" where it is a part of something else."""
    if name == "checkpoint" and file.size < _SMALL:
        return ""  # names another
    is_saved = in_folder and any(mark in by_name for mark in _SAVED)
    if is_saved and name in (*_SAVED, *_BESIDE):
        return ""
    shard = _SHARD.match(name)
    if shard:
        return f"{shard[1]}.index"
    part = _V1_SHARD.match(name)
    if part:
        firsts = (n for n in by_name if n.startswith(f"{part[1]}-00000-of-"))
        return min(firsts, default="")
    if name.endswith(".meta"):
        stem = name.removesuffix(".meta")
        return next((n for n in _checkpoints(stem, by_name)), name)
    if _WEB_SHARD.match(name) and "model.json" in by_name:
        return "model.json"
    return name


def _checkpoints(stem: str, by_name: dict[str, File]) -> Iterator[str]:
    """The files by which a checkpoint of this name may be opened."""
    yield from (n for n in (f"{stem}.index", stem) if n in by_name)
    yield from sorted(n for n in by_name if n.startswith(f"{stem}-00000-of-"))


def _unit(path: str, files: list[File]) -> Unit:
    size, newest = sum(f.size for f in files), max(f.modified for f in files)
    return Unit(path, path, size, stamp_of(files), newest)
