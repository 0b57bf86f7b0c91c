"""Flow -> what each tensor computes, from which weights: towers of one batch, copies of one network are told as twins.

Two tensors are twins when the same ops, over the same weights, lead to them from inputs of one type; which part of a
batch (a port of a Split, a slice) each is fed does not count.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...ops import spellings
from ...wire.attrs import element_count
from ..training.op_kinds import SOURCES, VARIABLES
from ..training.roles import Training
from .heads.candidates import Head

_PARTS = frozenset(
    {*spellings.SPLITS, *"StridedSlice Slice Unpack Identity Shape".split()}
)
_LOOPS = frozenset(spellings.NEXT_ITERATIONS)
_FEW = 16  # elements of a constant that are compared; a larger one counts as itself


class Twins:
    """The meaning of tensors, as numbers that are equal where it is."""

    def __init__(self, study: Training, heads: Iterable[int]) -> None:
        self.study, self.heads = study, tuple(heads)
        self.meanings: dict[int, int] = {}
        self._numbers: dict[object, int] = {}

    def are(self, one: Head, other: Head) -> bool:
        """Whether two of the heads compute the same."""
        mine = self.of(one.index, one.tensor.port)
        return mine == self.of(other.index, other.tensor.port)

    def _walk(self) -> dict[int, int]:
        behind = self.study.flow.upstream(self.heads)
        for i in self.study.flow.order:
            if behind[i]:
                self.meanings[i] = self._number(self._meaning(i))
        return self.meanings

    def of(self, i: int, port: int = 0) -> tuple[int, int]:
        """What a tensor computes; the graph is walked when this is first asked."""
        self.meanings = self.meanings or self._walk()
        return self.meanings.get(i, -1 - i), port

    def _number(self, meaning: object) -> int:
        return self._numbers.setdefault(meaning, len(self._numbers))

    def _meaning(self, i: int) -> object:
        flow, op = self.study.flow, self.study.flow.ops[i]
        if op in VARIABLES:
            return op, i
        if op == "Const":
            return self._constant(i)
        if SOURCES.match(op) or op in _LOOPS or not flow.inputs[i]:
            attrs = flow.nodes[i].attrs
            return op, str(attrs.get("dtype") or attrs.get("T"))
        if self._is_part(i):
            data = [s for s, _ in flow.inputs[i] if self.study.deps.feeds[s]]
            return ("part", *(self.meanings.get(s, -1) for s in data))
        ports = (0 if self._is_part(s) else port for s, port in flow.inputs[i])
        return op, *zip((self.meanings.get(s, -1) for s, _ in flow.inputs[i]), ports)

    def _is_part(self, i: int) -> bool:
        return self.study.flow.ops[i] in _PARTS and not self.study.deps.weights[i]

    def _constant(self, i: int) -> object:
        attrs = self.study.flow.nodes[i].attrs
        if "value" not in attrs or element_count(attrs, "value") > _FEW:
            return "Const", i
        value = attrs["value"]
        return "Const", str(value.dtype), value.shape, value.tobytes()
