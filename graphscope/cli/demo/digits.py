"""Seven-segment digits with noise: a data set that needs no download."""

from __future__ import annotations

import numpy as np

# The lit segments of each digit: top, upper left, upper right, middle, lower left,
# lower right, bottom.
_LIT: tuple[str, ...] = ("1110111", "0010010", "1011101", "1011011", "0111010")
_LIT += ("1101011", "1101111", "1010010", "1111111", "1111011")
_BOXES = (
    (slice(0, 2), slice(2, 10)),
    (slice(1, 9), slice(0, 2)),
    (slice(1, 9), slice(10, 12)),
    (slice(8, 10), slice(2, 10)),
    (slice(9, 17), slice(0, 2)),
    (slice(9, 17), slice(10, 12)),
    (slice(16, 18), slice(2, 10)),
)


def draw_digits(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` images, float32 (count, 28, 28, 1) in 0..1, and their labels, int64 (count,)."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    images = random.normal(0, 0.15, (count, 28, 28)).astype(np.float32)
    for image, label in zip(images, labels, strict=True):
        top, left = random.integers(1, 10), random.integers(1, 15)
        for lit, (rows, columns) in zip(_LIT[label], _BOXES, strict=True):
            if lit == "1":
                image[top : top + 18, left : left + 12][rows, columns] += 0.8
    return np.clip(images, 0, 1)[..., np.newaxis], labels
