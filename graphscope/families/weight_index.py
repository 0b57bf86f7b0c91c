"""The weights of a checkpoint by the names that a builder gives them: indexed once for all families."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..graph import Variable
from ..read.variables.roles import PARAMETERS

AVERAGE = "/ExponentialMovingAverage"


class WeightIndex:
    """``shapes`` by name, ``stored`` the checkpoint's key of each.

    A name is what the program called the variable (an object-based checkpoint keeps that beside its key); moving
    averages that are saved without their weights stand for them.
    """

    def __init__(self, variables: Iterable[Variable]) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.stored: dict[str, str] = {}
        listed = list(variables)
        for variable in listed:
            if variable.role in PARAMETERS:
                self._add(variable, _name(variable))
        if not self.shapes:
            for variable in listed:
                if variable.name.endswith(AVERAGE):
                    self._add(variable, variable.name.removesuffix(AVERAGE))
        self.children: dict[str, set[str]] = defaultdict(set)
        self.roots: dict[str, list[str]] = defaultdict(list)
        for name in self.shapes:
            parts = name.split("/")
            for place, part in enumerate(parts):
                root = "/".join(parts[:place])
                self.children[root].add(part)
                self.roots["/".join(parts[place:])].append(root)

    def _add(self, variable: Variable, name: str) -> None:
        if name not in self.shapes:
            self.shapes[name] = tuple(size or 0 for size in variable.shape or ())
            self.stored[name] = variable.name

    def count(self, root: str, pattern: str, start: int) -> int:
        """How many consecutive numbers stand at ``{}`` of a pattern below a root."""
        head, _, tail = pattern.partition("{}")
        parent, _, stem = head.rpartition("/")
        scope = under(root, parent)
        end, whole = tail.split("/")[0], tail.partition("/")[2]
        last = start
        while f"{stem}{last}{end}" in self.children.get(scope, ()):
            if whole and under(scope, f"{stem}{last}{end}/{whole}") not in self.shapes:
                break
            last += 1
        return last - start


def _name(variable: Variable) -> str:
    name = variable.full_name or variable.path or variable.name
    return name.removesuffix(":0")


def under(root: str, path: str) -> str:
    """The path below a root; each leading ``../`` leaves one scope of it.

    >>> under("bert/encoder", "../cls/bias"), under("", "conv/kernel")
    ('bert/cls/bias', 'conv/kernel')
    """
    while path.startswith("../"):
        root, path = root.rpartition("/")[0], path.removeprefix("../")
    return "/".join(part for part in (root, path) if part)
