"""Merging layers: arithmetic of two tensors that both depend on the input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...graph import Shape
from ...match import Array, Input, Inputs, Pattern, Term, View, layer, op
from ...ops.values.dims import adds_in_order


def _alike(view: View, x: Any, y: Any) -> bool | str:
    """Keras aligns tensors of different rank from the front, TensorFlow from the back: only equal ranks are safe."""
    a, b = view.shape(x), view.shape(y)
    if a is None or b is None:
        return a is b or "the rank of one of them is not known"
    if not len(a) == len(b) > 0:
        return f"they have {len(a)} and {len(b)} axes"
    return _of_one_batch((a, b))


def _of_one_batch(shapes: Iterable[Shape]) -> bool | str:
    """Whether Keras takes them for examples of one batch: it merges no 4 examples with one."""
    sizes = {shape[0] for shape in shapes if shape} - {None}
    return len(sizes) < 2 or f"they are batches of {sorted(map(str, sizes))}"


def _in_order(view: View, x: Any, y: Any) -> bool | str:
    alike = _alike(view, x, y)
    if alike is not True:
        return alike
    safe = adds_in_order(view.shape(x), view.shape(y))
    return safe or "Keras would take one of them for a bias"


def _pairwise(name: str, kind: str, keras: str) -> Pattern:
    def formula(x: Input, y: Input) -> Term:
        return getattr(op, kind)(x, y)

    formula.__name__ = name
    return layer(keras, where=_alike)(formula)


@layer("Add", where=_in_order)
def add(x: Input, y: Input) -> Term:
    return op.Add(x, y) | op.Add(y, x)


subtract = _pairwise("subtract", "Sub", "Subtract")
multiply = _pairwise("multiply", "Mul", "Multiply")
maximum = _pairwise("maximum", "Maximum", "Maximum")
minimum = _pairwise("minimum", "Minimum", "Minimum")


@layer("Average", where=_in_order)
def average(x: Input, y: Input) -> Term:
    return (op.Add(x, y) | op.Add(y, x)) * 0.5


def _all_alike(view: View, inputs: Any) -> bool | str:
    shapes = [view.shape(each) for each in inputs]
    ranks = {None if s is None else len(s) for s in shapes}
    if len(inputs) < 2 or len(ranks) > 1 or ranks == {0}:
        return "ranks differ"
    return _of_one_batch(shapes)


@layer("Add", where=_all_alike)
def add_n(inputs: Inputs) -> Term:
    return op.AddN(inputs)


def _concatenable(view: View, inputs: Any, axis: Any) -> bool | str:
    if not isinstance(axis, int):
        return "the axis is no number"
    if axis == 0:
        return "it joins along the batch"
    if any(tensor.node not in view.dynamic for tensor in inputs):
        return "a constant is joined in"
    ranks = {len(s) for s in map(view.shape, inputs) if s is not None}
    return len(inputs) > 1 and (len(ranks) < 2) and -axis not in ranks


def _concatenated(view: View, inputs: Any, axis: int) -> dict[str, Any]:
    """The axis counted from the end when it is the last one, as Keras's default has it."""
    ranks = {len(s) for s in map(view.shape, inputs) if s is not None}
    last = bool(ranks) and axis == next(iter(ranks)) - 1
    return {"axis": -1 if last else axis}


@layer("Concatenate", where=_concatenable, config=_concatenated)
def concatenate(inputs: Inputs, axis: Array) -> Term:
    return op.ConcatV2(inputs, axis)
