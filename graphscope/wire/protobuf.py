"""Protobuf messages of any size, read without their tensors' bytes.

Large runs of values (``tensor_content``, packed ``float_val`` and ``double_val``) stay in the file: the message is put
together without them, and in their place stands a mark that says where they are. What is parsed, copied and kept is
the structure alone, however many bytes the weights have.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from ..errors import FormatError
from ..graph.named_values import Message
from . import messages as proto
from .source import Source

LONGEST = 10  # bytes of a number
KEPT = 4096  # runs of values up to this many bytes are parsed with the message
SMALL = 1 << 16  # a message up to this size is parsed as it is

# message -> field number -> the message in it that may hold large tensors
_INSIDE: dict[str, dict[int, str]] = {
    "SavedModel": {2: "MetaGraphDef"},
    "MetaGraphDef": {2: "GraphDef"},
    "GraphDef": {1: "NodeDef", 2: "FunctionDefLibrary"},
    "FunctionDefLibrary": {1: "FunctionDef"},
    "FunctionDef": {3: "NodeDef"},
    "NodeDef": {5: "NodeDef.attr"},
    "NodeDef.attr": {2: "AttrValue"},
    "AttrValue": {8: "TensorProto"},
    "TensorProto": {},
}
CONTENT, FLOATS, DOUBLES = 4, 5, 6  # fields of TensorProto
_RUNS = {CONTENT, FLOATS, DOUBLES}
_MARK = struct.Struct("<12sBQQ")  # whose file, which field, offset, length
_SKIPPED = {1: 8, 5: 4}  # wire types of fixed width


def parse_lean(name: str, source: Source) -> Any:
    """The message that a whole file is, its large tensors left in the file.

    Raises FormatError where the bytes are not such a message.
    """
    return proto.parse(name, _lean_bytes(name, source), source.name)


def parse_graph(name: str, source: Source) -> Any:
    """``parse_lean`` of a message that holds a GraphDef, the attributes of whose nodes stay bytes: for ``graph_from_nodes``."""
    data = _lean_bytes(name, source)
    try:
        return proto.parse(f"Lean{name}", data, source.name)
    except FormatError:
        proto.parse(name, data, source.name)  # the error that names the whole message
        raise


def _lean_bytes(name: str, source: Source) -> bytes:
    if source.size <= SMALL:
        return source[:]
    parts: list[bytes] = []
    _lean(name, source, 0, source.size, parts)
    return b"".join(parts)


def _lean(name: str, source: Source, start: int, end: int, parts: list[bytes]) -> None:
    """Append the message's bytes, less its large runs, to ``parts``."""
    buffer, inside = source.buffer, _INSIDE[name]
    runs = _RUNS if name == "TensorProto" else ()
    what = f"{source.name}: {name.partition('.')[0]}"
    place = begin = start
    while place < end:
        if (after := _after_short(buffer, place, end)) > place:
            place = after
            continue
        here = place
        tag, place = read_varint(buffer, place, what)
        number, kind = tag >> 3, tag & 7
        if kind == 2:
            size, place = read_varint(buffer, place, what)
            stop = place + size
        elif kind == 0:
            _, stop = read_varint(buffer, place, what)
            size = 0
        else:
            size, stop = 0, place + _SKIPPED.get(kind, end)
        if stop > end or not number:
            raise FormatError(
                f"{what}: field {number} at byte {here} reaches to {stop}, beyond its end at {end}: "
                "the file is truncated or damaged"
            )
        if size > KEPT and number in runs:
            mark = _MARK.pack(source.token, number, place, size)
            parts += [buffer[begin:here], proto.field(CONTENT, mark)]
            begin = stop
        elif size > KEPT and number in inside:
            inner: list[bytes] = []
            _lean(inside[number], source, place, stop, inner)
            parts += [buffer[begin:here], proto.field(number, b"".join(inner))]
            begin = stop
        place = stop
    parts.append(buffer[begin:end])


def _after_short(buffer: Any, place: int, end: int) -> int:
    """Where a field with a length below ``KEPT`` ends, of which nothing is left in the file: most nodes; the place itself for others."""
    tag = buffer[place]
    if tag & 0x87 != 2 or tag < 8 or end - place < 3:
        return place
    low, high = buffer[place + 1], buffer[place + 2]
    if low < 128:
        after = place + 2 + low
    elif high < KEPT >> 7:
        after = place + 3 + (low & 127 | high << 7)
    else:
        return place
    return after if after <= end else place


def mark_run(source: Source, offset: int, length: int) -> bytes:
    """A ``tensor_content`` that stands for the bytes at a place of a source."""
    return _MARK.pack(source.token, CONTENT, offset, length)


class Run(NamedTuple):
    """Values left in the file: by which field of the TensorProto, and where."""

    field: int
    offset: int
    length: int


def run_in(content: bytes, source: Source | None) -> Run | None:
    """The run of values that this ``tensor_content`` stands for; None where it is the values themselves."""
    if source is None or len(content) != _MARK.size:
        return None
    token, field, offset, length = _MARK.unpack(content)
    return Run(field, offset, length) if token == source.token else None


def filled(message: Message, source: Source | None) -> Any:
    """A copy of a message in which every run of values that was left in the file is back in its place."""
    copy = type(message)()
    copy.CopyFrom(message)
    waiting = [copy]
    while waiting:
        here = waiting.pop()
        if here.DESCRIPTOR.name == "TensorProto":
            _fill(here, source)
        for field, value in here.ListFields():
            if field.message_type is not None:
                mapped = field.message_type.GetOptions().map_entry
                nested = value.values() if mapped else value
                listed = [value] if hasattr(value, "ListFields") else nested
                waiting += [each for each in listed if hasattr(each, "ListFields")]
    return copy


def _fill(tensor: Any, source: Source | None) -> None:
    run = run_in(tensor.tensor_content, source)
    if run is None or source is None:
        return
    data = source.read(run.offset, run.length, "a tensor")
    if run.field == CONTENT:
        tensor.tensor_content = data
    else:
        tensor.ClearField("tensor_content")
        tensor.MergeFromString(proto.field(run.field, data))


def read_varint(data: Any, place: int, what: str) -> tuple[int, int]:
    """``(value, next place)``; raises FormatError where the bytes end or the number does not."""
    value = shift = 0
    end = min(len(data), place + LONGEST)
    while place < end:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, place
        shift += 7
    raise FormatError(f"{what}: a number at byte {place} never ends: it is damaged")
