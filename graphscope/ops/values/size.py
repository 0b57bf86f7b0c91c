"""A size that only a run knows: the one arithmetic on sizes, of shape rules, of patterns and of the text that is written.

``Reshape(x, Pack([StridedSlice(Shape(x)), -1]))`` and its many spellings become ``(Size of x's axis 0, -1)``; where text is wanted,
``(shape[1] - like[1]) // 2``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .budget import LARGEST, MOST_FACTORS, MOST_TEXT

_SUM, _PRODUCT, _ATOM = 1, 2, 3  # how tightly a text binds


class Expression(str):
    """The text of what is no product of sizes: ``a - b``, ``a // 2``. It stands as a factor of its own."""

    binding = _SUM

    @classmethod
    def of(cls, left: object, sign: str, right: object, binding: int) -> Expression:
        """``left sign right``; what binds no tighter gets parentheses, on the left only where it binds less tightly."""
        text = cls(f"{_text(left, binding)} {sign} {_text(right, binding + 1)}")
        if len(text) > MOST_TEXT:
            raise ValueError("a size of too long an expression")
        text.binding = binding
        return text


@dataclass(frozen=True, slots=True)
class Size:
    """``factor`` times some sizes, ``plus`` a constant; a constant is ``Size(number)``.

    ``axes`` are what bears the sizes, in order: ``(tensor, axis)``, or the text that computes one. With ``+ - * // %`` and an
    integer or another Size it gives an integer where that is known, else a Size: an Expression where the result is no such
    product. ``times``, ``over`` and ``added`` give None there.
    """

    factor: int
    axes: tuple[Any, ...] = ()
    plus: int = 0

    @classmethod
    def named(cls, symbol: Hashable) -> Size:
        """A size that bears a name."""
        return cls(1, (symbol,))

    @property
    def number(self) -> int | None:
        """The value, where it is a constant."""
        return None if self.axes else self.factor + self.plus

    # -- products of sizes ----------------------------------------------------------------
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
        if self.number is not None or not number:
            return Size((self.number or 0) * number)
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

    # -- any expression -------------------------------------------------------------------
    def __add__(self, other: object) -> Any:
        return _value(self.added(_size(other)), self, "+", other, _SUM)

    def __radd__(self, other: object) -> Any:
        return _value(_size(other).added(self), other, "+", self, _SUM)

    def __sub__(self, other: object) -> Any:
        return _value(self.added(_size(other), -1), self, "-", other, _SUM)

    def __rsub__(self, other: object) -> Any:
        return _value(_size(other).added(self, -1), other, "-", self, _SUM)

    def __neg__(self) -> Any:
        return 0 - self

    def __mul__(self, other: object) -> Any:
        return _value(self.times(_size(other)), self, "*", other, _PRODUCT)

    def __rmul__(self, other: object) -> Any:
        return _value(_size(other).times(self), other, "*", self, _PRODUCT)

    def __floordiv__(self, other: object) -> Any:
        return _value(self.over(_size(other)), self, "//", other, _PRODUCT)

    def __rfloordiv__(self, other: object) -> Any:
        return _value(_size(other).over(self), other, "//", self, _PRODUCT)

    def __mod__(self, other: object) -> Any:
        exact = None if self.over(_size(other)) is None else Size(0)
        return _value(exact, self, "%", other, _PRODUCT)

    def __rmod__(self, other: object) -> Any:
        return _value(None, other, "%", self, _PRODUCT)

    # -- text -----------------------------------------------------------------------------
    @property
    def text(self) -> str:
        """What computes it, where what bears the sizes are texts: ``2 * shape[0] + 1``."""
        if not self.axes:
            return str(self.factor + self.plus)
        if self.factor < 0 < self.plus:
            return f"{self.plus} - {self._product(-self.factor, _PRODUCT)}"
        if not self.plus:
            return self._product(self.factor, _SUM)
        sign = "+" if self.plus > 0 else "-"
        return f"{self._product(self.factor, _SUM)} {sign} {abs(self.plus)}"

    def _product(self, factor: int, least: int) -> str:
        alone = factor == 1 and len(self.axes) == 1
        texts = [_factor(axis, least if alone else _PRODUCT) for axis in self.axes]
        sign = "-" if factor < 0 else ""
        number = [] if abs(factor) == 1 else [str(abs(factor))]
        return sign + " * ".join(number + texts)

    @property
    def binding(self) -> int:
        """How tightly the text binds."""
        if self.plus and self.axes or self.factor < 0:
            return _SUM
        if self.factor != 1 or len(self.axes) > 1:
            return _PRODUCT if self.axes else _ATOM
        return getattr(self.axes[0], "binding", _ATOM) if self.axes else _ATOM

    @property
    def is_atom(self) -> bool:
        """Whether the text stands for itself beside any operator."""
        return self.binding == _ATOM

    def __str__(self) -> str:
        return self.text


def _size(operand: object) -> Size:
    if isinstance(operand, Size):
        return operand
    if isinstance(operand, bool) or not isinstance(operand, int | np.integer):
        raise TypeError(f"no size: {operand!r}")
    return Size(int(operand))


def _value(
    size: Size | None, left: object, sign: str, right: object, binding: int
) -> Any:
    """A size that is known as an integer, one that is no product of sizes as an Expression."""
    if size is None:
        return Size.named(Expression.of(left, sign, right, binding))
    return size if size.number is None else size.number


def _factor(axis: object, least: int) -> str:
    tight = getattr(axis, "binding", _ATOM) >= least
    return str(axis) if tight else f"({axis})"


def _text(operand: object, least: int) -> str:
    size = _size(operand)
    if size.number is not None:
        plain = size.number >= 0 or least <= _SUM
        return str(size.number) if plain else f"({size.number})"
    return size.text if size.binding >= least else f"({size.text})"


Sizes = tuple[Size | None, ...]


def numbers(sizes: Sizes) -> tuple[int | None, ...]:
    """The constants among some sizes, None for the rest."""
    return tuple(None if s is None else s.number for s in sizes)


def of_numbers(values: Any) -> Sizes:
    """Sizes that are constants."""
    return tuple(Size(int(v)) for v in values)


def product(sizes: Sequence[Size | None]) -> Size | None:
    """The product of sizes; None where it is not of Size's form."""
    whole: Size | None = Size(1)
    for each in sizes:
        whole = whole.times(each) if whole is not None and each is not None else None
    return whole
