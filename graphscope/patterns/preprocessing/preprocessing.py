"""Preprocessing layers: what stands before a network and has no trained weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Tensor
from ...match import (
    Bindings,
    Input,
    Scalar,
    Term,
    View,
    Weight,
    WeightRef,
    layer,
    op,
    sqrt,
)
from ...match.solver.match import plain_float
from ..keras_arguments import rounded

MOST_ARGUMENTS = 4096  # constants of more channels than that are weights


def on_last_axis(mean: WeightRef, variance: WeightRef) -> bool | str:
    """Whether the statistics vary along the last axis alone."""
    fits = all(weight.shape[-1] == np.prod(weight.shape) for weight in (mean, variance))
    return fits or "the statistics do not vary along the last axis alone"


_BEFORE = frozenset(
    "Cast Add Sub Mul RealDiv ExpandDims Squeeze Reshape Transpose Pack ConcatV2 ReverseV2 Slice StridedSlice".split()
)
MOST_BEFORE = 16  # nodes between an input and what prepares it


def _prepares(view: View, x: Tensor) -> bool | str:
    """Whether a tensor is an input of the model, or what constants, resizing and reshaping make of one.

    Further in, nobody calls a Rescaling layer where ``x * 0.5`` says the same.
    """
    for _ in range(MOST_BEFORE):
        x, _ = view.producer(x)
        op = view.ops[x.node]
        if op.startswith("Placeholder") or op == "_Arg":
            return True
        fed = [each for each in view.inputs[x.node] if each.node in view.dynamic]
        if len(fed) != 1 or not (op in _BEFORE or op.startswith(("Resize", "Decode"))):
            break
        x = fed[0]
    return "it is not what prepares an input: an engineer would write the arithmetic"


def _rescales(b: Bindings) -> bool | str:
    return b.offset is not None or _prepares(b.view, b.x)


def _is_divided(_divisor: float) -> bool | str:
    return _divisor != 0 or "it is divided by zero"


def _config(b: Bindings) -> dict[str, Any]:
    """The factor and what is added after it, in place of a divisor and of what is added before."""
    scale = 1.0 if b.scale is None else b.scale
    offset = 0.0 if b.offset is None else b.offset
    if b._divisor is not None:
        scale = rounded(1 / b._divisor)
    if b._shift is not None:
        shifted = b._shift * scale if b._divisor is None else b._shift / b._divisor
        offset = rounded(shifted)
    return {"scale": scale, "offset": offset}


@layer("Rescaling", where=_rescales, config=_config)
def rescaling(x: Input, scale: Scalar, offset: Scalar | None) -> Term:
    return x * scale + offset


@layer("Rescaling", where=_prepares, scale=1.0)
def rescaling_offset(x: Input, offset: Scalar) -> Term:
    return x + offset


@layer("Rescaling", where=(_is_divided, _rescales), config=_config)
def rescaling_divided(x: Input, _divisor: Scalar, offset: Scalar | None) -> Term:
    return op.RealDiv(x, _divisor) + offset


@layer("Rescaling", where=_prepares, config=_config)
def rescaling_shifted(x: Input, scale: Scalar, _shift: Scalar) -> Term:
    return (x + _shift) * scale


@layer("Rescaling", where=(_is_divided, _prepares), config=_config)
def rescaling_shifted_divided(x: Input, _divisor: Scalar, _shift: Scalar) -> Term:
    return op.RealDiv(x + _shift, _divisor)


def _statistics(
    view: View, mean: WeightRef, variance: WeightRef
) -> dict[str, WeightRef]:
    if (
        _as_arguments(view, mean) is not None
        and _as_arguments(view, variance) is not None
    ):
        return {}
    return {"mean": mean.flat(), "variance": variance.flat()}


def _axis(b: Bindings) -> int | None:
    """The one axis along which statistics vary: the last, or one of as many as the tensor has (channels first)."""
    if on_last_axis(b.mean, b.variance) is True:
        return -1
    rank = len(b.shape or ())
    wide = {
        k
        for weight in (b.mean, b.variance)
        for k, n in enumerate(weight.shape)
        if n > 1
    }
    fits = len(b.mean.shape) == len(b.variance.shape) == rank and len(wide) == 1
    return wide.pop() if fits and b.mean.shape == b.variance.shape else None


def _normalization(b: Bindings) -> dict[str, Any]:
    numbers = {n: _as_arguments(b.view, getattr(b, n)) for n in ("mean", "variance")}
    untrained = numbers if None not in numbers.values() else {}
    return {"axis": _axis(b), "invert": False, **untrained}


def _as_arguments(view: View, weight: WeightRef) -> list[float] | None:
    """The numbers of a constant that was never a variable: arguments rather than weights."""
    value = view.attrs[weight.node].get("value") if weight.direct else None
    if value is None or value.size > MOST_ARGUMENTS:
        return None
    return [plain_float(each) for each in value.reshape(-1)]


@layer(
    "Normalization",
    where=lambda b: _axis(b) is not None
    or "the statistics do not vary along one axis alone",
    weights=_statistics,
    config=_normalization,
)
def normalization(x: Input, mean: Weight, variance: Weight) -> Term:
    """Keras's Normalization; its epsilon of 1e-7 keeps the deviation from being zero."""
    return (x - mean) / op.Maximum(sqrt(variance), 1e-7)


def _numbers(view: View, weight: WeightRef) -> np.ndarray | None:
    """The values of a constant or of what constants determine; None for a variable."""
    if not weight.node:
        return view.array(weight)
    value = view.attrs[weight.node].get("value")
    return None if value is None or weight.steps else value


def _by_deviation(view: View, mean: WeightRef, deviation: WeightRef) -> bool | str:
    fits = on_last_axis(mean, deviation)
    if fits is not True:
        return fits
    spread, centre = _numbers(view, deviation), _numbers(view, mean)
    if centre is None or centre.size > MOST_ARGUMENTS:
        return "the mean is no small constant"
    is_positive = spread is not None and bool(np.all(spread > 0))
    return is_positive or "the deviation is no positive constant"


def _arguments(view: View, mean: WeightRef, variance: np.ndarray) -> dict[str, Any]:
    """Statistics that were never trained, as numbers in the source."""
    arrays = {"mean": np.asarray(_numbers(view, mean)), "variance": variance}
    lists = {
        name: [plain_float(each) for each in array.reshape(-1)]
        for name, array in arrays.items()
    }
    return {"axis": -1, "invert": False, **lists}


def _squared(view: View, deviation: WeightRef) -> np.ndarray:
    return np.square(np.asarray(_numbers(view, deviation), np.float64))


@layer(
    "Normalization",
    where=_by_deviation,
    config=lambda b: _arguments(b.view, b.mean, _squared(b.view, b.deviation)),
    weights=lambda: {},
)
def normalization_by_deviation(x: Input, mean: Weight, deviation: Weight) -> Term:
    """Statistics gathered while training and divided out by hand (Unity's ml-agents)."""
    return (x - mean) / deviation


@layer(
    "Normalization",
    where=lambda view, mean, share: _by_deviation(view, mean, share),
    config=lambda b: _arguments(b.view, b.mean, 1 / _squared(b.view, b.share)),
    weights=lambda: {},
)
def normalization_by_share(x: Input, mean: Weight, share: Weight) -> Term:
    """The same after constant folding: times one over the deviation."""
    return op.Mul(x - mean, share) | op.Mul(share, x - mean)
