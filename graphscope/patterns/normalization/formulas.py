"""What all normalizations are made of: moments, and what is done with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...graph import Tensor
from ...match import Input, Term, View, WeightRef, op, rsqrt


def moments(x: Term, axis: Term) -> tuple[Term, Term]:
    """Mean and variance over some axes, which stay with size one."""
    mean = op.Mean(x, axis, keep_dims=True)
    squares = op.Mean(x**2, axis, keep_dims=True) - mean**2
    return mean, op.Mean((x - mean) ** 2, axis, keep_dims=True) | squares


def standardized(
    x: Term, statistics: tuple[Term, Term], gamma: object, beta: object, epsilon: object
) -> Term:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta``, or with the brackets opened as ``tf.nn`` does."""
    mean, variance = statistics
    scale = gamma * rsqrt(variance + epsilon)
    return (x - mean) * scale + beta | x * scale - mean * scale + beta


def sum_of_squares(x: Input, axis: Term) -> Term:
    """Over some axes, which stay with size one."""
    return op.Sum(x**2, axis, keep_dims=True)


def is_number(view: View, weight: WeightRef, value: float) -> bool:
    """Whether it was never a variable, but one number all over (slim's ``scale=False``)."""
    if not weight.direct or view.kinds[weight.node] != "Const":
        return False
    return bool(np.all(view.attrs[weight.node]["value"] == value))


def sized_alike(view: View, x: Tensor, sizes: Mapping[int, int]) -> bool | str:
    """Whether axes of the input have these sizes: Keras gives a layer's weights the sizes of its input, and broadcasts none.

    An input of unknown rank is taken at the weights' word.
    """
    shape = view.shape(x)
    if shape is None:
        return True
    if len(shape) < 2:
        return "the input has no axis but the batch's"
    if any(view.axis_size(x, axis).number != size for axis, size in sizes.items()):
        return "the input is broadcast against the weights, or its size is not known"
    return True
