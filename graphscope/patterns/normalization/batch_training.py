"""Batch normalization in training form: it takes the statistics of the batch.

At inference Keras's layer takes the moving averages instead. They are not upstream of the output; they are found where
the statistics go. Where no variable follows the statistics there is no such layer, and nothing matches.
"""

from __future__ import annotations

from typing import Any

from ...graph import Tensor
from ...match import (
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
from ...match.solver.match import plain_float
from ...match.view.assignments import Moved, moved_by
from ..keras_arguments import channel_axis

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
    config: dict[str, Any] = {"epsilon": plain_float(epsilon)}
    config |= {"center": beta is not None, "scale": gamma is not None}
    return config | ({"momentum": momentum} if momentum is not None else {})


def _evidence(view: View, mean: Tensor, variance: Tensor) -> str:
    moving = _moving(view, mean, variance)
    return _TOLD.format(", ".join(m.variable for m in moving)) if moving else ""


def _channels(view: View, x: Tensor, axis: Any) -> int | None:
    """The one axis over which the statistics are not taken: the last (-1) or the second; None: neither."""
    rank = _rank(view, x, axis)
    axes = axis if isinstance(axis, tuple) else (axis,)
    left = sorted(set(range(rank)) - {a % rank for a in axes})
    if left == [rank - 1]:
        return -1
    return 1 if left == [1] and rank > 2 else None


def _rank(view: View, x: Tensor, axis: Any) -> int:
    """The rank of the input; where it is not known, one more than there are axes."""
    shape, axes = view.shape(x), axis if isinstance(axis, tuple) else (axis,)
    return len(shape) if shape is not None else len(axes) + 1


def _over_all_but_one(
    view: View,
    x: Tensor,
    axis: Any,
    gamma: Held | None,
    beta: Held | None,
    mean: Tensor,
    variance: Tensor,
) -> bool | str:
    at = _channels(view, x, axis)
    if at is None:
        return "the statistics are not over all axes but that of the channels"
    place = at if at < 0 else at - _rank(view, x, axis)
    for held in (gamma, beta):
        shape = held.shape if held is not None else ()
        if any(d != 1 and i - len(shape) != place for i, d in enumerate(shape)):
            return "the weights vary along another axis"
    return _followed(view, mean, variance)


def _written_out(
    view: View,
    x: Tensor,
    axis: Any,
    gamma: Held | None,
    beta: Held | None,
    mean: Tensor,
    variance: Tensor,
    epsilon: float,
) -> dict[str, Any]:
    config = _config(view, gamma, beta, mean, variance, epsilon)
    return {"axis": _channels(view, x, axis) or -1} | config


def _flat(statistic: Term) -> Term:
    """A statistic with its axes of size one, without them, or with them again."""
    squeezed = op.Squeeze(statistic, squeeze_dims=ANY)
    return op.Reshape(squeezed, ANY) | squeezed | statistic


@layer(
    "BatchNormalization",
    where=_over_all_but_one,
    config=_written_out,
    weights=_weights,
    evidence=_evidence,
)
def batch_norm_training(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    """``tf.nn.moments`` and ``tf.nn.batch_normalization``; Keras 3 reshapes the statistics between the two."""
    kept = named("mean", op.Mean(x, axis, keep_dims=True))
    spread = op.Mean((x - kept) ** 2, axis, keep_dims=True)
    mean, variance = _flat(kept), _flat(named("variance", spread))
    scale = gamma * rsqrt(variance + epsilon)
    return (x - mean) * scale + beta | x * scale - mean * scale + beta


@layer(
    "BatchNormalization",
    where=_over_all_but_one,
    config=_written_out,
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
