"""A transposed convolution as large as another map -> the whole transposed convolution, cropped to that map.

``tf.nn.conv2d_transpose(x, w, tf.shape(skip), strides, "SAME")`` (fully convolutional nets) gives any size that the
convolution could have come from. Without padding, as Keras's layer has it, the same numbers lie in the middle of a map of
one size: TensorFlow's SAME cuts ``(whole - asked) // 2`` off before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...graph import Graph, Node, Shape, Tensor
from ...graph.edit import duplicate, fresh, put
from ...ops import spellings
from ..state import Facts, State

_LIFTED = frozenset({"ExpandDims", "Identity"})
_SUMS = frozenset({*spellings.SUMS, "BiasAdd"})


class _Crop(NamedTuple):
    """``name`` yields what is asked for: the convolution, or the sum of it and of a ``bias``."""

    convolution: str
    name: str
    strides: tuple[int, int]
    kernel: tuple[int, int]
    filters: int
    bias: Tensor | None


def crop_transposed_convolutions(state: State) -> State:
    """A transposed convolution as large as another map -> the whole one, cropped.

    ``conv2d_transpose(x, w, Shape(y), "SAME") -> Slice(conv2d_transpose(x, w, "VALID"), (whole - asked) // 2, asked)``.
    """
    graph = state.graph
    crops = [
        _asked(graph, name, state.facts, state.kept)
        for name in graph.by_op("Conv2DBackpropInput")
    ]
    if not any(crops):
        return state
    copy = duplicate(graph)
    for each in filter(None, crops):
        _write(copy, each)
    return state.become(copy)


def _asked(graph: Graph, name: str, facts: Facts, keep: frozenset[str]) -> _Crop | None:
    """The convolution, where its size is another map's and lies within the whole."""
    node, inputs = graph.node(name), graph.inputs(name)
    strides = node.attrs.get("strides")
    if len(inputs) != 3 or not _is_plain(node) or not _is_four(strides):
        return None
    sizes, kernel = _shape(facts, Tensor(name)), _shape(facts, inputs[1])
    shape = _shape(facts, inputs[2])
    if sizes is None or kernel is None or shape is None or None in kernel:
        return None
    if len(sizes) != 4 or len(kernel) != 4 or None not in sizes[1:3]:
        return None
    height, width, filters, _ = (size or 0 for size in kernel)
    _, down, across, _ = strides
    if height < down or width < across or _is_own(graph, inputs[0], inputs[2]):
        return None
    last, bias = _sum(graph, name, filters, facts, keep)
    return _Crop(name, last, (down, across), (height, width), filters, bias)


def _is_plain(node: Node) -> bool:
    dilations = node.attrs.get("dilations") or (1, 1, 1, 1)
    layout = node.attrs.get("data_format") or "NHWC"
    same = node.attrs.get("padding") == "SAME"
    return same and layout == "NHWC" and set(dilations) == {1}


def _is_four(strides: object) -> bool:
    if not isinstance(strides, tuple) or len(strides) != 4:
        return False
    return all(isinstance(each, int) and each > 0 for each in strides)


def _is_own(graph: Graph, sizes: Tensor, feed: Tensor) -> bool:
    """Whether the size asked for follows from the map's own: then Keras's layer may give it as it is."""
    own, stack = {feed.node}, [feed.node]
    while stack:  # a map of one row was a sequence before
        node = stack.pop()
        if graph.op(node) in _LIFTED:
            stack += [t.node for t in graph.inputs(node)[:1] if t.node not in own]
            own |= {*stack}
    return _measured(graph, sizes.node) <= own


def _measured(graph: Graph, name: str) -> set[str]:
    """The nodes whose shapes a size is computed from."""
    measured: set[str] = set()
    visited, stack = {name}, [name]
    while stack:
        node = stack.pop()
        sources = {tensor.node for tensor in graph.inputs(node)}
        if graph.op(node) in (*spellings.SHAPES, "Size"):
            measured |= sources
            continue
        stack.extend(sources - visited)
        visited |= sources
    return measured


def _shape(facts: Facts, tensor: Tensor) -> Shape:
    fact = facts.get(tensor)
    return None if fact is None else fact.spec.shape


def _sum(
    graph: Graph, name: str, filters: int, facts: Facts, keep: frozenset[str]
) -> tuple[str, Tensor | None]:
    """The node that adds a bias to the convolution and alone reads it, and the bias; else the convolution."""
    readers = graph.consumers(name)
    if len(readers) != 1 or name in keep or graph.op(readers[0][0]) not in _SUMS:
        return name, None
    last, slot = readers[0]
    inputs = graph.inputs(last)
    if len(inputs) != 2 or _shape(facts, inputs[1 - slot]) != (filters,):
        return name, None
    return last, inputs[1 - slot]


def _write(graph: Graph, crop: _Crop) -> None:
    """Rewire: the whole convolution (and its bias) under new names, the slice of it under the old."""
    old = graph.node(crop.convolution)
    dtype = str(old.attrs.get("T", "float32"))
    sizes, kernel, map_before = graph.inputs(crop.convolution)
    steps = (1, *crop.strides, 1)
    beyond = [k - s for k, s in zip(crop.kernel, crop.strides)]

    def integers(part: str, values: Sequence[int]) -> Tensor:
        value = np.array(values, np.int32)
        return _add(graph, crop, part, "Const", {"dtype": "int32", "value": value})

    def number(part: str, op: str, *inputs: Tensor) -> Tensor:
        return _add(graph, crop, part, op, {"T": "int32"}, *inputs)

    shape = _add(
        graph, crop, "shape", "Shape", {"T": dtype, "out_type": "int32"}, map_before
    )
    scaled = number("scaled", "Mul", shape, integers("steps", (*steps[:3], 0)))
    plus = integers("beyond", (0, *beyond, crop.filters))
    asked = number("sizes", "AddV2", scaled, plus)
    attrs = {**old.attrs, "padding": "VALID"}
    whole = _add(graph, crop, "whole", old.op, attrs, asked, kernel, map_before)
    if crop.bias is not None:
        whole = _add(graph, crop, "biased", "BiasAdd", {"T": dtype}, whole, crop.bias)
    measured = _add(
        graph, crop, "made", "Shape", {"T": dtype, "out_type": "int32"}, whole
    )
    spare = number("spare", "Sub", measured, sizes)
    half = number("half", "FloorDiv", spare, integers("two", (1, 2, 2, 1)))
    inside = integers("spatial", (0, 1, 1, 0))
    begin = number("begin", "Mul", half, inside)
    cropped = number("kept", "Mul", sizes, inside)
    size = number("size", "Sub", cropped, integers("rest", (1, 0, 0, 1)))
    payload = graph.node(crop.name)
    attrs = {"T": dtype, "Index": "int32"}
    sliced = replace(payload, op="Slice", attrs=attrs)
    put(graph, crop.name, sliced, [whole, begin, size])
    if crop.name != crop.convolution:
        graph.remove_node(crop.convolution)


def _add(
    graph: Graph,
    crop: _Crop,
    part: str,
    op: str,
    attrs: Mapping[str, object],
    *inputs: Tensor,
) -> Tensor:
    name = fresh(graph, f"{crop.name}/{part}")
    put(graph, name, Node(op, attrs), inputs)
    return Tensor(name)
