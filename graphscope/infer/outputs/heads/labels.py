"""Training, head -> the labels that it is compared with."""

from __future__ import annotations

from ...training.roles import Training

_MEASURES = ("loss", "metric")


def labels_of(study: Training, i: int) -> int:
    """Bits of the labels that a head is compared with: those that join its values on their way through losses."""
    flow, labels, bits = study.flow, study.losses.labels, 0
    stack, seen = [i], {i}
    while stack:
        for n in flow.outputs[stack.pop()]:
            if n in seen or study.roles.get(n) not in _MEASURES:
                continue
            seen.add(n)
            bits |= study.deps.feeds[n] & labels
            if not study.deps.feeds[n] & labels:
                stack.append(n)
    return bits & ~study.deps.feeds[i]
