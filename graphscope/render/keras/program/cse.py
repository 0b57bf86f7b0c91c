"""What is computed twice alike -> computed once.

A model that calls one layer twice on one tensor gets what it got before; so does all that follows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from ....graph import Tensor
from .literals import literal
from .program import Step


def merged(
    steps: Iterable[Step], outputs: Sequence[Tensor]
) -> tuple[tuple[Step, ...], tuple[Tensor, ...]]:
    """The steps less second calls of a layer on the same tensors, and of what reads them; the outputs as they are now."""
    same: dict[Tensor, Tensor] = {}
    known: dict[Hashable, Step] = {}
    unique: list[Step] = []
    for step in steps:
        inputs = tuple(same.get(tensor, tensor) for tensor in step.inputs)
        key = (step.layer or step.constructor, step.text, _arguments(step), inputs)
        first = known.setdefault(key, step)
        is_again = step.layer and step.weights or inputs != step.inputs
        if first is not step and is_again and (step.layer or not step.weights):
            same.update(zip(step.outputs(), first.outputs()))
        else:
            unique.append(replace(step, inputs=inputs))
    calls = Counter(step.layer for step in unique)
    return (
        tuple(replace(s, layer="") if calls[s.layer] == 1 else s for s in unique),
        tuple(same.get(tensor, tensor) for tensor in outputs),
    )


def _arguments(step: Step) -> str:
    return literal(dict(step.arguments))
