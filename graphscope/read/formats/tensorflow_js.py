"""TensorFlow.js: ``model.json`` and its weight shards; graph models (a GraphDef) and layers models (Keras)."""

from __future__ import annotations

from ...graph import Model
from ...wire.source import Source
from ..options import Options

NAME = "TensorFlow.js"
_KEYS = (b'"modelTopology"', b'"weightsManifest"')


def recognises(source: Source) -> bool:
    """A JSON document that has one of the two keys near its start or its end."""
    head = source.head(1 << 16)
    if head.lstrip()[:1] != b"{":
        return False
    tail = bytes(source[max(0, source.size - (1 << 16)) : source.size])
    return any(key in head or key in tail for key in _KEYS)


def read(source: Source, options: Options) -> Model:
    from ..deployment.tfjs_model import read_document

    return read_document(source)
