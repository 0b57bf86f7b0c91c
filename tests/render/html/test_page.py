"""The page: one file, one script that may run, and nothing in a model file that could become markup."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from graphscope.graph import Graph
from graphscope.render import Drawing, renderer
from graphscope.render.drawing.style import STYLES
from graphscope.render.html.altitude import FAMILIES
from graphscope.render.html.notebook import to_card

from ..drawn import HOSTILE, hostile_graph, layer_graph, op_graph, random_graph

TAGS = set(
    "html head meta title style body header h1 span button input main svg defs marker path g div canvas aside "
    "noscript p script".split()
)


class Page(HTMLParser):
    """Every element and attribute, and the texts of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.meta: dict[str, str] = {}
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.last = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        values = dict(attrs)
        if tag == "meta" and values.get("http-equiv"):
            self.meta[str(values["http-equiv"])] = str(values["content"])
        self.last = tag

    def handle_data(self, data: str) -> None:
        if self.last in ("script", "style") and data.strip():
            (self.scripts if self.last == "script" else self.styles).append(data)
        self.last = ""


def page_of(view: Drawing) -> tuple[Page, dict[str, Any]]:
    """The parsed page, and the document packed in it."""
    text = renderer(".html")(view)
    assert isinstance(text, str)
    page = Page(text)
    packed = page.scripts[0]
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed)
    return page, json.loads(gzip.decompress(base64.b64decode(packed)))


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def assert_closed(page: Page) -> None:
    """Nothing may run or load but the one script and the one style, as they stand."""
    policy = page.meta["Content-Security-Policy"]
    (style,), (_, script) = page.styles, page.scripts
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest(script)}';" in policy
    assert f"style-src 'sha256-{digest(style)}';" in policy
    assert page.tags <= TAGS, page.tags - TAGS
    assert not [
        a
        for a in page.attributes
        if a.startswith("on") or a in ("src", "href", "style")
    ]
    for word in ("http://", "https://", "fetch(", "XMLHttpRequest", "eval(", "import("):
        assert word not in script + style


def test_the_page_holds_all_that_is_known() -> None:
    graph, specs = layer_graph()
    finding = {"severity": "error", "message": "it broke", "remedy": "mend it\nso"}
    facts = {
        "format": "GraphDef",
        "parameters": 349,
        "inputs": [{"tensor": "images:0", "shape": [None, 28, 28, 3]}],
        "findings": [finding | {"node": ["a", "b"]}, finding | {"node": "fc"}],
        "remarks": ["a note"],
    }
    view = Drawing(graph, specs, "layer", "net", ("images:0",), ("fc:0",), facts=facts)
    page, document = page_of(view)
    assert_closed(page)
    assert document["facts"]["parameters"] == 349
    assert [f["places"] for f in document["findings"]] == [["a", "b"], ["fc"]]
    (layers,) = document["views"]
    texts = document["texts"]
    names = [texts[i] for i in layers["nodes"]["name"]]
    assert names == "images conv1 bn1 relu1 conv2 add fc".split()
    weights = [texts[i] for i in layers["weights"]["name"]]
    assert weights == [
        "conv1/kernel",
        "conv1/bias",
        "bn1/gamma",
        "bn1/beta",
        "conv2/kernel",
        "fc/kernel",
        "fc/bias",
    ]
    marks = {names[r]: texts[i] for r, i in enumerate(layers["nodes"]["mark"]) if i}
    assert marks == {"images": "input", "fc": "output"}
    assert "3×3, 8, same" in texts and document["statistics"] is None
    assert sum(layers["nodes"]["size"]) == 349


def test_a_card_leaves_out_what_is_hardly_an_output() -> None:
    outputs = [
        {"tensor": f"out{i}:0", "score": score} for i, score in enumerate([0.9, 0.04])
    ]
    assert "out0" in to_card("m", {"outputs": outputs})
    assert "out1" not in to_card("m", {"outputs": outputs})
    assert "out1" in to_card("m", {"outputs": outputs[1:]}), "better than nothing"


def test_constants_variables_and_their_readers_are_in_the_page() -> None:
    """They are drawn inside who reads them, and can be searched for all the same."""
    _, document = page_of(Drawing(op_graph(), level="op"))
    texts, view = document["texts"], document["views"][0]
    known = {texts[i] for k in ("name", "via") for i in view["weights"][k]}
    known |= {texts[i] for i in view["nodes"]["name"]}
    assert set(op_graph()) <= known


@pytest.mark.parametrize("scopes", [True, False])
def test_no_group_is_wider_than_a_page(scopes: bool) -> None:
    """However many items a scope or a role has."""
    graph = random_graph(3000, scopes=scopes)
    for i in range(500):
        graph.add(
            f"init/{i}",
            (
                graph.node("s0/t0/n0")
                if "s0/t0/n0" in graph
                else graph.node(next(iter(graph)))
            ),
        )
    roles = {name: "initialiser" for name in graph if name.startswith("init/")}
    _, document = page_of(Drawing(graph, level="op", roles=roles))
    view = document["views"][0]
    count = [0] * len(view["depth"])
    path: list[int] = []
    for item, depth in enumerate(view["depth"]):
        del path[depth:]
        if path:
            count[path[-1]] += 1
        path.append(item)
    assert max(count) <= 60
    assert sum(view["rows"]) == len(view["nodes"]["name"]) == len(graph)


@pytest.mark.parametrize("as_layers", [False, True])
def test_no_name_becomes_markup(as_layers: bool) -> None:
    finding = {"severity": HOSTILE[1], "message": HOSTILE[0], "remedy": HOSTILE[2]}
    facts = {"format": HOSTILE[0], "remarks": HOSTILE, "findings": [finding]}
    facts["outputs"] = [
        {"tensor": HOSTILE[0], "dtype": HOSTILE[1], "evidence": HOSTILE}
    ]
    level = "layer" if as_layers else "op"
    graph = hostile_graph(as_layers)
    view = Drawing(graph, {}, level, HOSTILE[0], HOSTILE[:3], HOSTILE[:3], facts=facts)
    page, document = page_of(view)
    assert_closed(page)
    shown = json.dumps(document, ensure_ascii=False)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", shown)


def test_an_empty_graph_has_a_page() -> None:
    page, document = page_of(Drawing(Graph()))
    assert_closed(page)
    assert document["views"][0]["depth"] == [0]


def test_every_family_has_a_colour() -> None:
    page, _ = page_of(Drawing(Graph()))
    assert set(STYLES) <= set(FAMILIES)
    for family in FAMILIES:
        assert f"--{family}:light-dark(" in page.styles[0]
