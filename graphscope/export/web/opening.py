"""What was exported -> what runs it in the runtime that it was written for, where TensorFlow does not read it."""

from __future__ import annotations

from pathlib import Path

from ...errors import NotRunnable
from ...read import load
from .runner import JavaScriptRunner, open_folder

_TENSORFLOW_JS = "TensorFlow.js graph model"


def open_exported(path: str) -> tuple[JavaScriptRunner | None, str]:
    """What runs the TensorFlow.js graph model at ``path`` in Node, or why nothing does; neither where it is none."""
    place = Path(path)
    document = place / "model.json" if place.is_dir() else place
    if document.name != "model.json" or not document.is_file():
        return None, ""
    model = load(path)
    if not model.format.startswith(_TENSORFLOW_JS):
        return None, ""
    try:
        return open_folder(document.parent, model), ""
    except NotRunnable as error:
        return None, str(error)
