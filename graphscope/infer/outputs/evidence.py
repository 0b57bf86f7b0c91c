"""Heads -> evidence: what speaks for and against each being an output, in words and as logarithms of odds."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...graph import Model
from ...ops import spellings
from ..training.measures.monitoring import residual_of
from ..training.op_kinds import CLAMPS, LOSS_OPS, SHAPE_ONLY
from ..training.roles import Training
from .answer import Evidence
from .heads.branches import gathers_turns
from .heads.candidates import (
    ACTIVATIONS,
    DECISIONS,
    THROUGH,
    Head,
    base_of,
    is_default_name,
)
from .heads.embeddings import codes_before_classes
from .heads.labels import data_met, labels_of, taught
from .heads.parts import Parts
from .points import POINTS
from .rivals import Rivals
from .signatures import declared_collections

_GOOD_NAMES = re.compile(
    r"(^|[_/])(outputs?|pred\w*|prob\w*|softmax\w*|sigmoid\w*|logits?|scores?|embeddings?|result\w*|y_?pred|y_?hat"
    r"|final\w*|classes|boxes|detection\w*|action\w*|policy\w*|value\w*|q_?values?|recon\w*|generat\w*|sampler?)"
    r"(_?\d+)?$",
    re.IGNORECASE,
)
_DETECTIONS = re.compile(r"NonMaxSuppression|CombinedNonMax|CTC\w*Decoder|Dequantize")
_LOOKUPS = frozenset({*spellings.GATHERS, "ResourceGather"})
_ASIDE = ("optimizer slot", "moving average", "step counter", "metric", "queue")
_NEAR = 12  # nodes of a loss that are looked at for the one that names it
_RANKED = frozenset("TopK TopKV2".split())


@dataclass(frozen=True)
class Rated:
    """A head, what it is, its evidence, and the last layer behind it."""

    head: Head
    kind: str
    evidence: tuple[Evidence, ...]
    base: int
    bonus: float = 0.0

    @property
    def points(self) -> float:
        """The sum of its evidence."""
        return sum(e.points for e in self.evidence) + self.bonus


class Context:
    """What the rating of one head needs to know of all. ``points`` are those of each kind of evidence."""

    def __init__(
        self,
        model: Model,
        study: Training,
        heads: list[Head],
        points: Mapping[str, float] = POINTS,
    ) -> None:
        self.model, self.study, self.points = model, study, points
        deps = study.deps
        self.taught = taught(study, heads)
        self.answered = any(
            labels_of(study, h.index) for h in heads if "loss" in h.readers
        )
        self.most = max(
            (
                deps.weights[h.index].bit_count()
                for h in heads
                if h.index not in self.taught
            ),
            default=0,
        )
        aside = {v.name for v in model.variables if v.role in _ASIDE}
        holders = [study.flow.names[i] for i in deps.holders]
        keys = [model.keys.get(name, name).split(" ")[0] for name in holders]
        self.total = sum(key not in aside for key in keys)
        self.trains = bool(study.updates) or bool(study.losses.labels)
        self.ends = sum(bool(head.end) for head in heads)
        self.collections = {t: name for name, t in declared_collections(model)}
        self.data = ((1 << len(deps.sources)) - 1) & ~study.losses.labels
        self.twins: dict[tuple[int, str], dict[int, str]] = defaultdict(dict)
        for head in heads:
            weights = deps.weights[head.index]
            if not deps.later[head.index] and not deps.reduced[head.index]:
                key = weights, self._op_of(head)
                self.twins[key].setdefault(
                    base_of(self.study, head.index), self._name_of(head)
                )
        self.parts = Parts(study, heads)
        generators = [h for h in heads if self.parts.why_end(h)]
        self.rivals = Rivals(study, heads, generators, self.data)
        self.drawn_from = {self.rivals.deterministic(h) for h in heads if h.end}
        names = study.flow.names
        codes = codes_before_classes(study)
        self.codes = {i: names[n] for i, n in codes.items()}
        self.compared = frozenset(codes.values())

    def rate(self, head: Head) -> Rated:
        """What speaks for and against a head."""
        if self._is_copy(head.index):
            copied = self._evidence(
                "copied", "its variables are copied from trained ones"
            )
            return Rated(head, "target network", (copied,), head.index)
        kind, structure = self._by_structure(head)
        evidence = [*self._by_readers(head), *self._by_weights(head), *structure]
        evidence += self._by_name(head)
        if head.reason:
            evidence.append(self._evidence("last resort", head.reason))
        part, why = self._part(head)
        return Rated(
            head, part or kind, (*evidence, *why), base_of(self.study, head.index)
        )

    def _evidence(self, name: str, text: str, amount: float = 1.0) -> Evidence:
        return Evidence(text, self.points[name] * amount, name, amount)

    def _is_copy(self, i: int) -> bool:
        loose = self.study.loose
        copied = loose is not None and loose.weights[i] & self.study.copies
        return bool(copied) and not self.study.deps.weights[i]

    def _part(self, head: Head) -> tuple[str, list[Evidence]]:
        """Which part of a model of several parts a head belongs to, "" where there is but one."""
        if self.parts.why_end(head):
            return "generator", []
        weights = self.study.deps.weights[head.index]
        if self.parts.only_judges(head):
            text = "only judges what a generator made"
            return "discriminator", [self._evidence("judges a generator", text)]
        base = base_of(self.study, head.index)
        same = self.twins[weights, self._op_of(head)] if weights else {}
        twins = {n: name for n, name in same.items() if n != base}
        if twins:
            names = ", ".join(map(repr, list(twins.values())[:3]))
            return "tower", [Evidence(f"shares all its weights with {names}")]
        return "", []

    def _op_of(self, head: Head) -> str:
        return self.study.flow.ops[head.index]

    def _name_of(self, head: Head) -> str:
        return self.study.flow.names[head.index]

    def _by_structure(self, head: Head) -> tuple[str, list[Evidence]]:
        op, deps = self._op_of(head), self.study.deps
        inner = self.through(head.index)
        last = self.study.flow.ops[inner]
        ends = f"last op {last}" if inner == head.index else f"{op} of {last}"
        if deps.reduced[head.index] and self.trains:
            whole = "one value for the whole batch, not one per example"
            evidence = [Evidence(ends), self._evidence("batch value", whole)]
            return "side result", evidence
        if head.derivative:
            asked = self.study.derivatives
            unasked = asked is not None and head.index in asked.by_input
            name = "derivative unasked" if unasked else "derivative"
            text = head.derivative + (", that nothing reads" if unasked else "")
            return "derivative", [self._evidence(name, text)]
        if last in _RANKED and head.end and "metric" not in head.readers:
            return "class", [self._evidence("ranked", ends)]
        if last in DECISIONS:
            return "class", [self._evidence(self._decision(head), ends)]
        if last in ACTIVATIONS - {"Relu", "Softplus"} or self._is_normalised(inner):
            return "prediction", [self._evidence("activation", ends)]
        if _DETECTIONS.search(last) or self._is_picked(inner):
            return "prediction", [self._evidence("detection", ends)]
        if deps.applied[inner]:
            own = self._evidence("layer", "a layer's own output")
            return "scores", [Evidence(ends), own]
        if head.end and not head.readers and self._is_whole_number(head):
            return "class", [self._evidence("decoded", ends + ", in whole numbers")]
        return "prediction", [self._evidence("computed", ends)]

    def _is_whole_number(self, head: Head) -> bool:
        """Whether a head holds integers, in a graph that trains: decoded tags, tokens."""
        from ...wire import opdefs

        dtypes = opdefs.output_dtypes(
            self._op_of(head), self.study.flow.nodes[head.index].attrs
        )
        return self.trains and dtypes[head.tensor.port :][:1] in (
            ("int32",),
            ("int64",),
        )

    def _decision(self, head: Head) -> str:
        """An answer decided to measure accuracy is no output; one that somebody named may be."""
        if "metric" not in head.readers and head.end:
            return "decision"
        named = _GOOD_NAMES.search(head.tensor.node)
        return "decision measured, named" if named else "decision measured"

    def _by_weights(self, head: Head) -> Iterator[Evidence]:
        have = self.study.deps.weights[head.index].bit_count()
        if self.most:
            most = self.parts.most_made_with(head) or self.most
            share = 1.0 if self.parts.why_end(head) else min(have / most, 1.0)
            what = "trainable weights" if self.study.updates else "weights"
            text = f"{have} of {self.total} {what} upstream"
            yield self._evidence("share of weights", text, math.log(max(share, 0.02)))
            yield self._evidence("some weights", "it depends on weights")
            if have == self.total:
                yield self._evidence("all weights", f"of the {what} none is left out")
        feeds = self.study.deps.feeds[head.index] & self.data
        if self.study.deps.sources and not feeds:
            yield self._evidence("no data", "depends on no data input")

    def _by_readers(self, head: Head) -> Iterator[Evidence]:
        study = self.study
        labelled = self.trains and study.losses.labels and study.deps.feeds[head.index]
        free = " with no label upstream" if labelled else ""
        if "loss" in head.readers:
            text = "feeds the loss" + self._loss_name(head) + free
            yield self._evidence("feeds loss", text)
            if self.answered and not data_met(study, head.index):
                text = "nothing that is fed is compared with it, as with others"
                yield self._evidence("unanswered", text)
        elif "metric" in head.readers:
            yield self._evidence("feeds metric", "feeds a metric" + free)
        elif labelled:
            yield Evidence("depends on no label")
        if head.index in study.losses.necks:
            text = "all that is learned reaches a loss through it"
            yield self._evidence("bottleneck", text)
        if head.index in study.losses.between:
            text = "lies between such a tensor and the loss"
            yield self._evidence("past bottleneck", text)
        if head.index in self.taught:
            other = study.flow.names[self.taught[head.index]]
            text = f"is told an input that {other!r} is compared with"
            yield self._evidence("taught", text)
        yield from self._by_rivals(head)
        if head.index in self.compared:
            text = "compares an embedding with class weights, which only training wants"
            yield self._evidence("class weights", text, -1.0)
        if gathers_turns(self.study, head.index):
            text = "gathers what each turn of its loop gave"
            yield self._evidence("gathered", text)
        if self._is_lookup(self.through(head.index)):
            yield self._evidence("lookup", "a row of a table")
        if head.end:
            read = study.flow.outputs[head.index]
            text = "nothing of the model reads it" if read else "nothing reads it"
            yield self._evidence("end", text)
            if not read and self.trains and self._is_fetched(head):
                text = "in a graph that trains, it can only be there to be fetched"
                yield self._evidence("unread", text)
            if self.ends == 1 and not self.trains:
                yield self._evidence("only end", "nothing else is left unread")
        asked = head.index in self.parts.pushed
        later = study.deps.later[head.index] and head.index not in study.losses.necks
        if later or asked:
            yield from self._boundary(head)

    def _is_fetched(self, head: Head) -> bool:
        """Whether nothing but a fetch explains a head that nothing reads."""
        apart = self._by_product(head) or self.rivals.first_call(head)
        return not apart and not self.rivals.deterministic(head)

    def _by_product(self, head: Head) -> bool:
        """Whether a loop stacks its turns here because it always does, of which the model goes on with the last; or a
        cell gives its state, to which weights are applied besides."""
        inner, flow = self.through(head.index), self.study.flow
        if is_default_name(head.tensor.node, flow.ops[head.index]):
            parts = [inner]
            if flow.ops[inner] in spellings.CONCATS:
                sources = [s for s, _ in flow.inputs[inner]]
                parts = [self.through(s) for s in sources if self.study.deps.feeds[s]]
            if all(self.study.deps.searched[s] for s in parts):
                return True
        if not flow.ops[inner].startswith("TensorArrayGather"):
            return False
        have = self.study.deps.weights[head.index].bit_count()
        return have < self.most

    def _is_lookup(self, i: int) -> bool:
        """Whether a node is a row of a table of weights."""
        flow = self.study.flow
        return (
            flow.ops[i] in _LOOKUPS and not self.study.deps.feeds[flow.inputs[i][0][0]]
        )

    def _is_normalised(self, i: int) -> bool:
        """Whether a node is ``exp(x) / sum(exp(x))``: a softmax by hand."""
        flow = self.study.flow
        if flow.ops[i] not in spellings.QUOTIENTS or len(flow.inputs[i]) != 2:
            return False
        above, below = (self.through(source) for source, _ in flow.inputs[i])
        if flow.ops[below] == "Tile" and flow.inputs[below]:
            below = self.through(flow.inputs[below][0][0])
        if flow.ops[below] != "Sum" or flow.ops[above] != "Exp":
            return False
        return [source for source, _ in flow.inputs[below]][:1] == [above]

    def _is_picked(self, i: int) -> bool:
        """Whether a node holds what non-maximum suppression picked."""
        flow = self.study.flow
        if flow.ops[i] not in _LOOKUPS or len(flow.inputs[i]) < 2:
            return False
        return bool(_DETECTIONS.search(flow.ops[self.through(flow.inputs[i][1][0])]))

    def _by_rivals(self, head: Head) -> Iterator[Evidence]:
        trained = self.rivals.trained_copy(head)
        if trained:
            text = f"the weights of {trained!r}, on an input of its own, and nothing is trained on it: to be run"
            yield self._evidence("acting copy", text)
        shown = self.rivals.unjudged_twin(head)
        if shown:
            text = (
                f"makes what {shown!r} makes, and nothing is trained on it: a sampler"
            )
            yield self._evidence("sampler", text)
        rival = self.rivals.needs_more(head)
        if rival:
            text = f"needs fewer inputs than {rival!r}, which has the same weights"
            yield self._evidence("needs fewer", text)
        if self._name_of(head) in self.drawn_from:
            yield self._evidence("drawn from", "an answer is drawn from it")
        sure = self.rivals.deterministic(head)
        if sure:
            text = (
                f"drawn at random; {sure!r} is computed from the same weights without"
            )
            yield self._evidence("sampled", text)

    def _boundary(self, head: Head) -> Iterator[Evidence]:
        if head.index in self.codes:
            text = f"of length one, as the class weights of {self.codes[head.index]!r}: an embedding"
            yield self._evidence("class weights", text)
            return
        later = ""
        if self.study.deps.later[head.index]:
            later = "weights are still applied after it"
        why = self.parts.why_end(head)
        yield (
            self._evidence("boundary", f"{later}: {why}" if later else why)
            if why
            else self._evidence("weights later", later)
        )

    def _loss_name(self, head: Head) -> str:
        flow, roles = self.study.flow, self.study.roles
        reached = [n for n in flow.outputs[head.index] if roles.get(n) == "loss"]
        for n in reached:  # grows
            if flow.ops[n] in LOSS_OPS or len(reached) > _NEAR:
                break
            later = (m for m in flow.outputs[n] if roles.get(m) == "loss")
            reached += [m for m in later if m not in reached]
        telling = [n for n in reached if flow.ops[n] in LOSS_OPS]
        telling += [n for n in reached if flow.ops[n] not in SHAPE_ONLY]
        backward = self.study.backward  # a loss that is only looked at comes last
        telling.sort(key=lambda n: not any(backward[m] for m in flow.outputs[n]))
        return f" {flow.names[telling[0]]} ({flow.ops[telling[0]]})" if telling else ""

    def _by_name(self, head: Head) -> Iterator[Evidence]:
        name = head.tensor.node
        if head.tensor in self.collections:
            text = f"collection {self.collections[head.tensor]!r} lists it"
            yield self._evidence("collection", text)
        if _GOOD_NAMES.search(name):
            yield self._evidence("telling name", "its name speaks of a result")
        if self._op_of(head) == "Identity" and not is_default_name(name):
            text = "somebody gave it a name of its own"
            yield self._evidence("name of its own", text)
        if head.stands_for is not None:
            text = f"somebody named it so; {self._name_of(head)!r} only adds a bias"
            yield self._evidence("named before bias", text)

    def through(self, i: int) -> int:
        """The node whose value this one only reshapes."""
        flow = self.study.flow
        for _ in range(16):
            if flow.ops[i] not in THROUGH or not flow.inputs[i]:
                return i
            i = flow.inputs[i][0][0]
        return i

    def residual_of(self, head: Head) -> int | None:
        """What a head that is only looked at adds data to, through clamps."""
        flow, i = self.study.flow, head.index
        for _ in range(8):
            if not head.end or flow.ops[i] not in THROUGH | CLAMPS:
                break
            i = flow.inputs[i][0][0] if flow.inputs[i] else i
        looked = head.readers <= {"summary"}
        return residual_of(flow, self.study.deps, i) if looked else None
