"""Model -> everything inferred of it and made of it."""

from ..graph import Graph
from .results import Analysis, analyse

__all__ = ["Analysis", "analyse"]


def _draw_when_shown(graph: Graph) -> str:
    """A graph as SVG, for a notebook; ``render`` is imported when the first is shown."""
    from ..render import drawing_of

    return drawing_of(graph)


if Graph.drawing is None:
    Graph.drawing = staticmethod(_draw_when_shown)
