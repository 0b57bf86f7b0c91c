"""V1 checkpoints: a table whose values are the tensors themselves, in one file or several shards.

Source: tensorflow/core/util/saved_tensor_slice.proto, tensor_slice_reader.cc.
"""

from __future__ import annotations

from ...graph import Model
from ..checkpoints import model_of_weights
from ..options import Options
from ..source import Source
from ..table import Table, is_table
from ..tensor_slices import is_slice_table, read_slices

NAME = "TensorFlow checkpoint V1"


def recognises(source: Source) -> bool:
    """A table whose first value describes slices of tensors."""
    return is_table(source) and is_slice_table(Table(source))


def read(source: Source, options: Options) -> Model:
    return model_of_weights(read_slices(source, options.incomplete), source.name, NAME)
