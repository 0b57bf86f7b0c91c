"""TensorFlow's protobuf messages, declared at run time in a pool of our own.

The messages are wire-compatible with TensorFlow's and live in the protobuf package ``graphscope``, in a
``DescriptorPool`` that is not the default one: TensorFlow can be imported in the same process without a clash.
``proto.GraphDef`` is a message class; ``proto.DATA_TYPES`` maps data type numbers to dtype names (``"float32"``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from ..errors import FormatError, GraphError
from ..graph.named_values import Arguments
from .schema import ENUMS, MESSAGES

PACKAGE = "graphscope"
_OPTIONAL, _REPEATED = 1, 3  # FieldDescriptorProto.Label
_MESSAGE, _ENUM = 11, 14  # FieldDescriptorProto.Type
_SCALARS = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "fixed64": 6,
    "fixed32": 7,
    "bool": 8,
    "string": 9,
    "bytes": 12,
    "uint32": 13,
    "sint64": 18,
}
_ODD_NAMES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}
REF = 100  # DT_FLOAT_REF is DT_FLOAT + 100


def _paragraphs(text: str) -> dict[str, list[list[str]]]:
    """``{"Name": [["field", "type", "number"], ...]}`` from the text of ``schema.py``."""
    joined = re.sub(r"\n\s+", " ", text).strip()
    paragraphs = {}
    for line in joined.splitlines():
        name, _, body = line.partition(":")
        paragraphs[name] = [part.split() for part in body.split(";") if part.strip()]
    return paragraphs


def _enum_values() -> dict[str, list[tuple[str, int]]]:
    enums = {
        name: [(v, int(n)) for v, n in values]
        for name, values in _paragraphs(ENUMS).items()
    }
    enums["DataType"] += [(f"{v}_REF", n + REF) for v, n in enums["DataType"] if n]
    return enums


def varint(value: int) -> bytes:
    """A number as protobuf writes it; a negative one has ten bytes."""
    out, value = bytearray(), value & (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a message: a number, a text, or bytes of whatever kind."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def _field_declaration(
    owner: str, name: str, kind: str, number: int, enums: Collection[str]
) -> bytes:
    """FieldDescriptorProto: name 1, type_name 6, number 3, label 4, type 5."""
    label = _OPTIONAL
    if kind.startswith("map<") or kind.endswith("*"):
        label, kind = _REPEATED, kind.removesuffix("*")
    plain = field(1, name) + field(3, number) + field(4, label)
    if kind in _SCALARS:
        return plain + field(5, _SCALARS[kind])
    if kind in enums:
        return plain + field(5, _ENUM) + field(6, f".{PACKAGE}.{kind}Enum.{kind}")
    inner = f"{owner}.{_entry_name(name)}" if kind.startswith("map<") else kind
    return plain + field(5, _MESSAGE) + field(6, f".{PACKAGE}.{inner}")


def _entry_name(name: str) -> str:
    """What protoc calls the message of the entries of a map."""
    return "".join(map(str.capitalize, name.split("_"))) + "Entry"


def _message_declaration(
    name: str, fields: Iterable[Sequence[str]], enums: Collection[str]
) -> bytes:
    """DescriptorProto: name 1, field 2, nested_type 3, oneof_decl 8; of a map's entries options 7 { map_entry 7 }."""
    parts, oneofs = [field(1, name)], dict[str, int]()
    for each, kind, number, *oneof in fields:
        declared = _field_declaration(name, each, kind, int(number), enums)
        if kind.startswith("map<"):
            key, value = kind[4:-1].split(",")
            inner = [("key", key, "1"), ("value", value, "2")]
            entry = _message_declaration(_entry_name(each), inner, enums)
            parts.append(field(3, entry + field(7, field(7, 1))))
        for group in oneof:
            declared += field(9, oneofs.setdefault(group, len(oneofs)))
        parts.append(field(2, declared))
    return b"".join([*parts, *(field(8, field(1, group)) for group in oneofs)])


def _enum_declaration(name: str, values: Iterable[tuple[str, int]]) -> bytes:
    """A message that holds the enum alone (enum_type 4), because values of sibling enums must not share a name."""
    listed = (field(2, field(1, value) + field(2, number)) for value, number in values)
    return field(1, f"{name}Enum") + field(4, field(1, name) + b"".join(listed))


def _declare() -> tuple[Arguments, dict[str, list[tuple[str, int]]]]:
    """The classes of the messages, and the enums: by a FileDescriptorProto (name 1, package 2, message_type 4, syntax 12) written here,
    since protobuf's own class for it takes longer to import than everything else that is used of protobuf.
    """
    enums = _enum_values()
    messages = _paragraphs(MESSAGES)
    messages |= _lean(messages)
    declared = [_enum_declaration(*each) for each in enums.items()]
    declared += [_message_declaration(*each, enums) for each in messages.items()]
    file = field(1, "graphscope.proto") + field(2, PACKAGE) + field(12, "proto3")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file + b"".join(field(4, each) for each in declared))
    classes = {n: pool.FindMessageTypeByName(f"{PACKAGE}.{n}") for n in messages}
    return {n: message_factory.GetMessageClass(d) for n, d in classes.items()}, enums


def _lean(messages: dict[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    """Whatever holds a GraphDef, once more: as ``Lean...``, in which the attributes of a node are bytes.

    Most nodes of a large graph say what another one says: whoever compares bytes decodes them once.
    """
    outer = ("SavedModel", "MetaGraphDef", "GraphDef")
    inside = {
        f"{n}{many}": f"Lean{n}{many}"
        for n in (*outer, "NodeDef")
        for many in ("", "*")
    }
    lean = {
        f"Lean{name}": [
            [f, inside.get(kind, kind), *rest] for f, kind, *rest in messages[name]
        ]
        for name in outer
    }
    plain = [field for field in messages["NodeDef"] if field[1].startswith("string")]
    return lean | {"LeanNodeDef": [*plain, ["attr", "bytes*", "5"]]}


def _dtype_name(value: str) -> str:
    base, ref, _ = value.partition("_REF")
    return _ODD_NAMES.get(base, base[3:].lower()) + ("_ref" if ref else "")


_MESSAGES, _ENUMS = _declare()
DATA_TYPES: dict[int, str] = {
    number: _dtype_name(value) for value, number in _ENUMS["DataType"]
}
DATA_TYPE_NUMBERS: dict[str, int] = {
    name: number for number, name in DATA_TYPES.items()
}


def __getattr__(name: str) -> Any:
    try:
        return _MESSAGES[name]
    except KeyError:
        raise AttributeError(
            f"no protobuf message {name!r} is declared in read/schema.py"
        ) from None


def parse(name: str, data: bytes, what: object) -> Any:
    """The message ``name`` read from ``data``; ``what`` names the place in an error.

    Raises FormatError where the bytes are not such a message.
    """
    try:
        return _MESSAGES[name].FromString(bytes(data))
    except DecodeError as error:
        raise FormatError(
            f"{what}: not a {name} ({error}); the file is damaged or of another kind"
        ) from None


def parse_text(name: str, text: str, what: str) -> Any:
    """The message ``name`` read from protobuf's text format; unknown fields are passed over.

    Raises FormatError where the text is not such a message.
    """
    from google.protobuf import text_format

    try:
        return text_format.Parse(text, _MESSAGES[name](), allow_unknown_field=True)
    except (text_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{what}: not a {name} in text form ({error})") from None


def names() -> frozenset[str]:
    """The names of the messages that are TensorFlow's."""
    return frozenset(n for n in _MESSAGES if not n.startswith("Lean"))


def enum_number(name: str, value: object) -> int | None:
    """The number of an enum's value, given as its name or as a number; None where there is no such value."""
    if isinstance(value, int):
        return value
    return dict(_ENUMS[name]).get(str(value))


def dtype_number(dtype: str) -> int:
    """The number of a dtype; one that nobody knows is written as it was read. Raises GraphError for a name that is none."""
    number = DATA_TYPE_NUMBERS.get(dtype)
    if number is None and dtype.removeprefix("dtype ").isdecimal():
        return int(dtype.removeprefix("dtype "))
    if number is None:
        raise GraphError(f"no dtype is called {dtype!r}")
    return number
