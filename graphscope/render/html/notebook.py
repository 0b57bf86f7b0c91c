"""What a notebook shows of a model: a card that stands by itself, and below it the page to explore, in a frame of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from ...graph.amounts import bytes_text
from .. import Drawing
from ..cells.escape import for_html, shorten
from ..cells.spelling import times
from . import to_html

HEIGHT = 620  # pixels
_SHOWN = 4  # inputs, outputs and findings of the card
_LIKELY = 0.5  # candidates that are less so are in the frame below
_NO_USE = ("file name", "not needed")  # feeds that nobody who runs the model gives


def to_cell(view: Drawing, height: int = HEIGHT) -> str:
    """The card and the page of a model. The frame may run the page's own script and nothing else: it has no origin."""
    page = escape(to_html(view), quote=True)
    return (
        f"{to_card(view.title, view.facts)}"
        f'<iframe sandbox="allow-scripts" title="the model as a map" width="100%" height="{height}" '
        f'style="border:1px solid #8884;border-radius:8px" srcdoc="{page}"></iframe>'
    )


def to_card(title: str, facts: Mapping[str, Any]) -> str:
    """What the model is in a few lines: origin, sizes, inputs, outputs, findings. No script."""
    origin = ", ".join(str(facts[k]) for k in ("format", "producer") if facts.get(k))
    lines = [
        f"<b>{for_html(shorten(title, 120))}</b> {for_html(origin)}",
        *_sizes(facts),
    ]
    lines += _ends("in", facts.get("inputs")) + _ends("out", facts.get("outputs"))
    for finding in list(facts.get("findings") or ())[:_SHOWN]:
        words = f"{finding.get('severity', '')}: {finding.get('message', '')}"
        lines.append(for_html(shorten(words, 300)))
    return f"<div>{'<br>'.join(lines)}</div>"


def _sizes(facts: Mapping[str, Any]) -> Iterator[str]:
    layers = sum((facts.get("layers") or {}).values())
    words = [f"{layers:,} layers", f"{facts.get('parameters') or 0:,} parameters"]
    if facts.get("bytes"):
        words.append(bytes_text(facts["bytes"]))
    words.append(f"{facts.get('nodes') or 0:,} nodes")
    yield ", ".join(words)


def _ends(word: str, candidates: Iterable[Mapping[str, Any]] | None) -> list[str]:
    ends = [each for each in candidates or () if each.get("kind") not in _NO_USE]
    ends = [each for each in ends if each.get("score", 1) >= _LIKELY] or ends[:1]
    return [
        f"{word}: <code>{for_html(str(each.get('tensor', '')))}</code> {for_html(_spec(each))}"
        for each in ends[:_SHOWN]
    ]


def _spec(each: Mapping[str, Any]) -> str:
    shape = each.get("shape")
    sizes = "" if shape is None else times(tuple(shape))
    return f"{each.get('dtype') or ''} {sizes}".strip()
