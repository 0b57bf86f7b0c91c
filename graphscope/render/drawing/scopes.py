"""Units -> the tree of name scopes that a drawing opens and closes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeGuard
from zlib import crc32

from .runs import cut_into_runs, narrow
from .scope import Scope, all_scopes
from .twins import join_twins, like_components
from .units import Units

_ALONE = "alone"  # the role of what neither reads a tensor nor is read
_DEEPEST = 24  # scopes inside each other
_DIGITS = re.compile(r"\d+")


def scope_tree(units: Units, roles: Mapping[str, str] = {}) -> Scope:
    """The root scope of all units; those of a role are one closed scope for each role."""
    root = _by_name(units, roles)
    _unwrap(root)
    for scope in all_scopes(root):
        if scope.kind in ("root", "scope"):
            join_twins(scope, units)
    _unwrap(root)
    cut_into_runs(root, units)
    _count_edges(root, units)
    _find_kin(root, units)
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
    cut_into_runs(root, units)
    _count_edges(root, units)
    _find_kin(root, units)
    return root


def narrow_tree(units: Units, roles: Mapping[str, str] = {}, most: int = 60) -> Scope:
    """As ``scope_tree``, but nothing has more than about ``most`` items: a role is opened by name scopes, then all are cut into runs."""
    root = scope_tree(units, roles)
    for scope in all_scopes(root):
        if scope.kind == "role" and len(scope.items) > most:
            _nest(scope, units)
    narrow(root, units, most)
    _find_kin(root, units)
    return root


def _nest(role: Scope, units: Units) -> None:
    """The units of a role -> the name scopes that they lie in."""
    heads = [item for item in role.items if isinstance(item, str)]
    role.items = [item for item in role.items if isinstance(item, Scope)]
    prefixes = _prefixes(units.path[head] for head in heads)
    scopes: dict[tuple[str, ...], Scope] = {(): role}
    for head in heads:
        parts = units.path[head][:_DEEPEST]
        path = parts if parts in prefixes else parts[:-1]
        _scope_at(path, scopes).items.append(head)
    _unwrap(role)


def _by_name(units: Units, roles: Mapping[str, str]) -> Scope:
    root = Scope((), "root")
    scopes: dict[tuple[str, ...], Scope] = {(): root}
    by_role: dict[str, Scope] = {}
    prefixes = _prefixes(units.path[head] for head in units.stacks)
    wired = any(units.after.values())
    aside = like_components(units, roles)
    root.items += aside
    gone = {head for scope in aside for head in scope.items}
    for head in units.stacks:
        if head in gone:
            continue
        lonely = wired and not (units.before[head] or units.after[head])
        role = roles.get(head) or (_ALONE if lonely else "")
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


def _prefixes(paths: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    prefixes: set[tuple[str, ...]] = set()
    for path in paths:
        parts = path[:_DEEPEST]
        while len(parts) > 1 and parts[:-1] not in prefixes:
            parts = parts[:-1]
            prefixes.add(parts)
    return prefixes


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


def _find_kin(root: Scope, units: Units) -> None:
    """Let scopes be opened together whose names differ in numbers only, or that hold the same within one parent."""
    scopes = all_scopes(root)
    holds: dict[int, int] = {}
    for scope in reversed(scopes):
        holds[id(scope)] = sum(
            (
                holds[id(item)]
                if isinstance(item, Scope)
                else crc32(repr(units.kinds[item]).encode("utf-8", "replace"))
            )
            for item in scope.items
        )
    like: dict[str, str] = {}
    for outer in scopes:
        inner = [item for item in outer.items if isinstance(item, Scope)]
        same: dict[int, str] = {}
        for scope in inner:
            name = f"{scope.kind}:{_DIGITS.sub('#', scope.name)}"
            first = same.setdefault(holds[id(scope)], like.get(name, name))
            like.setdefault(name, first)
            scope.kin = like[name]
