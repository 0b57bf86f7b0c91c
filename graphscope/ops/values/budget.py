"""What may be made of a graph's constants and shapes: a kilobyte of graph can ask for gigabytes.

The one place of these bounds. Beyond them a value is simply unknown: nothing fails, nothing is guessed. What TensorFlow itself
bounds (254 dimensions, numbers of 64 bits) leaves room for every shape that a model computes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

MOST_ELEMENTS = 1 << 20  # of one folded result; stored constants may be larger
MOST_BYTES = 1 << 28  # of all folded results of one pass
MOST_SIZES = 1 << 10  # numbers of one symbolic shape, rows of it included
MOST_FACTORS = 64  # sizes that are multiplied with one another
MOST_TEXT = 1 << 12  # characters of the expression of one size
LARGEST = 1 << 63  # a size is an int64
MOST_REPEATED = (
    1 << 28
)  # bytes written out of constants that a file holds as one number and a shape


class Budget:
    """Bytes that are left for one pass."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.left = most

    def take(self, count: int) -> bool:
        """Take off some bytes; False where nothing is left."""
        self.left -= count
        return self.left >= 0

    def spend(self, arrays: Iterable[np.ndarray]) -> bool:
        """Take off what the arrays hold themselves (views cost nothing); False where nothing is left."""
        return self.take(sum(a.nbytes for a in arrays if a.base is None))
