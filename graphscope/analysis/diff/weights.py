"""Two arrays of one weight -> how the second came of the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...graph.named_values import Row

RELATIONS: tuple[str, ...] = ("identical", "rounded", "quantised", "scaled")
RELATIONS += ("moved", "unrelated", "reshaped")
ALIKE = 0.5  # cosine from which weights are the same ones, trained further
_EXACT = 1e-6  # of the norm: what rounding leaves
_SAMPLE = 4096  # values by which an array is known
_LEVELS = (127, 128, 7, 8)  # of int8 and int4, on one side of zero
_ON_GRID = 0.02  # of a step


@dataclass(frozen=True)
class Change:
    """``relation`` is one of RELATIONS; ``change`` the norm of the difference over the first's norm (None where that is 0
    or the shapes differ), ``cosine`` the angle's cosine, ``scale`` what the second is the first times.
    """

    relation: str
    change: float | None = None
    cosine: float | None = None
    scale: float | None = None

    def to_json(self) -> Row:
        """What is known, rounded to six digits."""
        numbers = {"change": self.change, "cosine": self.cosine, "scale": self.scale}
        rounded = {k: float(f"{v:.6g}") for k, v in numbers.items() if v is not None}
        return {"relation": self.relation, **rounded}


def change_between(a: np.ndarray, b: np.ndarray) -> Change:
    """How ``b`` differs from ``a``: not, by rounding to a narrower type or to few levels, by a factor, by training, or altogether."""
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
    if _is_quantised(x.reshape(a.shape), y.reshape(a.shape)):
        return Change("quantised", change, cosine)
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


def _is_quantised(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether ``b`` is ``a`` in steps of its greatest value's 127th part (or its range's 255th), of all or of each channel.

    Source: Jacob et al. 2018 (arXiv:1712.05877), as TensorFlow Lite does it (quantization_spec).
    """
    if a.dtype.kind == "c" or a.size < 2:
        return False
    last, first = tuple(range(a.ndim - 1)), tuple(range(1, a.ndim))
    for axes in {None, last or None, first or None}:
        most = np.abs(a).max(axes, keepdims=True)
        span = np.maximum(a.max(axes, keepdims=True), 0)
        span = span - np.minimum(a.min(axes, keepdims=True), 0)
        steps = [most / levels for levels in _LEVELS] + [span / 255, span / 15]
        if any(_is_on_grid(a, b, step) for step in steps):
            return True
    return False


def _is_on_grid(a: np.ndarray, b: np.ndarray, step: np.ndarray) -> bool:
    """Whether every value is a whole number of steps, and no further than one from what it was."""
    if not np.all(step > 0):
        return False
    levels = b / step
    on_grid = np.abs(levels - np.round(levels)).max() <= _ON_GRID
    return bool(on_grid and np.abs((b - a) / step).max() <= 1)


def mark_of(array: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    """What an array is known by: its dtype, its shape, and some thousand of its values."""
    flat = array.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLE)]
    return str(array.dtype), array.shape, sample.tobytes()
