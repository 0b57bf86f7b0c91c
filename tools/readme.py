"""The examples of README.rst and of the guide: what they run, what they should print, and how to refresh them.

    .venv/bin/python tools/readme.py FOLDER [PAGE ...]    # rewrites what commands print, from a demo folder

``tests/test_readme.py`` runs the same examples and compares.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.rst"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.rst")))
INDENT = "    "


@dataclass
class Example:
    """One command of a code block, and the lines printed below it."""

    line: int
    source: str
    expected: list[str]


def blocks(text: str, language: str) -> list[tuple[int, list[str]]]:
    """The code blocks of one language: the first line's number, and the lines without their indent."""
    lines, bodies = text.splitlines(), []
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
        bodies.append((number + 2, body))
    return bodies


def commands(text: str) -> list[Example]:
    """Every ``$ command`` of the console blocks."""
    examples: list[Example] = []
    for start, body in blocks(text, "console"):
        for offset, line in enumerate(body):
            if line.startswith("$ "):
                examples.append(Example(start + offset, line[2:], []))
            else:
                examples[-1].expected.append(line)
    return examples


def steps(text: str) -> list[Example | tuple[int, str]]:
    """The page from top to bottom: each command, and each block of Python as the line it begins in and its text."""
    python = [(line, "\n".join(body)) for line, body in blocks(text, "python")]
    return sorted(
        [*commands(text), *python],
        key=lambda step: step.line if isinstance(step, Example) else step[0],
    )


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
    return "corpus" in command or "-o catalogue" in command


def refresh(folder: Path, page: Path, printed: dict[str, str]) -> None:
    """Rewrite the output below each command of a page; a command that elides with ``...`` is left.

    ``printed`` is what commands printed on earlier pages: a command that stands on two is run once.
    """
    lines = page.read_text().splitlines()
    text, scope = "\n".join(lines), {}
    os.chdir(folder)
    for step in steps(text):
        if isinstance(step, Example) and step.source not in printed:
            printed[step.source] = run(step.source, folder)
        elif not isinstance(step, Example) and page != README:
            _run_python(step[1], scope)
    for example in reversed(commands(text)):
        if "..." in (line.strip() for line in example.expected):
            continue
        output = printed[example.source].strip("\n").splitlines()
        after = example.line + 1
        lines[after : after + len(example.expected)] = [
            (INDENT + line).rstrip() for line in output
        ]
    page.write_text("\n".join(lines) + "\n")


def _run_python(text: str, scope: dict[str, object]) -> None:
    import doctest

    runner = doctest.DocTestRunner()
    parsed = doctest.DocTestParser().get_doctest(text + "\n", scope, "page", None, 0)
    runner.run(parsed, clear_globs=False)
    scope.update(parsed.globs)


if __name__ == "__main__":
    outputs: dict[str, str] = {}
    pages = [Path(each).absolute() for each in sys.argv[2:] or PAGES]
    for page in pages:
        refresh(Path(sys.argv[1]).absolute(), page, outputs)
