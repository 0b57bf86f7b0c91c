"""Findings on the outputs that were asked for: they must exist, and be computed by the model."""

from __future__ import annotations

from collections.abc import Iterator

from ...graph import Tensor, did_you_mean
from ..finding import Case, Finding, listed
from ..outputs.answer import freeze_command, short
from ..training.op_kinds import SOURCES, VARIABLES

_MEASURES = ("loss", "metric", "label")


def find(case: Case) -> Iterator[Finding]:
    for name in case.wanted:
        yield from _check(case, name)
    only_fed = all(map(SOURCES.match, case.study.flow.ops))
    if not case.wanted and not case.outputs and not only_fed:
        yield _unclear(case)


def _check(case: Case, name: str) -> Iterator[Finding]:
    tensor = Tensor.parse(name)
    graph = case.flat.graph
    if tensor.node not in graph:
        yield _missing(case, name, tensor)
        return
    op = graph.op(tensor.node)
    if SOURCES.match(op):
        yield _placeholder(case, tensor, op)
    elif op in VARIABLES or op == "Const":
        yield Finding(
            "output-is-weight",
            "error",
            f"{tensor.node!r} is a {op}: it holds values and computes nothing from the input",
            (tensor.node,),
            _instead(case),
        )
    elif tensor.node in case.roles:
        yield _training_only(case, tensor, case.roles[tensor.node])


def _missing(case: Case, name: str, tensor: Tensor) -> Finding:
    graph = case.flat.graph
    bare = tensor.node.removeprefix("import/").removesuffix(":0")
    near = _near(case, bare)
    hint = (
        "; it holds " + ", ".join(f"{n!r} ({_part(case, n)})" for n in near)
        if near
        else did_you_mean(bare, graph) + _ranked(case)
    )
    remedy = freeze_command(case.model.source, near[:1]) if near else _instead(case)
    return Finding(
        "output-missing",
        "error",
        f"the graph has no node {name!r}{hint}",
        (name,),
        remedy,
    )


def _ranked(case: Case) -> str:
    """What is there instead of a name that is nowhere: a Python variable's, most likely."""
    outputs = [short(c.tensor) for c in case.candidates.outputs[:3]]
    likely = f"; its likely outputs are {listed(outputs)}" if outputs else ""
    return f"; names of Python variables are no names of nodes{likely}"


def _near(case: Case, name: str) -> list[str]:
    """Nodes whose name is this one less some scopes, or with more before it; those that can be outputs first."""
    graph, parts = case.flat.graph, name.split("/")
    shorter = ["/".join(parts[cut:]) for cut in range(len(parts))]
    names = [n for n in shorter if n in graph]
    names += [n for n in graph if n.endswith("/" + name)]
    names += [n for n in graph if n.endswith("/" + parts[-1]) and n not in names]
    usable = [
        n for n in names if n not in case.roles and not SOURCES.match(graph.op(n))
    ]
    return (usable + [n for n in names if n not in usable])[:3]


def _part(case: Case, name: str) -> str:
    return case.roles.get(name, case.flat.graph.op(name))


def _placeholder(case: Case, tensor: Tensor, op: str) -> Finding:
    kinds = {c.tensor.node: c.kind for c in case.candidates.inputs}
    kind = kinds.get(tensor.node, "input")
    texts = {
        "label": "a label that whoever trains the model feeds",
        "data": "what the model is fed",
    }
    return Finding(
        "output-is-placeholder",
        "error",
        f"{tensor.node!r} is a {op}, {texts.get(kind, kind)}: freezing it gives back what goes in",
        (tensor.node,),
        _instead(case),
    )


def _training_only(case: Case, tensor: Tensor, role: str) -> Finding:
    severity = "warning" if role in _MEASURES else "error"
    why = (
        "it measures the prediction and needs the labels"
        if role in _MEASURES
        else "it serves training and saving only"
    )
    return Finding(
        f"output-is-{role.replace(' ', '-')}",
        severity,
        f"{tensor.node!r} is part of the {role} side of the graph: {why}",
        (tensor.node,),
        _instead(case),
    )


def _instead(case: Case) -> str:
    best = [short(c.tensor) for c in case.candidates.best() if c.score >= 0.5]
    return freeze_command(case.model.source, best) if best else ""


def _unclear(case: Case) -> Finding:
    ranked = [str(c.tensor) for c in case.candidates.outputs]
    guesses = f"; the best guesses are {listed(ranked)}" if ranked else ""
    needs = [r for r in case.candidates.remarks if r.startswith("Viterbi")]
    whys = [r for r in case.candidates.remarks if r not in needs]
    why = "; ".join(r.removeprefix("no output stands out: ") for r in whys)
    return Finding(
        "output-unclear",
        "warning",
        f"no output stands out{guesses}" + (f": {why}" if why else ""),
        tuple(Tensor.parse(name).node for name in ranked[:4]),
        f"graphscope outputs {case.model.source}",
    )
