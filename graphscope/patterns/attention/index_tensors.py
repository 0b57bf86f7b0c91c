"""Tensors that only places determine: positions counted from 0, and masks that part the past from the future.

Both are computed from shapes alone, in a dozen spellings (ranges compared, a band of ones, a triangle kept as a constant),
so they are evaluated rather than matched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np

from ...graph import Tensor
from ...match.view.nodes import MALFORMED
from ...match.view.view import View
from ...ops.values.size import Size

DEEPEST = 30  # such arithmetic is a dozen nodes
_ZERO = Size(0)


class Places(NamedTuple):
    """An integer tensor: ``rows`` times the index along the last axis but one, ``columns`` times that along the last, plus."""

    rows: int
    columns: int
    plus: Size

    def added(self, other: Places, sign: int) -> Places | None:
        plus = self.plus.added(other.plus, sign)
        if plus is None:
            return None
        rows, columns = (
            self.rows + sign * other.rows,
            self.columns + sign * other.columns,
        )
        return Places(rows, columns, plus)


class Halves(NamedTuple):
    """A tensor that is one number wherever the last index is at most the last but one, and one number elsewhere."""

    past: float
    future: float


_Found = TypeVar("_Found")


def _remembered(
    view: View,
    kind: str,
    rule: Callable[[View, Tensor, int], _Found | None],
    tensor: Tensor,
    depth: int,
) -> _Found | None:
    """What a rule finds of a tensor that no feed goes into, looked at once."""
    tensor, _ = view.producer(tensor)
    if depth > DEEPEST or tensor.node in view.dynamic:
        return None
    known = view.remembered(kind)
    if tensor not in known:
        known[tensor] = rule(view, tensor, depth)
    return known[tensor]  # type: ignore[no-any-return]


def places(view: View, tensor: Tensor, depth: int = 0) -> Places | None:
    """What positions a tensor holds; None where it holds anything else."""
    return _remembered(view, "places", _places, tensor, depth)


def _places(view: View, tensor: Tensor, depth: int) -> Places | None:
    number = view.number(tensor)
    if number is not None:
        return _of_number(number)
    shape = view.shape(tensor)
    sizes = view.sizes(tensor) if shape is None or shape == () else None
    if sizes is not None and len(sizes) == 1 and sizes[0] is not None:
        return Places(0, 0, sizes[0])
    op, inputs = view.ops[tensor.node], view.inputs[tensor.node]
    try:
        if op == "Range":
            return _counted(view, inputs)
        if op == "Cumsum":
            return _accumulated(view, tensor, depth)
        if op in ("Add", "Sub"):
            a, b = (places(view, each, depth + 1) for each in inputs)
            return a.added(b, 1 if op == "Add" else -1) if a and b else None
        if op in ("Cast", "Tile"):
            return places(view, inputs[0], depth + 1)
        if op in ("ExpandDims", "Reshape", "StridedSlice"):
            return _turned(view, tensor, places(view, inputs[0], depth + 1))
    except MALFORMED:
        return None
    return None


def _of_number(number: np.ndarray) -> Places | None:
    if number.dtype.kind not in "iu":
        return None
    if number.size == 1:
        return Places(0, 0, Size(int(number.reshape(()))))
    if number.ndim > 2 and any(d != 1 for d in number.shape[:-2]):
        return None
    row = number.reshape(number.shape[-2:]) if number.ndim > 1 else number[None]
    i, j = (np.arange(n) for n in row.shape)
    for turned, index in ((False, j[None, :]), (True, i[:, None])):
        start = int(row.flat[0])
        if np.array_equal(row, np.broadcast_to(index + start, row.shape)):
            return Places(int(turned), int(not turned), Size(start))
    return None


def _counted(view: View, inputs: tuple[Tensor, ...]) -> Places | None:
    start, step = view.sizes(inputs[0]), view.number(inputs[2])
    if not start or start[0] is None or step is None or int(step.reshape(())) != 1:
        return None
    return Places(0, 1, start[0])


def _accumulated(view: View, tensor: Tensor, depth: int) -> Places | None:
    """A running sum of ones along one of the last two axes: Keras counts rows and columns so."""
    ones, axis = view.inputs[tensor.node]
    shape, number = view.shape(tensor), view.number(axis)
    attrs = view.attrs[tensor.node]
    if attrs.get("exclusive") or attrs.get("reverse") or number is None or not shape:
        return None
    at = int(number.reshape(())) % len(shape) - len(shape)
    if halves(view, ones, depth) != (1, 1) or at not in (-1, -2):
        return None
    return Places(int(at == -2), int(at == -1), Size(1))


def _turned(view: View, tensor: Tensor, places: Places | None) -> Places | None:
    """Positions after their axes were made more: the last axis stays the last, or becomes the last but one."""
    before, after = view.shape(view.inputs[tensor.node][0]), view.shape(tensor)
    if places is None or before is None or after is None or places.rows:
        return None
    if not places.columns:
        return places
    wide = [axis for axis, size in enumerate(after) if size != 1]
    ends = len(before), len(after)
    if len(wide) > 1 or any(size != 1 for size in before[:-1]) or 0 in ends:
        return None
    at = wide[0] if wide else len(after) - 1
    if at == len(after) - 1:
        return places
    return Places(places.columns, 0, places.plus) if at == len(after) - 2 else None


_Rule = Callable[[View, Tensor, int], "Halves | None"]


def halves(view: View, tensor: Tensor, depth: int = 0) -> Halves | None:
    """The two numbers of a mask of the past; None where the tensor is none."""
    return _remembered(view, "halves", _halves, tensor, depth)


def _halves(view: View, tensor: Tensor, depth: int) -> Halves | None:
    array = view.constant(tensor)
    if array is not None:
        return _of_array(array)
    rule = _RULES.get(view.ops[tensor.node])
    try:
        return rule(view, tensor, depth + 1) if rule is not None else None
    except MALFORMED:
        return None


def _of_array(array: np.ndarray) -> Halves | None:
    if array.dtype.kind not in "fiub":
        return None
    if array.size and (array == array.flat[0]).all():
        return Halves(float(array.flat[0]), float(array.flat[0]))
    if array.ndim < 2 or array.shape[-2] < 2:  # one row may be read for each query
        return None
    past = np.tril(np.ones(array.shape[-2:], bool))
    masks = array.reshape(-1, *array.shape[-2:])
    before, after = float(masks[0, 0, 0]), float(masks[0, 0, -1])
    fits = (masks[:, past] == before).all() and (masks[:, ~past] == after).all()
    return Halves(before, after) if fits else None


def _compared(view: View, tensor: Tensor, depth: int) -> Halves | None:
    """``i >= j`` in its four spellings; the two count the same number of places."""
    a, b = view.inputs[tensor.node]
    left, right = places(view, a, depth), places(view, b, depth)
    gap = left.added(right, -1) if left and right else None
    op = view.ops[tensor.node]
    if gap is None or gap.plus != _ZERO:
        return None
    if (gap.rows, gap.columns) == (1, -1) and op in ("GreaterEqual", "Less"):
        return Halves(1, 0) if op == "GreaterEqual" else Halves(0, 1)
    if (gap.rows, gap.columns) == (-1, 1) and op in ("LessEqual", "Greater"):
        return Halves(1, 0) if op == "LessEqual" else Halves(0, 1)
    return None


def _banded(view: View, tensor: Tensor, depth: int) -> Halves | None:
    inputs = view.inputs[tensor.node]
    whole = halves(view, inputs[0], depth)
    low, high = view.number(inputs[1]), view.number(inputs[2])
    if whole is None or low is None or high is None:
        return None
    keeps_past = int(low.reshape(())) < 0 and int(high.reshape(())) == 0
    return Halves(whole.past, 0.0) if keeps_past else None


def _arithmetic(function: Callable[..., float]) -> _Rule:
    def rule(view: View, tensor: Tensor, depth: int) -> Halves | None:
        operands = [halves(view, each, depth) for each in view.inputs[tensor.node]]
        known = [each for each in operands if each is not None]
        if len(known) < len(operands):
            return None
        return Halves(*(float(function(*column)) for column in zip(*known)))

    return rule


def _chosen(view: View, tensor: Tensor, depth: int) -> Halves | None:
    operands = [halves(view, each, depth) for each in view.inputs[tensor.node]]
    if None in operands or len(operands) != 3:
        return None
    condition, yes, no = (each or Halves(0, 0) for each in operands)
    return Halves(
        yes.past if condition.past else no.past,
        yes.future if condition.future else no.future,
    )


def _rescaled(view: View, tensor: Tensor, depth: int) -> Halves | None:
    attrs, halves_ = view.attrs[tensor.node], halves(
        view, view.inputs[tensor.node][0], depth
    )
    scale, offset = float(attrs["scale"]), float(attrs.get("offset", 0.0))
    return halves_ and Halves(
        halves_.past * scale + offset, halves_.future * scale + offset
    )


def _filled(view: View, tensor: Tensor, depth: int) -> Halves | None:
    return halves(view, view.inputs[tensor.node][1], depth)


def _first(view: View, tensor: Tensor, depth: int) -> Halves | None:
    return halves(view, view.inputs[tensor.node][0], depth)


def _kept(view: View, tensor: Tensor, depth: int) -> Halves | None:
    """A reshape that leaves the last two axes where they are."""
    source = view.inputs[tensor.node][0]
    before, after = view.shape(source), view.shape(tensor)
    if before is None or after is None or min(len(before), len(after)) < 2:
        return None
    pairs = ((view.axis_size(source, a), view.axis_size(tensor, a)) for a in (-2, -1))
    ones = all(d == 1 for d in (*before[:-2], *after[:-2]))
    return (
        _first(view, tensor, depth) if ones and all(a == b for a, b in pairs) else None
    )


def _ones_like(view: View, tensor: Tensor, depth: int) -> Halves | None:
    return Halves(1.0, 1.0)


_RULES: Mapping[str, _Rule] = {
    **dict.fromkeys(("GreaterEqual", "Greater", "LessEqual", "Less"), _compared),
    "MatrixBandPart": _banded,
    "Cast": _first,
    "ExpandDims": _kept,
    "Reshape": _kept,
    "StridedSlice": _kept,
    "layers.Reshape": _kept,
    "layers.Rescaling": _rescaled,
    "Fill": _filled,
    "OnesLike": _ones_like,
    "Select": _chosen,
    "LogicalNot": _arithmetic(lambda x: not x),
    "LogicalAnd": _arithmetic(lambda a, b: a and b),
    "LogicalOr": _arithmetic(lambda a, b: a or b),
    "Neg": _arithmetic(lambda x: -x),
    "Add": _arithmetic(lambda a, b: a + b),
    "Sub": _arithmetic(lambda a, b: a - b),
    "Mul": _arithmetic(lambda a, b: a * b),
    "RealDiv": _arithmetic(lambda a, b: a / b),
    "Maximum": _arithmetic(max),
    "Minimum": _arithmetic(min),
}
