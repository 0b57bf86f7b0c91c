"""Gathers and scatters, stitches and partitions, the largest and the unique: what picks elements by index."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import ELSEWHERE, literal, tensor_text
from ..values.dims import axis_of, same, shape_from, unknown

_FIRST = slice(0, 1)


def _gathered(params: Shape, indices: Shape, axis: int | None, batch: int) -> Shape:
    if params is None or indices is None:
        return None
    if axis is None:
        return unknown(len(params) - 1 + len(indices) - batch)
    at = axis_of(axis, len(params))
    batch %= max(len(indices), 1)
    return (*params[:at], *indices[batch:], *params[at + 1 :])


def _gather_v2_text(call: Call, x: str, indices: str, where: str) -> str | None:
    axis, batch = call.integer(2), call["batch_dims"]
    if axis is None:
        return None
    if batch == 0:
        return _take(call, x, indices, axis)
    rank = call.rank(0)
    if axis != batch or rank is None or call.rank(1) != batch + 1:
        return None
    for _ in range(rank - batch - 1):
        indices = f"ops.expand_dims({indices}, -1)"
    return f"ops.take_along_axis({x}, {indices}, axis={axis})"


def _take(call: Call, x: str, indices: str, axis: int) -> str:
    where = call.value(1)
    if where is not None and where.ndim == 0 and call.rank(0) is not None:
        at = axis_of(axis, call.rank(0) or 0)
        return f"{x}[{', '.join([':'] * at + [str(int(where))])}]"
    return f"ops.take({x}, {indices}, axis={axis})"


def _gather(
    x: np.ndarray, indices: np.ndarray, axis: np.ndarray, *, batch_dims: int
) -> np.ndarray | None:
    return None if batch_dims else np.take(x, indices, int(axis.reshape(())))


define(
    "Gather",
    shape=lambda call: (_gathered(call.shape(0), call.shape(1), 0, 0),),
    keras=lambda call, x, indices: _take(call, x, indices, 0),
    fold=lambda x, indices: np.take(x, indices, 0),
    traits="movement",
    moves=_FIRST,
)
define(
    "GatherV2",
    shape=lambda call: (
        _gathered(
            call.shape(0), call.shape(1), call.integer(2), call.get("batch_dims", 0)
        ),
    ),
    keras=_gather_v2_text,
    fold=_gather,
    traits="movement own-buffer",
    moves=_FIRST,
)


def _gather_nd_shape(call: Call) -> tuple[Shape]:
    params, indices = call.shape(0), call.shape(1)
    if params is None or indices is None or indices[-1] is None:
        return (None,)
    if indices[-1] > len(params):
        raise Unsaid("more indices than dimensions")
    return ((*indices[:-1], *params[indices[-1] :]),)


def _gather_nd_text(call: Call, x: str, indices: str) -> str | None:
    """The indexed axes made one, and the indices counted along it."""
    params, last = call.shape(0), (call.shape(1) or (None,))[-1]
    if params is None or not last or None in params[1:]:
        return None
    if last == 1:
        return f"ops.take({x}, ops.squeeze({indices}, axis=-1), axis=0)"
    sizes = [size or 0 for size in params[1:]]
    steps = tuple(math.prod(sizes[i : last - 1]) for i in range(last))
    flat = f"ops.reshape({x}, {literal((-1, *sizes[last - 1 :]))})"
    dtype = literal(call.dtype(1) or "int32")
    steps_text = f"ops.convert_to_tensor({literal(steps)}, dtype={dtype})"
    return f"ops.take({flat}, ops.sum({indices} * {steps_text}, axis=-1), axis=0)"


define(
    "GatherNd",
    shape=_gather_nd_shape,
    keras=_gather_nd_text,
    fold=lambda x, indices: x[tuple(np.moveaxis(indices, -1, 0))],
    traits="movement",
    moves=_FIRST,
)


def _scatter_body(call: Call, indices: str, updates: str, shape: str) -> str | None:
    """Into zeros of a fed shape."""
    if not shape.isidentifier() or call.dtype(1) == "bool":
        return None
    updates = tensor_text(call, 1, updates)
    return f"""
{ELSEWHERE}
    {shape} = ops.convert_to_numpy({shape}).tolist()
return ops.scatter({tensor_text(call, 0, indices)}, {updates}, {shape})
"""


define(
    "ScatterNd",
    shape=lambda call: (shape_from(call, 2),),
    body=_scatter_body,
    keras=lambda call, indices, updates, _: (
        None
        if call.integers(2) is None
        else f"ops.scatter({indices}, {updates}, {literal(call.integers(2))})"
    ),
)


def _updated(
    x: np.ndarray, indices: np.ndarray, updates: np.ndarray
) -> np.ndarray | None:
    """Slices of ``x`` that are replaced; None where an index is none of its places."""
    sizes = np.array(x.shape[: indices.shape[-1]])
    if ((indices < 0) | (indices >= sizes)).any():
        return None
    changed = x.copy()
    changed[tuple(np.moveaxis(indices, -1, 0))] = updates
    return changed


def _updated_text(call: Call, x: str, indices: str, updates: str) -> str | None:
    """One row of indices for each slice, as JAX wants them."""
    shape, places = call.shape(0), call.shape(1)
    if places is not None and len(places) == 2:
        return f"ops.scatter_update({x}, {indices}, {updates})"
    if shape is None or not places or places[-1] is None:
        return None
    slices = (-1, *shape[places[-1] :])
    if None in slices:
        return None
    rows = f"ops.reshape({indices}, {literal((-1, places[-1]))})"
    return f"ops.scatter_update({x}, {rows}, ops.reshape({updates}, {literal(slices)}))"


def _scattered_body(how: str) -> Callable[..., str | None]:
    """One row of indices for each slice of a tensor of any sizes; what goes there replaces it, or is reduced with it."""

    def body(call: Call, x: str, indices: str, updates: str) -> str | None:
        depth = _depth(call)
        is_less = how == "sub"
        signed = not call.dtype(0).startswith(("uint", "bool"))
        if depth is None or not signed and (is_less or call.dtype(0) == "bool"):
            return None
        x = tensor_text(call, 0, x)
        reduction = "add" if is_less else how
        more = f', reduction="{reduction}"' if reduction else ""
        return f"""
places = ops.reshape({tensor_text(call, 1, indices)}, (-1, {depth}))
updates = ops.reshape({tensor_text(call, 2, updates)}, (-1, *ops.shape({x})[{depth}:]))
return ops.scatter_update({x}, places, {"-" if is_less else ""}updates{more})
"""

    return body


def _depth(call: Call) -> int | None:
    """How many axes one row of indices tells; by the ranks, where its length is open."""
    places, ranks = call.shape(1), (call.rank(0), call.rank(1), call.rank(2))
    if places and places[-1] is not None:
        return places[-1]
    tensor, indices, updates = ranks
    if tensor is None or indices is None or updates is None:
        return None
    return tensor - (updates - (indices - 1))


define(
    "TensorScatterUpdate",
    shape=same,
    keras=_updated_text,
    body=_scattered_body(""),
    fold=_updated,
)


def _scattered_text(sign: str) -> Callable[..., str | None]:
    """What is added, scattered into zeros first."""

    def text(call: Call, x: str, indices: str, updates: str) -> str | None:
        shape = call.shape(0)
        if shape is None or None in shape:
            return None
        added = f"ops.scatter({indices}, {updates}, {literal(tuple(shape))})"
        return f"{x} {sign} {added}"

    return text


define(
    "TensorScatterAdd",
    "ScatterNdNonAliasingAdd",
    shape=same,
    keras=_scattered_text("+"),
    body=_scattered_body("add"),
)
define(
    "TensorScatterSub",
    shape=same,
    keras=_scattered_text("-"),
    body=_scattered_body("sub"),
)
define("TensorScatterMax", shape=same, body=_scattered_body("max"))
define("TensorScatterMin", shape=same, body=_scattered_body("min"))


define(
    "NearestNeighbors",
    shape=lambda call: (((call.shape(0) or (None,))[0], call.integer(2)),) * 2,
    traits="untraced",
)


def _top_shape(call: Call) -> tuple[Shape, Shape]:
    shape = call.shape(0)
    count = call.integer(1) if len(call.inputs) > 1 else call["k"]
    top = None if shape is None else (*shape[:-1], count)
    return top, top


def _top_text(call: Call, x: str, *_: str) -> str | None:
    count = call.integer(1) if len(call.inputs) > 1 else call["k"]
    if count is None:
        return None
    ordered = "" if call["sorted"] else ", sorted=False"
    return f"ops.top_k({x}, {count}{ordered})"


define("TopK", "TopKV2", shape=_top_shape, keras=_top_text)
define(
    "InTopK",
    "InTopKV2",
    shape=lambda call: (call.shape(1),),
    keras=lambda call, predictions, targets, *k: (
        f"ops.in_top_k({targets}, {predictions}, k={call.get('k') or call.integer(2)})"
        if call.get("k") or call.integer(2)
        else None
    ),
)


def _nth_text(call: Call, x: str, n: str) -> str:
    """One place of what is sorted; a place that is fed counts from the end of what is turned round."""
    number = call.integer(1)
    if number is not None:
        return f"ops.sort({x}, axis=-1)[..., {_counted(call, number)}]"
    ordered = f"ops.sort({x}, axis=-1)"
    if call["reverse"]:
        ordered = f"ops.flip({ordered}, axis=-1)"
    return f"ops.take({ordered}, {n}, axis=-1)"


define(
    "NthElement",
    shape=lambda call: ((call.shape(0) or ())[:-1] if call.shape(0) else None,),
    keras=_nth_text,
)


def _counted(call: Call, n: int) -> int:
    return -1 - n if call["reverse"] else n


def _bound_shape(call: Call) -> tuple[Shape]:
    return (call.shape(1),)


def _bound_text(sign: str) -> Callable[..., str | None]:
    """How many of the sorted numbers lie below each value."""

    def text(call: Call, ordered: str, values: str) -> str | None:
        if call.value(0) is not None and call.value(1) is not None:
            return None
        low, high = f"ops.expand_dims({ordered}, -2)", f"ops.expand_dims({values}, -1)"
        below = f"{high} {sign.replace('<', '>')} {low}"  # a constant cannot lead
        if call.value(1) is not None:
            below = f"{low} {sign} {high}"
        dtype = literal(call.get("out_type", "int32"))
        return f"ops.sum(ops.cast({below}, {dtype}), axis=-1)"

    return text


define("LowerBound", shape=_bound_shape, keras=_bound_text("<"))
define("UpperBound", shape=_bound_shape, keras=_bound_text("<="))
define(
    "Bucketize",
    shape=same,
    keras=lambda call, x: f"ops.digitize({x}, np.array({list(call['boundaries'])}))",
)


def _sparse_product_shape(call: Call) -> tuple[Shape]:
    size, dense = call.dims(2), call.shape(3)
    rows = size[1 if call["adjoint_a"] else 0] if size is not None else None
    is_matrix = dense is not None and len(dense) == 2
    return (
        (rows, dense[0 if call["adjoint_b"] else 1] if is_matrix and dense else None),
    )


def _sparse_product(
    call: Call, indices: str, values: str, shape: str, dense: str
) -> str | None:
    """Each number times the row that its column names, summed by its row."""
    size = call.integers(2)
    if size is None or call["adjoint_b"]:
        return None
    row, column = (1, 0) if call["adjoint_a"] else (0, 1)
    rows = f"ops.take({dense}, {indices}[:, {column}], axis=0)"
    weighed = f"ops.expand_dims({values}, axis=1) * {rows}"
    places = f'ops.cast({indices}[:, {row}], "int32")'
    return f"ops.segment_sum({weighed}, {places}, num_segments={size[row]})"


define("SparseTensorDenseMatMul", shape=_sparse_product_shape, keras=_sparse_product)
