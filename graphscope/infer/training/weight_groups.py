"""Flow -> which weights are trained together: those of a generator and of its judge are two groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .arrays import Flow
from .dependence import Dependence
from .gradients.derivatives import Derivatives, differentiated_input
from .op_kinds import SHAPE_ONLY


def differentiated_weights(flow: Flow, derivatives: Derivatives) -> dict[str, set[int]]:
    """The variables by which each call of ``tf.gradients`` differentiates for somebody who applies that by hand."""
    scopes: dict[str, set[int]] = {}
    for i in derivatives.parameter:
        by = differentiated_input(flow, i)
        variable = flow.variable_of(by) if by is not None else None
        if variable is not None:
            scopes.setdefault(derivatives.scope[i], set()).add(variable)
    return scopes


def weight_groups(
    flow: Flow,
    deps: Dependence,
    updates: list[int],
    fetched: Mapping[str, Collection[int]],
    backward: bytearray,
) -> tuple[int, ...]:
    """The weights by the group node that waits for their updates, or by the call that differentiates by them where a
    person applies what is fetched; groups that share a weight are one."""
    bit = {holder: 1 << b for b, holder in enumerate(deps.holders)}
    by_group: dict[object, int] = {
        scope: union_of([bit.get(i, 0) for i in variables])
        for scope, variables in fetched.items()
        if not updates
    }
    gradients: dict[object, list[int]] = {}
    for i in updates:
        target = flow.variable_of(flow.inputs[i][0][0]) if flow.inputs[i] else None
        for n in flow.controlled[i]:
            if flow.ops[n] == "NoOp":
                own = bit.get(-1 if target is None else target, 0)
                by_group[n] = by_group.get(n, 0) | own
                gradients.setdefault(n, []).append(i)
    groups: list[int] = _of_one_backward_pass(flow, by_group, gradients, backward)
    for mask in by_group.values():
        shared = [g for g in groups if g & mask]
        groups = [g for g in groups if not g & mask]
        groups.append(mask | union_of(shared))
    return tuple(g for g in groups if g)


def _of_one_backward_pass(
    flow: Flow,
    by_group: Mapping[object, int],
    gradients: Mapping[object, list[int]],
    backward: bytearray,
) -> list[int]:
    """The weights of groups whose gradients are computed from each other: two optimizers that share one loss."""
    if len(gradients) < 2:
        return []
    numbers = {group: 1 << n for n, group in enumerate(gradients)}
    bits = [0] * len(flow)
    for group, updates in gradients.items():
        for update in updates:
            for source, _ in flow.inputs[update]:
                bits[source] |= numbers[group] if backward[source] else 0
    shared: set[int] = set()
    for i in reversed(flow.order):
        if not backward[i] or flow.ops[i] in SHAPE_ONLY:
            continue
        for n in flow.outputs[i]:
            bits[i] |= bits[n] if backward[n] else 0
        if bits[i].bit_count() > 1 and not _is_plain(flow, i):
            shared.add(bits[i])
    return [
        union_of([by_group[g] for g, number in numbers.items() if number & bits_of])
        for bits_of in shared
    ]


def _is_plain(flow: Flow, i: int) -> bool:
    """Whether a node of a backward pass holds a size or a constant, which any pass may share."""
    return (
        flow.ops[i] in ("Const", "Fill", "BroadcastGradientArgs") or not flow.inputs[i]
    )


def union_of(masks: list[int]) -> int:
    """The union of some bit sets."""
    union = 0
    for mask in masks:
        union |= mask
    return union
