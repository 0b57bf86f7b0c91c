"""The examples of README.rst: what they run, what they should print, and how to refresh them.

    .venv/bin/python tools/readme.py FOLDER    # rewrites README's examples from a demo folder

``tests/test_readme.py`` runs the same examples and compares.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parent.parent / "README.rst"
INDENT = "    "


@dataclass
class Example:
    """One command or expression of a code block, and the lines printed below it."""

    line: int
    source: str
    expected: list[str]


def blocks(text: str, language: str) -> list[tuple[int, list[str]]]:
    """The code blocks of one language: the first line's number, and the lines without their indent."""
    lines, found = text.splitlines(), []
    for number, line in enumerate(lines):
        if line.strip() != f".. code-block:: {language}":
            continue
        body, at = [], number + 2
        while at < len(lines) and (
            not lines[at].strip() or lines[at].startswith(INDENT)
        ):
            body.append(lines[at][len(INDENT) :])
            at += 1
        while body and not body[-1].strip():
            body.pop()
        found.append((number + 2, body))
    return found


def commands(text: str) -> list[Example]:
    """Every ``$ command`` of the console blocks."""
    found: list[Example] = []
    for start, body in blocks(text, "console"):
        for offset, line in enumerate(body):
            if line.startswith("$ "):
                found.append(Example(start + offset, line[2:], []))
            else:
                found[-1].expected.append(line)
    return found


def run(command: str, folder: Path) -> str:
    """What the command prints on stdout, run in ``folder`` with this environment's graphscope first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "COLUMNS": "100", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True
    )
    differs = done.returncode == 3 and command.startswith("graphscope diff ")
    if done.returncode and not differs:
        raise RuntimeError(f"{command}: exit {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def needs_corpus(command: str) -> bool:
    """Whether a command reads the published models, or the catalogue of them: the folder has a link ``corpus`` then."""
    return command.startswith("graphscope survey ")


def refresh(folder: Path) -> None:
    """Rewrite the output below each command of README.rst; a command that elides with ``...`` is left."""
    lines = README.read_text().splitlines()
    examples = commands("\n".join(lines))
    said = [run(example.source, folder) for example in examples]
    for example, text in reversed(list(zip(examples, said))):
        if "..." in (line.strip() for line in example.expected):
            continue
        printed = [(INDENT + line).rstrip() for line in text.splitlines()]
        after = example.line + 1
        lines[after : after + len(example.expected)] = printed
    README.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    refresh(Path(sys.argv[1]))
