"""Flow -> the nodes of the backward pass, told by dataflow.

What leads to an optimizer's gradient input, and what follows an op that only differentiation makes (``ReluGrad``), is
backward. Nothing backward feeds the forward pass, so the set is closed downstream; what backward ops read as values of
the forward pass (by the OpDef's argument names) is forward, and so is all that lies upstream of it. Between the two lie
the few nodes from the seed of ones to the first such op: those hang on no data, and nothing but backward nodes reads them.
"""

from __future__ import annotations

from collections.abc import Iterator

from .flow import Flow
from .ops import (
    ACCUMULATES,
    APPLIES,
    SHAPE_ONLY,
    SOURCES,
    VARIABLES,
    forward_slots,
    gradient_slots,
    is_backward,
    kind_of,
)

_AVERAGES = frozenset("Mean Sum L2Loss".split())
_ROUNDS = 4  # two suffice on every graph seen; a bound all the same


def find_updates(flow: Flow) -> list[int]:
    """The nodes that apply a gradient to a variable."""
    return flow.by_kind(lambda op: APPLIES.match(op) or ACCUMULATES.match(op))


def find_backward(flow: Flow) -> bytearray:
    """A mask of the nodes that compute gradients; all zero where nothing applies a gradient to anything.

    A graph that holds gradients and no update (a saliency map, DeepDream) computes them for their own sake.
    """
    updates = find_updates(flow)
    backward_ops = flow.by_kind(is_backward)
    if not updates and not _feeds_writes(flow, backward_ops):
        return bytearray(len(flow))
    roots = set(backward_ops) | set(_gradients(flow, updates))
    mask = flow.downstream(roots)
    measured = flow.by_kind(lambda op: "CrossEntropy" in op or op.startswith("CTCLoss"))
    forward = flow.upstream({*_forward_values(flow, backward_ops), *measured})
    for i, is_forward in enumerate(forward):
        if is_forward and mask[i] and i not in roots:
            forward[i] = 0  # a gradient of a gradient
    for i in updates:
        mask[i] = 0
    for _ in range(_ROUNDS):
        seeds = _add_seeds(flow, mask, forward, frozenset(updates))
        before = sum(mask)
        for i, reached in enumerate(flow.downstream(seeds)):
            mask[i] |= reached and not kind_of(flow.ops[i])
        if sum(mask) == before:
            break
    return mask


def _feeds_writes(flow: Flow, backward_ops: list[int]) -> bool:
    from .ops import WRITES

    if not backward_ops:
        return False
    reached = flow.downstream(backward_ops)
    return any(reached[i] for i in flow.by_kind(WRITES.match))


def _gradients(flow: Flow, updates: list[int]) -> Iterator[int]:
    for update in updates:
        wires = flow.inputs[update]
        for slot in gradient_slots(flow.ops[update], len(wires)):
            source = wires[slot][0]
            op = flow.ops[source]
            if op not in VARIABLES and op != "Const" and not SOURCES.match(op):
                yield source


def _forward_values(flow: Flow, backward_ops: list[int]) -> Iterator[int]:
    for node in backward_ops:
        wires = flow.inputs[node]
        for slot in forward_slots(flow.ops[node], len(wires)):
            yield wires[slot][0]


def _add_seeds(
    flow: Flow, mask: bytearray, forward: bytearray, updates: frozenset[int]
) -> list[int]:
    """Extend the mask to what only backward nodes read; the seeds among it, from which the gradients start.

    A gradient that nobody asked for (of a label, of an input) is computed too and read by none: such dead ends do not
    count as readers, unless a batch is averaged on the way: then they are the loss.
    """
    dead = _find_dead_ends(flow, mask, updates)
    for i in reversed(flow.order):
        op = flow.ops[i]
        if mask[i] or forward[i] or op in VARIABLES or SOURCES.match(op):
            continue
        readers = [
            n
            for n in flow.outputs[i]
            if flow.ops[n] not in SHAPE_ONLY or op == "Switch"
        ]
        if any(mask[n] for n in readers):
            mask[i] = all(mask[n] or dead[n] for n in readers)
    constant = bytearray(len(flow))  # no value of an input, a variable or a draw in it
    for i in flow.order:
        if flow.ops[i] in SHAPE_ONLY or flow.ops[i] == "Const":
            constant[i] = 1
        elif flow.inputs[i]:
            constant[i] = all(constant[s] for s, _ in flow.inputs[i])
    return [
        i for i, op in enumerate(flow.ops) if mask[i] and constant[i] and op != "Const"
    ]


def _find_dead_ends(flow: Flow, mask: bytearray, updates: frozenset[int]) -> bytearray:
    dead = bytearray(len(flow))
    averaged = flow.downstream(
        i for i, op in enumerate(flow.ops) if op in _AVERAGES and not mask[i]
    )
    for i in reversed(flow.order):
        if mask[i] or i in updates or kind_of(flow.ops[i]) or averaged[i]:
            continue
        dead[i] = all(dead[n] for n in flow.outputs[i])
    return dead
