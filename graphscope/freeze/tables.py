"""Lookup tables in a frozen graph: what fills them is kept, although no output reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..graph import Graph
from ..simplify.rewire import duplicate

_TABLE = re.compile(r"(Mutable)?(Dense)?HashTable(OfTensors)?(V2)?$")
_FILLS = re.compile(
    r"InitializeTable(FromTextFile|FromDataset)?(V2)?$|LookupTableImport(V2)?$"
)


def initialisers(graph: Graph, whole: Graph) -> tuple[Graph, tuple[str, ...]]:
    """The graph with the ops of ``whole`` that fill its tables and what they read; and the names of those ops."""
    tables = [name for name in graph if _TABLE.match(graph.op(name))]
    if not tables:
        return graph, ()
    found = tuple(dict.fromkeys(n for table in tables for n in _fillers(whole, table)))
    made = duplicate(graph)
    for name in _missing(made, whole, found):
        controls = tuple(c for c in whole.node(name).controls if c in made)
        made.add(name, replace(whole.node(name), controls=controls))
    for name in whole.upstream(found):
        if not made.pred[name]:
            for slot, tensor in enumerate(whole.inputs(name)):
                made.add_edge(tensor.node, name, key=slot, port=tensor.port)
    return made, found


def _fillers(whole: Graph, table: str) -> Iterator[str]:
    for name, slot in whole.consumers(table):
        if slot == 0 and _FILLS.match(whole.op(name)):
            yield name


def _missing(graph: Graph, whole: Graph, names: tuple[str, ...]) -> list[str]:
    above = whole.upstream(names)
    return [name for name in whole if name in above and name not in graph]
