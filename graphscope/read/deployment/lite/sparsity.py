"""Constants of which only what is not zero lies in the file -> all their values.

Source: tensorflow/lite/schema/schema.fbs (SparsityParameters) and tensorflow/lite/kernels/internal/utils/sparsity_format_converter.cc.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ....errors import FormatError
from ..flatbuffer import Table

_CSR = 1
_VECTORS = {1: "i32", 2: "u16", 3: "u8"}
_SMALL, _THINNEST = 1 << 22, 256
"""Above so many values a constant has at most so many times as many as lie in the file."""


class Level(NamedTuple):
    """One level of the walk: of an axis all ``size`` places, or those that ``segments`` cut out of ``indices``."""

    size: int
    segments: np.ndarray | None
    indices: np.ndarray | None


class Sparsity(NamedTuple):
    """In which order the axes, then the blocks within them, are walked; which axis each block divides."""

    order: tuple[int, ...]
    blocks: tuple[int, ...]
    levels: tuple[Level, ...]


def sparsity_of(table: Table | None) -> Sparsity | None:
    """What a tensor says of itself; None where all its values lie in the file."""
    if table is None:
        return None
    levels = tuple(map(_level, table.tables(2)))
    return Sparsity(table.vector(0, "i32"), table.vector(1, "i32"), levels)


def _level(table: Table) -> Level:
    if table.scalar(0, "i8") != _CSR:
        return Level(table.scalar(1, "i32"), None, None)
    return Level(0, _numbers(table, 2), _numbers(table, 4))


def _numbers(table: Table, place: int) -> np.ndarray:
    kind, inner = _VECTORS.get(table.scalar(place, "u8")), table.table(place + 1)
    values = inner.vector(0, kind) if inner is not None and kind else ()
    return np.array(values, np.int64)


def dense(
    sparsity: Sparsity, values: np.ndarray, shape: tuple[int, ...], what: str
) -> np.ndarray:
    """All values of a tensor of this shape; raises FormatError where the walk leaves it or the file."""
    count = math.prod(shape)
    if count > max(_SMALL, _THINNEST * values.size):
        raise FormatError(f"{what} are {values.size} numbers for {list(shape)}")
    try:
        places, stored = _walk(sparsity, shape, count)
        whole = np.zeros(shape, values.dtype)
        whole[places] = values[stored]
    except (IndexError, ValueError) as error:
        raise FormatError(f"{what} do not fit {list(shape)} ({error})") from None
    return whole


def _walk(
    sparsity: Sparsity, shape: tuple[int, ...], most: int
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Where each value that is stored belongs, by axis, and its number."""
    rank = len(shape)
    if sorted(sparsity.order) != list(range(len(sparsity.levels))):
        raise ValueError("its levels have no order")
    position = np.zeros(1, np.int64)
    along: dict[int, np.ndarray] = {}
    for axis, level in zip(sparsity.order, sparsity.levels):
        repeats, position, index = _step(level, position, most)
        along = {other: values[repeats] for other, values in along.items()}
        along[axis] = index
    for number, axis in enumerate(sparsity.blocks):
        level = sparsity.levels[sparsity.order.index(rank + number)]
        along[axis] = along[axis] * level.size + along[rank + number]
    places = tuple(along[axis] for axis in range(rank))
    if any((p < 0).any() or (p >= n).any() for p, n in zip(places, shape)):
        raise ValueError("an index lies outside")
    return places, position


def _step(
    level: Level, position: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One level down: which place each new one is below, its number, and its index along the axis."""
    if level.segments is None or level.indices is None:
        counts = np.full(len(position), level.size)
        first = position * level.size
    else:
        first = level.segments[position]
        counts = level.segments[position + 1] - first
    if (counts < 0).any() or counts.sum() > most:
        raise ValueError("it has more places than the tensor")
    repeats = np.repeat(np.arange(len(position)), counts)
    within = np.arange(len(repeats)) - np.repeat(np.cumsum(counts) - counts, counts)
    below = first[repeats] + within
    return repeats, below, within if level.indices is None else level.indices[below]
