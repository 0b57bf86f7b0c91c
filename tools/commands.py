"""The page of commands: every option from the command line itself, every key of ``--json`` from ``docs/json_keys.txt``.

    .venv/bin/python tools/commands.py    # prints the page as reStructuredText

Sphinx asks ``page()`` while it builds (``docs/conf.py``), so the page says what the program takes at that moment;
``tests/test_guide.py`` holds the keys against the documents that the commands print.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

ROOT = Path(__file__).parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from graphscope.cli import cli  # noqa: E402

KEYS = ROOT / "docs" / "json_keys.txt"


class Key(NamedTuple):
    """One key of a JSON document: its path (``[]`` an element of a list, ``<word>`` any name), types, what it says."""

    path: tuple[str, ...]
    types: frozenset[str]
    words: str


def keys_by_document(text: str) -> dict[str, list[Key]]:
    """The documented keys, by command (``layers --stop-after``: where an option asks for another document)."""
    documents: dict[str, list[Key]] = {}
    borrowed: list[tuple[str, tuple[str, ...], str]] = []
    for line in text.splitlines():
        if line.startswith("["):
            title = line.strip("[]")
            documents[title] = []
        elif line and not line.startswith("#"):
            path, types, words = (f"{line} | ").split(" | ")[:3]
            if path.endswith(".*"):
                borrowed.append((title, tuple(path[:-2].split(".")), types))
            else:
                documents[title].append(
                    Key(tuple(path.split(".")), frozenset(types.split(" or ")), words)
                )
    for title, path, source in borrowed:
        documents[title] += _below(path, source, documents)
    return documents


def _below(
    path: tuple[str, ...], source: str, documents: Mapping[str, list[Key]]
) -> Iterator[Key]:
    """The keys of another document (``outputs``), or of one part of it (``outputs:inputs``), below a path."""
    title, _, part = source.partition(":")
    for key in documents[title]:
        if not part:
            yield key._replace(path=(*path, *key.path))
        elif key.path[0] == part and len(key.path) > 1:
            yield key._replace(path=(*path, *key.path[1:]))


def paths_of(
    document: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each path of a JSON document with the type of what stands there: ``object``, ``list``, ``string``, ``null`` ..."""
    kinds = {
        dict: "object",
        list: "list",
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
    }
    if path:
        yield path, kinds.get(type(document), "null")
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from paths_of(value, (*path, key))
    elif isinstance(document, list):
        for value in document:
            yield from paths_of(value, (*path, "[]"))


def is_named(path: tuple[str, ...], key: Key) -> bool:
    """Whether a documented key stands for a path, or for something above it that may be of any kind."""
    if "any" in key.types:
        path = path[: len(key.path)]
    return len(path) == len(key.path) and all(
        named == part or (named.startswith("<") and part != "[]")
        for part, named in zip(path, key.path, strict=True)
    )


def page() -> str:
    """The page as reStructuredText."""
    documents = keys_by_document(KEYS.read_text())
    return "\n".join(
        line
        for name in cli.list_commands(click.Context(cli))
        for line in _command(name, documents)
    )


def _command(name: str, documents: Mapping[str, list[Key]]) -> Iterator[str]:
    command = cli.commands[name]
    context = click.Context(command, info_name=f"graphscope {name}")
    yield from (name, "-" * len(name), "")
    yield from (
        ".. code-block:: text",
        "",
        f"    {command.get_usage(context).removeprefix('Usage: ')}",
        "",
    )
    yield from (_prose(command.help or ""), "")
    options = [each.get_help_record(context) for each in command.params]
    rows = [
        (f"``{left}``", _prose(right)) for left, right in filter(None, options) if right
    ]
    yield from _table(("Option", "What it does"), rows)
    for title, keys in documents.items():
        if title.split()[0] == name:
            yield from (f"``graphscope {title} --json`` prints:", "")
            yield from _table(
                ("Key", "Type", "What it says"),
                [
                    (
                        f"``{'.'.join(key.path)}``",
                        " or ".join(sorted(key.types)),
                        _prose(key.words),
                    )
                    for key in keys
                ],
            )


def _prose(text: str) -> str:
    """Plain words as reStructuredText: what it would take for markup is escaped; click's line breaks are none."""
    escaped = re.sub(r"([*`|\\_])", r"\\\1", text)
    return "\n\n".join(
        " ".join(paragraph.split()) for paragraph in escaped.split("\n\n")
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", "")
    for row in (head, *rows):
        for number, cell in enumerate(row):
            yield f"   {'* -' if number == 0 else '  -'} {cell}"
    yield ""


if __name__ == "__main__":
    print(page())
