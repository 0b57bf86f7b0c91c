"""Bindings: what the variables of a formula stand for at one place of a graph."""

from __future__ import annotations

from typing import Any

from ...graph import Shape, Tensor
from ..view.view import View
from .match import Match


class Bindings:
    """``b.kernel`` is what the variable ``kernel`` stands for, None where it is missing; so is a part that is ``named``."""

    def __init__(self, view: View, match: Match) -> None:
        self.view, self.match = view, match
        self._values = match.values

    def __getattr__(self, name: str) -> Any:
        return self._values.get(name)

    def read(self, name: str) -> Tensor:
        """The tensor that a variable was read from, before what only passes it on is looked through."""
        return self.match.read(name)[0]

    def nodes(self, op: str) -> list[str]:
        """The nodes that calls of this op matched."""
        return self.match.nodes(op)

    @property
    def shape(self) -> Shape:
        """The shape of ``x`` as far as it is known."""
        return self.view.shape(self.x)
