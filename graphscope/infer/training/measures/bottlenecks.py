"""Flow, Dependence, losses -> the tensors through which all that is learned reaches the losses.

Seen from the losses backwards, a prediction *dominates* the layers behind it: every way from them to a loss leads
through it, however many terms of the loss read it, in whatever forms. Dominators by Cooper, Harvey and Kennedy,
"A simple, fast dominance algorithm" (2001).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..arrays import Flow
from ..dependence import Dependence, constant_shape
from ..op_kinds import SHAPE_ONLY, kind_of

_COMPARES = frozenset("Sub SquaredDifference".split())
VIEWS = frozenset(
    "Reshape Transpose Cast Pack ConcatV2 ExpandDims GatherV2 GatherNd StridedSlice Slice".split()
)
"""What only rearranges values: before a loss, a person's way of making labels and predictions agree."""
_ROOT = -1
_SHORT = 12


@dataclass(frozen=True)
class Bottlenecks:
    """``heads``: the predictions; ``between``: what lies on the ways from one of them to a loss; ``compared``: the heads
    that a label is subtracted from as they are, or crossed with, so that no step of theirs is the loss's.
    """

    heads: frozenset[int]
    between: frozenset[int]
    compared: frozenset[int]


def find_bottlenecks(
    flow: Flow,
    deps: Dependence,
    aside: bytearray,
    labels: int,
    role: Mapping[int, str],
) -> Bottlenecks:
    """The bottlenecks before the losses that ``role`` holds; ``aside`` masks what is no part of the way forward.

    ``deps`` counts no weight that belongs to a loss alone as applied: it makes no layer.
    """
    way = _Way(flow, deps, aside, role)
    ends = way.ends()
    if not ends:
        return Bottlenecks(frozenset(), frozenset(), frozenset())
    order = way.order(ends)
    parent = _dominators(order, ends, way)
    later = way.later(order)
    holds = {i: bool(deps.applied[i]) for i in order}
    for i in reversed(order):
        if parent[i] != _ROOT:
            holds[parent[i]] |= holds[i]
    heads = [
        i
        for i in order
        if parent[i] == _ROOT and holds[i] and not later[i] and not deps.reduced[i]
    ]
    heads = [i for i in heads if not way.joins_data(order, i, labels)]
    between = way.between(order, heads)
    compared = (i for i in heads if way.is_compared(i, labels))
    return Bottlenecks(frozenset(heads), frozenset(between), frozenset(compared))


@dataclass(frozen=True)
class _Way:
    """The part of a graph that leads from the layers to the losses, the losses' own nodes left out."""

    flow: Flow
    deps: Dependence
    aside: bytearray
    role: Mapping[int, str]

    def carries(self, i: int) -> bool:
        """Whether a node's value is computed from inputs and weights, on the way forward, before any loss."""
        if self.aside[i] or i in self.role or kind_of(self.flow.ops[i]):
            return False
        return bool(self.deps.feeds[i] and self.deps.weights[i])

    def sources(self, i: int) -> Iterator[int]:
        return (s for s, _ in self.flow.inputs[i] if self.carries(s))

    def ends(self) -> list[int]:
        """What the losses read."""
        found = dict.fromkeys(
            s
            for i, role in self.role.items()
            if role == "loss" and self.flow.ops[i] not in SHAPE_ONLY
            for s in self.sources(i)
        )
        return list(found)

    def order(self, ends: list[int]) -> list[int]:
        """All that the losses are computed from, each before what it reads, but for loops (reverse postorder)."""
        seen, postorder = set(ends), []
        for end in ends:
            stack = [(end, self.sources(end))]
            while stack:
                i, rest = stack[-1]
                source = next((s for s in rest if s not in seen), None)
                if source is None:
                    postorder.append(i)
                    stack.pop()
                else:
                    seen.add(source)
                    stack.append((source, self.sources(source)))
        return postorder[::-1]

    def later(self, order: list[int]) -> dict[int, bool]:
        """Whether another layer lies between a node and the losses."""
        known = set(order)
        later = dict.fromkeys(order, False)
        for _ in range(_SHORT):
            changed = False
            for i in order:
                if later[i]:
                    continue
                after = (n for n in self.flow.outputs[i] if n in known)
                if any(later[n] or self.deps.applied[n] for n in after):
                    later[i] = changed = True
            if not changed:
                break
        return later

    def between(self, order: list[int], heads: list[int]) -> set[int]:
        """What lies on the ways from a head to the losses."""
        known, stack, between = set(order), list(heads), set()
        while stack:
            for n in self.flow.outputs[stack.pop()]:
                if n in known and n not in between:
                    between.add(n)
                    stack.append(n)
        return between.difference(heads)

    def joins_data(self, order: list[int], head: int, labels: int) -> bool:
        """Whether data that a node does not depend on joins it on its way to the losses: the ids of a lookup in it."""
        feeds = self.deps.feeds
        own = feeds[head] | labels | self.deps.random
        return any(feeds[i] & ~own for i in self.between(order, [head]))

    def is_compared(self, i: int, labels: int) -> bool:
        """Whether a loss takes the difference of a node and a label."""
        flow, deps = self.flow, self.deps
        if flow.ops[i] in VIEWS:
            return False
        for n in flow.outputs[i]:
            others = [s for s, _ in flow.inputs[n] if s != i]
            if self.role.get(n) != "loss" or not others:
                continue
            crossed = flow.ops[n] in _COMPARES or "CrossEntropy" in flow.ops[n]
            if crossed and all(
                deps.feeds[s] & labels and not deps.weights[s] for s in others
            ):
                return True
        return False


def is_view(flow: Flow, i: int) -> bool:
    """Whether a node only rearranges values for a loss; a Reshape does where it flattens."""
    if flow.ops[i] != "Reshape" or not flow.inputs[i]:
        return flow.ops[i] in VIEWS
    if any("CrossEntropy" in flow.ops[n] for n in flow.outputs[i]):
        return True
    shape = flow.inputs[i][-1][0]
    sizes = (
        constant_shape(flow.nodes[shape].attrs) if flow.ops[shape] == "Const" else ()
    )
    return sizes in ((1,), (2,))


def is_unflattened(flow: Flow, i: int) -> bool:
    """Whether a node gives a prediction back the axes that its layer did without: the model's own last step."""
    return flow.ops[i] == "Reshape" and not is_view(flow, i)


def _dominators(order: list[int], ends: list[int], way: _Way) -> dict[int, int]:
    """The immediate dominator of each node, seen from the losses; ``_ROOT`` for the losses themselves."""
    place = {i: at for at, i in enumerate(order)}
    first = set(ends)
    readers: dict[int, list[int]] = {i: [_ROOT] if i in first else [] for i in order}
    for i in order:
        for source in way.sources(i):
            readers[source].append(i)
    parent: dict[int, int] = {}
    place[_ROOT] = -1
    changed = True
    while changed:
        changed = False
        for i in order:
            known = [n for n in readers[i] if n == _ROOT or n in parent]
            new = known[0]
            for n in known[1:]:
                new = _meet(new, n, parent, place)
            if parent.get(i) != new:
                parent[i] = new
                changed = True
    return parent


def _meet(
    one: int, other: int, parent: Mapping[int, int], place: Mapping[int, int]
) -> int:
    """Where the chains of dominators of two nodes meet."""
    while one != other:
        while place[one] > place[other]:
            one = parent[one]
        while place[other] > place[one]:
            other = parent[other]
    return one
