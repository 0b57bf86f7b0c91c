"""Graph -> one self-contained page: the model as a map that people fold, search and ask, and tables linked to it.

The page's Content-Security-Policy allows the one script and the one style by their hashes and nothing else: no network, no
resource, no inline attribute. What comes from the file is data, packed, and is escaped by the script where it is shown.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from ...graph import Graph, Layer, Tensor
from .. import Drawing
from ..cells.escape import for_html, shorten
from ..cells.spelling import size_of, times
from .altitude import FAMILIES, Altitude, Known
from .insides import Insides
from .texts import Texts, plain

SCRIPTS = ("data", "layout", "draw", "panel", "tables", "page")
_TITLES = {"block": "Blocks", "layer": "Layers", "op": "Operations"}
_CANDIDATES = 12  # inputs and outputs that the overview may list
_SHORT = 120  # characters of the title


def to_html(view: Drawing) -> str:
    """A page for the browser: the model as a map to explore, with tables of its layers, variables and findings."""
    title = shorten(view.title or "model", _SHORT)
    script = "".join(_asset(f"{name}.js") for name in SCRIPTS)
    style = _asset("style.css") + _colours()
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _asset("page.html")
    for key, text in {
        "POLICY": policy,
        "TITLE": for_html(title),
        "STYLE": style,
        "SCRIPT": script,
        "DATA": _packed(document_of(view)),
    }.items():
        page = page.replace(f"@{key}@", text)
    return page


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """How a Content-Security-Policy names a text that may run."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _colours() -> str:
    rules = (
        f".f-{f}{{fill:var(--{f})}}.l-{f}{{background:var(--{f})}}" for f in FAMILIES
    )
    return "".join(rules)


def _packed(document: Mapping[str, object]) -> str:
    text = json.dumps(document, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def document_of(view: Drawing) -> dict[str, Any]:
    """All that the page knows, as plain values; texts of the graph stand once in ``texts``."""
    texts = Texts()
    altitudes = dict(view.altitudes) or {view.level: view.graph}
    statistics, numbers = _statistics(view)
    known = Known(
        view.specs, view.inputs, view.outputs, view.roles, numbers, view.changes
    )
    variables = [_variable(each, texts, numbers) for each in view.variables]
    views = []
    for level, graph in altitudes.items():
        inside = _insides(view, altitudes, level)
        altitude = Altitude(graph, known, texts, inside)
        views.append(altitude.columns(level, _TITLES.get(level, level)))
    levels = list(altitudes)
    return {
        "title": plain(shorten(view.title or "model", _SHORT)),
        "facts": plain(_facts(view)),
        "findings": [_finding(each) for each in view.facts.get("findings") or ()],
        "families": FAMILIES,
        "views": views,
        "first": levels.index(view.level) if view.level in levels else 0,
        "variables": variables,
        "statistics": statistics,
        "texts": list(texts.numbers),
    }


def _insides(view: Drawing, altitudes: Mapping[str, Graph], level: str) -> Insides:
    """What boxes of one altitude unfold to: those of the altitude below, and functions."""
    functions = view.model.functions if view.model is not None else {}
    if level == "op":
        return Insides(functions=functions)
    layers = altitudes.get("layer")
    contents = {} if layers is None else _contents(view.blocks, layers)
    file = altitudes.get("op")
    return Insides(layers, view.below, functions, contents, file)


def _contents(parts: Sequence[Any], layers: Graph) -> dict[Tensor, Sequence[str]]:
    """The layers of each block, by the tensor that the block computes."""
    contents: dict[Tensor, Sequence[str]] = {}
    for part in parts:
        if not isinstance(part, str):
            last = layers.node(part.output)
            output = last.output if isinstance(last, Layer) else Tensor(part.output)
            contents[output] = list(part.nodes())
    return contents


def _facts(view: Drawing) -> dict[str, Any]:
    facts = {k: v for k, v in view.facts.items() if k not in ("findings", "source")}
    for key in ("inputs", "outputs"):
        facts[key] = list(facts.get(key) or ())[:_CANDIDATES]
    return facts


def _finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    """A finding; ``places`` are the nodes that it is of, one or several."""
    node = finding.get("node") or ()
    words = {k: str(finding.get(k) or "") for k in ("severity", "message", "remedy")}
    places = [node] if isinstance(node, str) else list(node)
    return plain({**words, "places": places})


def _statistics(view: Drawing) -> tuple[list[Any] | None, dict[str, int]]:
    """The statistics in a list, and by name the number of each, from 1."""
    if view.statistics is None:
        return None, {}
    numbers = {name: i for i, name in enumerate(view.statistics, 1)}
    return [plain(dict(each)) for each in view.statistics.values()], numbers


def _variable(
    row: Mapping[str, Any], texts: Texts, numbers: Mapping[str, int]
) -> dict[str, int]:
    shape = row.get("shape")
    sizes = None if shape is None else tuple(shape)
    words = {key: texts(str(row.get(key) or "")) for key in ("name", "role", "dtype")}
    words["shape"] = texts(times(sizes))
    counts = {"size": size_of(sizes), "bytes": int(row.get("bytes") or 0)}
    return {**words, **counts, "stat": numbers.get(str(row.get("name")), 0)}


SUFFIXES = {".html": to_html, ".htm": to_html}
