"""Files -> Model. Stand-in until the reader proper lands: GraphDef only."""

from __future__ import annotations

from ..graph import Model


def load(path: str) -> Model:
    """Read a model file."""
    from .graphdef import read

    return read(path)
