"""The document of ``diff`` -> text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..terminal import counted, printable
from .tables import rows_text

MOST = 12  # layers and weights of each kind that are listed


def diff_text(document: Mapping[str, Any]) -> str:
    """Both models in a line each, the verdict, the layers that differ, the weights that changes most."""
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
    lines += _listed("changed", [_changed(each) for each in layers["changed"]])
    lines += _weights(document["weights"])
    for side in ("a", "b"):
        lines += _listed(
            f"variables only in {side}", _variables(document["only_in"][side])
        )
    return "\n".join(lines)


def _variables(rows: list[Mapping[str, str]]) -> list[str]:
    """The weights by name, the others counted by role."""
    of_model = ("weight", "batch statistics")
    names = [printable(row["name"]) for row in rows if row["role"] in of_model]
    others = Counter(row["role"] for row in rows if row["role"] not in of_model)
    return names + ([counted(others)] if others else [])


def _listed(heading: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - MOST:,} more"] if len(lines) > MOST else []
    return ["", f"{heading}:", *(f"  {line}" for line in lines[:MOST]), *more]


def _node(row: Mapping[str, str]) -> str:
    return f"{printable(row['type'])} {printable(row['name'])}"


def _changed(row: Mapping[str, Any]) -> str:
    one, other = map(printable, row["type"])
    parts = [f"{one} -> {other}"] if one != other else []
    parts += [
        f"{printable(key)} {printable(before)} -> {printable(after)}"
        for key, (before, after) in row["config"].items()
    ]
    if row["shape"]:
        parts.append(f"output {row['shape'][0]} -> {row['shape'][1]}")
    return f"{other} {printable(row['b'])}: {', '.join(parts)}"


def _weights(document: Mapping[str, Any]) -> list[str]:
    words = [counted(document["relations"])] if document["relations"] else []
    if document["unread"]:
        words.append(f"{document['unread']:,} without values on one side")
    lines = ["", f"weights: {', '.join(words)}"] if words else []
    changes = [row for row in document["pairs"] if row["relation"] != "identical"]
    if not changes:
        return lines
    rows = [
        (row["b"], row["relation"], _number(row, "change"), _number(row, "cosine"))
        for row in changes[:MOST]
    ]
    more = [f"and {len(changes) - MOST:,} more"] if len(changes) > MOST else []
    return [*lines, "", rows_text(rows, ("weight", "", "change/norm", "cosine")), *more]


def _number(row: Mapping[str, object], key: str) -> str:
    return f"{row[key]:.4g}" if key in row else ""
