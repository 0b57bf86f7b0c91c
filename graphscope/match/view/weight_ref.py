"""WeightRef: a weight at the place of its use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...graph import Tensor


@dataclass(frozen=True)
class WeightRef:
    """A weight at the place of its use: the node that holds it, and the steps from there to this tensor.

    ``direct`` tells a constant that is used as it is, or reshaped, from one that was once read as a variable. Where no
    one node holds it, ``node`` is empty and ``source`` the tensor that constants alone determine.
    """

    node: str
    shape: tuple[int, ...]
    steps: tuple[tuple[str, Any], ...] = ()
    direct: bool = False
    value: Any = None
    source: Tensor | None = None
    uncut: int = 0  # the size, before the last step, of the axis that this step cut

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WeightRef) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two uses the same use."""
        return self.node, self.shape, self.steps, self.source

    def then(self, step: str, argument: object, shape: tuple[int, ...]) -> WeightRef:
        """The same weight one step further."""
        steps = self.steps
        if step == "reshape" and steps and steps[-1][0] == "reshape":
            steps = steps[:-1]
        return replace(self, shape=shape, steps=(*steps, (step, argument)), uncut=0)

    def reshaped(self, *shape: int) -> WeightRef:
        """The same weight in another shape; itself where it has that already."""
        return self if shape == self.shape else self.then("reshape", shape, shape)

    def transposed(self, *axes: int) -> WeightRef:
        """The same weight with its axes in another order."""
        if axes == tuple(range(len(axes))):
            return self
        if self.steps and self.steps[-1][0] == "transpose":
            before = replace(
                self,
                shape=_undone(self.shape, self.steps[-1][1]),
                steps=self.steps[:-1],
            )
            return before.transposed(*(self.steps[-1][1][a] for a in axes))
        return self.then("transpose", axes, tuple(self.shape[a] for a in axes))

    def sliced(self, axis: int, begin: int, end: int) -> WeightRef:
        """The entries from begin to end along one axis; itself where those are all."""
        if (begin, end) == (0, self.shape[axis]):
            return self
        shape = (*self.shape[:axis], end - begin, *self.shape[axis + 1 :])
        cut = self.then("slice", (axis, begin, end), shape)
        return replace(cut, uncut=self.shape[axis])

    def joined(self, axis: int, others: Sequence[WeightRef]) -> WeightRef:
        """This weight and others after it along one axis; what was cut into just these parts is whole again."""
        parts = (self, *others)
        size = sum(part.shape[axis] for part in parts)
        shape = (*self.shape[:axis], size, *self.shape[axis + 1 :])
        cuts = [part.steps[-1] if part.steps else ("", ()) for part in parts]
        bounds = [0]
        for part in parts:
            bounds.append(bounds[-1] + part.shape[axis])
        slices = [("slice", (axis, a, b)) for a, b in zip(bounds, bounds[1:])]
        same = len({(part.node, part.steps[:-1]) for part in parts}) == 1
        if others and same and cuts == slices and self.uncut == size:
            return replace(self, shape=shape, steps=self.steps[:-1], uncut=0)
        return self.then("join", (axis, tuple(others)), shape) if others else self

    def flat(self) -> WeightRef:
        """The same weight as a vector."""
        return self.reshaped(int(np.prod(self.shape)))

    def trimmed(self) -> WeightRef:
        """The same weight without the leading axes of size 1, which only align it."""
        wide = [axis for axis, size in enumerate(self.shape[:-1]) if size != 1]
        return self.reshaped(*self.shape[wide[0] if wide else len(self.shape) - 1 :])


def _undone(shape: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
    """The shape that became this one when its axes were put into another order."""
    before = dict(zip(axes, shape))
    return tuple(before[axis] for axis in range(len(shape)))
