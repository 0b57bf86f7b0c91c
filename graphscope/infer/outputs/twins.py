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
_PAIRS = 1 << 13  # nodes that are compared in step before the whole graph is numbered


class Twins:
    """The meaning of tensors, as numbers that are equal where it is."""

    def __init__(self, study: Training, heads: Iterable[int]) -> None:
        self.study, self.heads = study, tuple(heads)
        self.meanings: dict[int, int] = {}
        self._numbers: dict[object, int] = {}
        self._left = _PAIRS

    def are(self, one: Head, other: Head) -> bool:
        """Whether two of the heads compute the same."""
        if one.tensor.port != other.tensor.port:
            return False
        return self.same(one.index, other.index)

    def same(self, one: int, other: int) -> bool:
        """Whether two nodes compute the same: compared in step, until that takes longer than to number all that the heads need."""
        verdict = None if self.meanings else self._in_step(one, other)
        return self._of(one) == self._of(other) if verdict is None else verdict

    def _in_step(self, one: int, other: int) -> bool | None:
        """Whether the same stands above two nodes; None where that was not told within the pairs that are left."""
        stack, visited = [(one, other)], set()
        while stack:
            pair = stack.pop()
            if pair[0] == pair[1] or pair in visited:
                continue
            if not self._left:
                return None
            self._left -= 1
            visited.add(pair)
            (label, sources), (own, others) = map(self._term, pair)
            if label != own or len(sources) != len(others):
                return False
            stack += zip(sources, others)
        return True

    def _of(self, i: int) -> int:
        """What a node computes; the graph is walked when this is first asked."""
        self.meanings = self.meanings or self._walk()
        return self.meanings.get(i, -1 - i)

    def _walk(self) -> dict[int, int]:
        behind = self.study.flow.upstream(self.heads)
        for i in self.study.flow.order:
            if behind[i]:
                label, sources = self._term(i)
                above = [self.meanings.get(source, -1) for source in sources]
                self.meanings[i] = self._number((label, *above))
        return self.meanings

    def _number(self, meaning: object) -> int:
        return self._numbers.setdefault(meaning, len(self._numbers))

    def _term(self, i: int) -> tuple[object, list[int]]:
        """What a node does, and the nodes that it does it with."""
        flow, op = self.study.flow, self.study.flow.ops[i]
        if op in VARIABLES:
            return (op, i), []
        if op == "Const":
            return self._constant(i), []
        if SOURCES.match(op) or op in _LOOPS or not flow.inputs[i]:
            attrs = flow.nodes[i].attrs
            return (op, str(attrs.get("dtype") or attrs.get("T"))), []
        sources = [source for source, _ in flow.inputs[i]]
        if self._is_part(i):
            return "part", [s for s in sources if self.study.deps.feeds[s]]
        ports = [0 if self._is_part(s) else port for s, port in flow.inputs[i]]
        return (op, *ports), sources

    def _is_part(self, i: int) -> bool:
        return self.study.flow.ops[i] in _PARTS and not self.study.deps.weights[i]

    def _constant(self, i: int) -> object:
        attrs = self.study.flow.nodes[i].attrs
        if "value" not in attrs or element_count(attrs, "value") > _FEW:
            return "Const", i
        value = attrs["value"]
        return "Const", str(value.dtype), value.shape, value.tobytes()
