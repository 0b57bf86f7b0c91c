"""Shape arithmetic in a graph -> Sizes: the symbolic half of constant folding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ...graph import Shape, Tensor
from ...graph.named_values import Config
from ...ops import spellings
from ...ops.values.budget import MOST_SIZES
from ...ops.values.size import Size, Sizes, of_numbers
from .nodes import MALFORMED

DEEPEST = 40  # shape arithmetic is a few nodes; what is deeper is not followed


class Tensors(Protocol):
    """What shape arithmetic asks of the graph that it reads; a View answers."""

    @property
    def dynamic(self) -> Collection[str]: ...
    @property
    def kinds(self) -> Mapping[str, str]: ...
    @property
    def ops(self) -> Mapping[str, str]: ...
    @property
    def attrs(self) -> Mapping[str, Config]: ...
    @property
    def inputs(self) -> Mapping[str, Sequence[Tensor]]: ...
    def producer(self, tensor: Tensor) -> tuple[Tensor, Any]: ...
    def number(self, tensor: Tensor) -> np.ndarray | None: ...
    def shape(self, tensor: Tensor) -> Shape: ...
    def axis_size(self, tensor: Tensor, axis: int) -> Size | None: ...


_Rule = Callable[[Tensors, Tensor, list[Sizes | None]], Sizes | None]


def sizes_of(view: Tensors, tensor: Tensor) -> Sizes | None:
    """The numbers that an integer tensor of rank 0 or 1 holds; None where it is not shape arithmetic, or more than the budget has."""
    return _sizes(view, tensor, 0, {})


def _sizes(
    view: Tensors, tensor: Tensor, depth: int, memory: dict[Tensor, Sizes | None]
) -> Sizes | None:
    """The same, each tensor once: what two paths lead to is not computed twice."""
    tensor, _ = view.producer(tensor)
    if tensor not in memory:
        sizes = _computed(view, tensor, depth, memory)
        memory[tensor] = (
            None if sizes is not None and len(sizes) > MOST_SIZES else sizes
        )
    return memory[tensor]


def _computed(
    view: Tensors, tensor: Tensor, depth: int, memory: dict[Tensor, Sizes | None]
) -> Sizes | None:
    if tensor.node in view.dynamic:
        return None
    number = view.number(tensor)
    if number is not None:
        is_few = number.dtype.kind in "iu" and number.size <= MOST_SIZES
        return of_numbers(number.reshape(-1)) if is_few else None
    op, args = view.ops[tensor.node], view.inputs[tensor.node]
    if op in spellings.SHAPES:
        return _shape(view, args[tensor.port])
    if op == "Size":
        whole = _shape(view, args[0])
        return None if whole is None else (_product(whole),)
    if op not in _RULES or depth > DEEPEST:
        return None
    below = [_sizes(view, each, depth + 1, memory) for each in args]
    try:
        return _RULES[op](view, tensor, below)
    except MALFORMED:
        return None


def _shape(view: Tensors, tensor: Tensor) -> Sizes | None:
    source, _ = view.producer(tensor)
    shape = view.shape(source)
    if shape is None:
        shape = view.shape(tensor)
    if shape is None:
        return None
    return tuple(view.axis_size(source, axis) for axis in range(len(shape)))


def _product(sizes: Sizes) -> Size | None:
    total: Size | None = Size(1)
    for each in sizes:
        total = None if total is None or each is None else total.times(each)
    return total


def _paired(a: Sizes | None, b: Sizes | None) -> list[tuple[Size | None, Size | None]]:
    if a is None or b is None:
        return []
    length = max(len(a), len(b))
    if len(a) not in (1, length) or len(b) not in (1, length):
        return []
    wide_a = a if len(a) == length else a * length
    wide_b = b if len(b) == length else b * length
    return list(zip(wide_a, wide_b))


def _times(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    pairs = _paired(*below)
    products = tuple(None if a is None or b is None else a.times(b) for a, b in pairs)
    return products or None


def _divided(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    pairs = _paired(*below)
    quotients = tuple(None if a is None or b is None else a.over(b) for a, b in pairs)
    return quotients or None


def _added(sign: int) -> _Rule:
    def rule(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
        sums = tuple(
            None if a is None or b is None else a.added(b, sign)
            for a, b in _paired(*below)
        )
        return sums or None

    return rule


def _pack(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    if any(each is not None and len(each) > 1 for each in below):  # rows, written out
        width = max(len(each) for each in below if each is not None)
        if view.attrs[tensor.node].get("axis", 0) != 0:
            return None
        rows = (
            each if each and len(each) == width else (None,) * width for each in below
        )
        return tuple(size for row in rows for size in row)
    return tuple(each[0] if each and len(each) == 1 else None for each in below)


def _concat(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    parts = below[1:] if view.kinds[tensor.node] == "Concat" else below[:-1]
    if any(part is None for part in parts):
        return None
    return tuple(size for part in parts for size in part or ())


def _same(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    return below[0]


def _reduce_prod(
    view: Tensors, tensor: Tensor, below: list[Sizes | None]
) -> Sizes | None:
    return None if below[0] is None else (_product(below[0]),)


def _gather(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    whole, indices = below[0], below[1]
    if (
        whole is None
        or indices is None
        or _width(view, view.inputs[tensor.node][0]) > 1
    ):
        return None
    chosen: list[Size | None] = []
    for index in indices:
        at = index.number if index is not None else None
        inside = at is not None and -len(whole) <= at < len(whole)
        chosen.append(whole[at] if inside and at is not None else None)
    return tuple(chosen)


def _slice(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    whole, begin, size = below
    if _width(view, view.inputs[tensor.node][0]) > 1:
        return None
    if whole is None or not begin or not size or begin[0] is None or size[0] is None:
        return None
    start, count = begin[0].number, size[0].number
    if start is None or count is None:
        return None
    return whole[start:] if count < 0 else whole[start : start + count]


def _strided(view: Tensors, tensor: Tensor, below: list[Sizes | None]) -> Sizes | None:
    whole, *bounds = below
    if whole is None:
        return _axis_of_unknown(view, tensor, bounds)
    edges = [
        b[0].number if b and len(b) == 1 and b[0] is not None else None for b in bounds
    ]
    attrs = view.attrs[tensor.node]
    if None in edges:
        return None
    begin, end, step = edges
    if attrs.get("shrink_axis_mask") and _width(view, view.inputs[tensor.node][0]) > 1:
        return None
    if attrs.get("shrink_axis_mask"):
        inside = begin is not None and -len(whole) <= begin < len(whole)
        return (whole[begin],) if inside and begin is not None else None
    if attrs.get("ellipsis_mask") or attrs.get("new_axis_mask") or not step:
        return None
    first = None if attrs.get("begin_mask", 0) & 1 else begin
    last = None if attrs.get("end_mask", 0) & 1 else end
    width = _width(view, view.inputs[tensor.node][0])
    rows = [whole[i : i + width] for i in range(0, len(whole), width)]
    return tuple(size for row in rows[first:last:step] for size in row)


def _width(view: Tensors, tensor: Tensor) -> int:
    """How many numbers make up one row of what is sliced: 1 for a vector."""
    shape = view.shape(tensor)
    return (shape[1] or 1) if shape is not None and len(shape) == 2 else 1


def _axis_of_unknown(
    view: Tensors, tensor: Tensor, bounds: list[Sizes | None]
) -> Sizes | None:
    """One axis of a tensor of unknown rank, as ``tf.shape(x)[0]`` takes it."""
    source, _ = view.producer(view.inputs[tensor.node][0])
    begin = bounds[0]
    if view.ops[source.node] != "Shape" or not begin or begin[0] is None:
        return None
    axis = begin[0].number
    if axis is None or axis < 0 or not view.attrs[tensor.node].get("shrink_axis_mask"):
        return None
    return (view.axis_size(view.inputs[source.node][0], axis),)


_RULES: Mapping[str, _Rule] = {
    "Mul": _times,
    "FloorDiv": _divided,
    "RealDiv": _divided,
    "TruncateDiv": _divided,
    "Add": _added(1),
    "Sub": _added(-1),
    "Pack": _pack,
    "Concat": _concat,
    "Cast": _same,
    "Reshape": _same,
    "Squeeze": _same,
    "ExpandDims": _same,
    "Prod": _reduce_prod,
    "Gather": _gather,
    "Slice": _slice,
    "StridedSlice": _strided,
}
