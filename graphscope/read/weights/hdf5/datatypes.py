"""Datatype and dataspace messages -> what an element is, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....wire.attrs import numpy_dtype
from .cursor import Cursor
from .storage import Storage

FIXED, FLOAT, STRING, OPAQUE, COMPOUND, ENUM, SEQUENCE = 0, 1, 3, 5, 6, 8, 9
_HEAP_ID = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
_BFLOAT16 = (2, 8, 7)  # bytes, bits of the exponent, bits of the mantissa
_MOST_DIMENSIONS, _DEEPEST = 32, 8
_SPACES = 2  # a string that is filled up with spaces


@dataclass(frozen=True)
class Datatype:
    """What one element is: ``name`` as TensorFlow says it ("" where it has no word for it), ``dtype`` as it lies in the file;
    ``text`` says how a string ends: "fixed", "spaces", "heap", or "" for no string.
    """

    name: str
    dtype: np.dtype[Any]
    text: str = ""


def datatype(storage: Storage, body: bytes, depth: int = 0) -> Datatype:
    """The message of a datatype."""
    cursor = Cursor(storage, body, "a datatype")
    kind = cursor.number(1) & 15
    bits, size = cursor.number(3), cursor.number(4)
    if not 0 < size <= 1 << 24 or depth > _DEEPEST:
        raise storage.damaged(f"a datatype of {size} bytes")
    if kind == FIXED:
        return _plain("iu"[not bits & 8], size, bits)
    if kind == FLOAT:
        return _float(cursor, bits, size)
    if kind == STRING:
        text = "spaces" if bits & 15 == _SPACES else "fixed"
        return Datatype("string", np.dtype(f"S{size}"), text)
    if kind == SEQUENCE and bits & 15 == 1 and size == _HEAP_ID.itemsize:
        return Datatype("string", _HEAP_ID, "heap")
    if kind == ENUM:
        return _enum(storage, cursor, bits, size, depth)
    return Datatype("", np.dtype(f"V{size}"))


def _plain(letter: str, size: int, bits: int) -> Datatype:
    if size not in (1, 2, 4, 8):
        return Datatype("", np.dtype(f"V{size}"))
    dtype = np.dtype(f"{'>' if bits & 1 else '<'}{letter}{size}")
    return Datatype(dtype.name, dtype)


def _float(cursor: Cursor, bits: int, size: int) -> Datatype:
    cursor.take(5)
    exponent, _, mantissa = cursor.number(1), cursor.number(1), cursor.number(1)
    if (size, exponent, mantissa) == _BFLOAT16 and not bits & 1:
        return Datatype("bfloat16", numpy_dtype("bfloat16") or np.dtype("V2"))
    if (size, exponent) not in ((2, 5), (4, 8), (8, 11)):
        return Datatype("", np.dtype(f"V{size}"))
    return _plain("f", size, bits)


def _enum(
    storage: Storage, cursor: Cursor, bits: int, size: int, depth: int
) -> Datatype:
    """h5py's bool is an enumeration of FALSE and TRUE over int8."""
    body = cursor.rest()
    base = datatype(storage, body, depth + 1)
    if bits & 0xFFFF == 2 and size == 1 and b"FALSE" in body[:64]:
        return Datatype("bool", np.dtype(bool))
    return base


def dataspace(storage: Storage, body: bytes) -> tuple[int, ...] | None:
    """The sizes; () for a scalar, None where there is no element at all."""
    cursor = Cursor(storage, body, "a dataspace")
    version, rank, _ = cursor.number(1), cursor.number(1), cursor.number(1)
    if version not in (1, 2) or rank > _MOST_DIMENSIONS:
        raise storage.damaged(f"a dataspace of version {version} and rank {rank}")
    kind = cursor.number(1)
    if version == 1:
        cursor.take(4)
    elif kind == 2:
        return None
    return tuple(cursor.number(8) for _ in range(rank))
