"""Flow, Dependence -> the inputs that no weight is applied to and that are no labels all the same."""

from __future__ import annotations

from ..arrays import Flow
from ..dependence import Dependence

_DECIDES = frozenset("GreaterEqual Greater Less LessEqual Floor".split())
_FEW = 16
_POOLS = "Segment"
"""``UnsortedSegmentSum(values, ids, number)``: which rows belong together."""


def settings(flow: Flow, deps: Dependence, backward: bytearray) -> int:
    """Bits of the inputs that set how a model works: rates of dropout, rows to pool, sets to compare with."""
    return (
        _drawing_rates(flow, deps)
        | _pooled_by(flow, deps, backward)
        | _before_classes(flow, deps, backward)
    )


def _drawing_rates(flow: Flow, deps: Dependence) -> int:
    """The inputs with which random numbers are compared, no weight behind either: they decide what is dropped, or which
    tokens are a teacher's."""
    rates = 0
    for i in flow.by_kind(_DECIDES.__contains__):
        if deps.feeds[i] & deps.random and not deps.weights[i]:
            rates |= deps.feeds[i]
    return rates & ~deps.random


def _pooled_by(flow: Flow, deps: Dependence, backward: bytearray) -> int:
    """The inputs that say which of a model's rows are summed up: the atoms of a molecule."""
    ids = 0
    for i in flow.by_kind(lambda op: _POOLS in op):
        if backward[i] or not flow.inputs[i]:
            continue
        if deps.weights[flow.inputs[i][0][0]]:
            for source, _ in flow.inputs[i][1:]:
                ids |= 0 if deps.weights[source] else deps.feeds[source]
    return ids & ~deps.random


def _before_classes(flow: Flow, deps: Dependence, backward: bytearray) -> int:
    """The inputs that the scores of a cross-entropy are made of and its labels are not: the classes of a support set,
    which attention weighs, and those by which a net was adapted before (MAML)."""
    crossed = flow.by_kind(lambda op: op.endswith("SoftmaxCrossEntropyWithLogits"))
    crossed = [i for i in crossed if len(flow.inputs[i]) > 1][:_FEW]
    weighed = _weighed(flow, deps, backward) if crossed else 0
    data = 0
    for i in crossed:
        scores, labels = (source for source, _ in flow.inputs[i][:2])
        if not deps.weights[scores] or deps.weights[labels] or not deps.feeds[labels]:
            continue
        made_of = weighed
        behind = flow.upstream([scores]) if len(crossed) > 1 else b""
        for n in crossed:
            made_of |= deps.feeds[flow.inputs[n][1][0]] if behind and behind[n] else 0
        data |= made_of & deps.feeds[scores] & ~deps.feeds[labels]
    return data & ~deps.random


def _weighed(flow: Flow, deps: Dependence, backward: bytearray) -> int:
    """The inputs that are multiplied as they are with a matrix that weights computed."""
    bits = 0
    for i in flow.by_kind(lambda op: "MatMul" in op):
        if len(flow.inputs[i]) == 2 and not backward[i]:
            for (one, _), (other, _) in (flow.inputs[i], flow.inputs[i][::-1]):
                by_net = deps.weights[one] and deps.feeds[one]
                bits |= deps.feeds[other] if by_net and not deps.weights[other] else 0
    return bits
