"""Flow, Dependence -> what weights alone compute and a label is subtracted from: a table of ratings as a product of two."""

from __future__ import annotations

from ..arrays import Flow
from ..dependence import Dependence
from ..op_kinds import SHAPE_ONLY, SOURCES, kind_of

_DIFFERENCES = frozenset("Sub SquaredDifference".split())
_PRODUCTS = frozenset("MatMul BatchMatMulV2 Mul Einsum".split())
_FAR = 8


def learned_tables(
    flow: Flow, deps: Dependence, differentiated: bytearray, backward: bytearray
) -> dict[int, int]:
    """``{table: bits of the inputs that are its labels}``; an input that anything else reads is data."""
    tables = {}
    for i in flow.by_kind(_DIFFERENCES.__contains__):
        if not differentiated[i] or len(flow.inputs[i]) != 2:
            continue
        for (one, _), (other, _) in (flow.inputs[i], flow.inputs[i][::-1]):
            if deps.feeds[one] or not _is_product(flow, deps, one):
                continue
            if SOURCES.match(flow.ops[other]) and _readers(flow, backward, other) == {
                i
            }:
                tables[one] = deps.feeds[i]
    return tables


def _is_product(flow: Flow, deps: Dependence, i: int) -> bool:
    """Whether weights are multiplied with weights here, not merely read."""
    for _ in range(_FAR):
        if flow.ops[i] in _PRODUCTS:
            return deps.weights[i].bit_count() > 1
        carriers = [s for s, _ in flow.inputs[i] if deps.weights[s]]
        if len(carriers) != 1:
            return False
        i = carriers[0]
    return False


def _readers(flow: Flow, backward: bytearray, i: int) -> set[int]:
    ops = flow.ops
    return {
        n
        for n in flow.outputs[i]
        if not backward[n] and ops[n] not in SHAPE_ONLY and not kind_of(ops[n])
    }
