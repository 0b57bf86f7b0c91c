"""Choices between elements: select, clip, broadcast."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import broadcast, broadcasting, merge, shape_from


def _select_shape(call: Call) -> tuple[Shape]:
    return (merge(call.shape(1), call.shape(2)),)


def _select_text(call: Call, test: str, a: str, b: str) -> str | None:
    tests, rank = call.rank(0), call.rank(1)
    if tests is None or rank is None:
        return None
    if tests == 1 and rank > 1:  # a vector chooses rows
        test = f"ops.reshape({test}, {literal((-1,) + (1,) * (rank - 1))})"
    return f"ops.where({test}, {a}, {b})"


def _select(test: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if test.ndim == 1 and a.ndim > 1:
        test = test.reshape((-1,) + (1,) * (a.ndim - 1))
    return np.where(test, a, b)


define(
    "Select",
    shape=_select_shape,
    keras=_select_text,
    fold=_select,
    moves=slice(1, None),
)
define(
    "SelectV2",
    shape=broadcasting,
    keras="ops.where({0}, {1}, {2})",
    fold=np.where,
    moves=slice(1, None),
    traits="elementwise",
)


def _clip_text(call: Call, x: str, low: str, high: str) -> str:
    least, most = call.value(1), call.value(2)
    if least is None or most is None or least.size != 1 or most.size != 1:
        return f"ops.minimum(ops.maximum({x}, {low}), {high})"
    return f"ops.clip({x}, {literal(least.reshape(())[()])}, {literal(most.reshape(())[()])})"


define(
    "ClipByValue",
    shape=lambda call: (broadcast(call.shape(0), call.shape(1), call.shape(2)),),
    keras=_clip_text,
    fold=lambda x, low, high: np.minimum(np.maximum(x, low), high),
    traits="elementwise",
)


def _spread(call: Call) -> tuple[Shape]:
    """The target shape; an input size above 1 can only stay."""
    target, shape = shape_from(call, 1), call.shape(0)
    if target is None or shape is None:
        return (target,)
    if len(shape) > len(target):
        raise Unsaid("broadcast to a lower rank")
    leading = (None,) * (len(target) - len(shape)) + tuple(
        None if size == 1 else size for size in shape
    )
    return (merge(target, leading),)


define(
    "BroadcastTo",
    shape=_spread,
    keras=lambda call, x, _: (
        None
        if call.integers(1) is None
        else f"ops.broadcast_to({x}, {literal(call.integers(1))})"
    ),
    fold=lambda x, shape: np.broadcast_to(x, tuple(shape)),
    traits="movement",
    moves=slice(0, 1),
)
