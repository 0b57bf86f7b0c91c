"""Two arrays -> how far they are apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.named_values import Row

TINY = 1e-30
TOLERANCE = 1e-4  # of the output's scale: float32, summed in another order


def elements(value: object) -> np.ndarray:
    """The array that a run gives; of one text all bytes, of which numpy's own type drops the last ones that are 0."""
    if getattr(value, "dtype", None) == "string" and hasattr(value, "numpy"):
        value = value.numpy()
    return np.asarray(value, object if isinstance(value, bytes) else None)


def difference(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """``(max|a - b|, that over max|a|)``; infinite where shapes differ, or where one is NaN or infinite and the other is not.

    Strings and truth values differ by 1 where they are unequal. Where both are NaN they agree.
    """
    if a.shape != b.shape:
        return np.inf, np.inf
    if not a.size:
        return 0.0, 0.0
    if a.dtype.kind in "OSUb" or b.dtype.kind in "OSUb":
        worst = float(np.any(np.asarray(a != b)))
        return worst, worst
    wide = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    a, b = a.astype(wide), b.astype(wide)
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return np.inf, np.inf
    if not np.isfinite(b[finite]).all():
        return np.inf, np.inf
    worst = float(np.max(np.abs(a[finite] - b[finite]), initial=0.0))
    scale = float(np.max(np.abs(a[finite]), initial=0.0))
    return worst, (
        worst / scale if scale > TINY else float(np.inf if worst > TINY else 0)
    )


class Movement:
    """Whether an array ever differed where it was computed again from other inputs."""

    def __init__(self) -> None:
        self.first: np.ndarray | None = None
        self.is_none = True

    def note(self, value: np.ndarray) -> None:
        """Hold one more value against the first, where both have elements; another rank is another value."""
        if self.first is None:
            self.first = value
            return
        if value.ndim != self.first.ndim:
            self.is_none = False
            return
        sizes = zip(value.shape, self.first.shape, strict=True)
        cuts: list[Any] = [slice(min(a, b)) for a, b in sizes]
        shared = (*cuts, ...)  # an array at any rank
        self.is_none &= not difference(self.first[shared], value[shared])[0]


def describe(
    name_a: str, name_b: str, a: np.ndarray, b: np.ndarray, tolerance: float
) -> Row:
    """One row of a Verification's ``outputs``."""
    worst, relative = difference(a, b)
    row: Row = {"a": name_a, "b": name_b, "dtype": a.dtype.name}
    row |= {"shape": list(a.shape), "max_abs": worst, "max_rel": relative}
    if a.shape != b.shape:
        row["shape_b"] = list(b.shape)
    if a.dtype.kind in "fc" and not np.isfinite(a).all():
        row["not_finite"] = int(np.count_nonzero(~np.isfinite(a)))
    return row | {"passed": bool(relative <= tolerance)}


def is_saturated(value: np.ndarray) -> bool:
    """Whether the values say little: all of them 0 or 1, none of them finite, or none at all."""
    if not value.size:
        return True
    if value.dtype.kind != "f" or value.size < 2:
        return False
    value = value[np.isfinite(value)]
    return bool(np.all(np.minimum(np.abs(value), np.abs(value - 1)) < 1e-4))
