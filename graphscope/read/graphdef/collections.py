"""CollectionDefs of a MetaGraphDef -> plain tuples.

Node lists give tensor or node names; ``bytes_list`` entries whose collection is known to hold a message give a dict of
it (variables: ``{"variable_name": "w:0", "initializer_name": "w/Assign", ...}``), others the text or bytes; wrapped
messages (``Any``) give what is known of their type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import FormatError
from ...graph.named_values import Message
from ...wire import messages as proto

_MESSAGES = {
    "variables": "VariableDef",
    "trainable_variables": "VariableDef",
    "local_variables": "VariableDef",
    "model_variables": "VariableDef",
    "global_step": "VariableDef",
    "moving_average_variables": "VariableDef",
    "metric_variables": "VariableDef",
    "concatenated_variables": "VariableDef",
    "trainable_resource_variables": "VariableDef",
    "queue_runners": "QueueRunnerDef",
    "cond_context": "CondContextDef",
    "while_context": "WhileContextDef",
    "savers": "SaverDef",
    "serving_signatures": "Signatures",
    "init_op_signature": "SignatureDef",
    "train_op_signature": "SignatureDef",
}


def decode_collections(
    messages: Mapping[str, Any], what: str
) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """The collections by key, and remarks on those that could not be decoded."""
    collections: dict[str, tuple[Any, ...]] = {}
    remarks: list[str] = []
    for key in sorted(messages):
        message = messages[key]
        kind = message.WhichOneof("kind")
        if kind == "bytes_list":
            collections[key] = _messages(key, message.bytes_list.value, what, remarks)
        elif kind == "any_list":
            collections[key] = tuple(
                _unwrapped(each) for each in message.any_list.value
            )
        elif kind:
            collections[key] = tuple(getattr(message, kind).value)
    return collections, remarks


def _messages(key: str, values: Any, what: str, remarks: list[str]) -> tuple[Any, ...]:
    name = _MESSAGES.get(key, "")
    if not name and values and all(value.startswith(b"\n") for value in values):
        name = "VariableDef"  # collections of an author's own most often hold variables
    try:
        if name and name in proto.names():
            decoded = [proto.parse(name, value, f"{what}: {key}") for value in values]
            if name != "VariableDef" or all(each.variable_name for each in decoded):
                return tuple(map(as_dict, decoded))
    except FormatError:
        if key in _MESSAGES:
            remarks.append(f"collection {key!r} holds something else than {name}s")
    return tuple(_plain(value) for value in values)


def _plain(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _unwrapped(message: Message) -> Any:
    name = message.type_url.rpartition(".")[2]
    if name not in proto.names():
        return {"type_url": message.type_url, "value": message.value}
    if name == "GraphDef":  # session bundles hold their graph twice
        return {"type_url": message.type_url, "bytes": len(message.value)}
    try:
        return as_dict(proto.parse(name, message.value, message.type_url))
    except FormatError:
        return {"type_url": message.type_url, "value": message.value}


def as_dict(message: Message) -> dict[str, object]:
    """A message as plain Python values, under the names that its .proto gives; unset fields are left out."""
    fields: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            fields[field.name] = {
                key: (
                    as_dict(value[key])
                    if hasattr(value[key], "ListFields")
                    else value[key]
                )
                for key in sorted(value)
            }
        elif field.message_type is None:
            fields[field.name] = (
                value if isinstance(value, (str, bytes, int, float)) else list(value)
            )
        elif hasattr(value, "ListFields"):
            fields[field.name] = as_dict(value)
        else:
            fields[field.name] = [as_dict(each) for each in value]
    return fields
