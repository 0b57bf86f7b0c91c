"""Sums, products and powers: the part of the solver that knows the laws of arithmetic.

``Add``, ``Sub``, ``Neg``, ``BiasAdd`` and ``AddN`` are one sum in any order and grouping, ``Mul``, ``RealDiv``,
``Reciprocal``, ``Rsqrt`` and ``Square`` one product; a minus sign is carried down to where it is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...graph import Tensor
from ..formula import terms as f
from ..view.view import View
from .match import Match, close

_MOST_SIGNS = 3  # minus signs in a row that are carried down


class Algebra:
    """What a Solver inherits: it provides ``solve``, ``_fail``, ``_top`` and ``_literal``."""

    view: View

    def solve(self, p: f.Term, t: Tensor, m: Match, sign: int = 1) -> Iterator[Match]:
        raise NotImplementedError

    def _fail(self, p: f.Term, t: Tensor, m: Match, reason: str) -> None:
        raise NotImplementedError

    def _top(self, p: f.Term, t: Tensor, m: Match) -> tuple[Tensor, str, Match] | None:
        raise NotImplementedError

    def _literal(self, p: f.Const, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        raise NotImplementedError

    def _sum(self, p: f.Sum, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        for choice in p.choices:
            if not isinstance(choice, f.Sum):
                yield from self.solve(choice, t, m, sign)
            elif (top := self._top(choice, t, m)) and top[1] in f.SUM_OPS:
                yield from self._shared_sum(choice, *top, sign)

    def _shared_sum(
        self, p: f.Sum, t: Tensor, op: str, m: Match, sign: int
    ) -> Iterator[Match]:
        args, m = self.view.inputs[t.node], m.covering((t.node,))
        if op == "Neg":
            if not self._is_row_of_signs(args[0]):
                yield from self._sum(p, args[0], m, -sign)
        elif op == "AddN":
            yield from self._add_n(p, list(args), m, sign)
        elif len(args) == 2:
            right = -sign if op == "Sub" else sign
            for a, b in p.splits:
                if not (self._may(a, args[0], m) and self._may(b, args[1], m)):
                    continue
                for match in self.solve(a, args[0], m, sign):
                    for whole in self.solve(b, args[1], match, right):
                        yield self._aligned(whole, t) if op == "BiasAdd" else whole

    def _is_row_of_signs(self, t: Tensor) -> bool:
        """Whether a tensor is negated again and again: nobody writes that, and each of n signs would be followed n times."""
        for _ in range(_MOST_SIGNS):
            t, _ = self.view.producer(t)
            if self.view.ops[t.node] != "Neg":
                return False
            t = self.view.inputs[t.node][0]
        return True

    def _aligned(self, m: Match, t: Tensor) -> Match:
        """A bias of channels that come first has the shape in which a plain sum would read it: (channels, 1, 1)."""
        layout = self.view.attrs[t.node].get("data_format")
        if not isinstance(layout, str) or not layout.startswith("NC"):
            return m
        x, bias = self.view.inputs[t.node]
        shape = self.view.shape(x)
        ones = (1,) * ((len(shape) if shape is not None else len(layout)) - 2)
        return m.reshaped(bias, ones)

    def _add_n(
        self, p: f.Term, args: list[Tensor], m: Match, sign: int
    ) -> Iterator[Match]:
        terms = p.terms if isinstance(p, f.Sum) else (p,)
        if len(args) > len(terms):
            self._fail(
                p, args[0], m, f"{len(args)} tensors are added, not {len(terms)}"
            )
        elif len(args) == 1:
            yield from self.solve(p, args[0], m, sign)
        elif isinstance(p, f.Sum):
            for a, b in p.splits:
                for match in self.solve(a, args[0], m, sign):
                    yield from self._add_n(b, args[1:], match, sign)

    def _may(self, p: f.Term, t: Tensor, m: Match) -> bool:
        """Whether the op that computes ``t`` could be the root of ``p``: the cheap test before the real one."""
        if p.roots is None:
            if p.__class__ in (f.Weight, f.Weights, f.Scalar, f.Array, f.Const):
                return t.node not in self.view.dynamic
            return p.__class__ is not f.Input or t.node in self.view.dynamic
        top, _ = self.view.producer(t)
        if self.view.ops[top.node] in p.roots or self.view.ops[top.node] == "Neg":
            return True
        self._fail(p, top, m, "")
        return False

    # -- products and powers --------------------------------------------------------------
    def _product(self, p: f.Product, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        for choice in p.choices:
            if not isinstance(choice, f.Product):
                yield from self.solve(choice, t, m, sign)
            elif (top := self._top(choice, t, m)) and top[1] in f.PRODUCT_OPS:
                yield from self._shared_product(choice, *top, sign)

    def _shared_product(
        self, p: f.Product, t: Tensor, op: str, m: Match, sign: int
    ) -> Iterator[Match]:
        args, m = self.view.inputs[t.node], m.covering((t.node,))
        if op == "Neg":
            if not self._is_row_of_signs(args[0]):
                yield from self._product(p, args[0], m, -sign)
        elif op == "Square" and sign > 0:
            half = _half(p)
            if half is not None:
                yield from self.solve(half, args[0], m)
        elif len(args) == 2:
            for a, b in p.splits:
                for right in [b] if op == "Mul" else _inverses(b):
                    yield from self._factors(a, right, args, m, sign)

    def _factors(
        self, a: f.Term, b: f.Term, args: Any, m: Match, sign: int
    ) -> Iterator[Match]:
        if not (self._may(a, args[0], m) and self._may(b, args[1], m)):
            return
        for left in (1, -1):
            if left < 0 and not self._signed(a, args[0]):
                continue
            if left * sign < 0 and not self._signed(b, args[1]):
                continue
            for match in self.solve(a, args[0], m, left):
                yield from self.solve(b, args[1], match, left * sign)

    def _signed(self, p: f.Term, t: Tensor) -> bool:
        """Whether the term or the tensor could take a minus sign: the cheap test before the real one."""
        if not isinstance(p, f.Var | f.Call | f.Const | f.Power):
            return True
        top, _ = self.view.producer(t)
        return (
            self.view.ops[top.node] in ("Neg", "Sub", "Mul", "RealDiv", "Add")
            or self.view.number(top) is not None
        )

    def _power(self, p: f.Power, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        if isinstance(p.term, f.Const):
            yield from self._literal(f.Const(p.term.value**p.exponent), t, m, sign)
            return
        if sign < 0:
            negated, passed = self.view.producer(t)
            if self.view.ops[negated.node] == "Neg":
                inner = m.covering((*passed, negated.node))
                yield from self._power(p, self.view.inputs[negated.node][0], inner, 1)
            return
        if (top := self._top(p, t, m)) is None:
            return
        t, op, m = top
        args, n = self.view.inputs[t.node], p.exponent
        inner = m.covering((t.node,))
        if op == "Mul":
            if n in (2, 3, 4):
                yield from self._shared_product(p.expanded, t, op, m, sign)
            return
        for term, arg in self._unpowered(p, op, args):
            yield from self.solve(term, arg, inner)
        if op == "SquaredDifference" and n == 2 and isinstance(p.term, f.Sum):
            yield from self._difference(p.term, args, inner)

    def _unpowered(
        self, p: f.Power, op: str, args: Any
    ) -> Iterator[tuple[f.Term, Tensor]]:
        """``(term, argument)``: what the argument of a power op must be for the op to be ``p``."""
        n = p.exponent
        if op == "RealDiv":
            if n < 0 and close(self.view.number(args[0]), 1.0):
                yield p.inverse, args[1]
            return
        own = {"Square": 2.0, "Rsqrt": -0.5, "Sqrt": 0.5, "Reciprocal": -1.0}.get(op)
        if op == "Pow":
            number = self.view.number(args[1])
            own = float(number) if number is not None and number.size == 1 else None
        if not own:
            return
        left = n / own
        if left == 1:
            yield p.term, args[0]
        elif left in (-1, 0.5, -0.5, 2):
            yield f.Power(p.term, left), args[0]

    def _difference(self, p: f.Sum, args: Any, m: Match) -> Iterator[Match]:
        plus = [q for q in p.terms if not isinstance(q, f.Neg)]
        minus = [q for q in p.terms if isinstance(q, f.Neg)]
        if len(plus) != 1 or len(minus) != 1:
            return
        for a, b in (args, args[::-1]):
            for match in self.solve(plus[0], a, m):
                yield from self.solve(minus[0].term, b, match)


def _half(p: f.Product) -> f.Term | None:
    """The square root of a product of equal factors, two by two."""
    first = p.terms[0]
    if len(p.terms) % 2 or any(each is not first for each in p.terms):
        return None
    return p.of(p.terms[: len(p.terms) // 2])


def _inverses(p: f.Term) -> Iterator[f.Term]:
    """The terms q with 1 / q equal to p, so that ``a / q`` can be ``a * p``."""
    if isinstance(p, f.Const):
        if p.value:
            yield f.Const(1.0 / p.value)
    elif isinstance(p, f.Power) and p.exponent < 0:
        yield p.inverse
    elif isinstance(p, f.OneOf):
        for each in p.terms:
            yield from _inverses(each)
    elif isinstance(p, f.Product):
        parts = [list(_inverses(each)) for each in p.terms]
        if all(len(each) == 1 for each in parts):
            yield f.multiply(*(each[0] for each in parts))
