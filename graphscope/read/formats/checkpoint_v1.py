"""V1 checkpoints: a table whose values are the tensors themselves, in one file or several shards.

Source: tensorflow/core/util/saved_tensor_slice.proto, tensor_slice_reader.cc.
"""

from __future__ import annotations

from ...graph import Model
from ...wire.source import Source
from ..checkpoint.sstable import Table, is_table
from ..options import Options

NAME = "TensorFlow checkpoint V1"


def recognises(source: Source) -> bool:
    """A table whose first value describes slices of tensors."""
    if not is_table(source):
        return False
    from ..checkpoint.tensor_slices import is_slice_table

    return is_slice_table(Table(source))


def read(source: Source, options: Options) -> Model:
    from ..checkpoint.model import model_of_weights
    from ..checkpoint.tensor_slices import read_slices

    return model_of_weights(read_slices(source), source.name, NAME)
