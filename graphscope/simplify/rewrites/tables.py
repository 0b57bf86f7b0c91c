"""Graph -> Graph in which a look-up knows what its table holds: no handle passes from node to node, and nothing must fill a table first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put, read_instead

FINDS = ("LookupTableFindV2", "LookupTableFind")
_PASSES = ("Identity", "IdentityN", "RefIdentity")
_SIZES = ("LookupTableSizeV2", "LookupTableSize")


def fill_lookups(
    graph: Graph, contents: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> Graph:
    """A copy whose look-ups have ``keys`` and ``values`` among their attributes; the graph itself where no table is filled.

    ``contents`` gives both by the table's node. The size of a table becomes a constant.
    """
    readers = {
        name: content
        for name in graph.by_op(*FINDS, *_SIZES)
        if (content := contents.get(_table(graph, name))) is not None
    }
    if not readers:
        return graph
    copy = duplicate(graph)
    nothing = fresh(copy, "no_handle")
    put(copy, nothing, _constant(np.zeros((), np.int32)), ())
    for name, (keys, values) in readers.items():
        node = copy.node(name)
        if node.op in _SIZES:
            put(copy, name, _constant(np.array(len(keys), np.int64)), ())
        else:
            filled = replace(node, attrs={**node.attrs, "keys": keys, "values": values})
            put(copy, name, filled, copy.inputs(name))
            read_instead(copy, name, 0, Tensor(nothing))
    return copy


def _constant(value: np.ndarray) -> Node:
    return Node("Const", {"dtype": value.dtype.name, "value": value})


def table_behind(graph: Graph, handle: Tensor) -> str:
    """The table that a handle is of; an inlined call passes it on."""
    for _ in range(len(graph)):
        inputs = graph.inputs(handle.node)
        if graph.op(handle.node) not in _PASSES or not inputs:
            break
        handle = inputs[min(handle.port, len(inputs) - 1)]
    return handle.node


def _table(graph: Graph, name: str) -> str:
    """The table that a node looks into."""
    return table_behind(graph, next(iter(graph.inputs(name)), Tensor(name)))
