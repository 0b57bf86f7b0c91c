"""Findings on the checkpoint against the graph: variables missing, left over, of another shape, under another prefix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from ...graph import Shape, Variable
from ...wire.mapped import release
from ..finding import Case, Finding, listed
from ..training.op_kinds import VARIABLES

_AVERAGED = "ExponentialMovingAverage"
_SIDE = ("optimizer slot", "step counter", "metric", "moving average", "queue")
# a fine-tuned model has new heads, but not new bodies: of another model nearly every variable is missing
_ANOTHER = 0.8  # of the variables that the outputs need
_OPTIONAL = ("optimizer", "metric", "gradient", "summary")


def find(case: Case) -> Iterator[Finding]:
    yield from _missing_files(case)
    variables = _graph_variables(case)
    if not case.model.layered and variables:
        if len(case.model.weights):
            yield from _against(case, variables)
        else:
            yield _no_weights(case, variables)
    yield from _roles(case)


def _missing_files(case: Case) -> Iterator[Finding]:
    weights = case.model.weights
    short = list(weights.shortages)
    for trouble in weights.missing_files:
        what, _, remedy = trouble.rpartition(": ")
        yield Finding(
            "shard-missing",
            "error",
            f"{what}; names, shapes and roles are known without it, the values of {len(short)} of "
            f"{len(weights)} variables are not: {listed(short)}",
            tuple(short),
            remedy,
        )


def _graph_variables(case: Case) -> dict[str, Shape]:
    graph = case.model.graph
    variables = {}
    for name in graph.by_op(*VARIABLES):
        shape = graph.attrs(name).get("shape")
        if graph.attrs(name).get("dtype") != "resource":
            variables[name] = shape if isinstance(shape, tuple) else None
    return variables


def _no_weights(case: Case, variables: Mapping[str, Shape]) -> Finding:
    return Finding(
        "no-weights",
        "warning",
        f"the file holds the structure of the model only: {_variables(len(variables))} no values",
        (),
        f"{case.freeze_command()} --checkpoint PREFIX",
    )


def _variables(count: int) -> str:
    return f"{count} variable{'s have' if count > 1 else ' has'}"


def _against(case: Case, variables: Mapping[str, Shape]) -> Iterator[Finding]:
    missing, spare = _missing(case, variables), _unused(case, variables)
    roles = case.roles
    needed = [n for n in missing if n in case.path and roles.get(n) not in _OPTIONAL]
    yield from _shapes_differ(case, variables)
    prefix = _prefix(missing, spare)
    if (
        prefix
    ):  # it explains all the rest: names that differ by it are missing and spare both
        yield _prefix_differs(case, prefix, needed or missing)
        return
    of_graph = len(set(case.variables) & set(variables))
    if needed and spare and len(needed) > _ANOTHER * of_graph:
        yield _another_model(case, needed, spare)
    elif needed:
        yield Finding(
            "variable-missing",
            "error",
            f"the outputs need {listed(needed)}, and the checkpoint holds no such variable: it would be uninitialised",
            tuple(needed),
        )
    off = [name for name in missing if name not in needed]
    if off:
        yield Finding(
            "variable-missing-elsewhere",
            "info",
            f"the checkpoint does not hold {listed(off)}, which the outputs do not need",
            tuple(off),
        )
    if spare:
        yield _spare(case, spare)


def _missing(case: Case, variables: Mapping[str, Shape]) -> list[str]:
    """Variables without a value; not those of a shard that isn't there, of which another finding tells."""
    model = case.model
    short = model.weights.shortages
    names = [n for n in variables if model.keys.get(n, n) not in short]
    return [name for name in names if not model.has_value(name)]


def _unused(case: Case, variables: Mapping[str, Shape]) -> list[str]:
    """Keys of the checkpoint that no variable has, but for what TensorFlow keeps there for itself."""
    used = {case.model.keys.get(n, n).split(" ")[0] for n in variables}
    return [k for k in case.model.weights if k not in used and not _is_internal(k)]


def _another_model(case: Case, needed: list[str], spare: list[str]) -> Finding:
    return Finding(
        "another-model",
        "error",
        f"{len(needed)} of the {len(case.variables)} variables that the outputs need are not in the checkpoint, which "
        f"holds {len(spare)} others ({listed(spare, 3)}): it belongs to another model",
        tuple(needed),
    )


def _is_internal(key: str) -> bool:
    return (
        key.startswith(("_CHECKPOINTABLE", "save_counter"))
        or "/.OPTIMIZER_SLOT/" in key
    )


def _shapes_differ(case: Case, variables: Mapping[str, Shape]) -> Iterator[Finding]:
    wrong = []
    for name, shape in variables.items():
        key = case.model.keys.get(name, name)
        if shape is None or None in shape or key not in case.model.weights:
            continue
        stored = case.model.weights.spec(key)
        dtype = str(case.model.graph.attrs(name).get("dtype"))
        if stored.shape != shape or (stored.dtype and stored.dtype != dtype):
            wrong.append(
                (
                    name,
                    f"{dtype} {list(shape)}",
                    f"{stored.dtype} {list(stored.shape or ())}",
                )
            )
    if wrong:
        name, ours, theirs = wrong[0]
        more = f"; {len(wrong) - 1} more" if len(wrong) > 1 else ""
        yield Finding(
            "variable-differs",
            "error",
            f"{name!r} is {ours} in the graph and {theirs} in the checkpoint{more}",
            tuple(n for n, _, _ in wrong),
        )


def _prefix(missing: list[str], spare: list[str]) -> tuple[str, str] | None:
    """``(prefix in the graph, prefix in the checkpoint)`` under which most of the missing variables are there."""
    votes: Counter[tuple[str, str]] = Counter()
    stored = set(spare)
    for name in missing:
        parts = name.split("/")
        for cut in range(1, len(parts)):
            if "/".join(parts[cut:]) in stored:
                votes["/".join(parts[:cut]) + "/", ""] += 1
                break
    tails: dict[str, list[str]] = {}
    for key in spare:
        parts = key.split("/")
        for cut in range(1, len(parts)):
            tails.setdefault("/".join(parts[cut:]), []).append(
                "/".join(parts[:cut]) + "/"
            )
    for name in missing:
        for prefix in tails.get(name, ())[:8]:
            votes["", prefix] += 1
        head, _, rest = name.partition("/")
        for prefix in tails.get(rest, ())[:8] if rest else ():
            votes[head + "/", prefix] += 1
    if not votes:
        return None
    best, count = votes.most_common(1)[0]
    return best if count >= max(2, len(missing) // 2) or count == len(missing) else None


def _prefix_differs(case: Case, prefix: tuple[str, str], missing: list[str]) -> Finding:
    ours, theirs = prefix
    return Finding(
        "prefix-differs",
        "error",
        f"the variables are called {ours + '...'!r} in the graph and {theirs + '...'!r} in the checkpoint: "
        f"{len(missing)} of them, as {listed(missing, 2)}",
        tuple(missing),
        f"tf.train.init_from_checkpoint(CHECKPOINT, {{{theirs or '/'!r}: {ours or '/'!r}}})",
    )


def _spare(case: Case, spare: list[str]) -> Finding:
    roles = {v.name: v.role for v in case.model.variables}
    counts = Counter(roles.get(key, "weight") for key in spare)
    names = ", ".join(
        f"{n} {role}" + ("s" if n > 1 else "") for role, n in counts.items()
    )
    return Finding(
        "checkpoint-extra",
        "info",
        f"the checkpoint holds variables that the graph does not: {names}, as {listed(spare, 3)}",
        tuple(spare),
    )


def _roles(case: Case) -> Iterator[Finding]:
    variables = case.model.variables
    slots = any(v.role == "optimizer slot" for v in variables)
    if slots and all(v.role in _SIDE for v in variables):
        yield Finding(
            "optimizer-slots-only",
            "error",
            f"the checkpoint holds no weights: its {len(variables)} variables are optimizer slots and counters",
            tuple(v.name for v in variables),
        )
    averages = [v for v in variables if v.role == "moving average"]
    if averages:
        pairs = [(v.of, v.name) for v in averages if v.of]
        count = len({v.of for v in averages if v.of}) or len(averages)
        yield Finding(
            "moving-averages-stored",
            "info",
            f"the checkpoint holds moving averages of {count} weight{'s' * (count > 1)} beside the weights"
            f"{_farthest(case, pairs)}; evaluation often uses the averages",
            tuple(v.name for v in averages),
            _with_averages(case, averages),
        )


def _with_averages(case: Case, averages: list[Variable]) -> str:
    """The command that writes the averages; "" of those that an optimizer keeps in slots of its own, which none does."""
    if not any(v.name.endswith(_AVERAGED) for v in averages):
        return ""
    return f"graphscope freeze {case.model.source} -o frozen.pb --weights ema"


def _farthest(case: Case, pairs: list[tuple[str, str]]) -> str:
    if not case.read_weights:
        return ""
    worst, name = 0.0, ""
    weights = case.model.weights
    for weight, average in pairs:
        if weights.has_value(weight) and weights.has_value(average):
            a, b = case.model.weights[weight], case.model.weights[average]
            if a.shape == b.shape and a.size and a.dtype.kind == "f":
                scale = float(np.max(np.abs(a))) or 1.0
                gap = float(np.max(np.abs(a - b))) / scale
                release(a)
                release(b)
                worst, name = max((worst, name), (gap, weight))
    return (
        f" (farthest apart: {name!r}, {worst:.1%} of its largest value)" if name else ""
    )
