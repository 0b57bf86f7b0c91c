"""GraphDef ``.pb`` -> Model."""

from __future__ import annotations

from pathlib import Path

from ..graph import Model
from . import proto
from .nodes import function_from_def, graph_from_nodes


def read(path: str) -> Model:
    message = proto.parse("GraphDef", Path(path).read_bytes(), path)
    functions = {
        f.signature.name: function_from_def(f) for f in message.library.function
    }
    return Model(graph_from_nodes(message.node), path, "GraphDef", functions=functions)
