"""Pictures: by whichever engine there is, in a process of its own, with a clear word where there is none."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from graphscope import render
from graphscope.errors import GraphscopeError
from graphscope.render import picture

from .drawn import hostile_graph, layer_graph

pytest.importorskip("pygraphviz")


def test_svg_png_and_pdf(tmp_path: Path) -> None:
    graph, specs = layer_graph()
    view = render.Drawing(graph, specs, title="net")
    heads = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}
    for suffix, head in heads.items():
        path = render.write(view, tmp_path / f"net{suffix}")
        assert path.read_bytes().startswith(head)
    texts = [e.text for e in ET.parse(tmp_path / "net.svg").iter() if e.text]
    assert {"Conv2D", "conv1", "net"} <= set(texts)


@pytest.mark.parametrize("as_layers", [False, True])
def test_hostile_names_make_no_element(as_layers: bool) -> None:
    view = render.Drawing(hostile_graph(as_layers))
    svg = render.renderer(".svg")(view)
    tags = {e.tag.rpartition("}")[2] for e in ET.fromstring(svg).iter()}
    assert tags <= {
        "svg",
        "g",
        "title",
        "polygon",
        "polyline",
        "path",
        "text",
        "a",
        "ellipse",
    }
    for element in ET.fromstring(svg).iter():
        names = {name.rpartition("}")[2] for name in element.attrib}
        assert not {n for n in names if n.startswith("on") or n == "href"}


def test_the_bundled_engine_works_without_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert picture.to_svg("digraph { a -> b }").startswith("<svg")


def test_no_engine_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(picture, "find_spec", lambda name: None)
    with pytest.raises(GraphscopeError, match="install Graphviz"):
        picture.draw("digraph {}")


def test_damage_and_time_are_one_line() -> None:
    with pytest.raises(GraphscopeError, match="layout engine failed"):
        picture.draw("no graph {{{")
    with pytest.raises(GraphscopeError, match="took more than"):
        picture.draw("digraph { a }", seconds=0.0001)
