"""Sizes: what is known of a number that is computed from shapes.

``Reshape(x, Pack([StridedSlice(Shape(x)), -1]))`` and its many spellings become ``(Size of x's axis 0, -1)``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...graph import Tensor
from ...ops.values.budget import LARGEST, MOST_FACTORS


class Size(NamedTuple):
    """``factor`` times the sizes of some axes of some tensors, ``plus`` a constant.

    ``axes`` are ``((tensor, axis), ...)``, sorted. A constant is ``Size(number)``.
    """

    factor: int
    axes: tuple[tuple[Tensor, int], ...] = ()
    plus: int = 0

    @property
    def number(self) -> int | None:
        """The value, where it is a constant."""
        return None if self.axes else self.factor + self.plus

    def times(self, other: Size) -> Size | None:
        """The product; None where it is not of this form."""
        if other.number is not None:
            return self._scaled(other.number)
        if self.number is not None:
            return other._scaled(self.number)
        if self.plus or other.plus or len(self.axes) + len(other.axes) > MOST_FACTORS:
            return None
        if abs(self.factor * other.factor) > LARGEST:
            return None
        return Size(self.factor * other.factor, tuple(sorted(self.axes + other.axes)))

    def _scaled(self, number: int) -> Size | None:
        if abs(max(self.factor, self.plus, key=abs) * number) > LARGEST:
            return None
        if self.number is not None:
            return Size(self.number * number)
        return Size(self.factor * number, self.axes, self.plus * number)

    def over(self, other: Size) -> Size | None:
        """The quotient, where it is exact."""
        left = list(self.axes)
        for axis in other.axes:
            if axis not in left:
                return None
            left.remove(axis)
        divisor = other.factor + (0 if other.axes else other.plus)
        if other.axes and (other.plus or self.plus):
            return Size(1) if self == other else None
        if not divisor or self.factor % divisor or self.plus % divisor:
            return None
        return Size(self.factor // divisor, tuple(left), self.plus // divisor)

    def added(self, other: Size, sign: int = 1) -> Size | None:
        """The sum, or the difference; None where it is not of this form."""
        if other.number is not None:
            if self.number is not None:
                return Size(self.number + sign * other.number)
            return Size(self.factor, self.axes, self.plus + sign * other.number)
        if self.number is not None:
            plus = self.number + sign * other.plus
            return Size(sign * other.factor, other.axes, plus)
        if self.axes != other.axes:
            return None
        factor, plus = self.factor + sign * other.factor, self.plus + sign * other.plus
        return Size(factor, self.axes, plus) if factor else Size(plus)


Sizes = tuple[Size | None, ...]


def numbers(sizes: Sizes) -> tuple[int | None, ...]:
    """The constants among some sizes, None for the rest."""
    return tuple(None if s is None else s.number for s in sizes)


def of_numbers(values: Any) -> Sizes:
    """Sizes that are constants."""
    return tuple(Size(int(v)) for v in values)
