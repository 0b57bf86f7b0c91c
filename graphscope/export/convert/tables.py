"""Look-ups of numbers -> comparisons with all keys: converters know tables of strings at most, and numbers need no table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...graph import Graph, Model, Node, Tensor
from ...graph.edit import duplicate, fresh, put
from ...infer.lookup_tables import table_contents
from ...simplify.prune import prune
from ...simplify.rewrites.tables import FINDS, table_behind
from ..frozen import Frozen

MOST_KEYS = 1 << 12  # each look-up compares with all of them


def without_tables(frozen: Frozen) -> Frozen:
    """``LookupTableFind(t, x, d) -> SelectV2(Any(x == keys), Gather(values, ArgMax(x == keys)), d)`` for tables of numbers.

    The same model where there are none. Initialisers of tables that nothing reads any more are gone.
    """
    graph = frozen.graph
    finds = list(graph.by_op(*FINDS))
    if not finds:
        return frozen
    contents = table_contents(graph, Model(graph, frozen.source))
    copy = duplicate(graph)
    for name in finds:
        entries = contents.get(table_behind(graph, graph.inputs(name)[0]))
        if entries is not None and _are_numbers(*entries):
            _compare(copy, name, *entries)
    ends = [t for s in frozen.signatures.values() for t in s.outputs.values()]
    ends += [t for s in frozen.signatures.values() for t in s.inputs.values()]
    live = prune(copy, ends)
    left = tuple(n for n in frozen.initialisers if _table_of(copy, n) in live)
    whole = prune(copy, [*ends, *map(Tensor, left)])
    return replace(frozen, graph=whole, initialisers=left)


def _are_numbers(keys: np.ndarray, values: np.ndarray) -> bool:
    numeric = keys.dtype.kind in "iu" and values.dtype.kind in "iuf"
    return numeric and 0 < keys.size <= MOST_KEYS


def _table_of(graph: Graph, filler: str) -> str:
    return table_behind(graph, graph.inputs(filler)[0])


def _compare(graph: Graph, name: str, keys: np.ndarray, values: np.ndarray) -> None:
    _, x, default = graph.inputs(name)
    kind, value_type = keys.dtype.name, values.dtype.name

    def add(part: str, op: str, attrs: Mapping[str, object], *inputs: Tensor) -> Tensor:
        node = fresh(graph, f"{name}/{part}")
        put(graph, node, Node(op, attrs), inputs)
        return Tensor(node)

    def number(part: str, value: np.ndarray) -> Tensor:
        return add(part, "Const", {"dtype": value.dtype.name, "value": value})

    last = number("last", np.array(-1, np.int32))
    expand = {"T": kind, "Tdim": "int32"}
    column = add("column", "ExpandDims", expand, x, last)
    hits = add("hits", "Equal", {"T": kind}, column, number("keys", keys))
    reduce = {"Tidx": "int32", "keep_dims": False}
    is_known = add("is_known", "Any", reduce, hits, last)
    counts = add("counts", "Cast", {"SrcT": "bool", "DstT": "int32"}, hits)
    most = {"T": "int32", "Tidx": "int32", "output_type": "int32"}
    place = add("place", "ArgMax", most, counts, last)
    axis = number("axis", np.array(0, np.int32))
    gather = {
        "Tparams": value_type,
        "Tindices": "int32",
        "Taxis": "int32",
        "batch_dims": 0,
    }
    value = add("value", "GatherV2", gather, number("values", values), place, axis)
    put(graph, name, Node("SelectV2", {"T": value_type}), [is_known, value, default])
