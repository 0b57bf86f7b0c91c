"""Weights -> a chart: norms by depth and a histogram each; checkpoints -> how the weights moved from step to step."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import GraphscopeError
from ...wire.beside import beside
from ..cells.escape import for_html, shorten
from ..cells.spelling import shape_text
from ..picture import draw
from .chart import ALARM, INK, PALE, Box, Line, Shape, Words, to_dot, to_svg

SUFFIXES = (".html", ".htm", ".svg", ".png", ".pdf")
MOST = 90  # weights that a chart shows; the page's table has all
_WIDTH, _ACROSS, _GAP = 930.0, 3, 15.0
_CELL, _TALL = 300.0, 104.0  # points of one histogram
_BARS = ("#5b8fc7", "#9c8fc4")  # weights, statistics of batches
_COLOURS = "#5b8fc7 #d79a55 #5ba98a #9a6dbb #c2aa45 #cf8593 #54a1ab #7b8794".split()
_STYLE = (
    ":root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.15em .6em;text-align:right}td:first-child,th:first-child{text-align:left}"
    "tr+tr{border-top:1px solid #8884}svg{max-width:100%;height:auto}"
)
_COLUMNS = ("shape", "min", "max", "mean", "std", "zeros", "nan", "inf", "dead")


def draw_weights(rows: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Write a chart of weights: ``name``, ``shape``, ``role`` and what ``histogram`` says of each, in the model's order.

    Raises GraphscopeError where the suffix is none of ``SUFFIXES``, or the place cannot be written.
    """
    shapes, height = _chart(rows[:MOST], title)
    cells = [[row["name"], *(_cell(row, key) for key in _COLUMNS)] for row in rows]
    _write(shapes, height, path, title, [("weight", *_COLUMNS), *cells])


def draw_history(document: Mapping[str, Any], title: str, path: Path) -> None:
    """Write the chart of ``describe_history``: the norm of each weight over the steps, in parts of its largest."""
    steps = document["steps"]
    rows = [row for row in document["variables"] if any(row["norms"])]
    shapes: list[Shape] = [
        Words(0, 16, f"{title}: norms over {len(steps)} checkpoints", 14, INK, 800)
    ]
    for number, row in enumerate(rows[:MOST]):
        x, y = _place(number, 40)
        colour = _COLOURS[number % len(_COLOURS)]
        largest = max(filter(None, row["norms"]))
        points = tuple(
            (x + _CELL * i / max(1, len(steps) - 1), y + 76 - 56 * norm / largest)
            for i, norm in enumerate(row["norms"])
            if norm is not None
        )
        words = f"largest {largest:.3g}"
        if row["change"] is not None:
            words += f", last step changed {row['change']:.1%}"
        shapes += [
            Words(x, y + 10, _name(row), 10, INK, _CELL),
            Line(points, colour),
            Words(x, y + 90, words, 9, PALE, _CELL),
        ]
    cells = [
        [row["name"], *("" if n is None else f"{n:.4g}" for n in row["norms"])]
        for row in rows
    ]
    head = ("weight", *(str(step) for step in steps))
    _write(shapes, _below(min(len(rows), MOST), 40), path, title, [head, *cells])


def _chart(rows: Sequence[Mapping[str, Any]], title: str) -> tuple[list[Shape], float]:
    shapes: list[Shape] = [Words(0, 16, title, 14, INK, 800)]
    shapes += _norms([row for row in rows if len(row["shape"] or ()) > 1])
    for number, row in enumerate(rows):
        shapes += _histogram(row, *_place(number, 150))
    return shapes, _below(len(rows), 150)


def _place(number: int, top: float) -> tuple[float, float]:
    """The corner of one cell."""
    down, across = divmod(number, _ACROSS)
    return across * (_CELL + _GAP), top + down * (_TALL + _GAP)


def _below(count: int, top: float) -> float:
    return top + math.ceil(count / _ACROSS) * (_TALL + _GAP)


def _norms(kernels: Sequence[Mapping[str, Any]]) -> Iterator[Shape]:
    """The size of the typical weight of each kernel, from the first layer to the last."""
    sizes = [math.hypot(row.get("mean") or 0, row.get("std") or 0) for row in kernels]
    largest = max((s for s in sizes if math.isfinite(s)), default=0)
    if not largest:
        return
    yield Words(
        0,
        38,
        f"root mean square of the kernels by depth, largest {largest:.3g}",
        10,
        PALE,
        800,
    )
    wide = min(40.0, _WIDTH / len(kernels))
    for number, (row, size) in enumerate(zip(kernels, sizes, strict=True)):
        tall = 80 * size / largest if math.isfinite(size) else 80
        fill = _BARS[0] if math.isfinite(size) else ALARM
        yield Box(
            number * wide,
            126 - tall,
            wide * 0.8,
            max(tall, 1),
            fill,
            f"{row['name']}: {size:.4g}",
        )


def _histogram(row: Mapping[str, Any], x: float, y: float) -> Iterator[Shape]:
    yield Words(x, y + 10, _name(row), 10, INK, _CELL)
    bins = row.get("bins") or ()
    most = max(bins, default=0)
    for number, count in enumerate(bins):
        if count:
            wide, tall = _CELL / len(bins), max(1.0, 56 * count / most)
            fill = _BARS[row.get("role") != "weight"]
            yield Box(x + number * wide, y + 74 - tall, wide * 0.9, tall, fill)
    if row.get("min") is not None:
        words = f"{row['min']:.3g} to {row['max']:.3g}, mean {row['mean']:.2g}, std {row['std']:.2g}"
        yield Words(x, y + 86, words, 9, PALE, _CELL)
    wrong = [
        f"{row[key]:,} {word}"
        for key, word in (
            ("nan", "NaN"),
            ("inf", "infinite"),
            ("dead", "dead channels"),
        )
        if row.get(key)
    ]
    if wrong:
        yield Words(x, y + 98, ", ".join(wrong), 9, ALARM, _CELL)


def _name(row: Mapping[str, Any]) -> str:
    shape = tuple(row["shape"] or ())
    return f"{shorten(row['name'], 40)}  {shape_text(shape)}"


def _cell(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if key == "shape":
        return shape_text(tuple(value or ()))
    return (
        ""
        if value is None
        else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    )


def _write(
    shapes: Sequence[Shape],
    height: float,
    path: Path,
    title: str,
    table: Sequence[Sequence[str]],
) -> None:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise GraphscopeError(
            f"a chart is written as {' '.join(SUFFIXES)}, not {suffix or 'a name without suffix'!r}"
        )
    if suffix == ".svg":
        data = to_svg(shapes, _WIDTH, height).encode()
    elif suffix in (".png", ".pdf"):
        data = draw(to_dot(shapes, height), suffix[1:], placed=True)
    else:
        data = _page(to_svg(shapes, _WIDTH, height), title, table).encode(
            "utf-8", "replace"
        )
    with beside(path) as unfinished:
        unfinished.write_bytes(data)


def _page(picture: str, title: str, table: Sequence[Sequence[str]]) -> str:
    digest = hashlib.sha256(_STYLE.encode()).digest()
    head, *rows = (
        "<tr>" + "".join(f"<{tag}>{for_html(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, row in zip(("th", *["td"] * len(table)), table, strict=False)
    )
    policy = f"default-src 'none'; style-src 'sha256-{_base64(digest)}'; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{for_html(title)}</title><style>{_STYLE}</style></head><body>{picture}"
        f"<table>{head}{''.join(rows)}</table></body></html>"
    )


def _base64(digest: bytes) -> str:
    import base64

    return base64.b64encode(digest).decode()
