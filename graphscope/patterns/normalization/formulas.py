"""What all normalizations are made of: moments, and what is done with them."""

from __future__ import annotations

import numpy as np

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
