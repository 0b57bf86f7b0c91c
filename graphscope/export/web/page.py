"""A small page beside a TensorFlow.js model that loads it, takes an input of its kind and shows the answer and the milliseconds."""

from __future__ import annotations

from pathlib import Path

from ...errors import NotExpressible
from ...graph import Signature


def write_page(place: Path, signature: Signature, source: str) -> None:
    """Write ``index.html`` beside ``model.json``."""
    raise NotExpressible("--page is not written yet: leave it out")
