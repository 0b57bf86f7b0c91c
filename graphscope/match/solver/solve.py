"""Solve a formula for its variables: every way in which one tensor of a graph can be what the formula computes.

Three things hold of every solution: one variable stands for one tensor, however often it is written; sums and
products match in any order and grouping; ops that pass their input on unchanged are looked through. The recursion
goes down the formula, never down the graph, so its depth is the formula's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from ...graph import Tensor
from ...graph.named_values import Arguments
from ...wire import op_registry, opdefs
from ..formula import terms as f
from ..view.view import View
from ..view.weight_ref import WeightRef
from .algebra import Algebra
from .match import Match, close, plain_float

MOST_SOLUTIONS = 64  # per pattern and tensor

# Attributes that say how to compute, not what; those that start with "_" and dtypes are ignored as well.
_HARMLESS = frozenset(
    {"use_cudnn_on_gpu", "N", "num_split", "num", "seed", "seed2", "validate_shape"}
    | {"validate_indices", "container", "shared_name", "grad_a", "grad_b", "bad_color"}
    | {"batch_dims_hint", "use_locking", "Targmax", "is_training_hint", "num_args"}
)
_COMMUTATIVE = frozenset(
    {"Maximum", "Minimum", "LogicalAnd", "LogicalOr", "Equal", "NotEqual"}
)


class Solver(Algebra):
    """Solves formulas over one View. ``watch(term, tensor, match, reason)`` is told of every failure."""

    def __init__(
        self,
        view: View,
        watch: Callable[[f.Term, Tensor, Match, str], None] | None = None,
    ) -> None:
        self.view, self.watch = view, watch
        self._by_type: dict[type, Any] = {
            f.OneOf: self._one_of,
            f.Neg: self._negated,
            f.Const: self._literal,
            f.Call: self._call,
            f.Named: self._named,
            f.Sum: self._sum,
            f.Product: self._product,
            f.Power: self._power,
        }

    def solutions(self, term: f.Term, tensor: Tensor) -> Iterator[Match]:
        """Every binding with which the term computes the tensor, up to a generous number."""
        for count, match in enumerate(self.solve(term, tensor, Match())):
            if count >= MOST_SOLUTIONS:
                return
            yield match

    def solve(self, p: f.Term, t: Tensor, m: Match, sign: int = 1) -> Iterator[Match]:
        """Every way to extend ``m`` so that ``sign * p`` computes ``t``."""
        method = self._by_type.get(p.__class__)
        if method is None:
            return self._variable(p, t, m, sign)
        return method(p, t, m, sign)

    def _fail(self, p: f.Term, t: Tensor, m: Match, reason: str) -> None:
        if self.watch is not None:
            self.watch(p, t, m, reason)

    def _top(self, p: f.Term, t: Tensor, m: Match) -> tuple[Tensor, str, Match] | None:
        """The producer of ``t``, its op, ``m`` with what was looked through; None where ``p`` cannot be that op."""
        top, passed = self.view.producer(t)
        op = self.view.ops[top.node]
        if p.roots is not None and op not in p.roots:
            self._fail(p, top, m, "")
            return None
        return top, op, m.covering(passed)

    # -- what has no order ----------------------------------------------------------------
    def _one_of(self, p: f.OneOf, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        for each in p.terms:
            yield from self.solve(each, t, m, sign)

    def _negated(self, p: f.Neg, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        return self.solve(p.term, t, m, -sign)

    def _literal(self, p: f.Const, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        listed = isinstance(p.value, list | tuple)
        value = self.view.number(t) if listed else self.view.scalar(t)
        if close(value, p.value, sign):
            yield m.covering((t.node,))
        elif self.watch is not None:
            shown = (
                "no constant"
                if value is None
                else f"the constant {value.tolist()!s:.60}"
            )
            self._fail(p, t, m, f"{shown}, expected {'-' if sign < 0 else ''}{p}")

    def _named(self, p: f.Named, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        for each in self.solve(p.term, t, m, sign):
            bound = each.bind(p.name, self.view.producer(t)[0])
            if bound is not None:
                yield bound

    # -- ops ------------------------------------------------------------------------------
    def _call(self, p: f.Call, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        top, passed = self.view.producer(t)
        name, op = top.node, self.view.ops[top.node]
        if sign < 0 and op == "Neg" and p.op != "Neg":
            inner = m.covering((*passed, name))
            yield from self.solve(p, self.view.inputs[name][0], inner)
            return
        port = m.turn if p.port == f.EACH else p.port
        if sign < 0 or op != p.op or top.port != port:
            self._fail(p, top, m, "")
            return
        match = self._attributes(p, name, m.covering(passed))
        args = self._arguments(p, name, m) if match is not None else None
        if match is not None and args is not None:
            yield from self._all(p.args, args, 0, match.at(p, name, args))
            if op in _COMMUTATIVE and len(args) == 2:
                args = args[::-1]
                yield from self._all(p.args, args, 0, match.at(p, name, args))

    def _arguments(self, p: f.Call, name: str, m: Match) -> tuple[Tensor, ...] | None:
        args = self.view.inputs[name]
        if self.view.kinds[name] == "Concat":  # the axis came first before ConcatV2
            args = (*args[1:], *args[:1])
        count = len(p.args)
        fits = len(args) >= count if p.open_ended else len(args) == count
        many = any(isinstance(q, f.Inputs | f.Each) for q in p.args)
        if fits or (many and len(args) >= count):
            return args
        self._fail(p, Tensor(name), m, f"{len(args)} inputs, expected {count}")
        return None

    def _all(
        self, terms: tuple[f.Term, ...], args: tuple[Tensor, ...], at: int, m: Match
    ) -> Iterator[Match]:
        if at == len(terms):
            yield m
            return
        p = terms[at]
        if isinstance(p, f.Inputs):
            many = len(args) - len(terms) + 1
            matches = self._many(p, args[at : at + many], m)
            if matches is not None:
                yield from self._all(terms[at:], args[at + many - 1 :], 1, matches)
            return
        if isinstance(p, f.Each):
            many = len(args) - len(terms) + 1
            for each in self._repeated(p.term, args[at : at + many], m):
                yield from self._all(terms[at:], args[at + many - 1 :], 1, each)
            return
        for each in self.solve(p, args[at], m):
            yield from self._all(terms, args, at + 1, each)

    def _repeated(
        self, p: f.Term, args: tuple[Tensor, ...], m: Match
    ) -> Iterator[Match]:
        """All turns, each solved in the first way that agrees with those before it."""
        match: Match | None = m
        for turn, arg in enumerate(args):
            if match is not None:
                match = next(self.solve(p, arg, match._replace(turn=turn)), None)
        if match is not None and args:
            yield match._replace(turn=m.turn)

    def _many(self, p: f.Inputs, args: tuple[Tensor, ...], m: Match) -> Match | None:
        sources = tuple(self.view.producer(t)[0] for t in args)
        if not any(t.node in self.view.dynamic for t in sources):
            return None
        return m.bind(p.name, sources)

    def _attributes(self, p: f.Call, name: str, m: Match) -> Match | None:
        attrs, kind = self.view.attrs[name], self.view.kinds[name]
        defaults = opdefs.defaults(kind)
        match: Match | None = m
        for key, q in p.attrs.items():
            value = attrs.get(key, defaults.get(key))
            if not isinstance(value, _types(kind).get(key, object)) or value is None:
                self._fail(p, Tensor(name), m, f"{key} is {value!r}: no such value")
                return None
            if isinstance(q, f.Const):
                if not _equal(value, q.value):
                    self._fail(p, Tensor(name), m, f"{key} is {value!r}, expected {q}")
                    return None
            elif isinstance(q, f.Var) and match is not None and q is not f.ANY:
                match = match.bind(q.name, value)
                if match is None:
                    self._fail(p, Tensor(name), m, f"{key} differs from {q.name}")
                    return None
        for key, default in _unnamed(kind):
            if key not in p.attrs and not _equal(attrs.get(key, default), default):
                self._fail(
                    p, Tensor(name), m, f"{key} is {attrs.get(key)!r}, not {default!r}"
                )
                return None
        return match

    # -- variables ------------------------------------------------------------------------
    def _variable(self, p: f.Term, t: Tensor, m: Match, sign: int) -> Iterator[Match]:
        if p is f.ANY:
            yield m
            return
        if not isinstance(p, f.Var):
            return
        if sign < 0 and not isinstance(p, f.Scalar):
            top, passed = self.view.producer(t)
            if self.view.ops[top.node] != "Neg":
                self._fail(p, top, m, "it is added, not subtracted")
                return
            m, t = m.covering((*passed, top.node)), self.view.inputs[top.node][0]
            sign = 1
        value, why, covered = self._value(p, t)
        if value is None:
            self._fail(p, t, m, why)
            return
        m = m.covering(covered)
        if isinstance(p, f.Weights):
            bound = m.appending(p.name, value, t)
        else:
            bound = m.bind(p.name, -value if sign < 0 else value, t)
        if bound is not None:
            yield bound
        else:
            other = m.values.get(p.name)
            self._fail(p, t, m, f"{p.name} already stands for {_shown(other)}")

    def _value(self, p: f.Var, t: Tensor) -> tuple[Any, str, tuple[str, ...]]:
        """What the variable stands for at this tensor (None: it cannot), why not, and the nodes it explains."""
        view = self.view
        if isinstance(p, f.Weight | f.Weights):
            weight = view.weight(t)
            return weight, "no variable or constant array", _path(view, t, weight)
        if isinstance(p, f.Scalar):
            number = view.scalar(t)
            if number is None or not _is_float(number):
                return None, "no constant floating-point number", ()
            return plain_float(number.reshape(())), "", (t.node,)
        if isinstance(p, f.Array):
            number = view.number(t)
            if number is None or number.dtype.kind not in "fiub":
                return None, "no constant", ()
            return _listed(number), "", (t.node,)
        if isinstance(p, f.Dims):
            return view.sizes(t), "not computed from shapes and constants", (t.node,)
        source, _ = view.producer(t)
        if isinstance(p, f.Input) and source.node not in view.dynamic:
            return None, "it does not depend on an input", ()
        return source, "", ()


def _is_float(number: np.ndarray) -> bool:
    return number.dtype.kind == "f" or number.dtype.name == "bfloat16"


def _listed(number: np.ndarray) -> Any:
    elements = number.tolist()
    if number.dtype.kind == "f" and number.ndim == 0:
        return plain_float(number)
    return tuple(elements) if number.ndim == 1 else elements


def _path(view: View, t: Tensor, weight: WeightRef | None) -> tuple[str, ...]:
    """The nodes from the use of a weight to the node that holds it."""
    if weight is None:
        return ()
    path = [t.node]
    while path[-1] != weight.node and view.inputs[path[-1]] and len(path) < 99:
        path.append(view.inputs[path[-1]][0].node)
    return tuple(n for n in path if n not in view.dynamic)


def _equal(value: object, expected: object) -> bool:
    if isinstance(expected, list | tuple):
        listed = value if isinstance(value, list | tuple) else ()
        return list(listed) == list(expected) and (listed is value or value is None)
    return bool(value == expected)


@cache
def _types(kind: str) -> Arguments:
    """The Python types that the attributes of an op have."""
    definition = op_registry.find(kind)
    plain = {"int": int, "float": (float, int), "bool": bool, "string": str}
    return {
        a.name: (
            (tuple, list) if a.type.startswith("list") else plain.get(a.type, object)
        )
        for a in (definition.attr if definition is not None else ())
    }


def _unnamed(kind: str) -> tuple[tuple[str, Any], ...]:
    """The attributes of an op that change what it computes, with their defaults."""
    if kind not in _UNNAMED:
        definition = op_registry.find(kind)
        dtypes = {
            a.name
            for a in (definition.attr if definition is not None else ())
            if a.type in ("type", "list(type)")
        }
        _UNNAMED[kind] = tuple(
            (key, value)
            for key, value in opdefs.defaults(kind).items()
            if key not in dtypes and key not in _HARMLESS and not key.startswith("_")
        )
    return _UNNAMED[kind]


_UNNAMED: dict[str, tuple[tuple[str, Any], ...]] = {}  # by op; filled as ops are met


def _shown(value: object) -> str:
    return value.node if isinstance(value, WeightRef) else f"{value!s:.60}"
