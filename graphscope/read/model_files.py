"""No output takes the place of a file of the model that it is made from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import WouldOverwrite
from ..graph import Model

_MOST_WEIGHTS = 20_000  # whose places are looked at


def check_targets(model: Model, targets: Iterable[str | Path]) -> None:
    """Raise WouldOverwrite where one of these paths is a file of the model, by whatever name it is reached."""
    standing = [Path(target) for target in targets if os.path.exists(target)]
    if not standing:
        return
    files = {_identity(path) for path in source_files(model)}
    for target in standing:
        if _identity(target) in files:
            raise WouldOverwrite(
                f"{target} is a file of the model {model.source} itself: write to another place"
            )


def source_files(model: Model) -> Iterator[Path]:
    """The files that a model was read from, and those of its name beside them: a checkpoint's parts, a folder's contents."""
    source = Path(model.source)
    if source.is_dir():
        yield from (path for path in source.rglob("*") if path.is_file())
    elif source.parent.is_dir():
        stem = source.name.partition(".data-")[0]
        stem = stem.removesuffix(".index").removesuffix(".meta")
        for path in source.parent.iterdir():
            if path.name == source.name or path.name.startswith(f"{stem}."):
                yield path
    for name in list(model.weights)[:_MOST_WEIGHTS]:
        yield from (Path(each.path) for each in model.weights.extents(name) or ())


def _identity(path: Path) -> tuple[int, int]:
    """What makes two paths the same file."""
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino
