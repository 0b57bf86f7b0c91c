"""AttrValue and TensorProto -> plain Python values, and back.

A dtype becomes ``"float32"``, a shape a ``Shape``, a string a ``str`` (bytes that are no UTF-8 survive as surrogate
escapes), a tensor an ndarray (strings: an object array of bytes), a list a tuple, a function a ``FunctionRef``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import FormatError
from ..graph import FunctionRef, Shape
from . import proto

MAX_ELEMENTS = (
    1 << 31
)  # a proto holds 2 GiB; a splat (one value, a huge shape) may not claim more
_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int32": "int_val",
    "uint8": "int_val",
    "int16": "int_val",
    "int8": "int_val",
    "uint16": "int_val",
    "qint8": "int_val",
    "quint8": "int_val",
    "qint16": "int_val",
    "quint16": "int_val",
    "qint32": "int_val",
    "string": "string_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "int4": "int_val",
    "uint4": "int_val",
}
_QUANTISED = {
    "qint8": "int8",
    "quint8": "uint8",
    "qint16": "int16",
    "quint16": "uint16",
    "qint32": "int32",
}


def numpy_dtype(name: str) -> np.dtype[Any] | None:
    """The numpy dtype of a TensorFlow dtype name (little-endian), object for strings, None where there is none."""
    base = name.removesuffix("_ref")
    if base == "string":
        return np.dtype(object)
    if base in ("resource", "variant", "invalid", ""):
        return None
    if base in _QUANTISED:
        return np.dtype(_QUANTISED[base]).newbyteorder("<")
    try:
        return np.dtype(base).newbyteorder("<")
    except TypeError:
        import ml_dtypes  # bfloat16, float8, int4: numpy knows them only through this library

        return np.dtype(getattr(ml_dtypes, base)) if hasattr(ml_dtypes, base) else None


def shape_of(message: Any) -> Shape:
    """TensorShapeProto -> Shape."""
    if message.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in message.dim)


def tensor_of(message: Any) -> np.ndarray:
    """TensorProto -> ndarray, splats expanded as views; raises FormatError where sizes contradict each other."""
    dtype_name = proto.DATA_TYPES.get(message.dtype, "")
    dtype = numpy_dtype(dtype_name)
    shape = tuple(dim.size for dim in message.tensor_shape.dim)
    count = 1
    for size in shape:
        count *= size
    if dtype is None:
        return np.empty((), object)  # a resource handle or a variant: nothing to show
    if min(shape, default=0) < 0 or count > MAX_ELEMENTS:
        raise FormatError(
            f"a tensor of shape {list(shape)} cannot be: sizes must be positive and below 2 GiB together"
        )
    if message.tensor_content and dtype != object:
        return _from_content(message.tensor_content, dtype, shape)
    values = _listed(message, dtype_name, dtype)
    if len(values) == count:
        return values.reshape(shape)
    if len(values) > count:
        raise FormatError(
            f"a tensor of shape {list(shape)} lists {len(values)} values, {count} expected"
        )
    if not len(values):
        values = np.array([b""], object) if dtype == object else np.zeros(1, dtype)
    if len(values) == 1:
        return np.broadcast_to(values[0], shape)
    return np.concatenate(
        [values, np.broadcast_to(values[-1], count - len(values))]
    ).reshape(shape)


def _from_content(
    content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> np.ndarray:
    expected = (
        int(np.prod(shape, dtype=object)) * dtype.itemsize if shape else dtype.itemsize
    )
    if len(content) != expected:
        raise FormatError(
            f"a tensor of shape {list(shape)} holds {len(content)} bytes, {expected} expected"
        )
    return np.frombuffer(content, dtype).reshape(shape)


def _listed(message: Any, name: str, dtype: np.dtype[Any]) -> np.ndarray:
    if name not in _FIELDS:
        return np.zeros(0, dtype)
    field = getattr(message, _FIELDS[name])
    if dtype == object:
        made = np.empty(len(field), object)
        made[:] = list(field)
        return made
    if name in ("float16", "bfloat16"):
        return np.array(field, np.uint32).astype(np.uint16).view(dtype)
    if name in ("complex64", "complex128"):
        parts = np.array(field, np.float32 if name == "complex64" else np.float64)
        return parts[: len(parts) // 2 * 2].view(dtype)
    if name in ("int4", "uint4"):
        return np.array(field, np.int32).astype(np.int8).astype(dtype)
    return np.array(
        field, np.int64 if "int" in _FIELDS[name] and dtype.itemsize < 8 else None
    ).astype(dtype)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _function(message: Any) -> FunctionRef:
    return FunctionRef(message.name, Attrs(message.attr))


_DECODERS: dict[str, Any] = {
    "s": _text,
    "i": int,
    "f": float,
    "b": bool,
    "type": lambda number: proto.DATA_TYPES.get(number, f"dtype {number}"),
    "shape": shape_of,
    "tensor": tensor_of,
    "func": _function,
    "placeholder": str,
}


def attr_of(message: Any) -> Any:
    """AttrValue -> the plain value; None where it is empty."""
    kind = message.WhichOneof("value")
    if kind == "list":
        for name, values in message.list.ListFields():
            return tuple(map(_DECODERS[name.name], values))
        return ()
    return _DECODERS[kind](getattr(message, kind)) if kind else None


class Attrs(Mapping[str, Any]):
    """The attributes of one NodeDef, decoded when read; ``raw`` is the protobuf map itself."""

    __slots__ = ("raw",)

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def __getitem__(self, name: str) -> Any:
        if name not in self.raw:  # a protobuf map would add what it is asked for
            raise KeyError(name)
        return attr_of(self.raw[name])

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.raw))

    def __len__(self) -> int:
        return len(self.raw)

    def __repr__(self) -> str:
        return repr(dict(self))
