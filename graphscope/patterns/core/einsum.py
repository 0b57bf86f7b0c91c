"""EinsumDense as Keras 3 computes it: a product of matrices between reshapes that split or join the last axes.

The projections of Keras's attention layers: from features to heads, and from heads back to features.
"""

from __future__ import annotations

from string import ascii_lowercase as LETTERS
from typing import Any

import numpy as np

from ...match import (
    Bindings,
    Dims,
    Input,
    Size,
    Sizes,
    Term,
    View,
    Weight,
    WeightRef,
    layer,
    op,
)


def _leading_kept(view: View, x: Any, outer: Sizes, count: int) -> bool:
    """Whether a reshape keeps the first axes of the tensor that the product was applied to."""
    loose = 0
    for axis in range(count):
        if outer[axis] == view.axis_size(x, axis):
            continue
        loose += 1
        if outer[axis] != Size(-1):
            return False
    return loose <= 1


def _numbers(sizes: Sizes) -> list[int | None]:
    return [size.number if size is not None else None for size in sizes]


def _to_heads(b: Bindings) -> bool | str:
    shape = b.shape
    if shape is None or len(b.kernel.shape) != 2:
        return "the rank of the input is not known, or the kernel is no matrix"
    leading, heads = len(shape) - 1, _numbers(b.outer[len(shape) - 1 :])
    if len(heads) < 2 or None in heads or min(h or 0 for h in heads) < 1:
        return "the last axis is not split"
    if int(np.prod([h or 0 for h in heads])) != b.kernel.shape[1]:
        return "the last axes do not make up the units"
    if not _leading_kept(b.view, b.x, b.outer, leading):
        return "the leading axes are not kept"
    return b.bias is None or _of_trailing(b.bias, heads)


def _of_trailing(bias: WeightRef, heads: list[int | None]) -> bool | str:
    shape = bias.trimmed().shape
    fits = list(shape) == heads[len(heads) - len(shape) :]
    return fits or f"the bias has shape {list(bias.shape)}"


def _heads_config(b: Bindings) -> dict[str, Any]:
    rank = len(b.shape or ())
    heads = len(b.outer) - rank + 1
    left, new = LETTERS[:rank], LETTERS[rank : rank + heads]
    right = left[-1] + new
    leading = (b.shape or ())[1:-1]
    return {
        "equation": f"{left},{right}->{left[:-1]}{new}",
        "output_shape": (*leading, *_numbers(b.outer[rank - 1 :])),
        "bias_axes": new[heads - len(b.bias.trimmed().shape) :] if b.bias else None,
    }


def _heads_weights(b: Bindings) -> dict[str, WeightRef | None]:
    heads = [h or 0 for h in _numbers(b.outer[len(b.shape or ()) - 1 :])]
    return {"kernel": b.kernel.reshaped(b.kernel.shape[0], *heads), "bias": b.bias}


@layer("EinsumDense", where=_to_heads, config=_heads_config, weights=_heads_weights)
def einsum_dense_by_matrix(
    x: Input, kernel: Weight, bias: Weight | None, outer: Dims
) -> Term:
    return op.Reshape(op.BatchMatMul(x, kernel), outer) + bias


def _joined(b: Bindings) -> bool | str:
    shape = b.shape
    if shape is None or len(b.kernel.shape) != 2 or len(b.inner) >= len(shape):
        return "no axes are joined"
    leading = len(b.inner) - 1
    joined = shape[leading:]
    if None in joined or int(np.prod([d or 0 for d in joined])) != b.kernel.shape[0]:
        return "the joined axes are not what the kernel takes"
    if not _leading_kept(b.view, b.x, b.inner, leading):
        return "the leading axes are not kept"
    if b.inner[-1] not in (Size(-1), Size(b.kernel.shape[0])):
        return "the joined axes are cut"
    fits = b.bias is None or b.bias.trimmed().shape == (b.kernel.shape[1],)
    return fits or "the bias is not one number a unit"


def _joined_config(b: Bindings) -> dict[str, Any]:
    shape = b.shape or ()
    rank, leading = len(shape), len(b.inner) - 1
    left, new = LETTERS[:rank], LETTERS[rank]
    return {
        "equation": f"{left},{left[leading:]}{new}->{left[:leading]}{new}",
        "output_shape": (*shape[1:leading], b.kernel.shape[1]),
        "bias_axes": new if b.bias else None,
    }


def _joined_weights(b: Bindings) -> dict[str, WeightRef | None]:
    joined = [d or 0 for d in (b.shape or ())[len(b.inner) - 1 :]]
    return {"kernel": b.kernel.reshaped(*joined, b.kernel.shape[1]), "bias": b.bias}


@layer("EinsumDense", where=_joined, config=_joined_config, weights=_joined_weights)
def einsum_dense_from_heads(
    x: Input, kernel: Weight, bias: Weight | None, inner: Dims
) -> Term:
    return op.BatchMatMul(op.Reshape(x, inner), kernel) + bias
