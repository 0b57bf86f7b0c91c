"""What is as long as the elements tell: stitches and partitions, places, the unique, sets.

Bodies number places by ``ops.nonzero`` and ``ops.arange`` of what was counted: sizes that TensorFlow, PyTorch and JAX (uncompiled)
find while they run.
"""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import merge, unknown


def _stitch_shape(call: Call) -> tuple[Shape]:
    count = len(call.inputs) // 2
    rest: Shape = None
    for slot in range(count):
        indices, data = call.shape(slot), call.shape(count + slot)
        if indices is not None and data is not None:
            tail = data[len(indices) :]
            rest = merge(rest, tail)
    tops = [call.value(slot) for slot in range(count)]
    if rest is None:
        return (None,)
    if any(top is None for top in tops):
        return ((None, *rest),)
    return ((max((int(t.max()) for t in tops if t.size), default=-1) + 1, *rest),)  # type: ignore[union-attr]


def _stitch(*arrays: np.ndarray) -> np.ndarray:
    count = len(arrays) // 2
    pairs = [
        (i.reshape(-1), d.reshape((-1, *d.shape[i.ndim :])))
        for i, d in zip(arrays[:count], arrays[count:], strict=True)
    ]
    length = max(int(i.max()) for i, _ in pairs if i.size) + 1
    merged = np.zeros((length, *pairs[0][1].shape[1:]), pairs[0][1].dtype)
    for indices, data in pairs:
        merged[indices] = data
    return merged


def _stitch_text(call: Call, *texts: str) -> str | None:
    """One after the other, then in the order that the indices say."""
    count = len(texts) // 2
    known = [call.integers(slot) for slot in range(count)]
    if any(k is None or call.rank(i) != 1 for i, k in enumerate(known)):
        return None
    places = {at: row for row, at in enumerate(at for k in known for at in k or ())}
    if not places or set(places) != set(range(len(places))):
        return None
    rows = f"ops.concatenate([{', '.join(texts[count:])}], axis=0)"
    order = [places[at] for at in range(len(places))]
    return f'ops.take({rows}, ops.array({literal(order)}, "int32"), axis=0)'


def _stitch_body(call: Call, *texts: str) -> str | None:
    """Each place has the last of the rows that go there."""
    count = len(texts) // 2
    ranks = [call.rank(slot) for slot in range(count)]
    if None in ranks:
        return None
    indices = (f"ops.reshape({text}, (-1,))" for text in texts[:count])
    rows = [
        text if rank == 1 else f"ops.reshape({text}, (-1, *ops.shape({text})[{rank}:]))"
        for text, rank in zip(texts[count:], ranks)
    ]
    rest = len(_stitch_shape(call)[0] or ()) - 1
    return f"""
places = ops.concatenate([{", ".join(indices)}], axis=0)
rows = ops.concatenate([{", ".join(rows)}], axis=0)
lands = ops.expand_dims(ops.arange(ops.max(places) + 1), 1) == places
last = ops.max(ops.where(lands, ops.arange(ops.shape(places)[0]), -1), axis=1)
merged = ops.take(rows, ops.maximum(last, 0), axis=0)
return ops.where(ops.reshape(last >= 0, {literal((-1, *[1] * rest))}), merged, ops.zeros_like(merged))
"""


define(
    "DynamicStitch",
    "ParallelDynamicStitch",
    shape=_stitch_shape,
    keras=_stitch_text,
    body=_stitch_body,
    fold=_stitch,
    moves=lambda count: slice(count // 2, None),
)


def _partition_shape(call: Call) -> list[Shape]:
    data, parts = call.shape(0), call.rank(1)
    one: Shape = None
    if data is not None and parts is not None:
        one = (None, *data[parts:])
    return [one] * int(call["num_partitions"])


def _partition_text(call: Call, x: str, parts: str) -> str | None:
    """The rows of each part, where it is partitions which those are."""
    partitions = call.integers(1)
    if partitions is None or call.rank(1) != 1 or call.value(0) is not None:
        return None
    rows = [
        [row for row, part in enumerate(partitions) if part == number]
        for number in range(int(call["num_partitions"]))
    ]
    if not all(rows):
        return None
    picked = (f'ops.take({x}, ops.array({literal(r)}, "int32"), axis=0)' for r in rows)
    return f"({', '.join(picked)},)"


def _partition_body(call: Call, x: str, parts: str) -> str | None:
    rank = call.rank(1)
    if rank is None:
        return None
    lines = []
    if rank != 1:
        lines = [
            f"rows = ops.reshape({x}, (-1, *ops.shape({x})[{rank}:]))",
            f"parts = ops.reshape({parts}, (-1,))",
        ]
        x, parts = "rows", "parts"
    taken = [
        f"ops.take({x}, ops.nonzero({parts} == {number})[0], axis=0),"
        for number in range(int(call["num_partitions"]))
    ]
    return "\n".join([*lines, "return (", *(f"    {each}" for each in taken), ")"])


define(
    "DynamicPartition",
    shape=_partition_shape,
    keras=_partition_text,
    body=_partition_body,
)


def _difference(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    remaining = np.flatnonzero(~np.isin(x, y))
    return x[remaining], remaining.astype(np.int32)


def _difference_shape(call: Call) -> tuple[Shape, Shape]:
    x, y = call.value(0), call.value(1)
    if x is None or y is None:
        return (None,), (None,)
    return _difference(x, y)[0].shape, _difference(x, y)[1].shape


def _true_shape(call: Call) -> tuple[Shape]:
    truths = call.value(0)
    return ((None if truths is None else int(np.count_nonzero(truths)), call.rank(0)),)


define(
    "Where",
    shape=_true_shape,
    body=lambda call, x: f'return ops.cast(ops.stack(ops.nonzero({x}), axis=-1), "int64")',
    fold=lambda x: np.argwhere(x).astype(np.int64),
)
_NUMBERS = frozenset("float16 float32 float64 int8 int16 int32 int64 uint8".split())


def _unique_body(call: Call, x: str, *_: str) -> str | None:
    """In the order in which they come first."""
    if call.dtype(0) not in _NUMBERS or call.rank(0) != 1:
        return None
    dtype = literal(call["out_idx"])
    counts = f', ops.cast(ops.sum(ops.cast(ops.take(same, places, axis=0), "int32"), axis=1), {dtype})'
    return f"""
same = ops.expand_dims({x}, 1) == {x}
first = ops.argmax(ops.cast(same, "int32"), axis=1)
is_first = ops.cast(first, "int32") == ops.arange(ops.shape({x})[0])
places = ops.nonzero(is_first)[0]
numbers = ops.cumsum(ops.cast(is_first, "int32")) - 1
index = ops.cast(ops.take(numbers, first), {dtype})
return ops.take({x}, places), index{counts if "Counts" in call.op else ""}
"""


define(
    "Unique",
    "UniqueV2",
    shape=lambda call: (_rows(call), (call.shape(0) or (None,))),
    body=_unique_body,
)
define(
    "UniqueWithCounts",
    shape=lambda call: ((None,), call.shape(0), (None,)),
    body=_unique_body,
)


def _difference_body(call: Call, x: str, y: str) -> str | None:
    if call.dtype(0) not in _NUMBERS:
        return None
    return f"""
is_in = ops.any(ops.expand_dims({x}, 1) == ops.expand_dims({y}, 0), axis=1)
places = ops.nonzero(ops.logical_not(is_in))[0]
return ops.take({x}, places), ops.cast(places, {literal(call["out_idx"])})
"""


define("ListDiff", shape=_difference_shape, body=_difference_body, fold=_difference)


def _sets_shape(call: Call) -> tuple[Shape, ...]:
    rank = call.rank(0)
    return (None, rank), (None,), (rank,)


def _sets_body(call: Call, a: str, b: str, *_: str) -> str | None:
    """Of matrices, each row a set: what is kept of the sorted rows, the first of equal ones."""
    kind, ranks = call["set_operation"], (call.rank(0), call.rank(1))
    if ranks != (2, 2) or kind not in _SETS or call.dtype(0) not in _NUMBERS:
        return None
    rows, other, kept = _SETS[kind]
    rows, other = (text.format(a=a, b=b) for text in (rows, other))
    is_in = f"ops.any(ops.expand_dims(rows, 2) == ops.expand_dims({other}, 1), axis=2)"
    return f"""
rows = ops.sort({rows}, axis=1)
kept = ops.concatenate([ops.ones_like(rows[:, :1]) > 0, rows[:, 1:] != rows[:, :-1]], axis=1)
{f"kept = ops.logical_and(kept, {kept.format(is_in)})" if kept else ""}
row, column = ops.nonzero(kept)
counts = ops.cumsum(ops.cast(kept, "int32"), axis=1)
places = row * ops.shape(rows)[1] + column
index = ops.stack([row, ops.take(ops.reshape(counts, (-1,)), places) - 1], axis=1)
sizes = ops.stack([ops.shape(rows)[0], ops.max(counts)])
return ops.cast(index, "int64"), ops.take(ops.reshape(rows, (-1,)), places), ops.cast(sizes, "int64")
""".replace("\n\n", "\n")


_SETS = {
    "a-b": ("{a}", "{b}", "ops.logical_not({})"),
    "b-a": ("{b}", "{a}", "ops.logical_not({})"),
    "intersection": ("{a}", "{b}", "{}"),
    "union": ("ops.concatenate([{a}, {b}], axis=1)", "", ""),
}
define("DenseToDenseSetOperation", shape=_sets_shape, body=_sets_body)


def _set_sizes(call: Call) -> tuple[Shape]:
    """One number for each set: the last axis holds the elements of one."""
    axes = call.shape(2)
    return (None if not axes or not axes[0] else unknown(axes[0] - 1),)


def _set_sizes_body(call: Call, index: str, values: str, sizes: str) -> str | None:
    """How many different ones each row has; of a matrix."""
    if call.shape(2) != (2,) or call.dtype(1) not in _NUMBERS:
        return None
    return f"""
row = {index}[:, 0]
same = ops.logical_and(ops.expand_dims({values}, 1) == {values}, ops.expand_dims(row, 1) == row)
order = ops.arange(ops.shape(row)[0])
again = ops.any(ops.logical_and(same, ops.expand_dims(order, 1) > order), axis=1)
row = ops.where(again, -1, row)
rows = ops.arange({sizes}[0])
return ops.sum(ops.cast(ops.expand_dims(rows, 1) == ops.cast(row, rows.dtype), "int32"), axis=1)
"""


define("SetSize", shape=_set_sizes, body=_set_sizes_body)


def _rows(call: Call) -> Shape:
    shape = call.shape(0)
    return (None,) if shape is None or len(shape) == 1 else unknown(len(shape))
