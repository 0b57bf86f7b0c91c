"""What kind of protobuf message or text some bytes begin like, told without parsing them.

GraphDef, MetaGraphDef and SavedModel all begin with a nested message or two: they are told apart by what lies in
those. Only a few tags are looked at, so a truncated file is still recognised for what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...errors import FormatError
from ...wire.protobuf import read_varint
from ...wire.source import Source

_MOST_FIELDS = 64
_OP = re.compile(r"[A-Za-z_>][\w>./\-]*\Z")
_TEXT_FIELDS = {
    "GraphDef": {"node", "versions", "version", "library", "debug_info"},
    "MetaGraphDef": {
        "meta_info_def",
        "graph_def",
        "saver_def",
        "collection_def",
        "signature_def",
    },
    "SavedModel": {"saved_model_schema_version", "meta_graphs"},
    "CheckpointState": {"model_checkpoint_path", "all_model_checkpoint_paths"},
}


class _Field(NamedTuple):
    number: int
    kind: int
    start: int
    stop: int


def fields_of(data: Any, start: int, end: int) -> Iterator[_Field]:
    """The first fields of a message; raises FormatError at what cannot be one."""
    place = start
    for _ in range(_MOST_FIELDS):
        if place >= end:
            return
        tag, place = read_varint(data, place, "")
        number, kind = tag >> 3, tag & 7
        if kind == 2:
            size, place = read_varint(data, place, "")
            stop = place + size
        elif kind == 0:
            _, stop = read_varint(data, place, "")
        elif kind in (1, 5):
            stop = place + (8 if kind == 1 else 4)
        else:
            raise FormatError("no such wire type")
        if not number:
            raise FormatError("no such field")
        yield _Field(number, kind, place, stop)
        if stop > len(data):
            return  # a truncated file: what was seen so far must do
        place = stop


def _text(data: Any, field: _Field) -> str | None:
    if field.kind != 2 or field.stop - field.start > 4096:
        return None
    try:
        text = bytes(data[field.start : field.stop]).decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _is_node(data: Any, start: int, stop: int) -> bool:
    name = op = None
    for field in fields_of(data, start, min(stop, len(data))):
        if field.kind != 2 or field.number > 7:
            return False
        if field.number == 1:
            name = _text(data, field)
        if field.number == 2:
            op = _text(data, field)
            break
    return bool(name) and bool(op and _OP.match(op))


def _is_library(data: Any, start: int, stop: int) -> bool:
    """Whether a field is a FunctionDefLibrary: its functions begin with an OpDef, which begins with a name."""
    for function in fields_of(data, start, min(stop, len(data))):
        if function.number != 1:
            return function.number in (2, 3)  # gradients, and what a gradient is for
        for signature in fields_of(data, function.start, min(function.stop, len(data))):
            for name in fields_of(
                data, signature.start, min(signature.stop, len(data))
            ):
                return bool(_text(data, name))
            break
        return False
    return True


def _is_graph(data: object, start: int, stop: int) -> bool:
    has_nodes = False
    for field in fields_of(data, start, stop):
        if (field.number, field.kind) not in ((1, 2), (2, 2), (3, 0), (4, 2), (5, 2)):
            return False
        if field.number == 1:
            return _is_node(data, field.start, field.stop)
        if field.number == 2:
            return _is_library(data, field.start, field.stop)
        has_nodes = True
    return has_nodes and stop - start < 4096  # versions alone: an empty graph


def _is_metagraph(data: Any, start: int, stop: int) -> bool:
    for field in fields_of(data, start, stop):
        if field.kind != 2 or field.number > 7:
            return False
        if field.number == 2:
            return _is_graph(data, field.start, min(field.stop, len(data)))
        if field.number == 1 and _is_node(data, field.start, field.stop):
            return False
        if field.stop > len(data):
            return True  # cut within the op list: a GraphDef would have shown a node
    return False


def _is_saved_model(data: Any, start: int, stop: int) -> bool:
    for field in fields_of(data, start, stop):
        if (field.number, field.kind) == (2, 2):
            return _is_metagraph(data, field.start, min(field.stop, len(data)))
        if (field.number, field.kind) != (1, 0):
            return False
    return False


_TELL = {
    "GraphDef": _is_graph,
    "MetaGraphDef": _is_metagraph,
    "SavedModel": _is_saved_model,
}


def begins_like(name: str, source: Source) -> bool:
    """Whether a file begins like this protobuf message (GraphDef, MetaGraphDef or SavedModel) in binary form."""
    try:
        return _TELL[name](source, 0, source.size)
    except FormatError:
        return False


def reads_like(name: str, source: Source) -> bool:
    """Whether a file begins like this protobuf message in text form."""
    field = first_text_field(source)
    return field in _TEXT_FIELDS[name]


def first_text_field(source: Source) -> str:
    """The name of the first field of a text-form message; "" where the file is no such text."""
    head = source.head(1 << 16)
    if b"\0" in head:
        return ""
    text = head.decode("utf-8", "replace").lstrip("\ufeff")
    field = re.match(r"(?:\s|#[^\n]*\n)*([a-z_]\w*)\s*[:{<]", text)
    return field[1] if field else ""
