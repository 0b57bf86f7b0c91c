"""What the lowering has collected so far, and what each of its parts may ask of it.

The parts (operands, lowered ops, tied weights) are below the lowering that calls them; what they ask of it in turn is
declared here, and written in ``operand.py``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from ....graph import Graph, Tensor, TensorSpec, WeightUse
from ....graph.names import Names
from ..program.program import Step
from .loans import Ties
from .reader import Reader, Values


class Context(Reader):
    """A Reader that collects steps: ``steps`` by node, ``classes`` that the source defines, ``remarks`` on guesses."""

    def __init__(
        self,
        graph: Graph,
        specs: Mapping[Tensor, TensorSpec],
        values: Values | None,
    ) -> None:
        super().__init__(graph, specs, values)
        self.steps: dict[str, Step] = {}
        self.classes: dict[str, str] = {}
        self.remarks: list[str] = []
        self.names = Names()
        self.owners: dict[Any, Step] = {}
        self.ties = Ties()
        self.lent: dict[str, list[str]] = {}
        self.wanted = ()
        self.measured: list[Tensor] = []  # whose shapes ``sizes`` speak of
        self.formed: set[str] = (
            set()
        )  # nodes that index_grids.py makes where they are used
        self.sizes: dict[Tensor, np.ndarray] = {}  # what shape_expressions.py computed

    def put(self, step: Step) -> None:
        self.steps[step.node] = step

    @abstractmethod
    def operand(self, tensor: Tensor, literals: bool = True) -> Tensor | str:
        """What stands for an input of a step: a tensor, or the literal of a small constant."""

    @abstractmethod
    def weight_step(self, tensor: Tensor) -> Step:
        """A layer that owns a variable or a constant, and yields it."""

    @abstractmethod
    def hold(self, node: str, use: WeightUse, name: str) -> Tensor:
        """What yields a weight of a layer that is not written as one."""
