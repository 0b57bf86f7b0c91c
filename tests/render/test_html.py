"""HTML: parses, stands alone, and nothing in a model file can run in it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from graphscope.errors import GraphscopeError
from graphscope.render import Drawing, html, renderer

from .drawn import HOSTILE, hostile_graph, layer_graph

VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Every element and attribute, and whether what is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(view: Drawing) -> Page:
    text = renderer(".html")(view)
    assert isinstance(text, str)
    page = Page(text)
    assert not page.open
    return page


def assert_harmless(page: Page) -> None:
    assert not page.tags & {"script", "img", "iframe", "object", "link", "form", "base"}
    assert not [
        a
        for a in page.attributes
        if a.startswith("on") or a in ("src", "href", "xlink:href")
    ]


def test_the_page_says_it_all() -> None:
    graph, specs = layer_graph()
    facts = {
        "format": "GraphDef",
        "parameters": 349,
        "bytes": 1396,
        "nodes": 60,
        "inputs": [
            {
                "tensor": "images:0",
                "dtype": "float32",
                "shape": [None, 28, 28, 3],
                "evidence": ["a placeholder"],
            }
        ],
        "findings": [
            {"severity": "error", "message": "it broke", "remedy": "mend it\nso"}
        ],
        "remarks": ["a note"],
    }
    view = Drawing(
        graph,
        specs,
        "layer",
        "net",
        inputs=("images:0",),
        outputs=("fc:0",),
        facts=facts,
    )
    page = page_of(view)
    for said in (
        "GraphDef",
        "349",
        "1.4 kB",
        "a placeholder",
        "it broke",
        "mend it",
        "a note",
        "conv1",
        "3×3, 8, same",
    ):
        assert said in page.text
    assert "svg" in page.tags
    assert_harmless(page)


@pytest.mark.parametrize("as_layers", [False, True])
def test_no_name_can_run(as_layers: bool) -> None:
    facts = {
        "format": HOSTILE[0],
        "remarks": HOSTILE,
        "nodes": 1,
        "findings": [
            {"severity": HOSTILE[1], "message": t, "remedy": t} for t in HOSTILE
        ],
        "outputs": [
            {
                "tensor": HOSTILE[0],
                "dtype": HOSTILE[1],
                "shape": [1],
                "evidence": HOSTILE,
            }
        ],
    }
    graph = hostile_graph(as_layers)
    view = Drawing(
        graph,
        {},
        "layer" if as_layers else "op",
        HOSTILE[0],
        HOSTILE[:3],
        HOSTILE[:3],
        facts=facts,
    )
    assert_harmless(page_of(view))


def test_without_an_engine_there_is_still_a_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(suffix: str) -> object:
        raise GraphscopeError("no layout engine")

    monkeypatch.setattr(html, "renderer", none)
    assert "no layout engine" in Page(html.to_html(Drawing(layer_graph()[0]))).text
