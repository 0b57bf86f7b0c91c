"""EinsumDense as Keras 3 computes it: a product of matrices between reshapes that split or join the last axes.

The projections of Keras's attention layers: from features to heads, and from heads back to features.
"""

from __future__ import annotations

from string import ascii_lowercase as LETTERS
from typing import Any

import numpy as np

from ...match import Dims, Held, Input, Size, Sizes, Term, View, Weight, layer, op


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


def _to_heads(
    view: View, x: Any, kernel: Held, bias: Held | None, outer: Sizes
) -> bool | str:
    shape = view.shape(x)
    if shape is None or len(kernel.shape) != 2:
        return "the rank of the input is not known, or the kernel is no matrix"
    leading, heads = len(shape) - 1, _numbers(outer[len(shape) - 1 :])
    if len(heads) < 2 or None in heads or min(h or 0 for h in heads) < 1:
        return "the last axis is not split"
    if int(np.prod([h or 0 for h in heads])) != kernel.shape[1]:
        return "the last axes do not make up the units"
    if not _leading_kept(view, x, outer, leading):
        return "the leading axes are not kept"
    return bias is None or _of_trailing(bias, heads)


def _of_trailing(bias: Held, heads: list[int | None]) -> bool | str:
    given = _trimmed(bias).shape
    fits = list(given) == heads[len(heads) - len(given) :]
    return fits or f"the bias has shape {list(bias.shape)}"


def _trimmed(bias: Held) -> Held:
    shape = list(bias.shape)
    while len(shape) > 1 and shape[0] == 1:
        shape.pop(0)
    return bias.reshaped(*shape)


def _heads_config(
    view: View, x: Any, kernel: Held, bias: Held | None, outer: Sizes
) -> dict[str, Any]:
    rank = len(view.shape(x) or ())
    heads = len(outer) - rank + 1
    left, new = LETTERS[:rank], LETTERS[rank : rank + heads]
    right = left[-1] + new
    sizes = view.shape(x) or ()
    made = tuple(sizes[1:-1]) + tuple(_numbers(outer[rank - 1 :]))
    return {
        "equation": f"{left},{right}->{left[:-1]}{new}",
        "output_shape": made,
        "bias_axes": new[heads - len(_trimmed(bias).shape) :] if bias else None,
        "activation": "linear",
    }


def _heads_weights(
    view: View, x: Any, kernel: Held, bias: Held | None, outer: Sizes
) -> dict[str, Held | None]:
    heads = [h or 0 for h in _numbers(outer[len(view.shape(x) or ()) - 1 :])]
    return {
        "kernel": kernel.reshaped(kernel.shape[0], *heads),
        "bias": _trimmed(bias) if bias else None,
    }


@layer("EinsumDense", where=_to_heads, config=_heads_config, weights=_heads_weights)
def einsum_dense_by_matrix(
    x: Input, kernel: Weight, bias: Weight | None, outer: Dims
) -> Term:
    return op.Reshape(op.BatchMatMul(x, kernel), outer) + bias


def _joined(
    view: View, x: Any, kernel: Held, bias: Held | None, inner: Sizes
) -> bool | str:
    shape = view.shape(x)
    if shape is None or len(kernel.shape) != 2 or len(inner) >= len(shape):
        return "no axes are joined"
    leading = len(inner) - 1
    joined = shape[leading:]
    if None in joined or int(np.prod([d or 0 for d in joined])) != kernel.shape[0]:
        return "the joined axes are not what the kernel takes"
    if not _leading_kept(view, x, inner, leading):
        return "the leading axes are not kept"
    if inner[-1] not in (Size(-1), Size(kernel.shape[0])):
        return "the joined axes are cut"
    fits = bias is None or _trimmed(bias).shape == (kernel.shape[1],)
    return fits or "the bias is not one number a unit"


def _joined_config(
    view: View, x: Any, kernel: Held, bias: Held | None, inner: Sizes
) -> dict[str, Any]:
    shape = view.shape(x) or ()
    rank, leading = len(shape), len(inner) - 1
    left, new = LETTERS[:rank], LETTERS[rank]
    return {
        "equation": f"{left},{left[leading:]}{new}->{left[:leading]}{new}",
        "output_shape": (*shape[1:leading], kernel.shape[1]),
        "bias_axes": new if bias else None,
        "activation": "linear",
    }


def _joined_weights(
    view: View, x: Any, kernel: Held, bias: Held | None, inner: Sizes
) -> dict[str, Held | None]:
    joined = [d or 0 for d in (view.shape(x) or ())[len(inner) - 1 :]]
    return {
        "kernel": kernel.reshaped(*joined, kernel.shape[1]),
        "bias": _trimmed(bias) if bias else None,
    }


@layer("EinsumDense", where=_joined, config=_joined_config, weights=_joined_weights)
def einsum_dense_from_heads(
    x: Input, kernel: Weight, bias: Weight | None, inner: Dims
) -> Term:
    return op.BatchMatMul(op.Reshape(x, inner), kernel) + bias
