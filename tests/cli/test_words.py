"""Every command that the package prints is one that the command line takes."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import graphscope
from graphscope.cli import cli
from graphscope.cli.terminal import merged_notes

ROOT = Path(graphscope.__file__).parent
_COMMAND = re.compile(r"graphscope (?=[a-z]+ )[a-z]+ [^;`()\n]*")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_FOREIGN = ("--directory", "--high")  # of python -m http.server, of h5repack


def texts() -> Iterator[tuple[str, str]]:
    """``(file and line, text)`` of every string that is no docstring; what is formatted in reads ``X``."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text())
        docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        parts = {
            id(v)
            for n in ast.walk(tree)
            if isinstance(n, ast.JoinedStr)
            for v in n.values
        }
        for node in ast.walk(tree):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.JoinedStr):
                pieces = [
                    v.value if isinstance(v, ast.Constant) else "X" for v in node.values
                ]
                yield where, "".join(map(str, pieces))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) not in docs | parts:
                    yield where, node.value


def commands() -> list[tuple[str, str]]:
    found = []
    for where, text in texts():
        for match in _COMMAND.finditer(text):
            words = re.split(r"  |: |, ", match.group())[0].rstrip(" .,:")
            if words.split()[1] in cli.commands or " -" in words:
                found.append((where, words))
    return found


def options() -> set[str]:
    return {
        name
        for command in cli.commands.values()
        for parameter in command.params
        for name in [*parameter.opts, *parameter.secondary_opts]
    } | {"--help", "--version"}


def test_there_are_commands_to_look_at() -> None:
    assert len(commands()) >= 5


@pytest.mark.parametrize("where, text", commands())
def test_every_printed_command_parses(where: str, text: str) -> None:
    _, name, *words = shlex.split(text)
    assert name in cli.commands, f"{where}: there is no command {text!r}"
    try:
        cli.commands[name].make_context(name, list(words), resilient_parsing=False)
    except click.MissingParameter:
        pass  # shortened to what matters
    except click.UsageError as error:
        pytest.fail(f"{where}: {text!r}: {error.format_message()}")


def test_every_printed_option_exists() -> None:
    known = options()
    unknown = {
        f"{where}: {option}"
        for where, text in texts()
        for option in _OPTION.findall(text)
        if option not in known and option not in _FOREIGN
    }
    assert not unknown


def test_ninety_three_alike_notes_are_one() -> None:
    notes = [f"layer 'bn_{i}' keeps its statistics" for i in range(93)]
    (line,) = merged_notes(notes)
    assert "92 more" in line
