"""What the user typed -> the one file to read: prefixes, shards, folders and ``checkpoint`` files.

Only the paths are looked at here, and the one text file that names another: what a file is, its bytes tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...errors import FormatError, UnknownFormat
from ...graph import did_you_mean
from ...wire.messages import parse_text
from ...wire.source import beside, exists, is_folder, listing, open_source, siblings
from ..detect.sniff import reads_like

INDEX_SUFFIX = ".index"
DATA_SUFFIX = re.compile(r"\.data-(\d{5})-of-(\d{5})$")
V1_SHARD = re.compile(r"-(\?{5}|\d{5})-of-(\d{5})\Z")
META_SUFFIX = ".meta"
_IN_A_FOLDER = ("saved_model.pb", "saved_model.pbtxt", "checkpoint", "model.json")
_MOST_STEPS = (
    8  # a checkpoint file that names a folder that holds a checkpoint file ...
)


def find_file(path: str) -> str:
    """The file that a path, prefix or folder stands for; raises FormatError with near names where there is none."""
    place = path.rstrip("/") if len(path) > 1 else path
    for _ in range(_MOST_STEPS):
        if not exists(place):
            if not is_folder(place):
                return _of_prefix(place)
            place = _in_folder(place)
        elif DATA_SUFFIX.search(place):
            return _index_of(place)
        elif (named := _named_by(place)) is not None:
            place = named
        else:
            return place
    raise FormatError(f"{path}: its checkpoint files name each other in a circle")


def _index_of(shard: str) -> str:
    index = DATA_SUFFIX.sub(INDEX_SUFFIX, shard)
    if not exists(index):
        raise FormatError(
            f"{shard}: the values of a checkpoint without {index}, which says what they are: put it beside them"
        )
    return index


def _of_prefix(place: str) -> str:
    if exists(place + INDEX_SUFFIX):
        return place + INDEX_SUFFIX
    names = siblings(place)
    for name in names:
        if name.startswith(place) and V1_SHARD.fullmatch(name[len(place) :]):
            return name
    for suffix in (META_SUFFIX, ".pb", ".pbtxt"):
        if exists(place + suffix):
            return place + suffix
    for name in names:
        if name.startswith(place) and DATA_SUFFIX.fullmatch(name[len(place) :]):
            return _index_of(name)
    base = place.rpartition("/")[2]
    bases = [name.rpartition("/")[2] for name in names]
    raise FormatError(f"{place}: no such file or checkpoint{did_you_mean(base, bases)}")


def _in_folder(folder: str) -> str:
    paths = listing(folder)
    for choose in (_by_name, _latest_checkpoint, _inner_model, _only_file):
        path = choose(paths)
        if path is not None:
            return path
    names = [path.rstrip("/").rpartition("/")[2] for path in paths]
    listed = ", ".join(list(dict.fromkeys(names))[:8]) or "nothing"
    raise UnknownFormat(
        f"{folder}: a folder without a SavedModel or a checkpoint (it holds {listed}): name one file"
    )


def _by_name(paths: Sequence[str]) -> str | None:
    """The file that a model's folder has by its format, the surest first."""
    names = {path.rstrip("/").rpartition("/")[2]: path for path in paths}
    return next((names[name] for name in _IN_A_FOLDER if name in names), None)


def _latest_checkpoint(paths: Sequence[str]) -> str | None:
    """The checkpoint of the most steps: values before a mere graph, for a ``.meta`` without values can't be run."""
    for suffix in (INDEX_SUFFIX, META_SUFFIX):
        steps = [path for path in paths if path.endswith(suffix)]
        if steps:
            return max(steps, key=_step)
    return None


def _inner_model(paths: Sequence[str]) -> str | None:
    """The one model in a folder of the folder; of versions, as TensorFlow Serving has them (``1/``, ``2/``), the latest."""
    inner = [path for path in paths if is_folder(path) and _holds_model(path)]
    versions = {path: path.rpartition("/")[2] for path in inner}
    if inner and all(version.isdigit() for version in versions.values()):
        return max(inner, key=lambda path: int(versions[path]))
    return inner[0] if len(inner) == 1 else None


def _only_file(paths: Sequence[str]) -> str | None:
    files = [path for path in paths if not is_folder(path)]
    return files[0] if len(files) == 1 else None


def _holds_model(folder: str) -> bool:
    return any(exists(f"{folder}/{name}") for name in _IN_A_FOLDER)


def _step(path: str) -> tuple[int, str]:
    """Later training steps last."""
    step = re.search(r"-(\d+)\.\w+\Z", path)
    return (int(step[1]) if step else -1, path)


def _named_by(path: str) -> str | None:
    """The checkpoint that a ``checkpoint`` file names; None where the file is something else."""
    source = open_source(path)
    if not reads_like("CheckpointState", source):
        return None
    state = parse_text("CheckpointState", source.text(), path)
    named = state.model_checkpoint_path
    if not named:
        raise FormatError(f"{path}: a checkpoint file that names no checkpoint")
    inner = beside(path, named)
    away = named.startswith("/") or "://" in named or ".." in named.split("/")
    if not away and _there(inner):
        return inner
    local = beside(
        path, named.rpartition("/")[2]
    )  # folders move; the files beside stay
    if away and not _there(local):
        raise FormatError(
            f"{path}: names {named!r}, outside of its folder, and nothing so called lies beside it: "
            "name the checkpoint itself"
        )
    return local


def _there(place: str) -> bool:
    if exists(place) or exists(place + INDEX_SUFFIX) or is_folder(place):
        return True
    return any(
        name.startswith(place) and V1_SHARD.fullmatch(name[len(place) :])
        for name in siblings(place)
    )


def graph_beside(path: str) -> str | None:
    """The ``.meta`` that lies beside a checkpoint file; None where there is none."""
    stem = DATA_SUFFIX.sub("", path.removesuffix(INDEX_SUFFIX))
    for base in (stem, V1_SHARD.sub("", stem)):
        if exists(base + META_SUFFIX):
            return base + META_SUFFIX
    return None


def drawing_beside(path: str) -> str | None:
    """The ``graph.pbtxt`` that Estimators and ``tf.train.write_graph`` leave beside checkpoints; None if there is none."""
    drawing = beside(path, "graph.pbtxt")
    return drawing if exists(drawing) else None


def checkpoint_beside(path: str) -> str | None:
    """The checkpoint that lies beside a ``.meta``; None where there is none."""
    stem = path.removesuffix(META_SUFFIX)
    if stem == path:
        return None
    if exists(stem + INDEX_SUFFIX):
        return stem + INDEX_SUFFIX
    if exists(stem):
        return stem
    for name in siblings(path):
        if name.startswith(stem) and V1_SHARD.fullmatch(name[len(stem) :]):
            return name
    return None
