"""AttrValue and TensorProto -> plain Python values, and back.

A dtype becomes ``"float32"``, a shape a ``Shape``, a string a ``str`` (bytes that are no UTF-8 survive as surrogate
escapes), a tensor an ndarray (strings: an object array of bytes), a list a tuple, a function a ``FunctionRef``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from ...errors import GraphError, MissingAttribute
from ...graph import Extent, FunctionRef, TensorSpec
from ...graph.named_values import Arguments, Attributes, Message
from .. import messages as proto
from .. import op_registry
from ..protobuf import CONTENT, DOUBLES, FLOATS, run_in
from ..source import Source
from .content import Content, content_of
from .tensors import numpy_dtype, shape_of, tensor_of

__all__ = [
    "Attrs",
    "PlainAttrs",
    "attr_names",
    "attr_of",
    "element_count",
    "numpy_dtype",
    "shape_of",
    "tensor_of",
]

_NODE_DEF = proto.NodeDef
_OWN = {np.dtype("<f4"): FLOATS, np.dtype("<f8"): DOUBLES}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _function(message: Message, source: Source | None = None) -> FunctionRef:
    return FunctionRef(message.name, Attrs(message.attr, source))


_DECODERS: Arguments = {
    "s": _text,
    "i": int,
    "f": float,
    "b": bool,
    "type": lambda number: proto.DATA_TYPES.get(number, f"dtype {number}"),
    "shape": shape_of,
    "placeholder": str,
}


# What an attribute's declared type is called in an AttrValue, and attributes that any node may have.
_KINDS = {"string": "s", "int": "i", "float": "f", "bool": "b", "type": "type"}
_KINDS |= {"shape": "shape", "tensor": "tensor", "func": "func"}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_KEPT = frozenset("s i f b type shape".split())  # not what may be large
_NOTHING: dict[str, object] = {}
_OF_CONSTANT = "type", "tensor"


@lru_cache(1 << 10)
def _one_tuple(*names: str) -> tuple[str, ...]:
    """One tuple for all constants of the same attributes."""
    return names


@lru_cache(1 << 8)
def _with_dtype(dtype: str) -> dict[str, object]:
    """What is known of a constant of this dtype, one dictionary for all: it is replaced, never written to."""
    return {"dtype": dtype}


def attr_of(message: Message, source: Source | None = None) -> Any:
    """AttrValue -> the plain value; None where it is empty."""
    kind = message.WhichOneof("value")
    if kind == "list":
        for field, values in message.list.ListFields():
            return tuple(_decoded(field.name, value, source) for value in values)
        return ()
    return _decoded(kind, getattr(message, kind), source) if kind else None


def _decoded(kind: str, value: Any, source: Source | None) -> Any:
    if kind == "tensor":
        return tensor_of(value, source)
    return _function(value, source) if kind == "func" else _DECODERS[kind](value)


class PlainAttrs(dict[str, Any]):
    """Attributes as they are unpickled: plain values; ``hollow`` is told, since of a value that is none TensorFlow makes zeros."""

    def __init__(self, values: Attributes, hollow: bool = False) -> None:
        super().__init__(values)
        self.hollow = hollow

    def __reduce__(self) -> tuple[object, ...]:
        return PlainAttrs, (dict(self), self.hollow)


class Attrs(Mapping[str, Any]):
    """The attributes of one NodeDef, decoded when read; ``raw`` is the protobuf map itself, or the bytes of a NodeDef that has it.

    ``source`` is the file that holds the values that ``protobuf.py`` left there; ``otherwise`` has the defaults of
    attributes that the file's own op definitions declare and stock TensorFlow does not.
    """

    __slots__ = (
        "_beyond",
        "_content",
        "_names",
        "_raw",
        "is_plain",
        "known",
        "node",
        "otherwise",
        "source",
    )

    def __init__(
        self,
        raw: Any,
        source: Source | None = None,
        otherwise: Attributes = MappingProxyType({}),
        node: Any = None,
    ) -> None:
        self._raw, self.source, self.otherwise, self.node = raw, source, otherwise, node
        self.known: Arguments = _NOTHING
        self._beyond: tuple[frozenset[str], list[str]] | None = None
        self._content: Content | None = None
        self._names: tuple[str, ...] | None = None
        self.is_plain = False  # a constant whose value is a tensor of its dtype

    def keep(self, decoded: Any) -> None:
        """Keep what a constant's attributes say besides its elements, while they are decoded: every pass asks, and decodes them anew."""
        self._names = _one_tuple(*decoded)
        if "dtype" not in decoded or "value" not in decoded:
            return
        dtype, value = decoded["dtype"], decoded["value"]
        if (dtype.WhichOneof("value"), value.WhichOneof("value")) != _OF_CONSTANT:
            return
        self.is_plain = dtype.type == value.tensor.dtype
        self.known = _with_dtype(_DECODERS["type"](dtype.type))
        self._content = content_of(value.tensor, _spec_of(value.tensor))

    @property
    def names(self) -> Iterable[str]:
        """The names of the attributes that the file has, in no order, those that hold nothing among them."""
        return self.raw if self._names is None else self._names

    @property
    def raw(self) -> Any:
        """The protobuf map; of a constant it is decoded anew each time, since that is the most of a large file."""
        if type(self._raw) is not bytes:
            return self._raw
        decoded = _NODE_DEF.FromString(self._raw).attr
        if self.node.op != "Const":
            self._raw = decoded
        return decoded

    def __getitem__(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        raw = self.raw
        if name in raw:  # a protobuf map would add what it is asked for
            message = raw[name]
            kind = message.WhichOneof("value")
            if kind is not None:
                self._check(name, kind, message)
                value = attr_of(message, self.source)
                if kind in _KEPT:
                    self.known = {**self.known, name: value}
                return value
        if name in self.otherwise:
            return self.otherwise[name]
        raise MissingAttribute(
            f"{self._owner()} has no attribute {name!r}, which its op needs"
        )

    def _check(self, name: str, kind: str, message: Message) -> None:
        """Raise GraphError where the value is not of the type that the op declares; TensorFlow refuses it too."""
        if self.node is None:
            return
        declared = op_registry.EVERYWHERE.get(name) or op_registry.attr_types(
            self.node.op
        ).get(name)
        if declared is None or kind == "placeholder" or declared == "any":
            return
        kinds = {kind}
        if kind == "list" and declared.startswith("list("):
            kinds = {field.name for field, _ in message.list.ListFields()}
            declared = declared[len("list(") : -1]
        if not kinds <= {_KINDS.get(declared, "")}:
            raise GraphError(
                f"{self._owner()}: attribute {name!r} holds {_WORDS.get(kind, kind)}, "
                f"expected {declared}: the graph is damaged"
            )

    def _owner(self) -> str:
        return (
            f"node {self.node.name!r} ({self.node.op})"
            if self.node is not None
            else "a function"
        )

    def __contains__(self, name: object) -> bool:
        if name in self.known:
            return True
        raw = self.raw
        if name in raw and raw[name].WhichOneof("value") is not None:
            return True
        return name in self.otherwise

    def __iter__(self) -> Iterator[str]:
        """The names of those that hold a value: an empty AttrValue says nothing."""
        raw = self.raw
        names = (n for n in raw if raw[n].WhichOneof("value") is not None)
        return iter(sorted({*names, *self.otherwise}))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def __copy__(self) -> Attrs:
        """Itself: what a file says never changes."""
        return self

    def __deepcopy__(self, memo: Any) -> Attrs:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled as plain values, so that whoever reads them needs no file; raises as reading them does."""
        return PlainAttrs, (dict(self), self.hollow)

    @property
    def hollow(self) -> bool:
        """Whether the value of a constant is a shape alone, as where it was written apart; TensorFlow reads zeros."""
        content = self.content
        return content is not None and content.hollow

    @property
    def content(self) -> Content | None:
        """What a constant says of its value without its elements; None of a node that has no value."""
        if self._content is None and "value" in (raw := self.raw):
            tensor = raw["value"].tensor
            self._content = content_of(tensor, _spec_of(tensor))
        return self._content

    def beyond(self, names: frozenset[str]) -> list[str]:
        """The attributes that are not among some names; the last answer is kept, since many passes ask the same."""
        if self._beyond is None or self._beyond[0] is not names:
            own = [name for name in self.names if name not in names]
            own += [name for name in self.otherwise if name not in names]
            self._beyond = names, own
        return self._beyond[1]

    def spec(self, name: str) -> TensorSpec:
        """Dtype and shape of a tensor attribute, its values left alone."""
        content = self.content if name == "value" else None
        return _spec_of(self.raw[name].tensor) if content is None else content.spec

    def extent(self, name: str) -> Extent | None:
        """Where the raw little-endian bytes of a tensor attribute lie on disk; None where they are not there."""
        if self.source is None or name not in self.raw:
            return None
        tensor = self.raw[name].tensor
        run = run_in(tensor.tensor_content, self.source)
        dtype = numpy_dtype(proto.DATA_TYPES.get(tensor.dtype, ""))
        if run is None or dtype is None or run.field not in (CONTENT, _OWN.get(dtype)):
            return None
        count = math.prod(dim.size for dim in tensor.tensor_shape.dim)
        if run.length != dtype.itemsize * count:
            return None  # one value stands for many, or the file is wrong
        return self.source.extent(run.offset, run.length)


def _spec_of(tensor: Message) -> TensorSpec:
    dtype = proto.DATA_TYPES.get(tensor.dtype, f"dtype {tensor.dtype}")
    return TensorSpec(dtype, shape_of(tensor.tensor_shape))


def attr_names(attrs: Attributes) -> Iterable[str]:
    """The names of a node's attributes in no order, those that hold nothing among them."""
    return attrs.names if isinstance(attrs, Attrs) and not attrs.otherwise else attrs


def element_count(attrs: Attributes, name: str) -> int:
    """The elements of a tensor attribute; those that a file holds are not looked at for it: far away, a look costs a fetch."""
    if isinstance(attrs, Attrs) and name in attrs:
        return math.prod(size or 0 for size in attrs.spec(name).shape or ())
    return int(np.size(attrs[name]))
