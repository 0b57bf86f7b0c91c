"""Units -> the tree of name scopes that a drawing opens and closes.

Items that are many and alike (the thirty summaries of a training graph) become one item; what has no scopes, or too
many items in one, is cut into runs of its topological order where the fewest tensors cross, which is where a single
node dominates what follows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

import networkx as nx

from .units import Units

WIDEST = 180  # items of one scope before they are cut into runs
RUNS = 60  # about as many then
TWINS = 4  # items that read and feed the same before they become one
LIKE = 8  # items of one kind that read, or feed, the same before they become one
_ALONE = "alone"  # the role of what neither reads a tensor nor is read
_SMALL = 20  # units of a component that may be one of several alike
_DEEPEST = 24  # scopes inside each other
_DIGITS = re.compile(r"\d+")


@dataclass(eq=False)
class Scope:
    """A name scope, a run of one, or the nodes of one role; ``items`` are scopes and names of units."""

    path: tuple[str, ...]
    kind: str = "scope"
    items: list[Scope | str] = field(default_factory=list)
    edges: int = 0  # between its items: what opening it shows
    copies: int = 0  # how many times the same, in a scope of twins

    @property
    def name(self) -> str:
        return "/".join(self.path)

    def cost(self) -> int:
        """The boxes that opening it adds."""
        return len(self.items) - 1

    def likeness(self) -> str:
        """Equal for scopes that are opened together: names that differ in their numbers only."""
        return f"{self.kind}:{_DIGITS.sub('#', self.name)}"


def scope_tree(units: Units, roles: Mapping[str, str] = {}) -> Scope:
    """The root scope of all units; those of a role are one closed scope for each role."""
    root = _by_name(units, roles)
    _unwrap(root)
    for scope in all_scopes(root):
        if scope.kind in ("root", "scope"):
            _join_twins(scope, units)
    _unwrap(root)
    _cut_into_runs(root, units)
    _count_edges(root, units)
    return root


def run_tree(units: Units, roles: Mapping[str, str] = {}) -> Scope:
    """The root scope of all units as runs of their order, whatever their names: never cyclic."""
    root = Scope((), "root")
    by_role: dict[str, Scope] = {}
    for head in units.stacks:
        scope = root
        if head in roles:
            role = roles[head]
            scope = by_role.setdefault(role, Scope((role,), "role"))
        scope.items.append(head)
    root.items += by_role.values()
    _cut_into_runs(root, units)
    _count_edges(root, units)
    return root


def _by_name(units: Units, roles: Mapping[str, str]) -> Scope:
    root = Scope((), "root")
    scopes: dict[tuple[str, ...], Scope] = {(): root}
    by_role: dict[str, Scope] = {}
    prefixes = _prefixes(units)
    aside = _like_components(units, roles)
    root.items += aside
    gone = {head for scope in aside for head in scope.items}
    for head in units.stacks:
        if head in gone:
            continue
        role = roles.get(head) or ("" if _is_joined(units, head) else _ALONE)
        if role:
            if role not in by_role:
                by_role[role] = Scope((role,), "role")
            by_role[role].items.append(head)
            continue
        parts = units.path[head][:_DEEPEST]
        path = parts if parts in prefixes else parts[:-1]
        _scope_at(path, scopes).items.append(head)
    root.items += by_role.values()
    return root


def _is_joined(units: Units, head: str) -> bool:
    return bool(units.before[head] or units.after[head]) or len(units.stacks) < 3


def _like_components(units: Units, roles: Mapping[str, str]) -> list[Scope]:
    """What hangs together with nothing else, where there are several of a kind: twenty initialisers, one box."""
    graph = nx.Graph()
    graph.add_nodes_from(head for head in units.stacks if head not in roles)
    graph.add_edges_from((h, t) for h in graph for t in units.after[h] if t in graph)
    place = {head: i for i, head in enumerate(units.stacks)}
    kinds: dict[object, list[list[str]]] = defaultdict(list)
    for members in nx.connected_components(graph):
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


def _prefixes(units: Units) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for head in units.stacks:
        parts = units.path[head][:_DEEPEST]
        while len(parts) > 1 and parts[:-1] not in found:
            parts = parts[:-1]
            found.add(parts)
    return found


def _scope_at(path: tuple[str, ...], scopes: dict[tuple[str, ...], Scope]) -> Scope:
    missing = []
    while path not in scopes:
        missing.append(path)
        path = path[:-1]
    for path in reversed(missing):
        scopes[path] = Scope(path)
        scopes[path[:-1]].items.append(scopes[path])
    return scopes[missing[0]] if missing else scopes[path]


def _join_twins(scope: Scope, units: Units) -> None:
    """Let units of one kind that read and feed the same be one item."""
    both: dict[object, list[str]] = defaultdict(list)
    one: dict[object, list[str]] = defaultdict(list)
    for item in scope.items:
        if isinstance(item, str):
            kind, sources = units.kinds[item], tuple(units.before[item])
            targets = tuple(units.after[item])
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
                made = Scope(path, "twins", list(rest), copies=len(rest))
                scope.items.append(made)
    scope.items = [i for i in scope.items if isinstance(i, Scope) or i not in gone]


def _unwrap(root: Scope) -> None:
    """Let a scope that holds only one thing be that thing."""
    for scope in reversed(all_scopes(root)):
        scope.items = [
            item.items[0] if _is_wrapper(item) else item for item in scope.items
        ]


def _is_wrapper(item: Scope | str) -> TypeGuard[Scope]:
    return isinstance(item, Scope) and item.kind == "scope" and len(item.items) == 1


def _count_edges(root: Scope, units: Units) -> None:
    """For each scope, the edges whose ends lie in two different items of it."""
    above: dict[str, tuple[Scope, ...]] = {}
    stack: list[tuple[Scope, tuple[Scope, ...]]] = [(root, (root,))]
    while stack:
        scope, path = stack.pop()
        for item in scope.items:
            if isinstance(item, str):
                above[item] = path
            else:
                stack.append((item, (*path, item)))
    for source, targets in units.after.items():
        for target in targets:
            pairs = zip(above[source], above[target], strict=False)
            shared = sum(1 for a, b in pairs if a is b)
            above[source][shared - 1].edges += 1


def all_scopes(root: Scope) -> list[Scope]:
    """A scope and all that lie in it, outer ones first."""
    found = [root]
    for scope in found:
        found += [item for item in scope.items if isinstance(item, Scope)]
    return found


def _cut_into_runs(root: Scope, units: Units) -> None:
    """Cut what a scope holds into runs where it is more than ``WIDEST`` items."""
    place = {head: i for i, head in enumerate(units.stacks)}
    for scope in all_scopes(root):
        if scope.kind in ("role", "twins") or len(scope.items) <= WIDEST:
            continue
        where = {id(item): _first_place(item, place) for item in scope.items}
        scope.items.sort(key=lambda item: where[id(item)])
        scope.items = [
            _run(scope, i, chunk) for i, chunk in enumerate(_chunks(scope.items, units))
        ]


def _first_place(item: Scope | str, place: Mapping[str, int]) -> int:
    while isinstance(item, Scope):
        item = item.items[0]
    return place[item]


def _run(scope: Scope, number: int, items: list[Scope | str]) -> Scope | str:
    if len(items) == 1:
        return items[0]
    return Scope((*scope.path, f"run {number + 1}"), "run", items)


def _chunks(items: list[Scope | str], units: Units) -> Iterable[list[Scope | str]]:
    """Consecutive items in about ``RUNS`` chunks of like length, cut where the fewest tensors cross."""
    crossing = _crossings(items, units)
    length = max(2, -(-len(items) // RUNS))
    start = 0
    while start < len(items):
        low, high = start + max(1, length * 2 // 3), start + length * 4 // 3
        if high >= len(items):
            yield items[start:]
            return
        cut = min(
            range(low, high + 1),
            key=lambda i: (crossing[i - 1], abs(i - start - length)),
        )
        yield items[start:cut]
        start = cut


def _crossings(items: list[Scope | str], units: Units) -> list[int]:
    """How many units before each gap feed one after it; gap ``i`` lies behind item ``i``."""
    position: dict[str, int] = {}
    for i, item in enumerate(items):
        for head in heads_of(item):
            position[head] = i
    change = [0] * (len(items) + 1)
    for head, i in position.items():
        last = max((position.get(t, i) for t in units.after[head]), default=i)
        if last > i:
            change[i] += 1
            change[last] -= 1
    total, found = 0, []
    for step in change:
        total += step
        found.append(total)
    return found


def heads_of(item: Scope | str) -> list[str]:
    """The units in a scope."""
    if isinstance(item, str):
        return [item]
    return [
        head
        for scope in all_scopes(item)
        for head in scope.items
        if isinstance(head, str)
    ]
