"""Normalization by the statistics of groups of channels; an instance normalization is one with ``groups=-1``.

Spellings: the paper's listing (NCHW, or NHWC with the channels split in two), Keras 2's weighted moments, slim's
``group_norm``, ``instance_norm`` and ``layer_norm``, and PyTorch's flat ``[N, groups, -1]`` as ONNX converters write it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...match import (
    ANY,
    Array,
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
)


def _moments(x: Any, axis: Any) -> tuple[Term, Term]:
    mean = op.Mean(x, axis, keep_dims=True)
    return mean, (
        op.Mean((x - mean) ** 2, axis, keep_dims=True)
        | op.Mean(x**2, axis, keep_dims=True) - mean**2
    )


def _weighted_moments(x: Any, split: Any, axis: Any) -> tuple[Term, Term]:
    """Keras 2's, whose weights are all one."""
    ones = op.Reshape(op.OnesLike(x), ANY)
    total = op.Sum(ones + op.ZerosLike(ANY), axis, keep_dims=True)
    mean = op.DivNoNan(op.Sum(ones * split, axis, keep_dims=True), total)
    left = op.Sum(ones * (split - mean) ** 2, axis, keep_dims=True)
    return mean, op.DivNoNan(left, total)


def _scaled(
    x: Any, moments: tuple[Term, Term], gamma: Any, beta: Any, epsilon: Any
) -> Term:
    mean, variance = moments
    scale = rsqrt(variance + epsilon)
    if gamma is None:
        return (x - mean) * scale | x * scale - mean * scale
    scale = gamma * scale
    return (x - mean) * scale + beta | x * scale - mean * scale + beta


def _axes(axis: Any, rank: int) -> set[int]:
    return {a % rank for a in (axis if isinstance(axis, tuple) else (axis,))}


def _along(places: set[int], *weights: Held | None) -> bool | str:
    """Whether the weights vary along those axes alone, which are counted from the end."""
    for held in weights:
        shape = held.shape if held is not None else ()
        if any(d != 1 and i - len(shape) not in places for i, d in enumerate(shape)):
            return "the weights vary along another axis than the channels"
    return True


def _config(
    groups: int, axis: int, epsilon: float, gamma: Held | None, beta: Held | None
) -> dict[str, Any]:
    return {
        "groups": groups,
        "axis": axis,
        "epsilon": epsilon,
        "center": beta is not None,
        "scale": gamma is not None,
    }


def _weights(gamma: Held | None, beta: Held | None) -> dict[str, Held | None]:
    return {
        "gamma": gamma.flat() if gamma else None,
        "beta": beta.flat() if beta else None,
    }


def _channels(view: View, x: Any, axis: Any) -> int | None:
    """The channels' axis where the statistics are over the spatial axes, as Keras writes it."""
    rank = len(view.shape(x) or ())
    axes = _axes(axis, rank) if rank > 2 else set()
    if axes and axes == set(range(1, rank - 1)):
        return -1
    return 1 if axes and axes == set(range(2, rank)) else None


def _instance(
    view: View, x: Any, axis: Any, gamma: Held | None, beta: Held | None
) -> bool | str:
    at, rank = _channels(view, x, axis), len(view.shape(x) or ())
    if at is None:
        return "the statistics are not over the spatial axes of a known rank"
    if view.axis_size(x, at).number is None:
        return "the number of channels is not known: Keras builds no such layer"
    if at == 1 and rank == 3 and gamma is None and beta is None:
        return "it is a layer normalization as well"
    return _along({at if at < 0 else 1 - rank}, gamma, beta)


@layer(
    "GroupNormalization",
    where=_instance,
    config=lambda view, x, axis, epsilon, gamma, beta: _config(
        -1, _channels(view, x, axis) or -1, epsilon, gamma, beta
    ),
    weights=_weights,
    evidence="statistics of each example and channel: an instance normalization",
)
def instance_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    return _scaled(x, _moments(x, axis), gamma, beta, epsilon)


def _whole(
    view: View, x: Any, axis: Any, gamma: Held | None, beta: Held | None
) -> bool | str:
    shape = view.shape(x)
    if shape is None or len(shape) < 3:
        return "the rank of the input is not known, or below 3"
    if _axes(axis, len(shape)) != set(range(1, len(shape))):
        return "the statistics are not those of the whole example"
    if gamma is None and beta is None:
        return "it is a layer normalization"
    return _along({-1}, gamma, beta)


@layer(
    "GroupNormalization",
    where=_whole,
    config=lambda epsilon, gamma, beta: _config(1, -1, epsilon, gamma, beta),
    weights=_weights,
    evidence="statistics of the whole example, weights one a channel: a single group",
)
def single_group_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    """slim's ``layer_norm`` as it is called by default."""
    return _scaled(x, _moments(x, axis), gamma, beta, epsilon)


def _layout(view: View, x: Any, inner: Sizes, axis: Any) -> tuple[int, int] | str:
    """The axis of the channels (counted from the front) and the number of groups; else why not."""
    shape = view.shape(x)
    if shape is None or len(shape) < 2:
        return "the rank of the input is not known"
    rank, axes = len(shape), _axes(axis, len(inner))
    for at in (rank - 1, 1):
        groups = _count(inner[at]) if at < len(inner) else None
        if groups is None or groups < 1 or axes != set(range(1, len(inner))) - {at}:
            continue
        if at == 1 and len(inner) == 3 and _rest(shape, groups, _count(inner[2])):
            return at, groups
        if len(inner) == rank + 1 and _splits(view, x, inner, at):
            return at, groups
    return "the statistics are not those of groups of channels"


def _rest(shape: tuple[int | None, ...], groups: int, size: int | None) -> bool:
    """Whether one axis holds all of a group, of an example whose channels come first."""
    sizes = [d for d in shape[1:] if d is not None]
    whole = int(np.prod(sizes)) // groups if len(sizes) == len(shape) - 1 else None
    return _agree(size, whole)


def _count(size: Any) -> int | None:
    return None if size is None else size.number


def _splits(view: View, x: Any, inner: Sizes, at: int) -> bool:
    """Whether the axis is written as two and all others are kept."""
    rest = (*inner[:at], *inner[at + 2 :])
    kept = [axis for axis in range(len(inner) - 1) if axis != at]
    same = all(
        _agree(_count(size), view.axis_size(x, i).number) for i, size in zip(kept, rest)
    )
    pair, whole = (_count(inner[at]), _count(inner[at + 1])), view.axis_size(x, at)
    groups, size = pair[0] or -1, pair[1] or -1
    inside = groups * size if min(groups, size) > 0 else None
    return same and _agree(inside, whole.number)


def _agree(a: int | None, b: int | None) -> bool:
    return a is None or b is None or -1 in (a, b) or a == b


def _inside(
    view: View, x: Any, inner: Sizes, axis: Any, gamma: Held | None, beta: Held | None
) -> bool | str:
    found = _layout(view, x, inner, axis)
    if isinstance(found, str):
        return found
    at = found[0] - len(inner)
    return (
        _along({at, at + 1}, gamma, beta)
        if _per_channel(view, x, found, gamma, beta)
        else "the weights are not one a channel"
    )


def _filled(view: View, held: Held | None, value: float) -> bool:
    """Whether a weight is not there, or a constant that is one number all over."""
    if held is None:
        return True
    known = view.attrs[held.node].get("value") if held.node else view.array(held)
    return known is not None and bool(np.all(known == value))


def _outside(
    view: View,
    x: Any,
    inner: Sizes,
    axis: Any,
    gamma: Held | None,
    beta: Held | None,
    ones: Held | None,
    zeros: Held | None,
) -> bool | str:
    if not _filled(view, ones, 1.0) or not _filled(view, zeros, 0.0):
        return "the groups have a scale and an offset of their own"
    found = _layout(view, x, inner, axis)
    if isinstance(found, str):
        return found
    return _along({found[0] - len(view.shape(x) or ())}, gamma, beta)


def _per_channel(
    view: View, x: Any, layout: tuple[int, int], *weights: Held | None
) -> bool:
    channels = view.axis_size(x, layout[0]).number
    sizes = {int(np.prod(held.shape)) for held in weights if held is not None}
    return channels is None or sizes <= {channels}


def _grouped(
    view: View,
    x: Any,
    inner: Sizes,
    axis: Any,
    epsilon: float,
    gamma: Held | None,
    beta: Held | None,
) -> dict[str, Any]:
    found = _layout(view, x, inner, axis)
    at, groups = found if not isinstance(found, str) else (-1, 1)
    last = at == len(view.shape(x) or ()) - 1
    return _config(groups, -1 if last else at, epsilon, gamma, beta)


@layer("GroupNormalization", where=_inside, config=_grouped, weights=_weights)
def group_norm(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    axis: Array,
    epsilon: Scalar,
    inner: Dims,
) -> Term:
    """The weights are applied while the groups are apart."""
    split = op.Reshape(x, inner)
    plain = _scaled(split, _moments(split, axis), gamma, beta, epsilon)
    weighted = _scaled(split, _weighted_moments(x, split, axis), gamma, beta, epsilon)
    return op.Reshape(plain, ANY) | op.Reshape(weighted, ANY)


@layer("GroupNormalization", where=_outside, config=_grouped, weights=_weights)
def group_norm_rejoined(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    axis: Array,
    epsilon: Scalar,
    inner: Dims,
    ones: Weight | None,
    zeros: Weight | None,
) -> Term:
    """The weights are applied after the groups are one again; PyTorch normalizes them as instances, with none of their own."""
    split = op.Reshape(x, inner)
    plain = _scaled(split, _moments(split, axis), ones, zeros, epsilon)
    return op.Reshape(plain, ANY) * gamma + beta
