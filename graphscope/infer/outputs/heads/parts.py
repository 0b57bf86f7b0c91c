"""Heads -> where one network of several ends: a generator before its judge, an actor that is pushed, and who only judges."""

from __future__ import annotations

from collections.abc import Sequence

from ...training.roles import Training
from ...training.weight_groups import union_of
from .candidates import Head
from .judged import judged
from .labels import data_met


class Parts:
    """The networks of a graph, as far as optimizers, judges and directions that are given tell them apart."""

    def __init__(self, study: Training, heads: Sequence[Head]) -> None:
        self.study = study
        self.shown = judged(study)
        own = study.derivatives
        self.pushed = frozenset(own.pushed if own is not None else ())
        many = len(study.weight_groups) > 1 or self.shown or self.pushed
        self.answered = [h for h in heads if many and self._is_answered(h)]
        weights = study.deps.weights
        self.makers = [weights[h.index] for h in heads if self.why_end(h)]
        self.judges = self._judges()

    def why_end(self, head: Head) -> str:
        """Why a network ends at a head though weights may follow, "" where none does."""
        deps, groups = self.study.deps, self.study.weight_groups
        own = [g for g in groups if deps.weights[head.index] & g]
        later = len(own) == 1 and deps.later[head.index]
        if len(groups) > 1 and later and not self._is_first_stage(head):
            return "all the weights of one optimizer end here, another's begin"
        if head.index in self.pushed:
            return "its weights are trained to move it in a direction that is given"
        if head.index in self.shown:
            return "what follows is applied to data as well: it judges"
        return ""

    def most_made_with(self, head: Head) -> int:
        """The most weights of a network that ends before others, where a head depends on no others; else 0."""
        own = self.study.deps.weights[head.index]
        theirs = [w for w in self.makers if own and not own & ~w]
        return max((w.bit_count() for w in theirs), default=0)

    def only_judges(self, head: Head) -> bool:
        """Whether a head holds a judge's opinion, for which nobody has an answer: no critic's value."""
        ends = head.index in self.shown or head.index in self.pushed
        return bool(self.judges & self.study.deps.weights[head.index]) and not ends

    def _is_answered(self, head: Head) -> bool:
        """Whether a head is compared with data that it is not computed from: a label, another picture; no judge is."""
        deps = self.study.deps
        met = data_met(self.study, head.index) if "loss" in head.readers else 0
        return bool(met & ~deps.random & ~deps.feeds[head.index])

    def _is_first_stage(self, head: Head) -> bool:
        """Whether what a head's weights compute is compared with data, and what others make of it as well: no judge."""
        weights, i = self.study.deps.weights, head.index
        own = any(not weights[h.index] & ~weights[i] for h in self.answered)
        return own and any(
            weights[h.index] & self.study.deps.later[i]
            and self.study.flow.upstream([h.index])[i]
            for h in self.answered
        )

    def _judges(self) -> int:
        """The weights that what a network makes is fed to, but for those of a critic, whose value has a label, and of a
        second stage, which is compared with data."""
        study, weights = self.study, self.study.deps.weights
        ends = union_of(self.makers)
        rest = [g for g in study.weight_groups if not g & ends] if ends else []
        judges = union_of([*rest, *self.shown.values()]) & ~ends
        answered = (weights[h.index] for h in self.answered)
        return judges & ~union_of([w for w in answered if judges & w])
