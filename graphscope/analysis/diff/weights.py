"""Two arrays of one weight -> how the second came of the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

RELATIONS = ("identical", "rounded", "scaled", "moved", "unrelated", "reshaped")
ALIKE = 0.5  # cosine from which weights are the same ones, trained further
_EXACT = 1e-6  # of the norm: what rounding leaves
_NARROW = ("float16", "bfloat16")


@dataclass(frozen=True)
class Change:
    """``relation`` is one of RELATIONS; ``change`` the norm of the difference over the first's norm (None where that is 0
    or the shapes differ), ``cosine`` the angle's cosine, ``scale`` what the second is the first times.
    """

    relation: str
    change: float | None = None
    cosine: float | None = None
    scale: float | None = None

    def to_json(self) -> dict[str, Any]:
        """What is known, rounded to six digits."""
        numbers = {"change": self.change, "cosine": self.cosine, "scale": self.scale}
        rounded = {k: float(f"{v:.6g}") for k, v in numbers.items() if v is not None}
        return {"relation": self.relation, **rounded}


def change_between(a: np.ndarray, b: np.ndarray) -> Change:
    """How ``b`` differs from ``a``: not, by rounding to a narrower type, by a factor, by training, or altogether."""
    if a.shape != b.shape:
        return Change("reshaped")
    if a.dtype.kind in "OSUb" or b.dtype.kind in "OSUb":
        return Change("identical" if np.array_equal(a, b) else "unrelated")
    if np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"):
        return Change("identical", 0.0, 1.0, 1.0)
    wide = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    x, y = a.astype(wide).ravel(), b.astype(wide).ravel()
    size, other = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    if not size or not other or not np.isfinite(size + other):
        return Change("unrelated" if size and other else "moved")
    product = float(np.real(np.vdot(x, y)))
    change = float(np.linalg.norm(y - x)) / size
    cosine = product / (size * other)
    if _is_rounded(a, b):
        return Change("rounded", change, cosine)
    scale = product / size**2
    if a.size > 1 and float(np.linalg.norm(y - scale * x)) <= _EXACT * other:
        return Change("scaled", change, cosine, scale)
    return Change("moved" if cosine >= ALIKE else "unrelated", change, cosine)


def _is_rounded(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether one is the other, stored in a narrower type."""
    import ml_dtypes

    for narrow in (np.dtype("float16"), np.dtype(ml_dtypes.bfloat16)):
        with np.errstate(over="ignore"):
            low, high = a.astype(narrow).astype("f8"), b.astype(narrow).astype("f8")
        if np.array_equal(low, b.astype("f8")) or np.array_equal(high, a.astype("f8")):
            return True
    return False
