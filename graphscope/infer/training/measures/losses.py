"""Flow, Dependence -> where labels join, and what is computed from there on: the losses and the metrics.

A label is an input that no trainable weight is ever applied to, and that ends in nothing but values for the whole
batch. What depends on a label and on weights measures; what comes before is the model. Where there is no label (an
autoencoder, a GAN) the loss is told by being one value for the batch, and by the logarithms and squares before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ....ops import spellings
from ..arrays import Flow
from ..dependence import Dependence
from ..op_kinds import COMPARISONS, LOSS_OPS, SHAPE_ONLY, kind_of
from .approach import find_approach, is_answer
from .bottlenecks import Bottlenecks, find_bottlenecks, is_unflattened, is_view
from .monitoring import find_passive
from .pairs import find_pairs
from .settings import settings
from .tables import learned_tables

_WEAK = 1
_WAYS = 16  # of a difference that are followed
_SURE = frozenset("CTCLoss CTCLossV2 L2Loss SquaredDifference".split())
_DISTANCES = frozenset("Square SquaredDifference L2Loss Abs Pow".split())
_PASSED = frozenset(
    {*spellings.QUOTIENTS, *"Mul Identity Reshape Squeeze Neg StridedSlice".split()}
)
_DECODES = re.compile(r"CTC\w*Decoder|\w*NonMaxSuppression")
_SUMS = frozenset("Add AddV2 AddN".split())
_ENDS = frozenset("Sqrt Rsqrt".split())
_ANSWERS = frozenset("Softmax Sigmoid Tanh".split())


@dataclass(frozen=True)
class Losses:
    """``labels``: bits of the inputs that are labels; ``role``: node number -> "loss", "metric" or "label"; ``necks``:
    the tensors through which all that is learned reaches a loss; ``between``: what lies between them and it;
    ``tables``: what weights alone compute and a label is subtracted from.
    """

    labels: int
    role: dict[int, str]
    necks: frozenset[int] = frozenset()
    between: frozenset[int] = frozenset()
    transitions: int = 0
    tables: frozenset[int] = frozenset()


def find_losses(
    flow: Flow,
    deps: Dependence,
    backward: bytearray,
    writes: Mapping[int, str],
    trains: bool,
    derived: bytearray,
) -> Losses:
    """The labels, and the nodes that only measure.

    ``writes`` says what each write to a variable is for, ``trains`` whether the graph updates its weights, ``derived``
    masks the derivatives that the model or its loss computes with.
    """
    lossy = _find_lossy(flow, deps, backward)
    candidates = _never_weighted(flow, deps) | _sampled_against(flow, deps)
    candidates &= ~settings(flow, deps, backward)
    differentiated = flow.upstream(i for i, b in enumerate(backward) if b)
    passive = find_passive(flow, deps, candidates, differentiated)
    aside = bytearray(b | p for b, p in zip(backward, passive))
    labels = candidates & _measured_inputs(flow, deps, aside, lossy, trains)
    targets, added = _subtracted(flow, deps, candidates, differentiated, backward)
    labels = (labels & ~added) | targets
    tables = learned_tables(flow, deps, differentiated, backward)
    for label in tables.values():
        labels |= label
    role: dict[int, str] = {}
    last = between = frozenset[int]()
    transitions = 0
    if trains or labels:
        whole = _find_whole_batch(flow, deps, aside, writes)
        _mark_measures(flow, deps, aside, whole, labels, differentiated, role)
        pairs = find_pairs(flow, deps, differentiated, aside)
        for i in pairs.beyond:
            role.setdefault(i, "loss")
        plain = _without_weights_of_losses(flow, deps, labels)
        necks = find_bottlenecks(flow, plain, aside, labels, role)
        of_labels = _weights_of_labels(flow, deps, labels)
        for i in necks.between:
            transitions |= deps.applied[i] & of_labels
        own = {i for i in necks.heads if is_unflattened(flow, i)}
        find_approach(
            flow, plain, aside, lossy, derived, role, necks.compared | own | pairs.runs
        ).mark()
        between = frozenset(
            i
            for i in necks.between
            if flow.ops[i] != "ConcatV2" and not is_answer(flow, i)
        )
        last, views = _before_steps(flow, deps, role, necks)
        joined = (i for i in necks.between if flow.ops[i] == "ConcatV2")
        last |= {i for i in joined if i not in views and i not in role}
        role.update(dict.fromkeys(views, "loss"))
    role.update((i, "summary") for i, marked in enumerate(passive) if marked)
    return Losses(labels, role, last, between - last, transitions, frozenset(tables))


def _before_steps(
    flow: Flow, deps: Dependence, role: Mapping[int, str], necks: Bottlenecks
) -> tuple[frozenset[int], frozenset[int]]:
    """The bottlenecks, or what they are computed from where they are steps of the loss (a logarithm) or views of the
    prediction that the loss alone reads; and those views."""
    stack, seen = list(necks.heads), set(necks.heads)
    last, views = set(), set()
    while stack:
        i = stack.pop()
        view = is_view(flow, i) and _is_only_measured(flow, deps, role, i)
        if i not in role and not view:
            last.add(i)
            continue
        views |= {i} if view else set()
        for source, _ in flow.inputs[i]:
            if source not in seen and deps.feeds[source] and deps.weights[source]:
                seen.add(source)
                stack.append(source)
    return frozenset(last), frozenset(views)


def _is_only_measured(
    flow: Flow, deps: Dependence, role: Mapping[int, str], i: int
) -> bool:
    readers = [
        n
        for n in flow.outputs[i]
        if flow.ops[n] not in SHAPE_ONLY and deps.feeds[n] and role.get(n) != "summary"
    ]
    return bool(readers) and all(role.get(n) == "loss" for n in readers)


def _without_weights_of_losses(flow: Flow, deps: Dependence, labels: int) -> Dependence:
    """The dependence without weights that labels alone are combined with: a CRF's transitions, the centres of classes."""
    own = _weights_of_labels(flow, deps, labels)
    if not own:
        return deps
    return replace(deps, applied=[applied & ~own for applied in deps.applied])


def _weights_of_labels(flow: Flow, deps: Dependence, labels: int) -> int:
    own = 0
    for i, applied in enumerate(deps.applied):
        if applied and labels and not deps.feeds[i] & ~labels:
            own |= applied
    return own


def _find_lossy(flow: Flow, deps: Dependence, backward: bytearray) -> bytearray:
    """What follows a step of a loss: 1 after one that models take too (a logarithm, a square), 2 after a sure one.

    What an activation follows is the model's, whatever it holds: a factorisation machine squares.
    """
    lossy = bytearray(len(flow))
    if not deps.has_weights:
        return lossy
    for i in flow.order:
        op = flow.ops[i]
        if not deps.weights[i] or not deps.feeds[i] or deps.applied[i] or op in _ENDS:
            continue
        own = 0
        if op in COMPARISONS or "CrossEntropy" in op or op in _SURE:
            own = _WEAK + 1
        elif op in LOSS_OPS or op in ("Pow", "LogSoftmax"):
            own = _WEAK
        lossy[i] = max([own, *(lossy[s] for s, _ in flow.inputs[i])])
    answers = [i for i in flow.by_kind(_ANSWERS.__contains__) if not backward[i]]
    before = flow.upstream(answers, lambda i: not deps.applied[i])
    for i, hit in enumerate(before):
        if hit and lossy[i] == _WEAK:
            lossy[i] = 0
    return lossy


def _is_fetched(flow: Flow, i: int) -> bool:
    """Whether a node can serve nothing but a person: ``tf.identity(log_probabilities, "action")``."""
    return flow.ops[i] == "Identity" and not flow.outputs[i] and not flow.controlled[i]


def _subtracted(
    flow: Flow,
    deps: Dependence,
    candidates: int,
    differentiated: bytearray,
    backward: bytearray,
) -> tuple[int, int]:
    """The inputs that a prediction is subtracted from, where the difference is squared and trained on; and those that
    were added to the prediction before: what a residual is added to."""
    targets = added = 0
    for i in flow.by_kind(lambda op: op in ("Sub", "SquaredDifference")):
        if not differentiated[i] or len(flow.inputs[i]) != 2:
            continue
        for (one, _), (other, _) in (flow.inputs[i], flow.inputs[i][::-1]):
            target = deps.feeds[other]
            predicted = deps.weights[one] and deps.feeds[one] and not deps.reduced[one]
            only = target and not deps.weights[other] and not target & ~candidates
            if predicted and only and _is_squared(flow, backward, i):
                targets |= target & ~deps.feeds[one]
                added |= _added_to(flow, deps, one) & ~target
    return targets, added & ~targets


def _added_to(flow: Flow, deps: Dependence, i: int) -> int:
    """The inputs that are added as they are to what weights computed."""
    if flow.ops[i] not in spellings.SUMS:
        return 0
    plain = [s for s, _ in flow.inputs[i] if deps.feeds[s] and not deps.weights[s]]
    return deps.feeds[plain[0]] if len(plain) == 1 else 0


def _is_squared(flow: Flow, backward: bytearray, i: int) -> bool:
    ways = [i]
    for _ in range(4):
        if any(flow.ops[n] in _DISTANCES for n in ways):
            return True
        after = {m for n in ways for m in flow.outputs[n] if not backward[m]}
        ways = [n for n in after if flow.ops[n] in _DISTANCES | _PASSED][:_WAYS]
    return False


def _measured_inputs(
    flow: Flow, deps: Dependence, aside: bytearray, lossy: bytearray, trains: bool
) -> int:
    """The inputs that, joined with weights, end in values for the whole batch and in comparisons only.

    Where nothing trains, a logarithm alone makes no loss: the log of a masked policy is what its author fetches.
    """
    measured = unmeasured = 0
    for i in range(len(flow)) if deps.has_weights else ():
        if aside[i] or not deps.weights[i] or not deps.feeds[i] or kind_of(flow.ops[i]):
            continue
        fetched = not trains or _is_fetched(flow, i)
        if deps.reduced[i] or lossy[i] > (_WEAK if fetched else 0):
            measured |= deps.feeds[i]
        elif _is_end(flow, aside, i) or _DECODES.match(flow.ops[i]):
            unmeasured |= deps.feeds[i]
    return measured & ~unmeasured & ~deps.random


def _never_weighted(flow: Flow, deps: Dependence) -> int:
    """The inputs that no weight is applied to; or into which only lookups point, when others are truly weighted."""
    never = only_points = 0
    searched = False
    for bit, (node, port) in enumerate(deps.sources):
        later, direct = weights_after(flow, deps, node, port)
        never |= 0 if later else 1 << bit
        only_points |= 0 if direct else 1 << bit
        searched |= bool(direct)
    return only_points if searched else never


def _sampled_against(flow: Flow, deps: Dependence) -> int:
    """The true classes that a sampled loss (NCE, sampled softmax) draws its negatives beside."""
    count = 0
    for i in flow.by_kind(lambda op: op.endswith("CandidateSampler")):
        for wire in flow.inputs[i][:1]:
            count |= deps.feeds[wire[0]]
    return count


def weights_after(
    flow: Flow, deps: Dependence, node: int, port: int
) -> tuple[int, int]:
    later = direct = 0
    for n in set(flow.outputs[node]):
        if (node, port) in flow.inputs[n]:
            later |= deps.later[n] | deps.applied[n]
            direct |= deps.searched[n] | (
                0 if "Gather" in flow.ops[n] else deps.applied[n]
            )
    return later, direct


def _is_end(flow: Flow, backward: bytearray, i: int) -> bool:
    return not any(
        not backward[n] and flow.ops[n] not in SHAPE_ONLY for n in flow.outputs[i]
    ) and not kind_of(flow.ops[i])


def _find_whole_batch(
    flow: Flow, deps: Dependence, backward: bytearray, writes: Mapping[int, str]
) -> bytearray:
    """What holds one value for the batch and ends in such; not a mean that is subtracted from the batch again, nor
    one that moves a statistic of the model."""
    whole = bytearray(len(flow))
    for i in reversed(flow.order):
        if not deps.reduced[i] or writes.get(i) == "update":
            continue
        readers = [
            n
            for n in flow.outputs[i]
            if not backward[n] and flow.ops[n] not in SHAPE_ONLY
        ]
        moves = [n for n in readers if writes.get(n) == "update"]
        others = [n for n in readers if n not in writes and not kind_of(flow.ops[n])]
        summed = _summed(flow, deps, backward, whole, i)
        ends = all(whole[n] or n in summed for n in others)
        whole[i] = ends and not (moves and not others)
    return whole


def _summed(
    flow: Flow, deps: Dependence, backward: bytearray, whole: bytearray, i: int
) -> set[int]:
    """The sums of a loss of the batch with one for each example, of which nothing but another such is computed."""
    if not deps.weights[i]:
        return set()
    return {
        n
        for n in flow.outputs[i]
        if flow.ops[n] in _SUMS
        and all(
            backward[m] or whole[m] or flow.ops[m] in SHAPE_ONLY
            for m in flow.outputs[n]
        )
    }


def _mark_measures(
    flow: Flow,
    deps: Dependence,
    backward: bytearray,
    whole: bytearray,
    labels: int,
    differentiated: bytearray,
    role: dict[int, str],
) -> None:
    pairs: set[int] = set()
    approached = _reduced_of(flow, deps, differentiated)
    for i in flow.order:
        if backward[i] or kind_of(flow.ops[i]) or not deps.feeds[i]:
            continue
        labelled = deps.feeds[i] & labels
        if not deps.weights[i]:
            if labelled and labelled == deps.feeds[i]:
                role[i] = "label"
            continue
        within = any(s in pairs for s, _ in flow.inputs[i])
        labelled = labelled or flow.ops[i] in _SUMS and _holds_loss(flow, deps, role, i)
        if _compares_batch(flow, deps, i) or within:
            pairs.add(i)
            role[i] = "loss"
        elif labelled or (whole[i] and not deps.later[i] and not deps.applied[i]):
            trained = differentiated if labelled else approached
            role[i] = _loss_or_metric(flow, i, trained, role)


def _holds_loss(flow: Flow, deps: Dependence, role: Mapping[int, str], i: int) -> bool:
    """Whether a node adds up a loss of the whole batch and others."""
    return any(deps.reduced[s] and role.get(s) == "loss" for s, _ in flow.inputs[i])


def _reduced_of(flow: Flow, deps: Dependence, differentiated: bytearray) -> bytearray:
    """What is differentiated, and the sums and means of it: of a loss's end the backward pass reads no value."""
    approached = bytearray(differentiated)
    for i in flow.by_kind(("Mean", "Sum").__contains__):
        carriers = (s for s, _ in flow.inputs[i] if deps.weights[s] and deps.feeds[s])
        approached[i] |= bool(deps.reduced[i]) and any(
            map(differentiated.__getitem__, carriers)
        )
    return approached


def _compares_batch(flow: Flow, deps: Dependence, i: int) -> bool:
    """Whether a node multiplies the rows of a batch with each other, and no weight comes after: mining, a Gram matrix."""
    if flow.ops[i] != "MatMul" or len(flow.inputs[i]) != 2 or deps.later[i]:
        return False
    sides = [s for s, _ in flow.inputs[i]]
    turned = flow.nodes[i].attrs.get("transpose_b")
    for n, side in enumerate(sides):
        if flow.ops[side] == "Transpose" and flow.inputs[side]:
            sides[n], turned = flow.inputs[side][0][0], True
    return bool(turned) and sides[0] == sides[1]


def _loss_or_metric(
    flow: Flow, i: int, differentiated: bytearray, role: dict[int, str]
) -> str:
    if flow.ops[i] in COMPARISONS:
        return "metric"
    if differentiated[i] or flow.ops[i] in LOSS_OPS:
        return "loss"
    before = [role[s] for s, _ in flow.inputs[i] if s in role]
    return "metric" if "metric" in before or "loss" not in before else "loss"
