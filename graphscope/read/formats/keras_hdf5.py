"""Keras ``.h5``: model and weights, or weights alone (``.weights.h5`` too)."""

from __future__ import annotations

from ...graph import Model
from ..hdf5 import MAGIC
from ..keras_files import read_h5
from ..options import Options
from ..source import Source

NAME = "Keras HDF5"


def recognises(source: Source) -> bool:
    return source.head(len(MAGIC)) == MAGIC


def read(source: Source, options: Options) -> Model:
    return read_h5(source, options, NAME)
