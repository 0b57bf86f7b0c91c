"""Batch normalization at inference: fused, written out, or folded to one scale and one offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...match import (
    Attr,
    Bindings,
    Dims,
    Input,
    Scalar,
    Size,
    Term,
    Weight,
    WeightRef,
    layer,
    op,
    rsqrt,
)
from ...match.solver.match import plain_float
from ...ops.values.size import numbers
from ..keras_arguments import channel_axis
from .formulas import is_number, sized_alike, standardized

EPSILON = 1e-3  # Keras's default: what a folded batch norm is given back


def _fused_weights(b: Bindings) -> dict[str, WeightRef | None]:
    return {
        "gamma": None if is_number(b.view, b.gamma, 1.0) else b.gamma,
        "beta": None if is_number(b.view, b.beta, 0.0) else b.beta,
        "moving_mean": b.moving_mean,
        "moving_variance": b.moving_variance,
    }


@layer(
    "BatchNormalization",
    config=lambda layout, epsilon: {
        "axis": channel_axis(layout),
        "epsilon": plain_float(epsilon),
    },
    weights=_fused_weights,
)
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


def _is_of_vectors(b: Bindings) -> bool | str:
    shape, wide = b.shape, numbers(b.wide)
    axis = channel_axis(b.layout)
    if shape is None or len(shape) != len(b.narrow):
        return "the result has not the axes of the input"
    if len(wide) != 4 or wide[axis] != shape[-1]:
        return "the channels are not the last axis of the input"
    if axis == 1 and wide[2:] != (1, 1):
        return "the channels are followed by more than one place"
    kept = [size == b.view.axis_size(b.x, axis) for axis, size in enumerate(b.narrow)]
    loose = [size for size, same in zip(b.narrow, kept) if not same]
    return loose in ([], [Size(-1)]) or "the result has not the shape of the input"


@layer(
    "BatchNormalization",
    where=_is_of_vectors,
    config=lambda epsilon: {"axis": -1, "epsilon": plain_float(epsilon)},
    weights=_fused_weights,
)
def fused_batch_norm_of_vectors(
    x: Input,
    wide: Dims,
    narrow: Dims,
    gamma: Weight,
    beta: Weight,
    moving_mean: Weight,
    moving_variance: Weight,
    epsilon: Attr,
    layout: Attr,
    factor: Attr,
) -> Term:
    """TF-slim's after a fully connected layer: the fused op takes images, so that vectors become those of one pixel."""
    fused = op.FusedBatchNorm(
        op.Reshape(x, wide),
        gamma,
        beta,
        moving_mean,
        moving_variance,
        epsilon=epsilon,
        data_format=layout,
        exponential_avg_factor=factor,
        is_training=False,
    )
    return op.Reshape(fused, narrow)


def _config(b: Bindings, epsilon: float, *weights: WeightRef | None) -> dict[str, Any]:
    return {"axis": _axis(b, *weights), "epsilon": epsilon}


def _axis(b: Bindings, *weights: WeightRef | None) -> int:
    """The one axis that the weights vary along: the last, unless their own shape says otherwise."""
    for weight in weights:
        if weight is None or len(weight.shape) < 2:
            continue
        wide = [i - len(weight.shape) for i, d in enumerate(weight.shape) if d != 1]
        if len(wide) == 1 and wide[0] != -1:
            return wide[0] + len(b.shape) if b.shape is not None else wide[0]
    return -1


def _one_axis(b: Bindings, *weights: WeightRef | None) -> bool | str:
    shapes = [weight.shape for weight in weights if weight is not None]
    if any(sum(d != 1 for d in shape) > 1 for shape in shapes):
        return "the statistics vary along more than one axis"
    sizes = {int(np.prod(shape)) for shape in shapes}
    if len(sizes) != 1:
        return "the weights differ in size"
    return sized_alike(b.view, b.x, {_axis(b, *weights): sizes.pop()})


@layer(
    "BatchNormalization",
    where=lambda b: _one_axis(b, b.gamma, b.beta, b.moving_mean, b.moving_variance),
    config=lambda b: _config(
        b, b.epsilon, b.moving_mean, b.moving_variance, b.gamma, b.beta
    ),
)
def batch_norm(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    moving_mean: Weight,
    moving_variance: Weight,
    epsilon: Scalar,
) -> Term:
    root = rsqrt(moving_variance + epsilon)
    # Caffe's Scale comes after
    after = (x * root - moving_mean * root) * gamma + beta
    return standardized(x, (moving_mean, moving_variance), gamma, beta, epsilon) | after


def _by_deviation(b: Bindings) -> bool | str:
    if b.gamma is None and b.beta is None:
        return "nothing is trained: a normalization"
    source = b.deviation.source
    if source is None or b.view.ops[b.view.producer(source)[0].node] in ("Sqrt", "Pow"):
        return "the deviation is no sum with the root of a variance"
    return _one_axis(b, b.gamma, b.beta, b.moving_mean, b.deviation)


@layer(
    "BatchNormalization",
    where=_by_deviation,
    config=lambda b: _config(b, EPSILON, b.moving_mean, b.deviation, b.gamma, b.beta),
    weights=lambda b: {
        "gamma": b.gamma,
        "beta": b.beta,
        "moving_mean": b.moving_mean,
        "moving_variance": b.deviation.then("deviation", EPSILON, b.deviation.shape),
    },
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


def _literal(weight: WeightRef, value: float) -> WeightRef:
    """A statistic that no node holds: the one that leaves its input alone."""
    array = np.full(int(np.prod(weight.shape)), value, np.float32)
    return WeightRef("", array.shape, value=array)


def _folded_weights(b: Bindings) -> dict[str, WeightRef]:
    return {
        "gamma": b.gamma,
        "beta": b.beta,
        "moving_mean": b.moving_mean or _literal(b.gamma, 0.0),
        "moving_variance": _literal(b.gamma, 1.0 - EPSILON),
    }


def _folded_fits(b: Bindings) -> bool | str:
    if any(sum(d != 1 for d in weight.shape) != 1 for weight in (b.gamma, b.beta)):
        return "the scale varies along more or less than one axis"
    return _one_axis(b, b.gamma, b.beta, b.moving_mean)


@layer(
    "BatchNormalization",
    where=_folded_fits,
    config=lambda b: _config(b, EPSILON, b.gamma, b.beta),
    weights=_folded_weights,
    evidence="a scale and an offset per channel: taken for a batch normalization whose statistics were folded into"
    " them; mean 0, variance 1 and epsilon 0.001 stand in for those",
)
def batch_norm_folded(x: Input, gamma: Weight, beta: Weight) -> Term:
    return x * gamma + beta


@layer(
    "BatchNormalization",
    where=_folded_fits,
    config=lambda b: _config(b, EPSILON, b.moving_mean, b.gamma, b.beta),
    weights=_folded_weights,
    evidence="a mean, a scale and an offset per channel: taken for a batch normalization whose variance was folded into"
    " the scale; variance 1 and epsilon 0.001 stand in for it",
)
def batch_norm_centred(
    x: Input, gamma: Weight, beta: Weight, moving_mean: Weight
) -> Term:
    """What constant folding leaves of ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``."""
    return (x - moving_mean) * gamma + beta
