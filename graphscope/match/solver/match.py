"""A solution of a formula: what each variable stands for, and the nodes that it explains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...graph import Tensor
from ...graph.named_values import Config
from ..formula import terms as f
from ..view.weight_ref import WeightRef

EVERY = -1  # the turn of what is outside of an ``each``: the same for all repetitions
TOLERANCE = 1e-4  # of a literal in a formula against a float32 constant in a graph


class Match(NamedTuple):
    """A solution, whole or partial: what each variable stands for, and the nodes that it explains."""

    values: Config = {}
    chain: Any = None  # linked list of node names: (name, earlier)
    calls: Any = None  # linked list of (term, (node, arguments)): where each Call is
    uses: Any = (
        None  # linked list of ((variable name, turn), tensor): where each is read
    )
    turn: int = EVERY  # of the repetitions of an ``each``, the one that is being solved

    def covering(self, names: tuple[str, ...]) -> Match:
        chain = self.chain
        for name in names:
            chain = (name, chain)
        return self if chain is self.chain else self._replace(chain=chain)

    def at(self, call: f.Term, name: str, args: tuple[Tensor, ...]) -> Match:
        calls = (((call, self.turn), (name, args)), self.calls)
        return self._replace(chain=(name, self.chain), calls=calls)

    def bind(
        self, name: str, value: object, tensor: Tensor | None = None
    ) -> Match | None:
        uses = self.uses
        if tensor is not None:
            uses = (((name, self.turn), tensor), uses)
        if name in self.values:
            old = self.values[name]
            return self._replace(uses=uses) if _same(old, value) else None
        return self._replace(values={**self.values, name: value}, uses=uses)

    def reshaped(self, tensor: Tensor, ones: tuple[int, ...]) -> Match:
        """The weight that was read from the tensor, with axes of size one at its end."""
        for (name, _), read in _unlinked(self.uses):
            weight = self.values[name]
            if read == tensor and isinstance(weight, WeightRef):
                wide = weight.reshaped(*weight.shape, *ones)
                return self._replace(values={**self.values, name: wide})
        return self

    def appending(self, name: str, value: WeightRef, tensor: Tensor) -> Match | None:
        """With the weight of this turn after those of the turns before it."""
        before = self.values.get(name, ())
        if len(before) != self.turn:
            return None
        uses = (((name, self.turn), tensor), self.uses)
        return self._replace(values={**self.values, name: (*before, value)}, uses=uses)

    @property
    def members(self) -> frozenset[str]:
        return frozenset(_unlinked(self.chain))

    @property
    def called(self) -> dict[tuple[int, int], tuple[str, tuple[Tensor, ...]]]:
        """Where each Call matched: node and arguments, in the formula's order, by ``id`` of the term and turn."""
        return {(id(term), turn): at for (term, turn), at in _unlinked(self.calls)}

    def nodes(self, op: str) -> list[str]:
        """The nodes that calls of this op (its canonical name) matched."""
        return [at[0] for (term, _), at in _unlinked(self.calls) if term.op == op]

    @property
    def used(self) -> dict[tuple[str, int], Tensor]:
        """The tensor that each variable's first use reads, by name and turn."""
        return dict(_unlinked(self.uses))

    def read(self, name: str) -> tuple[Tensor, ...]:
        """The tensors that a variable's first use reads: one, or one for each repetition of an ``each``."""
        turns = {turn: at for (own, turn), at in self.used.items() if own == name}
        return tuple(turns[turn] for turn in sorted(turns))


def _unlinked(chain: Any) -> Iterator[Any]:
    while chain is not None:
        head, chain = chain
        yield head


def _same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-12)
    return bool(a == b)


def close(value: Any, expected: Any, sign: int = 1) -> bool:
    """Whether a constant of the graph is the literal of a formula, in half floats the one next to it."""
    if value is None:
        return False
    if isinstance(expected, list | tuple):
        return bool(np.asarray(value).tolist() == list(expected))
    if np.size(value) != 1:
        return False
    number = np.reshape(value, ())
    if number.dtype.kind not in "fiub" and number.dtype.name != "bfloat16":
        return False
    if number.dtype.itemsize == 2 and sign * number == number.dtype.type(expected):
        return True
    return math.isclose(sign * float(number), expected, rel_tol=TOLERANCE, abs_tol=1e-9)


def plain_float(value: Any) -> float:
    """The shortest decimal that is this number in float32: 0.001, not 0.0010000000474974513.

    >>> plain_float(0.0010000000474974513)
    0.001
    """
    return float(str(np.float32(value)))
