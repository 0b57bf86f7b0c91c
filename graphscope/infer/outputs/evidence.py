"""Heads -> points: what speaks for and against each being an output, in words and as logarithms of odds."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass

from ...graph import Model
from ..training.roles import Training, union_of
from .candidates import ACTIVATIONS, DECISIONS, THROUGH, Head, is_default_name
from .signatures import declared_collections

_GOOD_NAMES = re.compile(
    r"(^|[_/])(outputs?|pred\w*|prob\w*|softmax\w*|sigmoid\w*|logits?|scores?|embeddings?|result\w*|y_?pred|y_?hat"
    r"|final\w*|classes|boxes|detection\w*|action\w*|policy\w*|value\w*|q_?values?|recon\w*|generat\w*|sampler?)"
    r"(_?\d+)?$",
    re.IGNORECASE,
)
_DETECTIONS = re.compile(r"NonMaxSuppression|CombinedNonMax|CTC\w*Decoder|Dequantize")
_LOOKUPS = frozenset("Gather GatherV2 ResourceGather".split())


@dataclass(frozen=True)
class Rated:
    """A head, its points, what it is, what was said of it, and the last layer behind it."""

    head: Head
    points: float
    kind: str
    said: tuple[str, ...]
    base: int


class Context:
    """What the rating of one head needs to know of all."""

    def __init__(self, model: Model, study: Training, heads: list[Head]) -> None:
        self.model, self.study = model, study
        deps = study.deps
        self.most = max((deps.weights[h.index].bit_count() for h in heads), default=0)
        self.total = len(deps.holders)
        self.trains = bool(study.updates) or bool(study.losses.labels)
        self.collections = {t: name for name, t in declared_collections(model)}
        self.data = self._data_bits()
        self.behind: dict[int, bytearray] = {}
        self.forms: dict[int, list[int]] = defaultdict(list)
        for head in heads:
            self.forms[deps.weights[head.index]].append(head.index)
        self.twins: dict[tuple[int, str], set[int]] = defaultdict(set)
        for head in heads:
            weights = deps.weights[head.index]
            if not deps.later[head.index] and not deps.reduced[head.index]:
                self.twins[weights, self._op_of(head)].add(self._base(head.index))
        self.fed_by_generator = self._judged(heads)

    def _judged(self, heads: list[Head]) -> int:
        """The weights that what a generator makes is fed to."""
        groups, weights = self.study.weight_groups, self.study.deps.weights
        made = union_of([weights[h.index] for h in heads if self._is_boundary(h)])
        return union_of([g for g in groups if not g & made]) if made else 0

    def _data_bits(self) -> int:
        return ((1 << len(self.study.deps.sources)) - 1) & ~self.study.losses.labels

    def rate(self, head: Head) -> Rated:
        said: list[str] = []
        shape: list[str] = []
        if self._is_copy(head.index):
            said.append("its variables are copied from trained ones")
            return Rated(head, -3.0, "target network", tuple(said), head.index)
        kind, points = self._by_structure(head, shape)
        points += self._by_readers(head, said)
        points += self._by_weights(head, said)
        said += shape
        points += self._by_name(head, said)
        if head.stands_for is not None:
            said.append(
                f"somebody named it so; {self._name_of(head)!r} only adds a bias"
            )
            points += 0.3
        kind = self._part(head, said) or kind
        return Rated(head, points, kind, tuple(said), self._base(head.index))

    def _is_copy(self, i: int) -> bool:
        loose = self.study.loose
        copied = loose is not None and loose.weights[i] & self.study.copies
        return bool(copied) and not self.study.deps.weights[i]

    def _part(self, head: Head, said: list[str]) -> str:
        """Which part of a model of several parts a head belongs to, "" where there is but one."""
        if self._is_boundary(head):
            return "generator"
        if self.fed_by_generator & self.study.deps.weights[head.index]:
            return "discriminator"
        twins = self.twins[self.study.deps.weights[head.index], self._op_of(head)]
        if len(twins) > 1 and self.study.deps.weights[head.index]:
            said.append(f"shares all its weights with {len(twins) - 1} more such heads")
            return "tower"
        return ""

    def _op_of(self, head: Head) -> str:
        return self.study.flow.ops[head.index]

    def _name_of(self, head: Head) -> str:
        return self.study.flow.names[head.index]

    def _by_structure(self, head: Head, said: list[str]) -> tuple[str, float]:
        op, deps = self.study.flow.ops[head.index], self.study.deps
        inner = self.through(head.index)
        last = self.study.flow.ops[inner]
        said.append(f"last op {last}" if inner == head.index else f"{op} of {last}")
        if deps.reduced[head.index]:
            said.append("one value for the whole batch, not one per example")
            return "side result", -3.0
        if last in DECISIONS:
            return "class", self._decision(head)
        if last in ACTIVATIONS and last != "Relu":
            return "prediction", 1.2
        if _DETECTIONS.search(last):
            return "prediction", 1.0
        if deps.applied[inner]:
            said.append("a layer's own output")
            return "scores", 0.6
        return "prediction", 0.3

    def _decision(self, head: Head) -> float:
        """An answer decided to measure accuracy is no output; one that somebody named may be."""
        if "metric" in head.readers or not head.end:
            return 0.2 if _GOOD_NAMES.search(head.tensor.node) else -0.8
        return 0.4

    def _by_weights(self, head: Head, said: list[str]) -> float:
        have = self.study.deps.weights[head.index].bit_count()
        points = 0.0
        if self.most:
            share = 1.0 if self._is_boundary(head) else have / self.most
            what = "trainable weights" if self.study.trained else "weights"
            said.append(f"{have} of {self.total} {what} upstream")
            points += 2.5 * math.log(max(share, 0.02)) + 0.8
            if have == self.total:
                points += 0.3
        feeds = self.study.deps.feeds[head.index] & self.data
        if self.study.deps.sources and not feeds:
            said.append("depends on no data input")
            points -= 1.5
        return points

    def _by_readers(self, head: Head, said: list[str]) -> float:
        study, points = self.study, 0.0
        labelled = self.trains and study.losses.labels and study.deps.feeds[head.index]
        free = " with no label upstream" if labelled else ""
        if "loss" in head.readers:
            said.append("feeds the loss" + self._loss_name(head) + free)
            points += 1.0
        elif "metric" in head.readers:
            said.append("feeds a metric" + free)
            points += 0.3
        elif labelled:
            said.append("depends on no label")
        rival = self._needs_more(head)
        if rival:
            said.append(
                f"needs fewer inputs than {rival!r}, which has the same weights"
            )
            points += 1.5
        if study.flow.ops[self.through(head.index)] in _LOOKUPS:
            said.append("a row of a table")
            points -= 1.5
        if head.end:
            said.append(
                "nothing of the model reads it"
                if study.flow.outputs[head.index]
                else "nothing reads it"
            )
            points += 1.2
        if study.deps.later[head.index]:
            said.append("weights are still applied after it")
            points += self._boundary(head, said)
        return points

    def _needs_more(self, head: Head) -> str:
        """A head with the same weights that needs other inputs besides: teacher forcing, dropout's rate."""
        deps = self.study.deps
        weights, feeds = deps.weights[head.index], deps.feeds[head.index]
        for other in self.forms.get(weights, ())[:8] if weights else ():
            fewer = feeds != deps.feeds[other] and not feeds & ~deps.feeds[other]
            if fewer and not self._behind(other)[head.index]:
                return self.study.flow.names[other]
        return ""

    def _behind(self, i: int) -> bytearray:
        """What a node is computed from; kept, since many heads are compared with the same few."""
        if i not in self.behind:
            self.behind[i] = self.study.flow.upstream([i])
        return self.behind[i]

    def _boundary(self, head: Head, said: list[str]) -> float:
        if not self._is_boundary(head):
            return -2.0
        said.append("all the weights of one optimizer end here, another's begin")
        return 3.0

    def _is_boundary(self, head: Head) -> bool:
        groups, deps = self.study.weight_groups, self.study.deps
        own = [g for g in groups if deps.weights[head.index] & g]
        return len(groups) > 1 and len(own) == 1 and bool(deps.later[head.index])

    def _loss_name(self, head: Head) -> str:
        study = self.study
        for n in study.flow.outputs[head.index]:
            if study.roles.get(n) == "loss":
                return f" {study.flow.names[n]} ({study.flow.ops[n]})"
        return ""

    def _by_name(self, head: Head, said: list[str]) -> float:
        name = head.tensor.node
        points = 0.0
        if head.tensor in self.collections:
            said.append(f"collection {self.collections[head.tensor]!r} lists it")
            points += 2.5
        if _GOOD_NAMES.search(name):
            points += 0.4
        op = self.study.flow.ops[head.index]
        if op == "Identity" and not is_default_name(name):
            said.append("somebody gave it a name of its own")
            points += 0.5
        return points

    def through(self, i: int) -> int:
        flow = self.study.flow
        for _ in range(16):
            if flow.ops[i] not in THROUGH or not flow.inputs[i]:
                return i
            i = flow.inputs[i][0][0]
        return i

    def _base(self, i: int) -> int:
        """The last layer behind a head: what softmax, argmax and identity of one prediction have in common."""
        flow, deps = self.study.flow, self.study.deps
        for _ in range(16):
            passes = flow.ops[i] in THROUGH | ACTIVATIONS | DECISIONS
            if not passes or deps.applied[i] or not flow.inputs[i]:
                return i
            i = flow.inputs[i][0][0]
        return i
