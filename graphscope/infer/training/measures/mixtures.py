"""Flow -> the parameters of a distribution, each made of a part of one layer's values: weights of a mixture, deviations.

A mixture density network splits what its last layer gives and makes the parts positive, or a distribution, as its author
fetches them; only the likelihood reads them, so they look like steps of the loss.
"""

from __future__ import annotations

from ....ops import spellings
from ..arrays import Flow
from ..op_kinds import SHAPE_ONLY

_PARTS = frozenset({*spellings.SPLITS, *"SplitV Unpack StridedSlice Slice".split()})
_SAME = frozenset("Identity Reshape Squeeze ExpandDims StopGradient".split())
_SHIFTED = _SAME | {"Sub"}
_FAR = 6


def is_parameter(flow: Flow, backward: bytearray, i: int) -> bool:
    """Whether a node makes a parameter of a part of a layer's values: ``exp(part)``, which all that follows reads in place of
    the part, ``exp(part) / sum(exp(part))`` or ``part - log(sum(exp(part)))``."""
    if flow.ops[i] == "Exp":
        source, port = flow.inputs[i][0]
        after = _readers(flow, backward, source)
        only = [n for n in after if (source, port) in flow.inputs[n]] == [i]
        many = len(_readers(flow, backward, i)) > 1
        return only and many and _is_part(flow, source) and not _sums(flow, i)
    if flow.ops[i] in (*spellings.QUOTIENTS, "Mul", "Sub") and len(flow.inputs[i]) == 2:
        (value, _), (total, _) = flow.inputs[i]
        return _is_part(flow, value) and _totals(flow, total, value)
    return False


def _readers(flow: Flow, backward: bytearray, i: int) -> list[int]:
    return [
        n for n in flow.outputs[i] if not backward[n] and flow.ops[n] not in SHAPE_ONLY
    ]


def _is_part(flow: Flow, i: int) -> bool:
    """Whether a value is a part of another, exponentiated or shifted by its largest."""
    for _ in range(_FAR):
        if flow.ops[i] in _PARTS:
            return True
        if flow.ops[i] not in _SHIFTED | {"Exp"} or not flow.inputs[i]:
            return False
        i = flow.inputs[i][0][0]
    return False


def _sums(flow: Flow, i: int) -> bool:
    """Whether a value is summed up: a step of its own normalisation."""
    return any(flow.ops[n] == "Sum" for n in flow.outputs[i])


def _totals(flow: Flow, i: int, value: int) -> bool:
    """Whether a node is the sum of the exponents of a value, or its logarithm."""
    for _ in range(2 * _FAR):
        if flow.ops[i] == "Sum":
            return _exponents(flow, flow.inputs[i][0][0]) == _exponents(flow, value)
        if flow.ops[i] in (*spellings.SUMS, *spellings.RECIPROCALS, *_SAME, "Log"):
            i = flow.inputs[i][0][0]
            continue
        return False
    return False


def _exponents(flow: Flow, i: int) -> int:
    """The part that a value holds the exponents of, or shifts."""
    for _ in range(_FAR):
        if flow.ops[i] not in _SHIFTED | {"Exp"} or not flow.inputs[i]:
            return i
        i = flow.inputs[i][0][0]
    return i
