"""Activation layers."""

from __future__ import annotations

from math import pi, sqrt

from ..match import Input, Term, layer, op


@layer("Activation", activation="relu")
def relu(x: Input) -> Term:
    return op.Relu(x)


@layer("ReLU", max_value=6.0, negative_slope=0.0, threshold=0.0)
def relu6(x: Input) -> Term:
    return op.Relu6(x)


@layer("Activation", activation="sigmoid")
def sigmoid(x: Input) -> Term:
    return op.Sigmoid(x)


@layer("Activation", activation="tanh")
def tanh(x: Input) -> Term:
    return op.Tanh(x)


@layer("Activation", activation="softmax")
def softmax(x: Input) -> Term:
    return op.Softmax(x)


@layer("Activation", activation="gelu")
def gelu(x: Input) -> Term:
    return 0.5 * x * (1 + op.Erf(x / sqrt(2))) | 0.5 * x * op.Erfc(-x / sqrt(2))


@layer("Activation", activation="gelu", approximate=True)
def gelu_tanh(x: Input) -> Term:
    return 0.5 * x * (1 + op.Tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
