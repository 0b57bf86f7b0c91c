"""Graph -> Markdown: the layer table for a README or an issue."""

from __future__ import annotations

from . import View
from .escape import for_markdown, shorten
from .frame import cells, to_table, total

COLUMNS = ("Layer", "Type", "Output shape", "Parameters", "Connected to", "Config")
WIDTHS = (60, 40, 40, 20, 120, 160)


def to_markdown(view: View) -> str:
    """The layer table as GitHub-flavoured Markdown."""
    frame = to_table(view.graph, view.specs)
    lines = [f"# {for_markdown(view.title)}", ""] if view.title else []
    lines += [_line(COLUMNS), _line(("---", "---", "---", "---:", "---", "---"))]
    for row in cells(frame):
        short = (shorten(cell, width) for cell, width in zip(row, WIDTHS, strict=True))
        lines.append(_line(tuple(map(for_markdown, short))))
    lines.append(_line(("**total**", "", "", f"**{total(frame):,}**", "", "")))
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


SUFFIXES = {".md": to_markdown}
