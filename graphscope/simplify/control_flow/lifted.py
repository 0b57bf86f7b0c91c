"""What lifting the loops of a graph gives; and whether there is anything to lift, for those who then need not load what lifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...graph import Function, Graph
from ...ops import spellings
from ...wire.write import function_names

ENTERS = spellings.ENTERS
UNCARRIED = frozenset("variant quint8 qint8 quint16 qint16 qint32".split())
"""The types of which Keras has no tensors."""


class Region(NamedTuple):
    """One call that stands for a region: the node, the loops in it, and how many ops they run."""

    node: str
    function: str
    loops: tuple[str, ...]
    ops: int
    members: frozenset[str]


@dataclass(frozen=True)
class Lifted:
    """A graph without loops; ``functions`` are those that were made.

    ``broken`` says of each frame that is no well-formed loop why: its nodes are still in the graph.
    """

    graph: Graph
    functions: Mapping[str, Function] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)


def has_loops(graph: Graph, functions: Mapping[str, Function]) -> bool:
    """Whether a node opens a frame, calls a function of the library or hands on what no Keras tensor holds."""
    if next(graph.by_op(*ENTERS), None) is not None:
        return True
    prefixes = ("TensorList", "TensorArray", "Quantize")
    ops = [op for op in graph.kinds() if op.startswith(prefixes)]
    if next(graph.by_op(*ops), None) is not None:
        return True
    views = (graph.node(name) for name in graph.by_op("Bitcast", "Cast"))
    if any({str(n.attrs.get(k)) for k in ("type", "DstT")} & UNCARRIED for n in views):
        return True
    nodes = graph.kinds_of_nodes().values() if functions else ()
    return any(not functions.keys().isdisjoint(function_names(n)) for n in nodes)
