"""What each step of a chain reads of a sequence -> the one tensor whose rows these are, the time first.

``x[:, 0], x[:, 1], ...``, the outputs of an Unpack, the squeezed parts of a Split; in the other order, a ReverseV2 of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import fresh, put_constant, put_new
from ...ops.array.slice_masks import SliceMasks
from ...wire import opdefs


def dtype_of(graph: Graph, tensor: Tensor) -> str:
    """The dtype of a tensor as its node says."""
    node = graph.node(tensor.node)
    if node.op in ("_Arg", "Placeholder", "Const"):
        return str(node.attrs.get("T") or node.attrs.get("dtype"))
    dtypes = opdefs.output_dtypes(node.op, node.attrs)
    return dtypes[tensor.port] if tensor.port < len(dtypes) else "float32"


def stacked(graph: Graph, scope: str, column: Sequence[Tensor], rank: int) -> Tensor:
    """The tensor of so many axes whose rows these are: the one that was cut into them, else their Pack."""
    whole = _unpacked(graph, scope, column, rank)
    if whole is None:
        whole = _sliced(graph, scope, column, rank)
    if whole is not None:
        return whole
    dtype = dtype_of(graph, column[0])
    name = fresh(graph, f"{scope}/steps")
    attrs = {"T": dtype, "N": len(column), "axis": 0}
    graph.add(name, Node("Pack", attrs), column)
    return Tensor(name)


def _unpacked(
    graph: Graph, scope: str, column: Sequence[Tensor], rank: int
) -> Tensor | None:
    node = column[0].node
    if graph.op(node) != "Unpack" or {t.node for t in column} != {node}:
        return None
    ports, count = [t.port for t in column], len(column)
    axis = graph.attrs(node).get("axis") or 0
    if int(graph.attrs(node).get("num", 0)) != count or axis not in (0, 1):
        return None
    whole = graph.inputs(node)[0]
    if axis == 1:
        whole = turned(graph, f"{scope}/time_major", whole, rank)
    return _ordered(graph, scope, whole, ports, count)


def _sliced(
    graph: Graph, scope: str, column: Sequence[Tensor], rank: int
) -> Tensor | None:
    """``x[:, 0], x[:, 1], ...`` or a Split along the time whose parts are squeezed."""
    places = [_index(graph, tensor) for tensor in column]
    if any(each is None for each in places):
        return None
    wholes = {each[0] for each in places if each}
    axes = {each[1] for each in places if each}
    if len(wholes) != 1 or axes not in ({0}, {1}):
        return None
    whole, indices = wholes.pop(), [each[2] for each in places if each]
    if sorted(indices) != list(range(len(column))):
        return None
    if not _has_size(graph, whole, axes, len(column)):
        whole = _cut(graph, scope, whole, axes == {1}, len(column))
    if axes == {1}:
        whole = turned(graph, f"{scope}/time_major", whole, rank)
    return _ordered(graph, scope, whole, indices, len(column))


def _has_size(graph: Graph, tensor: Tensor, axes: set[int], count: int) -> bool:
    """Whether an axis is known to be of a size: that of what is fed."""
    node = graph.node(tensor.node)
    shape = node.attrs.get("shape")
    if not node.op.startswith("Placeholder") and node.outputs:
        shape = node.outputs[tensor.port].shape
    axis = min(axes)
    return isinstance(shape, tuple) and len(shape) > axis and shape[axis] == count


def _cut(graph: Graph, scope: str, whole: Tensor, second: bool, count: int) -> Tensor:
    """The first entries along the time axis: there may be more than the steps read."""

    def constant(part: str, values: Sequence[int]) -> Tensor:
        return put_constant(graph, f"{scope}/cut/{part}", values)

    before = [0] if second else []
    open_axes = (1 << len(before)) - 1
    masks = SliceMasks(begin=open_axes, end=open_axes)
    attrs = {"T": dtype_of(graph, whole), "Index": "int32", **masks.attrs}
    name = fresh(graph, f"{scope}/cut")
    operands = (
        whole,
        constant("begin", [*before, 0]),
        constant("end", [*before, count]),
        constant("strides", [*(1 for _ in before), 1]),
    )
    graph.add(name, Node("StridedSlice", attrs), operands)
    return Tensor(name)


def _index(graph: Graph, tensor: Tensor) -> tuple[Tensor, int, int] | None:
    """Whose element along which axis a tensor is, and which."""
    node = graph.node(tensor.node)
    if node.op == "StridedSlice":
        return _strided(graph, tensor.node)
    if node.op not in ("Squeeze", "Reshape"):
        return None
    source = graph.inputs(tensor.node)[0]
    if node.op == "Reshape" or graph.op(source.node) != "Split":
        return None
    axis_at, whole = graph.inputs(source.node)
    axis = graph.node(axis_at.node)
    squeezed = list(node.attrs.get("squeeze_dims") or ())
    if axis.op != "Const" or squeezed != [int(np.reshape(axis.attrs["value"], ()))]:
        return None
    return whole, squeezed[0], source.port


def _strided(graph: Graph, name: str) -> tuple[Tensor, int, int] | None:
    attrs = graph.attrs(name)
    whole, *bounds = graph.inputs(name)
    nodes = [graph.node(each.node) for each in bounds]
    if any(node.op != "Const" for node in nodes):
        return None
    begin = np.reshape(nodes[0].attrs["value"], -1).tolist()
    masks = SliceMasks.of(attrs)
    axis = masks.shrink_axis.bit_length() - 1
    if axis not in (0, 1) or not masks.takes_entry(axis, len(begin)):
        return None
    if axis >= len(begin) or begin[axis] < 0:
        return None
    return whole, axis, int(begin[axis])


def _ordered(
    graph: Graph, scope: str, whole: Tensor, order: Sequence[int], count: int
) -> Tensor | None:
    """The rows in this order: as they are, or from the end; None where it is another."""
    if list(order) == list(range(count)):
        return whole
    if list(order) != list(reversed(range(count))):
        return None
    axis = put_constant(graph, f"{scope}/axis", [0])
    attrs = {"T": dtype_of(graph, whole), "Tidx": "int32"}
    return put_new(graph, f"{scope}/reversed", "ReverseV2", attrs, whole, axis)


def turned(graph: Graph, name: str, tensor: Tensor, rank: int) -> Tensor:
    """The tensor with the first two of its axes exchanged."""
    order = put_constant(graph, f"{name}/axes", [1, 0, *range(2, rank)])
    attrs = {"T": dtype_of(graph, tensor), "Tperm": "int32"}
    return put_new(graph, name, "Transpose", attrs, tensor, order)
