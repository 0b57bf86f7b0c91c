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


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_cell(cell: Cell, tmp_path: Path, request: Any) -> None:
    check(cell, tmp_path)
