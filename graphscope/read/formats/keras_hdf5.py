"""Keras ``.h5``: model and weights, or weights alone (``.weights.h5`` too)."""

from __future__ import annotations

from ...graph import Model
from ...wire.source import Source
from ..keras.model import read_h5
from ..options import Options
from ..weights.hdf5 import MAGIC

NAME = "Keras HDF5"


def recognises(source: Source) -> bool:
    return source.head(len(MAGIC)) == MAGIC


def read(source: Source, options: Options) -> Model:
    return read_h5(source, options, NAME)
