"""Sparse tensors that an op yields, or that hold a whole matrix -> the dense ids that stand for them, -1 where nothing is.

``ParseExample`` and ``SparseCross`` yield indices, values and sizes; ``bucketized_column`` makes them of a dense matrix. Feature columns
compute ids of the values, one by one: those of a whole matrix are computed of the matrix itself, the others are spread once they
are ids, so that what is looked up (dense.py) is dense.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ....graph import Graph, Node, Tensor, TensorSpec
from ....graph.edit import put, put_constant, put_new
from ....ops import spellings
from .size_vectors import Constant, Element, SizeVectors

Sizes = tuple[Element, ...]
"""The two sizes of a sparse matrix; they tell it from all others."""


class SparseIds:
    """What tensors are of a sparse matrix: its indices, or a number for each element of it."""

    def __init__(
        self, before: Graph, specs: Mapping[Tensor, TensorSpec], constant: Constant
    ) -> None:
        self.before, self.specs, self.constant = before, specs, constant
        self.sizes = SizeVectors(before, specs, constant)
        self.places: dict[Tensor, Sizes] = {}
        self.values: dict[Tensor, Sizes] = {}
        self.whole: dict[Tensor, Tensor] = {}  # values -> the matrix of buckets
        self.rows: dict[Tensor, tuple[Element, np.ndarray]] = {}  # repeated for each
        self.signs: dict[Tensor, Tensor] = {}  # which of the ids are none -> the ids
        self.parts: dict[Sizes, tuple[Tensor, Tensor]] = {}
        self.dense: dict[Tensor, Tensor] = {}

    def read(self, graph: Graph, name: str) -> None:
        """Note what a node yields; its inputs were read before."""
        op, inputs = self.before.op(name), self.before.inputs(name)
        if op == "SparseCross" and self._crossed(graph, name, inputs):
            return
        if count := self._count(name, op):
            for k in range(count):
                self._part(*(Tensor(name, k + count * port) for port in range(3)))
        elif op == "Identity":
            self._pass_on(name, inputs[0])
        elif op == "Fill":
            self._filled(name, inputs)
        elif op == "Reshape":
            self._flat(name, inputs)
        elif op == "Tile":
            self._tiled(name, inputs)
        elif op in ("Transpose", "Cast"):
            self._all_places(name, op, inputs)

    def _count(self, name: str, op: str) -> int:
        """How many sparse tensors an op yields: first their indices, then their values, then their sizes."""
        attrs = self.before.attrs(name)
        keys = {"ParseExample": "Nsparse", "ParseExampleV2": "num_sparse"}
        return int(attrs.get(keys[op]) or 0) if op in keys else op == "SparseCross"

    def _part(self, indices: Tensor, values: Tensor, shape: Tensor) -> None:
        spec = self.specs.get(shape)
        if spec is not None and spec.shape == (2,):
            sizes: Sizes = ((shape, 0), (shape, 1))
            self.sizes.known[shape] = list(sizes)
            self.places[indices] = self.values[values] = sizes
            self.parts[sizes] = (indices, shape)

    def after_reshape(self, name: str, inputs: Sequence[Tensor]) -> bool:
        """Whether ``SparseReshape`` leaves a sparse matrix as it is."""
        sizes = self.places.get(inputs[0])
        after = self.sizes.after_reshape(*inputs[1:])
        if sizes is None or after is None or tuple(after) != sizes:
            return False
        self.places[Tensor(name)] = sizes
        return True

    def _flat(self, name: str, inputs: Sequence[Tensor]) -> None:
        """All buckets of a matrix of numbers, row by row: none of them is negative."""
        shape, sizes = self.constant(inputs[1]), self.sizes.of(inputs[0])
        is_flat = shape is not None and shape.tolist() == [-1]
        if not is_flat or self.before.op(inputs[0].node) != "Bucketize":
            return
        if sizes and len(sizes) == 2 and isinstance(sizes[1], int):
            self.values[Tensor(name)] = tuple(sizes)
            self.whole[Tensor(name)] = inputs[0]

    def _filled(self, name: str, inputs: Sequence[Tensor]) -> None:
        """One number for each element."""
        if self.before.op(inputs[0].node) == "Shape":
            (of,) = self.before.inputs(inputs[0].node)
            if of in self.values:
                self.values[Tensor(name)] = self.values[of]

    def _crossed(self, graph: Graph, name: str, inputs: Sequence[Tensor]) -> bool:
        """Crosses of columns none of which misses a number: a column of buckets, ``Reshape(SparseCross(column, column):1, [-1, 1])``."""
        attrs = self.before.attrs(name)
        count = int(attrs.get("N") or 0)
        indices, values, rest = inputs[:count], inputs[count : 2 * count], 3 * count
        columns = [self.whole[each] for each in values if each in self.whole]
        dense = inputs[rest:]
        sizes = [self.places.get(each) for each in indices]
        is_whole = len(columns) == count and all(map(self._is_column, dense))
        if not is_whole or sizes != [self.values[each] for each in values]:
            return False
        if not attrs.get("hashed_output") or any(
            each[1] != 1 for each in sizes if each
        ):
            return False
        cast = {"SrcT": "int32", "DstT": "int64"}
        wide = [
            put_new(graph, f"{each.node}/wide", "Cast", cast, each) for each in columns
        ]
        types = (*["int64"] * count, *(self._dtype(each) for each in dense))
        kinds = {**attrs, "N": 0, "sparse_types": (), "dense_types": types}
        cross = put_new(graph, f"{name}/cross", "SparseCross", kinds, *wide, *dense)
        shape = put_constant(graph, f"{name}/column", [-1, 1])
        reshape = {"T": "int64", "Tshape": "int32"}
        ids = put_new(
            graph, f"{name}/ids", "Reshape", reshape, Tensor(cross.node, 1), shape
        )
        examples: Element = sizes[0][0] if sizes and sizes[0] else (dense[0], 0)
        self.places[Tensor(name)] = self.values[Tensor(name, 1)] = examples, 1
        self.sizes.known[Tensor(name, 2)] = [examples, 1]
        self.whole[Tensor(name, 1)] = ids
        return True

    def _is_column(self, tensor: Tensor) -> bool:
        spec = self.specs.get(tensor)
        return spec is not None and spec.shape is not None and spec.shape[1:] == (1,)

    def _tiled(self, name: str, inputs: Sequence[Tensor]) -> None:
        """One row for each example."""
        row, times = self.constant(inputs[0]), self.sizes(inputs[1])
        if row is not None and row.ndim == 1 and times is not None and len(times) == 1:
            self.rows[Tensor(name)] = times[0], row

    def _all_places(self, name: str, op: str, inputs: Sequence[Tensor]) -> None:
        """``[[0, 0], [0, 1], ..., [1, 0], ...]``, as ``bucketized_column`` spells it."""
        if op == "Cast":
            if self.before.attrs(name).get("DstT") in ("int32", "int64"):
                self._pass_on(name, inputs[0])
            return
        order = self.constant(inputs[1])
        if order is None or order.tolist() != [1, 0]:
            return
        pack = inputs[0].node
        if self.before.op(pack) != "Pack" or self.before.attrs(pack).get("axis"):
            return
        example, column = self.before.inputs(pack)
        times, row = self.rows.get(column, (None, np.zeros(0)))
        if times is None or not np.array_equal(row, np.arange(len(row))):
            return
        if self._numbers_examples(example, times, len(row)):
            self.places[Tensor(name)] = (times, len(row))

    def _pass_on(self, name: str, tensor: Tensor) -> None:
        """The same numbers; ids are read as integers of any width."""
        for known in (self.places, self.values):
            if tensor in known:
                known[Tensor(name)] = known[tensor]
        if tensor in self.whole:
            self.whole[Tensor(name)] = self.whole[tensor]
        if tensor in self.rows:
            self.rows[Tensor(name)] = self.rows[tensor]

    def _numbers_examples(self, tensor: Tensor, examples: Element, length: int) -> bool:
        """``Reshape(Tile(ExpandDims(Range(0, examples, 1), 1), [1, length]), [-1])``."""
        values = []
        for op in ("Reshape", "Tile", "ExpandDims"):
            if self.before.op(tensor.node) != op:
                return False
            tensor, argument = self.before.inputs(tensor.node)
            value = self.constant(argument)
            values.append(None if value is None else value.reshape(-1).tolist())
        if values != [[-1], [1, length], [1]] or self.before.op(tensor.node) != "Range":
            return False
        start, limit, step = self.before.inputs(tensor.node)
        ends = [self.sizes(each) for each in (start, limit, step)]
        return ends == [[0], [examples], [1]]

    def elementwise(self, graph: Graph, name: str, inputs: Sequence[Tensor]) -> None:
        """Numbers that are computed of the elements, one by one."""
        op = self.before.op(name)
        sizes = {self.values[t] for t in inputs if t in self.values}
        repeated = [t for t in inputs if t in self.rows]
        others = [t for t in inputs if t not in self.values and t not in self.rows]
        if any(self._rank(t) != 0 for t in others):
            return
        if op == "Mul" and len(repeated) == len(others) == 1:
            self._scale(name, repeated[0], others[0])
        if len(sizes) != 1:
            return
        if repeated:
            if op in spellings.SUMS and len(repeated) == 1 and not others:
                (values,) = (t for t in inputs if t in self.values)
                self._offset(graph, name, values, repeated[0])
            return
        if op not in ("Cast", "Identity"):  # which may be buckets still
            self.values[Tensor(name)] = sizes.pop()
        zero = self.constant(inputs[-1]) if op == "GreaterEqual" else None
        if zero is not None and zero.tolist() == 0 and inputs[0] in self.values:
            if inputs[0] in self.whole or self.values[inputs[0]] in self.parts:
                self.signs[Tensor(name)] = self.before.past(inputs[0], ("Identity",))

    def _scale(self, name: str, row: Tensor, factor: Tensor) -> None:
        value = self.constant(factor)
        if value is not None:
            times, numbers = self.rows[row]
            self.rows[Tensor(name)] = times, numbers * value

    def _offset(
        self, graph: Graph, name: str, values: Tensor, repeated: Tensor
    ) -> None:
        """Ids of several columns, those of each after those of the one before."""
        times, numbers = self.rows[repeated]
        matrix = self.whole.get(values)
        if matrix is None or matrix.node not in self.before:
            return  # of crosses, which are no int32
        fits = self.values[values] == (times, len(numbers)) and numbers.min() >= 0
        if not fits:
            return
        self.values[Tensor(name)] = self.values[values]
        if not numbers.any():
            kinds = {"T": self._dtype(Tensor(name))}
            put(graph, name, Node("Identity", kinds), [values])
        else:
            row = put_constant(graph, f"{name}/offset", numbers[None].astype("int32"))
            attrs = {"T": "int32"}  # as buckets are
            matrix = put_new(graph, f"{name}/whole", "AddV2", attrs, matrix, row)
        self.whole[Tensor(name)] = matrix

    def spread(self, graph: Graph, ids: Tensor) -> Tensor:
        """The matrix of ids, -1 where the sparse one has no element."""
        if ids in self.whole:
            return self.whole[ids]
        if ids not in self.dense:
            indices, shape = self.parts[self.values[ids]]
            nothing = np.asarray(-1, self._dtype(ids))
            default = put_constant(graph, f"{ids.node}/none", nothing)
            attrs = {"T": self._dtype(ids), "Tindices": "int64"}
            ends = indices, shape, ids, default
            name = f"{ids.node}/spread"
            self.dense[ids] = put_new(graph, name, "SparseToDense", attrs, *ends)
        return self.dense[ids]

    def _dtype(self, tensor: Tensor) -> str:
        spec = self.specs.get(tensor)
        return spec.dtype if spec is not None and spec.dtype else "int64"

    def _rank(self, tensor: Tensor) -> int | None:
        spec = self.specs.get(tensor)
        return None if spec is None or spec.shape is None else len(spec.shape)
