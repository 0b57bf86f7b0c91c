"""Training -> what one network shows to another that also sees data: a generator's picture, an actor's action.

A judge is told by its weights: it applies them to data, and to what other weights made. That holds whether or not each
network has an optimizer of its own.
"""

from __future__ import annotations

from collections import defaultdict

from ...training.arrays import Flow
from ...training.roles import Training
from .alive import is_alive
from .boundaries import adds_noise, is_blend

_JOINS = frozenset("ConcatV2 Concat Pack".split())
_LAYERS = frozenset(
    "MatMul BatchMatMulV2 Conv1D Conv2D Conv3D DepthwiseConv2dNative".split()
)
_PASSES = frozenset("Identity Reshape Squeeze ExpandDims Transpose Cast Pad".split())
_FAR = 6


def judged(study: Training) -> dict[int, int]:
    """``{tensor: bits of the weights}`` that are applied to it and, elsewhere, to data."""
    flow, deps = study.flow, study.deps
    shown: dict[int, list[int]] = defaultdict(list)
    plain: set[int] = set()
    for i in flow.by_kind(_LAYERS.__contains__):
        own = deps.applied[i]
        if not own or own & (own - 1) or study.backward[i] or len(flow.inputs[i]) != 2:
            continue
        value = next((s for s, _ in flow.inputs[i] if not deps.weights[s] & own), None)
        if value is None or not deps.feeds[value]:
            continue
        if not deps.weights[value]:
            plain.add(own)
        else:
            shown[own].append(value)
    found: dict[int, int] = {}
    for own, values in shown.items():
        joined = [(v, _shown_parts(study, v)) for v in values]
        beside = any(mixed for _, (_, mixed) in joined)
        for _, (parts, _) in joined if own in plain or beside else ():
            for part in parts:
                if is_alive(study, part) and not deps.reduced[part]:
                    found[part] = found.get(part, 0) | own
    parts = list(found)
    return {i: own for i, own in found.items() if not is_blend(study, i, parts)}


def _shown_parts(study: Training, i: int) -> tuple[list[int], bool]:
    """The parts of a judge's input that weights made, and whether data of the same kind lies in one batch with them."""
    flow, deps = study.flow, study.deps
    for _ in range(_FAR):
        if flow.ops[i] in _JOINS:
            parts = [s for s, _ in flow.inputs[i]]
            made = [s for s in parts if deps.weights[s]]
            rows = _joins_rows(flow, i)
            mixed = rows and any(deps.feeds[s] and not deps.weights[s] for s in parts)
            return (made if len(made) == 1 else []), mixed
        noisy = [s for s, _ in flow.inputs[i] if deps.weights[s]]
        if adds_noise(study, i) and len(noisy) == 1:
            i = noisy[0]
            continue
        if flow.ops[i] not in _PASSES or not flow.inputs[i]:
            break
        i = flow.inputs[i][0][0]
    return [i], False


def _joins_rows(flow: Flow, i: int) -> bool:
    """Whether a concatenation puts batches one after another."""
    axis = flow.inputs[i][-1][0] if flow.ops[i] == "ConcatV2" else -1
    if axis < 0 or flow.ops[axis] != "Const":
        return False
    value = flow.nodes[axis].attrs.get("value")
    return value is not None and value.size == 1 and int(value.reshape(-1)[0]) == 0
