"""MetaGraphDef, binary or text (``.meta``): a graph with its collections and signatures."""

from __future__ import annotations

from ...graph import Model
from ...wire import messages as proto
from ...wire.protobuf import parse_graph
from ...wire.source import Source
from ..detect.sniff import begins_like, reads_like
from ..options import Options

NAME = "MetaGraph"


def recognises(source: Source) -> bool:
    return begins_like("MetaGraphDef", source) or reads_like("MetaGraphDef", source)


def read(source: Source, options: Options) -> Model:
    from ..graphdef.model import model_of_metagraph

    if reads_like("MetaGraphDef", source):
        message = proto.parse_text("MetaGraphDef", source.text(), source.name)
    else:
        message = parse_graph("MetaGraphDef", source)
    return model_of_metagraph(message, source, NAME)
