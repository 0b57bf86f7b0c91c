"""Lookup tables of a frozen graph that fill themselves: whoever reads one waits for what fills it, so there is no step to run before.

TensorFlow 2 lets a table be filled again with what it holds, which is looked at by its size alone; before, that was an error.
"""

from __future__ import annotations

from ..graph import Graph, Node, Tensor
from ..graph.edit import duplicate, fresh, put, read_instead

FILLED_AGAIN = 119  # the GraphDef version of TensorFlow 2.0
_STRING = "string"  # the dtype of the handle that TensorFlow 1 had, a reference


def fill_when_read(graph: Graph, fillers: tuple[str, ...]) -> Graph:
    """``find(table), fill(table) -> find(Identity(table, ^fill)), fill(table)``, for each of ``fillers``.

    Functions get the handle from outside, and so do loops: there is nothing to change in their bodies.
    """
    copy = duplicate(graph)
    by_table: dict[Tensor, list[str]] = {}
    for filler in fillers:
        by_table.setdefault(copy.inputs(filler)[0], []).append(filler)
    for table, names in by_table.items():
        readers = [each for each in copy.consumers(*table) if each[0] not in fillers]
        is_handle = copy.op(table.node).endswith("V2")
        op, dtype = ("Identity", "resource") if is_handle else ("RefIdentity", _STRING)
        filled = fresh(copy, f"{table.node}/filled")
        node = Node(op, {"T": dtype}, (), tuple(names), copy.node(table.node).device)
        put(copy, filled, node, [table])
        for reader, slot in readers:
            read_instead(copy, reader, slot, Tensor(filled))
    return copy
