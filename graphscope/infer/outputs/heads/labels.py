"""Training, head -> the labels that it is compared with, and the heads that are told a label before they answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...training.roles import Training

if TYPE_CHECKING:
    from .candidates import Head

_MEASURES = ("loss", "metric")


def labels_of(study: Training, i: int) -> int:
    """Bits of the labels that a head is compared with."""
    return inputs_met(study, i, study.losses.labels)


def inputs_met(study: Training, i: int, inputs: int) -> int:
    """Bits of those ``inputs`` that join a head's values on their way through losses, before those are summed up."""
    flow, feeds, bits = study.flow, study.deps.feeds, 0
    stack, seen = [i], {i}
    while stack:
        for n in flow.outputs[stack.pop()]:
            if n in seen or study.roles.get(n) not in _MEASURES:
                continue
            if study.deps.reduced[n]:
                continue
            seen.add(n)
            bits |= feeds[n] & inputs
            if not feeds[n] & inputs & ~feeds[i]:
                stack.append(n)
    return bits & ~feeds[i]


def data_met(study: Training, i: int) -> int:
    """Bits of what is fed, and what no weight computed, that joins a head's values on their way through losses."""
    flow, deps, bits = study.flow, study.deps, 0
    stack, seen = [i], {i}
    while stack:
        for n in flow.outputs[stack.pop()]:
            measures = study.roles.get(n) in _MEASURES and not deps.reduced[n]
            if n in seen or not measures:
                continue
            seen.add(n)
            for source, _ in flow.inputs[n]:
                bits |= 0 if deps.weights[source] else deps.feeds[source]
            stack.append(n)
    return bits


def taught(study: Training, heads: Sequence[Head]) -> dict[int, int]:
    """``{head: other}``: a head of all the weights of another and of more, that needs an input with which the other is
    compared: a picture that a capsule net paints of the class that it is told.
    """
    deps, told = study.deps, {}
    inputs = ((1 << len(deps.sources)) - 1) & ~study.losses.labels
    plain = [h.index for h in heads if _is_compared(study, h)]
    for one in plain:
        met = inputs_met(study, one, inputs) & data_met(study, one)
        for other in plain if met else ():
            more = deps.weights[other] & ~deps.weights[one]
            if more and not deps.weights[one] & ~deps.weights[other]:
                if met & deps.feeds[other]:
                    told[other] = one
    return told


def _is_compared(study: Training, head: Head) -> bool:
    return "loss" in head.readers and not (
        study.deps.later[head.index] or study.deps.reduced[head.index]
    )
