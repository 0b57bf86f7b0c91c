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
    inputs = view.inputs[tensor.node]
    whole = inputs[1 if view.ops[tensor.node] == "Split" else 0]
    shape = view.shape(whole)
    if not shape or shape[-1] is None:
        return None
    op = view.ops[tensor.node]
    if op in spellings.SPLITS:
        ends = _split(view, tensor, len(shape), shape[-1])
    else:
        numbers = [view.number(each) for each in inputs[1:]]
        lists = [[int(v) for v in n.reshape(-1)] for n in numbers if n is not None]
        if len(lists) < len(numbers):
            return None
        if op == "Slice":
            ends = _sliced(shape, lists)
        else:
            ends = _strided(view.attrs[tensor.node], shape, lists)
    return None if ends is None else (whole, *ends)


def _split(view: View, tensor: Tensor, rank: int, size: int) -> tuple[int, int] | None:
    """The columns of one port of a Split or SplitV along the last axis."""
    name = tensor.node
    is_even = view.ops[name] == "Split"
    numbers = [view.number(each) for each in view.inputs[name]]
    axis = numbers[0 if is_even else 2]
    if axis is None or int(axis.reshape(())) not in (rank - 1, -1):
        return None
    if is_even:
        count = int(view.attrs[name].get("num_split", 1))
        sizes = [size // count] * count
    elif numbers[1] is None:
        return None
    else:
        sizes = [int(each) for each in numbers[1]]
        rest = size - sum(sizes) - 1  # one size may be -1: what the others leave
        sizes = [each if each >= 0 else rest for each in sizes]
    begin = sum(sizes[: tensor.port])
    return begin, begin + sizes[tensor.port]


def _sliced(
    shape: Sequence[int | None], lists: Sequence[list[int]]
) -> tuple[int, int] | None:
    """The columns of a Slice that takes the whole of every other axis."""
    begins, sizes = lists
    if any(begins[:-1]) or any(s not in (-1, d) for s, d in zip(sizes[:-1], shape)):
        return None
    end = shape[-1] if sizes[-1] < 0 else begins[-1] + sizes[-1]
    return None if end is None else (begins[-1], end)


def _strided(
    attrs: Mapping[str, Any], shape: Sequence[int | None], lists: Sequence[list[int]]
) -> tuple[int, int] | None:
    """The columns of a StridedSlice of step 1 that takes the whole of every other axis: ``x[..., a:b]``, ``x[:, a:b]``."""
    begins, ends, strides = lists
    masks = {
        key: int(attrs.get(f"{key}_mask") or 0)
        for key in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    if masks["new_axis"] or masks["shrink_axis"] or set(strides) != {1}:
        return None
    last = len(begins) - 1
    if not _takes_whole_rows(masks, last, len(shape)):
        return None
    return _bounds(masks, last, (begins[-1], ends[-1]), shape[-1] or 0)


def _takes_whole_rows(masks: Mapping[str, int], last: int, rank: int) -> bool:
    """Whether every axis before the last index is taken as a whole, and that index is of the last axis."""
    if masks["ellipsis"]:
        return masks["ellipsis"] == 1 and last == 1
    is_whole = masks["begin"] & masks["end"]
    return last == rank - 1 and all(is_whole >> axis & 1 for axis in range(last))


def _bounds(
    masks: Mapping[str, int], axis: int, ends: tuple[int, int], size: int
) -> tuple[int, int]:
    """Where one index of a strided slice begins and ends, counted from 0; a set bit of the mask says that the end is open."""
    begin = 0 if masks["begin"] >> axis & 1 else ends[0]
    end = size if masks["end"] >> axis & 1 else ends[1]
    begin, end = (each + size if each < 0 else each for each in (begin, end))
    return begin, min(end, size)


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
    keys = ("begin", "end", "shrink_axis")
    masks = {key: int(attrs.get(f"{key}_mask") or 0) for key in keys}
    shape, drop = whole.shape, []
    for axis, ends_ in enumerate(zip(begins, ends)):
        begin, end = _bounds(masks, axis, ends_, shape[axis])
        if masks["shrink_axis"] >> axis & 1:  # x[i]: the end is not looked at
            end = begin + 1
            drop.append(axis)
        whole = whole.sliced(axis, begin, min(end, shape[axis]))
    if not drop:
        return whole
    return whole.reshaped(*(s for a, s in enumerate(whole.shape) if a not in drop))
