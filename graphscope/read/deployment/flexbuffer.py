"""FlexBuffers: what custom operators of TensorFlow Lite keep their options in; every offset is checked.

Source: flatbuffers.dev, "FlexBuffers" and "FlatBuffer Internals".
"""

from __future__ import annotations

import struct
from typing import Any

from ...errors import FormatError

_INT, _UINT, _FLOAT, _KEY, _STRING = 1, 2, 3, 4, 5
_INDIRECT = {6: _INT, 7: _UINT, 8: _FLOAT}
_MAP, _VECTOR, _BLOB, _BOOL = 9, 10, 25, 26
_TYPED = {11: _INT, 12: _UINT, 13: _FLOAT, 14: _KEY, 15: _STRING, 36: _BOOL}
_FIXED = {
    16 + 3 * n + k: (kind, 2 + n)
    for n in range(3)
    for k, kind in enumerate((_INT, _UINT, _FLOAT))
}
_FORMS = {
    _INT: {1: "<b", 2: "<h", 4: "<i", 8: "<q"},
    _UINT: {1: "<B", 2: "<H", 4: "<I", 8: "<Q"},
    _FLOAT: {2: "<e", 4: "<f", 8: "<d"},
}
_MOST = 1 << 16  # values of one buffer
_DEEPEST = 32
_ROOM = 16  # texts together may be this many times as long as the buffer: shared ones are not copied for nothing


def decode(data: bytes) -> Any:
    """The value of a buffer: numbers, bools, bytes, lists, dicts by text; raises FormatError where it is damaged."""
    if len(data) < 3:
        raise FormatError(f"a FlexBuffer of {len(data)} bytes: it is damaged")
    width, packed = data[-1], data[-2]
    return _Reader(data).value(len(data) - 2 - width, width, packed, 0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.left, self.room = data, _MOST, _ROOM * len(data)

    def number(self, kind: int, place: int, width: int) -> Any:
        form = _FORMS[kind].get(width)
        if form is None or not 0 <= place <= len(self.data) - width:
            raise FormatError(
                f"a FlexBuffer leads to byte {place} of {len(self.data)}: it is damaged"
            )
        return struct.unpack_from(form, self.data, place)[0]

    def behind(self, place: int, width: int) -> int:
        """Where an offset leads: back from where it lies."""
        return place - int(self.number(_UINT, place, width))

    def value(self, place: int, width: int, packed: int, depth: int) -> Any:
        """What lies at ``place`` in a parent of this byte width; ``packed`` has its type and its own width."""
        self.left -= 1
        if self.left < 0 or depth > _DEEPEST:
            raise FormatError(f"a FlexBuffer of more than {_MOST} values or too deep")
        kind, own = packed >> 2, 1 << (packed & 3)
        if kind in _FORMS:
            return self.number(kind, place, width)
        if kind == _BOOL:
            return bool(self.number(_UINT, place, width))
        if not kind:
            return None
        return self.far(self.behind(place, width), kind, own, depth)

    def far(self, start: int, kind: int, width: int, depth: int) -> Any:
        """What an offset led to."""
        if kind in _INDIRECT:
            return self.number(_INDIRECT[kind], start, width)
        if kind == _KEY:
            return self.key(start)
        if kind in _FIXED:
            inner, count = _FIXED[kind]
            return [self.number(inner, start + n * width, width) for n in range(count)]
        count = int(self.number(_UINT, start - width, width))
        if kind in (_STRING, _BLOB):
            self.room -= count
            if start + count > len(self.data) or self.room < 0:
                raise FormatError("a text of a FlexBuffer is cut short: it is damaged")
            return self.data[start : start + count]
        if kind not in (_MAP, _VECTOR, *_TYPED) or count > self.left:
            raise FormatError(f"a FlexBuffer has {count} values of the type {kind}")
        values = self.values(start, kind, width, count, depth)
        return (
            dict(zip(self.keys(start, width, count), values))
            if kind == _MAP
            else values
        )

    def values(
        self, start: int, kind: int, width: int, count: int, depth: int
    ) -> list[Any]:
        kinds = [_TYPED[kind] << 2] * count if kind in _TYPED else []
        types = start + count * width
        kinds = kinds or [int(self.number(_UINT, types + n, 1)) for n in range(count)]
        return [
            self.value(start + n * width, width, packed, depth + 1)
            for n, packed in enumerate(kinds)
        ]

    def keys(self, start: int, width: int, count: int) -> list[str]:
        first = self.behind(start - 3 * width, width)
        own = int(self.number(_UINT, start - 2 * width, width))
        return [
            self.key(self.behind(first + n * own, own)).decode("utf-8", "replace")
            for n in range(count)
        ]

    def key(self, start: int) -> bytes:
        end = self.data.find(b"\0", start) if start >= 0 else -1
        if end < 0:
            raise FormatError("a key of a FlexBuffer has no end: it is damaged")
        return self.data[start:end]
