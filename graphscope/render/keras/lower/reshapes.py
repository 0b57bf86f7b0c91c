"""A reshape of what was but reshaped -> one reshape: ``Reshape(b)(Reshape(a)(x)) -> Reshape(b)(x)``.

Windows are cut out of an image, and put back, over shapes that only the author's functions needed. Nothing here touches a
layer that somebody named, so none of a Keras model's own goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ....graph import Tensor
from ..program.literals import literal
from ..program.program import Step, hole

_BATCHED = re.compile(rf"ops\.reshape\({hole(0)}, \(-1((, [1-9]\d*)*),?\)\)")
"""A reshape to known sizes but the first, which may change the number of examples."""


def joined(steps: Iterable[Step], outputs: Sequence[Tensor]) -> tuple[Step, ...]:
    """The steps less reshapes that only another reshape reads."""
    known = {step.node: step for step in steps}
    readers: dict[Tensor, int] = dict.fromkeys(outputs, 1)
    for step in known.values():
        for tensor in step.inputs:
            readers[tensor] = readers.get(tensor, 0) + 1
    for step in list(known.values()):
        first = known.get(step.inputs[0].node) if step.inputs else None
        if first is None or readers[step.inputs[0]] > 1 or not _is_plain(first):
            continue
        if (whole := _whole(first, step)) is not None:
            known[step.node] = replace(whole, inputs=first.inputs)
            del known[first.node]
    return tuple(known.values())


def _is_plain(step: Step) -> bool:
    """Whether a step is no layer, or one whose name nobody chose and that is called once."""
    return not step.constructor or not step.is_named and step.layer in ("", step.node)


def _whole(first: Step, second: Step) -> Step | None:
    """The second reshape as it is of what the first one reads; None where they are no two reshapes."""
    if _sizes(first) is None or (sizes := _sizes(second)) is None:
        return None
    if first.constructor or not second.constructor:
        return second  # the layer keeps the examples, or none is asked to
    if not _is_plain(second) or min(sizes, default=1) < 1:
        return None
    text = f"ops.reshape({hole(0)}, {literal((-1, *sizes))})"
    return Step(second.node, text, second.inputs, name=second.name, is_named=False)


def _sizes(step: Step) -> tuple[int, ...] | None:
    """What each example is reshaped to; None where a step is no reshape to sizes that are known."""
    if step.constructor:
        arguments: Mapping[str, object] = step.arguments
        target = arguments.get("target_shape")
        plain = step.class_name == "Reshape" and len(arguments) == 1
        return target if plain and isinstance(target, tuple) else None
    match = _BATCHED.fullmatch(step.text)
    return tuple(map(int, match[1].split(", ")[1:])) if match else None
