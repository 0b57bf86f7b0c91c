"""The value of a Const, in pieces: as it lies in its file, or as an array gives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import FormatError
from ...freeze.stream import stored_value
from ...graph import Graph, Node
from ...read.weights.lazy_const import Stored

CHUNK = 1 << 20

__all__ = ["bytes_of", "pieces", "stored_value", "value_of"]


def pieces(weight: Stored) -> Iterator[Any]:
    """The little-endian bytes of a weight, at most one MiB at a time."""
    if weight.extents is None:
        yield from _of_array(weight)
        return
    for extent in weight.extents:
        with open(extent.path, "rb", buffering=0) as file:
            file.seek(extent.offset)
            left = extent.length
            while left:
                piece = file.read(min(left, CHUNK))
                if not piece:
                    end = extent.offset + extent.length
                    raise FormatError(
                        f"{extent.path}: ends before byte {end}: it is truncated, copy it again"
                    )
                yield piece
                left -= len(piece)


def _of_array(weight: Stored) -> Iterator[object]:
    array = weight.make()
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    if data.nbytes != weight.nbytes:
        raise FormatError(
            f"a weight has {data.nbytes} bytes where its index says {weight.nbytes}"
        )
    for start in range(0, data.nbytes, CHUNK):
        yield data[start : start + CHUNK].data


def bytes_of(graph: Graph) -> int:
    """The bytes of all constants of a graph, strings left out."""
    return sum(_size(graph.node(name)) for name in graph.by_op("Const"))


def _size(node: Node) -> int:
    body = stored_value(node)
    return value_of(node).nbytes if body is None else body.nbytes


def value_of(node: Node) -> np.ndarray:
    """The array that a Const holds."""
    return np.asarray(node.attrs["value"])
