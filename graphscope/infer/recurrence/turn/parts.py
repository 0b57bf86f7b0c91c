"""What a tensor is a part of, or repeats: columns of another, one in another layout, a weight or a part of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ....graph import Tensor
from ....graph.named_values import Attributes
from ....match import Size, View, WeightRef
from ....ops import spellings
from ....ops.array.slice_masks import SliceMasks
from .loops import is_ones


def past_layout(view: View, tensor: Tensor) -> Tensor:
    """What a tensor repeats, past a Reshape to the sizes that it has and a Transpose that moves no axis, as a tensordot writes them."""
    source, _ = view.producer(tensor)
    while view.ops[source.node] in ("Reshape", "Transpose"):
        before, order = view.inputs[source.node][0], view.inputs[source.node][1]
        if view.ops[source.node] == "Transpose":
            axes = view.number(order)
            same = axes is not None and axes.tolist() == list(range(axes.size))
        else:
            sizes = [_sizes(view, each) for each in (before, source)]
            same = None not in sizes and sizes[0] == sizes[1]
        if not same:
            break
        source, _ = view.producer(before)
    return source


def _sizes(view: View, tensor: Tensor) -> list[Size] | None:
    shape = view.shape(tensor)
    if shape is None:
        return None
    return [view.axis_size(tensor, axis) for axis in range(len(shape))]


class Columns(NamedTuple):
    """Those from ``begin`` up to ``end`` of a tensor's last axis."""

    whole: Tensor
    begin: int
    end: int


def columns(view: View, tensor: Tensor) -> Columns | None:
    """What a split or slice takes its columns of, and which; None where it takes others than columns."""
    inputs, op = view.inputs[tensor.node], view.ops[tensor.node]
    whole = inputs[1 if op == "Split" else 0]
    shape = view.shape(whole)
    if not shape or shape[-1] is None:
        return None
    if op in spellings.SPLITS:
        widths = _split_widths(view, tensor, len(shape), shape[-1])
        if widths is None:
            return None
        begin = sum(widths[: tensor.port])
        return Columns(whole, begin, begin + widths[tensor.port])
    bounds = _integers(view, inputs[1:])
    if bounds is None:
        return None
    read = _sliced if op == "Slice" else _strided
    ends = read(view.attrs[tensor.node], shape, bounds)
    return None if ends is None else Columns(whole, *ends)


def _integers(view: View, tensors: Iterable[Tensor]) -> list[list[int]] | None:
    """The elements of constants; None where one of them is none."""
    numbers = [view.number(each) for each in tensors]
    lists = [[int(n) for n in each.reshape(-1)] for each in numbers if each is not None]
    return lists if len(lists) == len(numbers) else None


def _split_widths(view: View, tensor: Tensor, rank: int, size: int) -> list[int] | None:
    """How many columns each output of a Split has; None where it splits another axis."""
    op, inputs = view.ops[tensor.node], view.inputs[tensor.node]
    axis = _integers(view, [inputs[0 if op == "Split" else 2]])
    if axis not in ([[rank - 1]], [[-1]]):
        return None
    if op == "Split":
        count = int(view.attrs[tensor.node].get("num_split", 1))
        return [size // count] * count
    widths = _integers(view, [inputs[1]])
    if widths is None:
        return None
    rest = size - sum(widths[0]) - 1  # -1 stands for what is left
    return [width if width >= 0 else rest for width in widths[0]]


_Ends = tuple[int, int]


def _sliced(
    attrs: Attributes, shape: Sequence[int | None], bounds: Sequence[Sequence[int]]
) -> _Ends | None:
    """The columns that a Slice takes; None where it takes less than all of another axis."""
    begins, sizes = bounds
    parts = zip(begins[:-1], sizes[:-1], shape)
    if any(begin or size not in (-1, whole) for begin, size, whole in parts):
        return None
    first, count = begins[-1], sizes[-1]
    return first, (shape[-1] or 0) if count < 0 else first + count


def _strided(
    attrs: Attributes, shape: Sequence[int | None], bounds: Sequence[Sequence[int]]
) -> _Ends | None:
    """The same of a StridedSlice: ``x[..., 2:4]``, ``x[:, 2:4]``."""
    begins, ends, strides = bounds
    masks, last = SliceMasks.of(attrs), len(begins) - 1
    if not masks.takes_columns(len(begins), len(shape)) or set(strides) != {1}:
        return None
    return masks.bounds(last, begins[-1], ends[-1], shape[-1] or 0)


def unmasked(view: View, tensor: Tensor) -> Tensor | None:
    """``x`` of ``x * ones``, the mask of a dropout that drops nothing; None for what is no such product."""
    inputs = view.inputs[tensor.node]
    if view.ops[tensor.node] != "Mul" or len(inputs) != 2:
        return None
    for one, other in (inputs, inputs[::-1]):
        if is_ones(view, other):
            return one
    return None


def weight_behind(view: View, tensor: Tensor) -> WeightRef | None:
    """The weight that a tensor is; seen through Unpack and StridedSlice too, which take a part of one."""
    weight = view.weight(tensor)
    if weight is not None and weight.node:
        return weight
    source, _ = view.producer(tensor)
    name, op = source.node, view.ops[source.node]
    if name in view.dynamic or not view.inputs[name]:
        return None
    if op == "Unpack":
        return _unpacked(view, source)
    if op == "StridedSlice":
        return _part(view, name)
    return None


def _unpacked(view: View, tensor: Tensor) -> WeightRef | None:
    """One entry of a weight along an axis, which goes."""
    whole = weight_behind(view, view.inputs[tensor.node][0])
    if whole is None:
        return None
    axis = int(view.attrs[tensor.node].get("axis") or 0) % len(whole.shape)
    part = whole.sliced(axis, tensor.port, tensor.port + 1)
    return part.reshaped(*part.shape[:axis], *part.shape[axis + 1 :])


def _part(view: View, name: str) -> WeightRef | None:
    """A weight's slice along its axes, some of which it may drop: ``bias[0]``, ``kernel[:, :8]``."""
    weight = weight_behind(view, view.inputs[name][0])
    bounds = _integers(view, view.inputs[name][1:])
    masks = SliceMasks.of(view.attrs[name])
    if weight is None or bounds is None or masks.ellipsis or masks.new_axis:
        return None
    begins, ends, strides = bounds
    if set(strides) != {1}:
        return None
    part = weight
    for axis, (begin, end) in enumerate(zip(begins, ends)):
        first, last = masks.bounds(axis, begin, end, weight.shape[axis])
        if masks.shrink_axis >> axis & 1:
            last = first + 1
        part = part.sliced(axis, first, last)
    left = [n for axis, n in enumerate(part.shape) if not masks.shrink_axis >> axis & 1]
    return part if len(left) == len(part.shape) else part.reshaped(*left)
