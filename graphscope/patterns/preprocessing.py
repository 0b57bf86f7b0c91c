"""Preprocessing layers: what stands before a network and has no trained weights."""

from __future__ import annotations

from typing import Any

from ..match import Held, Input, Scalar, Term, Weight, layer, op, sqrt
from ..match.convention import shortened


@layer(
    "Rescaling",
    where=lambda scale, offset: scale is not None or offset is not None,
    config=lambda scale, offset: {
        "scale": 1.0 if scale is None else scale,
        "offset": 0.0 if offset is None else offset,
    },
)
def rescaling(x: Input, scale: Scalar, offset: Scalar | None) -> Term:
    return x * scale + offset


@layer("Rescaling", config=lambda offset: {"scale": 1.0, "offset": offset})
def rescaling_offset(x: Input, offset: Scalar) -> Term:
    return x + offset


@layer(
    "Rescaling",
    where=lambda divisor: divisor != 0,
    config=lambda divisor, offset: {
        "scale": shortened(1 / divisor),
        "offset": 0.0 if offset is None else offset,
    },
)
def rescaling_divided(x: Input, divisor: Scalar, offset: Scalar | None) -> Term:
    return op.RealDiv(x, divisor) + offset


@layer(
    "Rescaling",
    config=lambda scale, shift: {"scale": scale, "offset": shortened(shift * scale)},
)
def rescaling_shifted(x: Input, scale: Scalar, shift: Scalar) -> Term:
    return (x + shift) * scale


@layer(
    "Rescaling",
    where=lambda divisor: divisor != 0,
    config=lambda divisor, shift: {
        "scale": shortened(1 / divisor),
        "offset": shortened(shift / divisor),
    },
)
def rescaling_shifted_divided(x: Input, divisor: Scalar, shift: Scalar) -> Term:
    return op.RealDiv(x + shift, divisor)


def _statistics(mean: Held, variance: Held) -> dict[str, Any]:
    return {"mean": mean, "variance": variance}


@layer("Normalization", weights=_statistics, config=lambda: {"axis": -1})
def normalization(x: Input, mean: Weight, variance: Weight) -> Term:
    """Keras's Normalization; its epsilon of 1e-7 keeps the deviation from being zero."""
    return (x - mean) / op.Maximum(sqrt(variance), 1e-7)
