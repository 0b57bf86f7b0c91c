"""Tensors made from numbers: fill, range, one-hot, and the sizes of other tensors."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import axis_of, elements, scalar, shape_from
from ..values.partial import vector
from ..values.size_arithmetic import holds_sizes


def _fill_text(call: Call, _: str, value: str) -> str | None:
    shape, dtype = call.integers(0), call.get("T") or call.dtype(1)
    if shape is None or not dtype or dtype == "string":
        return None
    kind = "" if dtype == "float32" else f", dtype={literal(dtype)}"
    maker = {"0": "zeros", "0.0": "zeros", "1": "ones", "1.0": "ones"}.get(value)
    if maker:
        return f"ops.{maker}({literal(shape)}{kind})"
    return f"ops.full({literal(shape)}, {value}, dtype={literal(dtype)})"


_ELSEWHERE = 'if keras.config.backend() != "tensorflow":'  # shapes are numbers there


def _fill_body(call: Call, dims: str, value: str) -> str | None:
    if not dims.isidentifier() or call.rank(1) != 0:
        return None
    return f"""
{_ELSEWHERE}
    {dims} = ops.convert_to_numpy({dims}).tolist()
return ops.broadcast_to({value}, {dims})
"""


define(
    "Fill",
    shape=lambda call: (shape_from(call, 0),),
    keras=_fill_text,
    body=_fill_body,
    fold=lambda shape, value: np.full(tuple(int(d) for d in shape), value, value.dtype),
    moves=slice(1, 2),
)
define(
    "Shape",
    shape=lambda call: ((call.rank(0),),),
    traits="shape-only",
    measure=lambda call: (vector(call.shape(0), call["out_type"]),),
)
define(
    "ShapeN",
    shape=lambda call: [(call.rank(slot),) for slot in range(len(call.inputs))],
    traits="shape-only",
    measure=lambda call: [
        vector(call.shape(slot), call["out_type"]) for slot in range(len(call.inputs))
    ],
)


def _number(value: int | None, dtype: str) -> tuple[np.ndarray | None]:
    return (None if value is None else np.array(value, dtype),)


define(
    "Rank",
    shape=scalar,
    traits="shape-only",
    measure=lambda call: _number(call.rank(0), "int32"),
)
define(
    "Size",
    shape=scalar,
    traits="shape-only",
    measure=lambda call: _number(elements(call.shape(0)), call["out_type"]),
)


def _range_shape(call: Call) -> tuple[Shape]:
    bounds = [call.value(slot) for slot in range(3)]
    if any(bound is None for bound in bounds):
        return ((None,),)
    start, limit, delta = (float(bound) for bound in bounds)  # type: ignore[arg-type]
    return ((max(0, int(np.ceil((limit - start) / delta))),),)


def _range_text(call: Call, *_: str) -> str | None:
    bounds = [call.value(slot) for slot in range(3)]
    if any(bound is None for bound in bounds):
        return None
    start, limit, delta = (literal(bound.reshape(())[()]) for bound in bounds)  # type: ignore[union-attr]
    texts = [start, limit, delta]
    if any(holds_sizes(bound) for bound in bounds):  # of sizes JAX counts in integers
        texts = start, limit, delta = [text.removesuffix(".0") for text in texts]
    if delta in ("1", "1.0"):
        texts = [limit] if start in ("0", "0.0") else [start, limit]
    return f"ops.arange({', '.join(texts)}, dtype={literal(call['Tidx'])})"


def _range_body(call: Call, start: str, limit: str, delta: str) -> str:
    bounds = [text for text in (start, limit, delta) if text.isidentifier()]
    numbers = [f"    {text} = ops.convert_to_numpy({text}).tolist()" for text in bounds]
    text = f"ops.arange({start}, {limit}, {delta}, dtype={literal(call['Tidx'])})"
    return "\n".join([_ELSEWHERE, *numbers, f"return {text}"])


def _range(start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> np.ndarray:
    return np.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


define(
    "Range",
    shape=_range_shape,
    keras=_range_text,
    body=_range_body,
    fold=_range,
)


def _evenly_text(call: Call, start: str, stop: str, _: str) -> str | None:
    """One place alone is the start: Keras's PyTorch divides by the number of steps, which is then 0."""
    count = call.integer(2)
    if count == 1:
        return f"ops.reshape({start}, (1,))"
    return None if count is None else f"ops.linspace({start}, {stop}, {count})"


define(
    "LinSpace",
    shape=lambda call: ((call.integer(2),),),
    keras=_evenly_text,
    fold=lambda start, stop, num: np.linspace(
        float(start), float(stop), int(num), dtype=start.dtype
    ),
)


def _one_hot_shape(call: Call) -> tuple[Shape]:
    shape, depth = call.shape(0), call.integer(1)
    if shape is None:
        return (None,)
    at = axis_of(call["axis"], len(shape) + 1)
    return ((*shape[:at], depth, *shape[at:]),)


def _one_hot_text(
    call: Call, indices: str, depth: str, on: str, off: str
) -> str | None:
    count, high, low = call.integer(1), call.value(2), call.value(3)
    if count is None:
        return None
    dtype = call.get("T") or call.dtype(2) or "float32"
    if dtype == "string":
        return None
    is_last = call["axis"] in (-1, call.rank(0))
    axis = "" if is_last else f", axis={call['axis']}"
    text = f"ops.one_hot({indices}, {count}{axis}, dtype={literal(dtype)})"
    if high is not None and low is not None:
        if high == 1 and low == 0:
            return text
        if dtype != "bool" and np.isfinite(high) and np.isfinite(low):
            return f"{text} * ({on} - {off}) + {off}"
    hot = f'ops.one_hot({indices}, {count}{axis}, dtype="bool")'
    return f"ops.where({hot}, {on}, {off})"


def _one_hot(
    indices: np.ndarray,
    depth: np.ndarray,
    on: np.ndarray,
    off: np.ndarray,
    *,
    axis: int,
) -> np.ndarray:
    hot = np.expand_dims(indices, -1) == np.arange(int(depth))
    return np.moveaxis(np.where(hot, on, off), -1, axis)


define("OneHot", shape=_one_hot_shape, keras=_one_hot_text, fold=_one_hot)
