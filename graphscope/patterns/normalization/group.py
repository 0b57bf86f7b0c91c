"""Normalization by the statistics of groups of channels; an instance normalization is one with ``groups=-1``.

Spellings: the paper's listing (NCHW, or NHWC with the channels split in two), Keras 2's weighted moments, slim's
``group_norm``, ``instance_norm`` and ``layer_norm``, and PyTorch's flat ``[N, groups, -1]`` as ONNX converters write it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...match import (
    ANY,
    Array,
    Bindings,
    Dims,
    Input,
    Scalar,
    Term,
    View,
    Weight,
    WeightRef,
    layer,
    op,
)
from .formulas import moments, sized_alike, standardized


def _weighted_moments(x: object, split: object, axis: object) -> tuple[Term, Term]:
    """Keras 2's, whose weights are all one."""
    ones = op.Reshape(op.OnesLike(x), ANY)
    total = op.Sum(ones + op.ZerosLike(ANY), axis, keep_dims=True)
    mean = op.DivNoNan(op.Sum(ones * split, axis, keep_dims=True), total)
    left = op.Sum(ones * (split - mean) ** 2, axis, keep_dims=True)
    return mean, op.DivNoNan(left, total)


def _axes(axis: object, rank: int) -> set[int]:
    return {a % rank for a in (axis if isinstance(axis, tuple) else (axis,))}


def _along(places: set[int], *weights: WeightRef | None) -> bool | str:
    """Whether the weights vary along those axes alone, which are counted from the end."""
    for weight in weights:
        shape = weight.shape if weight is not None else ()
        if any(d != 1 and i - len(shape) not in places for i, d in enumerate(shape)):
            return "the weights vary along another axis than the channels"
    return True


def _fits(b: Bindings, place: int) -> bool | str:
    """Whether the weights vary along that axis alone, and the input is as wide there."""
    weights = [each for each in (b.gamma, b.beta) if each is not None]
    along = _along({place}, *weights)
    if along is not True or not weights:
        return along
    width = max(math.prod(each.shape) for each in weights)
    return sized_alike(b.view, b.x, {place: width})


def _config(b: Bindings, groups: int, axis: int) -> dict[str, Any]:
    return {"groups": groups, "axis": axis, "epsilon": b.epsilon}


def _channels(b: Bindings) -> int | None:
    """The channels' axis where the statistics are over the spatial axes, as Keras writes it."""
    rank = len(b.shape or ())
    axes = _axes(b.axis, rank) if rank > 2 else set()
    if axes and axes == set(range(1, rank - 1)):
        return -1
    return 1 if axes and axes == set(range(2, rank)) else None


def _instance(b: Bindings) -> bool | str:
    at, rank = _channels(b), len(b.shape or ())
    if at is None:
        return "the statistics are not over the spatial axes of a known rank"
    if b.view.axis_size(b.x, at).number is None:
        return "the number of channels is not known: Keras builds no such layer"
    if at == 1 and rank == 3 and b.gamma is None and b.beta is None:
        return "it is a layer normalization as well"
    place = at if at < 0 else 1 - rank
    return _fits(b, place)


@layer(
    "GroupNormalization",
    where=_instance,
    config=lambda b: _config(b, -1, _channels(b) or -1),
    evidence="statistics of each example and channel: an instance normalization",
)
def instance_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    return standardized(x, moments(x, axis), gamma, beta, epsilon)


def _whole(b: Bindings) -> bool | str:
    shape = b.shape
    if shape is None or len(shape) < 3:
        return "the rank of the input is not known, or below 3"
    if _axes(b.axis, len(shape)) != set(range(1, len(shape))):
        return "the statistics are not those of the whole example"
    if b.gamma is None and b.beta is None:
        return "it is a layer normalization"
    return _fits(b, -1)


@layer(
    "GroupNormalization",
    where=_whole,
    config=lambda b: _config(b, 1, -1),
    evidence="statistics of the whole example, weights one a channel: a single group",
)
def single_group_norm(
    x: Input, gamma: Weight | None, beta: Weight | None, axis: Array, epsilon: Scalar
) -> Term:
    """slim's ``layer_norm`` as it is called by default."""
    return standardized(x, moments(x, axis), gamma, beta, epsilon)


def _layout(b: Bindings) -> tuple[int, int] | str:
    """The axis of the channels (counted from the front) and the number of groups; else why not."""
    shape = b.shape
    if shape is None or len(shape) < 2:
        return "the rank of the input is not known"
    rank, axes = len(shape), _axes(b.axis, len(b.inner))
    for at in (rank - 1, 1):
        groups = _count(b.inner[at]) if at < len(b.inner) else None
        if groups is None or groups < 1 or axes != set(range(1, len(b.inner))) - {at}:
            continue
        if at == 1 and len(b.inner) == 3 and _rest(shape, groups, _count(b.inner[2])):
            return at, groups
        if len(b.inner) == rank + 1 and _splits(b, at):
            return at, groups
    return "the statistics are not those of groups of channels"


def _rest(shape: tuple[int | None, ...], groups: int, size: int | None) -> bool:
    """Whether one axis holds all of a group, of an example whose channels come first."""
    sizes = [d for d in shape[1:] if d is not None]
    whole = int(np.prod(sizes)) // groups if len(sizes) == len(shape) - 1 else None
    return _agree(size, whole)


def _count(size: Any) -> int | None:
    return None if size is None else size.number


def _splits(b: Bindings, at: int) -> bool:
    """Whether the axis is written as two and all others are others."""
    sizes = [_count(size) for size in b.inner]
    others = [axis for axis in range(len(sizes) - 1) if axis != at]
    whole = [b.view.axis_size(b.x, axis).number for axis in range(len(sizes) - 1)]
    same = map(_agree, [*sizes[:at], *sizes[at + 2 :]], [whole[i] for i in others])
    groups, size = sizes[at] or -1, sizes[at + 1] or -1
    inside = groups * size if min(groups, size) > 0 else None
    return all(same) and _agree(inside, whole[at])


def _agree(a: int | None, b: int | None) -> bool:
    return a is None or b is None or -1 in (a, b) or a == b


def _inside(b: Bindings) -> bool | str:
    layout = _layout(b)
    if isinstance(layout, str):
        return layout
    channels, at = b.view.axis_size(b.x, layout[0]).number, layout[0] - len(b.inner)
    for weight in (b.gamma, b.beta):
        size = int(np.prod(weight.shape)) if weight is not None else channels
        if channels is not None and size != channels:
            return "the weights are not one a channel"
    return _along({at, at + 1}, b.gamma, b.beta)


def _filled(view: View, weight: WeightRef | None, value: float) -> bool:
    """Whether a weight is not there, or a constant that is one number all over."""
    if weight is None:
        return True
    array = view.attrs[weight.node].get("value") if weight.node else view.array(weight)
    return array is not None and bool(np.all(array == value))


def _outside(b: Bindings) -> bool | str:
    if not _filled(b.view, b._ones, 1.0) or not _filled(b.view, b._zeros, 0.0):
        return "the groups have a scale and an offset of their own"
    layout = _layout(b)
    if isinstance(layout, str):
        return layout
    return _along({layout[0] - len(b.shape or ())}, b.gamma, b.beta)


def _grouped(b: Bindings) -> dict[str, Any]:
    layout = _layout(b)
    at, groups = layout if not isinstance(layout, str) else (-1, 1)
    last = at == len(b.shape or ()) - 1
    return _config(b, groups, -1 if last else at)


@layer("GroupNormalization", where=_inside, config=_grouped)
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
    plain, weighted = (
        standardized(split, statistics, gamma, beta, epsilon)
        for statistics in (moments(split, axis), _weighted_moments(x, split, axis))
    )
    return op.Reshape(plain, ANY) | op.Reshape(weighted, ANY)


@layer("GroupNormalization", where=_outside, config=_grouped)
def group_norm_rejoined(
    x: Input,
    gamma: Weight | None,
    beta: Weight | None,
    axis: Array,
    epsilon: Scalar,
    inner: Dims,
    _ones: Weight | None,
    _zeros: Weight | None,
) -> Term:
    """The weights are applied after the groups are one again; PyTorch normalizes them as instances, with none of their own."""
    split = op.Reshape(x, inner)
    plain = standardized(split, moments(split, axis), _ones, _zeros, epsilon)
    return op.Reshape(plain, ANY) * gamma + beta
