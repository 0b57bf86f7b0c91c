"""EinsumDense layers of one model -> output shapes that Keras finds to agree.

Keras refuses a size in ``output_shape`` where it does not know that of the input, and an axis that one of them leaves open
is open in all that follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .program import Step


def agreed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps; where one EinsumDense leaves open an axis that it keeps, all of them leave open what they keep."""
    axes = {step.node: _kept(step) for step in steps if _has_axes(step)}
    shapes = {s.node: s.arguments["output_shape"] for s in steps if s.node in axes}
    if not any(shapes[node][at] is None for node in axes for at in axes[node]):
        return tuple(steps)
    return tuple(
        _opened(step, axes[step.node]) if step.node in axes else step for step in steps
    )


def _has_axes(step: Step) -> bool:
    return step.class_name == "EinsumDense" and isinstance(
        step.arguments.get("output_shape"), tuple
    )


def _kept(step: Step) -> list[int]:
    """The places in ``output_shape``, which has no batch, of axes that are the input's and not the kernel's."""
    left, _, right = str(step.arguments["equation"]).partition("->")
    operand, _, kernel = left.partition(",")
    if "." in operand:
        return []
    labels = enumerate(right[1:])
    return [at for at, label in labels if label in operand and label not in kernel]


def _opened(step: Step, places: Sequence[int]) -> Step:
    sizes = step.arguments["output_shape"]
    shape = tuple(None if at in places else size for at, size in enumerate(sizes))
    return replace(step, arguments={**step.arguments, "output_shape": shape})
