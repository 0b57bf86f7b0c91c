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
_LOOKUPS = frozenset("Gather GatherV2 ResourceGather".split())
_CLASSES = re.compile(r"Softmax|ArgMax|ArgMin|TopK")
"""What chooses among distances: to the means of classes, of which the nearest is the answer."""

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
        if flow.ops[i] not in _DIFFERENCES or not differentiated[i] or aside[i]:
            continue
        if i in beyond or not _are_runs(flow, deps, i):
            continue
        one, other = (s for s, _ in flow.inputs[i])
        after = _only_measured(flow, deps, aside, i)
        if after and not _is_row(flow, deps, one):
            runs |= {one, other}
            beyond |= after
    return Pairs(frozenset(runs), frozenset(beyond))


def _are_runs(flow: Flow, deps: Dependence, i: int) -> bool:
    """Whether both operands are computed by the same weights in the same way, each from an input of its own."""
    (one, _), (other, _) = flow.inputs[i]
    weights, fed = deps.weights[one], deps.feeds
    if one == other or not weights or weights != deps.weights[other]:
        return False
    if flow.ops[one] != flow.ops[other] or deps.reduced[one] or deps.later[i]:
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
            if not aside[n] and flow.ops[n] not in SHAPE_ONLY and not kind_of(flow.ops[n])
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
