"""Findings on what behaves differently in training: batch normalization, dropout, mode placeholders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...ops import spellings
from ..finding import NAMED, Case, Finding, listed
from ..training.op_kinds import RANDOM

_STATISTICS = frozenset(
    {*spellings.SUMS, "Mul", "Sub", "RealDiv", "Identity", "Squeeze", "Rsqrt", "Sqrt"}
)
_NEAR = 16
_MASKS = frozenset({*spellings.GREATER, "Floor", "Less"})


def find(case: Case) -> Iterator[Finding]:
    yield from _training_statistics(case)
    yield from _untouched_statistics(case)
    yield from _switches(case)
    yield from _random(case)


def _training_statistics(case: Case) -> Iterator[Finding]:
    graph = case.flat.graph
    fused = [
        n
        for n in case.on_path(*spellings.FUSED_BATCH_NORMS)
        if graph.attrs(n).get("is_training", True)
    ]
    fused = [n for n in fused if not _normalises_rows(case, n)]
    switched = {n for n in fused if _behind_switch(case, n)}
    alone = [n for n in fused if n not in switched]
    spelled = [] if list(_bool_switches(case)) else _spelled_out(case)
    nodes = alone + spelled
    if nodes:
        yield Finding(
            "batch-norm-in-training-mode",
            "warning",
            f"batch normalization at {listed(nodes)} uses the statistics of each batch: the answer for one example "
            "depends on the others that it is fed with",
            tuple(nodes),
            case.freeze_command() + "  # puts the moving statistics in their place",
        )


def _normalises_rows(case: Case, name: str) -> bool:
    """Whether a fused op is Keras 2's LayerNormalization: each example a channel of a batch of one."""
    graph = case.flat.graph
    first = graph.inputs(name)[:1]
    if graph.attrs(name).get("data_format") != "NCHW" or not first:
        return False
    shaped = graph.inputs(first[0].node) if graph.op(first[0].node) == "Reshape" else []
    shape = shaped[1].node if len(shaped) == 2 else ""
    if not shape:
        return False
    if graph.op(shape) == "Pack" and graph.inputs(shape):
        shape = graph.inputs(shape)[0].node
    value = graph.attrs(shape).get("value") if graph.op(shape) == "Const" else None
    return value is not None and value.size > 0 and int(value.reshape(-1)[0]) == 1


def _behind_switch(case: Case, name: str) -> bool:
    """Whether a node stands in one branch of a cond: fed by a Switch, read by a Merge."""
    graph = case.flat.graph
    fed = any(graph.op(t.node) in spellings.SWITCHES for t in graph.inputs(name))
    return fed or any(graph.op(n) == "Merge" for n, _ in graph.consumers(name))


def _spelled_out(case: Case) -> list[str]:
    """Variances over the batch: a mean of squared differences from another mean over the batch, or from anything (as the
    shift of ``tf.nn.sufficient_statistics``) where the reciprocal of its root is taken.
    """
    flow, deps = case.study.flow, case.study.deps
    names = []
    for i in case.places("SquaredDifference".__eq__):
        if not deps.feeds[i] or deps.reduced[i]:
            continue
        means = [
            n for n in flow.outputs[i] if deps.reduced[n] and flow.names[n] in case.path
        ]
        centred = any(deps.reduced[s] for s, _ in flow.inputs[i])
        if means and (centred or any(_is_divided_by(case, n) for n in means)):
            names.append(flow.names[i])
    return names


def _is_divided_by(case: Case, i: int) -> bool:
    """Whether the root of what a node yields, a few ops down, divides."""
    flow, reached = case.study.flow, [i]
    for n in reached:  # grows
        if flow.ops[n] in ("Rsqrt", "Sqrt"):
            return True
        if len(reached) < _NEAR:
            more = (m for m in flow.outputs[n] if flow.ops[m] in _STATISTICS)
            reached += [m for m in more if m not in reached]
    return False


def _bool_switches(case: Case) -> Iterator[str]:
    for candidate in case.switches():
        if isinstance(candidate.value, bool):
            yield candidate.tensor.node


def _untouched_statistics(case: Case) -> Iterator[Finding]:
    if not case.read_weights:
        return
    weights = case.model.weights
    names = [v.name for v in case.model.variables if v.role == "batch statistics"]
    values = [weights[n] for n in names if weights.has_value(n)]
    zeros = [v for v in values if v.size and not np.any(v)]
    ones = [v for v in values if v.size and np.all(v == 1)]
    if zeros and ones and len(zeros) + len(ones) == len(values):
        yield Finding(
            "batch-norm-never-updated",
            "warning",
            f"all {len(values)} moving statistics are as they were initialised (means 0, variances 1): either nothing was trained, "
            "or training never ran the update ops, and inference normalises with wrong numbers",
            tuple(names),
            "train_op = tf.group(train_op, *tf.get_collection(tf.GraphKeys.UPDATE_OPS))",
        )


def _switches(case: Case) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[str]] = {}
    for candidate in case.switches():
        id = "dropout-fed" if isinstance(candidate.value, float) else "mode-fed"
        groups.setdefault((id, str(candidate.value)), []).append(candidate.tensor.node)
    for (id, value), names in groups.items():
        feeds = ", ".join(f"'{name}:0': {value}" for name in names[:NAMED])
        yield Finding(
            id,
            "info",
            f"{listed(names)} switch{'es' * (len(names) == 1)} between training and inference; inference needs {value}: in "
            f"TensorFlow feed_dict={{{feeds}, ...}}",
            tuple(names),
            f"{case.freeze_command()}  # sets {'it' if len(names) == 1 else 'them'}",
        )


def _random(case: Case) -> Iterator[Finding]:
    flow = case.study.flow
    fed = {c.tensor.node for c in case.switches()}
    masks, draws = [], []
    for i in case.places(RANDOM.search):
        if _is_mask(case, i):
            if not _is_governed(case, i, fed):
                masks.append(flow.names[i])
        else:
            draws.append(flow.names[i])
    if masks:
        yield Finding(
            "dropout-active",
            "warning",
            f"dropout at {listed(masks)} is on and nothing turns it off: each run gives another answer",
            tuple(masks),
            case.freeze_command() + "  # removes it",
        )
    if draws:
        yield Finding(
            "random-on-path",
            "info",
            f"the outputs depend on random numbers drawn at {listed(draws)}: they differ from run to run",
            tuple(draws),
        )


def _is_mask(case: Case, i: int) -> bool:
    """Whether a draw is compared with a rate, a few ops down."""
    flow, stack, visited = case.study.flow, [i], {i}
    while stack and len(visited) < 24:
        node = stack.pop()
        for n in flow.outputs[node]:
            if flow.ops[n] in _MASKS:
                return True
            if n not in visited and flow.ops[n] in (
                *spellings.SUMS,
                "Mul",
                "Sub",
                "Identity",
            ):
                visited.add(n)
                stack.append(n)
    return False


def _is_governed(case: Case, i: int, fed: set[str]) -> bool:
    """Whether a mode placeholder can turn a mask off: it sets the rate, or a Switch stands around the draw."""
    flow, stack, visited = case.study.flow, [i], {i}
    while stack and len(visited) < 24:
        node = stack.pop()
        for n in flow.outputs[node]:
            if n not in visited and flow.ops[n] in (
                *_MASKS,
                *spellings.SUMS,
                "Mul",
                "Sub",
            ):
                visited.add(n)
                stack.append(n)
    upstream = flow.upstream(visited, lambda j: flow.ops[j] != "Shape")
    named = any(upstream[flow.index[name]] for name in fed)
    around = [
        s for j in visited for s in (*flow.controls[j], *(k for k, _ in flow.inputs[j]))
    ]
    return named or any(_in_branch(flow.ops[j], flow, j) for j in around)


def _in_branch(op: str, flow: object, j: int) -> bool:
    """Whether a node hangs on one side of a Switch (``switch_t`` is an Identity of it)."""
    if op in spellings.SWITCHES:
        return True
    wires = flow.inputs[j]  # type: ignore[attr-defined]
    return op in ("Identity", "Shape") and any(
        flow.ops[s] in spellings.SWITCHES for s, _ in wires  # type: ignore[attr-defined]
    )
