"""Weights -> a tensor bundle (``variables.index``, one data shard), each copied from its file in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...read.weights.crc32c import crc32c, masked
from ...read.weights.lazy_const import Stored
from ...wire import messages as proto
from ...wire.write import put_shape
from ..frozen.body import pieces
from .table import write_table

SHARD = ".data-00000-of-00001"


def write_bundle(prefix: Path, weights: Mapping[str, Stored]) -> None:
    """Write the weights as the V2 checkpoint ``prefix``; raises OSError where the disk refuses, FormatError where a shard is cut short."""
    header = proto.BundleHeaderProto(num_shards=1)
    header.version.producer = 1
    entries = [(b"", header.SerializeToString(deterministic=True))]
    place = 0
    with open(f"{prefix}{SHARD}", "wb", buffering=0) as file:
        for name in sorted(weights, key=str.encode):
            entry = _copy(weights[name], file)
            entry.offset = place
            place += entry.size
            entries.append((name.encode(), entry.SerializeToString(deterministic=True)))
    with open(f"{prefix}.index", "wb") as file:
        write_table(file, entries)


def _copy(weight: Stored, file: Any) -> Any:
    """Append the bytes of one weight; its entry, less the offset.

    A checksum that the source has is written as it stands: bytes that were damaged since are found out by whoever loads them.
    """
    state = 0
    for piece in pieces(weight):
        if weight.checksum is None:
            state = crc32c(piece, state)
        file.write(piece)
    checksum = state if weight.checksum is None else weight.checksum
    entry = proto.BundleEntryProto(
        dtype=proto.DATA_TYPE_NUMBERS[weight.dtype],
        size=weight.nbytes,
        crc32c=masked(checksum),
    )
    put_shape(entry.shape, weight.shape)
    return entry
