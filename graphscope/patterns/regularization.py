"""Regularization layers: what is random in a training graph."""

from __future__ import annotations

from collections.abc import Callable
from math import isclose
from typing import Any

from ..graph import Tensor
from ..match import (
    ANY,
    Bindings,
    Dims,
    Input,
    Pattern,
    Scalar,
    Size,
    Term,
    View,
    layer,
    named,
    op,
)
from .keras_arguments import shortened

STAND_IN = 0.5  # the rate of a Dropout whose own is fed at run time
MOST_FLIPS = 4  # a file may hold a circle of them


def _uniform(dims: Term) -> Term:
    """Numbers between 0 and 1 as ``tf.random_uniform`` of each version draws them, and what tidying leaves of that."""
    drawn = (
        op.RandomUniform(dims)
        | op.StatelessRandomUniformV2(dims, ...)
        | op.StatelessRandomUniform(dims, ...)
    )
    return drawn | drawn * 1.0 | drawn + 0.0 | drawn * 1.0 + 0.0


def _kept(x: Term, mask: Term, scale: Term) -> Term:
    """What is kept, scaled up, and zeros for the rest."""
    return op.Select(mask, x * scale, 0.0) | x * scale * op.Cast(mask)


def _noise(b: Bindings) -> list[int | None] | None:
    """The noise shape where it differs from the input's: 1 along the axes that share a mask."""
    rank = len(b.shape) if b.shape is not None else len(b._dims)
    ones = [
        i
        for i in range(rank)
        if b._dims[i] == Size(1) and b.view.axis_size(b.x, i) != Size(1)
    ]
    if not ones:
        return None
    sizes = [None if size is None else size.number for size in b._dims]
    return [1 if i in ones else sizes[i] for i in range(rank)]


def _config(b: Bindings) -> dict[str, Any]:
    rate, noise = 1 - b._keep if b.rate is None else b.rate, _noise(b)
    config: dict[str, Any] = {"rate": shortened(rate)}
    return config | ({"noise_shape": noise} if noise else {})


def _is_undone(rate: float, factor: float) -> bool | str:
    undone = rate < 1 and isclose(factor * (1 - rate), 1, rel_tol=1e-3)
    return undone or "what is kept is not scaled by 1 / (1 - rate)"


def _spatial(b: Bindings) -> str | None:
    """The data format in which whole channels are dropped; None where the mask is another."""
    noise = _noise(b)
    if noise is None or not 3 <= len(noise) <= 5 or noise[0] == 1:
        return None
    shared = [i for i, size in enumerate(noise) if size == 1]
    if shared == list(range(1, len(noise) - 1)):
        return "channels_last"
    first = len(noise) > 3 and shared == list(range(2, len(noise)))
    return "channels_first" if first else None


def _whole_channels(axes: int) -> Pattern:
    def fits(b: Bindings) -> bool | str:
        whole = len(b._dims) == axes + 2 and _spatial(b) is not None
        return whole or f"no whole channels of {axes} axes are dropped"

    def config(b: Bindings) -> dict[str, Any]:
        layout = {"data_format": _spatial(b)} if axes > 1 else {}
        return {"rate": shortened(b.rate), **layout}

    def formula(x: Input, rate: Scalar, factor: Scalar, _dims: Dims) -> Term:
        return _kept(x, op.GreaterEqual(_uniform(_dims), rate), factor)

    formula.__name__ = f"spatial_dropout_{axes}d"
    clauses = (fits, _is_undone)
    return layer(f"SpatialDropout{axes}D", where=clauses, config=config)(formula)


spatial_dropout_1d = _whole_channels(1)
spatial_dropout_2d = _whole_channels(2)
spatial_dropout_3d = _whole_channels(3)


def _is_of_numbers(b: Bindings) -> bool | str:
    return _spatial(b) is None or "whole channels are dropped: a SpatialDropout"


@layer("Dropout", where=(_is_of_numbers, _is_undone), config=_config)
def dropout(x: Input, rate: Scalar, factor: Scalar, _dims: Dims) -> Term:
    """``tf.nn.dropout`` since 1.13, and Keras 3's."""
    return _kept(x, op.GreaterEqual(_uniform(_dims), rate), factor)


@layer(
    "Dropout",
    where=lambda rate, _keep: _is_undone(rate, 1 / _keep if _keep else 0),
    config=_config,
)
def dropout_divided(x: Input, rate: Scalar, _keep: Scalar, _dims: Dims) -> Term:
    mask = op.GreaterEqual(_uniform(_dims), rate)
    return op.Select(mask, x / _keep, 0.0) | x / _keep * op.Cast(mask)


@layer("Dropout", config=_config)
def dropout_v1(x: Input, _keep: Scalar, _dims: Dims) -> Term:
    """``tf.nn.dropout`` before 1.13: ``x / keep_prob * floor(keep_prob + uniform)``."""
    return op.RealDiv(x, _keep) * op.Floor(_keep + _uniform(_dims))


@layer(
    "Dropout",
    where=lambda _keep, factor: _is_undone(1 - _keep, factor),
    config=_config,
)
def dropout_v1_scaled(x: Input, _keep: Scalar, factor: Scalar, _dims: Dims) -> Term:
    """The same with the reciprocal as a number of its own: sparse dropout of graph convolutions."""
    return x * op.Floor(_keep + _uniform(_dims)) * factor


def _default(b: Bindings) -> float | None:
    """The share that a placeholder keeps, or drops, where nobody feeds it; None where that drops all or nothing."""
    view, node, flips = b.view, (b._keep or b._rate).node, 0
    while view.kinds[node] == "Sub":  # the other share: 1 - keep, and 1 less that
        whole, part = view.inputs[node]
        if _single(view, whole) != 1 or flips == MOST_FLIPS:
            return None
        node, flips = part.node, flips + 1
    if view.kinds[node] != "PlaceholderWithDefault":
        return None
    share = _single(view, view.inputs[node][0])
    if share is None or not 0 < share < 1:
        return None
    return 1 - share if flips % 2 else share


def _single(view: View, tensor: Tensor) -> float | None:
    """The one number that a tensor holds, where it is known."""
    value = view.number(tensor)
    return float(value.reshape(())) if value is not None and value.size == 1 else None


def _fed() -> Callable[[Callable[..., Term]], Pattern]:
    """A Dropout whose rate, or what it keeps, is fed at run time."""

    def config(b: Bindings) -> dict[str, Any]:
        return {"rate": rate(b)[0]}

    def rate(b: Bindings) -> tuple[float, str]:
        share = _default(b)
        if share is None:
            return STAND_IN, ""
        own = share if b._keep is None else shortened(1 - share)
        return own, ", which the file has,"

    def evidence(b: Bindings) -> str:
        number, source = rate(b)
        fed = b._keep or b._rate
        return f"the rate is fed at run time through {fed}: {number:g}{source} stands in for it"

    return layer("Dropout", config=config, evidence=evidence)


@_fed()
def dropout_v1_fed(x: Input, _keep: Input) -> Term:
    mask = op.Floor(_keep + _uniform(ANY))
    return op.RealDiv(x, _keep) * mask | x * mask * op.RealDiv(1.0, _keep)


def _dropped(x: Term, rate: Term) -> Term:
    return _kept(x, op.GreaterEqual(_uniform(ANY), rate), 1 / (1.0 - rate))


@_fed()
def dropout_fed(x: Input, _rate: Input) -> Term:
    return _dropped(x, _rate)


@_fed()
def dropout_fed_keep(x: Input, _keep: Input) -> Term:
    """TensorFlow since 1.13, called with ``keep_prob`` or ``rate=1 - keep_prob``."""
    return _dropped(x, named("_dropped", 1.0 - _keep))


@layer(
    "GaussianDropout",
    where=lambda stddev: stddev > 0,
    config=lambda stddev: {"rate": shortened(stddev**2 / (1 + stddev**2))},
)
def gaussian_dropout(x: Input, stddev: Scalar) -> Term:
    """Noise of mean 1 that is multiplied: the deviation is ``sqrt(rate / (1 - rate))``."""
    drawn = op.RandomStandardNormal(ANY) | op.StatelessRandomNormalV2(ANY, ...)
    return x * (drawn * stddev + 1.0)


@layer("GaussianNoise")
def gaussian_noise(x: Input, stddev: Scalar) -> Term:
    drawn = op.RandomStandardNormal(ANY) | op.StatelessRandomNormalV2(ANY, ...)
    return x + drawn * stddev | x + (drawn * stddev + 0.0)
