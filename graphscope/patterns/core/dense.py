"""Core layers: Dense of any rank, EinsumDense, Embedding.

Spellings of Dense: MatMul and BatchMatMul; ``tf.tensordot`` (transpose, flatten to a matrix, multiply, shape back); an
einsum over the last axis; a kernel stored with its outputs first.
"""

from __future__ import annotations

from typing import Any

from ...graph import Tensor
from ...match import (
    ANY,
    Array,
    Attr,
    Bindings,
    Dims,
    Input,
    Size,
    Term,
    Value,
    View,
    Weight,
    WeightRef,
    layer,
    op,
)


def _is_vector(bias: WeightRef | None, size: int) -> bool | str:
    if bias is None or 0 in (*bias.shape, size):
        return True
    wide = [d for d in bias.shape if d != 1] or [1]
    fits = wide == [size] and bias.shape[-1:] == (size,)
    return fits or f"the bias has shape {list(bias.shape)}, expected [{size}]"


def _fits(kernel: WeightRef, bias: WeightRef | None) -> bool | str:
    if len(kernel.shape) != 2:
        return f"the kernel has {len(kernel.shape)} axes, a Dense layer's has 2"
    return _is_vector(bias, kernel.shape[-1])


def _turned(kernel: WeightRef) -> WeightRef:
    """A kernel that is stored with its outputs first; as it is where it is no matrix."""
    return kernel.transposed(1, 0) if len(kernel.shape) == 2 else kernel


def _matrix(kernel: WeightRef) -> WeightRef:
    """The kernel less leading axes of one, over which a BatchMatMul repeats it."""
    if any(size != 1 for size in kernel.shape[:-2]):
        return kernel
    return kernel.reshaped(*kernel.shape[-2:])


def _is_stack(view: View, x: Tensor, kernel: WeightRef) -> bool | str:
    shape = view.shape(x)
    stacked = shape is not None and 2 < len(kernel.shape) <= len(shape)
    return stacked or "the kernel is a matrix, or has more axes than its input"


@layer(
    "Dense",
    where=(_is_stack, lambda kernel, bias: _fits(_matrix(kernel), bias)),
    weights={"kernel": _matrix},
)
def dense_of_stack(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    """A stack of one kernel, as a constant folded with its ExpandDims or tiled for a BatchMatMul."""
    return op.BatchMatMul(x, kernel) + bias


@layer(
    "Dense",
    where=(_is_stack, lambda kernel, bias: _fits(_turned(_matrix(kernel)), bias)),
    weights={"kernel": lambda kernel: _turned(_matrix(kernel))},
)
def dense_of_turned_stack(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    """The same, its outputs first: a language model's logits by the table of its embedding."""
    return op.BatchMatMul(x, kernel, adj_y=True) + bias


@layer("Dense", where=_fits)
def dense(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    return op.MatMul(x, kernel) + bias | op.BatchMatMul(x, kernel) + bias


@layer(
    "Dense",
    where=lambda kernel, bias: len(kernel.shape) == 2 and _fits(_turned(kernel), bias),
    weights={"kernel": _turned},
)
def dense_transposed(x: Input, kernel: Weight, bias: Weight | None) -> Term:
    """The kernel is stored with its outputs first: PyTorch's layout, and tied embeddings."""
    return (
        op.MatMul(x, kernel, transpose_b=True) + bias
        | op.BatchMatMul(x, kernel, adj_y=True) + bias
    )


def _by_matrix(b: Bindings) -> bool | str:
    if len(b.kernel.shape) != 2 or len(b.inner) != 2:
        return "it is not a product of matrices"
    if b._perm is not None and tuple(b._perm) != tuple(range(len(b._perm))):
        return "the axes are moved"
    if b.inner[1] != Size(b.kernel.shape[0]) and not (
        b.inner[1] == Size(-1) and b.inner[0] is not None
    ):
        return "the last axis is not what is multiplied"
    if b.outer[-1] != Size(b.kernel.shape[1]):
        return "the last axis of the result is not that of the kernel"
    leading = list(enumerate(b.outer[:-1]))
    equal = [size == b.view.axis_size(b.x, i) for i, size in leading]
    loose = [i for i, size in leading if not equal[i] and size == Size(-1)]
    shape = b.view.shape(b.x)
    if shape is not None and len(shape) != len(b.outer):
        return f"from {len(shape)} axes to {len(b.outer)}"
    if equal.count(False) > len(loose) or len(loose) > 1:
        return "the leading axes are not kept"
    return _is_vector(b.bias, b.kernel.shape[1])


@layer("Dense", where=_by_matrix)
def dense_by_matrix(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    inner: Dims,
    outer: Dims,
    _perm: Array,
) -> Term:
    """``tf.tensordot``, which Keras's Dense is on more than two axes."""
    rows = op.Reshape(op.Transpose(x, _perm) | x, inner)
    return op.Reshape(op.MatMul(rows, kernel), outer) + bias | op.Reshape(
        op.MatMul(rows, kernel) + bias, outer
    )


def _terms(equation: str) -> tuple[str, str, str] | None:
    """The labels of input, kernel and output; None where it is not an einsum of two."""
    sides = equation.replace(" ", "").split("->")
    letters = sides[0].split(",")
    return (
        (letters[0], letters[1], sides[1]) if len(sides) == len(letters) == 2 else None
    )


def _is_dense_equation(equation: str) -> bool:
    labels = _terms(equation)
    if labels is None:
        return False
    x, kernel, out = labels
    plain = len(kernel) == 2 and x[-1:] == kernel[0] and out == x[:-1] + kernel[1]
    return plain and kernel[1] not in x


@layer("Dense", where=(lambda _equation: _is_dense_equation(_equation), _fits))
def dense_einsum(
    x: Input, kernel: Weight, bias: Weight | None, _equation: Attr
) -> Term:
    return op.Einsum(x, kernel, equation=_equation) + bias


def _einsum_fits(b: Bindings) -> bool | str:
    labels = _terms(b.equation)
    if labels is None or _is_dense_equation(b.equation):
        return "it is a Dense layer, or not an einsum of two"
    left, right, out = labels
    if len(right) != len(b.kernel.shape):
        return "the kernel has an ellipsis in the equation"
    if left[:1] != out[:1]:
        return "the batch is not kept"
    if left[0] in right:
        return "the kernel has the batch's axis"
    if b.bias is not None and len(b.bias.shape) > len(out):
        return "the bias has more axes than the result"
    sizes = _output_sizes(b.view, b.x, labels, b.kernel)
    if sizes is None:
        return "a size is not known"
    known = b.view.shape(b.x)
    kernel = dict(zip(right, b.kernel.shape))
    if known and any(n != kernel.get(axis, n) for axis, n in zip(left, known)):
        return "Keras asks for the size of each axis that the kernel has too"
    own = b.bias.trimmed().shape if b.bias is not None else ()
    aligned = zip(reversed(own), reversed(sizes))
    return all(d == n or n is None for d, n in aligned) or "the bias is broadcast"


def _output_sizes(
    view: View, x: Any, labels: tuple[str, str, str], kernel: WeightRef
) -> tuple[int | None, ...] | None:
    left, right, out = labels
    sizes: dict[str, int | None] = dict(zip(right, kernel.shape))
    shape = view.shape(x)
    for i, label in enumerate(left):
        size = shape[i] if shape is not None and i < len(shape) else None
        sizes.setdefault(label, size)
    if "." in left + right + out:
        return None
    return tuple(sizes.get(label) for label in out[1:])


def _einsum(b: Bindings) -> dict[str, Any]:
    labels = _terms(b.equation) or ("", "", "")
    axes = None
    if b.bias is not None:
        axes = labels[2][len(labels[2]) - len(b.bias.trimmed().shape) :]
    sizes = _output_sizes(b.view, b.x, labels, b.kernel) or ()
    own = labels[1] + (axes or "")
    return {
        "equation": b.equation,
        "output_shape": tuple(  # Keras takes a row of an unknown number for unknown still
            None if size == 1 and label not in own else size
            for label, size in zip(labels[2][1:], sizes)
        ),
        "bias_axes": axes,
    }


@layer("EinsumDense", where=_einsum_fits, config=_einsum)
def einsum_dense(x: Input, kernel: Weight, bias: Weight | None, equation: Attr) -> Term:
    return op.Einsum(x, kernel, equation=equation) + bias


def _is_table(embeddings: WeightRef) -> bool | str:
    return len(embeddings.shape) == 2 or "the table is no matrix"


def _rows(embeddings: Weight, ids: Term) -> Term:
    return (
        op.GatherV2(embeddings, ids, 0)
        | op.GatherV2(embeddings, ids)
        | op.ResourceGather(embeddings, ids)
    )


@layer("Embedding", where=_is_table)
def embedding(x: Input, embeddings: Weight) -> Term:
    plain = op.Cast(x) | x
    # Keras 3 lets negative indices count from the end
    wrapped = op.Select(op.Less(plain, 0), op.Add(plain, ANY), plain)
    return _rows(embeddings, wrapped | plain)


def _is_of_shapes(view: View, x: Tensor) -> bool | str:
    of_shapes = x.node in view.varying and x.node not in view.dynamic
    return of_shapes or "its indices are fed, or constant"


@layer(
    "Embedding",
    where=(_is_table, _is_of_shapes),
    evidence="the indices depend on shapes alone: positions",
)
def embedding_of_positions(x: Value, embeddings: Weight) -> Term:
    """GPT-2's ``wpe``."""
    return _rows(embeddings, x)


@layer(
    "Embedding",
    where=(
        _is_table,
        lambda embeddings, _depth: _depth == embeddings.shape[0]
        or "the one-hot vectors are no rows of the table",
    ),
)
def embedding_by_one_hot(x: Input, embeddings: Weight, _depth: Array) -> Term:
    """BERT's token types, and Keras's EinsumDense of one-hot vectors: a matrix product picks the rows."""
    rows = op.OneHot(x, _depth, 1.0, 0.0, axis=-1)
    return op.MatMul(rows, embeddings) | op.BatchMatMul(rows, embeddings)
