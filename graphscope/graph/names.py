"""Unique names: the one place where a name that is taken gets a number."""

from __future__ import annotations

from collections.abc import Container, Iterable


def unused(
    name: str, names: Container[str], first: int = 1, form: str = "{}_{}"
) -> str:
    """``name``, or the first of ``name_1``, ``name_2`` ... that is not names.

    >>> unused("dense", {"dense", "dense_1"})
    'dense_2'
    """
    candidate, number = name, first
    while candidate in names:
        candidate, number = form.format(name, number), number + 1
    return candidate


class Names:
    """Gives each name once; ``first`` is the number that the second of a name bears."""

    def __init__(self, names: Iterable[str] = (), first: int = 1) -> None:
        self.taken, self.first = set(names), first
        self._next: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name, numbered where it was given before."""
        start = self._next.get(name, self.first)
        unique = unused(name, self.taken, start)
        if unique != name:
            self._next[name] = int(unique.rpartition("_")[2]) + 1
        self.taken.add(unique)
        return unique
