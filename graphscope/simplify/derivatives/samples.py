"""A graph run by numpy on numbers that are drawn, in double precision: what its tensors are, and how they change.

Only what ``ops`` can fold is computed; nothing else has a value here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...graph import Graph, Model, Node, Tensor, TensorSpec
from ...graph.edit import duplicate, put
from ...ops.constants import Constants

SCALES = (0.3, 1.0, 3.0, 10.0)  # of what is drawn: so far that usual clips take hold
STEP = 1e-6
_OPEN = 3  # the size where a feed leaves it open
_FEW = 1 << 16  # numbers of one feed: more is not tried


@dataclass(frozen=True)
class Sample:
    """Values at a point, and on both sides of it along a direction in which one feed is moved."""

    direction: np.ndarray
    here: Constants
    before: Constants
    after: Constants

    def slope(self, tensor: Tensor) -> tuple[float, float] | None:
        """By how much the sum of a tensor grows along the direction, and the size of what was summed; None where unknown."""
        low, high = self.before.value(tensor), self.after.value(tensor)
        if low is None or high is None or high.dtype != np.float64:
            return None
        with np.errstate(all="ignore"):
            return float((high - low).sum() / (2 * STEP)), float(np.abs(high).sum())


def samples(
    graph: Graph, model: Model, feeds: Mapping[str, TensorSpec], moved: str
) -> Iterator[Sample]:
    """One sample for each scale; none where a feed's rank is unknown."""
    copy, draw = duplicate(graph), np.random.default_rng(0)
    for scale in SCALES:
        point = {name: _drawn(draw, spec, scale) for name, spec in feeds.items()}
        if any(value is None for value in point.values()):
            return
        start = point[moved]
        if start is None or start.dtype != np.float64:
            return
        direction = draw.standard_normal(start.shape)
        runs = [
            _run(copy, model, {**point, moved: start + way * STEP * direction})
            for way in (0, -1, 1)
        ]
        yield Sample(direction, *runs)


def _run(
    graph: Graph, model: Model, point: Mapping[str, np.ndarray | None]
) -> Constants:
    copy = Graph(graph)
    for name, value in point.items():
        if value is not None:
            put(copy, name, Node("Const", {"value": value}), ())
    return Constants(copy, model, variables=True)


def _drawn(
    draw: np.random.Generator, spec: TensorSpec, scale: float
) -> np.ndarray | None:
    """Numbers for a feed: floats around zero, a rate of one, the first two of whatever is counted."""
    if spec.shape is None:
        return None
    sizes = tuple(_OPEN if size is None else size for size in spec.shape)
    if np.prod(sizes, dtype=float) > _FEW or any(size < 0 for size in sizes):
        return None
    if spec.dtype in ("float32", "float64"):
        return draw.standard_normal(sizes) * scale if sizes else np.ones(())
    if spec.dtype in ("int32", "int64"):
        return draw.integers(0, 2, sizes).astype(spec.dtype)
    return np.zeros(sizes, bool) if spec.dtype == "bool" else None
