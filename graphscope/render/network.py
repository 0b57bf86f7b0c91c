"""Graph -> a networkx graph of plain attributes, and the files that networkx writes of it (GraphML, GEXF)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..graph import Graph, Layer, Tensor, TensorSpec
from ..graph.names import Names
from . import Drawing
from .cells.escape import visible
from .cells.rows import rows_of
from .cells.spelling import output_spec, shape_text
from .json import plain

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(
    graph: Graph, specs: Mapping[Tensor, TensorSpec] = {}
) -> nx.MultiDiGraph:
    """A networkx graph whose attributes are strings and whole numbers, so that each of its writers takes it.

    A node has ``type`` (op or Keras class), ``dtype`` and ``shape`` (``[?,28,28,1]``) of its first output, ``parameters``
    (each weight counted once), ``config`` (JSON), ``explains`` (ops that a layer stands for). An edge's key is the slot that reads; it has
    ``slot``, ``port``, ``dtype``, ``shape``. Control characters in names are spelled out.
    """
    import networkx as nx

    counts = {row.name: row.parameters for row in rows_of(graph, specs)}
    unique = Names()
    names = {name: unique.unique(visible(name)) for name in graph}
    network = nx.MultiDiGraph()
    for name in graph:
        entry = _node(graph, name, specs) | {"parameters": counts.get(name, 0)}
        network.add_node(names[name], **entry)
    for name in graph:
        for slot, tensor in enumerate(graph.inputs(name)):
            entry = {"slot": slot, "port": tensor.port}
            entry |= _spec(graph, tensor, specs)
            network.add_edge(names[tensor.node], names[name], key=slot, **entry)
    return network


def _node(
    graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec]
) -> dict[str, str | int]:
    node = graph.node(name)
    keys = (key for key in node.attrs if key != "value")  # no weight is read for it
    config = {key: plain(node.attrs[key]) for key in keys}
    return {
        "type": visible(node.op),
        **_spec(graph, Tensor(name), specs),
        "config": json.dumps(config),
        "explains": len(node.members) if isinstance(node, Layer) else 0,
    }


def _spec(
    graph: Graph, tensor: Tensor, specs: Mapping[Tensor, TensorSpec]
) -> dict[str, Any]:
    spec = output_spec(graph, tensor.node, specs, tensor.port)
    return {"dtype": visible(spec.dtype), "shape": shape_text(spec.shape)}


def to_graphml(view: Drawing) -> str:
    """GraphML, for yEd, Gephi, Cytoscape and networkx."""
    import networkx as nx

    return "\n".join(nx.generate_graphml(to_networkx(view.graph, view.specs))) + "\n"


def to_gexf(view: Drawing) -> str:
    """GEXF, for Gephi and networkx."""
    import networkx as nx

    return "\n".join(nx.generate_gexf(to_networkx(view.graph, view.specs))) + "\n"


SUFFIXES = {".graphml": to_graphml, ".gexf": to_gexf}
