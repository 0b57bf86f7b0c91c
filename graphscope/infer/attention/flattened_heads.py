"""Heads folded into the batch -> heads as an axis of their own again.

The authors of fairseq's BART reshape queries, keys and values of ``[batch, heads, length, size]`` to ``[batch * heads, length,
size]``, multiply them there, and reshape the scores back where a mask is added. What works on the last two axes alone does the
same with two axes before them as with one, so the reshapes can go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ... import ops
from ...graph import Layer, Node, Tensor
from ...graph.named_values import Arguments
from ...ops.values.size import product
from ...simplify.state import State
from .flattened_tokens import Dims, Lifting, Search, is_last, lift_regions

# Layers that do to each vector along the last axis of a matrix what they do to any other.
_ON_MATRICES = frozenset(
    """LayerNormalization RMSNormalization UnitNormalization Activation ReLU LeakyReLU ELU Softmax Dropout Rescaling Add Multiply
    Subtract Average Maximum Minimum Identity""".split()
)


def lift_stacks(state: State) -> State:
    """Products on stacks of matrices between two reshapes -> the same products with the heads as an axis.

    ``Reshape(BatchMatMul(Reshape(q, [b * h, n, d]), ..), [b, h, n, n]) -> BatchMatMul(q, ..)`` where q is ``[b, h, n, d]``.
    """
    return lift_regions(state, _Stacks, _Unstacked)


class _Stacks(Search):
    """Which nodes work on stacks of matrices whose first axis is several axes in one."""

    def flattened(self, source: Tensor, dims: Dims) -> Dims | None:
        if len(dims) != 3:
            return None
        for before in self._before(source):
            lead = before[:-2]
            fits = len(lead) > 1 and before[-2:] == dims[1:]
            if fits and product(lead) == dims[0]:
                self._note_equal(before, self.view.dims(source) or ())
                return lead
        return None

    def _before(self, source: Tensor) -> Iterator[Dims]:
        """The sizes of a tensor, and those of what it was added to: a sum with as many elements as one of its terms has
        that one's sizes, and a reshape to those sizes works for no other number of elements.
        """
        yield self.view.dims(source) or ()
        if self.view.ops[source.node] in ("Add", "AddN", "Mul", "Sub"):
            for term in self.view.inputs[source.node]:
                yield self.view.dims(term) or ()

    def is_alike(self, name: str) -> bool:
        node, inputs = self.graph.node(name), self.view.inputs[name]
        stacked = self.row_inputs(name)
        others = [t for t in inputs if t.node not in self.lead]
        if not stacked or len(self.view.shape(Tensor(name)) or ()) != 3:
            return False
        if self.view.ops[name] == "BatchMatMul":
            return not others
        if _turns(self, name):
            return True
        if isinstance(node, Layer):
            return not others and node.op in _ON_MATRICES and is_last(node, 3)
        plain = "elementwise" in ops.traits(node.op) or node.op == "Identity"
        return plain and all(map(self._is_one_matrix, others))

    def _is_one_matrix(self, tensor: Tensor) -> bool:
        """Whether an operand is the same for every matrix of the stack."""
        shape = self.view.shape(tensor)
        return shape is not None and all(d == 1 for d in shape[:-2])

    def is_worth(self, region: set[str]) -> bool:
        """A region is lifted as a whole or not at all: there is no going back to sizes that only a run knows."""
        met = any(self.view.ops[name] == "BatchMatMul" for name in region)
        return met and not any(self.is_left(name, region) for name in region)


def _turns(search: Search, name: str) -> bool:
    """Whether a node turns each matrix of a stack over."""
    kind, attrs = search.view.kinds[name], search.view.attrs[name]
    if kind == "layers.Permute":
        return tuple(attrs["dims"]) == (2, 1)
    perm = (
        search.view.number(search.view.inputs[name][1]) if kind == "Transpose" else None
    )
    return perm is not None and perm.reshape(-1).tolist() == [0, 2, 1]


class _Unstacked(Lifting):
    """Writes the new graph: matrices have the axes back that were one."""

    def moved(
        self, name: str, node: Node, inputs: Sequence[Tensor]
    ) -> tuple[Arguments, list[Tensor]]:
        attrs, operands = super().moved(name, node, inputs)
        if not _turns(self.search, name):
            return attrs, operands
        rank = len(self.search.lead[name]) + 2
        order = [*range(rank - 2), rank - 1, rank - 2]
        if isinstance(node, Layer):
            return {**attrs, "dims": tuple(order[1:])}, operands
        perm = self.names.unique(f"{name}/perm")
        value = np.array(order, np.int32)
        self.up.add(perm, Node("Const", {"dtype": "int32", "value": value}))
        return attrs, [operands[0], Tensor(perm)]

    def in_sizes(self, name: str, source: Tensor, dims: Dims) -> Tensor:
        return self._now(source)
