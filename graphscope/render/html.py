"""Graph -> one self-contained HTML page: what the model is, its drawing, its layers. No script, nothing loaded.

The page forbids scripts and outside resources by its own Content-Security-Policy, and every text from the file is
escaped besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import GraphscopeError
from ..graph import Layer, Node
from . import Drawing, renderer
from .cells.escape import for_html, shorten
from .cells.labels import brief
from .cells.rows import Row, rows_of
from .cells.spelling import bytes_text, shape_text, times
from .drawing.style import style_of

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
body{font:14px/1.45 system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif;color:#1f2933;margin:0;background:#fff}
main{max-width:1180px;margin:0 auto;padding:24px}
h1{font-size:24px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:17px;margin:32px 0 8px}
.sub,.dim{color:#66717d}.cards{display:flex;flex-wrap:wrap;gap:12px;margin:16px 0}
.card{border:1px solid #d5dae0;border-radius:8px;padding:8px 14px}.card b{display:block;font-size:18px}
.picture{border:1px solid #d5dae0;border-radius:8px;overflow:auto;max-height:80vh;padding:8px;text-align:center}
.picture svg{max-width:none;height:auto}
table{border-collapse:collapse;width:100%;font-size:13px}
th{position:sticky;top:0;background:#f5f7f9;text-align:left}
th,td{padding:4px 8px;border-bottom:1px solid #e4e7eb;vertical-align:top;overflow-wrap:anywhere}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.kind{display:inline-block;border-radius:4px;border:1px solid;padding:0 6px;white-space:nowrap}
details summary{cursor:pointer}code{font-size:12px}
.error{border-left:4px solid #c0392b}.warning{border-left:4px solid #d79a55}.info{border-left:4px solid #5b8fc7}
.finding{padding:4px 12px;margin:8px 0;background:#f8f9fa}pre{white-space:pre-wrap;margin:4px 0;font-size:12px}
@media print{.picture{max-height:none;overflow:visible}}
"""


def to_html(view: Drawing) -> str:
    """A page for the browser: summary, findings, drawing and layer table in one file."""
    rows = rows_of(view.graph, view.specs)
    title = view.title or "model"
    body = [
        f"<h1>{for_html(shorten(title, 200))}</h1>",
        *_summary(view, rows),
        *_findings(view.facts.get("findings") or ()),
        "<h2>Drawing</h2>",
        _picture(view),
        f"<h2>{'Nodes' if view.level == 'op' else 'Layers'}</h2>",
        _table(view, rows),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{for_html(shorten(title, 200))}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


def _summary(view: Drawing, rows: list[Row]) -> Iterable[str]:
    facts = view.facts
    lines = [str(facts[key]) for key in ("format", "producer") if facts.get(key)]
    if lines:
        yield f'<p class="sub">{for_html(", ".join(lines))}</p>'
    cards = {
        "parameters": f"{facts.get('parameters', sum(r.parameters for r in rows)):,}",
        "nodes" if view.level == "op" else "layers": f"{len(rows):,}",
    }
    if facts.get("bytes"):
        cards["weights"] = bytes_text(facts["bytes"])
    if view.level != "op" and facts.get("nodes"):
        cards["nodes in the file"] = f"{facts['nodes']:,}"
    shown = (
        f'<div class="card"><b>{v}</b>{for_html(k)}</div>' for k, v in cards.items()
    )
    yield f'<div class="cards">{"".join(shown)}</div>'
    yield from _ends("Inputs", view, facts.get("inputs"), view.inputs)
    yield from _ends("Outputs", view, facts.get("outputs"), view.outputs)
    for remark in facts.get("remarks") or ():
        yield f'<p class="dim">{for_html(str(remark))}</p>'


def _ends(
    heading: str,
    view: Drawing,
    ranked: Iterable[Mapping[str, Any]] | None,
    marked: Iterable[Any],
) -> Iterable[str]:
    """The inputs or outputs that are marked, each with what is known of it."""
    known = {str(each.get("tensor")): each for each in ranked or ()}
    lines = []
    for tensor in map(str, marked):
        document = known.get(tensor, {})
        shape = document.get("shape")
        spec = f"{document.get('dtype') or ''} {times(tuple(shape)) if shape is not None else ''}"
        because = "; ".join(map(str, document.get("evidence") or ()))
        lines.append(
            f"<tr><td><code>{for_html(tensor)}</code></td><td>{for_html(spec)}</td>"
            f'<td class="dim">{for_html(because)}</td></tr>'
        )
    if lines:
        yield f"<h2>{heading}</h2><table>{''.join(lines)}</table>"


def _findings(findings: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    shown = []
    for finding in findings:
        severity = str(finding.get("severity", "info"))
        kind = severity if severity in ("error", "warning") else "info"
        shown.append(
            f'<div class="finding {kind}"><b>{for_html(severity)}</b> '
            f"{for_html(str(finding.get('message', '')))}"
            f"<pre>{_lines(finding.get('remedy', ''))}</pre></div>"
        )
    if shown:
        yield f"<h2>Findings</h2>{''.join(shown)}"


def _lines(text: Any) -> str:
    return "\n".join(map(for_html, str(text).splitlines()))


def _picture(view: Drawing) -> str:
    try:
        drawn = renderer(".svg")(view)
    except GraphscopeError as error:
        return f'<p class="dim">No drawing: {for_html(str(error))}</p>'
    text = drawn.decode() if isinstance(drawn, bytes) else drawn
    return f'<div class="picture">{text[text.index("<svg") :]}</div>'


def _table(view: Drawing, rows: list[Row]) -> str:
    head = (
        "<tr><th>Name</th><th>Type</th><th>Config</th><th>Output</th>"
        '<th class="n">Parameters</th><th>Connected to</th></tr>'
    )
    total = sum(row.parameters for row in rows)
    foot = f'<tr><th colspan="4">total</th><th class="n">{total:,}</th><th></th></tr>'
    body = "\n".join(_row(view, row) for row in rows)
    return f"<table><thead>{head}</thead><tbody>\n{body}\n</tbody><tfoot>{foot}</tfoot></table>"


def _row(view: Drawing, row: Row) -> str:
    node = view.graph.node(row.name)
    style = style_of(node, view.level != "op")
    ink = "#fff" if style.fill.startswith("#3") else "#1f2933"
    kind = (
        f'<span class="kind" style="background:{style.fill};border-color:{style.line};color:{ink}">'
        f"{for_html(row.type)}</span>"
    )
    inputs = ", ".join(map(for_html, row.inputs))
    count = f"{row.parameters:,}" if row.parameters else ""
    return (
        f"<tr><td>{_named(row, node)}</td><td>{kind}</td><td>{for_html(brief(node))}</td>"
        f'<td>{for_html(times(row.shape))}</td><td class="n">{count}</td><td>{inputs}</td></tr>'
    )


def _named(row: Row, node: Node) -> str:
    """The name; behind it, folded, what the layer was recovered from."""
    if not isinstance(node, Layer):
        return for_html(row.name)
    uses = (
        f"{role}: {use.node or 'literal'} {shape_text(use.shape)}"
        for role, use in node.weights.items()
    )
    config = (f"{key} = {value}" for key, value in row.config.items())
    members = ", ".join(sorted(node.members)[:40])
    more = f" and {len(node.members) - 40} more" if len(node.members) > 40 else ""
    parts = [*config, *uses, *node.evidence, f"explains {members}{more}"]
    lines = "\n".join(map(for_html, parts))
    return (
        f"<details><summary>{for_html(row.name)}</summary><pre>{lines}</pre></details>"
    )


SUFFIXES = {".html": to_html, ".htm": to_html}
