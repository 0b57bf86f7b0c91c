"""A loop whose shapes are fixed -> the lines of a Python function in ``keras.ops``, which runs on every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .... import ops
from ....graph import Function, Node, Tensor
from ....ops.values.facts import UNKNOWN, Fact
from . import sizes
from .cell import CellBody
from .ops import Text
from .values import CASES, RUNS

_CARRIED = frozenset("float16 bfloat16 float32 int32 bool".split())
"""Dtypes that every backend keeps: JAX makes 64 bits 32, with which a loop may never stop; Keras adds small integers as larger ones."""


class PortableBody(CellBody):
    """One function; raises NotExpressible for an op that Keras has no word for, and where a backend would hold another type."""

    WHILE, COND = "ops.while_loop", "ops.cond({0}, {1})"

    def _add(self, name: str, node: Node) -> None:
        if node.op in CASES or "random" in ops.traits(node.op):
            raise self._unsaid(name)  # a compiled loop would draw once for all turns
        if node.op in RUNS:
            self._run(name, node)
        elif node.op == "Const" or self._passes(name) or self._is_constant(name):
            return
        elif text := self._looked_up(name, node) or self._sized(name, node):
            self._bind_one(Tensor(name), text)
        else:
            super()._add(name, node)

    def _looked_up(self, name: str, node: Node) -> Text | None:
        """Rows of a variable, which the graph reads without its value."""
        if node.op != "ResourceGather" or node.attrs.get("batch_dims"):
            return None
        table, ids = (self.text(each) for each in self.graph.inputs(name))
        return Text(f"ops.take({table.text}, {ids.text}, axis=0)")

    def _sized(self, name: str, node: Node) -> Text | None:
        """What has to do with sizes: none of Keras's functions takes a shape that it cannot see."""
        inputs = self.graph.inputs(name)
        if node.op == "Shape" and node.attrs.get("out_type", "int32") == "int32":
            return sizes.shape_text(self.named(inputs[0]).text)
        operands = [self.text(each) for each in inputs]
        if not any(each.size for each in operands):
            return None
        facts = [self.facts.get(each, UNKNOWN) for each in inputs]
        try:
            if node.op == "StridedSlice":
                return sizes.part_text(operands[0], [f.value for f in facts[1:]], node)
            if node.op == "Pack" and not node.attrs.get("axis"):
                return sizes.packed_text(operands)
            if node.op in sizes.SHAPED and operands[sizes.SHAPED[node.op][0]].size:
                dtype = self.facts.get(Tensor(name), UNKNOWN).spec.dtype
                return sizes.shaped_text(node, operands, dtype)
        except LookupError as error:
            raise self._unsaid(name) from error
        if any(t.size and f.spec.shape != () for t, f in zip(operands, facts)):
            raise self._unsaid(name)
        return None

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
        if self.facts.get(tensor, UNKNOWN).spec.dtype not in _CARRIED:
            raise self._unsaid(tensor.node)
        return self.as_tensor(tensor, self.text(tensor))

    def as_tensor(self, tensor: Tensor, found: Text) -> str:
        """A literal in the dtype of the graph, a weight as what it holds."""
        if found.literal:
            dtype = self.facts.get(tensor, UNKNOWN).spec.dtype
            return f'ops.array({found.text}, "{dtype}")'
        if found.size:
            return f'ops.convert_to_tensor({found.text}, "int32")'
        return f"ops.convert_to_tensor({found.text})" if found.weight else found.text
