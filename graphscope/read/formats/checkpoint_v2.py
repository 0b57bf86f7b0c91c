"""V2 checkpoints: an ``.index`` and its ``.data-*`` shards."""

from __future__ import annotations

from ...graph import Model
from ...wire.source import Source
from ..checkpoint.sstable import Table, is_table
from ..options import Options

NAME = "TensorFlow checkpoint V2"


def recognises(source: Source) -> bool:
    """A table whose first value is a BundleHeaderProto."""
    if not is_table(source):
        return False
    first = next(iter(Table(source)), None)
    return first is not None and not first.key and first.value[:1] == b"\x08"


def read(source: Source, options: Options) -> Model:
    from ..checkpoint.bundle import prefix_of, read_bundle
    from ..checkpoint.model import model_of_weights

    weights = read_bundle(source, options.check)
    return model_of_weights(weights, prefix_of(source.name), NAME)
