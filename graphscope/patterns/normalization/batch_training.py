"""Batch normalization in training form: it takes the statistics of the batch.

At inference Keras's layer takes the moving averages instead. They are not upstream of the output; they are found where
the statistics go. Where no variable follows the statistics there is no such layer, and nothing matches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...graph import Tensor
from ...match import (
    ANY,
    Array,
    Attr,
    Bindings,
    Input,
    Pattern,
    Scalar,
    Term,
    Value,
    Weight,
    WeightRef,
    layer,
    named,
    op,
)
from ...match.solver.match import plain_float
from ...match.view.assignments import Moved, moved_by
from ...match.view.view import View
from ..keras_arguments import channel_axis
from .formulas import is_number, standardized

_TOLD = "in training form (statistics of the batch): the moving averages {} are what the statistics move"


def _statistics(b: Bindings) -> tuple[Tensor, Tensor]:
    """Mean and variance of the batch: named in the formula, or ports of the fused op."""
    if b.mean is not None:
        return b.mean, b.variance
    name = b.nodes("FusedBatchNorm")[0]
    return Tensor(name, 1), Tensor(name, 2)


def _moved(view: View, statistic: Tensor) -> Moved | None:
    if statistic not in view.moves:
        view.moves[statistic] = moved_by(view.whole, statistic)
    moved: Moved | None = view.moves[statistic]
    return moved


def _moving(b: Bindings) -> tuple[Moved, Moved] | None:
    first, second = (_moved(b.view, each) for each in _statistics(b))
    if first is None or second is None or first.variable == second.variable:
        return None
    return first, second


def _followed(b: Bindings) -> bool | str:
    return _moving(b) is not None or "no moving averages follow the statistics"


def _weights(b: Bindings) -> dict[str, WeightRef | None]:
    moving = [b.view.variable(each.variable) for each in _moving(b) or ()]
    names = ("moving_mean", "moving_variance")
    affine = {
        "gamma": None if _is(b, b.gamma, 1.0) else b.gamma,
        "beta": None if _is(b, b.beta, 0.0) else b.beta,
    }
    return {**affine, **dict(zip(names, moving))}


def _is(b: Bindings, weight: WeightRef | None, value: float) -> bool:
    return weight is not None and is_number(b.view, weight, value)


def _config(b: Bindings) -> dict[str, Any]:
    moving = _moving(b)
    momentum = moving[0].momentum if moving else None
    axis = channel_axis(b.layout) if b.axis is None else _channels(b) or -1
    config = {"axis": axis, "epsilon": plain_float(b.epsilon)}
    return config | ({"momentum": momentum} if momentum is not None else {})


def _evidence(b: Bindings) -> str:
    return _TOLD.format(", ".join(each.variable for each in _moving(b) or ()))


def _channels(b: Bindings) -> int | None:
    """The one axis over which the statistics are not taken: the last (-1) or the second; None: neither."""
    rank, axes = _rank(b), b.axis if isinstance(b.axis, tuple) else (b.axis,)
    left = sorted(set(range(rank)) - {a % rank for a in axes})
    if left == [rank - 1]:
        return -1
    return 1 if left == [1] and rank > 2 else None


def _rank(b: Bindings) -> int:
    """The rank of the input; where it is not known, one more than there are axes."""
    axes = b.axis if isinstance(b.axis, tuple) else (b.axis,)
    return len(b.shape) if b.shape is not None else len(axes) + 1


def _over_all_but_one(b: Bindings) -> bool | str:
    at = _channels(b)
    if at is None:
        return "the statistics are not over all axes but that of the channels"
    place = at if at < 0 else at - _rank(b)
    for weight in (b.gamma, b.beta):
        shape = weight.shape if weight is not None else ()
        if any(d != 1 and i - len(shape) != place for i, d in enumerate(shape)):
            return "the weights vary along another axis"
    return True


def _batch_norm(
    *clauses: Callable[..., bool | str],
) -> Callable[[Callable[..., Term]], Pattern]:
    """A layer whose moving averages follow the statistics."""
    options: Any = {"config": _config, "weights": _weights, "evidence": _evidence}
    return layer("BatchNormalization", where=(*clauses, _followed), **options)


def _flat(statistic: Term) -> Term:
    """A statistic with its axes of size one, without them, or with them again."""
    squeezed = op.Squeeze(statistic, squeeze_dims=ANY)
    return op.Reshape(squeezed, ANY) | squeezed | statistic


@_batch_norm(_over_all_but_one)
def batch_norm_training(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    """``tf.nn.moments`` and ``tf.nn.batch_normalization``; Keras 3 reshapes the statistics between the two."""
    average = named("mean", op.Mean(x, axis, keep_dims=True))
    spread = op.Mean((x - average) ** 2, axis, keep_dims=True)
    mean, variance = _flat(average), _flat(named("variance", spread))
    return standardized(x, (mean, variance), gamma, beta, epsilon)


@_batch_norm(_over_all_but_one)
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
    return standardized(x, (mean, named("variance", spread)), gamma, beta, epsilon)


@_batch_norm()
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
