"""Batch normalization at inference: fused, written out, or folded to one scale and one offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...match import Attr, Held, Input, Scalar, Term, View, Weight, layer, op, rsqrt
from ...match.solver.match import plain_float
from ..keras_arguments import channel_axis

EPSILON = 1e-3  # Keras's default: what a folded batch norm is given back


def _vectors(
    gamma: Held | None, beta: Held | None, moving_mean: Held, moving_variance: Held
) -> dict[str, Held | None]:
    given = {
        "gamma": gamma,
        "beta": beta,
        "moving_mean": moving_mean,
        "moving_variance": moving_variance,
    }
    return {name: held.flat() if held else None for name, held in given.items()}


def _constant(view: View, held: Held, value: float) -> bool:
    """Whether it was never a variable, but one number all over (slim's ``scale=False``)."""
    if not held.direct or view.kinds[held.node] != "Const":
        return False
    return bool(np.all(view.attrs[held.node]["value"] == value))


def _fused_weights(
    view: View, gamma: Held, beta: Held, moving_mean: Held, moving_variance: Held
) -> dict[str, Held | None]:
    return _vectors(
        None if _constant(view, gamma, 1.0) else gamma,
        None if _constant(view, beta, 0.0) else beta,
        moving_mean,
        moving_variance,
    )


def _fused(
    view: View, epsilon: float, gamma: Held, beta: Held, layout: str
) -> dict[str, Any]:
    return {
        "axis": channel_axis(layout),
        "epsilon": plain_float(epsilon),
        "center": not _constant(view, beta, 0.0),
        "scale": not _constant(view, gamma, 1.0),
    }


@layer("BatchNormalization", config=_fused, weights=_fused_weights)
def fused_batch_norm(
    x: Input,
    gamma: Weight,
    beta: Weight,
    moving_mean: Weight,
    moving_variance: Weight,
    epsilon: Attr,
    layout: Attr,
    factor: Attr,
) -> Term:
    return op.FusedBatchNorm(
        x,
        gamma,
        beta,
        moving_mean,
        moving_variance,
        epsilon=epsilon,
        data_format=layout,
        exponential_avg_factor=factor,
        is_training=False,
    )


def _axis(view: View, x: Any, *weights: Held | None) -> int:
    """The one axis that the weights vary along: the last, unless their own shape says otherwise."""
    shape = view.shape(x)
    for held in weights:
        if held is None or len(held.shape) < 2:
            continue
        wide = [i - len(held.shape) for i, d in enumerate(held.shape) if d != 1]
        if len(wide) == 1 and wide[0] != -1:
            return wide[0] + len(shape) if shape is not None else wide[0]
    return -1


def _decomposed(
    view: View,
    x: Any,
    gamma: Held | None,
    beta: Held | None,
    moving_mean: Held,
    moving_variance: Held,
    epsilon: float,
) -> dict[str, Any]:
    return {
        "axis": _axis(view, x, moving_mean, moving_variance, gamma, beta),
        "epsilon": epsilon,
        "center": beta is not None,
        "scale": gamma is not None,
    }


def _one_axis(
    gamma: Held | None, beta: Held | None, moving_mean: Held, moving_variance: Held
) -> bool | str:
    given = [h for h in (gamma, beta, moving_mean, moving_variance) if h is not None]
    if any(sum(d != 1 for d in h.shape) > 1 for h in given):
        return "the statistics vary along more than one axis"
    sizes = {int(np.prod(h.shape)) for h in given}
    return len(sizes) == 1 or "the weights differ in size"


@layer("BatchNormalization", where=_one_axis, config=_decomposed, weights=_vectors)
def batch_norm(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    moving_mean: Weight,
    moving_variance: Weight,
    epsilon: Scalar,
) -> Term:
    root = rsqrt(moving_variance + epsilon)
    scale = gamma * root
    return (
        (x - moving_mean) * scale + beta
        | x * scale - moving_mean * scale + beta
        | (x * root - moving_mean * root) * gamma + beta  # Caffe's Scale comes after
    )


def _by_deviation(
    view: View,
    gamma: Held | None,
    beta: Held | None,
    moving_mean: Held,
    deviation: Held,
) -> bool | str:
    if gamma is None and beta is None:
        return "nothing is trained: a normalization"
    source = deviation.source
    if source is None or view.ops[view.producer(source)[0].node] in ("Sqrt", "Pow"):
        return "the deviation is no sum with the root of a variance"
    return _one_axis(gamma, beta, moving_mean, deviation)


@layer(
    "BatchNormalization",
    where=_by_deviation,
    config=lambda view, x, gamma, beta, moving_mean, deviation: _decomposed(
        view, x, gamma, beta, moving_mean, deviation, EPSILON
    ),
    weights=lambda gamma, beta, moving_mean, deviation: _vectors(
        gamma,
        beta,
        moving_mean,
        deviation.then("deviation", EPSILON, deviation.shape),
    ),
    evidence="divided by the root of the variance and a number added after the root: the variance that gives as much,"
    " with an epsilon of 0.001, stands in for it",
)
def batch_norm_by_deviation(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    moving_mean: Weight,
    deviation: Weight,
) -> Term:
    """Darknet's, as darkflow writes it: ``(x - mean) / (sqrt(variance) + 1e-5) * gamma``."""
    return op.RealDiv(x - moving_mean, deviation) * gamma + beta


def _literal(held: Held, value: float) -> Held:
    """A statistic that no node holds: the one that leaves its input alone."""
    array = np.full(int(np.prod(held.shape)), value, np.float32)
    return Held("", array.shape, value=array)


def _folded_weights(
    scale: Held, offset: Held, moving_mean: Held | None
) -> dict[str, Held]:
    return {
        "gamma": scale.flat(),
        "beta": offset.flat(),
        "moving_mean": moving_mean.flat() if moving_mean else _literal(scale, 0.0),
        "moving_variance": _literal(scale, 1.0 - EPSILON),
    }


def _folded_fits(view: View, x: Any, scale: Held, offset: Held) -> bool | str:
    if any(sum(d != 1 for d in held.shape) != 1 for held in (scale, offset)):
        return "the scale varies along more or less than one axis"
    return _one_axis(scale, offset, scale, offset)


@layer(
    "BatchNormalization",
    where=_folded_fits,
    config=lambda view, x, scale, offset: {
        "axis": _axis(view, x, scale, offset),
        "epsilon": EPSILON,
        "center": True,
        "scale": True,
    },
    weights=_folded_weights,
    evidence="a scale and an offset per channel: taken for a batch normalization whose statistics were folded into"
    " them; mean 0, variance 1 and epsilon 0.001 stand in for those",
)
def batch_norm_folded(x: Input, scale: Weight, offset: Weight) -> Term:
    return x * scale + offset


def _centred_fits(
    view: View, x: Any, scale: Held, offset: Held, moving_mean: Held
) -> bool | str:
    fits = _folded_fits(view, x, scale, offset)
    return _one_axis(scale, offset, scale, moving_mean) if fits is True else fits


@layer(
    "BatchNormalization",
    where=_centred_fits,
    config=lambda view, x, scale, offset, moving_mean: _decomposed(
        view, x, scale, offset, moving_mean, moving_mean, EPSILON
    ),
    weights=_folded_weights,
    evidence="a mean, a scale and an offset per channel: taken for a batch normalization whose variance was folded into"
    " the scale; variance 1 and epsilon 0.001 stand in for it",
)
def batch_norm_centred(
    x: Input, scale: Weight, offset: Weight, moving_mean: Weight
) -> Term:
    """What constant folding leaves of ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``."""
    return (x - moving_mean) * scale + offset
