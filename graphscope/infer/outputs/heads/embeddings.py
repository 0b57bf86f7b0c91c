"""Training -> the embeddings that a net was made for, where a margin between classes was only its training."""

from __future__ import annotations

from ...training.arrays import Flow
from ...training.roles import Training


def codes_before_classes(study: Training) -> dict[int, int]:
    """Embeddings of length one that are compared with class weights of length one: ``{embedding: comparison}``.

    The margins of such a net (ArcFace, CosFace) belong to its training; its author fetches the embedding.
    """
    flow, deps = study.flow, study.deps
    codes = {}
    for i in flow.by_kind(lambda op: op == "MatMul"):
        if not study.losses.labels or not deps.applied[i] or i in study.roles:
            continue
        if len(flow.inputs[i]) != 2:
            continue
        (code, _), (classes, _) = flow.inputs[i]
        if deps.feeds[code] and _is_unit(flow, code) and _is_unit(flow, classes):
            codes[code] = i
    return codes


def _is_unit(flow: Flow, i: int) -> bool:
    """Whether a value is divided by its own length."""
    if flow.ops[i] not in ("RealDiv", "Mul") or len(flow.inputs[i]) != 2:
        return False
    value, length = (s for s, _ in flow.inputs[i])
    if flow.ops[length] != ("Sqrt" if flow.ops[i] == "RealDiv" else "Rsqrt"):
        return False
    for _ in range(4):
        length = flow.inputs[length][0][0] if flow.inputs[length] else length
        if flow.ops[length] in ("Square", "Mul"):
            return value in [s for s, _ in flow.inputs[length]]
    return False
