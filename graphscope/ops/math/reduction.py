"""Sums, means, extremes and their positions, running sums, segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import axis_of, merge, ranked, same, scalar, unknown


def _axes(call: Call) -> tuple[int, ...] | None:
    """The reduced axes, positive and sorted; None where they or the rank are unknown."""
    rank, axes = call.rank(0), call.integers(1)
    if rank is None or axes is None:
        return None
    return tuple(sorted({axis_of(axis, rank) for axis in axes}))


def _shape(call: Call) -> tuple[Shape]:
    shape, axes = call.shape(0), _axes(call)
    keep = call.get("keep_dims", False)
    if shape is None:
        return (None,)
    if axes is None:
        return (unknown(len(shape)) if keep else _reduced_by_count(call, len(shape)),)
    if keep:
        return (tuple(1 if i in axes else size for i, size in enumerate(shape)),)
    return (tuple(size for i, size in enumerate(shape) if i not in axes),)


def _reduced_by_count(call: Call, rank: int) -> Shape:
    """Of axes that are not known their number tells how many are left, if none is named twice."""
    axes = call.shape(1)
    count = (
        1 if axes == () else axes[0] if axes is not None and len(axes) == 1 else None
    )
    return None if count is None or count > rank else unknown(rank - count)


def _axis_text(call: Call) -> str | None:
    """``, axis=1, keepdims=True``; None where the axes are unknown."""
    axes = call.integers(1)
    if axes is None:
        return None
    rank = call.rank(0)
    keep = ", keepdims=True" if call.get("keep_dims", False) else ""
    if rank is not None and len({axis % rank for axis in axes if rank}) == rank:
        # Keras's PyTorch keeps no axis where none is named
        return f", axis={literal(tuple(range(rank)))}{keep}" if keep and rank else keep
    inner = literal(axes[0] if len(axes) == 1 else axes)
    return f", axis={inner}{keep}"


def _text(function: str) -> Callable[..., str | None]:
    def text(call: Call, x: str, axes: str) -> str | None:
        dtype = call.dtype(0)
        if call.integers(1) == ():
            return x
        rest = _axis_text(call)
        if rest is None:
            return None
        if function in ("max", "min") and 0 in (call.shape(0) or ()):
            return None  # Keras asks for an element at least
        expression = f"ops.{function}({x}{rest}{_beginning(call, function)})"
        if function == "mean" and not dtype.startswith(("float", "bfloat")):
            return None  # TensorFlow's mean of integers is an integer
        if function in ("sum", "prod") and dtype not in (
            "float16",
            "bfloat16",
            "float32",
            "float64",
            "int32",
            "int64",
        ):
            return f"ops.cast({expression}, {literal(dtype)})" if dtype else None
        return expression

    return text


def _beginning(call: Call, function: str) -> str:
    """``, initial=...`` for the extreme of a batch that may have no rows: Keras asks for one unless it is told what there is otherwise."""
    shape, axes, dtype = call.shape(0), _axes(call), call.dtype(0)
    if function not in _LEAST or not shape or shape[0] is not None:
        return ""
    if axes is None or 0 not in axes:
        return ""
    if dtype.startswith(("float", "bfloat")):
        return f', initial=float("{_LEAST[function]}inf")'
    if not dtype.startswith(("int", "uint")):
        return ""
    limits = np.iinfo(dtype)
    return f", initial={limits.min if function == 'max' else limits.max}"


_LEAST = {"max": "-", "min": ""}  # the sign of the number that no element is beyond


def _fold(function: Callable[..., Any]) -> Callable[..., Any]:
    def fold(x: np.ndarray, axes: np.ndarray, *, keep_dims: bool) -> np.ndarray:
        over = tuple(int(axis) for axis in axes.reshape(-1))
        reduced = function(x, axis=over, keepdims=keep_dims)
        return np.asarray(reduced).astype(x.dtype)

    return fold


define("Sum", shape=_shape, keras=_text("sum"), fold=_fold(np.sum), traits="reduction")


def _whole_mean(call: Call, x: str, axes: str) -> str | None:
    """Of whole numbers: their sum in their own dtype, by their number and without the fraction."""
    shape, over, dtype = call.shape(0), call.integers(1), call.dtype(0)
    if shape is None or over is None or not dtype.startswith(("int", "uint")):
        return None
    sizes = (f"ops.shape({x})[{axis % len(shape)}]" for axis in over)
    wide = "int64" if dtype.endswith("64") else "int32"  # the kernel's sums are wide
    total = x if dtype == wide else f'ops.cast({x}, "{wide}")'
    lines = [
        f"y = ops.sum({total}{_axis_text(call)})",
        f'count = ops.cast({" * ".join(sizes) or 1}, "{wide}")',
        "y = ops.sign(y) * (ops.abs(y) // count)",
    ]
    return "\n".join([*lines, f"return {_narrow('y', wide, dtype)}"])


def _narrow(text: str, wide: str, dtype: str) -> str:
    return text if dtype == wide else f'ops.cast({text}, "{dtype}")'


define(
    "Mean",
    shape=_shape,
    keras=_text("mean"),
    body=_whole_mean,
    fold=_fold(np.mean),
    traits="reduction",
)
define("Max", shape=_shape, keras=_text("max"), fold=_fold(np.max), traits="reduction")
define("Min", shape=_shape, keras=_text("min"), fold=_fold(np.min), traits="reduction")
define(
    "Prod", shape=_shape, keras=_text("prod"), fold=_fold(np.prod), traits="reduction"
)
define("All", shape=_shape, keras=_text("all"), fold=_fold(np.all), traits="reduction")
define("Any", shape=_shape, keras=_text("any"), fold=_fold(np.any), traits="reduction")
define(
    "EuclideanNorm",
    shape=_shape,
    keras=lambda call, x, axes: (
        None
        if _axis_text(call) is None or not call.dtype(0).startswith("float")
        else f"ops.sqrt(ops.sum(ops.square({x}){_axis_text(call)}))"
    ),
    traits="reduction",
)
define("ReduceJoin", shape=_shape, traits="reduction")
define(
    "L2Loss",
    shape=scalar,
    keras="ops.sum(ops.square({0})) / 2.0",
    fold=lambda x: np.sum(np.square(x), dtype=x.dtype) / x.dtype.type(2),
)


def _arg_shape(call: Call) -> tuple[Shape]:
    shape, axis = call.shape(0), call.integer(1)
    if shape is None:
        return (None,)
    if axis is None:
        return (unknown(max(len(shape) - 1, 0)),)
    gone = axis_of(axis, len(shape))
    return (shape[:gone] + shape[gone + 1 :],)


def _arg_text(function: str) -> Callable[..., str | None]:
    def text(call: Call, x: str, axis: str) -> str | None:
        where = call.integer(1)
        if where is None or call.dtype(0).startswith("complex"):
            return None
        expression = f"ops.{function}({x}, axis={where})"
        dtype = call["output_type"]
        return (
            expression
            if dtype == "int32"
            else f"ops.cast({expression}, {literal(dtype)})"
        )

    return text


def _arg_fold(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis, *, output_type: np.asarray(
        function(x, axis=int(axis))
    ).astype(output_type)


define("ArgMax", shape=_arg_shape, keras=_arg_text("argmax"), fold=_arg_fold(np.argmax))
define("ArgMin", shape=_arg_shape, keras=_arg_text("argmin"), fold=_arg_fold(np.argmin))


def _running_text(function: str) -> Callable[..., str | None]:
    def text(call: Call, x: str, axis: str) -> str | None:
        where = call.integer(1)
        if where is None or (call["exclusive"] and function != "cumsum"):
            return None
        expression = f"ops.{function}({x}, axis={where})"
        if call["reverse"]:
            flipped = f"ops.flip({x}, axis={where})"
            expression = (
                f"ops.flip(ops.{function}({flipped}, axis={where}), axis={where})"
            )
        return f"{expression} - {x}" if call["exclusive"] else expression

    return text


def _running(function: Callable[..., Any], start: int) -> Callable[..., Any]:
    def fold(
        x: np.ndarray, axis: np.ndarray, *, exclusive: bool, reverse: bool
    ) -> np.ndarray:
        over = int(axis)
        data = np.flip(x, over) if reverse else x
        if exclusive:
            head = np.full_like(np.take(data, [0], over), start)
            rest = np.take(data, range(data.shape[over] - 1), over)
            data = np.concatenate([head, rest], over)
        totals = function(data, over).astype(x.dtype)
        return np.flip(totals, over) if reverse else totals

    return fold


define("Cumsum", shape=same, keras=_running_text("cumsum"), fold=_running(np.cumsum, 0))
define(
    "Cumprod", shape=same, keras=_running_text("cumprod"), fold=_running(np.cumprod, 1)
)
define("CumulativeLogsumexp", shape=same)


def _cross_entropy_shape(call: Call) -> tuple[Shape, Shape]:
    shape = ranked(merge(call.shape(0), call.shape(1)), 2)
    return (shape[0],), shape


def _cross_entropy(
    logits: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    shifted = logits - logits.max(-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return -(labels * logs).sum(-1), np.exp(logs) - labels


define(
    "SoftmaxCrossEntropyWithLogits",
    shape=_cross_entropy_shape,
    keras="(-ops.sum({1} * ops.log_softmax({0}, axis=-1), axis=-1), ops.softmax({0}, axis=-1) - {1})",
    fold=_cross_entropy,
)


def _sparse_cross_entropy_shape(call: Call) -> tuple[Shape, Shape]:
    shape, labels = ranked(call.shape(0), 2), ranked(call.shape(1), 1)
    rows = merge((shape[0],), labels)
    return rows, (*(rows or (None,)), shape[1])


def _sparse_cross_entropy_text(call: Call, logits: str, labels: str) -> str:
    """The loss, and its gradient by the logits."""
    loss = f"ops.sparse_categorical_crossentropy({labels}, {logits}, from_logits=True)"
    rows, classes = ranked(call.shape(0), 2)
    if classes is None:
        return f"({loss}, None)"
    ones = f"ops.one_hot({labels}, {classes}, dtype={literal(call.dtype(0))})"
    if call.shape(1) != (rows,):  # Keras compares the shapes before anything runs
        chosen = f"ops.multiply({ones}, ops.log_softmax({logits}, axis=-1))"
        loss = f"-ops.sum({chosen}, axis=-1)"
    return f"({loss}, ops.subtract(ops.softmax({logits}, axis=-1), {ones}))"


define(
    "SparseSoftmaxCrossEntropyWithLogits",
    shape=_sparse_cross_entropy_shape,
    keras=_sparse_cross_entropy_text,
)
