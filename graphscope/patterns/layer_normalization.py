"""Normalization by the statistics of each example: Layer-, Group-, RMS- and UnitNormalization.

An instance normalization is Keras's GroupNormalization with ``groups=-1``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..match import (
    ANY,
    Array,
    Attr,
    Dims,
    Held,
    Input,
    Scalar,
    Sizes,
    Term,
    View,
    Weight,
    layer,
    op,
    rsqrt,
    sqrt,
)
from ..match.convention import keras_axis
from ..match.solution import plain_float


def _axes(view: View, x: Any, axis: Any) -> tuple[int, ...]:
    """The axes counted from the end; from the front where the rank is not known and they were written so."""
    shape = view.shape(x)
    given = axis if isinstance(axis, tuple) else (axis,)
    if shape is None:
        return tuple(sorted(given))
    return tuple(sorted(a % len(shape) - len(shape) for a in given))


def _normalized(x: Any, gamma: Any, beta: Any, axis: Any, epsilon: Any) -> Term:
    mean = op.Mean(x, axis, keep_dims=True)
    variance = (
        op.Mean((x - mean) ** 2, axis, keep_dims=True)
        | op.Mean(x**2, axis, keep_dims=True) - mean**2
    )
    scale = (
        rsqrt(variance + epsilon)
        if gamma is None
        else gamma * rsqrt(variance + epsilon)
    )
    centred, expanded = (x - mean) * scale, x * scale - mean * scale
    return centred | expanded if beta is None else centred + beta | expanded + beta


def _trailing(
    view: View, x: Any, axis: Any, gamma: Held | None, beta: Held | None
) -> bool | str:
    axes = _axes(view, x, axis)
    if axes != tuple(range(-len(axes), 0)):
        return "the statistics are not over the last axes"
    for held in (gamma, beta):
        if held is not None and len([d for d in held.shape if d != 1]) > len(axes):
            return "the weights vary along an axis that is not normalized"
    return True


def _layer_norm(
    view: View,
    x: Any,
    axis: Any,
    epsilon: float,
    gamma: Held | None,
    beta: Held | None,
) -> dict[str, Any]:
    axes = _axes(view, x, axis)
    return {
        "axis": axes[0] if len(axes) == 1 else list(axes),
        "epsilon": epsilon,
        "center": beta is not None,
        "scale": gamma is not None,
    }


def _layer_weights(
    view: View, x: Any, axis: Any, gamma: Held | None, beta: Held | None
) -> dict[str, Held | None]:
    count = len(_axes(view, x, axis))

    def own(held: Held | None) -> Held | None:
        return held.reshaped(*held.shape[-count:]) if held else None

    return {"gamma": own(gamma), "beta": own(beta)}


@layer(
    "LayerNormalization", where=_trailing, config=_layer_norm, weights=_layer_weights
)
def layer_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    return _normalized(x, gamma, beta, axis, epsilon)


def _rows(
    view: View, x: Any, gamma: Held | None, beta: Held | None, inner: Sizes
) -> bool | str:
    known = [size.number if size is not None else None for size in inner]
    sizes = {int(np.prod(h.shape)) for h in (gamma, beta) if h is not None}
    if len(known) != 4 or known[0] != 1 or known[3] != 1:
        return "it is not a matrix between axes of size 1"
    last = view.axis_size(x, -1)
    if inner[2] != last and known[2] not in sizes:
        return "the rows are not the last axis"
    return sizes <= {known[2]} or "the weights differ in size from the rows"


@layer(
    "LayerNormalization",
    where=_rows,
    config=lambda gamma, beta, epsilon: {
        "axis": -1,
        "epsilon": plain_float(epsilon),
        "center": beta is not None,
        "scale": gamma is not None,
    },
    weights=lambda gamma, beta: {
        "gamma": gamma.flat() if gamma else None,
        "beta": beta.flat() if beta else None,
    },
)
def layer_norm_by_fused(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    epsilon: Attr,
    factor: Attr,
    inner: Dims,
) -> Term:
    """Keras 2 normalizes each row as one channel of a fused batch norm in training form."""
    rows = op.FusedBatchNorm(
        op.Reshape(x, inner),
        op.Fill(ANY, 1.0),
        op.Fill(ANY, 0.0),
        ANY,
        ANY,
        epsilon=epsilon,
        exponential_avg_factor=factor,
        data_format="NCHW",
    )
    return op.Reshape(rows, ANY) * gamma + beta


def _channel_vector(held: Held | None) -> Held | None:
    return held.flat() if held else None


def _instance(
    view: View, x: Any, axis: Any, gamma: Held | None, beta: Held | None
) -> bool | str:
    shape = view.shape(x)
    if shape is None or len(shape) < 3:
        return "the rank of the input is not known, or below 3"
    axes = sorted(
        a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))
    )
    last = axes == list(range(1, len(shape) - 1))
    first = axes == list(range(2, len(shape)))
    return (last or first) or "the statistics are not over the spatial axes"


def _channels(view: View, x: Any, axis: Any) -> int:
    shape = view.shape(x) or ()
    axes = sorted(
        a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))
    )
    return -1 if axes[0] == 1 else 1


@layer(
    "GroupNormalization",
    where=_instance,
    config=lambda view, x, axis, epsilon, gamma, beta: {
        "groups": -1,
        "axis": _channels(view, x, axis),
        "epsilon": epsilon,
        "center": beta is not None,
        "scale": gamma is not None,
    },
    weights=lambda gamma, beta: {
        "gamma": _channel_vector(gamma),
        "beta": _channel_vector(beta),
    },
    evidence="statistics of each example and channel: an instance normalization",
)
def instance_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    return _normalized(x, gamma, beta, axis, epsilon)


def _grouped(
    view: View,
    x: Any,
    inner: Sizes,
    outer: Sizes,
    axis: Any,
    gamma: Held | None,
    beta: Held | None,
) -> bool | str:
    groups, size = _groups(inner)
    if groups is None or size is None:
        return "the last axis is not split into groups of known size"
    rank = len(inner)
    axes = {a % rank for a in (axis if isinstance(axis, tuple) else (axis,))}
    if axes != set(range(1, rank)) - {rank - 2}:
        return "the statistics are not those of each group"
    for held in (gamma, beta):
        if held is not None and int(np.prod(held.shape)) != groups * size:
            return "the weights are not one a channel"
    last = view.axis_size(x, -1)
    return last.number in (None, groups * size) or "the groups are not of the last axis"


def _groups(inner: Sizes) -> tuple[int | None, int | None]:
    if len(inner) < 3 or inner[-1] is None or inner[-2] is None:
        return None, None
    return inner[-2].number, inner[-1].number


@layer(
    "GroupNormalization",
    where=_grouped,
    config=lambda inner, epsilon, gamma, beta: {
        "groups": _groups(inner)[0],
        "axis": -1,
        "epsilon": epsilon,
        "center": beta is not None,
        "scale": gamma is not None,
    },
    weights=lambda gamma, beta: {
        "gamma": _channel_vector(gamma),
        "beta": _channel_vector(beta),
    },
)
def group_norm(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    axis: Array,
    epsilon: Scalar,
    inner: Dims,
    outer: Dims,
) -> Term:
    split = op.Reshape(x, inner)
    plain = _normalized(split, None, None, axis, epsilon)
    return (
        op.Reshape(_normalized(split, gamma, beta, axis, epsilon), outer)
        | op.Reshape(plain, outer) * gamma + beta
    )


@layer(
    "RMSNormalization",
    where=lambda view, x, axis, gamma: _trailing(view, x, axis, gamma, None),
    config=lambda view, x, axis, epsilon: {
        "axis": keras_axis(_axes(view, x, axis), None),
        "epsilon": epsilon,
    },
    weights=lambda view, x, axis, gamma: {
        "scale": _layer_weights(view, x, axis, gamma, None)["gamma"]
    },
)
def rms_norm(x: Input, gamma: Weight, axis: Array, epsilon: Scalar) -> Term:
    return x * gamma * rsqrt(op.Mean(x**2, axis, keep_dims=True) + epsilon)


@layer(
    "UnitNormalization",
    where=lambda least: 0 < least < 1e-6 or "the least norm is not a small number",
    config=lambda view, x, axis: {"axis": keras_axis(_axes(view, x, axis), None)},
    evidence="Keras's least norm of 1e-12 stands in for the graph's own",
)
def unit_norm(x: Input, axis: Array, least: Scalar) -> Term:
    """``tf.math.l2_normalize``."""
    whole = op.Sum(x**2, axis, keep_dims=True)
    return x * rsqrt(op.Maximum(whole, least)) | x / op.Maximum(sqrt(whole), least)


@layer(
    "UnitNormalization",
    where=lambda most: most > 1e6 or "the greatest scale is not a great number",
    config=lambda view, x, axis: {"axis": keras_axis(_axes(view, x, axis), None)},
)
def unit_norm_keras(x: Input, axis: Array, most: Scalar) -> Term:
    """Keras 3's ``ops.normalize``."""
    whole = op.Sum(x**2, axis, keep_dims=True)
    return x * op.Minimum(rsqrt(whole), most)
