"""Flow -> what is computed only to be looked at: the fraction of zeros in an activation, a picture for TensorBoard."""

from __future__ import annotations

from ....ops import spellings
from ..arrays import Flow
from ..dependence import Dependence
from ..op_kinds import CLAMPS, SHAPE_ONLY, kind_of

_ANSWERS = frozenset("Softmax Sigmoid".split())
_SHAPES = frozenset("Reshape Squeeze Identity ExpandDims ConcatV2".split())
_LOOKUPS = frozenset(spellings.GATHERS)
_PICKS = "NonMaxSuppression"
_SUMS = frozenset("Add AddV2 Sub".split())
_LOOKS = ("summary", "assertion")
_TAILS = frozenset(
    {
        *spellings.SUMS,
        *"AddN Sub Neg Mul Sum Mean Log ConcatV2 StridedSlice Slice Reshape Squeeze Identity".split(),
    }
)
"""Ops whose gradient reads no value that they give: of a loss's end nothing is read by its backward pass."""


def find_passive(
    flow: Flow, deps: Dependence, spared: int, differentiated: bytearray
) -> bytearray:
    """A mask of the nodes whose every reader, and theirs in turn, is a summary or an assertion.

    Left out is what depends on an input of ``spared`` (a label, most likely: that is a measure), what a gradient is
    taken of, and what sums up over the batch what a gradient is taken of: a loss that is only summarised.
    """
    passive = bytearray(len(flow))
    if not flow.by_kind(lambda op: kind_of(op) in _LOOKS):
        return passive
    answers = _find_answers(flow, deps, differentiated)
    approached = bytearray(differentiated)
    for i in flow.order:
        if flow.ops[i] in _TAILS and deps.feeds[i] and deps.weights[i]:
            approached[i] |= any(approached[s] for s, _ in flow.inputs[i])
    for i in reversed(flow.order):
        if kind_of(flow.ops[i]) or deps.feeds[i] & spared or differentiated[i]:
            continue
        if answers[i]:
            continue
        readers = [
            n
            for n in flow.outputs[i]
            if passive[n] or flow.outputs[n] or flow.ops[n] not in SHAPE_ONLY
        ]
        looked = all(passive[n] or kind_of(flow.ops[n]) in _LOOKS for n in readers)
        if not readers or not looked:
            continue
        carriers = [s for s, _ in flow.inputs[i] if deps.weights[s] and deps.feeds[s]]
        sums_up = deps.reduced[i] and any(approached[s] for s in carriers)
        passive[i] = not sums_up
    return passive


def _find_answers(flow: Flow, deps: Dependence, differentiated: bytearray) -> bytearray:
    """Probabilities, what suppression picked, and their other shapes: what a model was made for, even where only a
    histogram or a drawing reads it."""
    answers = bytearray(len(flow))
    for i in flow.order:
        op = flow.ops[i]
        if op in _ANSWERS:
            answers[i] = bool(deps.weights[i] and not deps.later[i])
        elif op in _LOOKUPS and deps.weights[i] and len(flow.inputs[i]) > 1:
            value, places = (source for source, _ in flow.inputs[i][:2])
            answers[i] = answers[value] or flow.ops[places].startswith(_PICKS)
        elif op in _SHAPES | CLAMPS and flow.inputs[i]:
            answers[i] = answers[flow.inputs[i][0][0]]
        elif op in _SUMS:
            answers[i] = (
                not differentiated[i] and residual_of(flow, deps, i) is not None
            )
    return answers


def residual_of(flow: Flow, deps: Dependence, i: int) -> int | None:
    """What weights computed of data, where a node adds data to it again: a residual that it makes a picture."""
    if flow.ops[i] not in _SUMS:
        return None
    learned = [s for s, _ in flow.inputs[i] if deps.weights[s]]
    data = [s for s, _ in flow.inputs[i] if not deps.weights[s] and deps.feeds[s]]
    if len(learned) != 1 or len(data) != 1 or deps.later[i] or deps.later[learned[0]]:
        return None
    (end,) = learned
    is_of_data = not deps.feeds[data[0]] & ~deps.feeds[end]
    return end if is_of_data and not deps.reduced[end] else None
