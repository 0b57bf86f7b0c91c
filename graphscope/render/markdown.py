"""Graph -> Markdown: the layer table for a README or an issue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import Drawing
from .cells.escape import for_markdown, shorten
from .cells.frame import cells, to_table, total
from .cells.spelling import times

COLUMNS = ("Layer", "Type", "Output shape", "Parameters", "Connected to", "Config")
_NO_USE = ("file name", "not needed")
_RANKED = 6  # candidates that are listed
WIDTHS = (60, 40, 40, 20, 120, 160)


def to_markdown(view: Drawing) -> str:
    """A report in GitHub-flavoured Markdown: what the model is, its findings, its layer table."""
    frame = to_table(view.graph, view.specs)
    lines = [f"# {for_markdown(view.title)}", ""] if view.title else []
    lines += _report(view.facts)
    lines += [_line(COLUMNS), _line(("---", "---", "---", "---:", "---", "---"))]
    for row in cells(frame):
        short = (shorten(cell, width) for cell, width in zip(row, WIDTHS, strict=True))
        lines.append(_line(tuple(map(for_markdown, short))))
    lines.append(_line(("**total**", "", "", f"**{total(frame):,}**", "", "")))
    return "\n".join(lines) + "\n"


def _report(facts: Mapping[str, Any]) -> Iterator[str]:
    """What ``inspect`` says, as far as it is given."""
    origin = [str(facts[key]) for key in ("format", "producer") if facts.get(key)]
    if origin:
        yield from (for_markdown(", ".join(origin)) + ".", "")
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
