"""GraphDef, binary (``.pb``) or text (``.pbtxt``): a graph alone, frozen or not."""

from __future__ import annotations

from ...graph import Model
from ...wire import messages as proto
from ...wire.protobuf import parse_graph
from ...wire.source import Source
from ..detect.sniff import begins_like, reads_like
from ..options import Options

NAME = "GraphDef"


def recognises(source: Source) -> bool:
    return begins_like("GraphDef", source) or reads_like("GraphDef", source)


def read(source: Source, options: Options) -> Model:
    from ..graphdef.model import model_of_graph

    if reads_like("GraphDef", source):
        message = proto.parse_text("GraphDef", source.text(), source.name)
        return model_of_graph(message, source, f"{NAME} (text)")
    return model_of_graph(parse_graph("GraphDef", source), source, NAME)
