"""Held: a weight at the place of its use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..graph import Tensor


@dataclass(frozen=True)
class Held:
    """A weight at the place of its use: the node that holds it, and the steps from there to this tensor.

    ``direct`` tells a constant that the formula's op reads itself from one that was once read as a variable. Where
    no one node holds it, ``node`` is empty and ``source`` the tensor that constants alone determine.
    """

    node: str
    shape: tuple[int, ...]
    steps: tuple[tuple[str, Any], ...] = ()
    direct: bool = False
    value: Any = None
    source: Tensor | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two uses the same use."""
        return self.node, self.shape, self.steps, self.source

    def then(self, step: str, argument: Any, shape: tuple[int, ...]) -> Held:
        """The same weight one step further."""
        steps = self.steps
        if step == "reshape" and steps and steps[-1][0] == "reshape":
            steps = steps[:-1]
        return replace(self, shape=shape, steps=(*steps, (step, argument)))

    def reshaped(self, *shape: int) -> Held:
        """The same weight in another shape; itself where it has that already."""
        return self if shape == self.shape else self.then("reshape", shape, shape)

    def transposed(self, *axes: int) -> Held:
        """The same weight with its axes in another order."""
        if axes == tuple(range(len(axes))):
            return self
        return self.then("transpose", axes, tuple(self.shape[a] for a in axes))

    def sliced(self, axis: int, begin: int, end: int) -> Held:
        """The entries from begin to end along one axis; itself where those are all."""
        if (begin, end) == (0, self.shape[axis]):
            return self
        shape = (*self.shape[:axis], end - begin, *self.shape[axis + 1 :])
        return self.then("slice", (axis, begin, end), shape)

    def flat(self) -> Held:
        """The same weight as a vector."""
        return self.reshaped(int(np.prod(self.shape)))
