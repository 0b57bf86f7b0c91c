"""What is printed, and how it looks: on a terminal in colour and wrapped, elsewhere as it is."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import IO, Any

import click

from ..group import is_quiet
from .progress import end_notice
from .tables import width_of_terminal

STYLES = (  # what matches, how it looks; later ones win
    (r"\A\S[^\n]*(?=\n  \S)|^==> .* <==$", "bold"),
    (r"^[A-Z][a-z]+$", "bold"),  # a heading
    (r"^[^\n]+(?=\n-{3,}[- ]*$)", "bold"),  # the head of a table
    (r"^-{3,}[- ]*$", "dim"),
    (r"^ {8,}\S[^\n]*$", "dim"),  # evidence
    (r"^ *\$ [^\n]*$|^More: [^\n]*$", "cyan"),  # a command
    (r"^ *error:", "bold red"),
    (r"^ *warning:", "yellow"),
    (r"^ *(info|note):", "blue"),
    (r" \[[a-z0-9-]+\]$|^\(left out: [^\n]*\)$", "dim"),
    (r"^ *equal\b", "green"),
    (r"^ *(DIFFERENT|IT DOES NOT RUN)\b|   <- differs$", "bold red"),
    (r"^ *(NOT PROVEN|NOT COMPARED|not proven|not verified)\b", "yellow"),
    (r"^added:$", "green"),
    (r"^removed:$", "red"),
    (r"^changed:$", "yellow"),
    (r"^graphscope:", "bold red"),
)
_COMMAND = re.compile(r" *(\$ |graphscope |More: |import |from |[\w.]+ ?= ?\S)")
NARROWEST = 40


def show(text: str, wide: bool = False) -> None:
    """Print a result; prose that is wider than the terminal is wrapped, unless ``wide``."""
    end_notice()
    is_screen = sys.stdout.isatty()
    _write(wrapped(text) if is_screen and not wide else text, sys.stdout)


def show_error(text: str) -> None:
    """Print one line of an error on stderr."""
    end_notice()
    _write(text, sys.stderr)


def remark(text: str) -> None:
    """Print on stderr what is no result; nothing under -q."""
    if not is_quiet():
        end_notice()
        _write(text, sys.stderr)


def is_coloured(stream: IO[str]) -> bool:
    """Whether a stream is shown in colour: a terminal's, unless NO_COLOR or a dumb one; FORCE_COLOR makes any so.

    Source: https://no-color.org, https://force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def _write(text: str, stream: IO[str]) -> None:
    if is_coloured(stream):
        _console(stream).print(_styled(text), soft_wrap=True)
    else:
        click.echo(text, file=stream)


def _console(stream: IO[str]) -> Any:
    from rich.console import Console

    return Console(file=stream, force_terminal=True, highlight=False, markup=False)


def _styled(text: str) -> Any:
    from rich.text import Text

    styled = Text(text)
    for pattern, style in STYLES:
        styled.highlight_regex(re.compile(pattern, re.MULTILINE), style)
    return styled


def wrapped(text: str, width: int = 0) -> str:
    """Long lines of prose in several, indented under their first; commands and source stay whole, to be copied."""
    room = max(NARROWEST, width or width_of_terminal())
    lines = []
    for line in text.split("\n"):
        if len(line) <= room or _COMMAND.match(line):
            lines.append(line)
            continue
        lines += _hanging(line, room)
    return "\n".join(lines)


def _hanging(line: str, room: int) -> Iterator[str]:
    """A line in several; a word that is wider than a line by itself stays where it is."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    current = ""
    for gap, word in re.findall(r"(\s*)(\S+)", line):
        is_full = len(current) + len(gap) + len(word) > room
        if current and is_full and len(indent) + len(word) <= room:
            yield current
            current = indent + word
        else:
            current += gap + word
    yield current
