"""Graph -> Graph: TensorFlow 1's TensorArrays become TensorLists, which are values and need no handle.

An op on a TensorArray takes a handle (a resource, or a string before TensorFlow 1.1) and a ``flow``, a number that only orders the
ops; the list takes the way of the flow. So a loop that fills an array carries a list from turn to turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...graph import Function, Graph, Node, Shape, Tensor
from ...graph.edit import put, put_constant, redirect
from ...ops import spellings
from .conds_to_selects import in_order
from .dead_arguments import LOOPS, dtype_of, named

_ARRAY_OP = re.compile(
    r"^TensorArray(Write|Read|Gather|Scatter|Concat|Split|Size|Pack|Unpack|Close)?(V[23])?$"
)
PASSES = frozenset(
    {*spellings.SWITCHES, *spellings.MERGES, "Identity", "RefIdentity", "StopGradient"}
)
Inputs = Sequence[Tensor]


def arrays_to_lists(graph: Graph, resizes: bool) -> None:
    """Rewrite every op on a TensorArray, in place; ``resizes`` says that some array may grow when it is written to."""
    for name in list(graph):
        match = _ARRAY_OP.match(graph.op(name))
        if match is None:
            continue
        count, rewrite = _REWRITE[match[1] or ""]
        inputs = graph.inputs(name)
        if len(inputs) != count:  # damaged: it stays what it is
            continue
        rewrite(graph, name, inputs)
        if resizes and graph.op(name) == "TensorListSetItem":
            attrs = {**graph.attrs(name), "resize_if_index_out_of_bounds": True}
            put(graph, name, Node("TensorListSetItem", attrs))


def has_growing_array(graph: Graph) -> bool:
    """Whether an array of the graph may grow."""
    arrays = graph.by_op(*spellings.ARRAYS)
    return any(graph.attrs(name).get("dynamic_size") for name in arrays)


def type_lists(graph: Graph, functions: Mapping[str, Function]) -> None:
    """Let every node that hands a list on say so, in place, and the loops and conditions that it goes into too."""
    waiting: list[Graph] = [graph]
    while waiting:
        current = waiting.pop()
        for name in in_order(current):
            node, inputs = current.node(name), current.inputs(name)
            types = tuple(dtype_of(current, tensor) for tensor in inputs)
            if node.op in LOOPS:
                waiting += _give(functions, node, ("cond", "body"), types)
                put(current, name, replace(node, attrs={**node.attrs, "T": types}))
            elif "variant" in types and node.op in PASSES:
                put(current, name, replace(node, attrs={**node.attrs, "T": types[0]}))


def _give(
    functions: Mapping[str, Function],
    node: Node,
    attrs: Sequence[str],
    types: Sequence[str],
) -> Iterator[Graph]:
    """Tell the arguments of what a node runs their dtypes; the bodies that were told."""
    for attr in attrs:
        function = named(node, attr, functions)
        if function is not None:
            for argument, dtype in zip(function.arguments, types):
                put(function.graph, argument, Node("_Arg", {"T": dtype}))
            yield function.graph


def _dtype(graph: Graph, name: str) -> str:
    attrs = graph.attrs(name)
    return str(attrs.get("dtype") or attrs.get("T") or "float32")


def _element_shape(graph: Graph, name: str, shape: Shape) -> Tensor:
    sizes = -1 if shape is None else [-1 if size is None else size for size in shape]
    return put_constant(graph, f"{name}/element_shape", np.array(sizes, np.int32))


def _make(graph: Graph, name: str, inputs: Inputs) -> None:
    shape = graph.attrs(name).get("element_shape")
    element = _element_shape(graph, name, shape)
    attrs = {"element_dtype": _dtype(graph, name), "shape_type": "int32"}
    redirect(graph, Tensor(name, 1), Tensor(name))
    put(graph, name, Node("TensorListReserve", attrs), [element, *inputs[:1]])


def _write(graph: Graph, name: str, inputs: Inputs) -> None:
    _, index, item, flow = inputs
    attrs = {"element_dtype": _dtype(graph, name)}
    put(graph, name, Node("TensorListSetItem", attrs), [flow, index, item])


def _read(graph: Graph, name: str, inputs: Inputs) -> None:
    _, index, flow = inputs
    element = _element_shape(graph, name, graph.attrs(name).get("element_shape"))
    attrs = {"element_dtype": _dtype(graph, name)}
    put(graph, name, Node("TensorListGetItem", attrs), [flow, index, element])


def _gather(graph: Graph, name: str, inputs: Inputs) -> None:
    _, indices, flow = inputs
    if _counts_all(graph, indices, ("TensorArraySize", "TensorListLength")):
        return _pack(graph, name, inputs)
    element = _element_shape(graph, name, graph.attrs(name).get("element_shape"))
    attrs = {"element_dtype": _dtype(graph, name)}
    put(graph, name, Node("TensorListGather", attrs), [flow, indices, element])


def _pack(graph: Graph, name: str, inputs: Inputs) -> None:
    element = _element_shape(graph, name, graph.attrs(name).get("element_shape"))
    attrs = {"element_dtype": _dtype(graph, name)}
    put(graph, name, Node("TensorListStack", attrs), [inputs[-1], element])


def _scatter(graph: Graph, name: str, inputs: Inputs) -> None:
    _, indices, value, flow = inputs
    if _counts_all(graph, indices, ("StridedSlice",), value):
        return _unpack(graph, name, inputs[1:])
    attrs = {"element_dtype": _dtype(graph, name)}
    node = Node("TensorListScatterIntoExistingList", attrs)
    put(graph, name, node, [flow, value, indices])


def _unpack(graph: Graph, name: str, inputs: Inputs) -> None:
    attrs = {"element_dtype": _dtype(graph, name), "shape_type": "int32"}
    element = _element_shape(graph, name, None)
    put(graph, name, Node("TensorListFromTensor", attrs), [inputs[1], element])


def _concat(graph: Graph, name: str, inputs: Inputs) -> None:
    rest = graph.attrs(name).get("element_shape_except0")
    element = _element_shape(graph, name, None if rest is None else (None, *rest))
    leading = put_constant(graph, f"{name}/leading_dims", np.zeros(0, np.int64))
    attrs = {"element_dtype": _dtype(graph, name), "shape_type": "int32"}
    put(graph, name, Node("TensorListConcatV2", attrs), [inputs[-1], element, leading])


def _split(graph: Graph, name: str, inputs: Inputs) -> None:
    _, value, lengths, _ = inputs
    attrs = {"element_dtype": _dtype(graph, name), "shape_type": "int32"}
    element = _element_shape(graph, name, None)
    put(graph, name, Node("TensorListSplit", attrs), [value, element, lengths])


def _size(graph: Graph, name: str, inputs: Inputs) -> None:
    put(graph, name, Node("TensorListLength"), [inputs[-1]])


def _close(graph: Graph, name: str, inputs: Inputs) -> None:
    put(graph, name, Node("NoOp"), ())


def _counts_all(
    graph: Graph, indices: Tensor, ops: Sequence[str], rows_of: Tensor | None = None
) -> bool:
    """Whether the indices are ``range(n)``, n being the array's size or the number of rows of a tensor."""
    inputs = graph.inputs(indices.node)
    if graph.op(indices.node) != "Range" or len(inputs) != 3:
        return False
    if _number(graph, inputs[0]) != 0 or _number(graph, inputs[2]) != 1:
        return False
    limit = inputs[1].node
    if not graph.op(limit).startswith(tuple(ops)):
        return False
    if rows_of is None:
        return True
    shape = graph.inputs(limit)[0].node
    begin = _number(graph, graph.inputs(limit)[1])
    return (
        graph.op(shape) == "Shape" and graph.inputs(shape) == (rows_of,) and begin == 0
    )


def _number(graph: Graph, tensor: Tensor) -> int | None:
    value = graph.attrs(tensor.node).get("value")
    if graph.op(tensor.node) != "Const" or not isinstance(value, np.ndarray):
        return None
    return int(value.reshape(-1)[0]) if value.size == 1 else None


_REWRITE: dict[str, tuple[int, Callable[[Graph, str, Inputs], None]]] = {
    "": (1, _make),
    "Write": (4, _write),
    "Read": (3, _read),
    "Gather": (3, _gather),
    "Pack": (2, _pack),
    "Scatter": (4, _scatter),
    "Unpack": (3, _unpack),
    "Concat": (2, _concat),
    "Split": (4, _split),
    "Size": (2, _size),
    "Close": (1, _close),
}
