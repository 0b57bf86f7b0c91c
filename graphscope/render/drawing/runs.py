"""What has no scopes, or too many items in one -> runs of its topological order.

It is cut where the fewest tensors cross, which is where a single node dominates what follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isqrt

from .scope import Scope, all_scopes, heads_of
from .units import Units

WIDEST = 180  # items of one scope before they are cut into runs
RUNS = 60  # about as many then


def cut_into_runs(root: Scope, units: Units) -> None:
    """Cut what a scope holds into runs where it is more than ``WIDEST`` items."""
    place = {head: i for i, head in enumerate(units.stacks)}
    for scope in all_scopes(root):
        if scope.kind in ("role", "twins") or len(scope.items) <= WIDEST:
            continue
        where = {id(item): _first_place(item, place) for item in scope.items}
        scope.items.sort(key=lambda item: where[id(item)])
        length = max(2, -(-len(scope.items) // RUNS))
        chunks = _chunks(scope.items, units, length)
        scope.items = [_run(scope, i, chunk) for i, chunk in enumerate(chunks)]


def narrow(root: Scope, units: Units, most: int) -> None:
    """Cut whatever holds more than ``most`` items into runs, and these again where they do."""
    place = {head: i for i, head in enumerate(units.stacks)}
    stack = [root]
    while stack:
        scope = stack.pop()
        while len(scope.items) > most:
            where = {id(item): _first_place(item, place) for item in scope.items}
            scope.items.sort(key=lambda item: where[id(item)])
            count = len(scope.items)
            length = max(isqrt(count), -(-count * 3 // (2 * most)))
            chunks = _chunks(scope.items, units, length)
            scope.items = [_run(scope, i, chunk) for i, chunk in enumerate(chunks)]
        stack += [item for item in scope.items if isinstance(item, Scope)]


def _first_place(item: Scope | str, place: Mapping[str, int]) -> int:
    while isinstance(item, Scope):
        item = item.items[0]
    return place[item]


def _run(scope: Scope, number: int, items: list[Scope | str]) -> Scope | str:
    if len(items) == 1:
        return items[0]
    return Scope((*scope.path, f"run {number + 1}"), "run", items)


def _chunks(
    items: list[Scope | str], units: Units, length: int
) -> Iterable[list[Scope | str]]:
    """Consecutive items in chunks of about ``length``, cut where the fewest tensors cross."""
    crossing = _crossings(items, units)
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
    total, ends = 0, []
    for step in change:
        total += step
        ends.append(total)
    return ends
