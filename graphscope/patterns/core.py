"""Core layers: Dense, EinsumDense, Embedding."""

from __future__ import annotations

from typing import Any

from ..match import Held, Input, Term, Weight, layer, op


def _dense(kernel: Held, bias: Held | None) -> dict[str, Any]:
    return {"units": kernel.shape[-1], "use_bias": bias is not None}


def _weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return {"kernel": kernel, "bias": bias.flat() if bias else None}


def _fits(kernel: Held, bias: Held | None) -> bool | str:
    if len(kernel.shape) != 2:
        return f"the kernel has {len(kernel.shape)} axes, a Dense layer's has 2"
    return is_vector(bias, kernel.shape[-1])


def is_vector(bias: Held | None, size: int) -> bool | str:
    """Whether a bias has one number a unit (sizes that are not known are 0)."""
    if bias is None or 0 in (*bias.shape, size):
        return True
    wide = [d for d in bias.shape if d != 1] or [1]
    if wide != [size] and size != 1 or bias.shape[-1] != size:
        return f"the bias has shape {list(bias.shape)}, expected [{size}]"
    return True


@layer("Dense", where=_fits, config=_dense, weights=_weights)
def dense(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    return op.MatMul(x, kernel) + bias | op.BatchMatMul(x, kernel) + bias


def _transposed_weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return _weights(kernel.transposed(1, 0), bias)


def _transposed_fits(kernel: Held, bias: Held | None) -> bool | str:
    return len(kernel.shape) == 2 and is_vector(bias, kernel.shape[0])


@layer(
    "Dense",
    where=_transposed_fits,
    config=lambda kernel, bias: _dense(kernel.transposed(1, 0), bias),
    weights=_transposed_weights,
)
def dense_transposed(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    """The kernel is stored with its outputs first, as PyTorch does."""
    return (
        op.MatMul(x, kernel, transpose_b=True) + bias
        | op.BatchMatMul(x, kernel, adj_y=True) + bias
    )
