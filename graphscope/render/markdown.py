"""Graph -> Markdown: the layer table for a README or an issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..graph import Function
from ..graph.amounts import bytes_text
from . import Drawing
from .cells.bodies import GIVENS, Body, bodies_of
from .cells.escape import for_markdown, shorten
from .cells.frame import cells, to_table, total
from .cells.rows import rows_of
from .cells.spelling import times

COLUMNS = ("Layer", "Type", "Output shape", "Parameters", "Connected to", "Config")
_NO_USE = ("file name", "not needed")
INSIDE = ("Op", "Type", "Output shape", "Reads", "Is")
_STEPS, _KINDS = 60, 12  # ops of a loop's body that are listed; kinds that are counted
_RANKED = 6  # candidates that are listed
WIDTHS = (60, 40, 40, 20, 120, 160)


def to_markdown(view: Drawing) -> str:
    """A report in GitHub-flavoured Markdown: what the model is, its findings, its layer table."""
    frame = to_table(view.graph, view.specs)
    lines = [f"# {for_markdown(view.title)}", ""] if view.title else []
    layered = view.model is not None and view.model.layered
    lines += _report(view.facts, layered)
    lines += [_line(COLUMNS), _line(("---", "---", "---", "---:", "---", "---"))]
    for row in cells(frame):
        short = (shorten(cell, width) for cell, width in zip(row, WIDTHS, strict=True))
        lines.append(_line(tuple(map(for_markdown, short))))
    lines.append(_line(("**total**", "", "", f"**{total(frame):,}**", "", "")))
    for name in frame["layer"]:
        for body in bodies_of(view.graph.node(name), _functions(view)):
            lines += _inside(name, body)
    return "\n".join(lines) + "\n"


def _functions(view: Drawing) -> Mapping[str, Function]:
    return view.model.functions if view.model is not None else {}


def _inside(name: str, body: Body) -> Iterator[str]:
    """What a loop or a cell computes in a turn: its ops in order, counted where they are many."""
    yield from (
        "",
        f"### {body.title[0].upper()}{body.title[1:]} of {for_markdown(shorten(name, 60))}",
        "",
    )
    rows = [row for row in rows_of(body.graph, body.specs) if row.type not in GIVENS]
    if len(rows) > _STEPS:
        counted = ", ".join(f"{n} {op}" for op, n in body.ops().most_common(_KINDS))
        yield f"{len(rows)} ops: {for_markdown(counted)}"
        return
    yield from (_line(INSIDE), _line(("---",) * len(INSIDE)))
    for row in rows:
        inputs = ", ".join(row.inputs)
        texts = (row.name, row.type, times(row.shape), inputs, body.marks.get(row.name))
        short = (shorten(t or "", w) for t, w in zip(texts, WIDTHS, strict=False))
        yield _line(tuple(map(for_markdown, short)))


def _report(facts: Mapping[str, Any], layered: bool) -> Iterator[str]:
    """What ``inspect`` says, as far as it is given."""
    origin = [str(facts[key]) for key in ("format", "producer") if facts.get(key)]
    if origin:
        yield from (for_markdown(", ".join(origin)) + ".", "")
    yield from _read_and_inferred(facts, layered)
    for heading, ranked in (("Inputs", "inputs"), ("Outputs", "outputs")):
        listed = [e for e in facts.get(ranked) or () if e.get("kind") not in _NO_USE]
        yield from [f"## {heading}", ""] if listed else []
        yield from map(_candidate, listed[:_RANKED])
        yield from [""] if listed else []
    findings = list(facts.get("findings") or ())
    yield from ["## Findings", ""] if findings else []
    for finding in findings:
        message = for_markdown(str(finding.get("message", "")))
        yield f"- **{for_markdown(str(finding.get('severity', '')))}**: {message}"
    yield from [""] if findings else []
    yield from ["## Layers", ""] if origin else []


def _read_and_inferred(facts: Mapping[str, Any], layered: bool) -> Iterator[str]:
    """What stands in the file, what was concluded from it, and what it holds only for training."""
    if not facts.get("format"):
        return
    variables = _counted(facts.get("variables") or {})
    nodes = 0 if facts.get("inferred") else facts.get("nodes") or 0
    read = [f"{nodes:,} {'layers' if layered else 'nodes'}"] if nodes else ["no graph"]
    read += [f"variables: {variables}"] if variables else []
    sizes = f"{facts.get('parameters', 0):,} parameters, {bytes_text(facts.get('bytes') or 0)}"
    yield f"- **Read** from the file: {for_markdown('; '.join([*read, sizes]))}."
    if facts.get("inferred"):
        yield "- **Inferred** from names and shapes: the layers. How they are wired is not in the file."
    elif not layered:
        yield "- **Inferred**: which tensors are inputs and outputs, and the layers, from what is computed."
    roles = _counted(facts.get("roles") or {})
    if roles:
        yield f"- **Only for training**: {for_markdown(roles)}."
    for each in (facts.get("training") or {}).get("optimizers", ()):
        yield f"- **Trained by** {for_markdown(each['text'])}."
    family = facts.get("family")
    if family:
        words = f"{family['name']} {family.get('variant') or ''}".strip()
        because = "; ".join(family.get("evidence") or ())
        yield f"- **Known architecture**: {for_markdown(words)} ({for_markdown(because)})."
    for remark in facts.get("remarks") or ():
        yield f"- {for_markdown(str(remark))}"
    yield ""


def _counted(counts: Mapping[str, int]) -> str:
    """``22 optimizer slot, 10 weight``."""
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _candidate(each: Mapping[str, Any]) -> str:
    shape = each.get("shape")
    spec = (
        f"{each.get('dtype') or ''} {times(tuple(shape)) if shape is not None else ''}"
    )
    because = "; ".join(map(str, each.get("evidence") or ()))
    kind = f" ({each['kind']})" if each.get("kind") else ""
    text = f"{spec.strip()}{kind}: {because}" if because else f"{spec.strip()}{kind}"
    return (
        f"- {for_markdown(str(each.get('tensor', '')))} {for_markdown(text)}".rstrip()
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


SUFFIXES = {".md": to_markdown}
