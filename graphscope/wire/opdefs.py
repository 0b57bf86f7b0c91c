"""What the OpDefs say of each op: arguments, ports, dtypes, attribute defaults. No TensorFlow needed.

An op that the registry does not hold is custom, or older or newer than TensorFlow 2.21: every function here then answers
with what the node alone says, never with an error.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..errors import GraphError
from ..graph.named_values import Attributes, Message
from . import messages as proto
from .attrs import Attrs, attr_of
from .op_registry import find

MOST_PORTS = 1 << 20  # a node of more outputs than that would not fit a file


@cache
def defaults(op: str) -> Attributes:
    """The default value of every attribute that has one, as plain Python values."""
    definition = find(op)
    if definition is None:
        return {}
    return {
        a.name: attr_of(a.default_value)
        for a in definition.attr
        if a.HasField("default_value")
    }


@cache
def input_names(op: str) -> tuple[str, ...]:
    """The names of the op's input arguments (a list argument counts once)."""
    definition = find(op)
    return (
        tuple(arg.name for arg in definition.input_arg)
        if definition is not None
        else ()
    )


def _size(arg: Message, attrs: _WithDefaults) -> int:
    if arg.number_attr:
        size = int(attrs.get(arg.number_attr) or 0)
        if not 0 <= size <= MOST_PORTS:
            raise GraphError(
                f"a {attrs.op} says {arg.number_attr}={size}: that many ports cannot be, the graph is damaged"
            )
        return size
    if arg.type_list_attr:
        return len(attrs.get(arg.type_list_attr) or ())
    return 1


def output_dtypes(op: str, attrs: Attributes) -> tuple[str, ...]:
    """The dtype of each output port (``"float32_ref"`` where the op yields a reference); () for an unknown op."""
    definition = find(op)
    return _dtypes(definition.output_arg, op, attrs) if definition is not None else ()


def input_dtypes(op: str, attrs: Attributes) -> tuple[str, ...]:
    """The dtype that each data input must have (``_ref`` where the op wants a reference); () for an unknown op."""
    definition = find(op)
    return _dtypes(definition.input_arg, op, attrs) if definition is not None else ()


def _dtypes(arguments: Any, op: str, attrs: Attributes) -> tuple[str, ...]:
    values = _WithDefaults(attrs, op)
    dtypes: list[str] = []
    for arg in arguments:
        if arg.type_list_attr:
            dtypes += values.get(arg.type_list_attr) or ()
            continue
        dtype = (
            values.get(arg.type_attr) if arg.type_attr else proto.DATA_TYPES[arg.type]
        )
        dtype = f"{dtype}_ref" if arg.is_ref and dtype else dtype or ""
        dtypes += [dtype] * _size(arg, values)
    return tuple(dtypes)


def port_of(node: Any, argument: str) -> int:
    """The first port of a named output argument of a NodeDef; 0 for an unknown op."""
    definition = find(node.op)
    if definition is None:
        return 0
    attrs, port = _WithDefaults(Attrs(node.attr), node.op), 0
    for arg in definition.output_arg:
        if arg.name == argument:
            return port
        port += _size(arg, attrs)
    return 0


def argument_of(op: str, attrs: Attributes, port: int) -> tuple[str, int] | None:
    """The output argument that a port belongs to and the place in it; None for an unknown op: ``port_of`` undone."""
    definition = find(op)
    values, first = _WithDefaults(attrs, op), 0
    for arg in definition.output_arg if definition is not None else ():
        size = _size(arg, values)
        if port < first + size:
            return arg.name, port - first
        first += size
    return None


class _WithDefaults:
    """Attributes, with the OpDef's default where the node is silent."""

    def __init__(self, attrs: Attributes, op: str) -> None:
        self.attrs, self.op = attrs, op

    def get(self, name: str) -> Any:
        return self.attrs[name] if name in self.attrs else defaults(self.op).get(name)
