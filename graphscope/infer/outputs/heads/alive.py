"""Training, node -> whether it computes something that a model could be asked for, and who reads it."""

from __future__ import annotations

from ....ops import spellings
from ...training.op_kinds import SHAPE_ONLY, SOURCES, VARIABLES, kind_of
from ...training.roles import Training
from .branches import is_pivot


def readers_of(study: Training, i: int) -> list[int]:
    """Who reads the node's values, left out what only looks at its shape, and the steps of its derivatives."""
    return [n for n in study.flow.outputs[i] if _reads_values(study, n)]


def _reads_values(study: Training, i: int) -> bool:
    own = study.derivatives
    if own is not None and own.scope[i]:
        return False
    return study.flow.ops[i] not in SHAPE_ONLY or _starts_loop(study, i)


def read_by_model(study: Training) -> bytearray:
    """A mask of the nodes whose values a node without a role reads."""
    read = bytearray(len(study.flow))
    for i, wires in enumerate(study.flow.inputs):
        if wires and i not in study.roles and _reads_values(study, i):
            for source, _ in wires:
                read[source] = 1
    return read


def _starts_loop(study: Training, i: int) -> bool:
    """Whether a node makes the zeros that a loop begins with: Keras runs a masked cell once to see how large they are."""
    flow = study.flow
    if flow.ops[i] != "ZerosLike":
        return False
    return any(flow.ops[n] in _LOOP_STARTS for n in flow.outputs[i])


_LOOP_STARTS = frozenset({*spellings.WHILES, "Enter"})


def is_alive(study: Training, i: int) -> bool:
    """Whether a node computes something that the model could be asked for."""
    flow, deps, op = study.flow, study.deps, study.flow.ops[i]
    if _is_step_of_derivative(study, i):
        return False
    if i in study.roles or kind_of(op) or op in VARIABLES or op in SHAPE_ONLY:
        return False
    if op in ("Const", "NoOp") or SOURCES.match(op) or is_pivot(study.flow, i):
        return False
    if i in study.losses.tables:
        return True
    if _is_step_of_weight(study, i):
        return False
    if deps.sources and deps.has_weights:
        return bool(deps.feeds[i] and deps.weights[i])
    return bool(deps.feeds[i] or not deps.sources) and bool(flow.inputs[i])


def _is_step_of_weight(study: Training, i: int) -> bool:
    """Whether a node takes a step from a weight along its derivative: what a net is adapted with (MAML), no answer."""
    flow, own = study.flow, study.derivatives
    if own is None or flow.ops[i] not in ("Sub", *spellings.SUMS):
        return False
    if len(flow.inputs[i]) != 2:
        return False
    (weight, _), (step, _) = flow.inputs[i]
    for _ in range(4):
        if own.scope[step]:
            return _is_weight(study, weight)
        carriers = [s for s, _ in flow.inputs[step] if study.deps.feeds[s]]
        if len(carriers) != 1:
            return False
        step = carriers[0]
    return False


def _is_weight(study: Training, i: int) -> bool:
    """Whether a node is a weight, or one that steps were taken from."""
    for _ in range(16):
        if study.flow.variable_of(i) is not None:
            return True
        if study.flow.ops[i] not in ("Sub", *spellings.SUMS):
            return False
        i = study.flow.inputs[i][0][0]
    return False


def _is_step_of_derivative(study: Training, i: int) -> bool:
    """Whether a node stands inside a gradient, not at its end."""
    own = study.derivatives
    return (
        own is not None
        and bool(own.scope[i])
        and i not in own.by_input
        and not (i in own.read and _meets_label(study, i))
    )


def _meets_label(study: Training, i: int) -> bool:
    """Whether what reads a derivative compares it with a label: forces that are trained on as they come."""
    labels, feeds = study.losses.labels, study.deps.feeds
    outside = [n for n in study.flow.outputs[i] if study.roles.get(n) == "loss"]
    return any(feeds[n] & labels and not feeds[i] & labels for n in outside)
