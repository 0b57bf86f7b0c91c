"""Small things that nobody would write twice, or in two steps: done to a layer graph before it becomes source.

``x[:, 0:1]`` squeezed is ``x[:, 0]``; a value that is computed in each block from the same tensors is computed once; a mask
times ones, of which only the broadcast is left, is the mask.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np

from ... import ops
from ...graph import Graph, Layer, Tensor
from ...graph.edit import duplicate, put, redirect

_LARGEST = 64  # elements of a constant that is compared by value


def tidy(graph: Graph, keep: frozenset[str] = frozenset()) -> Graph:
    """A tidied copy of a layer graph; ``keep`` are nodes that must stay."""
    made = duplicate(graph)
    made.graph.update(graph.graph)
    _index_at_once(made)
    _compute_once(made, keep)
    return made


def _index_at_once(graph: Graph) -> None:
    """A slice of one entry and the Squeeze of its axis -> an index."""
    for name in list(graph.by_op("Squeeze")):
        if isinstance(graph.node(name), Layer):
            continue
        source, *_ = graph.inputs(name)
        axes = graph.attrs(name).get("squeeze_dims") or ()
        mask = _single_entries(graph, source.node)
        if not axes or mask is None or min(axes) < 0:
            continue
        wanted = sum(1 << axis for axis in set(axes))
        if wanted & mask == wanted and len(graph.consumers(source.node)) == 1:
            node = graph.node(source.node)
            shrunk = {**node.attrs, "shrink_axis_mask": wanted}
            given = graph.inputs(source.node)
            put(graph, name, replace(node, attrs=shrunk, outputs=()), given)
            graph.remove_node(source.node)


def _single_entries(graph: Graph, name: str) -> int | None:
    """The axes of which a StridedSlice takes one entry, as a mask; None for another node or an axis-changing slice."""
    node = graph.node(name)
    if node.op != "StridedSlice" or isinstance(node, Layer):
        return None
    moved = ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    if any(node.attrs.get(key) for key in moved):
        return None
    bounds = [graph.node(t.node).attrs.get("value") for t in graph.inputs(name)[1:]]
    known = [np.ravel(each) for each in bounds if isinstance(each, np.ndarray)]
    if len(known) != 3:
        return None
    begin, end, step = (each.tolist() for each in known)
    masked = (node.attrs.get("begin_mask") or 0) | (node.attrs.get("end_mask") or 0)
    found = 0
    for axis, (a, b, s) in enumerate(zip(begin, end, step)):
        if not masked >> axis & 1 and s == 1 and b == a + 1 and a >= 0:
            found |= 1 << axis
    return found


def _compute_once(graph: Graph, keep: frozenset[str]) -> None:
    """Nodes that do the same to the same tensors -> the first of them. Layers stay, but for those that only scale."""
    try:
        order = list(nx.topological_sort(graph))
    except nx.NetworkXUnfeasible:
        return
    first: dict[Hashable, str] = {}
    replaced: dict[str, str] = {}
    for name in order:
        key = _meaning(graph, name)
        if key is None:
            continue
        owner = first.setdefault(key, name)
        if owner == name or name in keep:
            continue
        for port in {port for _, _, port in graph.out_edges(name, data="port")}:
            redirect(graph, Tensor(name, port), Tensor(owner, port))
        graph.remove_node(name)
        replaced[name] = owner
    tensors = graph.graph.get("tensors", {})
    for down, up in tensors.items():
        if up.node in replaced:
            tensors[down] = Tensor(replaced[up.node], up.port)


def _meaning(graph: Graph, name: str) -> Hashable | None:
    """What a node computes, equal for two that compute the same; None where that is not for us to say."""
    node = graph.node(name)
    if isinstance(node, Layer):
        if node.op != "Rescaling" or node.weights:
            return None
    elif node.op == "Const":
        return _of_constant(node.attrs)
    elif not ops.traits(node.op) & _PURE or not graph.inputs(name):
        return None
    return node.op, isinstance(node, Layer), _frozen(node.attrs), graph.inputs(name)


_PURE = frozenset({"elementwise", "shape-only", "movement"})


def _of_constant(attrs: Mapping[str, Any]) -> Hashable | None:
    value = attrs.get("value")
    if (
        not isinstance(value, np.ndarray)
        or value.size > _LARGEST
        or value.dtype == object
    ):
        return None
    return "Const", value.dtype.name, value.shape, value.tobytes()


def _frozen(attrs: Mapping[str, Any]) -> Hashable:
    return tuple(
        sorted((k, repr(v)) for k, v in attrs.items() if not k.startswith("_"))
    )
