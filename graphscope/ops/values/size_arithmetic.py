"""Arithmetic on sizes that only a run knows.

The folds of the ops run on numpy arrays of ``Size`` objects as they run on numbers, so that what a graph computes from
``Shape`` with a dozen ops comes out as one expression: ``(shape[1] - like[1]) // 2``.
"""

from __future__ import annotations

import numpy as np

from ..registry import TABLE, Call, Unsaid
from .partial import attributes
from .size import Size

_INTEGERS = ("int32", "int64")
# Ops of which numpy's way with objects is the op's own; comparisons are not: a Size equals no number.
_ARITHMETIC = frozenset("Add AddV2 AddN Sub Mul Neg Prod Sum".split())


def _either(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The lower or the higher of two equal sizes."""
    if a.shape != b.shape or not all(x == y for x, y in zip(a.flat, b.flat)):
        raise Unsaid("which size is the lower one")
    return a


_PYTHON = {
    "FloorDiv": lambda a, b: a // b,
    "FloorMod": lambda a, b: a % b,
    "Maximum": _either,
    "Minimum": _either,
}


def holds_sizes(value: object) -> bool:
    """Whether a value is an array of which an element is a Size."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == object
        and any(isinstance(each, Size) for each in value.ravel())
    )


def combined(call: Call) -> list[np.ndarray]:
    """The outputs of an op on integers of which some are Sizes.

    Raises Unsaid, or whatever numpy and Python raise, where they are no such integers.
    """
    values = [_array(value) for value in call.values]
    meaning = TABLE.get(call.op)
    if call.op == "Cast" and call["DstT"] in _INTEGERS:
        return values
    if call.op in _PYTHON:
        return [_array(_PYTHON[call.op](*values))]
    if meaning is None or meaning.fold is None:
        raise Unsaid(f"{call.op} cannot be folded")
    if meaning.moves is None and call.op not in _ARITHMETIC:
        raise Unsaid(f"{call.op} needs to know its numbers")
    named = {name: call[name] for name in attributes(meaning.fold)}
    results = meaning.fold(*values, **named)
    return [
        _array(each)
        for each in (results if isinstance(results, list | tuple) else [results])
    ]


def _array(value: object) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Size | int | np.integer):
        array = np.empty((), object)
        array[()] = value
        return array
    raise Unsaid("an element of unknown value")
