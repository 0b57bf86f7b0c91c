"""Small things that nobody would write twice, or in two steps: done to a layer graph before it becomes source."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

import numpy as np

from ... import ops
from ...graph import Graph, Layer, Node, Tensor
from ...graph.edit import drop_unread, duplicate, put, redirect
from ...graph.named_values import Attributes
from ...graph.order import sources_first
from ...ops.array.slice_masks import SliceMasks
from ..state import State

_LARGEST = 64  # elements of a constant that is compared by value


def index_slices(state: State) -> State:
    """A slice of one entry whose axis is squeezed -> an index.

    ``Squeeze(x[:, 0:1], [1]) -> x[:, 0]``.
    """
    graph = state.graph
    squeezes = [name for name in graph.by_op("Squeeze") if _is_index(state, name)]
    if not squeezes:
        return state
    copy = duplicate(graph)
    for name in squeezes:
        (source, *_), axes = copy.inputs(name), copy.attrs(name)["squeeze_dims"]
        node = copy.node(source.node)
        shrunk = {**node.attrs, "shrink_axis_mask": _mask(axes)}
        indexed = replace(node, attrs=shrunk, outputs=())
        put(copy, name, indexed, copy.inputs(source.node))
        drop_unread(copy, [source.node])
    return state.become(copy)


def _is_index(state: State, name: str) -> bool:
    """Whether a Squeeze takes away the axes of which a slice that nothing else reads takes one entry."""
    graph = state.graph
    if isinstance(graph.node(name), Layer):
        return False
    source, *_ = graph.inputs(name)
    axes = graph.attrs(name).get("squeeze_dims") or ()
    single = _single_entries(graph, source.node)
    if not axes or single is None or min(axes) < 0 or source.node in state.kept:
        return False
    mask = _mask(axes)
    return mask & single == mask and len(graph.consumers(source.node)) == 1


def _mask(axes: Iterable[int]) -> int:
    return sum(1 << axis for axis in set(axes))


def _single_entries(graph: Graph, name: str) -> int | None:
    """The axes of which a StridedSlice takes one entry, as a mask; None for another node or an axis-changing slice."""
    node = graph.node(name)
    if node.op != "StridedSlice" or isinstance(node, Layer):
        return None
    if not SliceMasks.of(node.attrs).keeps_axes:
        return None
    bounds = [graph.node(t.node).attrs.get("value") for t in graph.inputs(name)[1:]]
    arrays = [np.ravel(each) for each in bounds if isinstance(each, np.ndarray)]
    if len(arrays) != 3:
        return None
    begin, end, step = (each.tolist() for each in arrays)
    masked = (node.attrs.get("begin_mask") or 0) | (node.attrs.get("end_mask") or 0)
    axes = 0
    for axis, (a, b, s) in enumerate(zip(begin, end, step)):
        if not masked >> axis & 1 and s == 1 and b == a + 1 and a >= 0:
            axes |= 1 << axis
    return axes


def merge_equal(state: State) -> State:
    """Nodes that do the same to the same tensors -> the first of them. Layers stay, but for those that only scale.

    ``Sub(1, mask), Sub(1, mask) -> Sub(1, mask)``, which both readers read.
    """
    owners = _owners(state)
    if not owners:
        return state
    copy = duplicate(state.graph)
    for name, owner in owners.items():
        for port in copy.ports(name):
            redirect(copy, Tensor(name, port), Tensor(owner, port))
        copy.remove_node(name)
    for below, tensor in copy.tensors.items():
        owner = owners.get(tensor.node, tensor.node)
        copy.tensors[below] = Tensor(owner, tensor.port)
    return state.become(copy)


def _owners(state: State) -> dict[str, str]:
    """For each node that repeats another: the first that computes the same."""
    graph = state.graph
    first: dict[Hashable, str] = {}
    owners: dict[str, str] = {}
    for name in sources_first(graph) or ():
        inputs = [
            Tensor(owners.get(node, node), port) for node, port in graph.inputs(name)
        ]
        key = _meaning(graph.node(name), tuple(inputs))
        if key is not None:
            owner = first.setdefault(key, name)
            if owner != name and name not in state.kept:
                owners[name] = owner
    return owners


def _meaning(node: Node, inputs: tuple[Tensor, ...]) -> Hashable | None:
    """What a node computes, equal for two that compute the same; None where that is not for us to say."""
    if isinstance(node, Layer):
        if node.op != "Rescaling" or node.weights:
            return None
    elif node.op == "Const":
        return _of_constant(node.attrs)
    elif not ops.traits(node.op) & _PURE or not inputs:
        return None
    return node.op, isinstance(node, Layer), _frozen(node.attrs), inputs


_PURE = frozenset({"elementwise", "shape-only", "movement"})


def _of_constant(attrs: Attributes) -> Hashable | None:
    value = attrs.get("value")
    if (
        not isinstance(value, np.ndarray)
        or value.size > _LARGEST
        or value.dtype == object
    ):
        return None
    return "Const", value.dtype.name, value.shape, value.tobytes()


def _frozen(attrs: Attributes) -> Hashable:
    return tuple(
        sorted((k, repr(v)) for k, v in attrs.items() if not k.startswith("_"))
    )
