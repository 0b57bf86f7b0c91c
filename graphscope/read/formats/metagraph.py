"""MetaGraphDef, binary or text (``.meta``): a graph with its collections and signatures."""

from __future__ import annotations

from ...graph import Model
from .. import proto
from ..graphs import model_of_metagraph
from ..options import Options
from ..sniff import begins_like, reads_like
from ..source import Source
from ..wire import parse_lean

NAME = "MetaGraph"


def recognises(source: Source) -> bool:
    return begins_like("MetaGraphDef", source) or reads_like("MetaGraphDef", source)


def read(source: Source, options: Options) -> Model:
    if reads_like("MetaGraphDef", source):
        message = proto.parse_text("MetaGraphDef", source.text(), source.name)
    else:
        message = parse_lean("MetaGraphDef", source)
    return model_of_metagraph(message, source, NAME)
