"""Stored numbers that the graph takes for levels of a quantised type -> numbers stored as that type, which the same bytes are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...graph import Graph, Tensor
from ...graph.edit import drop_unread, duplicate, fresh, put, redirect
from ...wire.attrs import numpy_dtype
from ...wire.write import Edited

QUANTISED = frozenset("qint8 qint16 qint32 quint8 quint16".split())


def read_stored_bits(graph: Graph, outputs: Iterable[Tensor] = ()) -> Graph:
    """A copy without such views, but those that are outputs; the graph itself where there are none.

    ``Bitcast(Const{uint8}, quint8) -> Const{quint8}``.
    """
    asked = {tensor.node for tensor in outputs}
    names = (name for name in graph.by_op("Bitcast") if name not in asked)
    views = [name for name in names if _is_stored(graph, name)]
    if not views:
        return graph
    copy = duplicate(graph)
    for name in views:
        source, kind = copy.inputs(name)[0].node, copy.attrs(name)["type"]
        stored = copy.node(source)
        levels = replace(stored, attrs=Edited(stored.attrs, {"dtype": kind}))
        if len(list(copy.consumers(source))) > 1:
            source = fresh(copy, f"{source}/{kind}")
        put(copy, source, levels, ())
        redirect(copy, Tensor(name), Tensor(source))
        drop_unread(copy, [name])
    return copy


def _is_stored(graph: Graph, name: str) -> bool:
    """Whether a view shows a constant as a type that numpy holds likewise."""
    source, kind = graph.inputs(name)[0].node, str(graph.attrs(name).get("type"))
    if graph.op(source) != "Const":
        return False
    dtype = numpy_dtype(str(graph.attrs(source).get("dtype")))
    return kind in QUANTISED and dtype == numpy_dtype(kind)
