"""Sizes: what is known of a number that is computed from shapes.

``Reshape(x, Pack([StridedSlice(Shape(x)), -1]))`` and its many spellings become ``(Size of x's axis 0, -1)``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..graph import Tensor


class Size(NamedTuple):
    """``factor`` times the sizes of some axes of some tensors: ``((tensor, axis), ...)``, sorted."""

    factor: int
    axes: tuple[tuple[Tensor, int], ...] = ()

    @property
    def number(self) -> int | None:
        """The value, where it is a constant."""
        return None if self.axes else self.factor

    def times(self, other: Size) -> Size:
        """The product."""
        return Size(self.factor * other.factor, tuple(sorted(self.axes + other.axes)))

    def over(self, other: Size) -> Size | None:
        """The quotient, where it is exact."""
        left = list(self.axes)
        for axis in other.axes:
            if axis not in left:
                return None
            left.remove(axis)
        if not other.factor or self.factor % other.factor:
            return None
        return Size(self.factor // other.factor, tuple(left))

    def is_axis(self, tensor: Tensor, axis: int) -> bool:
        """Whether this is the size of that axis of that tensor."""
        return self == Size(1, ((tensor, axis),))


Sizes = tuple[Size | None, ...]


def numbers(sizes: Sizes) -> tuple[int | None, ...]:
    """The constants among some sizes, None for the rest."""
    return tuple(None if s is None else s.number for s in sizes)


def of_numbers(values: Any) -> Sizes:
    """Sizes that are constants."""
    return tuple(Size(int(v)) for v in values)
