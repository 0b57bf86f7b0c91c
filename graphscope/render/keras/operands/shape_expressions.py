"""Which tensors are sizes of other tensors, computed in the graph, and the expression that each element is.

What a graph computes from ``Shape`` by slicing, packing and arithmetic is no step of its own: it is written where it is
used, inside a small layer that asks its inputs for their shapes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from .... import ops
from ....graph import Layer, Node, Tensor
from ....ops import spellings
from ....ops.values.size import Size
from ....ops.values.size_arithmetic import combined, holds_sizes
from .context import Context

_MOST = 64  # elements of a vector of sizes
_MEASURED = re.compile("\1(\\d+)\1")
_CONTRADICTIONS = (
    ops.Unsaid,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def measure(lowering: Context, node: str, payload: Node) -> bool:
    """Whether a node yields nothing but sizes; what they are is then in ``lowering.sizes``."""
    if isinstance(payload, Layer):
        return False
    operands = lowering.arguments(node)
    sizes: Sequence[np.ndarray | None] | None
    if payload.op in spellings.SHAPES:
        sizes = [shape_of(lowering, tensor) for tensor in operands]
    elif payload.op == "Size":
        sizes = [_count(lowering, tensor) for tensor in operands]
    else:
        sizes = _computed(lowering, node, payload, operands)
    if not sizes or any(each is None for each in sizes):
        return False
    for port, each in enumerate(sizes):
        if each is not None:
            whole = each if holds_sizes(each) else each.astype("int32")
            lowering.sizes[Tensor(node, port)] = whole
    return True


def shape_of(lowering: Context, tensor: Tensor) -> np.ndarray | None:
    """The sizes of one tensor: numbers where they are known."""
    shape = lowering.spec_or_none(tensor).shape
    if shape is None or tensor in lowering.sizes:
        return None
    if (length := _range_length(lowering, tensor)) is not None:
        return np.array([length], object)
    if tensor not in lowering.measured:
        lowering.measured.append(tensor)
    whose = lowering.measured.index(tensor)
    sizes = np.empty(len(shape), object)
    for axis, size in enumerate(shape):
        sizes[axis] = Size.named(f"\1{whose}\1[{axis}]") if size is None else size
    return sizes


def _range_length(lowering: Context, tensor: Tensor) -> int | Size | None:
    """How many numbers ``Range(0, n, 1)`` gives; None for all else."""
    if tensor in lowering.inputs or lowering.graph.op(tensor.node) != "Range":
        return None
    start, limit, delta = (known(lowering, t) for t in lowering.arguments(tensor.node))
    if limit is None or start is None or delta is None or limit.size != 1:
        return None
    return limit.ravel()[0] if (start == 0).all() and (delta == 1).all() else None


def _count(lowering: Context, tensor: Tensor) -> np.ndarray | None:
    """The number of elements of a tensor."""
    shape = shape_of(lowering, tensor)
    if shape is None:
        return None
    size = np.empty((), object)
    size[()] = math.prod(shape)
    return size


def _computed(
    lowering: Context, node: str, payload: Node, operands: Sequence[Tensor]
) -> list[np.ndarray] | None:
    values = [known(lowering, tensor) for tensor in operands]
    sized = any(tensor in lowering.sizes for tensor in operands)
    if not sized or any(value is None for value in values):
        return None
    if sum(value.size for value in values if value is not None) > _MOST:
        return None
    specs = tuple(lowering.spec_or_none(tensor) for tensor in operands)
    call = ops.Call(payload.op, payload.attrs, specs, tuple(values), node)
    try:
        sizes = combined(call)
    except _CONTRADICTIONS:  # no integers, or not as many as the op takes
        return None
    fits = all(each.ndim < 3 and each.size <= _MOST for each in sizes)
    return sizes if fits else None


def known(lowering: Context, tensor: Tensor) -> np.ndarray | None:
    """The elements of a tensor: numbers, or sizes."""
    if tensor in lowering.sizes:
        return lowering.sizes[tensor]
    return None if is_made(lowering, tensor) else lowering.value(tensor)


def is_made(lowering: Context, tensor: Tensor) -> bool:
    """Whether a tensor is known only by the input or step that gives it; a constant is itself, whoever else reads it."""
    if tensor in lowering.inputs:
        return True
    return tensor.node in lowering.steps and lowering.graph.op(tensor.node) != "Const"


def measured_in(text: str) -> list[int]:
    """Which of ``lowering.measured`` a text asks for its shape, in the order of the text."""
    return list(dict.fromkeys(int(number) for number in _MEASURED.findall(text)))


def with_shapes(text: str, names: Sequence[str], numbers: Sequence[int]) -> str:
    """The text with the shape of each measured tensor under its name."""
    by_number = dict(zip(numbers, names, strict=True))
    return _MEASURED.sub(lambda match: by_number[int(match[1])], text)
