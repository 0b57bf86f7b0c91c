"""A size that only a run knows: an integer that carries the text of what will compute it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .values.budget import MOST_TEXT

_SUM, _PRODUCT, _ATOM = 1, 2, 3  # how tightly a text binds


class Size:
    """An integer as the text that computes it; ``+ - * // %`` with another or with an int give a Size or an int."""

    __slots__ = ("text", "binding")

    def __init__(self, text: str, binding: int = _ATOM) -> None:
        self.text, self.binding = text, binding

    @property
    def is_atom(self) -> bool:
        """Whether the text stands for itself beside any operator."""
        return self.binding == _ATOM

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __add__(self, other: Any) -> Any:
        return self if other == 0 else _joined(self, "+", other, _SUM)

    def __radd__(self, other: Any) -> Any:
        return self if other == 0 else _joined(other, "+", self, _SUM)

    def __sub__(self, other: Any) -> Any:
        if self == other:
            return 0
        return self if other == 0 else _joined(self, "-", other, _SUM)

    def __rsub__(self, other: Any) -> Any:
        return _joined(other, "-", self, _SUM)

    def __mul__(self, other: Any) -> Any:
        if other == 0:
            return 0
        return self if other == 1 else _joined(self, "*", other, _PRODUCT)

    def __rmul__(self, other: Any) -> Any:
        if other == 0:
            return 0
        return self if other == 1 else _joined(other, "*", self, _PRODUCT)

    def __floordiv__(self, other: Any) -> Any:
        return self if other == 1 else _joined(self, "//", other, _PRODUCT)

    def __rfloordiv__(self, other: Any) -> Any:
        return _joined(other, "//", self, _PRODUCT)

    def __mod__(self, other: Any) -> Any:
        return _joined(self, "%", other, _PRODUCT)

    def __rmod__(self, other: Any) -> Any:
        return _joined(other, "%", self, _PRODUCT)


def _joined(left: Any, sign: str, right: Any, binding: int) -> Size:
    """``left sign right``; what binds no tighter gets parentheses, on the left only where it binds less tightly."""
    text = f"{_text(left, binding)} {sign} {_text(right, binding + 1)}"
    if len(text) > MOST_TEXT:
        raise ValueError("a size of too long an expression")
    return Size(text, binding)


def _text(operand: Any, least: int) -> str:
    if isinstance(operand, Size):
        return operand.text if operand.binding >= least else f"({operand.text})"
    if isinstance(operand, bool) or not isinstance(operand, int | np.integer):
        raise TypeError(f"no size: {operand!r}")
    return str(int(operand)) if operand >= 0 or least <= _SUM else f"({int(operand)})"
