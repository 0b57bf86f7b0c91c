"""Vectors of sizes as ops compute them: each element a number, or one size of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ....graph import Graph, Tensor, TensorSpec
from ....ops import spellings

Element = int | tuple[Tensor, int]
"""A number, or the size of an axis of a tensor."""
Constant = Callable[[Tensor], np.ndarray | None]
_PASSES = frozenset({"Identity", "Cast"})


class SizeVectors:
    """What the elements of a vector (or of a scalar) are; None where that is not known."""

    def __init__(
        self, graph: Graph, specs: Mapping[Tensor, TensorSpec], constant: Constant
    ) -> None:
        self.graph, self.specs, self.constant = graph, specs, constant
        self.known: dict[Tensor, list[Element] | None] = {}

    def __call__(self, tensor: Tensor) -> list[Element] | None:
        if tensor not in self.known:
            self.known[tensor] = None  # of a circle nothing is known
            self.known[tensor] = self._elements(tensor)
        return self.known[tensor]

    def after_reshape(self, before: Tensor, after: Tensor) -> list[Element] | None:
        """The sizes that ``SparseReshape`` gives, where they are those before; -1 stands for one of them."""
        old, new = self(before), self(after)
        if old is None or new is None or len(old) != len(new) or new.count(-1) > 1:
            return None
        return old if all(n in (o, -1) for o, n in zip(old, new)) else None

    def _elements(self, tensor: Tensor) -> list[Element] | None:
        value = self.constant(tensor)
        if value is not None:
            is_small = value.dtype.kind in "iu" and value.size < 9
            return [int(each) for each in value.reshape(-1)] if is_small else None
        op, inputs = self.graph.op(tensor.node), self.graph.inputs(tensor.node)
        if op == "Shape":
            return self.of(inputs[0])
        if op in _PASSES:
            return self(inputs[0])
        if op == "SparseReshape":
            return self.after_reshape(*inputs[1:]) if tensor.port == 1 else None
        if op in ("Pack", "ConcatV2"):
            return self._joined(inputs if op == "Pack" else inputs[:-1])
        return self._part(tensor.node, op, inputs)

    def of(self, tensor: Tensor) -> list[Element] | None:
        """The sizes of a tensor itself."""
        spec = self.specs.get(tensor)
        if spec is None or spec.shape is None:
            return None
        return [(tensor, i) if s is None else s for i, s in enumerate(spec.shape)]

    def _joined(self, inputs: Sequence[Tensor]) -> list[Element] | None:
        parts = [self(each) for each in inputs]
        known = [part for part in parts if part is not None]
        return sum(known, []) if len(known) == len(parts) else None

    def _part(
        self, name: str, op: str, inputs: Sequence[Tensor]
    ) -> list[Element] | None:
        """What a slice, a gather or a product takes of a vector."""
        elements = self(inputs[0]) if inputs else None
        if elements is None:
            return None
        numbers = [self.constant(each) for each in inputs[1:]]
        if any(each is None for each in numbers):
            return None
        at = [np.asarray(each).reshape(-1).tolist() for each in numbers]
        if op == "Slice":
            start, count = at[0][0], at[1][0]
            return elements[start : len(elements) if count < 0 else start + count]
        if op in spellings.GATHERS:
            inside = all(0 <= n < len(elements) for n in at[0])
            return [elements[n] for n in at[0]] if inside else None
        if op == "Prod":
            return elements if len(elements) == 1 else None
        attrs = self.graph.attrs(name)
        is_one = op == "StridedSlice" and attrs.get("shrink_axis_mask") == 1
        if is_one and at[0][0] in range(len(elements)):
            return [elements[at[0][0]]]
        return None
