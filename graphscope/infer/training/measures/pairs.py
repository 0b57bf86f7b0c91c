"""Flow, Dependence -> where two runs of one network meet: towers of a triplet, of a siamese pair, of good and bad items.

Nothing but training wants the difference of two codes, or of two distances: what each run gives is the model's. Whether
a person wants codes or distances of them is told by what makes the codes: a row of a table is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..arrays import Flow
from ..dependence import Dependence
from ..op_kinds import SHAPE_ONLY, kind_of

_DIFFERENCES = frozenset("Sub SquaredDifference".split())
_SUMS = frozenset("Add AddV2 Sub Neg".split())
_NEAR = 4
_LOOKUPS = frozenset("Gather GatherV2 ResourceGather".split())
_CLASSES = re.compile(r"Softmax|ArgMax|ArgMin|TopK")
"""What chooses among distances: to the means of classes, of which the nearest is the answer."""

_ENTROPIES = frozenset(
    "SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits".split()
)
_STOPS = ("StopGradient", "Identity")
_FAR = 24
_MOST = 400


@dataclass(frozen=True)
class Pairs:
    """``runs``: what each run of a network gives where two meet; ``beyond``: what is computed of both from there on."""

    runs: frozenset[int] = frozenset()
    beyond: frozenset[int] = frozenset()


def find_pairs(
    flow: Flow, deps: Dependence, differentiated: bytearray, aside: bytearray
) -> Pairs:
    """The pairs of runs whose difference is trained on, the earliest first: codes before distances of them."""
    runs: set[int] = set()
    beyond: set[int] = set()
    for i in flow.order:
        meets = flow.ops[i] in _DIFFERENCES | _SUMS and len(flow.inputs[i]) == 2
        if not meets or not differentiated[i] or aside[i]:
            continue
        if i in beyond:
            continue
        if flow.ops[i] == "Sub" and _is_nought(flow, i):
            runs.add(flow.past(flow.inputs[i][0], _STOPS)[0])
            beyond |= _only_measured(flow, deps, aside, i)
        one, other = _terms(flow, deps, i)
        if not _are_runs(flow, deps, one, other) or deps.later[i]:
            continue
        after = _only_measured(flow, deps, aside, i)
        if after and not _is_row(flow, deps, one):
            runs |= {one, other}
            beyond |= after
    for i in flow.by_kind(_ENTROPIES.__contains__):
        scores = _scores_of_batch(flow, deps, aside, i) if differentiated[i] else []
        runs |= {s for n in scores[-1:] for s, _ in flow.inputs[n]}
        beyond |= set(scores)
    return Pairs(frozenset(runs), frozenset(beyond))


def _scores_of_batch(
    flow: Flow, deps: Dependence, aside: bytearray, i: int
) -> list[int]:
    """The way back from a cross-entropy, whose classes are told by their places alone, to the product of each code of a
    batch with each other one; empty where there is none, or something else reads it."""
    wires = flow.inputs[i]
    if len(wires) != 2 or deps.feeds[wires[1][0]] or deps.weights[wires[1][0]]:
        return []
    way = [i, wires[0][0]]
    while len(way) < _FAR:
        readers = {n for n in flow.outputs[way[-1]] if not aside[n]}
        if any(n != way[-2] and flow.ops[n] not in SHAPE_ONLY for n in readers):
            return []
        sources = [s for s, _ in flow.inputs[way[-1]] if deps.feeds[s]]
        if flow.ops[way[-1]] == "MatMul" and len(sources) == 2:
            return way[1:]
        if len(sources) != 1:
            return []
        way += sources
    return []


def _is_nought(flow: Flow, i: int) -> bool:
    """Whether a node is ``stop_gradient(x) - x``, of which only the derivative is wanted."""
    return len({flow.past(wire, _STOPS) for wire in flow.inputs[i]}) == 1


def _terms(flow: Flow, deps: Dependence, i: int) -> tuple[int, int]:
    """The two values whose difference a node is, constants that are added to either left out; the node twice where it
    is no such difference."""
    signs, ends = [], []
    for slot, (source, _) in enumerate(flow.inputs[i][:2]):
        sign = -1 if slot and flow.ops[i] in _DIFFERENCES else 1
        for _ in range(_NEAR):
            carriers = [s for s, _ in flow.inputs[source] if deps.weights[s]]
            if flow.ops[source] not in _SUMS or len(carriers) != 1:
                break
            if deps.applied[source]:
                break
            turned = flow.inputs[source][-1][0] == carriers[0]
            sign *= -1 if turned and flow.ops[source] in ("Sub", "Neg") else 1
            source = carriers[0]
        signs.append(sign)
        ends.append(source)
    if len(ends) != 2 or signs[0] == signs[1]:
        return i, i
    return ends[0], ends[1]


def _are_runs(flow: Flow, deps: Dependence, one: int, other: int) -> bool:
    """Whether both values are computed by the same weights in the same way, each from an input of its own."""
    weights, fed = deps.weights[one], deps.feeds
    if one == other or not weights or weights != deps.weights[other]:
        return False
    if flow.ops[one] != flow.ops[other] or deps.reduced[one]:
        return False
    mine, its = fed[one] & ~deps.random, fed[other] & ~deps.random
    return bool(mine & ~its) and bool(its & ~mine)


def _is_row(flow: Flow, deps: Dependence, i: int) -> bool:
    """Whether a value is a row of a table, or several, and nothing else was learned of it."""
    for _ in range(_FAR):
        if flow.ops[i] in _LOOKUPS:
            return True
        carriers = [s for s, _ in flow.inputs[i] if deps.feeds[s] and deps.weights[s]]
        if len(carriers) != 1 or deps.applied[i]:
            return False
        i = carriers[0]
    return False


def _only_measured(
    flow: Flow, deps: Dependence, aside: bytearray, start: int
) -> set[int]:
    """What follows a node until it is one value for the batch; empty where anything of it may be fetched."""
    stack, seen = [start], {start}
    while stack and len(seen) < _MOST:
        i = stack.pop()
        readers = [
            n
            for n in flow.outputs[i]
            if not aside[n]
            and flow.ops[n] not in SHAPE_ONLY
            and not kind_of(flow.ops[n])
        ]
        named = flow.ops[i] == "Identity" and "Identity" not in flow.names[i]
        answers = any(_CLASSES.search(flow.ops[n]) for n in readers)
        if not readers or named or answers:
            return set()
        for n in readers:
            if n not in seen and not deps.reduced[n]:
                seen.add(n)
                stack.append(n)
    return seen if not stack else set()
