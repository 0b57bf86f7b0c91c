"""TensorFlow's op registry: OpDef messages by op name, from the table beside this file.

``opdefs.pb.gz`` holds the registry of TensorFlow 2.21, written by ``tools/make_opdefs.py``, and is read when first asked
for. An op that is not in it is custom, or older or newer than that.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..graph.named_values import Message
from . import messages as proto


@cache
def registry() -> Mapping[str, Message]:
    """OpDef messages by op name."""
    data = gzip.decompress((Path(__file__).parent / "opdefs.pb.gz").read_bytes())
    return {op.name: op for op in proto.OpList.FromString(data).op}


def find(op: str) -> Message | None:
    """The OpDef of this op, or None where stock TensorFlow does not register it."""
    return registry().get(op)


@cache
def attr_types(op: str) -> Mapping[str, str]:
    """The declared type of every attribute: ``"int"``, ``"type"``, ``"list(shape)"``; empty for an unknown op."""
    definition = find(op)
    return {a.name: a.type for a in definition.attr} if definition is not None else {}


@cache
def needed_attrs(op: str) -> tuple[str, ...] | None:
    """The attributes that a node must have, since they have no default; None for an unknown op."""
    definition = find(op)
    if definition is None:
        return None
    return tuple(a.name for a in definition.attr if not a.HasField("default_value"))


@cache
def value_attrs(op: str) -> frozenset[str]:
    """The attributes of an op that can name no function: TensorFlow refuses a node whose attribute is not of its declared type."""
    closed = (name for name, type in attr_types(op).items() if type not in _OPEN)
    return frozenset((*closed, *EVERYWHERE))


# What any node may have; nothing that runs reads them.
EVERYWHERE = {"_output_shapes": "list(shape)", "_class": "list(string)"}
_OPEN = frozenset("func list(func) string list(string) any".split())


class Arity(NamedTuple):
    """How many tensors go in, or come out: ``fixed``, and for each of ``counts`` and ``lists`` what that attribute says."""

    fixed: int
    counts: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def of(self, attrs: Any) -> int | None:
        """The number for a node with these attributes (a protobuf map); None where they do not tell it."""
        total = self.fixed
        for name in self.counts:
            if name not in attrs or attrs[name].WhichOneof("value") != "i":
                return None
            total += attrs[name].i
        for name in self.lists:
            if name not in attrs or attrs[name].WhichOneof("value") != "list":
                return None
            total += len(attrs[name].list.type)
        return total


@cache
def arities(op: str) -> tuple[Arity, Arity] | None:
    """The arities of an op's inputs and outputs; None for an op that the registry does not hold."""
    definition = find(op)
    if definition is None:
        return None
    return _arity(definition.input_arg), _arity(definition.output_arg)


def _arity(arguments: Any) -> Arity:
    counts = tuple(arg.number_attr for arg in arguments if arg.number_attr)
    lists = tuple(arg.type_list_attr for arg in arguments if arg.type_list_attr)
    return Arity(len(arguments) - len(counts) - len(lists), counts, lists)
