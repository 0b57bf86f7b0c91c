"""TensorFlow's protobuf messages, declared at run time in a pool of our own.

The messages are wire-compatible with TensorFlow's and live in the protobuf package ``graphscope``, in a
``DescriptorPool`` that is not the default one: TensorFlow can be imported in the same process without a clash.
``proto.GraphDef`` is a message class; ``proto.DATA_TYPES`` maps data type numbers to dtype names (``"float32"``).
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
)
from google.protobuf.message import DecodeError

from ..errors import FormatError, GraphError
from ..graph.named_values import Message
from .schema import ENUMS, MESSAGES

PACKAGE = "graphscope"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "double": _FIELD.TYPE_DOUBLE,
    "float": _FIELD.TYPE_FLOAT,
    "int64": _FIELD.TYPE_INT64,
    "uint64": _FIELD.TYPE_UINT64,
    "int32": _FIELD.TYPE_INT32,
    "fixed64": _FIELD.TYPE_FIXED64,
    "fixed32": _FIELD.TYPE_FIXED32,
    "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
    "uint32": _FIELD.TYPE_UINT32,
    "sint64": _FIELD.TYPE_SINT64,
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


def _declare_field(
    message: Message, name: str, kind: str, number: str, oneof: str, enums: Any
) -> None:
    field = message.field.add(
        name=name, number=int(number), label=_FIELD.LABEL_OPTIONAL
    )
    if kind.startswith("map<"):
        key, value = kind[4:-1].split(",")
        entry = message.nested_type.add(
            name="".join(map(str.capitalize, name.split("_"))) + "Entry"
        )
        entry.options.map_entry = True
        _declare_field(entry, "key", key, "1", "", enums)
        _declare_field(entry, "value", value, "2", "", enums)
        field.label, field.type = _FIELD.LABEL_REPEATED, _FIELD.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{message.name}.{entry.name}"
        return
    if kind.endswith("*"):
        field.label, kind = _FIELD.LABEL_REPEATED, kind[:-1]
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    elif kind in enums:
        field.type, field.type_name = _FIELD.TYPE_ENUM, f".{PACKAGE}.{kind}Enum.{kind}"
    else:
        field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    if oneof:
        oneofs = [one.name for one in message.oneof_decl]
        if oneof not in oneofs:
            message.oneof_decl.add(name=oneof)
            oneofs.append(oneof)
        field.oneof_index = oneofs.index(oneof)


def _declare() -> tuple[dict[str, Any], dict[str, list[tuple[str, int]]]]:
    file = descriptor_pb2.FileDescriptorProto(
        name="graphscope.proto", package=PACKAGE, syntax="proto3"
    )
    enums = _enum_values()
    for name, values in enums.items():
        # wrapped in a message each, because values of sibling enums must not share a name
        enum = file.message_type.add(name=f"{name}Enum").enum_type.add(name=name)
        for value, number in values:
            enum.value.add(name=value, number=number)
    messages = _paragraphs(MESSAGES)
    messages |= _lean(messages)
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, kind, place, *oneof in fields:
            _declare_field(message, field, kind, place, "".join(oneof), enums)
    pool = descriptor_pool.DescriptorPool()
    (
        pool.Add(file)
        if hasattr(pool, "Add")
        else pool.AddSerializedFile(file.SerializeToString())
    )
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
