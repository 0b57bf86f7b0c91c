"""Normalization by the statistics of each example along its last axes: Layer-, RMS- and UnitNormalization."""

from __future__ import annotations

from typing import Any

from ...match import (
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
from ...match.solver.match import plain_float
from ..keras_arguments import keras_axis


def _axes(view: View, x: Any, axis: Any) -> tuple[int, ...]:
    """The axes counted from the end; from the front where the rank is not known and they were written so."""
    shape = view.shape(x)
    given = axis if isinstance(axis, tuple) else (axis,)
    if shape is None:
        return tuple(sorted(given))
    return tuple(sorted(a % len(shape) - len(shape) for a in given))


def normalized(x: Any, gamma: Any, beta: Any, axis: Any, epsilon: Any) -> Term:
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
    if axes == tuple(range(-len(axes), 0)):
        return _covers(view, x, len(axes), gamma, beta)
    return _one_inner(view, x, axes, gamma, beta)


def _one_inner(
    view: View, x: Any, axes: tuple[int, ...], *weights: Held | None
) -> bool | str:
    """Whether it is one axis before the last, along which the weights vary: PyTorch's channels."""
    shape, held = view.shape(x), [each for each in weights if each is not None]
    if shape is None or len(axes) != 1 or not held or -axes[0] >= len(shape):
        return "the statistics are not over the last axes"
    wanted = (shape[axes[0]], *[1] * (-axes[0] - 1))
    fits = all(
        each.shape[axes[0] :] == wanted and set(each.shape[: axes[0]]) <= {1}
        for each in held
    )
    return fits or "the weights do not vary along the axis that is normalized"


def _covers(view: View, x: Any, count: int, *weights: Held | None) -> bool | str:
    """Whether the weights hold one number for each entry of that many last axes, and vary along no other."""
    shape = view.shape(x)
    for held in weights:
        if held is None:
            continue
        own, others = held.shape[-count:], held.shape[:-count]
        if len(own) < count or any(d != 1 for d in others):
            return "the weights vary along an axis that is not normalized"
        sizes = shape[-count:] if shape is not None else own
        if any(size not in (None, d) for size, d in zip(sizes, own)):
            return "the weights are broadcast along an axis that is normalized"
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
    one, shape = axes[0], view.shape(x)
    if len(axes) == 1 and one != -1 and shape is not None:
        one += len(shape)
    return {
        "axis": one if len(axes) == 1 else list(axes),
        "epsilon": epsilon,
        "center": beta is not None,
        "scale": gamma is not None,
    }


def _layer_weights(
    view: View, x: Any, axis: Any, gamma: Held | None, beta: Held | None
) -> dict[str, Held | None]:
    axes = _axes(view, x, axis)
    inner = len(axes) == 1 and axes[0] != -1

    def own(held: Held | None) -> Held | None:
        if held is None:
            return None
        return held.flat() if inner else held.reshaped(*held.shape[-len(axes) :])

    return {"gamma": own(gamma), "beta": own(beta)}


@layer(
    "LayerNormalization", where=_trailing, config=_layer_norm, weights=_layer_weights
)
def layer_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    return normalized(x, gamma, beta, axis, epsilon)


def _rows(
    view: View, x: Any, gamma: Held | None, beta: Held | None, inner: Sizes
) -> bool | str:
    known = [size.number if size is not None else None for size in inner]
    if len(known) != 4 or known[0] != 1 or known[3] != 1:
        return "it is not a matrix between axes of size 1"
    count = len(_last_axes(view, x, inner, gamma, beta))
    if not count:
        return "the rows are not the last axes"
    return _covers(view, x, count, gamma, beta)


def _last_axes(
    view: View, x: Any, inner: Sizes, gamma: Held | None, beta: Held | None
) -> tuple[int, ...]:
    """The last axes that one row holds, counted from the end; none where that is not known."""
    row, shape = inner[2], view.shape(x)
    if row == view.axis_size(x, -1):
        return (-1,)
    held = gamma or beta
    sizes = shape if shape is not None else (None, *(held.shape if held else ()))
    whole = 1
    for count, size in enumerate(reversed(sizes[1:]), 1):
        whole *= size or 0
        if row is not None and whole and whole == row.number:
            return tuple(range(-count, 0))
    return ()


@layer(
    "LayerNormalization",
    where=_rows,
    config=lambda view, x, inner, gamma, beta, epsilon: _layer_norm(
        view,
        x,
        _last_axes(view, x, inner, gamma, beta),
        plain_float(epsilon),
        gamma,
        beta,
    ),
    weights=lambda view, x, inner, gamma, beta: _layer_weights(
        view, x, _last_axes(view, x, inner, gamma, beta), gamma, beta
    ),
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
    config=lambda view, x, axis: {"axis": keras_axis(_axes(view, x, axis), None)},
    evidence="Keras's least norm of 1e-12 stands in for none",
)
def unit_norm_plain(x: Input, axis: Array) -> Term:
    """``x / tf.norm(x)``, as face embeddings and capsules are compared."""
    whole = op.Sum(x**2, axis, keep_dims=True)
    return x * rsqrt(whole)


@layer(
    "UnitNormalization",
    where=lambda most: most > 1e6 or "the greatest scale is not a great number",
    config=lambda view, x, axis: {"axis": keras_axis(_axes(view, x, axis), None)},
)
def unit_norm_keras(x: Input, axis: Array, most: Scalar) -> Term:
    """Keras 3's ``ops.normalize``."""
    whole = op.Sum(x**2, axis, keep_dims=True)
    return x * op.Minimum(rsqrt(whole), most)
