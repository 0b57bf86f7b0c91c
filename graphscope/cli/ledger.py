"""Which files and folders graphscope wrote, as they were when it wrote them: what else stands at an output's place is somebody's own.

The ledger lies in the user's state folder (``$XDG_STATE_HOME/graphscope``, else ``~/.local/state/graphscope``). What is not in it, or
was changed since, is replaced only with ``--force``; without a ledger that can be written, so is everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import WouldOverwrite

MOST_ENTRIES = 10_000
KERAS = ("model.py", "model.weights.h5", "weights.npz", "model.keras")


def check_ours(paths: Iterable[str | Path], force: bool, folders: bool = False) -> None:
    """Raise WouldOverwrite where a file stands that graphscope did not write, or that was edited since; ``folders`` may stand there too."""
    entries: dict[str, Any] | None = None
    for path in paths:
        if not os.path.lexists(path) or folders and _is_empty(path):
            continue
        if not os.path.isfile(path) and not (folders and os.path.isdir(path)):
            raise WouldOverwrite(f"{path} is there already and is no file")
        if force:
            continue
        entries = _entries() if entries is None else entries
        state = entries.get(_key(path))
        if state is None:
            raise WouldOverwrite(
                f"{path} is there already and graphscope did not write it: --force replaces it, or write to another place"
            )
        if state != _state(path):
            raise WouldOverwrite(
                f"{path} was changed since graphscope wrote it: --force replaces it, or write to another place"
            )


def _is_empty(path: str | Path) -> bool:
    return os.path.isdir(path) and not os.listdir(path)


def remember(paths: Iterable[str | Path]) -> None:
    """Enter those of these files that are there; a ledger that cannot be written is none."""
    entries = _entries()
    for path in paths:
        if os.path.exists(path):
            entries.pop(_key(path), None)  # the latest last
            entries[_key(path)] = _state(path)
    latest = dict(list(entries.items())[-MOST_ENTRIES:])
    place = _place()
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(
            json.dumps(latest), encoding="utf-8", errors="surrogateescape"
        )
        os.replace(beside, place)
    except OSError:
        return


def _place() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state, "graphscope", "written.json")


def _entries() -> dict[str, Any]:
    try:
        text = _place().read_text(encoding="utf-8", errors="surrogateescape")
        entries = json.loads(text)
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _key(path: str | Path) -> str:
    return os.path.realpath(path)


def _state(path: str | Path) -> list[int]:
    """What changes when somebody edits a file, or one below a folder: bytes, newest time; of a folder, entries too."""
    if not os.path.isdir(path):
        status = os.stat(path)
        return [status.st_size, status.st_mtime_ns]
    below = [
        os.path.join(place, n)
        for place, d, names in os.walk(path)
        for n in (*d, *names)
    ]
    entries = [os.lstat(each) for each in (path, *below)]
    sizes = sum(each.st_size for each in entries)
    return [sizes, max(each.st_mtime_ns for each in entries), len(entries)]
