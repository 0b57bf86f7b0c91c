"""A model and what is inferred of it -> all that its page shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import GraphscopeError
from ..graph import Graph
from ..graph.named_values import Document, Row
from .documents import describe_variables
from .progress import announced

if TYPE_CHECKING:
    from ..render import Drawing
    from .stages import Stages


def page_of(
    analysis: Stages, drawing: Drawing, blocks: Graph, statistics: bool = False
) -> Drawing:
    """A drawing with what its page shows besides: every altitude, the variables, with ``statistics`` their histograms.

    Statistics read every value of every weight; without them no value is read.
    """
    rows = describe_variables(analysis)["variables"]
    return replace(
        drawing,
        altitudes=dict(_altitudes(analysis, blocks)),
        below=None if analysis.model.layered else analysis.graph,
        variables=rows,
        statistics=_statistics(analysis, rows) if statistics else None,
    )


def _altitudes(analysis: Stages, blocks: Graph) -> Iterator[tuple[str, Graph]]:
    """Blocks where there are any, layers, and the ops of the whole file."""
    if len(blocks) < len(analysis.layer_graph):
        yield "block", blocks
    yield "layer", analysis.layer_graph
    if not analysis.model.layered:
        yield "op", analysis.flat.graph


def _statistics(analysis: Stages, rows: list[Row]) -> dict[str, Document]:
    """By variable, and by each node that holds one, the histogram of its values; what cannot be read has none."""
    from ..infer.statistics import histogram

    model = analysis.flat
    nodes = [use.node for layer in analysis.layers for use in layer.weights.values()]
    keys = {name: name for row in rows if (name := row["name"])}
    keys |= {node: model.keys.get(node, node) for node in nodes if node}
    keys |= {node: key for node, key in model.keys.items() if key in keys}
    read: dict[str, Row] = {}
    sizes = {row["name"]: row["bytes"] or 0 for row in rows}
    for key in announced(
        dict.fromkeys(keys.values()),
        lambda key: f"reading the values of {key}",
        lambda key: sizes.get(key, 0),
    ):
        try:
            read[key] = histogram(model, key)
        except GraphscopeError:
            continue
    return {name: read[key] for name, key in keys.items() if read.get(key)}
