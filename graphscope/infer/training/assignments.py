"""Flow -> what each write to a variable is for, by what is written."""

from __future__ import annotations

from ...ops import spellings
from .arrays import Flow
from .dependence import Dependence
from .op_kinds import INITIALISED, RESTORES, SOURCES, WRITES


def classify_writes(
    flow: Flow, deps: Dependence, backward: bytearray
) -> dict[int, str]:
    """Assign, AssignAdd, ScatterSub ... -> "restore", "initialiser", "optimizer", "update" or "metric".

    ``update``: the model's own statistics and copies (moving averages, target networks). ``metric``: counts that
    only a measure reads. ``optimizer``: what follows from a gradient, and the counters of steps.
    """
    restored = flow.downstream(flow.by_kind(RESTORES.match))
    asked = flow.downstream(flow.by_kind(INITIALISED.match))
    kinds: dict[int, str] = {}
    first: set[int] = set()
    for i in flow.by_kind(WRITES.match):
        if not flow.inputs[i]:
            continue
        target = flow.variable_of(flow.inputs[i][0][0])
        values = [s for s, _ in flow.inputs[i][1:]]
        fresh = target is not None and target not in first
        role = _purpose(flow, deps, i, values, backward, fresh, asked)
        if any(restored[s] for s in values):
            role = "restore"
        elif role == "initialiser" and target is not None:
            first.add(target)
        kinds[i] = role
    return kinds


def _purpose(
    flow: Flow,
    deps: Dependence,
    i: int,
    values: list[int],
    backward: bytearray,
    fresh: bool,
    asked: bytearray,
) -> str:
    plain = flow.ops[i] in spellings.ASSIGNS
    if any(backward[s] for s in values):
        return "optimizer"
    if plain and (any(asked[s] for s in values) or _is_fed(flow, values)):
        return "initialiser"
    drawn = [s for s in values if deps.feeds[s] & ~deps.random]
    if drawn:
        return "metric" if _only_counts(flow, i) else "update"
    if not any(deps.weights[s] for s in values):
        counted = any(flow.ops[s] != "Const" for s in values)  # examples, not steps
        return "initialiser" if plain else "metric" if counted else "optimizer"
    own = flow.variable_of(flow.inputs[i][0][0])
    if own is not None and _reads_itself(flow, own, values):
        return "optimizer" if _is_scalar(flow, own) else "update"
    return "initialiser" if plain and fresh else "update"


def _is_fed(flow: Flow, values: list[int]) -> bool:
    """Whether the value comes straight from a placeholder: weights loaded by feeding them."""
    return any(SOURCES.match(flow.ops[s]) for s in values) and len(values) == 1


def _reads_itself(flow: Flow, own: int, values: list[int]) -> bool:
    return bool(flow.upstream(values)[own])


def _is_scalar(flow: Flow, variable: int) -> bool:
    return flow.nodes[variable].attrs.get("shape") == ()


def _only_counts(flow: Flow, i: int) -> bool:
    """Whether a variable is an accumulator: added to, never averaged, and read for nothing but its own quotient."""
    return flow.ops[i] in spellings.ASSIGN_ADDS and bool(flow.inputs[i][1:])
