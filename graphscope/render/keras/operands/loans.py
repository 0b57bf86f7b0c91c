"""Which layer holds each weight, so that a later one can borrow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....graph import WeightUse
from ..classes.signatures import signature_of
from ..program.program import Step

Key = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Loan:
    """A weight that an earlier layer holds: the node of its step, and the weight's name and use there."""

    owner: str
    name: str
    use: WeightUse


class Ties:
    """Which layer holds each variable, as layers come in."""

    def __init__(self) -> None:
        self.loans: dict[Key, Loan] = {}

    def register(self, step: Step) -> None:
        """Note what a new layer holds; from a layer inside it, or one that Keras does not know, nobody can borrow."""
        known = signature_of(step.constructor)
        names = ("value",) if step.constructor == "Weight" else known and known.weights
        for name, use in step.weights.items():
            if use.node and "/" not in name and name in (names or ()):
                self.loans.setdefault(_key(use), Loan(step.node, name, use))

    def borrowed(self, weights: Mapping[str, WeightUse]) -> dict[str, Loan]:
        """Those of the weights that an earlier layer holds."""
        loans = {name: self.loans.get(_key(use)) for name, use in weights.items()}
        return {name: loan for name, loan in loans.items() if loan is not None}


def _key(use: WeightUse) -> Key:
    """Two uses of one key read the same elements."""
    return use.node, tuple(step for step in use.steps if step[0] == "slice")
