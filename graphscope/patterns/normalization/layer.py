"""Normalization by the statistics of each example along its last axes: Layer-, RMS- and UnitNormalization."""

from __future__ import annotations

from typing import Any

from ...match import (
    ANY,
    Array,
    Attr,
    Bindings,
    Dims,
    Input,
    Scalar,
    Term,
    Weight,
    WeightRef,
    layer,
    op,
    rsqrt,
    sqrt,
)
from ...match.solver.match import plain_float
from ..keras_arguments import keras_axis
from .formulas import moments, sized_alike, standardized, sum_of_squares


def _axes(b: Bindings) -> tuple[int, ...]:
    """The axes counted from the end; from the front where the rank is not known and they were written so."""
    axes = b.axis if isinstance(b.axis, tuple) else (b.axis,)
    if b.shape is None:
        return tuple(sorted(axes))
    return tuple(sorted(a % len(b.shape) - len(b.shape) for a in axes))


def _trailing(b: Bindings, *weights: WeightRef | None) -> bool | str:
    axes = _axes(b)
    sizes = {a: w.shape[a] for w in weights if w for a in axes if len(w.shape) >= -a}
    fits = sized_alike(b.view, b.x, sizes)
    if fits is not True:
        return fits
    if axes == tuple(range(-len(axes), 0)):
        return _covers(b, len(axes), *weights)
    return _one_inner(b, axes, *weights)


def _one_inner(
    b: Bindings, axes: tuple[int, ...], *weights: WeightRef | None
) -> bool | str:
    """Whether it is one axis before the last, along which the weights vary: PyTorch's channels."""
    shape, present = b.shape, [each for each in weights if each is not None]
    if shape is None or len(axes) != 1 or not present or -axes[0] >= len(shape):
        return "the statistics are not over the last axes"
    target = (shape[axes[0]], *[1] * (-axes[0] - 1))
    fits = all(
        each.shape[axes[0] :] == target and set(each.shape[: axes[0]]) <= {1}
        for each in present
    )
    return fits or "the weights do not vary along the axis that is normalized"


def _covers(b: Bindings, count: int, *weights: WeightRef | None) -> bool | str:
    """Whether the weights hold one number for each entry of that many last axes, and vary along no other."""
    for weight in weights:
        if weight is None:
            continue
        own, others = weight.shape[-count:], weight.shape[:-count]
        if len(own) < count or any(d != 1 for d in others):
            return "the weights vary along an axis that is not normalized"
        sizes = b.shape[-count:] if b.shape is not None else own
        if any(size not in (None, d) for size, d in zip(sizes, own)):
            return "the weights are broadcast along an axis that is normalized"
    return True


def _config(b: Bindings, axes: tuple[int, ...]) -> dict[str, Any]:
    one = axes[0]
    if len(axes) == 1 and one != -1 and b.shape is not None:
        one += len(b.shape)
    axis = one if len(axes) == 1 else list(axes)
    return {"axis": axis, "epsilon": plain_float(b.epsilon)}


def _own(weight: WeightRef | None, axes: tuple[int, ...]) -> WeightRef | None:
    """A weight in the shape of what is normalized."""
    if weight is None or len(axes) == 1 and axes[0] != -1:
        return weight.flat() if weight else None
    return weight.reshaped(*weight.shape[-len(axes) :])


@layer(
    "LayerNormalization",
    where=lambda b: _trailing(b, b.gamma, b.beta),
    config=lambda b: _config(b, _axes(b)),
    weights=lambda b: {n: _own(getattr(b, n), _axes(b)) for n in ("gamma", "beta")},
)
def layer_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    return standardized(x, moments(x, axis), gamma, beta, epsilon)


def _rows(b: Bindings) -> bool | str:
    numbers = [size.number if size is not None else None for size in b.inner]
    if len(numbers) != 4 or numbers[0] != 1 or numbers[3] != 1:
        return "it is not a matrix between axes of size 1"
    count = len(_last_axes(b))
    if not count:
        return "the rows are not the last axes"
    return _covers(b, count, b.gamma, b.beta)


def _last_axes(b: Bindings) -> tuple[int, ...]:
    """The last axes that one row holds, counted from the end; none where that is not known."""
    row, shape = b.inner[2], b.shape
    if row == b.view.axis_size(b.x, -1):
        return (-1,)
    weight = b.gamma or b.beta
    sizes = shape if shape is not None else (None, *(weight.shape if weight else ()))
    whole = 1
    for count, size in enumerate(reversed(sizes[1:]), 1):
        whole *= size or 0
        if row is not None and whole and whole == row.number:
            return tuple(range(-count, 0))
    return ()


@layer(
    "LayerNormalization",
    where=_rows,
    config=lambda b: _config(b, _last_axes(b)),
    weights=lambda b: {
        n: _own(getattr(b, n), _last_axes(b)) for n in ("gamma", "beta")
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


def _axis(b: Bindings) -> dict[str, Any]:
    return {"axis": keras_axis(_axes(b), None)}


@layer(
    "RMSNormalization",
    where=lambda b: _trailing(b, b.scale),
    config=lambda b: {**_axis(b), "epsilon": b.epsilon},
    weights=lambda b: {"scale": _own(b.scale, _axes(b))},
)
def rms_norm(x: Input, scale: Weight, axis: Array, epsilon: Scalar) -> Term:
    return x * scale * rsqrt(op.Mean(x**2, axis, keep_dims=True) + epsilon)


@layer(
    "UnitNormalization",
    where=lambda least: 0 < least < 1e-6 or "the least norm is not a small number",
    config=_axis,
    evidence="Keras's least norm of 1e-12 stands in for the graph's own",
)
def unit_norm(x: Input, axis: Array, least: Scalar) -> Term:
    """``tf.math.l2_normalize``."""
    whole = sum_of_squares(x, axis)
    return x * rsqrt(op.Maximum(whole, least)) | x / op.Maximum(sqrt(whole), least)


@layer(
    "UnitNormalization",
    config=_axis,
    evidence="Keras's least norm of 1e-12 stands in for none",
)
def unit_norm_plain(x: Input, axis: Array) -> Term:
    """``x / tf.norm(x)``, as face embeddings and capsules are compared."""
    return x * rsqrt(sum_of_squares(x, axis))


@layer(
    "UnitNormalization",
    where=lambda most: most > 1e6 or "the greatest scale is not a great number",
    config=_axis,
)
def unit_norm_keras(x: Input, axis: Array, most: Scalar) -> Term:
    """Keras 3's ``ops.normalize``."""
    return x * op.Minimum(rsqrt(sum_of_squares(x, axis)), most)
