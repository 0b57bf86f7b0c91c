"""A training graph -> how much of its old value each update leaves of a moving average.

An update is an assignment whose new value is linear in the old one: ``v - (v - x) * 0.01`` (``assign_moving_average``),
``v * 0.99 + x * 0.01`` (Keras 3), or a fused batch norm that averages by itself. The factor of ``v`` is the momentum.
"""

from __future__ import annotations

from ...graph import Graph, Tensor
from ...ops import spellings
from ...ops.constants import Constants

_SAME = frozenset("Identity ReadVariableOp Cast Reshape Squeeze IdentityN".split())
DEEPEST = 24  # nodes of one update, looked at from the assignment


class Momenta:
    """Answers for one graph, in which the mode is that of training."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.constants = graph, Constants(graph)

    def of(self, variable: str) -> float | None:
        """What an update keeps of the variable: a number between 0 and 1, None where no update says so."""
        if variable not in self.graph:
            return None
        for name in self._writes(variable):
            sign = spellings.SIGNS_OF_ASSIGNMENTS[self.graph.op(name)]
            value = self.graph.inputs(name)[1]
            share = self._share(value, variable)
            kept = share if not sign or share is None else 1 + sign * share
            if kept is not None and 0 < kept < 1:
                return float(f"{kept:.6g}")
        return None

    def _writes(self, variable: str) -> list[str]:
        writes, stack = [], [variable]
        seen = {variable}
        while stack:
            for reader, slot in self.graph.consumers(stack.pop()):
                op = self.graph.op(reader)
                if (
                    op in spellings.SIGNS_OF_ASSIGNMENTS
                    and slot == 0
                    and len(self.graph.inputs(reader)) > 1
                ):
                    writes.append(reader)
                elif op in (*spellings.SWITCHES, "Identity") and reader not in seen:
                    seen.add(reader)
                    stack.append(reader)
        return writes

    def _share(self, tensor: Tensor, variable: str, depth: int = 0) -> float | None:
        """The factor of the variable in a tensor that is linear in it; None where that is no constant."""
        name, port = tensor
        op, inputs = self.graph.op(name), self.graph.inputs(name)
        if name == variable:
            return 1.0
        if depth > DEEPEST or not inputs:
            return 0.0
        if op in _SAME:
            at = port if op == "IdentityN" and port < len(inputs) else 0
            return self._share(inputs[at], variable, depth + 1)
        if op.startswith("FusedBatchNorm"):
            return self._averaged(tensor, variable)
        if op in (*spellings.SUMS, "AddN", "Sub"):
            return self._summed(op, inputs, variable, depth)
        if op == "Mul" and len(inputs) == 2:
            return self._scaled(inputs, variable, depth)
        return 0.0

    def _summed(
        self, op: str, inputs: tuple[Tensor, ...], variable: str, depth: int
    ) -> float | None:
        total = 0.0
        for slot, each in enumerate(inputs):
            share = self._share(each, variable, depth + 1)
            if share is None:
                return None
            total += -share if op == "Sub" and slot else share
        return total

    def _scaled(
        self, inputs: tuple[Tensor, ...], variable: str, depth: int
    ) -> float | None:
        for one, other in (inputs, inputs[::-1]):
            share = self._share(one, variable, depth + 1)
            if share == 0:
                continue
            factor = self.constants.value(other)
            if share is None or factor is None or factor.size != 1:
                return None
            return share * float(factor.reshape(()))
        return 0.0

    def _averaged(self, tensor: Tensor, variable: str) -> float | None:
        """FusedBatchNormV3 averages into its second and third output by itself where its factor is not 1."""
        inputs, attrs = self.graph.inputs(tensor.node), self.graph.attrs(tensor.node)
        factor = attrs.get("exponential_avg_factor", 1.0)
        if (
            tensor.port not in (1, 2)
            or len(inputs) != 5
            or not attrs.get("is_training", True)
        ):
            return 0.0
        old = self._share(inputs[tensor.port + 2], variable, DEEPEST)
        return old * (1 - factor) if old is not None else None
