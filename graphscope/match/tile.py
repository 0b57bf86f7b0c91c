"""Tiling, as in instruction selection: collect all matches, take the one that explains most, drop what overlaps it.

Which pattern is listed first never matters: ``Conv2D`` loses to ``Conv2D + bias`` because that explains more nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..graph import Tensor
from .pattern import Pattern
from .solver.match import Match
from .solver.solve import Solver
from .view.nodes import SHAPE_OPS
from .view.view import View


@dataclass(frozen=True, eq=False)
class Tile:
    """One match that was kept: ``dynamic`` are those of its nodes that only it may explain.

    ``members`` are the nodes of the file that those of the match stand for.
    """

    pattern: Pattern
    match: Match
    output: Tensor
    members: frozenset[str]
    dynamic: frozenset[str]


def tile(
    view: View, patterns: Sequence[Pattern], keep: Iterable[str] = ()
) -> list[Tile]:
    """Tile a graph with patterns, in the graph's node order.

    ``keep`` names nodes that must stay visible: no tile may hide them inside.
    """
    barriers = frozenset(keep)
    matches = [
        each
        for tile_list in _candidates(view, patterns, barriers)
        for each in tile_list
    ]
    order = {name: index for index, name in enumerate(view.graph)}
    matches.sort(
        key=lambda t: (
            -view.explained(t.dynamic),
            -len(t.members),
            -len(t.dynamic),
            order[t.output.node],
        )
    )
    explained: set[str] = set()
    chosen = []
    for each in matches:
        if explained.isdisjoint(each.dynamic):
            explained |= each.dynamic
            chosen.append(each)
    return sorted(chosen, key=lambda t: order[t.output.node])


def index(view: View, patterns: Iterable[Pattern]) -> dict[str, list[Pattern]]:
    """The patterns of the graph's altitude by root op, less those that need an op that the graph does not hold."""
    present = frozenset(view.ops.values())
    by_root: dict[str, list[Pattern]] = defaultdict(list)
    for pattern in patterns:
        if pattern.is_above is not view.is_above:
            continue
        if any(present.isdisjoint(options) for options in pattern.needs):
            continue
        for op in present if pattern.formula.roots is None else pattern.formula.roots:
            by_root[op].append(pattern)
    return by_root


def _candidates(
    view: View, patterns: Sequence[Pattern], ends: frozenset[str]
) -> Iterator[list[Tile]]:
    solver, by_op = Solver(view), index(view, patterns)
    for name in view.graph:
        if name in view.varying and view.ops[name] in by_op:
            for pattern in by_op[view.ops[name]]:
                yield _tiles(pattern, solver, name, ends)


def _tiles(
    pattern: Pattern, solver: Solver, name: str, ends: frozenset[str]
) -> list[Tile]:
    """The fullest match of one pattern at one node that nothing escapes from.

    The solver tries optional terms before it leaves them out, so the first is the fullest.
    """
    output = Tensor(name, getattr(pattern.formula, "port", 0))
    for match in pattern.solutions(solver, output):
        members = match.members
        dynamic = members & solver.view.dynamic
        if name in members and not escapes(solver.view, output, dynamic, ends):
            whole = solver.view.of_file(members)
            return [Tile(pattern, match, output, whole, dynamic)]
    return []


def escapes(
    view: View, output: Tensor, dynamic: frozenset[str], ends: frozenset[str]
) -> tuple[str, str] | None:
    """``(node, reader)`` of the first inner value that something outside reads; None where there is none."""
    for name in dynamic:
        if name != output.node and name in ends:
            return name, "an output of the model"
        for reader, port in view.readers(name):
            if reader in dynamic or view.ops[reader] in SHAPE_OPS:
                continue
            if name != output.node or port != output.port:
                return name, reader
    return None
