"""NodeDefs -> Nodes, of which one serves all that say the same but for their names and inputs.

A graph of a million nodes has some thousand kinds of them, constants aside: what is decoded, checked and kept is a kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import intern
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from google.protobuf.message import DecodeError

from ...errors import FormatError
from ...graph import Node, TensorSpec
from ...graph.named_values import Arguments, Attributes, Message
from .. import messages as proto
from .. import op_registry
from ..attrs import Attrs, shape_of
from ..source import Source

_NONE: Attributes = MappingProxyType({})
_SHORT = 128  # bytes
_MOST_CONSTANTS = (
    1 << 16
)  # kinds of constants that are looked for among those read before
_TOO_MANY = 1 << 62
_LEAN = proto.LeanNodeDef
_SHAPES = "_output_shapes"


class Kind(NamedTuple):
    """A node as the graph holds it, the inputs that it must have (None: any number) and the outputs that it declares by an attribute."""

    node: Node
    inputs: int | None
    ports: int


class Owner(NamedTuple):
    """Whose attributes they are."""

    name: str
    op: str


class Kinds:
    """The kinds of the nodes of one graph; ``source`` and ``otherwise`` are those of ``graph_from_nodes``."""

    def __init__(
        self, source: Source | None, otherwise: Mapping[str, Attributes]
    ) -> None:
        self.source, self.otherwise = source, otherwise
        self._shared: dict[Any, tuple[Kind, Arguments]] = {}
        self._specs: dict[bytes, tuple[TensorSpec, ...]] = {}
        self._constants = _MOST_CONSTANTS

    def of(
        self, message: object, controls: Sequence[str], name: str
    ) -> tuple[Kind, Arguments]:
        """The kind of a NodeDef (TensorFlow's own too) or a LeanNodeDef of this name with these control inputs, and what a graph
        says of it;
        raises FormatError on damaged attributes.
        """
        kind, payload = self._kind(message, name)
        if not controls:
            return kind, payload
        node = kind.node
        own = Node(node.op, node.attrs, node.outputs, tuple(controls), node.device)
        return kind, {"node": own}

    def _kind(self, message: Any, name: str) -> tuple[Kind, Arguments]:
        if not isinstance(message, _LEAN):  # ours or TensorFlow's own NodeDef
            return self._new(message, message.attr, message)
        op = intern(message.op)  # each message gives a string of its own
        key = (op, message.device, *message.attr)
        kind = self._shared.get(key)
        if kind is None:
            data = message.SerializeToString()
            kind = self._new(message, data, Owner(name, op))
            if self._is_shared(kind[0].node, key):
                self._shared[key] = kind
        return kind

    def _is_shared(self, node: Node, key: tuple[Any, ...]) -> bool:
        """Whether all is there that its op needs: else an error would name the node, and it is its own kind.

        So is a constant of more than a few numbers, and each when there are many kinds of them: they repeat no others.
        """
        needed, attrs = op_registry.needed_attrs(node.op), cast(Attrs, node.attrs)
        if needed is None:
            return False
        if node.op != "Const":
            return all(name in attrs.raw for name in needed)
        if not attrs.is_plain or sum(map(len, key)) > _SHORT or not self._constants:
            return False
        self._constants -= 1
        return True

    def _new(
        self, message: Message, raw: Message, owner: Any
    ) -> tuple[Kind, dict[str, object]]:
        otherwise = self.otherwise.get(message.op, _NONE)
        attrs = Attrs(raw, self.source, otherwise, owner)
        try:
            decoded = attrs.raw
        except DecodeError as error:
            name = self.source.name if self.source is not None else "the graph"
            raise FormatError(
                f"{name}: not a NodeDef ({error}); the file is damaged or of another kind"
            ) from None
        if message.op == "Const" and type(raw) is bytes:
            attrs.keep(decoded)
        declared = self._declared(decoded) if _SHAPES in decoded else ()
        node = Node(owner.op, attrs, declared, (), message.device)
        return Kind(node, *_arities(node.op, decoded)), {"node": node}

    def _declared(self, attrs: Any) -> tuple[TensorSpec, ...]:
        """What a node says of its outputs; many say the same."""
        listed = attrs[_SHAPES].list
        data = listed.SerializeToString()
        if data not in self._specs:
            shapes = map(shape_of, listed.shape)
            self._specs[data] = tuple(TensorSpec("", shape) for shape in shapes)
        return self._specs[data]


def _arities(op: str, attrs: object) -> tuple[int | None, int]:
    """The inputs that a node must have and the outputs that it declares; of an op that is not registered: any, and none."""
    arities = op_registry.arities(op)
    if arities is None:
        return None, 0
    inputs, outputs = arities
    declared = (outputs.counts or outputs.lists) and outputs.of(attrs) or 0
    return inputs.of(attrs), declared if declared >= 0 else _TOO_MANY
