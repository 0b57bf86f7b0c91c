"""Units -> at most ``budget`` boxes: name scopes stay closed, or open until the budget is used.

A layout engine takes minutes for a thousand nodes, and nobody can read the picture. So the drawing begins with every
outer scope closed, as one box, and opens scopes while there is room: of all that could be opened, what shows most edges
for each box that it adds, and scopes of the same kind (``block1``, ``block2`` ...) all or none. What has no scopes, or too
many nodes in one, is cut into runs of its topological order where the fewest tensors cross, which is where a
single node dominates what follows. Closed scopes that would make the drawing cyclic are split into parts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from .units import Units

BUDGET = 200  # boxes
WIDEST = 180  # items of one scope before they are cut into runs
RUNS = 60  # about as many then
_DEEPEST = 24  # scopes inside each other
_ALONE = "alone"  # the role of what neither reads a tensor nor is read
_DIGITS = re.compile(r"\d+")


@dataclass(eq=False)
class Scope:
    """A name scope, a run of one, or the nodes of one role; ``items`` are scopes and names of units."""

    path: tuple[str, ...]
    kind: str = "scope"
    items: list[Scope | str] = field(default_factory=list)
    edges: int = 0  # between its items: what opening it shows

    @property
    def name(self) -> str:
        return "/".join(self.path)

    def cost(self) -> int:
        """The boxes that opening it adds."""
        return len(self.items) - 1

    def likeness(self) -> str:
        """Equal for scopes that are opened together: names that differ in their numbers only."""
        return f"{self.kind}:{_DIGITS.sub('#', self.name)}"


@dataclass
class Folding:
    """What is drawn: ``boxes`` maps each box to its units; ``closed`` gives the scope of a box that stands for one;
    ``inside`` the open scopes that a box lies in, outermost first.
    """

    boxes: dict[str, list[str]] = field(default_factory=dict)
    closed: dict[str, Scope] = field(default_factory=dict)
    inside: dict[str, tuple[Scope, ...]] = field(default_factory=dict)
    parts: dict[str, tuple[int, int]] = field(default_factory=dict)


def fold(units: Units, roles: Mapping[str, str] = {}, budget: int = BUDGET) -> Folding:
    """The boxes of a drawing. Units of a role are one box for each role, whatever the budget."""
    root = _scope_tree(units, roles)
    opened = {id(root)}
    _limit_width(root, units)
    _count_edges(root, units)
    _open_scopes(root, opened, budget)
    made = _close(root, opened)
    parts = _acyclic_parts(units, made, limit=len(made.boxes) + budget // 2)
    return _split(made, parts) if parts else made


def _scope_tree(units: Units, roles: Mapping[str, str]) -> Scope:
    root = Scope((), "root")
    scopes: dict[tuple[str, ...], Scope] = {(): root}
    by_role: dict[str, Scope] = {}
    prefixes = _prefixes(units)
    for head in units.stacks:
        role = roles.get(head) or ("" if _is_joined(units, head) else _ALONE)
        if role:
            if role not in by_role:
                by_role[role] = Scope((role,), "role")
            by_role[role].items.append(head)
            continue
        parts = tuple(head.split("/")[:_DEEPEST])
        path = parts if parts in prefixes else parts[:-1]
        _scope_at(path, scopes).items.append(head)
    root.items += by_role.values()
    _unwrap(root)
    return root


def _is_joined(units: Units, head: str) -> bool:
    return bool(units.before[head] or units.after[head]) or len(units.stacks) < 3


def _prefixes(units: Units) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for head in units.stacks:
        parts = tuple(head.split("/")[:_DEEPEST])
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


def _unwrap(root: Scope) -> None:
    """Let a scope that holds only one thing be that thing."""
    for scope in reversed(_all_scopes(root)):
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


def _all_scopes(root: Scope) -> list[Scope]:
    """A scope and all that lie in it, outer ones first."""
    found = [root]
    for scope in found:
        found += [item for item in scope.items if isinstance(item, Scope)]
    return found


def _limit_width(root: Scope, units: Units) -> None:
    """Cut what a scope holds into runs where it is more than ``WIDEST`` items."""
    place = {head: i for i, head in enumerate(units.stacks)}
    for scope in _all_scopes(root):
        if scope.kind == "role" or len(scope.items) <= WIDEST:
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
        for head in _heads(item):
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


def _heads(item: Scope | str) -> list[str]:
    """The units in a scope."""
    if isinstance(item, str):
        return [item]
    return [
        head
        for scope in _all_scopes(item)
        for head in scope.items
        if isinstance(head, str)
    ]


def _open_scopes(root: Scope, opened: set[int], budget: int) -> None:
    """Open scopes, those that are alike together, while the boxes are within the budget."""
    boxes = len(root.items)
    frontier = [item for item in root.items if isinstance(item, Scope)]
    while True:
        groups: dict[str, list[Scope]] = defaultdict(list)
        for scope in frontier:
            if scope.kind != "role":
                groups[scope.likeness()].append(scope)
        best, worth = "", 0.0
        for key, alike in groups.items():
            cost = sum(scope.cost() for scope in alike)
            gain = sum(scope.edges for scope in alike) / max(cost, 1)
            if boxes + cost <= budget and gain > worth:
                best, worth = key, gain
        if not best:
            return
        for scope in groups[best]:
            opened.add(id(scope))
            boxes += scope.cost()
            frontier += [item for item in scope.items if isinstance(item, Scope)]
        gone = {id(scope) for scope in groups[best]}
        frontier = [scope for scope in frontier if id(scope) not in gone]


def _close(root: Scope, opened: set[int]) -> Folding:
    made = Folding()
    stack: list[tuple[Scope, tuple[Scope, ...]]] = [(root, ())]
    while stack:
        scope, outer = stack.pop()
        inner = outer if scope is root else (*outer, scope)
        for item in scope.items:
            if isinstance(item, str):
                made.boxes[item] = [item]
                made.inside[item] = inner
            elif id(item) in opened:
                stack.append((item, inner))
            else:
                key = f"{item.kind} {item.name}"
                made.boxes[key], made.closed[key] = _heads(item), item
                made.inside[key] = inner
    return made


def _acyclic_parts(
    units: Units, made: Folding, limit: int
) -> dict[str, tuple[str, int]]:
    """Unit -> (box, part) so that the boxes, each part one, have no cycle; {} where that takes more than ``limit``.

    Units come in order; each joins the last part of its box unless what it reads already depends on that part.
    ``above[p]`` is the set, as bits, of the parts that part ``p`` depends on.
    """
    box_of = {head: box for box, heads in made.boxes.items() for head in heads}
    place = {head: i for i, head in enumerate(units.stacks)}
    latest: dict[str, int] = {}
    above: list[int] = []
    part: dict[str, int] = {}
    names: list[tuple[str, int]] = []
    for head in units.stacks:
        box = box_of[head]
        needs = 0
        for source in units.before[head]:
            if place[source] < place[head]:
                needs |= above[part[source]] | 1 << part[source]
        mine = latest.get(box)
        if mine is not None and _depends_through_others(
            units, head, part, above, mine, place
        ):
            mine = None
        if mine is None:
            mine = len(above)
            number = names[latest[box]][1] + 1 if box in latest else 1
            latest[box] = mine
            names.append((box, number))
            above.append(0)
            if len(above) > limit:
                return {}
        part[head] = mine
        _add_above(above, mine, needs & ~(1 << mine))
    return {head: names[number] for head, number in part.items()}


def _depends_through_others(
    units: Units,
    head: str,
    part: Mapping[str, int],
    above: list[int],
    mine: int,
    place: Mapping[str, int],
) -> bool:
    return any(
        part[source] != mine and above[part[source]] >> mine & 1
        for source in units.before[head]
        if place[source] < place[head]
    )


def _add_above(above: list[int], part: int, needs: int) -> None:
    if needs & ~above[part] == 0:
        return
    above[part] |= needs
    for other in range(len(above)):
        if above[other] >> part & 1:
            above[other] |= above[part]


def _split(made: Folding, parts: Mapping[str, tuple[str, int]]) -> Folding:
    count: dict[str, int] = defaultdict(int)
    for box, number in parts.values():
        count[box] = max(count[box], number)
    split = Folding()
    for box, heads in made.boxes.items():
        for head in heads:
            number = parts[head][1]
            key = box if count[box] == 1 else f"{box} part {number}"
            split.boxes.setdefault(key, []).append(head)
            split.inside[key] = made.inside[box]
            if box in made.closed:
                split.closed[key] = made.closed[box]
                split.parts[key] = (number, count[box])
    return split
