"""The registry of formats, and writing a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphscope import render
from graphscope.errors import GraphscopeError

from .drawn import HOSTILE, hostile_graph, layer_graph, op_graph

TEXTS = (".dot", ".txt", ".json", ".csv", ".md")


def test_every_format_is_described() -> None:
    known = render.formats()
    assert {*TEXTS, ".svg", ".png", ".pdf", ".html"} <= set(known)
    assert all(known.values())


def test_a_suffix_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="serves '.dot'"):
        render._join({".dot": render.renderer(".dot")}, {".dot": str}, "other")


def test_an_unknown_suffix_names_the_known_ones() -> None:
    with pytest.raises(GraphscopeError, match=r"\.csv"):
        render.renderer(".bmp")
    assert render.renderer(".SVG") is render.renderer(".svg")


@pytest.mark.parametrize("suffix", TEXTS)
def test_write_replaces_the_file_and_leaves_nothing_else(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_text("old")
    graph, specs = layer_graph()
    assert render.write(render.Drawing(graph, specs), path) == path
    assert "conv1" in path.read_text() and list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(GraphscopeError, match="cannot write"):
        render.write(render.Drawing(op_graph()), tmp_path / "missing" / "x.txt")


@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize("as_layers", [False, True])
def test_hostile_texts_go_through_every_format(suffix: str, as_layers: bool) -> None:
    view = render.Drawing(
        hostile_graph(as_layers), title=HOSTILE[0], outputs=(HOSTILE[2],)
    )
    text = render.renderer(suffix)(view)
    assert isinstance(text, str)
    assert not any(c in text for c in "\x1b\x07\x00\u202e\udcff")
    text.encode()


@pytest.mark.parametrize("suffix", TEXTS)
def test_an_empty_graph_is_drawn(suffix: str) -> None:
    from graphscope.graph import Graph

    assert isinstance(render.renderer(suffix)(render.Drawing(Graph())), str)
