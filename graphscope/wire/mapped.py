"""Arrays over mapped files: in pieces of some megabytes, and their pages given back when they have been read.

What is read of a mapped file stays in memory until somebody else needs the room; a process that copies the weights of a
model from one file into another would seem to hold, and on a small machine would hold, all of them.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np

PIECE = 16 << 20  # bytes


def pieces(array: np.ndarray, size: int = PIECE) -> Iterator[tuple[slice, np.ndarray]]:
    """Slices along the first axis of about ``size`` bytes each; pages are given back before the next 16 MB are read.

    An array that is small, or whose values do not lie in their order, is one piece.
    """
    rows = len(array) if array.ndim and array.flags.c_contiguous else 1
    step = max(1, size * rows // max(array.nbytes, 1))
    first = 0  # of the rows whose pages are still there
    for start in range(0, rows, step):
        end = start + step
        yield slice(start, end) if step < rows else slice(None), _rows(
            array, start, end
        )
        # Not after each slice: reading the next one brings back some pages before it.
        if end >= rows or (end - first) * array.nbytes >= PIECE * rows:
            release(_rows(array, first, end))
            first = end


def _rows(array: np.ndarray, start: int, end: int) -> np.ndarray:
    return array[start:end] if array.ndim and array.flags.c_contiguous else array


def release(array: np.ndarray) -> None:
    """Give back the pages of an array's values where it lies in a file that is mapped to be read; nothing elsewhere."""
    source = _mapping(array)
    if source is None or not array.size or not hasattr(source, "madvise"):
        return
    first = np.frombuffer(source, np.uint8).ctypes.data
    steps = [(n - 1) * step for n, step in zip(array.shape, array.strides)]
    low = array.ctypes.data + sum(step for step in steps if step < 0)
    high = array.ctypes.data + sum(step for step in steps if step > 0) + array.itemsize
    start = (low - first) // mmap.PAGESIZE * mmap.PAGESIZE
    source.madvise(mmap.MADV_DONTNEED, start, high - first - start)


def _mapping(array: np.ndarray) -> mmap.mmap | None:
    """The mapped file behind an array; None where its values are its own."""
    base: object = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.obj if isinstance(base, memoryview) else base.base
    return base if isinstance(base, mmap.mmap) else None
