"""A weight that only multiplies or is only added, along the last axis.

ConvNeXt's LayerScale and its like: no layer of Keras's own computes just that, but an EinsumDense can say it exactly,
and trains as the original did.
"""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from ...match import Input, Term, View, Weight, WeightRef, layer, op

FEW = 16  # numbers that are written where they are used


def _along_last(view: View, x: Any, scale: WeightRef) -> bool | str:
    if not scale.node:
        return "it is computed, not held"
    if scale.direct and view.has_variables and scale.shape[-1] <= FEW:
        return "it is a constant beside variables: somebody wrote it"
    if scale.shape[-1] in (0, 1) or any(d != 1 for d in scale.shape[:-1]):
        return "the weight varies along another axis than the last"
    shape = view.shape(x)
    if shape is None or len(shape) < max(2, len(scale.shape)):
        return "the input's rank is not known, or below the weight's"
    if shape[-1] is None:
        return "the size of the last axis, which Keras asks for, is not known"
    return shape[-1] == scale.shape[-1] or "the input is broadcast"


def _each_by_its_own(view: View, x: Any, scale: WeightRef) -> dict[str, Any]:
    """Every axis named: of ``...d,d->...d`` Keras gets the shape of the result wrong."""
    shape = view.shape(x) or ()
    axes = ascii_lowercase[: len(shape)]
    return {
        "equation": f"{axes},{axes[-1]}->{axes}",
        "output_shape": (*shape[1:-1], scale.shape[-1]),
        "bias_axes": None,
    }


@layer(
    "EinsumDense",
    where=_along_last,
    config=_each_by_its_own,
    weights=lambda scale: {"kernel": scale.flat()},
    evidence="a scale per channel (ConvNeXt's LayerScale, say): Keras has no layer for it but this one",
)
def channel_scale(x: Input, scale: Weight) -> Term:
    return op.Mul(x, scale) | op.Mul(scale, x)
