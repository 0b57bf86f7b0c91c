"""Graph -> the layer table as text for a terminal (tabulate)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..graph import Graph, Layer, Tensor, TensorSpec
from .cells import frame as frames
from .cells.escape import shorten, visible

if TYPE_CHECKING:
    from pandas import DataFrame

WIDTHS = (100, 40, 40, 20, 48, 76)  # of the columns, at most


def to_table(
    what: Graph | Iterable[Layer], specs: Mapping[Tensor, TensorSpec] = {}
) -> DataFrame:
    """The layer table as data; see ``frame.to_table``."""
    return frames.to_table(what, specs)


def format_table(frame: DataFrame, *, full: bool = False) -> str:
    """The table as text, its parameters summed up below; long cells are shortened unless ``full``.

    Nothing that a file holds can move the cursor or set a colour: control characters are spelled out.
    """
    from tabulate import tabulate

    rows = [
        [
            visible(cell) if full else shorten(visible(cell), width)
            for cell, width in zip(row, WIDTHS, strict=True)
        ]
        for row in frames.cells(frame)
    ]
    text = tabulate(
        rows,
        headers=list(frames.COLUMNS),
        tablefmt="simple",
        disable_numparse=True,
        colalign=("left", "left", "left", "right", "left", "left"),
    )
    count = len(rows)
    unit = "row" if count == 1 else "rows"
    return f"{text.rstrip()}\n\n{count:,} {unit}, {frames.total(frame):,} parameters\n"
