"""How a notebook shows a layer, a variable, a model: small tables of plain HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LONGEST = 200  # characters of a cell
MOST = 60  # rows of a list
_LEFT = ' style="text-align:left"'  # notebooks set tables flush right


def pairs_table(title: str, pairs: Mapping[str, object]) -> str:
    """A table of two columns; what is empty is left out."""
    rows = [(key, value) for key, value in pairs.items() if value not in (None, "", ())]
    return rows_table((title, ""), rows, len(rows))


def rows_table(
    head: Sequence[str], rows: Iterable[Sequence[Any]], most: int = MOST
) -> str:
    """A table; beyond ``most`` the rows are counted."""
    lines = list(rows)
    top = "".join(f"<th{_LEFT}>{_cell(each)}</th>" for each in head)
    body = "".join(
        f"<tr>{''.join(f'<td{_LEFT}>{_cell(each)}</td>' for each in row)}</tr>"
        for row in lines[:most]
    )
    more = len(lines) - most
    foot = f"<p>and {more:,} more</p>" if more > 0 else ""
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{foot}"


def _cell(value: object) -> str:
    from html import escape

    text = str(value)
    return escape(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
