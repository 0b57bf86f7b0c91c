"""Matrices from their diagonals, and diagonals of matrices: one, or a band of them."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import same


def _bounds(call: Call) -> int | None:
    """How many numbers say which diagonals are meant: one, or the ends of a band; None where it may be either."""
    k, shape = call.integers(1), call.shape(1)
    if k is not None:
        return len(k)
    return 1 if shape in ((), (1,)) else None


def _diagonal_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    if shape is None:
        return (None,)
    return ((*shape, shape[-1]),)


def _diagonal_v2_shape(call: Call) -> tuple[Shape]:
    """The plain case, one main diagonal of a square matrix; of all others the rank: a band takes an axis of the input."""
    shape, k = call.shape(0), call.integers(1)
    if shape is None:
        return (None,)
    if k not in ((0,), (0, 0)) or call.integer(2) not in (-1,):
        count = _bounds(call)
        if count is None or not shape:
            return (None,)
        is_band = count == 2 and k is not None and k[0] != k[1]
        return ((*shape[: -2 if is_band else -1], None, None),)
    if call.integer(3) != -1:
        return ((*shape[:-1], None, None),)
    return ((*shape, shape[-1]),)


def _diagonal_text(call: Call, x: str, *_: str) -> str | None:
    shape = (_diagonal_shape if call.op == "MatrixDiag" else _diagonal_v2_shape)(call)
    size = None if shape[0] is None else shape[0][-1]
    if size is None:
        return None
    padding = call.value(4) if len(call.inputs) > 4 else np.zeros(())
    if padding is None or np.any(padding):
        return None
    dtype = literal(call.dtype(0))
    return f"ops.expand_dims({x}, -1) * ops.eye({size}, dtype={dtype})"


def _diagonal(x: np.ndarray, *layout: np.ndarray) -> np.ndarray | None:
    """The square matrices with ``x`` on the diagonal; None for another diagonal, size or padding."""
    if any(np.any(each != plain) for each, plain in zip(layout, (0, -1, -1, 0))):
        return None
    return x[..., None] * np.eye(x.shape[-1], dtype=x.dtype)


define("MatrixDiag", shape=_diagonal_shape, keras=_diagonal_text, fold=_diagonal)
define(
    "MatrixDiagV2",
    "MatrixDiagV3",
    shape=_diagonal_v2_shape,
    keras=_diagonal_text,
    fold=_diagonal,
)


def _diagonal_part_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    if shape is None:
        return (None,)
    if len(shape) < 2:
        raise Unsaid("a matrix is expected")
    rows, columns = shape[-2:]
    least = None if rows is None or columns is None else min(rows, columns)
    return ((*shape[:-2], least),)


def _diagonal_part_v2_shape(call: Call) -> tuple[Shape]:
    """Of one main diagonal; of another the rank, of a band one axis more."""
    shape, k = call.shape(0), call.integers(1)
    if k in ((0,), (0, 0)) or shape is None or len(shape) < 2:
        return _diagonal_part_shape(call)
    count = _bounds(call)
    if count is None:
        return (None,)
    is_band = count == 2 and k is not None and k[0] != k[1]
    return ((*shape[:-2], *(None,) * (1 + is_band)),)


def _diagonal_part_text(call: Call, x: str, *k: str) -> str | None:
    if k and call.integers(1) not in ((0,), (0, 0)):
        return None
    return f"ops.diagonal({x}, axis1=-2, axis2=-1)"


define("MatrixDiagPart", shape=_diagonal_part_shape, keras=_diagonal_part_text)
define(
    "MatrixDiagPartV2",
    "MatrixDiagPartV3",
    shape=_diagonal_part_v2_shape,
    keras=_diagonal_part_text,
)
define("MatrixSetDiag", "MatrixSetDiagV2", "MatrixSetDiagV3", shape=same)
