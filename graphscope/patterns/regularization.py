"""Regularization layers: what is random in a training graph."""

from __future__ import annotations

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
    Sizes,
    Term,
    View,
    layer,
    named,
    op,
)
from .keras_arguments import shortened

STAND_IN = 0.5  # the rate of a Dropout whose own is fed at run time


def _uniform(dims: Term) -> Term:
    """Numbers between 0 and 1 as ``tf.random_uniform`` of each version draws them, and what tidying leaves of that."""
    drawn = (
        op.RandomUniform(dims)
        | op.StatelessRandomUniformV2(dims, ...)
        | op.StatelessRandomUniform(dims, ...)
    )
    return drawn | drawn * 1.0 | drawn + 0.0 | drawn * 1.0 + 0.0


def _noise(view: View, x: Tensor, dims: Sizes) -> list[int | None] | None:
    """The noise shape where it differs from the input's: 1 along the axes that share a mask."""
    shape = view.shape(x)
    rank = len(shape) if shape is not None else len(dims)
    ones = [
        i for i in range(rank) if dims[i] == Size(1) and view.axis_size(x, i) != Size(1)
    ]
    if not ones:
        return None
    return [1 if i in ones else _known(dims[i]) for i in range(rank)]


def _known(size: Any) -> int | None:
    return None if size is None else size.number


def _config(view: View, x: Tensor, rate: float, dims: Sizes) -> dict[str, Any]:
    config: dict[str, Any] = {"rate": shortened(rate)}
    noise = _noise(view, x, dims)
    return config | ({"noise_shape": noise} if noise else {})


def _undone(rate: float, factor: float) -> bool | str:
    undone = rate < 1 and isclose(factor * (1 - rate), 1, rel_tol=1e-3)
    return undone or "what is kept is not scaled by 1 / (1 - rate)"


def _spatial(view: View, x: Tensor, dims: Sizes) -> str | None:
    """The data format in which whole channels are dropped; None where the mask is another."""
    noise = _noise(view, x, dims)
    if noise is None or not 3 <= len(noise) <= 5 or noise[0] == 1:
        return None
    shared = [i for i, size in enumerate(noise) if size == 1]
    if shared == list(range(1, len(noise) - 1)):
        return "channels_last"
    first = len(noise) > 3 and shared == list(range(2, len(noise)))
    return "channels_first" if first else None


def _whole_channels(axes: int) -> Pattern:
    def fits(b: Bindings) -> bool | str:
        if len(b.dims) != axes + 2 or _spatial(b.view, b.x, b.dims) is None:
            return f"no whole channels of {axes} axes are dropped"
        return _undone(b.rate, b.factor)

    def config(b: Bindings) -> dict[str, Any]:
        layout = {"data_format": _spatial(b.view, b.x, b.dims)} if axes > 1 else {}
        return {"rate": shortened(b.rate), **layout}

    def formula(x: Input, rate: Scalar, factor: Scalar, dims: Dims) -> Term:
        kept = op.GreaterEqual(_uniform(dims), rate)
        return op.Select(kept, x * factor, 0.0) | x * factor * op.Cast(kept)

    formula.__name__ = f"spatial_dropout_{axes}d"
    return layer(f"SpatialDropout{axes}D", where=fits, config=config)(formula)


spatial_dropout_1d = _whole_channels(1)
spatial_dropout_2d = _whole_channels(2)
spatial_dropout_3d = _whole_channels(3)


def _single_mask(b: Bindings) -> bool | str:
    if _spatial(b.view, b.x, b.dims) is not None:
        return "whole channels are dropped: a SpatialDropout"
    return _undone(b.rate, b.factor)


@layer("Dropout", where=_single_mask, config=_config)
def dropout(x: Input, rate: Scalar, factor: Scalar, dims: Dims) -> Term:
    """``tf.nn.dropout`` since 1.13, and Keras 3's."""
    kept = op.GreaterEqual(_uniform(dims), rate)
    return op.Select(kept, x * factor, 0.0) | x * factor * op.Cast(kept)


@layer(
    "Dropout",
    where=lambda rate, kept_part: _undone(rate, 1 / kept_part if kept_part else 0),
    config=_config,
)
def dropout_divided(x: Input, rate: Scalar, kept_part: Scalar, dims: Dims) -> Term:
    kept = op.GreaterEqual(_uniform(dims), rate)
    return op.Select(kept, x / kept_part, 0.0) | x / kept_part * op.Cast(kept)


@layer(
    "Dropout",
    config=lambda b: _config(b.view, b.x, 1 - b.keep, b.dims),
)
def dropout_v1(x: Input, keep: Scalar, dims: Dims) -> Term:
    """``tf.nn.dropout`` before 1.13: ``x / keep_prob * floor(keep_prob + uniform)``."""
    return op.RealDiv(x, keep) * op.Floor(keep + _uniform(dims))


@layer(
    "Dropout",
    where=lambda keep, factor: _undone(1 - keep, factor),
    config=lambda b: _config(b.view, b.x, 1 - b.keep, b.dims),
)
def dropout_v1_scaled(x: Input, keep: Scalar, factor: Scalar, dims: Dims) -> Term:
    """The same with the reciprocal as a number of its own: sparse dropout of graph convolutions."""
    return x * op.Floor(keep + _uniform(dims)) * factor


def _default(view: View, fed: Tensor) -> float | None:
    """The share that a placeholder keeps, or drops, where nobody feeds it; None where that drops all or nothing."""
    if view.kinds[fed.node] != "PlaceholderWithDefault":
        return None
    value = view.number(view.inputs[fed.node][0])
    usual = value is not None and value.size == 1 and 0 < value.reshape(()) < 1
    return float(value.reshape(())) if usual and value is not None else None


def _fed(view: View, fed: Tensor) -> str:
    found = "" if _default(view, fed) is None else "what it is by default"
    return f"the rate is fed at run time through {fed}: {found or STAND_IN} stands in for it"


def _kept(view: View, keep: Tensor) -> dict[str, Any]:
    found = _default(view, keep)
    return {"rate": STAND_IN if found is None else shortened(1 - found)}


@layer(
    "Dropout",
    config=lambda view, _keep: _kept(view, _keep),
    evidence=lambda view, _keep: _fed(view, _keep),
)
def dropout_v1_fed(x: Input, _keep: Input) -> Term:
    mask = op.Floor(_keep + _uniform(ANY))
    return op.RealDiv(x, _keep) * mask | x * mask * op.RealDiv(1.0, _keep)


def _dropped(x: Term, rate: Term) -> Term:
    kept = op.GreaterEqual(_uniform(ANY), rate)
    scale = 1 / (1.0 - rate)
    return op.Select(kept, x * scale, 0.0) | x * scale * op.Cast(kept)


@layer(
    "Dropout",
    config=lambda view, _rate: {"rate": _default(view, _rate) or STAND_IN},
    evidence=lambda view, _rate: _fed(view, _rate),
)
def dropout_fed(x: Input, _rate: Input) -> Term:
    return _dropped(x, _rate)


@layer(
    "Dropout",
    config=lambda view, _keep: _kept(view, _keep),
    evidence=lambda view, _keep: _fed(view, _keep),
)
def dropout_fed_keep(x: Input, _keep: Input) -> Term:
    """TensorFlow since 1.13, called with ``keep_prob`` or ``rate=1 - keep_prob``."""
    return _dropped(x, named("_rate", 1.0 - _keep))


@layer(
    "GaussianDropout",
    where=lambda stddev: stddev > 0,
    config=lambda stddev: {"rate": shortened(stddev**2 / (1 + stddev**2))},
)
def gaussian_dropout(x: Input, stddev: Scalar) -> Term:
    """Noise of mean 1 that is multiplied: the deviation is ``sqrt(rate / (1 - rate))``."""
    drawn = op.RandomStandardNormal(ANY) | op.StatelessRandomNormalV2(ANY, ...)
    return x * (drawn * stddev + 1.0)


@layer("GaussianNoise", config=lambda stddev: {"stddev": stddev})
def gaussian_noise(x: Input, stddev: Scalar) -> Term:
    drawn = op.RandomStandardNormal(ANY) | op.StatelessRandomNormalV2(ANY, ...)
    return x + drawn * stddev | x + (drawn * stddev + 0.0)
