"""Units -> at most ``budget`` boxes: name scopes stay closed, or open until the budget is used.

A layout engine takes minutes for a thousand nodes, and nobody can read the picture. So the drawing begins with every
outer scope closed, as one box, and opens scopes while there is room: of all that could be opened, what shows most edges
for each box that it adds, and scopes of the same kind (``block1``, ``block2`` ...) all or none. Where that would be
wider than a page can show, less is opened.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from .acyclic import acyclic_parts
from .runs import narrow
from .scope import Scope, heads_of
from .scopes import run_tree, scope_tree
from .units import Units

BUDGET = 200  # boxes
WIDE = 24  # boxes beside each other
EDGES = 260  # beyond this Graphviz may take minutes
_FEW = 8  # items that a scope may show though none of them feeds another
LOOSE = 96  # boxes of a drawing in which nothing feeds anything: they stand in columns


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
    """The boxes of a drawing, without a cycle that the graph has not; units of a role are one box for each role.

    Where the scopes run against the flow of the tensors, so that they would have to be split into more parts than
    boxes may be, they are passed over and the order of the nodes is cut into runs instead.
    """
    if not any(units.after.values()):
        return _in_columns(units, scope_tree(units, roles), min(budget, LOOSE))
    for tree in (scope_tree, run_tree):
        root, room = tree(units, roles), budget
        while True:
            opened = {id(root)}
            _open_scopes(root, opened, room)
            folding = _close(root, opened)
            limit = len(folding.boxes) + max(budget // 2, WIDE)
            parts = acyclic_parts(units, folding.boxes, limit)
            least = room < 2 * WIDE or len(opened) == 1
            if parts and (least or _is_legible(units, _split(folding, parts))):
                return _split(folding, parts)
            if least:
                break
            room = min(room, len(folding.boxes)) * 3 // 4
    return folding


def _in_columns(units: Units, root: Scope, budget: int) -> Folding:
    """The boxes where nothing feeds anything: in the order of the units, long scopes in runs."""
    narrow(root, units, max(budget // 2, 2))
    opened = {id(root)}
    _open_scopes(root, opened, budget, is_loose=True)
    folding = _close(root, opened)
    place = {head: i for i, head in enumerate(units.stacks)}
    in_order = sorted(
        folding.boxes.items(), key=lambda box: min(map(place.__getitem__, box[1]))
    )
    folding.boxes = dict(in_order)
    return folding


def _is_legible(units: Units, folding: Folding) -> bool:
    """Whether a page can show the drawing, and a layout engine finds it in seconds."""
    box_of = {head: box for box, heads in folding.boxes.items() for head in heads}
    joined = {
        (box_of[head], box_of[target])
        for head, targets in units.after.items()
        for target in targets
    }
    crossing = sum(source != target for source, target in joined)
    return crossing <= EDGES and _width(units, folding) <= WIDE


def _width(units: Units, folding: Folding) -> int:
    """The most boxes that stand beside each other: of one depth, sources beside the first that reads them."""
    box_of = {head: box for box, heads in folding.boxes.items() for head in heads}
    place = {head: i for i, head in enumerate(units.stacks)}
    depth: dict[str, int] = dict.fromkeys(folding.boxes, 0)
    nearest: dict[str, int] = {}
    for head in units.stacks:
        box = box_of[head]
        sources = {box_of[s] for s in units.before[head] if place[s] < place[head]}
        sources.discard(box)
        depth[box] = max([depth[box], *(depth[s] + 1 for s in sources)])
        for source in sources:
            nearest[source] = min(nearest.get(source, depth[box]), depth[box])
    for box, reader in nearest.items():
        if not depth[box]:
            depth[box] = max(0, reader - 1)
    return max(Counter(depth.values()).values(), default=0)


def _open_scopes(
    root: Scope, opened: set[int], budget: int, is_loose: bool = False
) -> None:
    """Open scopes, those that are alike together, while the boxes are within the budget.

    Where edges show nothing (``is_loose``: weights alone), any scope is worth its boxes.
    """
    boxes = len(root.items)
    frontier = [item for item in root.items if isinstance(item, Scope)]
    while True:
        groups: dict[str, list[Scope]] = defaultdict(list)
        for scope in frontier:
            if scope.kind not in ("role", "twins"):
                groups[scope.kin].append(scope)
        best, worth = "", 0.0
        for key, alike in groups.items():
            cost = sum(scope.cost() for scope in alike)
            shown = sum(
                scope.edges or is_loose or len(scope.items) <= _FEW for scope in alike
            )
            gain = shown / max(cost, 1)
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
    folding = Folding()
    stack: list[tuple[Scope, tuple[Scope, ...]]] = [(root, ())]
    while stack:
        scope, outer = stack.pop()
        inner = outer if scope is root else (*outer, scope)
        for item in scope.items:
            if isinstance(item, str):
                folding.boxes[item] = [item]
                folding.inside[item] = inner
            elif id(item) in opened:
                stack.append((item, inner))
            else:
                key = f"{item.kind} {item.name}"
                folding.boxes[key], folding.closed[key] = heads_of(item), item
                folding.inside[key] = inner
    return folding


def _split(folding: Folding, parts: Mapping[str, tuple[str, int]]) -> Folding:
    count: dict[str, int] = defaultdict(int)
    for box, number in parts.values():
        count[box] = max(count[box], number)
    split = Folding()
    for box, heads in folding.boxes.items():
        for head in heads:
            number = parts[head][1]
            key = box if count[box] == 1 else f"{box} part {number}"
            split.boxes.setdefault(key, []).append(head)
            split.inside[key] = folding.inside[box]
            if box in folding.closed:
                split.closed[key] = folding.closed[box]
                split.parts[key] = (number, count[box])
    return split
