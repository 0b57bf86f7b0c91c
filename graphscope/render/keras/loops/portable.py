"""A loop whose shapes are fixed -> the lines of a Python function in ``keras.ops``, which runs on every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....graph import Function, Node, Tensor
from ....ops.values.facts import UNKNOWN, Fact
from .cell import CellBody
from .ops import Text
from .values import CASES, RUNS

_HELD = frozenset(  # as they are by every backend: JAX makes 64 bits 32, with which a loop may never stop
    "float16 bfloat16 float32 int8 int16 int32 uint8 uint16 bool".split()
)


class PortableBody(CellBody):
    """One function; raises NotExpressible for an op that Keras has no word for, and where a backend would hold another type."""

    WHILE, COND = "ops.while_loop", "ops.cond({0}, {1})"

    def _add(self, name: str, node: Node) -> None:
        if node.op in CASES:
            raise self._unsaid(name)
        if node.op in RUNS:
            self._run(name, node)
        else:
            super()._add(name, node)

    def _loop(self, name: str, node: Node) -> None:
        cond = self._called(name, node, "cond")
        inside: Mapping[Tensor, Fact] = self.loop.facts.get(cond.name, {})
        self._check_test(name, inside.get(cond.returns[0], UNKNOWN))
        super()._loop(name, node)

    def _choose(self, name: str, sides: Sequence[Function], form: str) -> None:
        test, *_ = self.graph.inputs(name)
        self._check_test(name, self.facts.get(test, UNKNOWN))
        super()._choose(name, sides, form)

    def _check_test(self, name: str, fact: Fact) -> None:
        """What decides is one bool: compiled loops and conditions take nothing else."""
        if (fact.spec.dtype, fact.spec.shape) != ("bool", ()):
            raise self._unsaid(name)

    def _invariants(
        self, body: Function, inputs: Sequence[Tensor], carried: Sequence[int]
    ) -> str:
        if super()._invariants(body, inputs, carried):
            raise self._unsaid(inputs[0].node)
        return ""

    def first(self, tensor: Tensor) -> str:
        if self.facts.get(tensor, UNKNOWN).spec.dtype not in _HELD:
            raise self._unsaid(tensor.node)
        return self._as_tensor(tensor, self.text(tensor))

    def result(self, port: int, found: Text) -> str:
        return self._as_tensor(self.function.returns[port], found)

    def _as_tensor(self, tensor: Tensor, found: Text) -> str:
        """A literal in the dtype of the graph, a weight as what it holds."""
        if found.literal:
            dtype = self.facts.get(tensor, UNKNOWN).spec.dtype
            return f'ops.array({found.text}, "{dtype}")'
        return f"ops.convert_to_tensor({found.text})" if found.weight else found.text
