"""Which variable is the moving average of what: told by what the update ops of a graph do, never by names.

``V -= (V - s) * (1 - decay)``, ``V += (s - V) * rate`` and ``V = decay * V + (1 - decay) * s`` all say that ``V`` follows ``s``. Where ``s`` is
another variable, ``V`` is its exponential moving average; where it is a mean over the batch, it is a moving statistic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...graph import Graph, Model, Tensor
from ...ops import spellings
from .to_constants import HANDLES, REFERENCES

UPDATES = dict.fromkeys(
    spellings.SIGNS_OF_ASSIGNMENTS, 1
)  # the slot of what is written
VARIABLES = REFERENCES | HANDLES
_READS = frozenset(
    {
        *spellings.SWITCHES,
        *spellings.MERGES,
        *spellings.ENTERS,
        *"Identity ReadVariableOp RefIdentity Cast".split(),
    }
)
_ALGEBRA = frozenset(
    {
        *spellings.SUMS,
        *spellings.SELECTS,
        *"Sub Mul RealDiv Identity Cast Switch Merge Enter Reshape Squeeze ReadVariableOp Neg AssignSub AssignAdd StopGradient".split(),
    }
)
REACH = 60  # nodes looked at above one update: averages are a handful of ops
_APPLIES = re.compile(r"(Resource)?(Sparse)?Apply[A-Z]")
_SUFFIX = "/ExponentialMovingAverage"


@dataclass
class Averages:
    """``of``: variable -> the variable that follows it; ``statistics``: variable -> the tensor that it follows."""

    of: dict[str, str] = field(default_factory=dict)
    statistics: dict[str, Tensor] = field(default_factory=dict)


def find_averages(graph: Graph) -> Averages:
    """The moving averages that the update ops of a whole training graph keep."""
    averages = Averages()
    for name in graph.by_op(*UPDATES):
        inputs = graph.inputs(name)
        variable = variable_of(graph, inputs[0]) if len(inputs) == 2 else ""
        followed = _followed(graph, variable, inputs[1]) if variable else None
        if followed is None:
            continue
        other = variable_of(graph, followed)
        if not other:
            averages.statistics[variable] = followed
        elif other != variable and _alike(graph, other, variable):
            averages.of[other] = variable
    if averages.of:
        trained = _trained_by(graph, set(averages.of.values()))
        averages.of = {w: v for w, v in averages.of.items() if v not in trained}
    return averages


def _trained_by(graph: Graph, variables: set[str]) -> set[str]:
    """Of variables that follow others those that an optimizer's gradients depend on: a target network's, or a teacher's.

    Such a copy has a part of its own in training; an average for evaluation is read by nothing that trains.
    """
    gradients = [
        source.node
        for name in graph
        if _APPLIES.match(graph.op(name))
        for source in graph.inputs(name)
        if not variable_of(graph, source)
    ]
    return variables & graph.upstream(gradients) if gradients else set()


def averages_of(
    model: Model, variables: Sequence[str], averages: Averages
) -> dict[str, str]:
    """Variable -> the key of its average, where the checkpoint holds one.

    Told by the update ops; by TensorFlow's own name for it where the graph has none of these.
    """
    owned = {}
    for name in variables:
        key = model.keys.get(name, name)
        if not key.endswith(_SUFFIX) and f"{key}{_SUFFIX}" in model.weights:
            owned[name] = f"{key}{_SUFFIX}"
        average = averages.of.get(name, "")
        key = model.keys.get(average, average)
        if average and key in model.weights:
            owned[name] = key
    return owned


def variable_of(graph: Graph, tensor: Tensor) -> str:
    """The variable that a tensor reads, ``""`` where it is something else."""
    visited = set()
    while tensor.node in graph and tensor.node not in visited:
        visited.add(tensor.node)
        op = graph.op(tensor.node)
        if op in VARIABLES:
            return tensor.node
        inputs = graph.inputs(tensor.node)
        if op not in _READS or not inputs:
            return ""
        tensor = inputs[0]
    return ""


def _alike(graph: Graph, a: str, b: str) -> bool:
    first, second = graph.attrs(a), graph.attrs(b)
    same_type = str(first.get("dtype")) == str(second.get("dtype"))
    return same_type and first.get("shape") == second.get("shape")


def _followed(graph: Graph, variable: str, value: Tensor) -> Tensor | None:
    """``s`` of the update; None where the update is no average."""
    stack, visited = [value], {value.node}
    while stack and len(visited) < REACH:
        tensor = stack.pop(0)
        op, inputs = graph.op(tensor.node), graph.inputs(tensor.node)
        if op in (*spellings.SUMS, "Sub") and len(inputs) == 2:
            for mine, other in (inputs, inputs[::-1]):
                own = variable_of(graph, mine) == variable
                if own and op == "Sub" and variable_of(graph, other) != variable:
                    return other
                scaled = op != "Sub" and _scaled(graph, mine, variable)
                followed = _unscaled(graph, other) if scaled else None
                if followed is not None and variable_of(graph, followed) != variable:
                    return followed
        for source in inputs if op in _ALGEBRA else ():
            if source.node not in visited:
                visited.add(source.node)
                stack.append(source)
    return None


def _scaled(graph: Graph, tensor: Tensor, variable: str) -> bool:
    """Whether the tensor is the variable times something."""
    if graph.op(tensor.node) != "Mul":
        return False
    return any(variable_of(graph, t) == variable for t in graph.inputs(tensor.node))


def _unscaled(graph: Graph, tensor: Tensor) -> Tensor | None:
    """``s`` of ``s * (1 - decay)``: the factor that is not made of constants alone."""
    if graph.op(tensor.node) != "Mul":
        return None
    live = [t for t in graph.inputs(tensor.node) if not _is_constant(graph, t)]
    return live[0] if len(live) == 1 else None


def _is_constant(graph: Graph, tensor: Tensor) -> bool:
    """Whether a few constants are all that is above the tensor; told without walking further than that takes."""
    stack, visited = [tensor.node], {tensor.node}
    while stack and len(visited) < REACH:
        name = stack.pop()
        if graph.op(name) not in _ALGEBRA and graph.op(name) != "Const":
            return False
        for source in graph._pred[name]:
            if source not in visited:
                visited.add(source)
                stack.append(source)
    return not stack
