"""Why a pattern does or does not match at a node: the deepest failure, formatted when it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import GraphError
from ..graph import Graph, Tensor, TensorSpec, did_you_mean
from .formula import terms as f
from .pattern import Pattern
from .solver.match import Match
from .solver.solve import Solver
from .tile import escapes
from .view.view import View

MOST_FAILURES = 3
LONGEST = 80  # characters of a term


@dataclass(frozen=True)
class Failure:
    """One place where a formula and the graph part: ``term`` met ``tensor`` after ``depth`` ops had matched."""

    term: f.Term
    tensor: Tensor
    op: str
    reason: str
    depth: int

    def __str__(self) -> str:
        met = f"{self.op} ({self.tensor.node!r})"
        why = self.reason or f"op {self.op}, expected {_roots(self.term)}"
        term = str(self.term)
        short = term if len(term) <= LONGEST else f"{term[:LONGEST]}..."
        ops = f"after {self.depth} op{'s' * (self.depth > 1)}, " if self.depth else ""
        return f"{ops}{short} met {met}: {why}"


def _roots(term: f.Term) -> str:
    return _listed(sorted(term.roots or ()))


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names[:6]) + (" ..." if len(names) > 6 else "") or "another"


@dataclass(frozen=True)
class Explanation:
    """What came of one pattern at one node."""

    pattern: str
    node: str
    matches: tuple[Match, ...] = ()
    failures: tuple[Failure, ...] = ()
    values: tuple[str, ...] = field(default=(), repr=False)

    @property
    def matched(self) -> bool:
        """Whether the formula computes the node's output and nothing escapes."""
        return bool(self.matches)

    def __str__(self) -> str:
        if self.matched:
            lines = [f"{self.pattern} matches at {self.node!r}", *self.values]
        else:
            lines = [f"{self.pattern} does not match at {self.node!r}"]
            lines += [str(failure) for failure in self.failures]
        return "\n  ".join(lines)


class Deepest:
    """Keeps the failures that came furthest."""

    def __init__(self, view: View) -> None:
        self.view, self.depth = view, -1
        self.found: list[Failure] = []

    def __call__(self, term: f.Term, tensor: Tensor, match: Match, reason: str) -> None:
        depth = len(match.called)
        if depth > self.depth:
            self.depth, self.found = depth, []
        if depth == self.depth and len(self.found) < 50:
            op = self.view.kinds[tensor.node]
            self.found.append(Failure(term, tensor, op, reason, depth))

    def told(self) -> tuple[Failure, ...]:
        """The deepest failures, those with a reason of their own first, each once."""
        reasoned = [each for each in self.found if each.reason]
        distinct = {str(each): each for each in [*reasoned, *self._by_tensor()]}
        return tuple(list(distinct.values())[:MOST_FAILURES])

    def _by_tensor(self) -> Iterator[Failure]:
        """Those that met the same tensor and only furthest another op there, as one."""
        furthest: dict[Tensor, list[Failure]] = {}
        for each in self.found:
            if not each.reason:
                furthest.setdefault(each.tensor, []).append(each)
        for failures in furthest.values():
            names = {root for each in failures for root in each.term.roots or ()}
            first = failures[0]
            reason = f"op {first.op}, expected {_listed(sorted(names))}"
            yield first if len(failures) == 1 else replace(first, reason=reason)


def explain(
    graph: Graph,
    patterns: Sequence[Pattern],
    pattern: str,
    node: str,
    *,
    specs: Mapping[Tensor, TensorSpec] | None = None,
    value: Callable[[Tensor], np.ndarray | None] | None = None,
    view: View | None = None,
) -> Explanation:
    """Try the patterns of one name (or of one Keras class) at one node; ``view`` stands for specs and value.

    Raises GraphError where there is no such node or pattern.
    """
    graph.node(node)
    tried = [p for p in patterns if pattern in (p.name, p.op)]
    if not tried:
        names = [p.name for p in patterns] + [p.op for p in patterns]
        raise GraphError(f"no pattern {pattern!r}{did_you_mean(pattern, names)}")
    view = View(graph, specs, value) if view is None else view
    deepest = Deepest(view)
    solver = Solver(view, deepest)
    matches: list[Match] = []
    for each in tried:
        tensor = Tensor(node, getattr(each.formula, "port", 0))
        for match in each.solutions(solver, tensor):
            dynamic = match.members & view.dynamic
            escape = escapes(view, tensor, dynamic, frozenset())
            if escape is None:
                matches.append(match)
            else:
                inner, reader = escape
                why = f"its value is also read by {reader!r}"
                deepest(each.formula, Tensor(inner), match, why)
    values = _bound(matches[0]) if matches else ()
    return Explanation(pattern, node, tuple(matches), deepest.told(), values)


def _bound(match: Match) -> tuple[str, ...]:
    return tuple(
        f"{name} = {getattr(value, 'node', value)}"
        for name, value in match.values.items()
    )
