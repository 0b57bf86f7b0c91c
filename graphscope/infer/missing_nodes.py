"""Nodes that a graph reads and its file does not hold: weights kept elsewhere, a graph cut by hand."""

from __future__ import annotations

from collections.abc import Container

from ..errors import MissingWeight
from ..graph import Graph
from ..wire.nodes import MISSING


def missing_nodes(graph: Graph) -> list[str]:
    """The placeholders that stand for nodes which the file lacks."""
    return [n for n in graph.by_op("Placeholder") if graph.attrs(n).get(MISSING)]


def check_missing(graph: Graph, fed: Container[str], source: str) -> None:
    """Raise MissingWeight where a graph needs a node that the file lacks, and it is not among those to be ``fed``."""
    left = [name for name in missing_nodes(graph) if name not in fed]
    if left:
        more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
        raise MissingWeight(
            f"{left[0]!r}{more} is read, and {source or 'the file'} does not hold it: get the whole file, or name it as "
            f"an input (--input {left[0]})"
        )
