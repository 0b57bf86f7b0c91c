"""Boxes, words and lines at fixed places -> SVG, or Graphviz source that its engine only has to paint (PNG, PDF).

Lengths are points, from the left and from the top.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..cells.escape import for_html, visible

INK, PALE, ALARM = "#1f2933", "#66717d", "#c0392b"
_FONT = "Helvetica,Arial,sans-serif"


class Box(NamedTuple):
    """A filled rectangle; ``title`` is what a browser shows when the mouse rests on it."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    title: str = ""


class Words(NamedTuple):
    """One line of text, its left end at ``x`` and its foot at ``y``; a PNG cuts it at ``width``."""

    x: float
    y: float
    text: str
    size: int = 10
    fill: str = PALE
    width: float = 200


class Line(NamedTuple):
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str


Shape = Box | Words | Line


def to_svg(shapes: Sequence[Shape], width: float, height: float) -> str:
    """An ``<svg>`` element without style or script."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="{_FONT}" role="img">'
        f"{''.join(map(_svg, shapes))}</svg>"
    )


def _svg(shape: Shape) -> str:
    if isinstance(shape, Words):
        fill = "currentColor" if shape.fill == INK else shape.fill
        return (
            f'<text x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size}" fill="{fill}">'
            f"{for_html(shape.text)}</text>"
        )
    if isinstance(shape, Line):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        return f'<polyline points="{points}" fill="none" stroke="{shape.colour}" stroke-width="1.5"/>'
    title = f"<title>{for_html(shape.title)}</title>" if shape.title else ""
    return (
        f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
        f'fill="{shape.fill}">{title}</rect>'
    )


def to_dot(shapes: Sequence[Shape], height: float) -> str:
    """Graphviz source whose places are fixed: for the engine ``nop2``, from the bottom as Graphviz counts."""
    lines = [
        "graph chart {",
        f'graph [bgcolor=white, splines=line, pad=0.2]; node [fontname="{_FONT}", penwidth=0, margin=0, '
        'fixedsize=true, label=""]',
    ]
    for number, shape in enumerate(shapes):
        lines += _dot(f"n{number}", shape, height)
    return "\n".join([*lines, "}"])


def _dot(name: str, shape: Shape, height: float) -> Iterator[str]:
    if isinstance(shape, Line):
        for place, (x, y) in enumerate(shape.points):
            yield f'{name}_{place} [pos="{x:.1f},{height - y:.1f}!", shape=point, width=0.01]'
            if place:
                yield f'{name}_{place - 1} -- {name}_{place} [color="{shape.colour}", penwidth=1.5]'
        return
    if isinstance(shape, Words):
        text = visible(shape.text).replace("\\", "\\\\").replace('"', '\\"')
        middle = (
            f"{shape.x + shape.width / 2:.1f},{height - shape.y + shape.size / 3:.1f}"
        )
        yield (
            f'{name} [pos="{middle}!", shape=box, width={shape.width / 72:.3f}, height={shape.size / 60:.3f}, '
            f'fontsize={shape.size}, fontcolor="{shape.fill}", label="{text}\\l"]'
        )
        return
    middle = (
        f"{shape.x + shape.width / 2:.1f},{height - shape.y - shape.height / 2:.1f}"
    )
    yield (
        f'{name} [pos="{middle}!", shape=box, style=filled, width={max(shape.width, 0.2) / 72:.4f}, '
        f'height={max(shape.height, 0.2) / 72:.4f}, fillcolor="{shape.fill}"]'
    )
