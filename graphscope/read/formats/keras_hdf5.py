"""Keras ``.h5``: model and weights, or weights alone (``.weights.h5`` too)."""

from __future__ import annotations

from ...graph import Model
from ...wire.source import Source
from ..options import Options

NAME = "Keras HDF5"
_MAGIC = b"\x89HDF\r\n\x1a\n"


def recognises(source: Source) -> bool:
    return source.head(len(_MAGIC)) == _MAGIC


def read(source: Source, options: Options) -> Model:
    from ..keras.model import read_h5

    return read_h5(source, options, NAME)
