"""Changing a copy of a graph: what the passes that rewrite one are made of. The graph as read is never among them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from . import Graph, Node, Tensor
from .named_values import Attributes
from .names import unused


def duplicate(graph: Graph, without: frozenset[str] | set[str] = frozenset()) -> Graph:
    """A copy that can be changed, less some nodes and the edges that name them; who reads a node stands in the order of the nodes.

    What a layer graph says of the graph below it (``Graph.tensors``) is copied too.
    """
    copy = Graph(graph)
    if "tensors" in graph.graph:
        copy.graph["tensors"] = {
            below: tensor
            for below, tensor in graph.tensors.items()
            if tensor.node not in without
        }
    if without:
        copy.restrict(graph._node.keys() - without)
    else:
        copy.sort_readers()
    return copy


def put(
    graph: Graph, name: str, node: Node, inputs: Iterable[Tensor] | None = None
) -> None:
    """Set the payload of a node, new or old; and its data inputs, unless they stay."""
    graph.add_node(name, node=node)
    if inputs is None:
        return
    tensors = list(inputs)
    graph.unlink(name)
    for slot, tensor in enumerate(tensors):
        graph.add_edge(tensor.node, name, key=slot, port=tensor.port)


def read_instead(graph: Graph, name: str, slot: int, tensor: Tensor) -> None:
    """Let one input of a node read another tensor."""
    for source, edges in graph._pred[name].items():
        if slot in edges:
            graph.remove_edge(source, name, key=slot)
            break
    graph.add_edge(tensor.node, name, key=slot, port=tensor.port)


def redirect(
    graph: Graph, old: Tensor, new: Tensor, but: frozenset[str] = frozenset()
) -> int:
    """Let all that reads ``old`` read ``new``, except the nodes in ``but``; how many inputs changed."""
    changed = 0
    for name, slot in graph.consumers(*old):
        if name not in but:
            read_instead(graph, name, slot, new)
            changed += 1
    return changed


def drop_unread(graph: Graph, names: Iterable[str], keep: Collection[str] = ()) -> None:
    """Remove the named nodes that nothing reads, and what only they read, except the nodes in ``keep``."""
    stack = list(names)
    gone: set[str] = set()
    while stack:
        name = stack.pop()
        if name in graph and name not in keep and not graph._succ[name]:
            stack += graph._pred[name]
            graph.remove_node(name)
            gone.add(name)
    if gone and "tensors" in graph.graph:
        graph.graph["tensors"] = {
            below: tensor
            for below, tensor in graph.tensors.items()
            if tensor.node not in gone
        }


def bypass_calls(graph: Graph) -> None:
    """Let what reads the outputs of an inlined call read, in ``graph``, what the call returned.

    The IdentityN that stands for the call reads all that it returned; without this, one output would need the others too.
    """
    for name in list(graph.by_op("IdentityN")):
        for port, tensor in enumerate(graph.inputs(name)):
            if tensor.node != name:
                redirect(graph, Tensor(name, port), tensor)


def put_new(
    graph: Graph, name: str, op: str, attrs: Attributes, *inputs: Tensor
) -> Tensor:
    """The first output of a new node under that name, or a free one like it."""
    free = fresh(graph, name)
    put(graph, free, Node(op, attrs), inputs)
    return Tensor(free)


def put_constant(graph: Graph, name: str, value: object, dtype: str = "") -> Tensor:
    """A new Const under that name, or a free one like it; ``value`` is an array, or numbers, which become int32 or ``dtype``."""
    if isinstance(value, np.ndarray):
        array = value
    else:
        array = np.array(value, dtype or "int32")
    attrs = {"dtype": dtype or array.dtype.name, "value": array}
    return put_new(graph, name, "Const", attrs)


def fresh(graph: Graph, name: str) -> str:
    """``name``, or ``name_1``, ``name_2`` ... where it is taken."""
    return unused(name, graph)
