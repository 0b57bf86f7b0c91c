"""What a layer does beside its output: the variables that its statistics move.

Training-form batch normalization takes the statistics of the batch, so its moving averages are not upstream of its
output. They are found where those statistics go: ``AssignSub(moving, (moving - statistic) * (1 - momentum))`` and the
other spellings of ``moving = momentum * moving + (1 - momentum) * statistic``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...graph import Graph, Tensor
from ...ops import spellings
from .nodes import VARIABLES

_CARRIES = frozenset(
    {*spellings.SUMS, "Identity", "Squeeze", "Cast", "Sub", "Mul", "Neg", "Reshape"}
    | {*spellings.SWITCHES, "Merge", "RefIdentity", "StopGradient", "RealDiv"}
    | {*spellings.SELECTS, "ReadVariableOp", "IdentityN"}
)
_WRITES = frozenset(spellings.SIGNS_OF_ASSIGNMENTS)
MOST_STEPS = 200  # nodes looked at; an update is a handful


class Moved(NamedTuple):
    """A variable, and how much of its old value it keeps (None where that is not a constant)."""

    variable: str
    momentum: float | None


def moved_by(graph: Graph, tensor: Tensor) -> Moved | None:
    """The variable that a statistic moves; the nearest one where there are several."""
    if tensor.node not in graph:
        return None
    queue: list[tuple[str, float | None]] = []
    visited: set[str] = {tensor.node}
    for reader, _slot in graph.consumers(tensor.node, tensor.port):
        queue.append((reader, None))
    while queue and len(visited) < MOST_STEPS:
        name, factor = queue.pop(0)
        if name in visited:
            continue
        visited.add(name)
        op = graph.op(name)
        if op in _WRITES:
            variable = _variable(graph, graph.inputs(name)[0])
            if variable is not None:
                return Moved(variable, None if factor is None else round(1 - factor, 6))
        elif op in _CARRIES:
            own = _factor(graph, name) if op == "Mul" else None
            queue += [(n, own or factor) for n, _ in graph.consumers(name)]
    return None


def _factor(graph: Graph, name: str) -> float | None:
    """The constant that a product holds, when it is a rate."""
    for tensor in graph.inputs(name):
        value = _number(graph, tensor)
        if value is not None and 0 < value < 1:
            return value
    return None


def _number(graph: Graph, tensor: Tensor) -> float | None:
    """A constant, or ``1 - constant``."""
    node = graph.node(tensor.node)
    if node.op in ("Const", "HostConst"):
        value = np.asarray(node.attrs["value"])
        plain = value.size == 1 and value.dtype.kind == "f"
        return float(value.reshape(())) if plain else None
    before = graph.inputs(tensor.node)
    if node.op == "Identity" and before and before[0].node != tensor.node:
        inner = graph.node(before[0].node)
        return _number(graph, before[0]) if inner.op == "Const" else None
    if node.op == "Sub" and all(graph.op(t.node) == "Const" for t in before):
        a, b = (_number(graph, t) for t in before)
        return None if a is None or b is None else a - b
    return None


def _variable(graph: Graph, tensor: Tensor) -> str | None:
    for _ in range(16):
        if graph.op(tensor.node) in VARIABLES:
            return tensor.node
        before = graph.inputs(tensor.node)
        if not before:
            return None
        tensor = before[0]
    return None
