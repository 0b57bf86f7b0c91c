"""View: all that the solver asks of a graph, each answer remembered."""

from __future__ import annotations

from functools import cached_property

from ..graph import Tensor
from .measure import sizes_of
from .sizes import Size, Sizes
from .weights import Weights


class View(Weights):
    """An index over a graph: its nodes, their weights, and the sizes that it computes."""

    @cached_property
    def _sizes(self) -> dict[Tensor, Sizes | None]:
        return {}

    def sizes(self, tensor: Tensor) -> Sizes | None:
        """What is known of the numbers that this tensor holds, when they come from shapes and constants."""
        if tensor not in self._sizes:
            self._sizes[tensor] = sizes_of(self, tensor)
        return self._sizes[tensor]

    def axis_size(self, tensor: Tensor, axis: int) -> Size:
        """The size of one axis: a constant where it is known."""
        source, _ = self.producer(tensor)
        shape = self.shape(source) or self.shape(tensor)
        if shape is not None and -len(shape) <= axis < len(shape):
            axis %= len(shape)
            if shape[axis] is not None:
                return Size(shape[axis])  # type: ignore[arg-type]
        return Size(1, ((source, axis),))
