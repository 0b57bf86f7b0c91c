"""Each operator of a TensorFlow Lite model by itself: what LiteRT gives on LiteRT's own inputs, and what it means.

Rounding adds up from operator to operator: behind a hundred of them an integer model is dozens of steps away from the real
numbers that it stands for. Where each operator reads what LiteRT's own operators gave before it nothing adds up:
what it gives must be within a step or two of what its meaning gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ....read.deployment.lite.emit import node_name
from ....read.deployment.lite.file import LiteFile
from ....read.deployment.lite.subgraph import Apart
from ...differences import difference
from ..runner import GraphRunner

MOST_STEPS = 2.0  # LiteRT's integer kernels round once or twice, tables of sigmoid and the like once more
HYBRID = 0.05  # of the output: LiteRT rounds to eight bits what it multiplies with weights of eight bits


class Distance(NamedTuple):
    """How far one operator is from its meaning: in steps of its output, else as a share of its largest number."""

    op: str
    name: str
    size: float
    is_in_steps: bool

    @property
    def passed(self) -> bool:
        return self.size <= (MOST_STEPS if self.is_in_steps else HYBRID)

    def __str__(self) -> str:
        size = f"{self.size:.2g}" + (" steps" if self.is_in_steps else "")
        return f"{self.op} of {node_name(self.name)}: {size}"


class Operators:
    """The operators of a file beside ``runner``, their graph in which each reads placeholders."""

    def __init__(self, file: LiteFile, runner: GraphRunner) -> None:
        self.subgraph, self.runner = file.subgraphs[0], runner
        listed = runner.model.collections["lite_apart"] if runner.model else ()
        self.parts: tuple[Apart, ...] = tuple(listed)
        self.ops = {
            number: operator.op
            for operator in self.subgraph.operators
            for number in operator.outputs
        }

    def distances(
        self, interpreter: object, feeds: Mapping[str, object]
    ) -> list[Distance]:
        """How far each operator is from its meaning, after ``interpreter``, which keeps all tensors, ran on ``feeds``."""
        values = {
            part.number: self._real(interpreter, part.number) for part in self.parts
        }
        fed = {part.fed: values[part.number] for part in self.parts}
        computed = self.runner.run({**feeds, **fed}, [p.computed for p in self.parts])
        return [
            self._distance(p.number, values[p.number], x)
            for p, x in zip(self.parts, computed)
        ]

    def _real(self, interpreter: Any, number: int) -> np.ndarray:
        """A tensor as the numbers that it stands for."""
        stored = np.array(interpreter.get_tensor(number))
        tensor = self.subgraph.tensor(number)
        quantisation = tensor.quantisation
        if quantisation is None or not tensor.is_quantised:
            return stored
        real = (stored.astype(np.float32) - quantisation.zero[0]) * quantisation.scale[
            0
        ]
        return np.asarray(real, np.float32)

    def _distance(
        self, number: int, real: np.ndarray, computed: np.ndarray
    ) -> Distance:
        tensor = self.subgraph.tensor(number)
        quantisation, op = tensor.quantisation, self.ops.get(number, "")
        if quantisation is None or not tensor.is_quantised:
            return Distance(op, tensor.name, difference(real, computed)[1], False)
        limits = np.iinfo(tensor.spec.dtype)
        low, high = (
            (end - quantisation.zero[0]) * quantisation.scale[0]
            for end in (limits.min, limits.max)
        )
        away = difference(real, np.clip(computed, low, high))[0]
        return Distance(op, tensor.name, away / quantisation.scale[0], True)
