"""A formula as a program: what a match claims, computed.

To say that pattern ``P`` matches tensor ``t`` with bindings ``B`` is to claim ``t = P[B]``. ``evaluate`` computes the
right-hand side; comparing it with the left is the soundness test that every pattern gets.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from ...graph import Tensor
from ..formula import terms as f
from ..view.view import View
from .match import EVERY, Match

Fetch = Callable[[Tensor], np.ndarray]
Run = Callable[[str, list[np.ndarray]], list[np.ndarray]]


def evaluate(
    term: f.Term, match: Match, view: View, fetch: Fetch, run: Run
) -> np.ndarray:
    """The value of a formula under the bindings of a match.

    ``fetch(tensor)`` gives the value of what a variable stands for, ``run(node, inputs)`` applies one op of the graph
    to other inputs. Raises KeyError where a part of the formula was not matched.
    """
    return np.asarray(_Evaluator(match, view, fetch, run).of(term))


class _Evaluator:
    def __init__(self, match: Match, view: View, fetch: Fetch, run: Run) -> None:
        self.values, self.used, self.called = match.values, match.used, match.called
        self.view, self.fetch, self.run = view, fetch, run
        self.done: dict[tuple[int, int], Any] = {}
        self.turn = EVERY

    def of(self, term: f.Term) -> Any:
        key = id(term), self.turn
        if key not in self.done:
            self.done[key] = self._of(term)
        return self.done[key]

    def _of(self, p: f.Term) -> Any:
        if isinstance(p, f.Const):
            return p.value
        if isinstance(p, f.Var):
            return self._variable(p)
        if isinstance(p, f.Named):
            return self.of(p.term)
        if isinstance(p, f.Neg):
            return -self.of(p.term)
        if isinstance(p, f.Power):
            return np.power(np.asarray(self.of(p.term), np.float64), p.exponent)
        if isinstance(p, f.OneOf):
            return self._first(p)
        if isinstance(p, f.Sum | f.Product):
            present = [q for q in p.terms if not self._absent(q)]
            combine = np.add if isinstance(p, f.Sum) else np.multiply
            return reduce(combine, map(self.of, present))
        if isinstance(p, f.Call):
            return self._call(p)
        raise KeyError(str(p))

    def _absent(self, p: f.Term) -> bool:
        return isinstance(p, f.Var) and p.optional and p.name not in self.values

    def _variable(self, p: f.Var) -> Any:
        if isinstance(p, f.Scalar):
            return self.values[p.name]
        array = np.asarray(self.fetch(self.used[p.name, self.turn]))
        shape = self.values[p.name].shape if isinstance(p, f.Weight) else array.shape
        return array.reshape(shape) if array.size == np.prod(shape) else array

    def _first(self, p: f.OneOf) -> Any:
        for each in p.terms:
            try:
                return self.of(each)
            except KeyError:  # this spelling is not the one that matched
                continue
        raise KeyError(str(p))

    def _call(self, p: f.Call) -> Any:
        name, order = self.called[id(p), self.turn]
        arguments: list[Any] = []
        for index, tensor in enumerate(order):
            formal = p.args[index] if index < len(p.args) else f.ANY
            if isinstance(formal, f.Each):
                turns = range(len(order) - len(p.args) + 1)
                arguments += [self._in_turn(formal.term, turn) for turn in turns]
                arguments += map(self.of, p.args[index + 1 :])
                break
            literal = isinstance(formal, f.Any_ | f.Inputs | f.Const)
            arguments.append(self.fetch(tensor) if literal else self.of(formal))
            if isinstance(formal, f.Inputs):
                arguments += [self.fetch(each) for each in order[index + 1 :]]
                break
        if self.view.kinds[name] == "Concat":
            arguments = [arguments[-1], *arguments[:-1]]
        return self.run(name, arguments)[self.turn if p.port == f.EACH else p.port]

    def _in_turn(self, p: f.Term, turn: int) -> Any:
        self.turn, before = turn, self.turn
        value = self.of(p)
        self.turn = before
        return value
