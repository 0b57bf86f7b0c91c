"""Activation layers: a name that Keras knows where there is one, else the layer with its parameters.

Spellings: the op of its own; the arithmetic that TensorFlow 1 models wrote out before the op existed (leaky ReLU as a
maximum, swish as a product, GELU from its paper); what Keras 2 and 3 emit.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from ..match import (
    Array,
    Attr,
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


def _zero(x: Term) -> Term:
    return op.ZerosLike(x) | 0.0


def _positive(x: Term) -> Term:
    return op.Relu(x) | op.Maximum(x, _zero(x))


def _inside(x: Term) -> Term:
    return op.Greater(x, 0.0) | op.GreaterEqual(x, 0.0)


def _outside(x: Term) -> Term:
    return op.Less(x, 0.0) | op.LessEqual(x, 0.0)


def _exp_less_one(x: Term) -> Term:
    return op.Expm1(x) | op.Exp(x) - 1.0


@layer("Activation", activation="relu")
def relu(x: Input) -> Term:
    half = 0.5 * (x + op.Abs(x))
    return _positive(x) | op.Select(_inside(x), x, _zero(x)) | half


@layer(
    "ReLU",
    where=lambda threshold: threshold > 0,
    max_value=None,
    negative_slope=0.0,
)
def relu_above(x: Input, threshold: Scalar) -> Term:
    above = op.Greater(x, threshold)
    return x * op.Cast(above) | op.Select(above, x, _zero(x))


@layer("ReLU", max_value=6.0, negative_slope=0.0, threshold=0.0)
def relu6(x: Input) -> Term:
    return op.Relu6(x)


@layer(
    "ReLU",
    where=lambda max_value: max_value > 0,
    negative_slope=0.0,
    threshold=0.0,
)
def relu_capped(x: Input, max_value: Scalar) -> Term:
    return (
        op.Minimum(op.Relu(x), max_value)
        | op.Maximum(op.Minimum(op.Relu(x) | x, max_value), 0.0)
        | op.Minimum(op.Maximum(x, 0.0), max_value)
        | op.ClipByValue(op.Relu(x) | x, 0.0, max_value)
    )


@layer("ReLU", where=lambda max_value: max_value > 0, threshold=0.0)
def relu_capped_with_slope(x: Input, max_value: Scalar, negative_slope: Scalar) -> Term:
    """Keras 3's ReLU with both arguments."""
    above = op.Relu(x)
    capped = op.Maximum(op.Minimum(above, max_value), 0.0)
    clipped = op.ClipByValue(above, 0.0, max_value)
    return (capped | clipped) - negative_slope * op.Relu(-x)


@layer("LeakyReLU", where=lambda negative_slope: negative_slope >= 0)
def leaky_relu(x: Input, negative_slope: Attr) -> Term:
    return op.LeakyRelu(x, alpha=negative_slope)


@layer("LeakyReLU", where=lambda negative_slope: 0 <= negative_slope < 1)
def leaky_relu_written_out(x: Input, negative_slope: Scalar) -> Term:
    below = x * negative_slope
    return (
        op.Maximum(x, below)
        | op.Relu(x) - negative_slope * op.Relu(-x)
        | _positive(x) + negative_slope * op.Minimum(x, _zero(x))
        | op.Select(_inside(x), x, below)
        | op.Select(_outside(x), below, x)
    )


def _halves(plus: float, minus: float) -> bool | str:
    return abs(plus + minus - 1) < 1e-4 or "the two halves do not add up to one"


@layer(
    "LeakyReLU",
    where=_halves,
    config=lambda plus, minus: {"negative_slope": round(plus - minus, 6)},
)
def leaky_relu_from_abs(x: Input, plus: Scalar, minus: Scalar) -> Term:
    """DCGAN's ``f1 * x + f2 * abs(x)``."""
    return plus * x + minus * op.Abs(x)


def _prelu(view: View, x: object, alpha: WeightRef) -> dict[str, Any]:
    kept = _alpha(view, x, alpha).shape
    shared = [axis + 1 for axis, size in enumerate(kept) if size == 1]
    return {"shared_axes": shared or None}


def _alpha(view: View, x: Any, alpha: WeightRef) -> WeightRef:
    """Keras's slopes have the shape of one example, with 1 where they are shared."""
    shape = view.shape(x)
    rank = len(shape) if shape is not None else len(alpha.shape) + 1
    given = alpha.shape[-(rank - 1) :] if len(alpha.shape) >= rank else alpha.shape
    return alpha.reshaped(*([1] * (rank - 1 - len(given))), *given)


def _alpha_fits(view: View, x: Any, alpha: WeightRef) -> bool | str:
    shape = view.shape(x)
    if shape is None and len(alpha.shape) == 1:
        return "the rank of the input is not known"
    if shape is None:
        return True
    if len(alpha.shape) > len(shape):
        return "the slopes have more axes than the input"
    axes = range(-len(alpha.shape), 0)
    if any(alpha.shape[a] not in (1, view.axis_size(x, a).number) for a in axes):
        return "the input is broadcast against the slopes, or its size is not known"
    return len(shape) > 1


@layer(
    "PReLU",
    where=_alpha_fits,
    config=_prelu,
    weights=lambda view, x, alpha: {"alpha": _alpha(view, x, alpha)},
)
def prelu(x: Input, alpha: Weight) -> Term:
    negative = -op.Relu(-x) | op.Minimum(x, 0.0) | (x - op.Abs(x)) * 0.5
    positive = op.Relu(x) | op.Maximum(x, 0.0)
    return positive + alpha * negative | op.Select(_inside(x), x, alpha * x)


def _negated(view: View, x: object, alpha: WeightRef) -> dict[str, WeightRef]:
    slopes = _alpha(view, x, alpha)
    return {"alpha": slopes.then("scale", -1.0, slopes.shape)}


@layer("PReLU", where=_alpha_fits, config=_prelu, weights=_negated)
def prelu_negated(x: Input, alpha: Weight) -> Term:
    """As constant folding leaves it: the negative slopes are one constant."""
    return op.Relu(x) + alpha * op.Relu(-x)


@layer("Activation", activation="elu")
def elu(x: Input) -> Term:
    below = _exp_less_one(x)
    return (
        op.Elu(x)
        | op.Select(_inside(x), x, below)
        | op.Select(_outside(x), below, x)
        | _positive(x) + op.Minimum(below, 0.0)
        | _positive(x) - op.Relu(1.0 - op.Exp(x))
    )


@layer("ELU")
def elu_scaled(x: Input, alpha: Scalar) -> Term:
    below = alpha * _exp_less_one(x)
    return (
        op.Select(op.Greater(x, 0.0), op.Elu(x), alpha * op.Elu(x))
        | op.Select(_inside(x), x, below)
        | _positive(x) + alpha * op.Minimum(_exp_less_one(x), 0.0)
    )


@layer("Activation", activation="selu")
def selu(x: Input) -> Term:
    inner = 1.6732632423543772 * (op.Elu(x) | _exp_less_one(x))
    below = 1.6732632423543772 * op.Minimum(_exp_less_one(x), 0.0)
    either = op.Select(_inside(x), x, inner) | _positive(x) + below
    written = 1.0507009873554805 * either
    return op.Selu(x) | written


@layer("Activation", activation="sigmoid")
def sigmoid(x: Input) -> Term:
    by_tanh = 0.5 * (1.0 + op.Tanh(0.5 * x))
    by_exp = op.Exp(x) / (1.0 + op.Exp(x))
    return op.Sigmoid(x) | 1 / (1.0 + op.Exp(-x)) | by_tanh | by_exp


@layer("Activation", activation="tanh")
def tanh(x: Input) -> Term:
    return op.Tanh(x)


def _softplus(x: Term) -> Term:
    small = op.Exp(-op.Abs(x))
    stable = _positive(x) + (
        op.Log1p(small) | op.Log(small + 1.0) | op.Softplus(-op.Abs(x))
    )
    return op.Softplus(x) | op.Log(op.Exp(x) + 1.0) | op.Log1p(op.Exp(x)) | stable


@layer("Activation", activation="softplus")
def softplus(x: Input) -> Term:
    return _softplus(x)


@layer("Activation", activation="softsign")
def softsign(x: Input) -> Term:
    return op.Softsign(x) | x / (1.0 + op.Abs(x))


@layer("Activation", activation="exponential")
def exponential(x: Input) -> Term:
    return op.Exp(x)


@layer("Activation", activation="log_sigmoid")
def log_sigmoid(x: Input) -> Term:
    return -op.Softplus(-x) | op.Log(op.Sigmoid(x))


@layer("Activation", activation="silu")
def silu(x: Input) -> Term:
    return x * (op.Sigmoid(x) | op.Sigmoid(1.0 * x)) | x / (1.0 + op.Exp(-x))


def _clipped(x: Term, low: float, high: float) -> Term:
    return (
        op.ClipByValue(x, low, high)
        | op.Maximum(op.Minimum(x, high), low)
        | op.Minimum(op.Maximum(x, low), high)
    )


def _hard_sigmoid(x: Term) -> Term:
    capped = op.Minimum(op.Relu(x + 3.0), 6.0)
    six = op.Relu6(x + 3.0) | _clipped(x + 3.0, 0.0, 6.0) | capped
    return six / 6.0 | _clipped(x / 6.0 + 0.5, 0.0, 1.0)


@layer("Activation", activation="hard_sigmoid")
def hard_sigmoid(x: Input) -> Term:
    """Keras 3's and MobileNetV3's slope of 1/6; Keras 2's of 0.2 is a Rescaling and a capped ReLU."""
    return _hard_sigmoid(x)


@layer("Activation", activation="hard_silu")
def hard_silu(x: Input) -> Term:
    return x * _hard_sigmoid(x)


@layer("Activation", activation="hard_tanh")
def hard_tanh(x: Input) -> Term:
    return _clipped(x, -1.0, 1.0)


@layer("Activation", activation="mish")
def mish(x: Input) -> Term:
    return x * op.Tanh(_softplus(x))


@layer("Activation", activation="gelu")
def gelu(x: Input) -> Term:
    return 0.5 * x * (1 + op.Erf(x / sqrt(2))) | 0.5 * x * op.Erfc(-x / sqrt(2))


@layer("Activation", activation="gelu", approximate=True)
def gelu_tanh(x: Input) -> Term:
    inner = sqrt(2 / pi) * (x + 0.044715 * x**3)
    factored = sqrt(2 / pi) * x * (1 + 0.044715 * x**2)
    return 0.5 * x * (1 + op.Tanh(inner | factored))


@layer("Activation", activation="log_softmax")
def log_softmax(x: Input) -> Term:
    return op.LogSoftmax(x)


@layer("Activation", activation="softmax")
def softmax(x: Input) -> Term:
    return op.Softmax(x)


@layer("Activation", activation="softmax")
def softmax_shifted(x: Input, _shift: Scalar) -> Term:
    """Of scores that were all moved by one number, as Hugging Face does against a fault of XLA's: it changes nothing."""
    return op.Softmax(x + _shift)


def _flat_shapes(b: Bindings) -> bool | str:
    """TensorFlow 1's softmax of more than two axes: to a matrix and back."""
    shape = b.view.shape(b.x)
    if shape is None:
        return "the rank of the input is not known"
    last, back = b.view.axis_size(b.x, -1), len(b.outer) == len(shape)
    same_end = (
        len(b.inner) == 2 and b.inner[-1] is not None and b.inner[-1] == b.outer[-1]
    )
    return (same_end and back and b.inner[-1] == last) or "the last axis is not kept"


@layer("Activation", where=_flat_shapes, activation="softmax")
def softmax_of_matrix(x: Input, inner: Dims, outer: Dims) -> Term:
    return op.Reshape(op.Softmax(op.Reshape(x, inner)), outer)


def _softmax_axis(view: View, x: object, axis: object) -> dict[str, Any]:
    return {"axis": axis[0] if isinstance(axis, tuple) else axis}


def _one_axis(axis: Any) -> bool | str:
    single = isinstance(axis, int) or len(axis) == 1
    return single or "it is over more than one axis"


@layer("Softmax", where=_one_axis, config=_softmax_axis)
def softmax_written_out(x: Input, axis: Array) -> Term:
    shifted = op.Exp(x - op.Max(x, axis, keep_dims=True)) | op.Exp(x)
    return shifted / op.Sum(shifted, axis, keep_dims=True)


def _swapped(there: Any, back: Any) -> bool | str:
    moved = [a for a, b in enumerate(there) if a != b]
    if tuple(there[a] for a in back) != tuple(range(len(there))):
        return "the second transposition does not undo the first"
    return len(moved) == 2 and moved[-1] == len(there) - 1


@layer(
    "Softmax",
    where=_swapped,
    config=lambda there: {"axis": there[-1]},
)
def softmax_over_axis(x: Input, there: Array, back: Array) -> Term:
    """``tf.nn.softmax`` over an axis that is not the last."""
    return op.Transpose(op.Softmax(op.Transpose(x, there)), back)


@layer("Softmax")
def softmax_by_logarithm(x: Input, axis: Array) -> Term:
    """Keras's softmax over several axes: by ``reduce_logsumexp``, which takes out what is finite of the largest."""
    largest = op.Max(x, axis, keep_dims=True)
    zeros = op.ZerosLike(largest)
    is_finite = op.IsFinite(largest)
    shift = op.Select(is_finite, largest, 0.0) | op.Select(is_finite, largest, zeros)
    total = op.Sum(op.Exp(x - shift), axis, keep_dims=True)
    return op.Exp(x - (op.Log(total) + shift))
