"""Flow, Dependence -> the inputs that set how values are drawn: a dropout's rate, the share of a teacher's tokens."""

from __future__ import annotations

from ..arrays import Flow
from ..dependence import Dependence

_DECIDES = frozenset("GreaterEqual Greater Less LessEqual Floor".split())


def drawing_rates(flow: Flow, deps: Dependence) -> int:
    """Bits of the inputs with which random numbers are compared, no weight behind either: they decide what is dropped
    of anything, so none is a label."""
    rates = 0
    for i in flow.by_kind(_DECIDES.__contains__):
        if deps.feeds[i] & deps.random and not deps.weights[i]:
            rates |= deps.feeds[i]
    return rates & ~deps.random
