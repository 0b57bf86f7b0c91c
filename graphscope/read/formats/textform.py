"""The text form that graphscope itself writes (``graphscope render MODEL -o graph.txt``): a graph without large tensors."""

from __future__ import annotations

from ...errors import FormatError
from ...graph import Model
from ...wire.source import Source
from ..options import Options
from ..text import HEADER

NAME = "graphscope text form"


def recognises(source: Source) -> bool:
    return source.head(len(HEADER)) == HEADER.encode()


def read(source: Source, options: Options) -> Model:
    from ..text.grammar import parse
    from ..variables.roles import graph_variables

    try:
        text = bytes(source[:]).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{source.name}: the text is not UTF-8 ({error})") from None
    model = parse(text, source.name)
    return Model(
        graph=model.graph,
        source=source.name,
        format=NAME,
        functions=model.functions,
        variables=graph_variables(model.graph),
        versions={"producer": model.producer} if model.producer else {},
    )
