"""numpy evaluation of an op of which some input elements are unknown, as in the vectors that Reshape takes.

Ops that only move elements move what is known of them along; elementwise ops know an element where all its operands
are known; reductions where all that is reduced is. TensorFlow's own inference does this for a handful of ops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from ...graph import Shape
from ..registry import Call, Meaning, Partial, Unsaid, Value

_FEW = 64  # elements of a vector of sizes of which nothing is known yet


@cache
def attributes(function: Callable[..., Any]) -> tuple[str, ...]:
    """The keyword-only parameters of a fold: they are filled with the attributes of the same name."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ()  # a numpy ufunc
    start = code.co_argcount
    return tuple(code.co_varnames[start : start + code.co_kwonlyargcount])


def run(meaning: Meaning, call: Call, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs of a fold on these arrays; raises Unsaid where the op has none."""
    if meaning.fold is None:
        raise Unsaid(f"{call.op} cannot be folded")
    if meaning.moves is None and any(array.dtype == object for array in arrays):
        raise Unsaid("strings can be moved, nothing more")
    arguments = {name: call[name] for name in attributes(meaning.fold)}
    with np.errstate(all="ignore"):
        results = meaning.fold(*arrays, **arguments)
    if results is None:
        raise Unsaid(f"{call.op} cannot be folded here")
    return list(results) if isinstance(results, tuple | list) else [np.asarray(results)]


def evaluate(meaning: Meaning, call: Call, ports: int) -> tuple[Value, ...]:
    """What is known of each output; raises whatever numpy raises on inputs that contradict the op."""
    if meaning.measure is not None:
        measured = tuple(meaning.measure(call))[:ports]
        return measured + (None,) * (ports - len(measured))
    operands: list[Any] = _filled(meaning, call)
    if len(operands) != len(call.inputs) or any(value is None for value in operands):
        return (None,) * ports
    if any(isinstance(value, Partial) for value in operands):
        results = [_settled(value) for value in _partly(meaning, call, operands)]
    else:
        results = list(run(meaning, call, operands))
    return tuple(results[:ports]) + (None,) * (ports - len(results))


def _moved_slots(meaning: Meaning, count: int) -> Sequence[int]:
    moves = meaning.moves
    return range(count)[moves(count) if callable(moves) else moves or slice(0)]


def _filled(meaning: Meaning, call: Call) -> list[Value]:
    """The known values; what an op moves may be unknown altogether, if only its shape is known."""
    operands = list(call.values)
    for slot in _moved_slots(meaning, len(operands)):
        shape = call.shape(slot)
        if operands[slot] is None and shape is not None and None not in shape:
            if math.prod(shape) > _FEW:  # type: ignore[arg-type]
                continue
            operands[slot] = _nothing(shape, call.dtype(slot))
    return operands


def _nothing(shape: Shape, dtype: str) -> Value:
    if dtype not in ("int32", "int64", "bool"):
        return None
    return Partial(np.zeros(shape, dtype), np.zeros(shape, bool))  # type: ignore[arg-type]


def _settled(value: Partial) -> Value:
    """A plain array where every element is known, None where none is."""
    if value.known.all():
        return value.array
    return value if value.known.any() else None


def _partly(meaning: Meaning, call: Call, operands: list[Any]) -> list[Partial]:
    arrays = [v.array if isinstance(v, Partial) else v for v in operands]
    masks = [
        v.known if isinstance(v, Partial) else np.ones(v.shape, bool) for v in operands
    ]
    if meaning.moves is not None:
        return _moved(meaning, call, operands, arrays, masks)
    results = run(meaning, call, arrays)
    if "elementwise" in meaning.traits:
        shape = results[0].shape
        mask = np.logical_and.reduce([np.broadcast_to(m, shape) for m in masks])
        return [Partial(array, mask) for array in results]
    if "reduction" in meaning.traits and masks[1].all():
        axes = tuple(int(axis) for axis in arrays[1].reshape(-1))
        mask = np.all(masks[0], axis=axes, keepdims=bool(call.get("keep_dims")))
        return [Partial(results[0], mask)]
    return []


def _moved(
    meaning: Meaning,
    call: Call,
    operands: list[Any],
    arrays: list[np.ndarray],
    masks: list[np.ndarray],
) -> list[Partial]:
    moved = _moved_slots(meaning, len(operands))
    if any(not masks[slot].all() for slot in range(len(operands)) if slot not in moved):
        return []  # where to is unknown
    elements = [
        masks[slot] if slot in moved else array for slot, array in enumerate(arrays)
    ]
    values, mask = run(meaning, call, arrays), run(meaning, call, elements)
    return [Partial(*pair) for pair in zip(values, mask, strict=True)]


def vector(sizes: Shape, dtype: str) -> Value:
    """A shape as the elements of a tensor: known where every size is, else Partial; None for an unknown rank."""
    if sizes is None:
        return None
    array = np.array([0 if size is None else size for size in sizes], dtype)
    if None not in sizes:
        return array
    return Partial(array, np.array([size is not None for size in sizes]))
