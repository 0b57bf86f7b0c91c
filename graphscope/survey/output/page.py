"""Rows and relations -> one HTML page with nothing outside of it: a table to sort and to filter, and the groups of relatives.

All that comes from files is data in a JSON block, in which no ``<`` stands, and reaches the page as text alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...graph.named_values import Row

MOST_ROWS = 20_000  # that a browser still sorts at once
_TEMPLATE = Path(__file__).with_name("page.html")
_ROWS, _NOTE = "/*ROWS*/", "<!--NOTE-->"


def page_of(
    rows: Sequence[Row], relations: Iterable[tuple[str, str, str]], more: int = 0
) -> str:
    """The page of some models, with a word about ``more`` of them that are not on it."""
    of = {place: (what, other) for place, what, other in relations}
    shown = [_shown(row, of.get(row["place"])) for row in rows]
    note = f"{more:,} more models are in the catalogue: graphscope survey --query SQL"
    text = _TEMPLATE.read_text(encoding="utf-8")
    text = text.replace(_NOTE, note if more > 0 else "", 1)
    return text.replace(_ROWS, _json(shown), 1)


def _json(value: object) -> str:
    """JSON that a script block can hold: nothing in it ends the block or begins a comment."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _shown(row: Row, relation: tuple[str, str] | None) -> list[Any]:
    """The cells of a row, in the order of the page's columns."""
    layers = ", ".join(f"{e['count']} {e['class']}" for e in row["layers"] or ())
    findings = ", ".join(dict.fromkeys(f["id"] for f in row["findings"] or ()))
    what, other = relation or ("", "")
    return [
        row["place"],
        row["format"] or "",
        row["family"] or "",
        row["nodes"] or 0,
        row["parameters"] or 0,
        row["size"] or 0,
        _ends(row["inputs"]),
        _ends(row["outputs"]),
        layers,
        findings,
        ", ".join(row["targets"] or ()),
        what,
        other,
        row["error"],
        row["seconds"] or 0,
    ]


def _ends(ends: Iterable[Row] | None) -> str:
    texts = []
    for end in list(ends or ())[:3]:
        score = f" ({end['score']:.2f})" if "score" in end else ""
        texts.append(f"{end['tensor']} {end['dtype']} {end['shape']}{score}")
    return "; ".join(texts)
