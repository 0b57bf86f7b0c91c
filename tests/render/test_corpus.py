"""Every published graph goes into every format, and no drawing has more than a page of boxes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from graphscope import render
from graphscope.errors import GraphscopeError
from graphscope.graph import Graph
from graphscope.read import load
from graphscope.read.text.grammar import graph_from_text
from graphscope.render.text import to_text

from ..conftest import CORPUS

KINDS = ("frozen_pb", "graphdef", "metagraph", "savedmodel", "hub_module")
SUFFIXES = (".dot", ".svg", ".txt", ".json", ".csv", ".md", ".html")


def graphs() -> list[str]:
    index = CORPUS / "INDEX.tsv"
    if not index.exists():
        return []
    with index.open() as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["path"] for row in rows if row["kind"].startswith(KINDS)]


def sampled(path: str) -> object:
    """A parameter that only runs when all do, but for one graph in seven."""
    quick = graphs().index(path) % 7 == 0
    return pytest.param(path, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize("path", map(sampled, graphs()))
def test_every_graph_in_every_format(corpus: Path, path: str, tmp_path: Path) -> None:
    model = load(corpus / path)
    view = render.Drawing(model.graph, title=path, model=model)
    for suffix in SUFFIXES:
        try:
            written = render.write(view, tmp_path / f"graph{suffix}")
        except GraphscopeError as error:
            assert "layout engine" in str(error)
            continue
        assert written.stat().st_size < 100_000_000
    assert_readable(tmp_path, model.graph)


def assert_readable(folder: Path, graph: Graph) -> None:
    assert (folder / "graph.dot").read_text().count("tooltip=") <= 300
    written = (folder / "graph.txt").read_text()
    lines = [line for line in written.splitlines() if line and line[0] != "#"]
    back = to_text(graph_from_text(written)).splitlines()
    assert back[1:] == lines[: len(graph)]
    nodes = json.loads((folder / "graph.json").read_text())["nodes"]
    assert {node["name"] for node in nodes} == set(graph)
    with (folder / "graph.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["parameters"]) for row in rows) == sum(
        n["parameters"] for n in nodes
    )
