"""The layer table as data and text."""

from __future__ import annotations

import re

from graphscope.graph import Graph, Layer
from graphscope.graph.layer import WeightUse
from graphscope.render.cells.frame import total
from graphscope.render.table import format_table, to_table

from .drawn import hostile_graph, layer_graph, op_graph


def test_the_columns() -> None:
    graph, specs = layer_graph()
    frame = to_table(graph, specs)
    assert list(frame.columns) == [
        "layer",
        "type",
        "output shape",
        "parameters",
        "connected to",
        "config",
    ]
    assert frame["parameters"].sum() == 224 + 16 + 64 + 45
    assert frame.loc[1, "config"] == "filters=8, kernel_size=(3, 3), padding=same"


def test_the_text_sums_to_its_total() -> None:
    graph, specs = layer_graph()
    text = format_table(to_table(graph, specs))
    lines = text.splitlines()
    cells = [re.split(r"\s{2,}", line) for line in lines[2:-2]]
    numbers = [
        int(c.replace(",", ""))
        for row in cells
        for c in row
        if re.fullmatch(r"[\d,]+", c)
    ]
    assert lines[-1] == f"7 rows, {sum(numbers):,} parameters"


def test_a_notebook_shows_the_frame_escaped() -> None:
    page = to_table(hostile_graph())._repr_html_()
    assert (
        page
        and "<script" not in page
        and "onerror=alert"
        not in page.replace("&gt;", "").replace("&lt;img src=x onerror", "")
    )


def test_nothing_moves_the_cursor() -> None:
    text = format_table(to_table(hostile_graph()))
    assert not set(text) & set("\x1b\x07\x00\r")
    assert all(len(line) < 400 for line in text.splitlines())


def test_names_are_whole() -> None:
    graph = op_graph()
    name = "scope/" * 12 + "node"
    graph.add(name, graph.node("x"))
    assert name in format_table(to_table(graph))


def test_counts_beyond_64_bits_are_counted() -> None:
    """Fuzzing, seed 4242, case 6423: a checkpoint whose index claims 2 ** 71 elements ended in an OverflowError."""
    weights = {"kernel": WeightUse("w", (1 << 31, 1 << 40))}
    graph = Graph()
    graph.add("d", Layer("Dense", weights=weights))
    frame = to_table(graph)
    assert total(frame) == 1 << 71
    assert f"{1 << 71:,}" in format_table(frame)
