"""A layer that only yields a weight is called on what the weight meets, not on the input of the model.

Keras wants a layer called on something, and what it is called on changes nothing: beside its reader the call needs no tensor
from far away, which a function would have to be given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ....graph import Tensor
from .program import Step


def anchored(steps: Iterable[Step], outputs: Sequence[Tensor]) -> tuple[Step, ...]:
    """The steps, each weight with one reader right before that reader and called on what that reads beside it."""
    known = list(steps)
    readers: dict[Tensor, list[Step]] = defaultdict(list)
    for step in known:
        for tensor in step.inputs:
            readers[tensor].append(step)
    weights = {Tensor(s.node) for s in known if s.constructor == "Weight"}
    moved: dict[str, list[Step]] = defaultdict(list)
    for step in known:
        tensor = Tensor(step.node)
        if tensor not in weights or len(readers[tensor]) != 1 or tensor in outputs:
            continue
        reader = readers[tensor][0]
        beside = [each for each in reader.inputs if each not in weights]
        if beside:
            moved[reader.node].append(replace(step, inputs=(beside[0],)))
    gone = {step.node for each in moved.values() for step in each}
    steps_: list[Step] = []
    for step in known:
        if step.node not in gone:
            steps_ += [*moved[step.node], step]
    return tuple(steps_)
