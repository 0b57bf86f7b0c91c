"""What a tensor is a part of, or repeats: columns of another, one in another layout, a weight or a part of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....graph import Tensor
from ....match import Size, View, WeightRef
from ....ops import spellings
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


def columns(view: View, tensor: Tensor) -> tuple[Tensor, int, int] | None:
    """What a split or slice takes its columns of, and which: ``(whole, begin, end)``; None where it takes others than columns."""
    name, op = tensor.node, view.ops[tensor.node]
    inputs = view.inputs[name]
    whole = inputs[1 if op == "Split" else 0]
    shape = view.shape(whole)
    if not shape or shape[-1] is None:
        return None
    rank, size = len(shape), shape[-1]
    numbers = [view.number(each) for each in inputs]
    if op in spellings.SPLITS:
        axis = numbers[0 if op == "Split" else 2]
        if axis is None or int(axis.reshape(())) not in (rank - 1, -1):
            return None
        if op == "Split":
            count = int(view.attrs[name].get("num_split", 1))
            sizes = [size // count] * count
        elif numbers[1] is None:
            return None
        else:
            sizes = [int(each) for each in numbers[1]]
            sizes = [each if each >= 0 else size - sum(sizes) - 1 for each in sizes]
        begin = sum(sizes[: tensor.port])
        return whole, begin, begin + sizes[tensor.port]
    if any(number is None for number in numbers[1:]):
        return None
    lists = [[int(v) for v in n.reshape(-1)] for n in numbers[1:]]  # type: ignore[union-attr]
    if op == "Slice":
        begins, sizes = lists
        if any(begins[:-1]) or any(s not in (-1, d) for s, d in zip(sizes[:-1], shape)):
            return None
        end = size if sizes[-1] < 0 else begins[-1] + sizes[-1]
        return whole, begins[-1], end
    return _strided(view.attrs[name], whole, rank, size, lists)


def _strided(
    attrs: Mapping[str, Any],
    whole: Tensor,
    rank: int,
    size: int,
    lists: Sequence[Sequence[int]],
) -> tuple[Tensor, int, int] | None:
    begins, ends, strides = lists
    masks = {
        key: int(attrs.get(f"{key}_mask") or 0)
        for key in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    if masks["new_axis"] or masks["shrink_axis"] or set(strides) != {1}:
        return None
    last = len(begins) - 1
    if masks["ellipsis"]:
        if masks["ellipsis"] != 1 or last != 1:
            return None
    elif len(begins) != rank:
        return None
    for axis in range(last):
        full = masks["begin"] >> axis & 1 and masks["end"] >> axis & 1
        if not full and not masks["ellipsis"] >> axis & 1:
            return None
    begin = 0 if masks["begin"] >> last & 1 else begins[-1]
    end = size if masks["end"] >> last & 1 else ends[-1]
    begin, end = (each + size if each < 0 else each for each in (begin, end))
    return whole, begin, min(end, size)


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
        whole = weight_behind(view, view.inputs[name][0])
        axis = int(view.attrs[name].get("axis") or 0)
        if whole is None:
            return None
        axis %= len(whole.shape)
        part = whole.sliced(axis, source.port, source.port + 1)
        return part.reshaped(*part.shape[:axis], *part.shape[axis + 1 :])
    if op == "StridedSlice":
        return _part(view, name)
    return None


def _part(view: View, name: str) -> WeightRef | None:
    """A weight's slice along its axes, some of which it may drop: ``bias[0]``, ``kernel[:, :8]``."""
    whole = weight_behind(view, view.inputs[name][0])
    numbers = [view.number(each) for each in view.inputs[name][1:]]
    attrs = view.attrs[name]
    if whole is None or any(number is None for number in numbers):
        return None
    if attrs.get("ellipsis_mask") or attrs.get("new_axis_mask"):
        return None
    begins, ends, strides = ([int(v) for v in n.reshape(-1)] for n in numbers)  # type: ignore[union-attr]
    if set(strides) != {1}:
        return None
    shape, drop = whole.shape, []
    for axis, (begin, end) in enumerate(zip(begins, ends)):
        size, bit = shape[axis], 1 << axis
        begin = 0 if int(attrs.get("begin_mask") or 0) & bit else begin
        end = size if int(attrs.get("end_mask") or 0) & bit else end
        begin, end = (each + size if each < 0 else each for each in (begin, end))
        if int(attrs.get("shrink_axis_mask") or 0) & bit:
            end = begin + 1
            drop.append(axis)
        whole = whole.sliced(axis, begin, min(end, size))
    if not drop:
        return whole
    return whole.reshaped(*(s for a, s in enumerate(whole.shape) if a not in drop))
