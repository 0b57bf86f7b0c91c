"""Since which GraphDef version (a graph's ``producer``) TensorFlow knows an op and its attributes, from the table beside this file.

``op_history.txt`` is what the registries of eleven releases from 1.0 to 2.21 say, written by ``tools/make_op_history.py``. An op counts from the
release on in which it has the arguments that it has today; what none of them knew is in no line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

NEVER = 1 << 31


class Lifetime(NamedTuple):
    """GraphDef versions: the first that knows the op, the first that no longer does, and since when its later attributes are known."""

    since: int
    gone: int
    attrs: Mapping[str, int]

    def knows(self, producer: int) -> bool:
        """Whether TensorFlow of that GraphDef version knows the op."""
        return self.since <= producer < self.gone


@cache
def _lines() -> tuple[str, ...]:
    path = Path(__file__).parent / "op_history.txt"
    return tuple(path.read_text("ascii").splitlines())


@cache
def releases() -> Mapping[int, str]:
    """GraphDef version -> the release of TensorFlow that was asked, oldest first."""
    pairs = (word.split("=") for word in _lines()[0].split()[1:])
    return {int(version): release for version, release in pairs}


@cache
def lifetimes() -> Mapping[str, Lifetime]:
    """Op -> since when it is known."""
    return dict(map(_lifetime, _lines()[1:]))


def release_of(producer: int) -> str:
    """The newest release asked that a reader of this GraphDef version is at least: ``""`` before the first."""
    history = list(releases())
    place = bisect_right(history, producer)
    return releases()[history[place - 1]] if place else ""


def _lifetime(line: str) -> tuple[str, Lifetime]:
    op, life, *later = line.split()
    since, _, gone = life.partition("-")
    attrs = {name: int(v) for name, v in (word.rsplit(":", 1) for word in later)}
    return op, Lifetime(int(since), int(gone) if gone else NEVER, attrs)
