"""Slices that share out the last axis, each convolved -> one split: how grouped convolutions are written by hand.

``x[:, :, :, i * width : (i + 1) * width]`` for each group (ShuffleNet, ResNeXt) is what ``tf.split`` says; what is known of a
grouped convolution is known of splits.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put, put_constant
from ...ops import spellings
from ...ops.array.slice_masks import SliceMasks
from ..state import Facts, State

_CONVOLUTIONS = frozenset({*spellings.CONVOLUTIONS, "ExpandDims"})


class _Part(NamedTuple):
    begin: int
    width: int
    node: str


def split_slices(state: State) -> State:
    """Slices that share out the last axis, each convolved -> the ports of one Split.

    ``Conv2D(x[..., :8]), Conv2D(x[..., 8:]) -> a, b = Split(x); Conv2D(a), Conv2D(b)``.
    """
    graph, facts = state.graph, state.facts
    parts: dict[Tensor, list[_Part]] = defaultdict(list)
    for name in graph.by_op("StridedSlice"):
        readers = graph.consumers(name)
        if readers and all(graph.op(r) in _CONVOLUTIONS and not s for r, s in readers):
            part = _part(graph, name, facts)
            if part is not None:
                parts[graph.inputs(name)[0]].append(part)
    shared = {x: sorted(slices) for x, slices in parts.items()}
    shared = {x: slices for x, slices in shared.items() if _is_whole(x, slices, facts)}
    if not shared:
        return state
    copy = duplicate(graph)
    for x, slices in shared.items():
        _split(copy, x, slices)
    return state.become(copy)


def _part(graph: Graph, name: str, facts: Facts) -> _Part | None:
    """What a slice takes of the last axis; None where it takes other than all of each other axis."""
    attrs, inputs = graph.attrs(name), graph.inputs(name)
    bounds = [_value(graph, facts, tensor) for tensor in inputs[1:]]
    values = [value for value in bounds if value is not None]
    rank = len(facts[inputs[0]].spec.shape or ()) if inputs[0] in facts else 0
    shape = facts[Tensor(name)].spec.shape if Tensor(name) in facts else None
    if len(values) != 3 or shape is None:
        return None
    begin, _, strides = (np.ravel(v) for v in values)
    masks, last = SliceMasks.of(attrs), len(begin) - 1
    if not masks.takes_columns(len(begin), rank) or (strides != 1).any():
        return None
    width = shape[-1] if shape else None
    first = 0 if masks.begin >> last & 1 else int(begin[last])
    return None if width is None or first < 0 else _Part(first, width, name)


def _value(graph: Graph, facts: Facts, tensor: Tensor) -> np.ndarray | None:
    constant = graph.attrs(tensor.node).get("value")
    value = facts[tensor].value if tensor in facts else constant
    return value if isinstance(value, np.ndarray) else None


def _is_whole(x: Tensor, parts: list[_Part], facts: Facts) -> bool:
    """Whether the parts are equal, and together the whole axis, each once."""
    width, shape = parts[0].width, facts[x].spec.shape
    places = [i * width for i in range(len(parts))]
    return (
        len(parts) > 1
        and all(part.width == width for part in parts)
        and [part.begin for part in parts] == places
        and bool(shape)
        and shape is not None
        and shape[-1] == width * len(parts)
    )


def _split(copy: Graph, x: Tensor, parts: list[_Part]) -> None:
    axis = put_constant(copy, f"{parts[0].node}/axis", -1)
    dtype = copy.attrs(parts[0].node).get("T")
    split = fresh(copy, f"{parts[0].node}/split")
    attrs = {"num_split": len(parts), "T": dtype}
    put(copy, split, Node("Split", attrs), (axis, x))
    for port, part in enumerate(parts):
        put(copy, part.node, Node("Identity", {"T": dtype}), (Tensor(split, port),))
