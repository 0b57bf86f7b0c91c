"""CSV: read back by the csv module, no formula in any cell."""

from __future__ import annotations

import csv
import io

from graphscope.render import Drawing
from graphscope.render.csv import to_csv

from .drawn import hostile_graph, layer_graph


def test_read_back() -> None:
    graph, specs = layer_graph()
    rows = list(csv.DictReader(io.StringIO(to_csv(Drawing(graph, specs)))))
    assert [row["layer"] for row in rows] == list(graph)
    assert sum(int(row["parameters"]) for row in rows) == 349
    assert (
        rows[1]["kernel_size"] == "(3, 3)" and rows[1]["output shape"] == "[?,28,28,8]"
    )


def test_no_cell_is_a_formula() -> None:
    for row in csv.reader(io.StringIO(to_csv(Drawing(hostile_graph())))):
        assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in row)
