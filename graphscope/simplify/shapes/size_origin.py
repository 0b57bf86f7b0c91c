"""Where one size comes from: through the arithmetic on shapes back to ``Shape(x)[axis]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ... import ops
from ...graph import Graph, Tensor, TensorSpec
from ...ops import Partial, Value, spellings

_FIRST = slice(0, 1)
_STEPS = 100  # from a Shape to its use; a cycle has no end


class AxisRead(NamedTuple):
    """The size of one axis of one tensor, which the node ``reader`` (a Shape) reads at its input ``slot``."""

    tensor: Tensor
    axis: int
    reader: str = ""
    slot: int = 0


def origin(
    graph: Graph,
    tensor: Tensor,
    index: int,
    specs: Mapping[Tensor, TensorSpec],
    values: Mapping[Tensor, Value],
) -> AxisRead | None:
    """The size that element ``index`` of a tensor of sizes is; None where it is computed, or comes from elsewhere."""
    for _ in range(_STEPS):
        op, inputs = graph.op(tensor.node), graph.inputs(tensor.node)
        if op in spellings.SHAPES and tensor.port < len(inputs):
            return AxisRead(inputs[tensor.port], index, *tensor)
        definition = ops.meaning(op)
        if op == "Pack" and index < len(inputs):
            tensor, index = inputs[index], 0
        elif op == "ConcatV2":
            part = _part(inputs[:-1], index, specs)
            if part is None:
                return None
            tensor, index = part
        elif op == "Cast":
            tensor = inputs[0]
        elif definition is not None and definition.moves == _FIRST and inputs:
            source = _moved_from(graph, tensor, index, specs, values)
            if source is None:
                return None
            tensor, index = inputs[0], source
        else:
            return None
    return None


def _part(
    inputs: tuple[Tensor, ...], index: int, specs: Mapping[Tensor, TensorSpec]
) -> tuple[Tensor, int] | None:
    """The joined vector that an element comes from, and its place there."""
    for tensor in inputs:
        shape = specs.get(tensor, TensorSpec()).shape
        if shape is None or len(shape) != 1 or shape[0] is None:
            return None
        if index < shape[0]:
            return tensor, index
        index -= shape[0]
    return None


def _moved_from(
    graph: Graph,
    tensor: Tensor,
    index: int,
    specs: Mapping[Tensor, TensorSpec],
    values: Mapping[Tensor, Value],
) -> int | None:
    """Which element of the first input an op moves to this place: the op is run on the places themselves."""
    node, inputs = graph.node(tensor.node), graph.inputs(tensor.node)
    shape = specs.get(inputs[0], TensorSpec()).shape
    if shape is None or None in shape:
        return None
    places = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int32)  # type: ignore[arg-type]
    operands = [places.reshape(shape)]  # type: ignore[arg-type]
    for other in inputs[1:]:
        value = values.get(other)
        if value is None or isinstance(value, Partial):
            return None
        operands.append(value)
    specs_ = [TensorSpec("int32", np.shape(value)) for value in operands]
    call = ops.Call(node.op, node.attrs, specs_, operands, tensor.node)
    (moved,) = ops.values(call, 1)
    if not isinstance(moved, np.ndarray) or index >= moved.size:
        return None
    return int(moved.reshape(-1)[index])
