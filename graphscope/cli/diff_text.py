"""The document of ``diff`` -> text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .terminal import counted, printable, table

MOST = 12  # layers and weights of each kind that are listed


def diff_text(document: Mapping[str, Any]) -> str:
    """Both models in a line each, the verdict, the layers that differ, the weights that moved most."""
    sides = (("a", document["a"]), ("b", document["b"]))
    lines = [
        f"{side}: {printable(doc['source'])}: {printable(doc['format'])}, "
        f"{doc['layers']:,} layers, {doc['parameters']:,} parameters"
        for side, doc in sides
    ]
    lines += ["", printable(document["verdict"])]
    layers = document["layers"]
    for word in ("removed", "added"):
        lines += _listed(word, [_node(each) for each in layers[word]])
    changed = [line for each in layers["changed"] for line in _changed(each)]
    lines += _listed("changed", changed)
    lines += _weights(document["weights"])
    for side in ("a", "b"):
        names = [printable(name) for name in document["only_in"][side]]
        lines += _listed(f"variables only in {side}", names)
    return "\n".join(lines)


def _listed(heading: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - MOST:,} more"] if len(lines) > MOST else []
    return ["", f"{heading}:", *(f"  {line}" for line in lines[:MOST]), *more]


def _node(row: Mapping[str, str]) -> str:
    return f"{printable(row['type'])} {printable(row['name'])}"


def _changed(row: Mapping[str, Any]) -> Iterator[str]:
    one, other = map(printable, row["type"])
    name = printable(row["b"])
    if one != other:
        yield f"{name}: {one} -> {other}"
    for key, (before, after) in row["config"].items():
        yield f"{other} {name}: {printable(key)} {printable(before)} -> {printable(after)}"
    if row["shape"]:
        yield f"{other} {name}: output {row['shape'][0]} -> {row['shape'][1]}"


def _weights(document: Mapping[str, Any]) -> list[str]:
    lines = (
        ["", f"weights: {counted(document['relations'])}"]
        if document["relations"]
        else []
    )
    if document["unread"]:
        lines += [f"  {document['unread']:,} without values on one side"]
    moved = [row for row in document["pairs"] if row["relation"] != "identical"]
    if not moved:
        return lines
    rows = [
        (row["b"], row["relation"], _number(row, "change"), _number(row, "cosine"))
        for row in moved[:MOST]
    ]
    more = [f"and {len(moved) - MOST:,} more"] if len(moved) > MOST else []
    return [*lines, "", table(rows, ("weight", "", "change/norm", "cosine")), *more]


def _number(row: Mapping[str, Any], key: str) -> str:
    return f"{row[key]:.4g}" if key in row else ""
