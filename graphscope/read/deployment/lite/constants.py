"""The constants of a TensorFlow Lite file -> Const attributes: real numbers, in the layout that a TensorFlow op reads.

What is quantised is dequantised, and what is laid out otherwise is transposed, each time that the values are asked for:
in the file they stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ....errors import FormatError
from ....wire.attrs import numpy_dtype
from ....wire.source import Source
from ...weights.lazy_const import Stored
from .file import LiteFile, LiteTensor, Quantisation
from .sparsity import dense

_PACKED = ("int4", "uint4", "int2")
_SMALL = 64  # values that are read at once
Layout = Callable[[np.ndarray], np.ndarray]


def constant(file: LiteFile, tensor: LiteTensor, layout: Layout | None = None) -> Any:
    """The attributes of a Const of the tensor's values; ``layout`` turns them as the op that reads them wants them."""
    dtype = "float32" if tensor.is_quantised else tensor.spec.dtype

    def make() -> np.ndarray:
        values = array(file, tensor)
        return values if layout is None else layout(values)

    count = math.prod(tensor.static)
    if count <= _SMALL or dtype == "string":
        return {"dtype": dtype, "value": make()}
    shape = tensor.static
    if layout is not None:
        shape = layout(np.broadcast_to(np.zeros(1, bool), shape)).shape
    plain = layout is None and not tensor.is_quantised and dtype not in _PACKED
    plain = plain and tensor.sparsity is None
    extent = file.source.extent(tensor.start, tensor.length) if plain else None
    return Stored(dtype, shape, make, (extent,) if extent else None)


def array(file: LiteFile, tensor: LiteTensor) -> np.ndarray:
    """The values of a constant, as real numbers where they are quantised."""
    stored = _stored(file, tensor)
    quantisation = tensor.quantisation
    if quantisation is None or tensor.spec.dtype == "float32":
        return stored
    scale, zero = _aligned(quantisation, stored)
    return np.asarray((stored.astype(np.float32) - zero) * scale, np.float32)


def _aligned(
    quantisation: Quantisation, stored: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    scale, zero = np.array(quantisation.scale, np.float32), np.array(
        quantisation.zero, np.float32
    )
    if len(scale) == 1 or not stored.ndim:
        return scale[:1].reshape(()), zero[:1].reshape(())
    axis = quantisation.axis % stored.ndim
    size = stored.shape[axis]
    if len(scale) != size or len(zero) not in (1, size):
        raise FormatError(f"{len(scale)} scales for an axis of {size}: it is damaged")
    shape = [1] * stored.ndim
    shape[axis] = size
    return scale.reshape(shape), np.broadcast_to(zero, size).reshape(shape)


def _stored(file: LiteFile, tensor: LiteTensor) -> np.ndarray:
    source, dtype, what = (
        file.source,
        tensor.spec.dtype,
        f"the values of {tensor.name!r}",
    )
    if dtype == "string":
        file.spend(tensor.length)
        listed = _strings(source, tensor.start, tensor.length)
        if len(listed) != math.prod(tensor.static):
            raise FormatError(f"{source.name}: {what} are {len(listed)} strings")
        return np.array([*listed, b""], object)[:-1].reshape(tensor.static)
    if dtype in _PACKED:
        return _unpacked(source, tensor)
    kind = numpy_dtype(dtype)
    if kind is not None and tensor.sparsity is not None:
        count = tensor.length // kind.itemsize
        values = source.array(tensor.start, kind, (count,), what)
        return dense(tensor.sparsity, values, tensor.static, f"{source.name}: {what}")
    if kind is None or math.prod(tensor.static) * kind.itemsize > tensor.length:
        raise FormatError(
            f"{source.name}: {what} are {tensor.length} bytes, too few for {dtype} {list(tensor.static)}"
        )
    return source.array(tensor.start, kind, tensor.static, what)


def _unpacked(source: Source, tensor: LiteTensor) -> np.ndarray:
    """Two four-bit numbers a byte (of int2 four), the first in the lowest bits -> one a byte."""
    width = 2 if tensor.spec.dtype == "int2" else 4
    packed = np.frombuffer(source.read(tensor.start, tensor.length), np.uint8)
    parts = [packed >> shift & (1 << width) - 1 for shift in range(0, 8, width)]
    count = math.prod(tensor.static)
    numbers = np.stack(parts, -1).reshape(-1)[:count].astype(np.int8)
    if len(numbers) < count:
        raise FormatError(f"{source.name}: {tensor.name!r} is cut short")
    if not tensor.spec.dtype.startswith("u"):
        numbers = np.where(numbers >> width - 1, numbers - (1 << width), numbers)
    return numbers.astype(np.int8).reshape(tensor.static)


def _strings(source: Source, start: int, length: int) -> list[bytes]:
    """TensorFlow Lite's string tensor: count, offsets, bytes."""
    data = source.read(start, length)
    numbers = np.frombuffer(data[: len(data) // 4 * 4], "<i4")
    count = int(numbers[0]) if len(numbers) else 0
    if count < 0 or count + 2 > len(numbers):
        raise FormatError(f"{source.name}: a string constant at {start} is damaged")
    places = numbers[1 : count + 2].tolist()
    if places != sorted(places) or places[0] < 0 or places[-1] > length:
        raise FormatError(f"{source.name}: a string constant at {start} is damaged")
    return [data[a:b] for a, b in zip(places, places[1:])]
