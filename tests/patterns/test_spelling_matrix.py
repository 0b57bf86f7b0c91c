"""Every layer of issue 6 in every spelling: rows are layers, columns are ecosystems (``matrix/``)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from . import matrix
from .matrix.cell import Cell, check

COLUMNS = [
    module.COLUMN
    for module in (
        import_module(f"{matrix.__name__}.{info.name}")
        for info in iter_modules(matrix.__path__)
    )
    if hasattr(module, "COLUMN")
]
CELLS: list[Cell] = [cell for column in COLUMNS for cell in column.cells]


def marked(cell: Cell) -> Any:
    """What Grappler makes of whole libraries is slow for its number alone."""
    again = cell.column == "Grappler" and cell.row.startswith(("slim", "Keras"))
    return pytest.param(cell, marks=[pytest.mark.slow] if again else [], id=str(cell))


@pytest.mark.parametrize("cell", map(marked, CELLS))
def test_cell(cell: Cell, tmp_path: Path) -> None:
    check(cell, tmp_path)
