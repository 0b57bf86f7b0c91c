"""Form: a formula of several ops, and the fewer ops that mean the same.

Tiling one altitude below layers. TensorFlow spells a dilated convolution as a sandwich of three ops, one along a single
axis as one of two between ExpandDims and Squeeze; a Form says which op that is, so that each layer needs one formula
for all spellings of its ops. What TensorFlow has no op for is written ``line.<Op>``: that op along one axis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import Shape, Tensor
from ..graph.named_values import Arguments, Config
from .pattern import Pattern, pattern_maker
from .solver.match import Match
from .view.view import View
from .view.weight_ref import WeightRef


@dataclass(frozen=True, eq=False)
class New:
    """An op that is to stand in a graph; its inputs are tensors of the graph, arrays, or such ops in turn.

    Of an op that is not the last one ``shape`` is that of its output where it is known, ``name`` what it is called
    after and ``evidence`` what is told of the layer that it becomes.
    """

    op: str
    inputs: tuple[New | Tensor | np.ndarray | np.generic, ...]
    attrs: Config = field(default_factory=dict)
    shape: Shape = None
    name: str = ""
    evidence: str = ""


@dataclass(frozen=True, eq=False)
class Form(Pattern):
    """A Pattern whose solutions are rewritten: ``becomes`` takes the formula's variables and gives the ops that they mean."""

    becomes: Callable[..., New | str] | None = None

    def meaning(self, match: Match, view: View) -> New | str:
        """What a solution becomes; a text says why it becomes nothing. Raises TypeError for a form without ``becomes``."""
        return self._called(self.becomes, match, view)

    def _admits(self, match: Match, view: View) -> str | None:
        why = super()._admits(match, view)
        if why is not None:
            return why
        meaning = self.meaning(match, view)
        return meaning if isinstance(meaning, str) else None

    def config_of(self, match: Match, view: View) -> Arguments:
        """Nothing: a form is no layer yet."""
        return {}

    def weights_of(self, match: Match, view: View) -> dict[str, WeightRef]:
        """Nothing, likewise."""
        return {}


def form(op: str, /, **options: object) -> Callable[[Callable[..., Any]], Form]:
    """Make a Form of a function of typed variables that returns its formula; ``op`` is the op that is meant."""
    return pattern_maker(Form, op, options)
