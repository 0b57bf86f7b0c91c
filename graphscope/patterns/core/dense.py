"""Core layers: Dense of any rank, EinsumDense, Embedding.

Spellings of Dense: MatMul and BatchMatMul; ``tf.tensordot`` (transpose, flatten to a matrix, multiply, shape back); an
einsum over the last axis; a kernel stored with its outputs first.
"""

from __future__ import annotations

from typing import Any

from ...match import (
    ANY,
    Array,
    Attr,
    Dims,
    Held,
    Input,
    Size,
    Sizes,
    Term,
    Value,
    View,
    Weight,
    layer,
    op,
)


def _units(kernel: Held, bias: Held | None) -> dict[str, Any]:
    return {
        "units": kernel.shape[-1],
        "use_bias": bias is not None,
        "activation": "linear",
    }


def _weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return {"kernel": kernel, "bias": bias.flat() if bias else None}


def _is_vector(bias: Held | None, size: int) -> bool | str:
    if bias is None or 0 in (*bias.shape, size):
        return True
    wide = [d for d in bias.shape if d != 1] or [1]
    fits = wide == [size] and bias.shape[-1:] == (size,)
    return fits or f"the bias has shape {list(bias.shape)}, expected [{size}]"


def _fits(kernel: Held, bias: Held | None) -> bool | str:
    if len(kernel.shape) != 2:
        return f"the kernel has {len(kernel.shape)} axes, a Dense layer's has 2"
    return _is_vector(bias, kernel.shape[-1])


def _matrix(kernel: Held, turned: bool = False) -> Held:
    """The kernel less leading axes of one, over which a BatchMatMul repeats it; ``turned``: its outputs are first."""
    if any(size != 1 for size in kernel.shape[:-2]):
        return kernel
    matrix = kernel.reshaped(*kernel.shape[-2:])
    return matrix.transposed(1, 0) if turned else matrix


def _stack_fits(
    view: View, x: Any, kernel: Held, bias: Held | None, turned: bool = False
) -> bool | str:
    shape = view.shape(x)
    if shape is None or not 2 < len(kernel.shape) <= len(shape):
        return "the kernel is a matrix, or has more axes than its input"
    return _fits(_matrix(kernel, turned), bias)


@layer(
    "Dense",
    where=_stack_fits,
    config=lambda kernel, bias: _units(_matrix(kernel), bias),
    weights=lambda kernel, bias: _weights(_matrix(kernel), bias),
)
def dense_of_stack(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    """A stack of one kernel, as a constant folded with its ExpandDims or tiled for a BatchMatMul."""
    return op.BatchMatMul(x, kernel) + bias


@layer(
    "Dense",
    where=lambda view, x, kernel, bias: _stack_fits(view, x, kernel, bias, turned=True),
    config=lambda kernel, bias: _units(_matrix(kernel, turned=True), bias),
    weights=lambda kernel, bias: _weights(_matrix(kernel, turned=True), bias),
)
def dense_of_turned_stack(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    """The same, its outputs first: a language model's logits by the table of its embedding."""
    return op.BatchMatMul(x, kernel, adj_y=True) + bias


@layer("Dense", where=_fits, config=_units, weights=_weights)
def dense(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    return op.MatMul(x, kernel) + bias | op.BatchMatMul(x, kernel) + bias


@layer(
    "Dense",
    where=lambda kernel, bias: len(kernel.shape) == 2
    and _is_vector(bias, kernel.shape[0]),
    config=lambda kernel, bias: _units(kernel.transposed(1, 0), bias),
    weights=lambda kernel, bias: _weights(kernel.transposed(1, 0), bias),
)
def dense_transposed(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    """The kernel is stored with its outputs first: PyTorch's layout, and tied embeddings."""
    return (
        op.MatMul(x, kernel, transpose_b=True) + bias
        | op.BatchMatMul(x, kernel, adj_y=True) + bias
    )


def _by_matrix(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    inner: Sizes,
    outer: Sizes,
    perm: Any,
) -> bool | str:
    if len(kernel.shape) != 2 or len(inner) != 2:
        return "it is not a product of matrices"
    if perm is not None and tuple(perm) != tuple(range(len(perm))):
        return "the axes are moved"
    if inner[1] != Size(kernel.shape[0]) and not (
        inner[1] == Size(-1) and inner[0] is not None
    ):
        return "the last axis is not what is multiplied"
    if outer[-1] != Size(kernel.shape[1]):
        return "the last axis of the result is not that of the kernel"
    leading = list(enumerate(outer[:-1]))
    kept = [size == view.axis_size(x, i) for i, size in leading]
    loose = [i for i, size in leading if not kept[i] and size == Size(-1)]
    shape = view.shape(x)
    if shape is not None and len(shape) != len(outer):
        return f"from {len(shape)} axes to {len(outer)}"
    if kept.count(False) > len(loose) or len(loose) > 1:
        return "the leading axes are not kept"
    return _is_vector(bias, kernel.shape[1])


@layer("Dense", where=_by_matrix, config=_units, weights=_weights)
def dense_by_matrix(
    x: Input, kernel: Weight, bias: Weight | None, inner: Dims, outer: Dims, perm: Array
) -> Term:
    """``tf.tensordot``, which Keras's Dense is on more than two axes."""
    rows = op.Reshape(op.Transpose(x, perm) | x, inner)
    return op.Reshape(op.MatMul(rows, kernel), outer) + bias | op.Reshape(
        op.MatMul(rows, kernel) + bias, outer
    )


def _terms(equation: str) -> tuple[str, str, str] | None:
    """The labels of input, kernel and output; None where it is not an einsum of two."""
    sides = equation.replace(" ", "").split("->")
    given = sides[0].split(",")
    return (given[0], given[1], sides[1]) if len(sides) == len(given) == 2 else None


def _is_dense_equation(equation: str) -> bool:
    labels = _terms(equation)
    if labels is None:
        return False
    x, kernel, out = labels
    plain = len(kernel) == 2 and x[-1:] == kernel[0] and out == x[:-1] + kernel[1]
    return plain and kernel[1] not in x


@layer(
    "Dense",
    where=lambda equation, kernel, bias: _is_dense_equation(equation)
    and _fits(kernel, bias),
    config=_units,
    weights=_weights,
)
def dense_einsum(x: Input, kernel: Weight, bias: Weight | None, equation: Attr) -> Term:
    return op.Einsum(x, kernel, equation=equation) + bias


def _einsum_fits(
    view: View, x: Any, equation: str, kernel: Held, bias: Held | None
) -> bool | str:
    labels = _terms(equation)
    if labels is None or _is_dense_equation(equation):
        return "it is a Dense layer, or not an einsum of two"
    left, right, out = labels
    if len(right) != len(kernel.shape):
        return "the kernel has an ellipsis in the equation"
    if left[:1] != out[:1]:
        return "the batch is not kept"
    if bias is not None and len(bias.shape) > len(out):
        return "the bias has more axes than the result"
    sizes = _output_sizes(view, x, labels, kernel)
    if sizes is None:
        return "a size is not known"
    own = _trimmed(bias).shape if bias is not None else ()
    aligned = zip(reversed(own), reversed(sizes))
    return all(b == n or n is None for b, n in aligned) or "the bias is broadcast"


def _output_sizes(
    view: View, x: Any, labels: tuple[str, str, str], kernel: Held
) -> tuple[int | None, ...] | None:
    left, right, out = labels
    sizes: dict[str, int | None] = dict(zip(right, kernel.shape))
    shape = view.shape(x)
    for i, label in enumerate(left):
        known = shape[i] if shape is not None and i < len(shape) else None
        sizes.setdefault(label, known)
    if "." in left + right + out:
        return None
    return tuple(sizes.get(label) for label in out[1:])


def _einsum(
    view: View, x: Any, equation: str, kernel: Held, bias: Held | None
) -> dict[str, Any]:
    labels = _terms(equation) or ("", "", "")
    axes = None
    if bias is not None:
        trimmed = _trimmed(bias)
        offset = len(labels[2]) - len(trimmed.shape)
        axes = labels[2][offset:]
    sizes = _output_sizes(view, x, labels, kernel) or ()
    own = labels[1] + (axes or "")
    return {
        "equation": equation,
        "output_shape": tuple(  # Keras takes a row of an unknown number for unknown still
            None if size == 1 and label not in own else size
            for label, size in zip(labels[2][1:], sizes)
        ),
        "bias_axes": axes,
        "activation": "linear",
    }


def _trimmed(bias: Held) -> Held:
    """A bias without the leading axes of size 1 that only align it."""
    shape = list(bias.shape)
    while len(shape) > 1 and shape[0] == 1:
        shape.pop(0)
    return bias.reshaped(*shape)


@layer(
    "EinsumDense",
    where=_einsum_fits,
    config=_einsum,
    weights=lambda kernel, bias: {
        "kernel": kernel,
        "bias": _trimmed(bias) if bias else None,
    },
)
def einsum_dense(x: Input, kernel: Weight, bias: Weight | None, equation: Attr) -> Term:
    return op.Einsum(x, kernel, equation=equation) + bias


def _embedding(kernel: Held) -> dict[str, Any]:
    return {"input_dim": kernel.shape[0], "output_dim": kernel.shape[1]}


@layer(
    "Embedding",
    where=lambda kernel: len(kernel.shape) == 2 or "the table is no matrix",
    config=_embedding,
    weights=lambda kernel: {"embeddings": kernel},
)
def embedding(x: Input, kernel: Weight) -> Term:
    plain = op.Cast(x) | x
    # Keras 3 lets negative indices count from the end
    wrapped = op.Select(op.Less(plain, 0), op.Add(plain, ANY), plain)
    ids = wrapped | plain
    return (
        op.GatherV2(kernel, ids, 0)
        | op.GatherV2(kernel, ids)
        | op.ResourceGather(kernel, ids)
    )


@layer(
    "Embedding",
    where=lambda view, x, kernel: (
        len(kernel.shape) == 2 and x.node in view.varying and x.node not in view.dynamic
    )
    or "its indices are fed, or constant",
    config=_embedding,
    weights=lambda kernel: {"embeddings": kernel},
    evidence="the indices depend on shapes alone: positions",
)
def embedding_of_positions(x: Value, kernel: Weight) -> Term:
    """GPT-2's ``wpe``."""
    return (
        op.GatherV2(kernel, x, 0)
        | op.GatherV2(kernel, x)
        | op.ResourceGather(kernel, x)
    )


@layer(
    "Embedding",
    where=lambda kernel, depth, last: (
        len(kernel.shape) == 2 and depth == kernel.shape[0] and last == -1
    )
    or "the one-hot vectors are no rows of the table",
    config=_embedding,
    weights=lambda kernel: {"embeddings": kernel},
)
def embedding_by_one_hot(x: Input, kernel: Weight, depth: Array, last: Attr) -> Term:
    """BERT's token types, and Keras's EinsumDense of one-hot vectors: a matrix product picks the rows."""
    rows = op.OneHot(x, depth, 1.0, 0.0, axis=last)
    return op.MatMul(rows, kernel) | op.BatchMatMul(rows, kernel)
