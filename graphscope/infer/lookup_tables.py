"""Lookup tables in a frozen graph: what fills them is kept, although no output reads it, and holds all that it fills them with.

A vocabulary file and the keys and values that a checkpoint holds become constants, so that the frozen graph needs no file but itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import MissingWeight, NotExpressible
from ..graph import Graph, Model, Node, Tensor, did_you_mean
from ..graph.edit import drop_unread, duplicate, fresh, put, read_instead
from ..ops.constants import Constants
from ..read.weights.lazy_const import stored
from ..simplify.rewrites.tables import table_behind

_TABLE = re.compile(r"(Mutable)?(Dense)?HashTable(OfTensors)?(V2)?$")
_FROM_FILE = re.compile(r"InitializeTableFromTextFile(V2)?$")
_FILLS = re.compile(r"InitializeTable(V2)?$|LookupTableImport(V2)?$")
_ASSIGN = "AssignVariableOp"
_WHOLE_LINE, _LINE_NUMBER = -2, -1  # what key_index and value_index say of a vocabulary


def initialisers(graph: Graph, model: Model) -> tuple[Graph, tuple[str, ...]]:
    """The graph with the ops of the model that fill its tables and what they read; and the names of those ops.

    Raises NotExpressible where a table is filled from a file that is not there, MissingWeight where the checkpoint lacks it.
    """
    whole = model.graph
    tables = [name for name in graph if _TABLE.match(graph.op(name))]
    fillers = tuple(
        dict.fromkeys(n for table in tables for n in _fillers(whole, table))
    )
    if not fillers:
        return graph, ()
    copy = duplicate(graph)
    above = whole.upstream(fillers)
    added = [n for n in whole if n in above and n not in copy]
    for name in added:
        copy.add(name, replace(whole.node(name), controls=()), whole.inputs(name))
    for name in fillers:
        if _FROM_FILE.match(copy.op(name)):
            _fill_from_file(copy, name, model)
        else:
            _fill_from_checkpoint(copy, name, model)
    drop_unread(copy, added, {*graph, *fillers})
    return copy, fillers


def _fillers(whole: Graph, table: str) -> Iterator[str]:
    """What fills a table from constants or a vocabulary; what restores it, where nothing else does."""
    readers = [
        name
        for handle in _handles(whole, table)
        for name, slot in whole.consumers(*handle)
        if slot == 0
    ]
    fillers = [
        n for n in readers if _FILLS.match(whole.op(n)) or _FROM_FILE.match(whole.op(n))
    ]
    own = [n for n in fillers if not _restored(whole, n)]
    yield from own or fillers[:1]


def _handles(graph: Graph, table: str) -> Iterator[Tensor]:
    """Every tensor that is the table's handle: an inlined call passes it on."""
    stack, visited = [Tensor(table)], {Tensor(table)}
    while stack:
        handle = stack.pop()
        yield handle
        for name, slot in graph.consumers(*handle):
            if graph.op(name) in ("Identity", "IdentityN", "RefIdentity"):
                passed = Tensor(name, slot)
                if passed not in visited:
                    visited.add(passed)
                    stack.append(passed)


def _restored(graph: Graph, name: str) -> list[tuple[int, Tensor]]:
    """The slots of a filler that read a checkpoint."""
    inputs = enumerate(graph.inputs(name))
    return [(slot, t) for slot, t in inputs if graph.op(t.node).startswith("Restore")]


def _fill_from_checkpoint(graph: Graph, name: str, model: Model) -> None:
    for slot, tensor in _restored(graph, name):
        names = graph.attrs(graph.inputs(tensor.node)[1].node).get("value")
        keys = (
            []
            if names is None
            else [str(n, "utf-8", "replace") for n in np.ravel(names)]
        )
        key = keys[tensor.port] if tensor.port < len(keys) else ""
        if key not in model.weights:
            raise MissingWeight(
                f"the table that {name!r} fills has no {key!r} in {model.source}{did_you_mean(key, model.weights)}"
            )
        constant = fresh(graph, f"{name}/{slot}")
        put(graph, constant, Node("Const", stored(model.weights, key)), ())
        read_instead(graph, name, slot, Tensor(constant))


def _fill_from_file(graph: Graph, name: str, model: Model) -> None:
    """The filler takes its keys and values as constants."""
    node = graph.node(name)
    table, file = graph.inputs(name)
    file = _asset(model.graph, file) if file.node in model.graph else file
    attrs = graph.attrs(table_behind(graph, table))
    path = _vocabulary(graph, file, model)
    if path is None:
        raise NotExpressible(
            f"table {table.node!r} is filled from the file {_file_name(graph, file)!r}, which was found neither beside the model "
            "nor in its assets, and which a .pb cannot name: put it beside the model, or export a SavedModel"
        )
    lines = path.read_bytes().splitlines()
    most = int(node.attrs.get("vocab_size") or -1)
    lines = lines[:most] if most > 0 else lines
    inputs = [table]
    for what in ("key", "value"):
        dtype = str(attrs[f"{what}_dtype"])
        values = _column(lines, int(node.attrs[f"{what}_index"]), dtype, node.attrs)
        constant = fresh(graph, f"{name}/{what}s")
        put(graph, constant, Node("Const", {"dtype": dtype, "value": values}), ())
        inputs.append(Tensor(constant))
    op = "InitializeTableV2" if node.op.endswith("V2") else "InitializeTable"
    types = {"Tkey": str(attrs["key_dtype"]), "Tval": str(attrs["value_dtype"])}
    put(graph, name, replace(node, op=op, attrs=types), inputs)


def _file_name(graph: Graph, file: Tensor) -> str:
    value = graph.attrs(file.node).get("value") if file.node in graph else None
    return (
        str(np.ravel(value)[0], "utf-8", "replace")
        if value is not None and np.size(value)
        else file.node
    )


def _asset(graph: Graph, file: Tensor) -> Tensor:
    """What a file's name comes from: TensorFlow 2 keeps it in a variable, which an asset is assigned to when it is loaded."""
    visited: set[Tensor] = set()
    while graph.op(file.node) in ("Identity", "ReadVariableOp"):
        if file in visited:
            break  # a damaged file's circle
        visited.add(file)
        source = graph.inputs(file.node)[0]
        if graph.op(file.node) == "ReadVariableOp":
            readers = graph.consumers(*source)
            assigned = [n for n, slot in readers if not slot and graph.op(n) == _ASSIGN]
            if not assigned:
                return file
            source = graph.inputs(assigned[0])[1]
        file = source
    return file


def _vocabulary(graph: Graph, file: Tensor, model: Model) -> Path | None:
    """Where the vocabulary lies: among the assets, or beside the model.

    A graph is not believed where it names a file elsewhere: freezing would copy whatever that is into the result.
    """
    source = Path(model.source)
    folder = source if source.is_dir() else source.parent
    asset = model.assets.get(str(file)) or model.assets.get(file.node) or ""
    name = _file_name(graph, file)
    places = [folder / "assets" / asset] if asset else []
    places += [Path(name), folder / name]
    places += [place / Path(name).name for place in (folder, folder / "assets")]
    inside = folder.resolve()
    files = (p for p in places if p.is_file() and p.resolve().is_relative_to(inside))
    return next(files, None)


def _column(lines: list[bytes], index: int, dtype: str, attrs: Any) -> np.ndarray:
    """One column of a vocabulary: its lines, their numbers, or a part of each line."""
    if index == _LINE_NUMBER:
        return np.arange(len(lines), dtype=np.int64) + int(attrs.get("offset") or 0)
    delimiter = str(attrs.get("delimiter") or "\t").encode()
    texts = (
        lines
        if index == _WHOLE_LINE
        else [line.split(delimiter)[index] for line in lines]
    )
    if dtype == "string":
        column = np.empty(len(texts), object)
        column[:] = texts
        return column
    return np.array([text.decode() for text in texts]).astype(dtype)


def table_contents(
    graph: Graph, model: Model
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The keys and values of each lookup table in a graph, as far as the model holds them: by the table's node."""
    try:
        copy, fillers = initialisers(graph, model)
    except (NotExpressible, MissingWeight):
        return {}
    constants = Constants(copy, model)
    contents = {}
    for name in fillers:
        table, *operands = copy.inputs(name)
        if len(operands) < 2:
            continue
        keys, values = (constants.value(tensor) for tensor in operands[:2])
        if keys is not None and values is not None and keys.shape == values.shape:
            contents[table_behind(copy, table)] = keys.reshape(-1), values.reshape(-1)
    return contents
