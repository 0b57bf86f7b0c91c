"""What a family leaves open, as defaults of its builder's parameters; each is solved from the names and shapes of a file.

``def resnet(net: Net, units: Counts = counts("block{}/unit_{}"), width: Size = size(), classes: Size = size())``: the
functions return an ``Unknown``, typed as what the builder gets in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Counts = Sequence[int]


class Width:
    """A width that the first shape which mentions it binds, and every later one must agree with; it may be scaled.

    >>> width = Width("width")
    >>> (2 * width).meets(64), width.meets(32), width.meets(33)
    (True, True, False)
    """

    def __init__(
        self, name: str, bound: list[int] | None = None, scale: int = 1
    ) -> None:
        self.name, self.scale = name, scale
        self.bound: list[int] = bound if bound is not None else []

    def __mul__(self, factor: int) -> Width:
        return Width(self.name, self.bound, self.scale * factor)

    __rmul__ = __mul__

    def meets(self, size: int) -> bool:
        """Whether a stored size is this width; binds it where nothing has yet."""
        if not self.bound and size and size % self.scale == 0:
            self.bound.append(size // self.scale)
        return bool(self.bound) and self.bound[0] * self.scale == size

    @property
    def value(self) -> int | None:
        return self.bound[0] * self.scale if self.bound else None

    def __repr__(self) -> str:
        return str(self.value) if self.bound else self.name


Size = int | Width | None


def number(size: Size) -> int | None:
    """The number that a size has come to; None where nothing has bound it."""
    return size.value if isinstance(size, Width) else size


@dataclass(frozen=True)
class Unknown:
    """One open value: ``kind`` is size, count, counts, has, names, one of or free.

    ``where`` is a name of the file in which ``{}`` stands for a number, ``values`` what a "one of" may be, the default of
    a "free", the names of which one holds an optional size.
    """

    kind: str
    where: str = ""
    start: int = 1
    values: tuple[Any, ...] = ()


def size(*where: str) -> Any:
    """A width. With ``where`` it is optional: None where no weight of these names is in the file."""
    return Unknown("size", values=where)


def count(where: str, start: int = 1) -> Any:
    """How many consecutive numbers stand at ``{}`` in the names of the file."""
    return Unknown("count", where, start)


def counts(where: str, start: int = 1) -> Any:
    """The same for each number of an outer ``{}``: ``block{}/unit_{}`` gives the units of every block."""
    return Unknown("counts", where, start)


def has(where: str) -> Any:
    """Whether the file holds a weight of that name: an optional part."""
    return Unknown("has", where)


def names(where: str) -> Any:
    """What stands right below a scope of the file, sorted."""
    return Unknown("names", where)


def one_of(*values: object) -> Any:
    """A value that no name and no shape states by itself (a multiplier, a published depth): each is tried, in order."""
    return Unknown("one of", values=values)


def free(default: object) -> Any:
    """A value that names and shapes leave open (attention heads, an epsilon): always reported with the claim."""
    return Unknown("free", values=(default,))
