"""``Fill([Shape(x)[0], 128], 0)`` -> ops on x itself, so that no shape has to be a tensor.

The zero state of a recurrent net, a mask of ones, a token for each example: one size is known only when the graph runs,
and is that of an axis of some tensor. A vector along that axis, made zero, reshaped and repeated, is the filled tensor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...graph import Graph, Layer, Node, Tensor, TensorSpec
from ...graph.edit import duplicate, fresh
from ...graph.named_values import Attributes
from ...ops import Partial, Value
from ...ops.array.slice_masks import SliceMasks
from ...ops.values.dims import Dim
from ..state import State
from .size_origin import AxisRead, origin


def expand_fills(state: State) -> State:
    """A tensor filled to a size that only a run knows -> ops on the tensor whose size that is.

    ``Fill([Shape(x)[0], 128], 0) -> Tile(Reshape(ZerosLike(x[:, 0]), [-1, 1]), [1, 128])``.
    """
    graph, below = state.graph, state.op_graph
    specs, values = state.specs, state.values
    fills = {}
    for name in graph:
        node = graph.node(name)
        if node.op == "Fill" and not isinstance(node, Layer) and name in below:
            size = _source(graph, below, name, specs, values)
            if size is not None:
                fills[name] = size
    if not fills:
        return state
    copy = duplicate(graph)
    for name, size in fills.items():
        sizes = list(specs[Tensor(name)].shape or ())
        value = values.get(below.inputs(name)[1])
        is_number = isinstance(value, np.ndarray) and value.size == 1
        number = np.asarray(value).item() if is_number else None
        _Maker(copy, name, specs, number).fill(size, sizes)
    return state.become(copy)


def _source(
    graph: Graph,
    below: Graph,
    name: str,
    specs: Mapping[Tensor, TensorSpec],
    values: Mapping[Tensor, Value],
) -> AxisRead | None:
    """Whose size the one unknown size is; None where none or several are unknown, or it is computed."""
    shape, inputs = specs.get(Tensor(name), TensorSpec()).shape, below.inputs(name)
    if not inputs or shape is None or shape.count(None) != 1 or 0 in shape:
        return None
    dims = inputs[0]
    if not isinstance(values.get(dims), Partial | None):
        return None
    size = origin(below, dims, shape.index(None), specs, values)
    if size is None or size.reader not in graph:
        return None
    spec = specs.get(size.tensor, TensorSpec())
    if spec.shape is None or not spec.dtype.startswith(("float", "int", "bfloat")):
        return None
    return size if all(n != 0 for n in spec.shape) else None


class _Maker:
    """The nodes that stand for one fill, named below it."""

    def __init__(
        self,
        copy: Graph,
        name: str,
        specs: Mapping[Tensor, TensorSpec],
        number: object,
    ) -> None:
        self.copy, self.name, self.specs, self.number = copy, name, specs, number

    def add(
        self,
        part: str,
        op: str,
        attrs: Attributes,
        spec: TensorSpec,
        *inputs: Tensor,
    ) -> Tensor:
        own = fresh(self.copy, f"{self.name}/{part}")
        self.copy.add(own, Node(op, attrs, (spec,)), inputs)
        return Tensor(own)

    def constant(self, part: str, values: Sequence[int]) -> Tensor:
        array = np.array(values, np.int32)
        spec = TensorSpec("int32", array.shape)
        return self.add(part, "Const", {"dtype": "int32", "value": array}, spec)

    def fill(self, size: AxisRead, sizes: list[Dim]) -> None:
        """Replace the node: zeros or ones along the axis, in the fill's dtype, spread over the other sizes, plus the value."""
        dtype = self.specs[Tensor(self.name)].dtype
        source = self.copy.inputs(size.reader)[size.slot]
        measured = self.specs[size.tensor]
        row = self.along(source, measured, size.axis)
        like = TensorSpec(measured.dtype, (None,))
        op = "OnesLike" if self.number == 1 else "ZerosLike"
        row = self.add("like", op, {"T": measured.dtype}, like, row)
        if measured.dtype != dtype:
            cast = {"SrcT": measured.dtype, "DstT": dtype}
            row = self.add("cast", "Cast", cast, TensorSpec(dtype, (None,)), row)
        at = sizes.index(None)
        ones = [-1 if i == at else 1 for i in range(len(sizes))]
        typed = {"T": dtype, "Tshape": "int32"}
        thin = TensorSpec(
            dtype, tuple(None if i == at else 1 for i in range(len(sizes)))
        )
        row = self.add("rows", "Reshape", typed, thin, row, self.constant("thin", ones))
        times = self.constant("times", [size or 1 for size in sizes])
        whole = TensorSpec(dtype, tuple(sizes))
        typed = {"T": dtype, "Tmultiples": "int32"}
        value = self.copy.inputs(self.name)[1]
        if self.number in (0, 1):
            self.become("Tile", typed, whole, row, times)
        else:
            tiled = self.add("tiled", "Tile", typed, whole, row, times)
            self.become("AddV2", {"T": dtype}, whole, tiled, value)

    def become(
        self, op: str, attrs: Attributes, spec: TensorSpec, *inputs: Tensor
    ) -> None:
        """The fill itself as the last of the new ops, so that its readers stay."""
        node = self.copy.node(self.name)
        self.copy.unlink(self.name)
        new = Node(op, attrs, (spec,), node.controls, node.device)
        self.copy.add_node(self.name, node=new)
        for slot, tensor in enumerate(inputs):
            self.copy.add_edge(tensor.node, self.name, key=slot, port=tensor.port)

    def along(self, source: Tensor, whole: TensorSpec, axis: int) -> Tensor:
        """The first vector along an axis: ``x[0, :, 0]``."""
        rank = len(whole.shape or ())
        if rank == 1:
            return source
        begin, end, one = (
            self.constant(part, [number] * rank)
            for part, number in (("begin", 0), ("end", 1), ("step", 1))
        )
        keep = 1 << axis
        attrs = {
            "T": whole.dtype,
            "Index": "int32",
            **SliceMasks(keep, keep, shrink_axis=(1 << rank) - 1 - keep).attrs,
        }
        spec = TensorSpec(whole.dtype, (None,))
        return self.add("row", "StridedSlice", attrs, spec, source, begin, end, one)
