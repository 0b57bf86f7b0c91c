"""Linear algebra: products, einsum, diagonals, bands."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from string import ascii_lowercase

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import Dim, broadcast, merge, ranked, same, unknown


def _product(
    call: Call, left: Shape, right: Shape, flip_a: bool, flip_b: bool
) -> Shape:
    if left is None or right is None:
        return None
    if len(left) < 2 or len(right) < 2:
        raise Unsaid("a product takes matrices")
    rows = left[-1] if flip_a else left[-2]
    columns = right[-2] if flip_b else right[-1]
    batch = broadcast(left[:-2], right[:-2])
    return (*(batch or ()), rows, columns)


def _matmul_shape(call: Call) -> tuple[Shape]:
    left, right = ranked(call.shape(0), 2), ranked(call.shape(1), 2)
    flips = call.get("transpose_a", False), call.get("transpose_b", False)
    return (_product(call, left, right, *flips),)


def _turned(x: str, flip: bool, rank: int | None) -> str:
    if not flip:
        return x
    return f"ops.transpose({x})" if rank == 2 else f"ops.swapaxes({x}, -1, -2)"


def _matmul_text(call: Call, a: str, b: str) -> str:
    a = _turned(a, call.get("transpose_a", False), 2)
    b = _turned(b, call.get("transpose_b", False), 2)
    return f"ops.matmul({a}, {b})"


def _matmul(
    a: np.ndarray, b: np.ndarray, *, transpose_a: bool, transpose_b: bool
) -> np.ndarray:
    return np.matmul(a.T if transpose_a else a, b.T if transpose_b else b)


define(
    "MatMul",
    shape=_matmul_shape,
    keras=_matmul_text,
    fold=_matmul,
    traits="own-buffer",
)
define("_FusedMatMul", shape=_matmul_shape)
define(
    "SparseMatMul",
    shape=_matmul_shape,
    keras=lambda call, a, b: (
        _matmul_text(call, a, b)
        if (call.dtype(0), call.dtype(1)) == ("float32", "float32")
        else None
    ),
)


def _batch_shape(call: Call) -> tuple[Shape]:
    flips = call.get("adj_x", False), call.get("adj_y", False)
    return (_product(call, call.shape(0), call.shape(1), *flips),)


def _batch_text(call: Call, a: str, b: str) -> str | None:
    if call.dtype(0).startswith("complex"):
        return None
    a = _turned(a, call.get("adj_x", False), call.rank(0))
    b = _turned(b, call.get("adj_y", False), call.rank(1))
    return f"ops.matmul({a}, {b})"


def _batch(a: np.ndarray, b: np.ndarray, *, adj_x: bool, adj_y: bool) -> np.ndarray:
    left = np.conj(np.swapaxes(a, -1, -2)) if adj_x else a
    right = np.conj(np.swapaxes(b, -1, -2)) if adj_y else b
    return np.matmul(left, right)


define(
    "BatchMatMul",
    "BatchMatMulV2",
    "BatchMatMulV3",
    shape=_batch_shape,
    keras=_batch_text,
    fold=_batch,
    traits="own-buffer",
)


def _einsum_shape(call: Call) -> tuple[Shape]:
    """Labels bind sizes; an ellipsis binds the dimensions left over, broadcast over the inputs."""
    left, arrow, right = str(call["equation"]).replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or len(terms) != len(call.inputs):
        raise Unsaid(f"equation {call['equation']!r}")
    sizes: dict[str, Dim] = {}
    spread: list[Shape] = []
    for slot, term in enumerate(terms):
        _bind(term, call.shape(slot), sizes, spread)
    rest = broadcast(*spread) if spread else ()
    if "..." in right and rest is None:
        return (None,)
    before, dots, after = right.partition("...")
    middle = (rest or ()) if dots else ()
    return ((*(sizes[c] for c in before), *middle, *(sizes[c] for c in after)),)


def _bind(term: str, shape: Shape, sizes: dict[str, Dim], spread: list[Shape]) -> None:
    before, dots, after = term.partition("...")
    count = len(before) + len(after)
    if shape is None:
        shape = unknown(count)
        if dots:
            spread.append(None)
    elif dots:
        spread.append(shape[len(before) : len(shape) - len(after)])
    if len(shape) < count or (not dots and len(shape) != count):
        raise Unsaid(f"{term!r} of a tensor of shape {shape}")
    ends = shape[: len(before)] + shape[len(shape) - len(after) :]
    for label, size in zip(before + after, ends, strict=True):
        if sizes.get(label) is None:
            sizes[label] = size


def _lower_case(equation: str) -> str:
    """The equation with other letters for its capitals: keras.ops.einsum mistakes ``S`` for a size."""
    letters = dict.fromkeys(filter(str.isalpha, equation))
    free = [c for c in ascii_lowercase if c not in letters]
    for letter in [c for c in letters if c.isupper()]:
        if not free:
            return equation
        label = letter.lower() if letter.lower() in free else free[0]
        free.remove(label)
        equation = equation.replace(letter, label)
    return equation


def _einsum_text(call: Call, *texts: str) -> str:
    equation = _lower_case(call["equation"])
    if re.fullmatch(r"(\w),(?!\1)(\w)->\1\2", equation):
        return f"ops.outer({', '.join(texts)})"
    return f"ops.einsum({literal(equation)}, {', '.join(texts)})"


define(
    "Einsum",
    shape=_einsum_shape,
    keras=_einsum_text,
    fold=lambda *xs, equation: np.einsum(equation, *xs),
)


def _triangular_text(call: Call, x: str, low: str, high: str) -> str | None:
    below, above = call.integer(1), call.integer(2)
    if below is None or above is None:
        return _fed_band(call, x, low, high)
    if below < 0 and above < 0:
        return x
    if below < 0:
        return f"ops.tril({x}, k={above})" if above else f"ops.tril({x})"
    if above < 0:
        return f"ops.triu({x}, k={-below})" if below else f"ops.triu({x})"
    return f"ops.triu(ops.tril({x}, k={above}), k={-below})"


def _fed_band(call: Call, x: str, low: str, high: str) -> str | None:
    """The places that lie no further below and above the diagonal than is fed; a negative number bounds nothing."""
    rows, columns = (call.shape(0) or (None, None))[-2:]
    if rows is None or columns is None:
        return None
    row, column = f"ops.expand_dims(ops.arange({rows}), 1)", f"ops.arange({columns})"
    bounds = []
    for slot, most, distance in (
        (1, low, f"{row} - {column}"),
        (2, high, f"{column} - {row}"),
    ):
        near = f'ops.less_equal(ops.cast({distance}, "{call.dtype(slot)}"), {most})'
        known = call.integer(slot)
        if known is None:
            bounds.append(f"ops.logical_or(ops.less({most}, 0), {near})")
        elif known >= 0:
            bounds.append(near)
    mask = bounds[0] if len(bounds) == 1 else f"ops.logical_and({', '.join(bounds)})"
    return f"ops.where({mask}, {x}, ops.zeros_like({x}))"


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(x.shape[-2:])
    keep = np.ones(x.shape[-2:], bool)
    if int(low) >= 0:
        keep &= rows - columns <= int(low)
    if int(high) >= 0:
        keep &= columns - rows <= int(high)
    return np.where(keep, x, np.zeros((), x.dtype))


def _band_body(call: Call, x: str, low: str, high: str) -> str:
    return f"""
low, high = ops.cast({low}, "int32"), ops.cast({high}, "int32")
above = ops.arange(ops.shape({x})[-1]) - ops.expand_dims(ops.arange(ops.shape({x})[-2]), 1)
is_low = ops.logical_or(low < 0, -above <= low)
is_high = ops.logical_or(high < 0, above <= high)
return ops.where(ops.logical_and(is_low, is_high), {x}, ops.zeros_like({x}))
"""


define(
    "MatrixBandPart",
    shape=same,
    keras=_triangular_text,
    body=_band_body,
    fold=_band,
)


def _doubled(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    return (None if shape is None else shape * 2,)


def _halved(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    if shape is None:
        return (None,)
    half = len(shape) // 2
    return (merge(shape[:half], shape[half:]),)


def _plain_diagonal(rank: int) -> Callable[[Call, str], str | None]:
    return lambda call, x: f"ops.diag({x})" if call.rank(0) == rank else None


def _diagonal_tensor_body(call: Call, x: str) -> str | None:
    """Of any sizes: each element on the diagonal of a square, which takes the shape twice."""
    if call.rank(0) is None:
        return None
    return f"""
flat = ops.reshape({x}, (-1,))
places = ops.arange(ops.shape(flat)[0])
square = ops.where(ops.expand_dims(places, 1) == places, flat, ops.zeros_like(flat))
return ops.reshape(square, (*ops.shape({x}), *ops.shape({x})))
"""


def _diagonal_tensor(call: Call, x: str) -> str | None:
    """Of a tensor of known sizes: each element beside its row of an identity."""
    shape = call.shape(0)
    if shape is None or len(shape) == 1:
        return _plain_diagonal(1)(call, x)
    if None in shape:
        return None
    size = math.prod(n or 0 for n in shape)
    rows = f'ops.reshape({x}, (-1, 1)) * ops.eye({size}, dtype="{call.dtype(0)}")'
    return f"ops.reshape({rows}, {literal(shape * 2)})"


define(
    "Diag",
    shape=_doubled,
    keras=_diagonal_tensor,
    body=_diagonal_tensor_body,
    fold=lambda x: np.diag(x) if x.ndim == 1 else None,
)
define("DiagPart", shape=_halved, keras=_plain_diagonal(2))


define(
    "Cross",
    shape=same,
    keras="ops.roll({0}, -1, axis=-1) * ops.roll({1}, 1, axis=-1) - ops.roll({0}, 1, axis=-1) * ops.roll({1}, -1, axis=-1)",  # Keras has no axis for PyTorch
    fold=np.cross,
)
