"""TensorProto -> array: its values as they are listed, packed, or left in the file; dtypes and shapes of TensorFlow's in numpy's words."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import FormatError
from ...graph import Shape
from ...graph.named_values import Message
from .. import messages as proto
from ..protobuf import CONTENT, FLOATS, Run, run_in
from ..source import Source

MAX_ELEMENTS = (
    1 << 31
)  # a proto holds 2 GiB; a splat (one value, a huge shape) may not claim more
MOST_REPEATED, REPEATED_RATIO = 1 << 24, 1 << 10  # a short list may stand for so many
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


@lru_cache(1 << 10)
def numpy_dtype(name: str) -> np.dtype[Any] | None:
    """The numpy dtype of a TensorFlow dtype name (little-endian), object for strings, None where there is none."""
    base = name.removesuffix("_ref")
    if base == "string":
        return np.dtype(object)
    if base in ("resource", "variant", "invalid"):
        return None
    if base not in proto.DATA_TYPE_NUMBERS:
        return None  # numpy would make something of "O" or "i4,i4"
    if base in _QUANTISED:
        return np.dtype(_QUANTISED[base]).newbyteorder("<")
    try:
        return np.dtype(base).newbyteorder("<")
    except TypeError:
        import ml_dtypes  # bfloat16, float8, int4: numpy knows them only through this library

        return np.dtype(getattr(ml_dtypes, base)) if hasattr(ml_dtypes, base) else None


def shape_of(message: Message) -> Shape:
    """TensorShapeProto -> Shape."""
    if message.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in message.dim)


def tensor_of(message: Message, source: Source | None = None) -> np.ndarray:
    """TensorProto -> ndarray, splats expanded as views; raises FormatError where sizes contradict each other.

    Where ``protobuf.py`` left the values in ``source``, the array is a read-only view of the mapped file.
    """
    dtype_name = proto.DATA_TYPES.get(message.dtype, "")
    dtype = numpy_dtype(dtype_name)
    shape = tuple(dim.size for dim in message.tensor_shape.dim)
    if dtype is None:
        return np.empty((), object)  # a resource handle or a variant: nothing to show
    # before anything is made: a hostile file may declare petabytes in ten bytes
    if min(shape, default=0) < 0 or math.prod(shape) > MAX_ELEMENTS:
        raise FormatError(
            f"a tensor of shape {list(shape)} cannot be: sizes must be positive and below 2 GiB together"
        )
    run = run_in(message.tensor_content, source)
    if message.tensor_content and dtype != object and not (run and run.field > CONTENT):
        if run is None or source is None:
            return _from_content(message.tensor_content, dtype, shape)
        _check_size(run.length, dtype, shape)
        return source.array(run.offset, dtype, shape, "a tensor")
    if run is None or source is None:
        values = _listed(message, dtype_name, dtype)
    else:
        values = _left(run, source).astype(dtype, copy=False)
    return _filled(values, shape)


def _filled(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The values in their shape; TensorFlow repeats the last one where there are fewer (tensor_util.MakeNdarray), zero where none is."""
    count = math.prod(shape)
    if len(values) == count:
        return values.reshape(shape)
    if len(values) > count:
        raise FormatError(
            f"a tensor of shape {list(shape)} lists {len(values)} values, {count} expected"
        )
    if not len(values):
        is_text = values.dtype == object
        values = np.array([b""], object) if is_text else np.zeros(1, values.dtype)
    if len(values) == 1:  # a view: nothing is copied however large the shape is
        return np.broadcast_to(values[0], shape)
    if count > max(MOST_REPEATED, REPEATED_RATIO * len(values)):
        raise FormatError(
            f"a tensor of shape {list(shape)} lists {len(values)} values and leaves the rest to repetition"
        )
    rest = np.broadcast_to(values[-1], count - len(values))
    return np.concatenate([values, rest]).reshape(shape)


def _from_content(
    content: bytes, dtype: np.dtype[np.generic], shape: tuple[int, ...]
) -> np.ndarray:
    _check_size(len(content), dtype, shape)
    return np.frombuffer(content, dtype).reshape(shape)


def _check_size(length: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    expected = dtype.itemsize * math.prod(shape)
    if length != expected:
        raise FormatError(
            f"a tensor of shape {list(shape)} holds {length} bytes, {expected} expected"
        )


def _left(run: Run, source: Source) -> np.ndarray:
    """The values of a ``float_val`` or ``double_val`` that was left in the file."""
    dtype = np.dtype("<f4" if run.field == FLOATS else "<f8")
    count = run.length // dtype.itemsize
    return source.array(run.offset, dtype, (count,), "a tensor")


def _listed(message: Message, name: str, dtype: np.dtype[np.generic]) -> np.ndarray:
    if name not in _FIELDS:
        return np.zeros(0, dtype)
    field = getattr(message, _FIELDS[name])
    if dtype == object:
        array = np.empty(len(field), object)
        array[:] = list(field)
        return array
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
