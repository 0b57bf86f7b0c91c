"""Graphviz source -> SVG, PNG or PDF: by an installed ``dot``, else by the Graphviz that pygraphviz's wheel brings.

The layout engine is C code that reads text made from a hostile file, so it runs in a process of its own, with a time
limit: if it hangs or crashes, graphscope does not.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from ..errors import GraphscopeError
from . import Drawing, renderer

SECONDS = 120
_BUNDLED = (
    "import sys; sys.path.append(sys.argv[3]); import pygraphviz; "
    "g = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode()); "
    "sys.stdout.buffer.write(g.draw(format=sys.argv[1], prog=sys.argv[2]))"
)


def _command(kind: str, placed: bool = False) -> list[str]:
    """The process that turns Graphviz source on stdin into a picture on stdout; ``placed``: every node has its place."""
    layout = "nop2" if placed else "dot"
    dot = shutil.which("dot")
    if dot:
        return [dot, f"-T{kind}", f"-K{layout}"]
    library = find_spec("pygraphviz")
    if library is None or library.origin is None:
        raise GraphscopeError(
            "no layout engine: install Graphviz (the `dot` program) or `pip install pygraphviz`; "
            ".dot, .txt, .md, .csv, .json and .html need none"
        )
    # -P: a file pygraphviz.py in the current folder must not be taken for the library; -S: no other is looked for
    place = str(Path(library.origin).parent.parent)
    return [sys.executable, "-P", "-S", "-c", _BUNDLED, kind, layout, place]


def draw(
    dot: str, kind: str = "svg", *, seconds: float = SECONDS, placed: bool = False
) -> bytes:
    """Lay out Graphviz source and return the picture as ``svg``, ``png`` or ``pdf``; ``placed``: its nodes have their places.

    Raises GraphscopeError where there is no layout engine, where it fails, or where it takes too long.
    """
    try:
        done = subprocess.run(
            _command(kind, placed),
            input=dot.encode(),
            capture_output=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise GraphscopeError(
            f"the layout took more than {seconds:.0f} s; write .dot and lay it out elsewhere"
        ) from None
    if done.returncode or not done.stdout:
        messages = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = messages[-1] if messages else f"exit status {done.returncode}"
        raise GraphscopeError(f"the layout engine failed: {last}")
    return done.stdout


def to_svg(dot: str) -> str:
    """Graphviz source -> an ``<svg>`` element, without XML prologue, to stand in a page."""
    text = draw(dot, "svg").decode()
    return text[text.index("<svg") :]


def render_svg(view: Drawing) -> bytes:
    """The drawing as SVG."""
    return draw(_source(view), "svg")


def render_png(view: Drawing) -> bytes:
    """The drawing as PNG."""
    return draw(_source(view), "png")


def render_pdf(view: Drawing) -> bytes:
    """The drawing as PDF."""
    return draw(_source(view), "pdf")


def _source(view: Drawing) -> str:
    return str(renderer(".dot")(view))


SUFFIXES = {".svg": render_svg, ".png": render_png, ".pdf": render_pdf}
