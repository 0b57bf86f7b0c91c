"""Which value inference gives to what switches a model between training and use: ``is_training``, ``keep_prob``.

A switch is told by what it switches. Whatever draws random numbers, writes a variable or takes the statistics of a
batch belongs to training, so the switch is set against it. Names decide only where the two sides look alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...graph import Function, Graph, TensorSpec
from ...ops import spellings
from ...simplify.control_flow.dead_arguments import LOOPS, named
from ..training.arrays import Flow
from ..training.op_kinds import RANDOM, SOURCES, WRITES
from ..training.roles import Training

_PASSES = frozenset(
    "Identity PlaceholderWithDefault Cast Reshape Squeeze LogicalNot Enter".split()
)
_TRAINING_NAME = re.compile(r"train|phase|learning_phase|dropout|is_tr", re.IGNORECASE)
_INFERENCE_NAME = re.compile(r"infer|test|eval|predict|serving|deploy", re.IGNORECASE)
_FLOATS = ("float32", "float64", "float16", "bfloat16")


def inference_value(
    study: Training, i: int, spec: TensorSpec
) -> tuple[bool | int | float | None, str]:
    """The value that inference needs and why; ``(None, "")`` for what is no mode switch."""
    flow = study.flow
    if not flow.ops[i].startswith("Placeholder"):
        return None, ""
    if spec.dtype == "bool" and spec.shape in (None, ()):
        return _bool_value(study, i)
    if spec.dtype in _FLOATS and spec.shape in (None, ()):
        return _keep_value(flow, i, study.functions)
    return None, ""


def _bool_value(study: Training, i: int) -> tuple[bool | None, str]:
    flow = study.flow
    votes = _votes(study, i)
    name = flow.names[i]
    if votes:
        return votes < 0, (
            "the branch that it turns on draws random numbers, writes variables or takes batch statistics"
            if votes > 0
            else "the branch that it turns off is the one that trains"
        )
    if not _is_predicate(flow, i) or not _has_rival(flow, i):
        return None, ""
    if not _trains_nearby(study):
        return None, ""
    if _INFERENCE_NAME.search(name) and not _TRAINING_NAME.search(name):
        return True, "switches a branch; its name speaks of inference"
    if _TRAINING_NAME.search(name):
        return False, "switches a branch; its name speaks of training"
    return None, ""  # nothing of training near it: an input like any other


def _trains_nearby(study: Training) -> bool:
    """Whether anything draws, learns or moves statistics in the graph: without it a name says nothing of a mode."""
    flow, roles = study.flow, study.roles
    learns = {"gradient", "optimizer", "update"} & {*roles.values()}
    draws = [n for n in flow.by_kind(RANDOM.search) if n not in roles]
    deps = study.deps
    batch = any(
        r and f and n not in roles
        for n, (r, f) in enumerate(zip(deps.reduced, deps.feeds))
    )
    return bool(learns or draws or batch)


def _has_rival(flow: Flow, i: int) -> bool:
    """Whether anything else is fed: the only input of a graph is its data."""
    return any(n != i for n in flow.by_kind(SOURCES.match))


def _predicates(flow: Flow, i: int) -> list[tuple[int, bool]]:
    """``(node, inverted)`` for every tensor that has the switch's value or its opposite."""
    predicates, stack, seen = [], [(i, False)], {i}
    while stack:
        node, inverted = stack.pop()
        predicates.append((node, inverted))
        for n in flow.outputs[node]:
            if flow.ops[n] in _PASSES and n not in seen:
                seen.add(n)
                stack.append((n, inverted ^ (flow.ops[n] == "LogicalNot")))
    return predicates


def _is_predicate(flow: Flow, i: int) -> bool:
    return any(
        flow.ops[n] in (*spellings.SWITCHES, *spellings.IFS, *spellings.SELECTS)
        or flow.ops[n].startswith("Logical")
        for node, _ in _predicates(flow, i)
        for n in flow.outputs[node]
    )


def _votes(study: Training, i: int) -> int:
    """Above 0: true turns training on; below 0: true turns it off; 0: cannot tell."""
    flow = study.flow
    votes = 0
    for node, inverted in _predicates(flow, i):
        for n in flow.outputs[node]:
            if study.backward[n]:
                continue  # the gradient of a cond switches the other way round
            sign = -1 if inverted else 1
            if flow.ops[n] in spellings.SWITCHES and flow.inputs[n][1][0] == node:
                on = _trains_from(study, n, 1)
                off = _trains_from(study, n, 0)
                votes += sign * (on - off)
            elif flow.ops[n] in spellings.IFS:
                on, off = (
                    _trains_within(study, n, key)
                    for key in ("then_branch", "else_branch")
                )
                votes += sign * (on - off)
            elif flow.ops[n] in spellings.SELECTS and flow.inputs[n][0][0] == node:
                on = _is_statistic(flow, flow.inputs[n][1][0])
                off = _is_statistic(flow, flow.inputs[n][2][0])
                votes += sign * (on - off)
    return votes


def _trains_within(study: Training, i: int, key: str) -> int:
    """Whether a branch of an If draws, writes or takes the statistics of a batch."""
    function = named(study.flow.nodes[i], key, study.functions)
    graph = function.graph if function is not None else Graph()
    return int(
        any(
            RANDOM.search(graph.op(name))
            or WRITES.match(graph.op(name))
            or graph.op(name).startswith("FusedBatchNorm")
            and graph.attrs(name).get("is_training", True)
            for name in graph
        )
    )


def _trains_from(study: Training, switch: int, port: int) -> int:
    """Whether the branch that starts at one side of a Switch draws, writes, or takes the statistics of a batch."""
    flow = study.flow
    seeds = [n for n in flow.outputs[switch] if (switch, port) in flow.inputs[n]]
    carried = flow.inputs[switch][0][0]
    if seeds and study.deps.reduced[carried] and study.deps.feeds[carried]:
        return 1
    stack, seen = list(seeds), set(seeds)
    while stack and len(seen) < 200:
        node = stack.pop()
        op = flow.ops[node]
        if RANDOM.search(op) or WRITES.match(op):
            return 1
        if op.startswith("FusedBatchNorm") and flow.nodes[node].attrs.get(
            "is_training", True
        ):
            return 1
        if op in spellings.MERGES:
            continue
        for n in flow.outputs[node] + flow.controlled[node]:
            if n not in seen:
                seen.add(n)
                stack.append(n)
    return 0


def _is_statistic(flow: Flow, i: int) -> int:
    """Whether a branch of a Select is drawn at random or averaged over the batch, a few ops up."""
    stack, seen = [i], {i}
    while stack and len(seen) < 30:
        node = stack.pop()
        if RANDOM.search(flow.ops[node]):
            return 1
        for source, _ in flow.inputs[node]:
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return 0


def _keep_value(
    flow: Flow, i: int, functions: Mapping[str, Function], complement: bool = False
) -> tuple[float | None, str]:
    """1.0 for a probability to keep, 0.0 for a rate to drop: what is compared with, or added to, a random draw."""
    stack: list[tuple[int, bool]] = [(i, complement)]
    seen = {i}
    while stack:
        node, complement = stack.pop()
        for n in flow.outputs[node]:
            op = flow.ops[n]
            if op in spellings.SUMS and _draws(flow, n) and _floors(flow, n):
                return (
                    0.0 if complement else 1.0
                ), "the probability with which dropout keeps a value"
            if op in spellings.GREATER and _draws(flow, n):
                return (1.0 if complement else 0.0), (
                    "dropout's rate is 1 minus it"
                    if complement
                    else "the rate at which dropout drops values"
                )
            if op in spellings.LESS and _draws(flow, n):
                return (
                    0.0 if complement else 1.0
                ), "the probability with which dropout keeps a value"
            if n in seen:
                continue
            seen.add(n)
            if op in LOOPS:
                inside = _kept_inside(flow, n, node, functions, complement)
                if inside[0] is not None:
                    return inside
            if op == "Sub" and [node] == [each[0] for each in flow.inputs[n][1:2]]:
                stack.append((n, not complement))
            elif op in (
                "Identity",
                "Cast",
                "Enter",
                "PlaceholderWithDefault",
                "Switch",
            ):
                stack.append((n, complement))
    return None, ""


def _kept_inside(
    flow: Flow, loop: int, node: int, functions: Mapping[str, Function], flipped: bool
) -> tuple[float | None, str]:
    """The same of what the body of a loop does with a node that the loop reads."""
    body = named(flow.nodes[loop], "body", functions)
    if body is None or len(body.arguments) != len(flow.inputs[loop]):
        return None, ""
    inner = Flow(body.graph)
    rest = {name: each for name, each in functions.items() if each is not body}
    for argument, (source, _) in zip(body.arguments, flow.inputs[loop]):
        if source == node:
            return _keep_value(inner, inner.index[argument], rest, flipped)
    return None, ""


def _draws(flow: Flow, i: int) -> bool:
    """Whether one operand is a random draw (scaled and shifted at most)."""
    stack, seen = [s for s, _ in flow.inputs[i]], set()
    for _ in range(24):
        if not stack:
            return False
        node = stack.pop()
        if RANDOM.search(flow.ops[node]):
            return True
        if node not in seen and flow.ops[node] in (
            *spellings.SUMS,
            "Mul",
            "Sub",
            "Identity",
            "Cast",
        ):
            seen.add(node)
            stack += [s for s, _ in flow.inputs[node]]
    return False


def _floors(flow: Flow, i: int) -> bool:
    return any(flow.ops[n] == "Floor" for n in flow.outputs[i])
