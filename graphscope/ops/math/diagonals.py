"""Matrices from their diagonals, and diagonals of matrices: one, or a band of them."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal, tensor_text
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
    """As few rows and columns as the diagonals need, where the op is not told; a band takes an axis of the input."""
    shape, count, k = call.shape(0), _bounds(call), call.integers(1)
    if shape is None or count is None or not shape:
        return (None,)
    if k is None:
        return ((*shape[:-1], None, None),)
    low, high = k[0], k[-1]
    batch = shape[: -1 if low == high else -2]
    rows, columns = call.integer(2), call.integer(3)
    if rows is None or columns is None or shape[-1] is None:
        return ((*batch, None, None),)
    least = shape[-1] - min(high, 0), shape[-1] + max(low, 0)
    if rows == columns == -1:
        return ((*batch, max(least), max(least)),)
    return ((*batch, *(n if m == -1 else m for m, n in zip((rows, columns), least))),)


def _diagonal_text(call: Call, x: str, *layout: str) -> str | None:
    """A diagonal of a square matrix that is as large as it must be, zeros around it; else chosen by a mask."""
    at = 0 if call.op == "MatrixDiag" else _one_diagonal(call)
    size, dtype = (call.shape(0) or (None,))[-1], call.dtype(0)
    padding = call.value(4) if len(call.inputs) > 4 else np.zeros(())
    plain = all(call.integer(slot) == -1 for slot in range(2, min(4, len(call.inputs))))
    if at is None:
        return None
    if padding is None or np.any(padding) or not plain:
        return _padded_text(call, at, x, layout[3])
    if size is None:
        return f"ops.diag({x})" if call.rank(0) == 1 and not at else None
    row, eye = f"ops.expand_dims({x}, -1)", f"ops.eye({size}, dtype={literal(dtype)})"
    square = f"{row} * {eye}"
    if dtype == "bool":
        square = f"ops.logical_and({row}, {eye})"
    if not at:
        return square
    around = [(0, 0)] * ((call.rank(0) or 1) - 1)
    sides = (max(-at, 0), max(at, 0))
    return f"ops.pad({square}, {literal((*around, sides, sides[::-1]))})"


def _padded_text(call: Call, at: int, x: str, padding: str) -> str | None:
    """One diagonal of a matrix of known sizes, the number around it."""
    rows, columns = (_diagonal_v2_shape(call)[0] or (None, None))[-2:]
    if rows is None or columns is None:
        return None
    across = _across(call, 0, x, at, (rows, columns))
    return f"ops.where({_place(at, rows, columns)}, {across}, {padding})"


def _diagonal_body(
    call: Call, x: str, _: str, rows: str, columns: str, padding: str
) -> str | None:
    """One diagonal of a matrix of fed sizes; of one that is -1 as long as it needs."""
    at = _one_diagonal(call)
    if at is None or call.rank(0) is None:
        return None
    missing = f"ops.logical_and({rows} < 0, {columns} < 0)"
    place = "row + 0 * column" if at >= 0 else "column + 0 * row"
    return f"""
size = ops.shape({x})[-1]
most = ops.where({missing}, size + {abs(at)}, -1)
rows = ops.where({rows} < 0, ops.maximum(most, size + {max(-at, 0)}), {rows})
columns = ops.where({columns} < 0, ops.maximum(most, size + {max(at, 0)}), {columns})
row = ops.expand_dims(ops.arange(rows), 1)
column = ops.arange(columns)
across = ops.take({x}, ops.clip({place}, 0, size - 1), axis=-1)
return ops.where(column - row == {at}, across, ops.cast({padding}, {x}.dtype))
"""


def _place(at: int, rows: int, columns: int) -> str:
    """The mask of the diagonal; Keras's ``eye`` fails on TensorFlow where a side goes on beyond the diagonal's end (3.15)."""
    if at < 0 and rows + at > columns or at > 0 and columns - at > rows:
        row = f"ops.expand_dims(ops.arange({rows}), 1)"
        return f"ops.equal(ops.arange({columns}) - {row}, {at})"
    offset = f", k={at}" if at else ""
    return f'ops.eye({rows}, {columns}{offset}, dtype="bool")'


def _across(call: Call, slot: int, x: str, at: int, sizes: tuple[int, int]) -> str:
    """The elements as a column or a row of the matrix, each level with its place on the diagonal."""
    rows, columns = sizes
    length = min(rows + min(at, 0), columns - max(at, 0))
    by_row = at > 0 or not at and rows <= columns
    if missing := (rows if by_row else columns) - length:
        around = [(0, 0)] * ((call.rank(slot) or 1) - 1)
        x = f"ops.pad({x}, {literal((*around, (0, missing)))})"
    return f"ops.expand_dims({x}, {-1 if by_row else -2})"


def _one_diagonal(call: Call, slot: int = 1) -> int | None:
    """The number of the diagonal, where there is but one and it is known."""
    k = call.integers(slot)
    return k[0] if k and len(set(k)) == 1 else None


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
    body=_diagonal_body,
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
    """As long as the longest of the diagonals; those of a band one below the other."""
    shape, count, k = call.shape(0), _bounds(call), call.integers(1)
    if shape is None or count is None or len(shape) < 2:
        return (None,)
    if k is None:
        return ((*shape[:-2], None),)
    low, high = k[0], k[-1]
    rows, columns = shape[-2:]
    long = None
    if rows is not None and columns is not None:
        long = min(rows + min(high, 0), columns - max(low, 0))
    band = () if low == high else (high - low + 1,)
    return ((*shape[:-2], *band, long),)


def _diagonal_part_text(call: Call, x: str, *k: str) -> str | None:
    at = _one_diagonal(call) if k else 0
    if at is None:
        return None
    offset = f", offset={at}" if at else ""
    return f"ops.diagonal({x}{offset}, axis1=-2, axis2=-1)"


define("MatrixDiagPart", shape=_diagonal_part_shape, keras=_diagonal_part_text)
define(
    "MatrixDiagPartV2",
    "MatrixDiagPartV3",
    shape=_diagonal_part_v2_shape,
    keras=_diagonal_part_text,
)


def _set_diagonal_text(call: Call, x: str, diagonal: str, *k: str) -> str | None:
    """One diagonal, known or fed, of a matrix of known sizes."""
    rows, columns = (call.shape(0) or (None, None))[-2:]
    if rows is None or columns is None:
        return None
    at = 0 if call.op == "MatrixSetDiag" else _one_diagonal(call, 2)
    if at is None:
        return _fed_diagonal(call, (x, diagonal, *k), rows, columns)
    across = _across(call, 1, diagonal, at, (rows, columns))
    return f"ops.where({_place(at, rows, columns)}, {across}, {x})"


def _set_diagonal_body(call: Call, x: str, diagonal: str, *k: str) -> str | None:
    """One diagonal of a matrix of any sizes: its element is numbered by the row or the column, whichever is less."""
    at = 0 if call.op == "MatrixSetDiag" else _one_diagonal(call, 2)
    if at is None or call.rank(0) is None or call.rank(1) is None:
        return None
    x, diagonal = tensor_text(call, 0, x), tensor_text(call, 1, diagonal)
    return f"""
row = ops.expand_dims(ops.arange(ops.shape({x})[-2]), 1)
column = ops.arange(ops.shape({x})[-1])
places = ops.minimum(ops.minimum(row, column), ops.shape({diagonal})[-1] - 1)
return ops.where(column - row == {at}, ops.take({diagonal}, places, axis=-1), {x})
"""


def _fed_diagonal(
    call: Call, texts: tuple[str, ...], rows: int, columns: int
) -> str | None:
    """Element ``min(row, column)`` of whichever diagonal is fed, on the places whose columns are so many behind their rows."""
    length = (call.shape(1) or (None,))[-1]
    if call.integers(2) is not None or call.shape(2) not in ((), (1,)) or not length:
        return None
    x, diagonal, k = texts
    row, column = f"ops.expand_dims(ops.arange({rows}), 1)", f"ops.arange({columns})"
    places = f"ops.minimum(ops.minimum({row}, {column}), {length - 1})"
    elements = f"ops.take({diagonal}, {places}, axis=-1)"
    return f"ops.where(ops.equal({column} - {row}, {k}), {elements}, {x})"


define(
    "MatrixSetDiag",
    "MatrixSetDiagV2",
    "MatrixSetDiagV3",
    shape=same,
    keras=_set_diagonal_text,
    body=_set_diagonal_body,
)
