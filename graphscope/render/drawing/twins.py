"""Items that are many and alike -> one item: the thirty summaries, the hundred initialisers of a training graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ...graph.order import components
from .scope import Scope
from .units import Units

TWINS = 4  # items that read and feed the same before they become one
LIKE = 8  # items of one kind that read, or feed, the same before they become one
_SMALL = 20  # units of a component that may be one of several alike


def join_twins(scope: Scope, units: Units) -> None:
    """Let units of one kind that read and feed the same be one item."""
    both: dict[object, list[str]] = defaultdict(list)
    one: dict[object, list[str]] = defaultdict(list)
    for item in scope.items:
        if isinstance(item, str):
            kind, sources = units.kinds[item], tuple(units.before[item])
            targets = tuple(units.after[item])
            if sources or targets:
                both[kind, sources, targets].append(item)
            if targets and len(targets) == 1:
                one[kind, "feeds", targets].append(item)
            if sources and len(sources) == 1 and not targets:
                one[kind, "reads", sources].append(item)
    gone: set[str] = set()
    for groups, least in ((both, TWINS), (one, LIKE)):
        for alike in groups.values():
            rest = [item for item in alike if item not in gone]
            if len(rest) >= least and len(rest) < len(scope.items):
                gone.update(rest)
                path = (*scope.path, f"{rest[0].rpartition('/')[2]} …")
                twin = Scope(path, "twins", list(rest), copies=len(rest))
                scope.items.append(twin)
    scope.items = [i for i in scope.items if isinstance(i, Scope) or i not in gone]


def like_components(units: Units, roles: Mapping[str, str]) -> list[Scope]:
    """What hangs together with nothing else, where there are several of a kind: twenty initialisers, one box."""
    near: dict[str, list[str]] = {h: [] for h in units.stacks if h not in roles}
    for head in near:
        for reader in units.after[head]:
            if reader in near:
                near[head].append(reader)
                near[reader].append(head)
    place = {head: i for i, head in enumerate(units.stacks)}
    kinds: dict[object, list[list[str]]] = defaultdict(list)
    for members in components(near):
        if 1 < len(members) <= _SMALL:
            heads = sorted(members, key=place.__getitem__)
            kinds[tuple(sorted(units.kinds[head] for head in heads))].append(heads)
    return [
        Scope(
            (f"{alike[0][0]} …",),
            "twins",
            [h for heads in alike for h in heads],
            copies=len(alike),
        )
        for alike in kinds.values()
        if len(alike) >= TWINS
    ]
