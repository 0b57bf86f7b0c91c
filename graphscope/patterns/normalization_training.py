"""Batch normalization in training form: it takes the statistics of the batch.

At inference Keras's layer takes the moving averages instead. They are not upstream of the output; they are found where
the statistics go. Where no variable follows the statistics there is no such layer, and nothing matches.
"""

from __future__ import annotations

from typing import Any

from ..graph import Tensor
from ..match import (
    ANY,
    Array,
    Attr,
    Held,
    Input,
    Scalar,
    Term,
    Value,
    View,
    Weight,
    layer,
    named,
    op,
    rsqrt,
)
from ..match.convention import channel_axis
from ..match.effects import Moved, moved_by
from ..match.solution import plain_float

_TOLD = "in training form (statistics of the batch): the moving averages {} are what the statistics move"


def _moving(view: View, mean: Tensor, variance: Tensor) -> tuple[Moved, Moved] | None:
    first, second = moved_by(view.whole, mean), moved_by(view.whole, variance)
    if first is None or second is None or first.variable == second.variable:
        return None
    return first, second


def _followed(view: View, mean: Tensor, variance: Tensor) -> bool | str:
    found = _moving(view, mean, variance)
    return found is not None or "no moving averages follow the statistics"


def _weights(
    view: View, gamma: Held | None, beta: Held | None, mean: Tensor, variance: Tensor
) -> dict[str, Held | None]:
    moving = _moving(view, mean, variance)
    first, second = (
        (view.variable(m.variable) for m in moving) if moving else (None, None)
    )
    return {
        "gamma": gamma.flat() if gamma else None,
        "beta": beta.flat() if beta else None,
        "moving_mean": first.flat() if first else None,
        "moving_variance": second.flat() if second else None,
    }


def _config(
    view: View,
    gamma: Held | None,
    beta: Held | None,
    mean: Tensor,
    variance: Tensor,
    epsilon: float,
) -> dict[str, Any]:
    moving = _moving(view, mean, variance)
    momentum = moving[0].momentum if moving else None
    config: dict[str, Any] = {"axis": -1, "epsilon": plain_float(epsilon)}
    config |= {"center": beta is not None, "scale": gamma is not None}
    return config | ({"momentum": momentum} if momentum is not None else {})


def _evidence(view: View, mean: Tensor, variance: Tensor) -> str:
    moving = _moving(view, mean, variance)
    return _TOLD.format(", ".join(m.variable for m in moving)) if moving else ""


def _over_all_but_last(
    view: View, x: Tensor, axis: Any, mean: Tensor, variance: Tensor
) -> bool | str:
    axes = axis if isinstance(axis, tuple) else (axis,)
    shape = view.shape(x)
    rank = len(shape) if shape is not None else len(axes) + 1
    if sorted(a % rank for a in axes) != list(range(rank - 1)):
        return "the statistics are not over all axes but the last"
    return _followed(view, mean, variance)


@layer(
    "BatchNormalization",
    where=_over_all_but_last,
    config=_config,
    weights=_weights,
    evidence=_evidence,
)
def batch_norm_training(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    """``tf.nn.moments`` and ``tf.nn.batch_normalization``."""
    kept = named("mean", op.Mean(x, axis, keep_dims=True))
    spread = op.Mean((x - kept) ** 2, axis, keep_dims=True)
    spread_of = named("variance", spread)
    mean = op.Squeeze(kept, squeeze_dims=ANY) | kept
    variance = op.Squeeze(spread_of, squeeze_dims=ANY) | spread_of
    scale = gamma * rsqrt(variance + epsilon)
    return (x - mean) * scale + beta | x * scale - mean * scale + beta


@layer(
    "BatchNormalization",
    where=_over_all_but_last,
    config=_config,
    weights=_weights,
    evidence=_evidence,
)
def batch_norm_training_shifted(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    axis: Array,
    epsilon: Scalar,
    _shift: Value,
) -> Term:
    """``tf.nn.moments`` of TensorFlow 0.12: sums of what is left of a shift, times one over the count."""
    share = 1 / op.Cast(ANY)
    left = op.Sum(x - _shift, axis) * share
    mean = named("mean", left + _shift)
    spread = op.Sum((x - _shift) ** 2, axis) * share - left**2
    scale = gamma * rsqrt(named("variance", spread) + epsilon)
    return (x - mean) * scale + beta | x * scale - mean * scale + beta


def _fused_followed(view: View, nodes: Any) -> bool | str:
    return _followed(view, *_statistics(nodes))


def _statistics(nodes: Any) -> tuple[Tensor, Tensor]:
    name = nodes("FusedBatchNorm")[0]
    return Tensor(name, 1), Tensor(name, 2)


@layer(
    "BatchNormalization",
    where=_fused_followed,
    config=lambda view, nodes, gamma, beta, epsilon, layout: _config(
        view, gamma, beta, *_statistics(nodes), epsilon
    )
    | {"axis": channel_axis(layout)},
    weights=lambda view, nodes, gamma, beta: _weights(
        view, gamma, beta, *_statistics(nodes)
    ),
    evidence=lambda view, nodes: _evidence(view, *_statistics(nodes)),
)
def fused_batch_norm_training(
    x: Input, gamma: Weight, beta: Weight, epsilon: Attr, layout: Attr, factor: Attr
) -> Term:
    return op.FusedBatchNorm(
        x,
        gamma,
        beta,
        ANY,
        ANY,
        epsilon=epsilon,
        data_format=layout,
        exponential_avg_factor=factor,
        is_training=True,
    )
