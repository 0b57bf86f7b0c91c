"""Terms: what a layer's formula is made of.

A formula is written as Python arithmetic over typed variables and ``op.<Op>(...)`` calls; the classes here record it.
They compare by identity, so a sub-formula that is written once and used twice is solved as one thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations, product
from typing import Any

from .op_aliases import canonical

SUM_OPS = frozenset({"Add", "BiasAdd", "Sub", "Neg", "AddN"})
PRODUCT_OPS = frozenset({"Mul", "RealDiv", "Neg", "Square"})
POWER_OPS = {
    2: frozenset({"Square", "Pow", "Mul", "SquaredDifference"}),
    3: frozenset({"Pow", "Mul"}),
    0.5: frozenset({"Sqrt", "Pow"}),
    -0.5: frozenset({"Rsqrt", "Reciprocal", "RealDiv", "Pow", "Sqrt"}),
    -1: frozenset({"Reciprocal", "RealDiv", "Pow"}),
}
ANY_POWER = frozenset().union(*POWER_OPS.values())
LINE = "line."  # before the name of an op along one axis, for which TensorFlow has none
LAYERS = "layers."  # before the name of a layer's class, one altitude up
WIDEST_SUM = 8  # a formula's sum of n terms has 2**n splits: beyond this it is refused


class Term:
    """A formula or a part of one; arithmetic on terms makes terms."""

    def __add__(self, other: object) -> Sum:
        return add(self, term(other))

    def __radd__(self, other: object) -> Sum:
        return add(term(other), self)

    def __sub__(self, other: object) -> Sum:
        return add(self, Neg(term(other)))

    def __rsub__(self, other: object) -> Sum:
        return add(term(other), Neg(self))

    def __mul__(self, other: object) -> Product:
        return multiply(self, term(other))

    def __rmul__(self, other: object) -> Product:
        return multiply(term(other), self)

    def __truediv__(self, other: object) -> Product:
        return multiply(self, Power(term(other), -1))

    def __rtruediv__(self, other: object) -> Term:
        return Power(self, -1) if other == 1 else multiply(term(other), Power(self, -1))

    def __neg__(self) -> Neg:
        return Neg(self)

    def __pow__(self, exponent: float) -> Power:
        return Power(self, exponent)

    def __or__(self, other: object) -> OneOf:
        mine = self.terms if isinstance(self, OneOf) else (self,)
        return OneOf((*mine, term(other)))

    @property
    def parts(self) -> tuple[Term, ...]:
        """The terms right below this one."""
        return ()

    @cached_property
    def roots(self) -> frozenset[str] | None:
        """The ops (canonical names) that can compute this term; None: any."""
        return None

    def walk(self) -> Iterator[Term]:
        """This term and all below it, each once."""
        visited: dict[int, Term] = {}
        stack: list[Term] = [self]
        while stack:
            part = stack.pop()
            if id(part) not in visited:
                visited[id(part)] = part
                stack.extend(part.parts)
        yield from visited.values()


class Var(Term):
    """A variable of a formula; its class is its role."""

    def __init__(self, name: str, optional: bool = False) -> None:
        self.name, self.optional = name, optional

    def __str__(self) -> str:
        return self.name


class Any_(Var):
    """Any tensor; nothing is bound."""


class Input(Var):
    """A tensor that depends on what is fed."""


class Inputs(Var):
    """One or more tensors, as many as the op has at this place; at least one depends on what is fed."""


class Value(Var):
    """Any tensor, fed or not; bound."""


class Weight(Var):
    """One variable or constant array, bound to its WeightRef."""


class Weights(Var):
    """One weight for each repetition of an ``each``; bound to a tuple of Helds."""


class Scalar(Var):
    """A constant number; bound as a float."""


class Array(Var):
    """A constant; bound as nested lists of numbers (a scalar as a number)."""


class Dims(Var):
    """Numbers computed from constants and shapes; bound as a tuple of Size, or None where one is unknown."""


class Attr(Var):
    """The value of an attribute."""


ROLES: dict[str, type[Var]] = {
    c.__name__: c for c in (Input, Inputs, Value, Weight, Weights, Scalar, Array, Dims)
}
ROLES["Attr"] = Attr
ANY = Any_("_")


class Const(Term):
    """A literal: a number, or a (nested) list of numbers."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:
        return f"{self.value:.6g}" if isinstance(self.value, float) else str(self.value)


class Call(Term):
    """One op of the given name in any same-meaning version; ``args`` may end in ``...``."""

    def __init__(
        self,
        op: str,
        args: tuple[Term, ...],
        attrs: dict[str, Term],
        port: int = 0,
        open_ended: bool = False,
    ) -> None:
        self.op, self.args, self.attrs, self.port = canonical(op), args, attrs, port
        self.open_ended = open_ended

    @property
    def parts(self) -> tuple[Term, ...]:
        return (*self.args, *self.attrs.values())

    @cached_property
    def roots(self) -> frozenset[str] | None:
        return frozenset({self.op})

    def __str__(self) -> str:
        shown = [*map(str, self.args), *(["..."] if self.open_ended else [])]
        shown += [f"{name}={value}" for name, value in self.attrs.items()]
        port = f":{self.port}" if self.port else ""
        return f"{self.op}({', '.join(shown)}){port}"


EACH = -1
"""Stands for a port: the first repetition of an ``each`` reads port 0, the second port 1, and so on."""


class Each(Term):
    """A term that stands for as many arguments of a call as there are: only ``Weights`` differ between them."""

    def __init__(self, term: Term) -> None:
        self.term = term

    @property
    def parts(self) -> tuple[Term, ...]:
        return (self.term,)

    @cached_property
    def roots(self) -> frozenset[str] | None:
        return self.term.roots

    def __str__(self) -> str:
        return f"each {self.term}"


class _Group(Term):
    """Terms of one kind whose order and grouping do not matter."""

    sign = " "

    def __init__(self, terms: tuple[Term, ...]) -> None:
        if len(terms) > WIDEST_SUM:
            raise ValueError(f"a formula joins at most {WIDEST_SUM} terms")
        self.terms = terms

    @property
    def parts(self) -> tuple[Term, ...]:
        return self.terms

    @cached_property
    def choices(self) -> tuple[Term, ...]:
        """This group with some of its optional terms left out, fullest first."""
        options = [t for t in self.terms if isinstance(t, Var) and t.optional]
        choices_: list[Term] = []
        for count in range(len(options) + 1):
            for dropped in combinations(options, count):
                rest = tuple(t for t in self.terms if t not in dropped)
                if rest:
                    choices_ += map(self.of, self._opened(rest))
        return tuple(choices_)

    def _opened(self, terms: tuple[Term, ...]) -> Iterator[tuple[Term, ...]]:
        """The terms, with each alternative that is a group of the same kind written into the group."""
        kinds = [
            isinstance(t, OneOf) and any(isinstance(u, type(self)) for u in t.terms)
            for t in terms
        ]
        options = [
            t.terms if opens and isinstance(t, OneOf) else (t,)
            for t, opens in zip(terms, kinds)
        ]
        for chosen in product(*options):
            yield tuple(flat for t in chosen for flat in _flat(t, type(self)))

    def of(self, terms: tuple[Term, ...]) -> Term:
        """The group of these terms; the term itself where it is alone."""
        return terms[0] if len(terms) == 1 else type(self)(terms)

    @cached_property
    def splits(self) -> tuple[tuple[Term, Term], ...]:
        """Every way to share the terms between a left and a right operand."""
        splits_ = []
        for mask in range(1, 2 ** len(self.terms) - 1):
            left = tuple(t for i, t in enumerate(self.terms) if mask >> i & 1)
            right = tuple(t for i, t in enumerate(self.terms) if not mask >> i & 1)
            splits_.append((self.of(left), self.of(right)))
        return tuple(splits_)

    def _roots(self, own: frozenset[str]) -> frozenset[str] | None:
        roots = own
        for choice in self.choices:
            if choice.__class__ is not self.__class__:
                if choice.roots is None:
                    return None
                roots |= choice.roots
        return roots

    def __str__(self) -> str:
        return "(" + self.sign.join(map(str, self.terms)) + ")"


class Sum(_Group):
    sign = " + "

    @cached_property
    def roots(self) -> frozenset[str] | None:
        return self._roots(SUM_OPS)


class Product(_Group):
    sign = " * "

    @cached_property
    def roots(self) -> frozenset[str] | None:
        return self._roots(PRODUCT_OPS)


class Wrapper(Term):
    """A term over one other."""

    term: Term

    @property
    def parts(self) -> tuple[Term, ...]:
        return (self.term,)


class Neg(Wrapper):
    def __init__(self, term: Term) -> None:
        self.term = term

    @cached_property
    def roots(self) -> frozenset[str] | None:
        below = self.term.roots
        return None if below is None else below | {"Neg"}

    def __str__(self) -> str:
        return f"-{self.term}"


class Power(Wrapper):
    """A constant power; -1 is the reciprocal."""

    def __init__(self, term: Term, exponent: float) -> None:
        self.term, self.exponent = term, exponent

    @cached_property
    def roots(self) -> frozenset[str] | None:
        if isinstance(self.term, Const):
            return None
        return POWER_OPS.get(self.exponent, ANY_POWER)

    @cached_property
    def inverse(self) -> Term:
        """The term q with 1 / q equal to this one."""
        return self.term if self.exponent == -1 else Power(self.term, -self.exponent)

    @cached_property
    def expanded(self) -> Product:
        """The power written out, for small whole exponents."""
        return Product((self.term,) * int(self.exponent))

    def __str__(self) -> str:
        return f"{self.term} ** {self.exponent:g}"


class Named(Wrapper):
    """A part of a formula whose tensor is bound to a name as well."""

    def __init__(self, name: str, term: Term) -> None:
        self.name, self.term = name, term

    @cached_property
    def roots(self) -> frozenset[str] | None:
        return self.term.roots

    def __str__(self) -> str:
        return (
            self.name
        )  # written out, a long formula would repeat its parts without end


class OneOf(Term):
    def __init__(self, terms: tuple[Term, ...]) -> None:
        self.terms = terms

    @property
    def parts(self) -> tuple[Term, ...]:
        return self.terms

    @cached_property
    def roots(self) -> frozenset[str] | None:
        roots_: frozenset[str] = frozenset()
        for each in self.terms:
            if each.roots is None:
                return None
            roots_ |= each.roots
        return roots_

    def __str__(self) -> str:
        return " | ".join(dict.fromkeys(map(str, self.terms)))


def term(value: object) -> Term:
    """A term as it is; any other value as a literal."""
    return value if isinstance(value, Term) else Const(value)


def _flat(term: Term, kind: type[_Group]) -> tuple[Term, ...]:
    if isinstance(term, kind):
        return term.terms
    if kind is Sum and isinstance(term, Neg) and isinstance(term.term, Sum):
        return tuple(t.term if isinstance(t, Neg) else Neg(t) for t in term.term.terms)
    return (term,)


def add(*terms: Term) -> Sum:
    """The sum of terms, nested sums opened."""
    return Sum(tuple(flat for t in terms for flat in _flat(t, Sum)))


def multiply(*terms: Term) -> Product:
    """The product of terms, nested products opened."""
    return Product(tuple(flat for t in terms for flat in _flat(t, Product)))
