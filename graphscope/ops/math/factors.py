"""Matrices that are inverted, solved for, taken apart: LU, Cholesky, QR, singular values and eigenvalues."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal, tensor_text
from ..values.dims import merge

_REALS = ("float32", "float64")


def _turned(x: str) -> str:
    return f"ops.swapaxes({x}, -1, -2)"


def _squared(shape: Shape) -> Shape:
    """A square matrix: either size tells the other."""
    if shape is None:
        return None
    if len(shape) < 2:
        raise Unsaid("a matrix is expected")
    size = merge(shape[-1:], shape[-2:-1])
    return (*shape[:-2], *(size or ()), *(size or ()))


def _square(call: Call) -> tuple[Shape]:
    return (_squared(call.shape(0)),)


def _solution(call: Call) -> tuple[Shape]:
    matrix, right = _squared(call.shape(0)), call.shape(1)
    if matrix is None or right is None:
        return (right,)
    return (merge(right, (*matrix[:-1], right[-1])),)


def _squares_text(function: str) -> Callable[..., str | None]:
    """Keras must see that the matrices are square."""

    def text(call: Call, x: str) -> str | None:
        rows, columns = (call.shape(0) or (None, None))[-2:]
        if rows is None or rows != columns or call.get("adjoint", False):
            return None
        return _of_single(call, function, x)

    return text


def _of_single(call: Call, function: str, x: str) -> str:
    """Half precision by way of single, as neither JAX nor PyTorch has it."""
    if call.dtype(0) != "float16":
        return f"ops.{function}({x})"
    single = f'ops.{function}(ops.cast({x}, "float32"))'
    return f'ops.cast({single}, "float16")'


def _squares_body(function: str) -> Callable[..., str | None]:
    """Of sizes that only a run knows, and of the transposed matrix."""

    def body(call: Call, x: str) -> str | None:
        if call.dtype(0) not in (*_REALS, "float16") or call.rank(0) is None:
            return None
        x = tensor_text(call, 0, x)
        x = _turned(x) if call.get("adjoint") else x
        return f"return {_of_single(call, function, x)}"

    return body


define(
    "Cholesky",
    shape=_square,
    keras=_squares_text("cholesky"),
    body=_squares_body("cholesky"),
    fold=np.linalg.cholesky,
)
define(
    "MatrixInverse",
    shape=_square,
    keras=_squares_text("inv"),
    body=_squares_body("inv"),
)
define("MatrixExponential", "MatrixLogarithm", "MatrixSquareRoot", shape=_square)


def _solved(call: Call, a: str, b: str) -> str | None:
    rows, columns = (call.shape(0) or (None, None))[-2:]
    if rows is None or rows != columns or call.get("adjoint", False):
        return None
    right = call.shape(1)
    if right is None or call.rank(0) != len(right) or right[-2] != rows:
        return None
    if call.value(0) is not None:  # Keras looks at the matrices alone
        return None
    if call.op == "MatrixSolve":
        return f"ops.solve({a}, {b})"
    return f"ops.solve_triangular({a}, {b}, lower={call['lower']})"


def _solved_body(call: Call, a: str, b: str) -> str | None:
    """Also for the transposed matrix."""
    rank = call.rank(0)
    if call.dtype(0) not in _REALS or rank is None or rank != call.rank(1):
        return None
    a, b = tensor_text(call, 0, a), tensor_text(call, 1, b)
    if call.op == "MatrixSolve":
        return f"return ops.solve({_turned(a) if call.get('adjoint') else a}, {b})"
    lower = bool(call["lower"]) != bool(call["adjoint"])
    if call["adjoint"]:
        a = _turned(f"ops.{'tril' if call['lower'] else 'triu'}({a})")
    return f"return ops.solve_triangular({a}, {b}, lower={lower})"


define(
    "MatrixSolve",
    "MatrixTriangularSolve",
    shape=_solution,
    keras=_solved,
    body=_solved_body,
)


def _vector_of(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    if shape is not None and len(shape) < 2:
        raise Unsaid("a matrix is expected")
    return (None if shape is None else shape[:-2],)


define(
    "MatrixDeterminant",
    shape=_vector_of,
    keras=_squares_text("det"),
    body=_squares_body("det"),
)
define(
    "LogMatrixDeterminant",
    shape=lambda call: _vector_of(call) * 2,
    keras=lambda call, x: (
        f"(ops.slogdet({x})[0], ops.slogdet({x})[1])" if call.rank(0) == 2 else None
    ),
    body=lambda call, x: f"sign, logarithm = ops.slogdet({x})\nreturn sign, logarithm",
)


def _svd_shape(call: Call) -> Sequence[Shape]:
    shape = call.shape(0)
    if shape is None:
        return (None, None, None)
    *batch, rows, columns = shape
    least = None if rows is None or columns is None else min(rows, columns)
    if not call["compute_uv"]:
        return ((*batch, least), None, None)
    full = call["full_matrices"]
    left, right = (rows, columns) if full else (least, least)
    return (*batch, least), (*batch, rows, left), (*batch, columns, right)


def _svd_body(call: Call, x: str) -> str | None:
    """Keras gives the right ones as rows."""
    if call.dtype(0) not in _REALS or call.rank(0) is None:
        return None
    x = tensor_text(call, 0, x)
    if not call["compute_uv"]:
        empty = f"ops.zeros((0,), {literal(call.dtype(0))})"
        return f"return ops.svd({x}, compute_uv=False), {empty}, {empty}"
    return f"""
u, s, v = ops.svd({x}, full_matrices={bool(call["full_matrices"])})
return s, u, {_turned("v")}
"""


define("Svd", shape=_svd_shape, body=_svd_body)


def _qr_shape(call: Call) -> Sequence[Shape]:
    shape = call.shape(0)
    if shape is None:
        return (None, None)
    *batch, rows, columns = shape
    least = None if rows is None or columns is None else min(rows, columns)
    inner = rows if call["full_matrices"] else least
    return (*batch, rows, inner), (*batch, inner, columns)


def _qr_body(call: Call, x: str) -> str | None:
    if call.dtype(0) not in _REALS or call.rank(0) is None:
        return None
    mode = "complete" if call["full_matrices"] else "reduced"
    return f'return ops.qr({tensor_text(call, 0, x)}, mode="{mode}")'


define("Qr", shape=_qr_shape, body=_qr_body)


def _eigen_shape(call: Call) -> Sequence[Shape]:
    shape = call.shape(0)
    if shape is None:
        return (None, None)
    square = _squared(shape) or ()
    vectors: Shape = square if call["compute_v"] else (0,)
    return square[:-1], vectors


def _symmetric_body(call: Call, x: str) -> str | None:
    """Of the lower half alone, as TensorFlow has it."""
    if call.dtype(0) not in _REALS or call.rank(0) is None:
        return None
    x = tensor_text(call, 0, x)
    both = (
        f"values, vectors = ops.eigh(ops.tril({x}) + {_turned(f'ops.tril({x}, k=-1)')})"
    )
    vectors = "vectors"
    if not call["compute_v"]:
        vectors = f"ops.zeros((0,), {literal(call.dtype(0))})"
    return f"{both}\nreturn values, {vectors}"


define("SelfAdjointEigV2", shape=_eigen_shape, body=_symmetric_body)
define("Eig", shape=_eigen_shape)
