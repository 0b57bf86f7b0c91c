"""Heads -> how each stands to others of the same weights: which acts and which is trained, which is drawn, needs less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ...ops import spellings
from ..training.arrays import Flow
from ..training.op_kinds import RANDOM
from ..training.roles import Training
from .heads.candidates import Head
from .twins import Twins

_COMPARES = frozenset("GreaterEqual Greater Less LessEqual Floor".split())
_SCALES = frozenset({*spellings.SUMS, *"Mul Sub Identity".split()})
_MASK = 12  # nodes between a draw and the mask made of it


class Rivals:
    """The heads of a graph by their weights; ``data`` are the bits of the inputs that are no labels."""

    def __init__(
        self,
        study: Training,
        heads: Sequence[Head],
        generators: Sequence[Head],
        data: int,
    ) -> None:
        deps = study.deps
        self.study, self.data = study, data
        self.behind: dict[int, bytearray] = {}
        self.forms: dict[int, list[int]] = defaultdict(list)
        for head in sorted(heads, key=lambda h: bool(study.flow.outputs[h.index])):
            self.forms[deps.weights[head.index]].append(head.index)
        self.generated: dict[int, list[int]] = defaultdict(list)
        for head in generators:
            self.generated[deps.weights[head.index]].append(head.index)
        own = study.derivatives
        self.differentiated = study.flow.upstream(
            i for i, free in enumerate(own.free if own is not None else ()) if free
        )
        self.twins = Twins(study, [head.index for head in (*heads, *generators)])
        self.drawn = study.flow.downstream(_draws(study.flow))
        self.trained_on: dict[int, list[int]] = defaultdict(list)
        for head in heads:
            if "loss" in head.readers and not deps.later[head.index]:
                self.trained_on[deps.weights[head.index]].append(head.index)

    def unjudged_twin(self, head: Head) -> str:
        """The output of a generator in training that this head makes as well, of the same weights, for use."""
        deps = self.study.deps
        if not head.end or head.readers - {"summary"} or deps.reduced[head.index]:
            return ""
        for i in self.generated.get(deps.weights[head.index], ()):
            ours, theirs = (deps.feeds[n] & ~deps.random for n in (head.index, i))
            alike = ours == theirs and not self._is_repeated(head, i)
            if i != head.index and (alike or ours and not ours & theirs):
                return self.study.flow.names[i]
        return ""

    def first_call(self, head: Head) -> bool:
        """Whether a head only made the variables of a network that is called again in the same way, and used."""
        deps, i = self.study.deps, head.index
        same = (n for n in self.forms.get(deps.weights[i], ())[:8] if n > i)
        return any(
            deps.feeds[n] == deps.feeds[i] and self._is_repeated(head, n) for n in same
        )

    def _is_repeated(self, head: Head, i: int) -> bool:
        """Whether a head was made before another that computes the same in the same way: a first call, for its variables."""
        if head.index > i:
            return False
        twins = self.twins
        shared = zip(self.study.deps.applied, self._behind(head.index), self._behind(i))
        apart = not any(own and one and other for own, one, other in shared)
        return apart and twins.same(head.index, i)

    def trained_copy(self, head: Head) -> str:
        """A head that a loss is taken of, of the same weights and with no input in common, where nothing measures this
        one: an acting model beside the one in training."""
        deps = self.study.deps
        if not head.end or head.readers - {"summary"} or deps.reduced[head.index]:
            return ""
        if self.differentiated[head.index]:
            return ""
        ours = deps.feeds[head.index] & self.data
        for i in self.trained_on.get(deps.weights[head.index], ()) if ours else ():
            if not ours & deps.feeds[i] and deps.feeds[i] & self.data:
                return self.study.flow.names[i]
        return ""

    def needs_more(self, head: Head) -> str:
        """A head with the same weights that needs other inputs besides: teacher forcing, dropout's rate."""
        deps = self.study.deps
        weights, feeds = deps.weights[head.index], deps.feeds[head.index]
        for other in self.forms.get(weights, ())[:8] if weights else ():
            fewer = feeds != deps.feeds[other] and not feeds & ~deps.feeds[other]
            drawn = deps.feeds[other] == feeds | deps.random
            if fewer and not drawn and not self._behind(other)[head.index]:
                return self.study.flow.names[other]
        return ""

    def deterministic(self, head: Head) -> str:
        """A head of the same inputs whose value is not drawn, where this one's is."""
        deps = self.study.deps
        feeds = deps.feeds[head.index]
        if not feeds & deps.random:
            return ""
        own, flow = deps.weights[head.index], self.study.flow
        op, drawn = flow.ops[head.index], self.drawn[head.index]
        for weights in (own, *self.forms):  # of all its weights before of some
            heads = self.forms.get(weights, [])
            if not weights or weights & ~own or not drawn and weights != own:
                continue
            if weights.bit_count() * 2 < deps.weights[head.index].bit_count():
                continue
            for other in sorted(heads[:8], key=lambda i: flow.ops[i] != op):
                sure = deps.feeds[other] == feeds & ~deps.random
                if sure and not deps.later[other] and not deps.reduced[other]:
                    return self.study.flow.names[other]
        return ""

    def _behind(self, i: int) -> bytearray:
        """What a node is computed from; kept, since many heads are compared with the same few."""
        if i not in self.behind:
            self.behind[i] = self.study.flow.upstream([i])
        return self.behind[i]


def _draws(flow: Flow) -> list[int]:
    """The nodes that draw values, without those that only choose what dropout keeps."""
    return [i for i in flow.by_kind(RANDOM.search) if not _is_compared(flow, i)]


def _is_compared(flow: Flow, i: int) -> bool:
    """Whether all that is made of a draw is a comparison with a constant, or its whole part: the mask of a dropout."""
    stack = [i]
    for n in stack:  # grows
        if len(stack) > _MASK:
            return False
        for reader in flow.outputs[n]:
            others = [s for s, _ in flow.inputs[reader] if s != n]
            if flow.ops[reader] in _COMPARES:
                continue
            if flow.ops[reader] not in _SCALES or any(flow.inputs[s] for s in others):
                return False
            stack.append(reader)
    return True
