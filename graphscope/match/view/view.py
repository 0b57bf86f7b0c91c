"""View: all that the solver asks of a graph, each answer remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from ...graph import Shape, Tensor, TensorSpec
from ...ops.values.size import Size, Sizes
from .shape_arithmetic import sizes_of
from .weights import StoredWeights

LEAST = 2  # choices of sizes under which a claim must have been seen to hold


class View(StoredWeights):
    """An index over a graph: its nodes, their weights, and the sizes that it computes.

    ``probes`` are specs of the same tensors under several choices of the sizes that ``specs`` leave open.
    """

    probes: Sequence[Mapping[Tensor, TensorSpec]] = ()

    def always(self, claim: Callable[..., bool], *tensors: Tensor) -> bool:
        """Whether a claim about the shapes of some tensors holds whatever the open sizes are (see infer/probes.py)."""
        shapes = tuple(self.shape(each) for each in tensors)
        if all(shape is not None and None not in shape for shape in shapes):
            return claim(*shapes)
        wholes = [[_whole(specs, each) for each in tensors] for specs in self.probes]
        whole_shapes = [shapes for shapes in wholes if None not in shapes]
        return len(whole_shapes) >= LEAST and all(
            claim(*shapes) for shapes in whole_shapes
        )

    @cached_property
    def _remembered(self) -> dict[str, dict[Tensor, Any]]:
        return {}

    def remembered(self, what: str) -> dict[Tensor, Any]:
        """A place for the answers to one kind of question about tensors."""
        return self._remembered.setdefault(what, {})

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


def _whole(specs: Mapping[Tensor, TensorSpec], tensor: Tensor) -> Shape:
    """The shape where all of it is known."""
    shape = specs.get(tensor, TensorSpec()).shape
    return None if shape is None or None in shape else shape
