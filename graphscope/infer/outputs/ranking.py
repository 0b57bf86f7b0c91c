"""Rated heads -> ranked candidates: forms of one prediction told together, points turned into probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...graph import Model, Tensor, TensorSpec
from ..shapes.declared import spec_of
from ..training.roles import Training
from .answer import Candidate
from .evidence import Context, Rated
from .heads.candidates import ACTIVATIONS, Head
from .heads.labels import labels_of
from .points import CHOSEN, OTHER, POINTS, TRAINED
from .twins import Twins

_MOST = 64  # heads that are compared with each other


def score_heads(
    model: Model,
    study: Training,
    heads: list[Head],
    specs: Mapping[Tensor, TensorSpec],
    certain: bool,
    points: Mapping[str, float] = POINTS,
) -> list[Candidate]:
    """The candidates of the heads, best first; ``certain`` says that a signature already answers."""
    if not heads:
        return []
    context = Context(model, study, heads, points)
    rated = _prefer_activations(context, [context.rate(head) for head in heads])
    rated = _prefer_sure(context, _prefer_whole(context, rated))
    rated.sort(key=lambda r: (-r.points, r.head.tensor.node, r.head.tensor.port))
    ordered = _representatives_first(context, rated)
    return _candidates(model, study, ordered, specs, certain)


def _prefer_activations(context: Context, rated: list[Rated]) -> list[Rated]:
    """Where nothing but measures reads a softmax, it is what the logits before it were made for."""
    ops = context.study.flow.ops
    most: dict[int, float] = {}
    for each in rated:
        if each.kind == "scores":
            most[each.base] = max(most.get(each.base, -9.0), each.points)
    return [
        (
            replace(each, bonus=_lift(each, most.get(each.base, -9.0) + 0.1))
            if each.head.end and ops[context.through(each.head.index)] in ACTIVATIONS
            else each
        )
        for each in rated
    ]


def _prefer_whole(context: Context, rated: list[Rated]) -> list[Rated]:
    """Where data is added back to what was trained, and only looked at: that sum before the residual."""
    points = {r.head.index: r.points for r in rated if "loss" in r.head.readers}
    residuals = [context.residual_of(r.head) for r in rated]
    return [
        replace(each, bonus=_lift(each, points[i] + 0.1)) if i in points else each
        for each, i in zip(rated, residuals)
    ]


def _prefer_sure(context: Context, rated: list[Rated]) -> list[Rated]:
    """A value that nothing reads before the ones drawn around it."""
    deps = context.study.deps
    drawn = [r for r in rated if any(e.name == "sampled" for e in r.evidence)]
    return [
        (
            replace(each, bonus=_lift(each, _most(drawn, each) + 0.1))
            if each.head.readers <= {"loss", ""}
            and not deps.feeds[each.head.index] & deps.random
            and _names(drawn, each)
            else each
        )
        for each in rated
    ]


def _most(drawn: list[Rated], each: Rated) -> float:
    """The points of the best of those that are drawn around a value."""
    return max((r.points for r in drawn if _names([r], each)), default=-9.0)


def _names(drawn: list[Rated], each: Rated) -> bool:
    """Whether one of these says that it is drawn where this one is not."""
    name = repr(each.head.tensor.node)
    texts = (e.text for r in drawn for e in r.evidence if e.name == "sampled")
    return any(name in text for text in texts)


def _lift(each: Rated, least: float) -> float:
    return max(each.bonus, each.bonus + least - each.points)


def _representatives_first(context: Context, rated: list[Rated]) -> list[Rated]:
    """The best of each prediction first, then the other forms (logits, classes) of the same."""
    seen: set[tuple[int, int]] = set()
    first: list[Rated] = []
    rest: list[Rated] = []
    for each in rated:
        key = (each.base, each.head.tensor.port)
        (rest if key in seen else first).append(each)
        seen.add(key)
    strong = [r for r in first if r.points > 0]
    weak = [r for r in first if r.points <= 0]
    others = sorted(rest + weak, key=lambda r: -r.points)
    return strong + others


def _belonging(
    study: Training, ordered: list[Rated], twins: Twins
) -> frozenset[Tensor]:
    """The tensors that one would freeze together: the heads of the model, each in one form only.

    A head from which a better one is computed is a step towards it, and what is computed from a better one alone
    (the class of its scores) another form of it. The ports of one node belong together.
    """
    trains = bool(study.updates or study.losses.labels)
    slack = 2.2 if trains else 3.5  # an inference graph has few ends that are none
    least = max(ordered[0].points - slack, 0.5)
    leads: list[tuple[Rated, bytearray]] = []
    answered = 0
    for each in ordered[:_MOST]:
        own = labels_of(study, each.head.index)
        trains_only = any(
            e.name == "class weights" and e.points < 0 for e in each.evidence
        )
        alone = bool(own & ~answered) and bool(leads) and not trains_only
        if each.points < (min(least, 0.0) if alone else least) or any(
            _same_prediction(study, each, lead, inside) for lead, inside in leads
        ):
            continue
        if not alone and any(_is_auxiliary(study, each, lead) for lead, _ in leads):
            continue
        if leads and each.head.index in study.losses.between:
            continue  # a step from one of them to the loss
        if any(_names([each], lead) for lead, _ in leads):
            continue  # drawn around what is told without chance
        if any(twins.are(each.head, o.head) for o, _ in leads):
            continue  # another tower's
        if any(_is_trained(study, each, o) for o, _ in leads):
            continue  # only there to be trained
        answered |= own
        behind = study.flow.upstream([each.head.index], _same_layer(study))
        leads.append((each, behind))
    return frozenset(each.head.tensor for each, _ in leads)


def _is_trained(study: Training, each: Rated, lead: Rated) -> bool:
    """Whether a head only trains the weights with which a better one, on an input of its own, is run."""
    acts = any(e.name == "acting copy" for e in lead.evidence)
    i, j, deps = each.head.index, lead.head.index, study.deps
    same = deps.weights[i] == deps.weights[j]
    return acts and same and not deps.feeds[i] & deps.feeds[j]


def _same_layer(study: Training) -> Callable[[int], bool]:
    """Stops a walk upstream at the last layer: where weights were applied."""
    return lambda i: not study.deps.applied[i]


def _same_prediction(
    study: Training, each: Rated, lead: Rated, inside: bytearray
) -> bool:
    """Whether a head is another form of a better one; ``inside`` masks what the better one's last layer holds."""
    if each.head.index == lead.head.index:
        return False
    if not study.roles and each.head.end and lead.head.end:
        return False  # both were asked for: a frozen graph holds nothing else
    if each.base == lead.base:
        return True
    later = study.deps.later
    deps, i, j = study.deps, each.head.index, lead.head.index
    if deps.weights[i] == deps.weights[j] and deps.feeds[i] != deps.feeds[j]:
        if not deps.feeds[j] & ~deps.feeds[i] and not study.flow.upstream([i])[j]:
            return True  # as it was trained, with more to feed than it needs in use
    return bool(inside[each.head.index]) and not later[each.head.index]


def _is_auxiliary(study: Training, each: Rated, lead: Rated) -> bool:
    """Whether a head branches off halfway (Inception's auxiliary classifier): most that it lacks comes later."""
    ours = study.deps.weights[each.head.index]
    theirs = study.deps.weights[lead.head.index]
    lacks, adds = (theirs & ~ours).bit_count(), (ours & ~theirs).bit_count()
    shares = (ours & theirs).bit_count()
    return (
        shares > adds and lacks >= 3 * max(adds, 2) and lacks * 5 > theirs.bit_count()
    )


def _candidates(
    model: Model,
    study: Training,
    ordered: list[Rated],
    specs: Mapping[Tensor, TensorSpec],
    certain: bool,
) -> list[Candidate]:
    twins = Twins(study, [r.head.index for r in ordered[:_MOST]])
    chosen = _belonging(study, ordered, twins)
    ordered = sorted(ordered, key=lambda r: r.head.tensor not in chosen)
    best = {
        first: max(
            (r.points for r in ordered if _is_in(r, chosen) is first), default=None
        )
        for first in (True, False)
    }
    candidates, ceiling = [], 1.0
    trains = bool(study.updates or study.losses.labels)
    for each in ordered:
        fits = each.head.tensor in chosen and not certain
        likely = fits or len(ordered) == 1
        curve = OTHER if certain else TRAINED if trains else CHOSEN if likely else OTHER
        rival = best[not _is_in(each, chosen)]  # of a chosen head the best of the rest
        lead = 3.0 if rival is None else each.points - rival
        score = curve.score(each.points, lead, len(ordered))
        ceiling = score = min(score, ceiling)
        spec = spec_of(model.graph, each.head.tensor, specs)
        evidence = tuple(e for e in each.evidence if e.text or e.points)
        candidate = Candidate(each.head.tensor, spec, score, each.kind, evidence)
        if fits:
            others = _twins_of(study, each.head, ordered, twins)
            candidate = replace(candidate, group="model", twins=others)
        candidates.append(candidate)
    return candidates


def _twins_of(
    study: Training, head: Head, ordered: list[Rated], twins: Twins
) -> tuple[Tensor, ...]:
    """The other heads that compute the same in the same way, of the same weights."""
    weights, ops = study.deps.weights, study.flow.ops
    alike = (
        r.head
        for r in ordered[:_MOST]
        if weights[r.head.index] == weights[head.index]
        and ops[r.head.index] == ops[head.index]
        and r.head.tensor != head.tensor
    )
    return tuple(other.tensor for other in alike if twins.are(head, other))


def _is_in(each: Rated, chosen: frozenset[Tensor]) -> bool:
    return each.head.tensor in chosen
