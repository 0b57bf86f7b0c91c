"""Small sums over whole numbers: bits that are set, indices into what was flattened, orders of axes."""

from __future__ import annotations

from ...graph import Shape
from ..registry import Call, define
from ..text import literal, tensor_text
from ..values.dims import same


def _population_body(call: Call, x: str) -> str | None:
    dtype = call.dtype(0)
    if not dtype.startswith(("int", "uint")) or call.rank(0) is None:
        return None
    bits = int(dtype.lstrip("uint"))
    return f"""
one = ops.cast(1, "{dtype}")
bits = [ops.right_shift({x}, ops.cast(i, "{dtype}")) & one for i in range({bits})]
return ops.cast(sum(bits), "uint8")
"""


define("PopulationCount", shape=same, body=_population_body, traits="elementwise")


def _unravelled_shape(call: Call) -> tuple[Shape]:
    indices, dims = call.shape(0), call.shape(1)
    if indices is None or not dims:
        return (None,)
    return ((dims[0], *(n for n in indices)),)


def _unravelled_body(call: Call, indices: str, dims: str) -> str | None:
    """One row for each axis."""
    count = (call.shape(1) or (None,))[0]
    if count is None or call.rank(0) is None:
        return None
    indices, dims = tensor_text(call, 0, indices), tensor_text(call, 1, dims)
    return f"""
rows = [{indices} // ops.prod({dims}[i + 1 :]) % {dims}[i] for i in range({count})]
return ops.stack(rows, axis=0)
"""


define("UnravelIndex", shape=_unravelled_shape, body=_unravelled_body)


def _order(call: Call) -> list[int]:
    """For each axis of the source format its place in the other one."""
    source, target = str(call["src_format"]), str(call["dst_format"])
    return [target.index(axis) for axis in source]


def _axis_body(call: Call, x: str) -> str:
    places = literal(_order(call))
    table = f"ops.convert_to_tensor({places}, {literal(call.dtype(0))})"
    return f"return ops.take({table}, {tensor_text(call, 0, x)} % {len(_order(call))})"


def _permuted_body(call: Call, x: str) -> str | None:
    """Rows in the order of the other format, where there is one for each axis."""
    order = _order(call)
    if (call.shape(0) or (None,))[0] != len(order):
        return None
    rows = literal([order.index(place) for place in range(len(order))])
    return f"return ops.take({tensor_text(call, 0, x)}, ops.array({rows}), axis=0)"


define("DataFormatDimMap", shape=same, body=_axis_body)
define("DataFormatVecPermute", shape=same, body=_permuted_body)
