"""Normalization layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..match import (
    Attr,
    Held,
    Input,
    Scalar,
    Term,
    View,
    Weight,
    layer,
    op,
    rsqrt,
)
from ..match.convention import channel_axis
from ..match.solver import plain_float


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


def _fused(epsilon: float, gamma: Held, beta: Held, layout: str) -> dict[str, Any]:
    return {
        "axis": channel_axis(layout),
        "epsilon": plain_float(epsilon),
        "center": True,
        "scale": True,
    }


@layer("BatchNormalization", config=_fused, weights=_vectors)
def fused_batch_norm(
    x: Input,
    gamma: Weight,
    beta: Weight,
    moving_mean: Weight,
    moving_variance: Weight,
    epsilon: Attr,
    layout: Attr,
    momentum: Attr,
) -> Term:
    return op.FusedBatchNorm(
        x,
        gamma,
        beta,
        moving_mean,
        moving_variance,
        epsilon=epsilon,
        data_format=layout,
        exponential_avg_factor=momentum,
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
    scale = gamma * rsqrt(moving_variance + epsilon)
    return (x - moving_mean) * scale + beta | x * scale - moving_mean * scale + beta
