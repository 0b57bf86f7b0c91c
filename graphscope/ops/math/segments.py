"""Sums and other reductions by segment, and counts of numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal, number_lines, tensor_text


def _segment_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    return (None if shape is None else (None, *shape[1:]),)


def _unsorted_shape(call: Call) -> tuple[Shape]:
    shape, ids, count = call.shape(0), call.rank(1), call.integer(2)
    if shape is None or ids is None or len(shape) < ids:
        return (None,)
    return ((count, *shape[ids:]),)


def _unsorted_text(function: str) -> Callable[..., str | None]:
    def text(call: Call, x: str, ids: str, count: str) -> str | None:
        segments = call.integer(2)
        if segments is None or call.rank(1) != 1:
            return None
        if call.value(0) is not None:  # Keras looks at the data alone
            if function != "segment_sum" or call.dtype(0) != "float32":
                return None
            chosen = f'ops.one_hot({ids}, {segments}, axis=0, dtype="float32")'
            return f"ops.tensordot({chosen}, {x}, 1)"
        text = f"ops.{function}({x}, {ids}, num_segments={segments})"
        return _filled(call, function, text)

    return text


def _filled(call: Call, function: str, text: str) -> str:
    """An extreme of no number is the farthest finite one; elsewhere than on TensorFlow Keras makes it infinite."""
    floats = call.dtype(0) in ("float16", "float32")
    if not floats or function not in ("segment_max", "segment_min"):
        return text
    farthest = literal(float(np.finfo(call.dtype(0)).max))
    if function == "segment_max":
        return f"ops.maximum({text}, -{farthest})"
    return f"ops.minimum({text}, {farthest})"


def _segment_text(function: str) -> Callable[..., str | None]:
    """Of segments that are places, none of them empty: how many there are is not places else."""

    def text(call: Call, x: str, ids: str) -> str | None:
        places = call.integers(1)
        if not places or set(places) != set(range(len(set(places)))):
            return None
        if call.value(0) is not None or call.rank(0) is None:
            return None
        kind = "sum" if function == "mean" else function
        segments = f"ops.segment_{kind}({x}, {ids}, num_segments={max(places) + 1})"
        if function != "mean":
            return segments
        if not call.dtype(0).startswith("float"):
            return None
        counts = np.bincount(places).astype(call.dtype(0))
        column = counts.reshape(-1, *[1] * ((call.rank(0) or 1) - 1))
        return f"{segments} / ops.array({literal(column)}, {literal(call.dtype(0))})"

    return text


def _unsorted_sum(x: np.ndarray, ids: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The sum of each segment; what has a negative number is in none."""
    rest = x.shape[ids.ndim :]
    sums = np.zeros((int(count), *rest), x.dtype)
    places, rows = ids.reshape(-1), x.reshape(-1, *rest)
    np.add.at(sums, places[places >= 0], rows[places >= 0])
    return sums


_NUMBERS = frozenset("float16 float32 float64 int8 int16 int32 int64 uint8".split())


def _segment_body(kind: str) -> Callable[..., str | None]:
    """As many segments as the last one tells; those of no row are 0, and 1 of products."""

    def body(call: Call, x: str, ids: str) -> str | None:
        rank, dtype = call.rank(0), call.dtype(0)
        if not rank or dtype not in _NUMBERS or call.rank(1) != 1:
            return None
        lines = [f'ids = ops.cast({ids}, "int32")', "count = ops.max(ids) + 1"]
        lines += number_lines("count")
        function = "segment_sum" if kind == "mean" else f"segment_{kind}"
        rows = tensor_text(call, 0, x)
        lines.append(f"y = ops.{function}({rows}, ids, num_segments=count)")
        if kind in ("mean", "max", "min"):
            lines += _sizes_lines(rank)
        if kind in ("max", "min"):
            lines.append("y = ops.where(sizes > 0, y, ops.zeros_like(y))")
        elif kind == "mean":
            lines.append(_quotient(dtype))
        return "\n".join([*lines, "return y"])

    return body


def _sizes_lines(rank: int) -> list[str]:
    """How many rows each segment has, beside the rows of y."""
    counted = "ops.segment_sum(ops.ones_like(ids), ids, num_segments=count)"
    return [f"sizes = ops.reshape({counted}, {literal((-1, *[1] * (rank - 1)))})"]


def _quotient(dtype: str) -> str:
    """Of whole numbers without its fraction."""
    sizes = f'ops.cast(ops.maximum(sizes, 1), "{dtype}")'
    if dtype.startswith("float"):
        return f"y = y / {sizes}"
    if dtype.startswith("uint"):
        return f"y = y // {sizes}"
    return f"y = ops.sign(y) * (ops.abs(y) // {sizes})"


def _unsorted_body(kind: str) -> Callable[..., str | None]:
    """Of as many segments as are fed, and of rows by one number or by several."""

    def body(call: Call, x: str, ids: str, count: str) -> str | None:
        rank, dtype = call.rank(1), call.dtype(0)
        if not rank or call.rank(0) is None or dtype not in _NUMBERS:
            return None
        x, ids = tensor_text(call, 0, x), tensor_text(call, 1, ids)
        segments = call.integer(2)
        count = count if segments is None else str(segments)
        lines = number_lines(count)
        if rank != 1:
            lines.append(f"x = ops.reshape({x}, (-1, *ops.shape({x})[{rank}:]))")
            lines.append(f"ids = ops.reshape({ids}, (-1,))")
            x, ids = "x", "ids"
        text = f"ops.segment_{kind}({x}, {ids}, num_segments={count})"
        text = _filled(call, f"segment_{kind}", text)
        return "\n".join([*lines, f"return {text}"])

    return body


for _kind in ("sum", "mean", "prod", "max", "min"):
    define(
        f"Segment{_kind.title()}",
        shape=_segment_shape,
        keras=_segment_text(_kind),
        body=_segment_body(_kind),
    )
for _kind in ("sum", "prod", "max", "min"):
    define(
        f"UnsortedSegment{_kind.title()}",
        shape=_unsorted_shape,
        keras=_unsorted_text(f"segment_{_kind}"),
        body=_unsorted_body(_kind),
        fold=_unsorted_sum if _kind == "sum" else None,
    )
define(
    "UnsortedSegmentJoin",
    "SegmentSumV2",
    "SegmentProdV2",
    "SegmentMaxV2",
    "SegmentMinV2",
    shape=_unsorted_shape,
)


def _sparse_segment_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    if shape is None:
        return (None,)
    count = call.integer(3) if len(call.inputs) > 3 else None
    return ((count, *shape[1:]),)


def _sparse_segment_body(
    call: Call, x: str, index: str, ids: str, *count: str
) -> str | None:
    """The rows that the index picks, by segment."""
    rank, dtype = call.rank(0), call.dtype(0)
    if not rank or dtype not in _NUMBERS:
        return None
    lines = [f'ids = ops.cast({ids}, "int32")']
    segments = call.integer(3) if count else None
    number = count[0] if count else "ops.max(ids) + 1"
    lines.append(f"count = {number if segments is None else segments}")
    lines += number_lines("count")
    rows = f"ops.take({tensor_text(call, 0, x)}, {index}, axis=0)"
    lines.append(f"y = ops.segment_sum({rows}, ids, num_segments=count)")
    if "Sum" not in call.op:
        lines += [*_sizes_lines(rank), f"return y / {_sparse_scale(call)}"]
    else:
        lines.append("return y")
    return "\n".join(lines)


def _sparse_scale(call: Call) -> str:
    sizes = f'ops.cast(ops.maximum(sizes, 1), "{call.dtype(0)}")'
    return f"ops.sqrt({sizes})" if "SqrtN" in call.op else sizes


def _sparse_gradient_body(
    call: Call, dy: str, index: str, ids: str, count: str
) -> str | None:
    """Each row of what comes down to the rows that made it, less by as many as they were."""
    rank, dtype = call.rank(0), call.dtype(0)
    if not rank or not dtype.startswith("float"):
        return None
    places, size = call.integers(2), (call.shape(0) or (None,))[0]
    if places and size is not None and max(places) >= size:
        return None  # the kernel does not look at them where no row is asked for
    segments = call.integer(3)
    count = count if segments is None else str(segments)
    lines = [*number_lines(count), f'ids = ops.cast({ids}, "int32")']
    rows, taken = tensor_text(call, 0, dy), "ops.take({}, ids, axis=0)"
    text = taken.format(rows)
    if "Sum" not in call.op:
        lines += [f"count = ops.shape({rows})[0]", *_sizes_lines(rank)]
        text += f" / {taken.format(_sparse_scale(call))}"
    lines.append(f"return ops.segment_sum({text}, {index}, num_segments={count})")
    return "\n".join(lines)


define(
    *(
        f"SparseSegment{kind}{more}"
        for kind in ("Sum", "Mean", "SqrtN")
        for more in ("", "WithNumSegments")
    ),
    shape=_sparse_segment_shape,
    body=_sparse_segment_body,
)
define(
    *(f"SparseSegment{kind}Grad" for kind in ("Sum", "Mean", "SqrtN")),
    shape=_sparse_segment_shape,
    body=_sparse_gradient_body,
)


def _bincount_shape(call: Call) -> tuple[Shape]:
    return ((call.integer(1),),)


def _counts_text(call: Call, numbers: str, size: str, weights: str) -> str | None:
    """Each number a row of zeros and a one: their sum, or a product with the weights."""
    count, weighted = call.integer(1), call.shape(2)
    if count is None or weighted is None or None in weighted or call.rank(0) is None:
        return None
    flat = numbers if call.rank(0) == 1 else f"ops.reshape({numbers}, (-1,))"
    rows = f"ops.one_hot({flat}, {count}, dtype={literal(call.dtype(2))})"
    if 0 in weighted:
        return f"ops.sum({rows}, axis=0)"
    if not call.dtype(2).startswith("float"):
        return None
    row = weights if call.rank(2) == 1 else f"ops.reshape({weights}, (-1,))"
    return f"ops.tensordot({row}, {rows}, 1)"


def _counts_body(call: Call, numbers: str, size: str, weights: str) -> str | None:
    """Sums by segment, of ones where there are no weights; a matrix has as many segments for each row."""
    rank, dtype = call.rank(0), call.dtype(2)
    if rank is None or dtype not in _NUMBERS:
        return None
    by_row = rank == 2 and call.op == "DenseBincount"
    count = call.integer(1)
    lines, size = [], size if count is None else str(count)
    total = size
    if size.isidentifier():
        lines = [f'{size} = ops.cast({size}, "int32")', *number_lines(size)]
    flat = f'ops.reshape(ops.cast({tensor_text(call, 0, numbers)}, "int32"), (-1,))'
    lines += [f"ids = {flat}", f"ids = ops.where(ids < {size}, ids, -1)"]
    if by_row:
        lines += [
            f"rows, columns = ops.shape({numbers})",
            f"row = ops.arange(rows * columns) // columns * {size}",
            "ids = ops.where(ids < 0, -1, ids + row)",
        ]
        total = f"rows * {size}"
    if 0 in (call.shape(2) or ()):
        lines.append(f'weights = ops.ones_like(ids, dtype="{dtype}")')
    else:
        given = f"ops.reshape({tensor_text(call, 2, weights)}, (-1,))"
        ones = f'ops.ones_like(ids, dtype="{dtype}")'
        lines.append(
            f"weights = ops.concatenate([{given}, {ones}])[: ops.shape(ids)[0]]"
        )
    text = f"ops.segment_sum(weights, ids, num_segments={total})"
    if call.get("binary_output", False):
        text = f'ops.cast({text} > 0, "{dtype}")'
    if by_row:
        text = f"ops.reshape({text}, (rows, {size}))"
    return "\n".join([*lines, f"return {text}"])


define("Bincount", shape=_bincount_shape, keras=_counts_text, body=_counts_body)


def _dense_bincount_shape(call: Call) -> tuple[Shape]:
    shape, size = call.shape(0), call.integer(1)
    if shape is None or len(shape) not in (1, 2):
        raise Unsaid("DenseBincount takes a vector or a matrix")
    return ((*shape[:-1], size),)


def _dense_counts_text(call: Call, numbers: str, size: str, weights: str) -> str | None:
    count, weighted = call.integer(1), call.shape(2)
    if call.rank(0) not in (1, 2):
        return None
    if count is None or weighted is None or None in weighted:
        return None
    rows = f"ops.one_hot({numbers}, {count}, dtype={literal(call.dtype(2))})"
    if call.get("binary_output", False):
        return f"ops.max({rows}, axis=-2)"
    if 0 not in weighted:
        rows = f"({rows} * ops.expand_dims({weights}, -1))"
    return f"ops.sum({rows}, axis=-2)"


define(
    "DenseBincount",
    shape=_dense_bincount_shape,
    keras=_dense_counts_text,
    body=_counts_body,
)
