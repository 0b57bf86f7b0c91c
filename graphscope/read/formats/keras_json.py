"""Keras's ``to_json``: a model's description, with the weights that lie beside it."""

from __future__ import annotations

from ...graph import Model
from ...wire.source import Source
from ..options import Options

NAME = "Keras JSON"


def recognises(source: Source) -> bool:
    """A JSON document that has a class and a config, and nothing that TensorFlow.js would add."""
    head = source.head(1 << 12).lstrip()
    if head[:1] != b"{" or b'"class_name"' not in source.head(1 << 24):
        return False
    from ..keras.model import is_config

    return is_config(bytes(source[:]))


def read(source: Source, options: Options) -> Model:
    from ..keras.model import read_json

    return read_json(source, options, NAME)
