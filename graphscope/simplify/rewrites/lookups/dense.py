"""Rows of a table looked up by a sparse tensor that was made of a dense one -> rows looked up by the dense one.

Feature columns (``tf.feature_column``, TensorFlow Transform) turn ``[batch, length]`` into a sparse tensor of what is no missing
value, drop what is no index, and combine the rows of each example. Of all that the dense tensor and a mask remain: a *selection*
is a vector of those elements of a dense matrix at which a mask holds, and what is computed of it element by element is computed of
the matrix as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ....graph import Node, Tensor
from ....graph.edit import duplicate, put, put_constant, put_new, redirect
from ....graph.order import sources_first
from ....ops import spellings
from ....ops.array.slice_masks import SliceMasks
from ...prune import prune
from ...state import State
from .combined_rows import SpreadIds, put_combined
from .sparse_ids import Sizes, SparseIds

_ELEMENTWISE = frozenset(
    "Identity Cast AsString StringToHashBucketFast StringToHashBucketStrong StringToHashBucket LookupTableFindV2 ZerosLike OnesLike "
    "Less LessEqual Greater GreaterEqual Equal NotEqual LogicalAnd LogicalOr LogicalNot Select SelectV2 Add AddV2 Sub Mul "
    "FloorMod Minimum Maximum Bucketize".split()
)
_PASSES = frozenset({"Identity", "Cast"})
_GATHERS = frozenset({*spellings.GATHERS, "ResourceGather"})
_COMBINERS = {
    "SparseSegmentSum": "sum",
    "SparseSegmentMean": "mean",
    "SparseSegmentSqrtN": "sqrtn",
}


class _Selection(NamedTuple):
    """The elements of a dense matrix at which a mask of its shape holds."""

    dense: Tensor
    mask: Tensor


class _Rows(NamedTuple):
    """What a gather yields for each element of a selection: its node, and what it reads, the indices in slot 1."""

    gather: Node
    operands: tuple[Tensor, ...]
    of: _Selection


def look_up_dense(state: State) -> State:
    """Rows combined by a sparse tensor that stands for a dense one -> rows of the dense one, masked and combined.

    ``Select(empty, 0, SparseSegmentSum(Gather(table, Unique(ids))...)) -> Sum(Gather(table, ids) * mask, axis=1)``, the same of
    ``SparseSegmentSum(table, ids, ...)``, which TensorFlow writes since 2.15 where the table is a plain tensor, and
    ``SparseToDense(Where(mask), shape, GatherNd(x, Where(mask)), default) -> SelectV2(mask, x, default)``.
    """
    if not state.outputs or next(state.graph.by_op("Where"), None) is None:
        return state
    order = sources_first(state.graph)
    if order is None:
        return state
    reading = _Reading(state)
    for name in order:
        reading.read(name)
    return state.become(prune(reading.graph, state.outputs)) if reading.ends else state


class _Reading:
    """The nodes in their order, each as what it is of a dense tensor; ``graph`` gets the dense nodes beside those that stand."""

    def __init__(self, state: State) -> None:
        self.before, self.graph = state.graph, duplicate(state.graph)
        self.specs, self.constant = state.specs, state.constants.value
        self.sparse = SparseIds(self.before, self.specs, self.constant)
        self.sizes = self.sparse.sizes
        self.spread: dict[Tensor, tuple[Sizes, Tensor]] = {}  # masks of what was sparse
        self.places: dict[Tensor, Tensor] = {}  # indices -> the mask that holds there
        self.selections: dict[Tensor, _Selection] = {}
        self.choices: dict[Tensor, _Selection] = {}  # numbers of selected elements
        self.filled: dict[str, _Selection] = {}  # of SparseFillEmptyRows
        self.unique: dict[str, _Selection] = {}
        self.rows: dict[Tensor, _Rows] = {}
        self.combined: dict[Tensor, tuple[str, _Rows]] = {}
        self.masks: dict[tuple[Tensor, Tensor], Tensor] = {}
        self.ended: dict[Tensor, Tensor] = {}  # combined rows -> the mask of their ids
        self.ends = 0
        self.readers: Mapping[str, Callable[[str, Sequence[Tensor]], None]] = {
            "Where": self._where,
            "GatherNd": self._gather_nd,
            "Reshape": self._reshape,
            "SparseReshape": self._sparse_reshape,
            "SparseFillEmptyRows": self._fill,
            "Unique": self._unique,
            "SparseToDense": self._to_dense,
            "Fill": self._constant_vector,
            **dict.fromkeys(_GATHERS, self._gather),
            **dict.fromkeys(_COMBINERS, self._combine),
        }

    def read(self, name: str) -> None:
        op, inputs = self.before.op(name), self.before.inputs(name)
        self.sparse.read(self.graph, name)
        if op in self.readers and inputs:
            self.readers[op](name, inputs)
        elif op in _ELEMENTWISE and inputs:
            self._elementwise(name, inputs)
            self._end(name, inputs)

    def _where(self, name: str, inputs: Sequence[Tensor]) -> None:
        if self._rank(inputs[0]) == 2:
            self.places[Tensor(name)] = inputs[0]
        elif inputs[0] in self.selections:
            self.choices[Tensor(name)] = self.selections[inputs[0]]
        elif inputs[0] in self.sparse.signs:
            mask = self._spread(self.sparse.signs[inputs[0]])
            self.choices[Tensor(name)] = _Selection(mask, mask)

    def _spread(self, ids: Tensor) -> Tensor:
        """Where the matrix of ids that were sparse has one."""
        dense = self.sparse.spread(self.graph, ids)
        kinds = {"T": self._dtype(dense)}
        if (dense, dense) not in self.masks:
            nothing = np.zeros((), kinds["T"])
            zero = put_constant(self.graph, f"{dense.node}/zero", nothing)
            name = f"{dense.node}/is_id"
            mask = self._put(name, "GreaterEqual", kinds, dense, zero)
            self.masks[dense, dense] = mask
            self.spread[mask] = self.sparse.values[ids], ids
        return self.masks[dense, dense]

    def _gather_nd(self, name: str, inputs: Sequence[Tensor]) -> None:
        mask = self.places.get(inputs[1])
        if mask is not None and self._is_shape_of(inputs[0], mask):
            self.selections[Tensor(name)] = _Selection(inputs[0], mask)

    def _reshape(self, name: str, inputs: Sequence[Tensor]) -> None:
        """A vector that stays one; combined rows of which the sizes are said once more."""
        shape = self.constant(inputs[1])
        if inputs[0] in self.ended and self._is_size_of_rows(inputs[1], inputs[0]):
            kinds = {"T": self._dtype(inputs[0])}
            put(self.graph, name, Node("Identity", kinds), [inputs[0]])
        if shape is not None and shape.tolist() == [-1]:
            for known in (self.choices, self.selections):
                if inputs[0] in known:
                    known[Tensor(name)] = known[inputs[0]]

    def _sparse_reshape(self, name: str, inputs: Sequence[Tensor]) -> None:
        """One that leaves the shape as it is."""
        mask = self.places.get(inputs[0])
        is_same = self.sparse.after_reshape(name, inputs)
        if mask is not None and self.sizes.after_reshape(*inputs[1:]) is not None:
            self.places[Tensor(name)], is_same = mask, True
        if is_same:
            redirect(self.graph, Tensor(name, 1), inputs[1])

    def _gather(self, name: str, inputs: Sequence[Tensor]) -> None:
        source, at = inputs[:2]
        choice = self.choices.get(at)
        if choice is not None:
            self._choose(Tensor(name), source, choice)
        elif at.node in self.unique and at.port == 0:
            gather, operands = self.before.node(name), tuple(inputs)
            self.rows[Tensor(name)] = _Rows(gather, operands, self.unique[at.node])

    def _choose(self, result: Tensor, source: Tensor, choice: _Selection) -> None:
        """Elements of a selection, or of its places, at which another one holds."""
        if choice.mask in self.spread:
            sizes, ids = self.spread[choice.mask]
            if self.sparse.places.get(source) == sizes:
                self.places[result] = choice.mask
            elif self.before.past(source, ("Identity",)) == ids:
                dense = self.sparse.spread(self.graph, ids)
                self.selections[result] = _Selection(dense, choice.mask)
            return
        mask = self._both(choice.mask, choice.dense)
        if self.places.get(source) == choice.mask:
            self.places[result] = mask
        selection = self.selections.get(source)
        if selection is not None and selection.mask == choice.mask:
            self.selections[result] = _Selection(selection.dense, mask)

    def _fill(self, name: str, inputs: Sequence[Tensor]) -> None:
        selection = self.selections.get(inputs[1])
        if selection is None or self.places.get(inputs[0]) != selection.mask:
            return
        if self._is_size_of(inputs[2], selection.mask):
            self.filled[name] = selection

    def _unique(self, name: str, inputs: Sequence[Tensor]) -> None:
        if inputs[0].port == 1 and inputs[0].node in self.filled:
            self.unique[name] = self.filled[inputs[0].node]

    def _combine(self, name: str, inputs: Sequence[Tensor]) -> None:
        rows, owner = self._rows_of(*inputs[:2]), self._passed(inputs[2])
        if rows is None or self.before.op(owner.node) != "StridedSlice":
            return
        indices = self.before.inputs(owner.node)[0]
        is_theirs = indices.port == 0 and self.filled.get(indices.node) == rows.of
        if is_theirs and self._is_first_column(owner.node):
            self.combined[Tensor(name)] = _COMBINERS[self.before.op(name)], rows

    def _rows_of(self, source: Tensor, numbers: Tensor) -> _Rows | None:
        """Rows that were gathered without repetition and are numbered, or those of a table by their ids."""
        if numbers.port != 1:
            return None
        rows = self.rows.get(source)
        if rows is not None:
            return rows if self.unique.get(numbers.node) == rows.of else None
        selection = self.filled.get(numbers.node)
        if selection is None:
            return None
        kinds = {"Tparams": self._dtype(source), "Tindices": self._dtype(numbers)}
        return _Rows(Node("Gather", kinds), (source, numbers), selection)

    def _is_first_column(self, name: str) -> bool:
        begin, end, strides = (self.constant(t) for t in self.before.inputs(name)[1:4])
        attrs = self.before.attrs(name)
        masks = SliceMasks.of(attrs)
        is_whole = begin is not None and begin.tolist() == [0, 0]
        is_one = end is not None and end.tolist()[1:] == [1]
        steps = strides is not None and strides.tolist() == [1, 1]
        is_column = masks.end & 1 == 1 and masks.shrink_axis == 2
        return is_whole and is_one and steps and is_column

    def _to_dense(self, name: str, inputs: Sequence[Tensor]) -> None:
        selection = self.selections.get(inputs[2])
        if selection is None or self.places.get(inputs[0]) != selection.mask:
            return
        if self._is_size_of(inputs[1], selection.mask) and self._rank(inputs[3]) == 0:
            attrs = {"T": self.before.attrs(name).get("T")}
            ends = [selection.mask, selection.dense, inputs[3]]
            put(self.graph, name, Node("SelectV2", attrs), ends)
            self.ends += 1

    def _constant_vector(self, name: str, inputs: Sequence[Tensor]) -> None:
        """One number for each element of a selection."""
        if self.before.op(inputs[0].node) != "Shape":
            return
        selection = self.selections.get(self.before.inputs(inputs[0].node)[0])
        if selection is not None:
            self.selections[Tensor(name)] = _Selection(inputs[1], selection.mask)

    def _elementwise(self, name: str, inputs: Sequence[Tensor]) -> None:
        self.sparse.elementwise(self.graph, name, inputs)
        self._pass_on(name, inputs[0])
        selected = [self.selections.get(t) for t in inputs]
        masks = {each.mask for each in selected if each is not None}
        is_plain = all(
            each is not None or self._rank(t) == 0 for each, t in zip(selected, inputs)
        )
        if len(masks) != 1 or not is_plain:
            return
        node = self.before.node(name)
        op = "SelectV2" if node.op == "Select" else node.op
        operands = [e.dense if e is not None else t for e, t in zip(selected, inputs)]
        dense = self._put(f"{name}/dense", op, node.attrs, *operands)
        self.selections[Tensor(name)] = _Selection(dense, masks.pop())

    def _pass_on(self, name: str, tensor: Tensor) -> None:
        if self.before.op(name) in _PASSES:
            if tensor in self.places:
                self.places[Tensor(name)] = self.places[tensor]
            if tensor in self.choices:
                self.choices[Tensor(name)] = self.choices[tensor]
        if self.before.op(name) == "Identity" and tensor in self.rows:
            self.rows[Tensor(name)] = self.rows[tensor]

    def _end(self, name: str, inputs: Sequence[Tensor]) -> None:
        """Zeros for the examples of which nothing is looked up."""
        if self.before.op(name) not in spellings.SELECTS:
            return
        condition, zeros, result = inputs
        if result not in self.combined or self.before.op(zeros.node) != "ZerosLike":
            return
        kind, rows = self.combined[result]
        if self.before.inputs(zeros.node)[0] != result:
            return
        empty = self._above(self._above(condition, "Tile"), "Reshape")
        if empty is not None and empty.port == 2:
            if self.filled.get(empty.node) == rows.of:
                self._put_rows(name, kind, rows)
                self.ended[Tensor(name)] = rows.of.mask
                self.ends += 1

    def _above(self, tensor: Tensor | None, op: str) -> Tensor | None:
        if tensor is None or self.before.op(tensor.node) != op:
            return None
        return self.before.inputs(tensor.node)[0]

    def _put_rows(self, name: str, kind: str, rows: _Rows) -> None:
        """The rows of all elements, those that the mask leaves out as zeros, combined over the second axis."""
        mask, dense = rows.of.mask, rows.of.dense
        ids = SpreadIds(
            dense,
            mask,
            self._dtype(dense),
            self._columns(mask),
            is_minus_one=mask in self.spread,
            are_all=mask in self.spread and self.spread[mask][1] in self.sparse.whole,
        )
        table = rows.gather, rows.operands
        put_combined(self.graph, name, (kind, self._dtype(Tensor(name))), table, ids)

    def _columns(self, mask: Tensor) -> object:
        """How many ids an example has at most, where that is known."""
        if mask in self.spread:
            return self.spread[mask][0][1]
        shape = self.specs[self._root(mask)].shape
        return shape[1] if shape is not None else None

    def _both(self, mask: Tensor, other: Tensor) -> Tensor:
        if (mask, other) not in self.masks:
            both = self._put(f"{mask.node}/both", "LogicalAnd", {}, mask, other)
            self.masks[mask, other] = both
        return self.masks[mask, other]

    def _is_shape_of(self, tensor: Tensor, mask: Tensor) -> bool:
        """Whether a tensor has the shape of a mask that was computed of it."""
        sizes = [
            self.specs[t].shape if t in self.specs else None for t in (tensor, mask)
        ]
        above = self.before.inputs(mask.node)
        return sizes[0] == sizes[1] and sizes[0] is not None and tensor in above

    def _is_size_of(self, tensor: Tensor, mask: Tensor) -> bool:
        """Whether a vector holds the sizes of a mask."""
        sizes = self.sizes(tensor)
        if mask in self.spread:
            return sizes == list(self.spread[mask][0])
        above = self.before.inputs(self._root(mask).node)
        return sizes is not None and any(sizes == self.sizes.of(t) for t in above)

    def _is_size_of_rows(self, tensor: Tensor, rows: Tensor) -> bool:
        """Whether a vector holds how many examples there are, and how long a row is."""
        mask = self.ended[rows]
        sizes, of_rows = self.sizes(tensor), self.sizes.of(rows)
        if mask not in self.spread or not sizes or not of_rows:
            return False
        return sizes == [self.spread[mask][0][0], *of_rows[1:]]

    def _root(self, mask: Tensor) -> Tensor:
        """The mask of the graph that others were joined with."""
        while mask.node not in self.before:
            mask = self.graph.inputs(mask.node)[0]
        return mask

    def _passed(self, tensor: Tensor) -> Tensor:
        while self.before.op(tensor.node) in _PASSES:
            tensor = self.before.inputs(tensor.node)[0]
        return tensor

    def _rank(self, tensor: Tensor) -> int | None:
        spec = self.specs.get(tensor)
        return None if spec is None or spec.shape is None else len(spec.shape)

    def _dtype(self, tensor: Tensor) -> str:
        spec = self.specs.get(tensor)
        if spec is not None and spec.dtype:
            return spec.dtype
        attrs = self.graph.attrs(tensor.node)
        keys = ("DstT", "Tout", "T", "dtype", "out_type", "output_type")
        return str(next((attrs[k] for k in keys if attrs.get(k)), "int64"))

    def _put(
        self, name: str, op: str, attrs: Mapping[str, object], *inputs: Tensor
    ) -> Tensor:
        return put_new(self.graph, name, op, attrs, *inputs)
