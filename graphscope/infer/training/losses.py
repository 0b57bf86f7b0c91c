"""Flow, Dependence -> where labels join, and what is computed from there on: the losses and the metrics.

A label is an input that no trainable weight is ever applied to, and that ends in nothing but values for the whole
batch. What depends on a label and on weights measures; what comes before is the model. Where there is no label (an
autoencoder, a GAN) the loss is told by being one value for the batch, and by the logarithms and squares before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .arrays import Flow
from .dependence import Dependence
from .monitoring import find_passive
from .op_kinds import SHAPE_ONLY, kind_of

LOSS_OPS = frozenset(
    "SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits CTCLoss CTCLossV2 L2Loss"
    " Square SquaredDifference Log Log1p Abs Xlogy Xlog1py NegTrain".split()
)
COMPARISONS = frozenset(
    "Equal NotEqual InTopK InTopKV2 EditDistance DenseToDenseSetOperation ApproximateEqual".split()
)
_DECODES = re.compile(r"CTC\w*Decoder|\w*NonMaxSuppression")
_ENDS = frozenset("Sqrt Rsqrt".split())
_STEPS = frozenset(
    "Log Log1p Exp Expm1 Neg Square Abs SquaredDifference Pow Maximum Minimum ClipByValue Relu Softplus Shape Size"
    " Rank ZerosLike OnesLike GreaterEqual Greater Less LessEqual L2Loss LogicalNot Sign Xlogy Reciprocal Inv"
    " StopGradient CheckNumerics LogSoftmax Select SelectV2 Tile".split()
)
_SUMS = frozenset("Add AddV2 Sub Mul RealDiv Div AddN Sum Mean".split())
_BRANCHES = ("Switch", "Merge")
_PARTS = frozenset("Unpack StridedSlice Slice".split())
_RESHAPES = _PARTS | frozenset("Reshape ExpandDims Squeeze Cast Transpose".split())
_ELEMENTWISE = _STEPS | frozenset(
    "Add AddV2 Sub Mul RealDiv Div AddN Switch Merge Squeeze Identity".split()
)


@dataclass(frozen=True)
class Losses:
    """``labels``: bits of the inputs that are labels; ``role``: node number -> "loss", "metric" or "label"."""

    labels: int
    role: dict[int, str]


def find_losses(
    flow: Flow,
    deps: Dependence,
    backward: bytearray,
    writes: Mapping[int, str],
    trains: bool,
) -> Losses:
    """The labels, and the nodes that only measure.

    ``writes`` says what each write to a variable is for, ``trains`` whether the graph updates its weights.
    """
    lossy = _find_lossy(flow, deps)
    candidates = _never_weighted(flow, deps) | _sampled_against(flow, deps)
    differentiated = flow.upstream(i for i, b in enumerate(backward) if b)
    passive = find_passive(flow, deps, candidates, differentiated)
    aside = bytearray(b | p for b, p in zip(backward, passive))
    labels = candidates & _measured_inputs(flow, deps, aside, lossy)
    role: dict[int, str] = {}
    if trains or labels:
        whole = _find_whole_batch(flow, deps, aside, writes)
        _mark_measures(flow, deps, aside, whole, labels, differentiated, role)
        origin = _find_origins(flow, deps)
        _mark_approach(flow, deps, aside, lossy, origin, role)
    role.update((i, "summary") for i, marked in enumerate(passive) if marked)
    return Losses(labels, role)


def _find_lossy(flow: Flow, deps: Dependence) -> bytearray:
    lossy = bytearray(len(flow))
    for i in flow.order:
        op = flow.ops[i]
        if not deps.weights[i] or not deps.feeds[i] or deps.applied[i] or op in _ENDS:
            continue
        lossy[i] = (
            op in LOSS_OPS
            or op in COMPARISONS
            or any(lossy[s] for s, _ in flow.inputs[i])
        )
    return lossy


def _measured_inputs(
    flow: Flow, deps: Dependence, aside: bytearray, lossy: bytearray
) -> int:
    """The inputs that, joined with weights, end in values for the whole batch and in comparisons only."""
    measured = unmeasured = 0
    for i in range(len(flow)):
        if aside[i] or not deps.weights[i] or not deps.feeds[i] or kind_of(flow.ops[i]):
            continue
        if deps.reduced[i] or lossy[i]:
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
    found = 0
    for i in flow.by_kind(lambda op: op.endswith("CandidateSampler")):
        for wire in flow.inputs[i][:1]:
            found |= deps.feeds[wire[0]]
    return found


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
        whole[i] = all(whole[n] for n in others) and not (moves and not others)
    return whole


def _mark_measures(
    flow: Flow,
    deps: Dependence,
    backward: bytearray,
    whole: bytearray,
    labels: int,
    differentiated: bytearray,
    role: dict[int, str],
) -> None:
    for i in flow.order:
        if backward[i] or kind_of(flow.ops[i]) or not deps.feeds[i]:
            continue
        labelled = deps.feeds[i] & labels
        if not deps.weights[i]:
            if labelled and labelled == deps.feeds[i]:
                role[i] = "label"
            continue
        if labelled or (whole[i] and not deps.later[i] and not deps.applied[i]):
            role[i] = _loss_or_metric(flow, i, differentiated, role)


def _loss_or_metric(
    flow: Flow, i: int, differentiated: bytearray, role: dict[int, str]
) -> str:
    if flow.ops[i] in COMPARISONS:
        return "metric"
    if differentiated[i] or flow.ops[i] in LOSS_OPS:
        return "loss"
    before = [role[s] for s, _ in flow.inputs[i] if s in role]
    return "metric" if "metric" in before or "loss" not in before else "loss"


def _mark_approach(
    flow: Flow,
    deps: Dependence,
    backward: bytearray,
    lossy: bytearray,
    origin: list[int],
    role: dict[int, str],
) -> None:
    """Extend the losses upstream over what only prepares them: the logarithm of a probability, the clip before it."""
    for i in reversed(flow.order):
        if i in role or backward[i] or not deps.feeds[i] or not deps.weights[i]:
            continue
        if deps.applied[i] or deps.later[i] or kind_of(flow.ops[i]):
            continue
        readers = [
            n
            for n in flow.outputs[i]
            if not backward[n]
            and flow.ops[n] not in SHAPE_ONLY
            and kind_of(flow.ops[n]) != "summary"
        ]
        if not readers or not all(role.get(n) in ("loss", "metric") for n in readers):
            continue
        if _only_prepares(flow, deps, lossy, origin, role, i, readers):
            role[i] = "metric" if all(role[n] == "metric" for n in readers) else "loss"


def _find_origins(flow: Flow, deps: Dependence) -> list[int]:
    """The tensor that each node is an elementwise function of; itself where it is one of several, or of none."""
    origin = list(range(len(flow)))
    for i in flow.order:
        if flow.ops[i] not in _ELEMENTWISE or deps.applied[i]:
            continue
        behind = {
            origin[s] for s, _ in flow.inputs[i] if deps.weights[s] and deps.feeds[s]
        }
        if len(behind) == 1:
            origin[i] = behind.pop()
    return origin


def _leads_on(flow: Flow, deps: Dependence, lossy: bytearray, n: int) -> bool:
    """Whether a reader is a step of a loss itself: a logarithm, a square, or a constant added before one."""
    for _ in range(4):
        op = flow.ops[n]
        if op in LOSS_OPS or op in _STEPS:
            return True
        carried = [s for s, _ in flow.inputs[n] if deps.feeds[s]]
        after = [m for m in flow.outputs[n] if not deps.reduced[m] and deps.feeds[m]]
        if op not in _SUMS or len(carried) > 1 or not after:
            return False
        n = after[0]
    return False


def _only_prepares(
    flow: Flow,
    deps: Dependence,
    lossy: bytearray,
    origin: list[int],
    role: Mapping[int, str],
    i: int,
    readers: list[int],
) -> bool:
    op = flow.ops[i]
    if op in _STEPS or lossy[i]:
        return True
    if op in _BRANCHES:
        return origin[i] != i  # tf.squeeze of what may have had a last dimension of 1
    carried = [s for s, _ in flow.inputs[i] if deps.weights[s] and deps.feeds[s]]
    if op in _SUMS and len(carried) > 1:
        if origin[i] != i:
            return True  # logits * labels - relu(logits)
        return op == "Sub" and all(flow.ops[n] in LOSS_OPS for n in readers)
    if op in _SUMS:
        return all(_leads_on(flow, deps, lossy, n) for n in readers)
    if op in _RESHAPES:
        return all(
            "CrossEntropy" in flow.ops[n]
            or lossy[n]
            or flow.ops[n] == ("Sub" if op in _PARTS else "Unpack")
            or role.get(n) == "metric"
            or "MatMul" in flow.ops[n]
            or op == "ExpandDims"
            or flow.ops[n] in _BRANCHES
            or flow.ops[n].startswith("Gather")
            for n in readers
        )
    return False
