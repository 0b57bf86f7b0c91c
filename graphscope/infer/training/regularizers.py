"""A training graph -> what its loss adds for each variable: the weight penalties that Keras calls regularizers.

A penalty is ``sum(square(w))`` or ``sum(abs(w))`` times a constant (``tf.nn.l2_loss`` is half the sum of squares), summed
with others and then with a loss that depends on data, or kept in the collection of regularization losses. Where each
tower of several adds the same, it counts once. What an optimizer subtracts on its own (weight decay) is no penalty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...graph import Graph, Tensor
from ...ops import spellings
from ...ops.constants import Constants

VARIABLES = frozenset({*spellings.VARIABLES, "AutoReloadVariable"})
_READS = frozenset(
    {
        *spellings.SWITCHES,
        *spellings.ENTERS,
        *"Identity ReadVariableOp Cast Reshape StopGradient".split(),
    }
)
_SAME = frozenset("Identity Cast Reshape ExpandDims Squeeze Pack IdentityN".split())
_SUMS = frozenset({*spellings.SUMS, "AddN", "Sum"})
_COLLECTIONS = ("regularization_losses", "losses")
MOST_STEPS = 400  # nodes between a penalty and the loss: one a variable where each is added to the last
DEEPEST = 16  # nodes between a variable and the square of what it holds


class Penalty(NamedTuple):
    """The loss grows by ``l1 * sum(abs(w)) + l2 * sum(square(w))``."""

    l1: float = 0.0
    l2: float = 0.0


class _Term(NamedTuple):
    """One penalty's way into a loss: the variable, what it adds, and where it joins."""

    variable: str
    penalty: Penalty
    loss: str


def find_penalties(
    graph: Graph, collections: Mapping[str, Collection[Any]] | None = None
) -> dict[str, Penalty]:
    """Variable node -> its penalty, for every variable that has one."""
    kept = _in_collections(collections or {})
    search = _Search(graph, kept)
    penalties: dict[str, dict[str, Penalty]] = defaultdict(dict)
    for term in search.terms():
        old = penalties[term.variable].get(term.loss, Penalty())
        summed = Penalty(old.l1 + term.penalty.l1, old.l2 + term.penalty.l2)
        penalties[term.variable][term.loss] = summed
    return {name: next(iter(each.values())) for name, each in penalties.items()}


def _in_collections(collections: Mapping[str, Collection[Any]]) -> frozenset[str]:
    """The nodes whose outputs a MetaGraph lists as losses."""
    listed = (each for name in _COLLECTIONS for each in collections.get(name, ()))
    return frozenset(Tensor.parse(str(each)).node for each in listed)


class _Search:
    def __init__(self, graph: Graph, kept: frozenset[str]) -> None:
        self.graph, self.kept = graph, kept
        self.constants = Constants(graph)
        self.fed = _fed(graph)

    def terms(self) -> Iterator[_Term]:
        for name in self.graph.by_op("L2Loss", "Sum", "Mean"):
            measured = self._measured(name)
            if measured is None:
                continue
            variable, penalty = measured
            for factor, loss in self._joined(name):
                if factor > 0:
                    scaled = Penalty(penalty.l1 * factor, penalty.l2 * factor)
                    yield _Term(variable, scaled, loss)

    def _measured(self, name: str) -> tuple[str, Penalty] | None:
        """The variable of which a node sums squares or absolutes, and its penalty per unit."""
        inputs = self.graph.inputs(name)
        if not inputs or name in self.fed:
            return None
        if self.graph.op(name) == "L2Loss":
            variable = self._variable(inputs[0])
            return (variable, Penalty(l2=0.5)) if variable else None
        inner = inputs[0].node
        kind, read = self._elementwise(inner)
        variable = self._variable(read) if read is not None else None
        if variable is None or not self._is_whole(name, variable):
            return None
        share = 1.0
        if self.graph.op(name) == "Mean":
            share /= max(int(np.prod(self._shape(variable) or (1,))), 1)
        return variable, Penalty(**{kind: share})

    def _elementwise(self, name: str) -> tuple[str, Tensor | None]:
        op, inputs = self.graph.op(name), self.graph.inputs(name)
        if op == "Square" and inputs:
            return "l2", inputs[0]
        if op == "Mul" and len(inputs) == 2:
            one, other = map(self._variable, inputs)
            return "l2", inputs[0] if one == other else None
        if op == "Pow" and len(inputs) == 2 and self._number(inputs[1]) == 2:
            return "l2", inputs[0]
        if op == "Abs" and inputs:
            return "l1", inputs[0]
        return "", None

    def _is_whole(self, name: str, variable: str) -> bool:
        """Whether all elements are summed."""
        inputs, shape = self.graph.inputs(name), self._shape(variable)
        axes = self.constants.value(inputs[1]) if len(inputs) == 2 else None
        if axes is None or shape is None:
            return False
        rank = max(len(shape), 1)
        return {int(a) % rank for a in axes.reshape(-1)} == set(range(len(shape)))

    def _shape(self, variable: str) -> tuple[int, ...] | None:
        shape = self.graph.attrs(variable).get("shape")
        whole = isinstance(shape, tuple) and None not in shape
        return shape if whole else None

    def _variable(self, tensor: Tensor) -> str | None:
        for _ in range(DEEPEST):
            if self.graph.op(tensor.node) in VARIABLES:
                return tensor.node
            inputs = self.graph.inputs(tensor.node)
            if self.graph.op(tensor.node) not in _READS or not inputs:
                return None
            tensor = inputs[0]
        return None

    def _joined(self, name: str) -> Iterator[tuple[float, str]]:
        """The factor with which a scalar enters each loss that it enters."""
        seen, stack = {name}, [(name, 1.0)]
        while stack and len(seen) < MOST_STEPS:
            at, factor = stack.pop()
            if at in self.kept and not self._goes_on(at):
                yield factor, "the collection"
            for reader, slot in self.graph.consumers(at):
                if reader in seen:
                    continue
                step = self._step(reader, slot)
                if step is None:
                    continue
                seen.add(reader)
                if reader in self.fed:
                    yield factor * step, reader
                else:
                    stack.append((reader, factor * step))

    def _goes_on(self, name: str) -> bool:
        steps = (self._step(*reader) for reader in self.graph.consumers(name))
        return any(step is not None for step in steps)

    def _step(self, name: str, slot: int) -> float | None:
        """What a node multiplies one of its inputs with on the way to a sum; None where it does something else."""
        op, inputs = self.graph.op(name), self.graph.inputs(name)
        if op in _SUMS or op in _SAME and name not in self.fed:
            return 1.0 if op != "Sum" or slot == 0 else None
        if op in (*spellings.QUOTIENTS, "Mul") and len(inputs) == 2:
            other = self._number(inputs[1 - slot])
            if op == "Mul" or other is None:
                return other
            return 1 / other if slot == 0 and other else None
        return None

    def _number(self, tensor: Tensor) -> float | None:
        value = self.constants.value(tensor)
        if value is None or value.size != 1 or value.dtype.kind not in "fiu":
            return None
        return float(value.reshape(()))


def _fed(graph: Graph) -> set[str]:
    """What depends on data: all that is downstream of a source that is neither constant nor variable."""
    still = VARIABLES | {"Const", "HostConst", "NoOp"}
    stack = [n for n in graph if not graph._pred[n] and graph.op(n) not in still]
    seen = set(stack)
    while stack:
        for after in graph._succ[stack.pop()]:
            if after not in seen:
                seen.add(after)
                stack.append(after)
    return seen
