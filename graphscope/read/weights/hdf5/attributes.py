"""An object's header -> its attributes, as numbers, texts and lists of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....graph.named_values import Arguments
from .cursor import Cursor
from .datatypes import Datatype, dataspace, datatype
from .headers import ATTRIBUTE, ATTRIBUTE_INFO, DATASPACE, DATATYPE, Header, shared
from .heaps import GlobalHeaps, dense
from .storage import Storage


def attributes(storage: Storage, header: Header, heaps: GlobalHeaps) -> Arguments:
    """Name -> value; attributes of kinds that Keras does not write (references, records) are left out."""
    many = dense(storage, header.first(ATTRIBUTE_INFO), 2, slice(8))
    bodies = header.all(ATTRIBUTE) + many
    listed = (_attribute(storage, body, heaps) for body in bodies)
    return {name: value for name, value in listed if value is not None}


def _attribute(storage: Storage, body: bytes, heaps: GlobalHeaps) -> tuple[str, Any]:
    cursor = Cursor(storage, body, "an attribute")
    version, flags = cursor.number(1), cursor.number(1)
    sizes = [cursor.number(2) for _ in range(3)]
    if version not in (1, 2, 3):
        raise storage.damaged(f"an attribute of version {version}")
    if version == 3:
        cursor.take(1)
    multiple = 8 if version == 1 else 1
    name, kind, space = (cursor.padded(size, multiple) for size in sizes)
    if version > 1 and flags & 1:
        kind = shared(storage, DATATYPE, kind)
    if version > 1 and flags & 2:
        space = shared(storage, DATASPACE, space)
    element, shape = datatype(storage, kind), dataspace(storage, space)
    text = name.rstrip(b"\0").decode("utf-8", "replace")
    if not element.name or shape is None:
        return text, None
    count = math.prod(shape)
    data = cursor.take(count * element.dtype.itemsize)
    values = elements(np.frombuffer(data, element.dtype), element, heaps)
    return text, _text(values.reshape(shape).tolist())


def _text(value: object) -> object:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def elements(array: np.ndarray, element: Datatype, heaps: GlobalHeaps) -> np.ndarray:
    """The values of elements as they lie in the file; strings as objects of bytes."""
    if not element.text:
        return array
    if element.text == "heap":
        ids = array.reshape(-1).tolist()
        parts = [heaps.string(address, index, length) for length, address, index in ids]
    else:
        ending = b" \0" if element.text == "spaces" else b"\0"
        parts = [bytes(part).rstrip(ending) for part in array.reshape(-1).tolist()]
    strings = np.empty(len(parts), object)
    strings[:] = parts
    return strings.reshape(array.shape)
