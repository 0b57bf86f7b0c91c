"""Sums and other reductions by segment, and counts of numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal


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


for _kind in ("sum", "mean", "prod", "max", "min"):
    define(f"Segment{_kind.title()}", shape=_segment_shape, keras=_segment_text(_kind))
define(
    "UnsortedSegmentSum",
    shape=_unsorted_shape,
    keras=_unsorted_text("segment_sum"),
    fold=_unsorted_sum,
)
define("UnsortedSegmentMax", shape=_unsorted_shape, keras=_unsorted_text("segment_max"))
define("UnsortedSegmentMin", shape=_unsorted_shape, keras=_unsorted_text("segment_min"))
define(
    "UnsortedSegmentProd", shape=_unsorted_shape, keras=_unsorted_text("segment_prod")
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


define(
    "SparseSegmentSum",
    "SparseSegmentMean",
    "SparseSegmentSqrtN",
    "SparseSegmentSumWithNumSegments",
    "SparseSegmentMeanWithNumSegments",
    "SparseSegmentSqrtNWithNumSegments",
    "SparseSegmentSumGrad",
    "SparseSegmentMeanGrad",
    "SparseSegmentSqrtNGrad",
    shape=_sparse_segment_shape,
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


define("Bincount", shape=_bincount_shape, keras=_counts_text)


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


define("DenseBincount", shape=_dense_bincount_shape, keras=_dense_counts_text)
