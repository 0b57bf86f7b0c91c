"""Slices of partitioned variables: their keys in a table, their text in a graph, and how they join to a whole.

Source: tensorflow/core/util/saved_tensor_slice_util.cc, tensor_slice.cc, lib/strings/ordered_code.cc.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ...errors import FormatError
from ...graph.named_values import Message

FULL = -1  # the length of a dimension that is not cut
_ESCAPED = {b"\x00": b"\x00\xff", b"\xff": b"\xff\x00"}
Extents = tuple[tuple[int, int], ...]  # (start, length) of each dimension


def extents_of(message: Message) -> Extents:
    """TensorSliceProto -> ``((start, length), ...)``."""
    return tuple(
        (e.start, e.length if e.HasField("length") else FULL) for e in message.extent
    )


def slice_key(name: str, extents: Extents) -> bytes:
    """The key under which a V2 table keeps one slice (``EncodeTensorNameSlice``)."""
    text = name.encode("utf-8", "surrogateescape")
    text = re.sub(b"[\x00\xff]", lambda match: _ESCAPED[match[0]], text)
    parts = [b"\x00", text, b"\x00\x01", _unsigned(len(extents))]
    for start, length in extents:
        parts += [_signed(start), _signed(length)]
    return b"".join(parts)


def _unsigned(value: int) -> bytes:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(data)]) + data


def _signed(value: int) -> bytes:
    """``OrderedCode::WriteSignedNumIncreasing``."""
    length = (~value if value < 0 else value).bit_length() // 7 + 1
    header = ((1 << length) - 1) << (16 - length)  # as many leading ones as bytes
    coded = (value & ((1 << 80) - 1)).to_bytes(10, "big")[-length:]
    mask = header.to_bytes(2, "big").ljust(length, b"\x00")[:length]
    return bytes(a ^ b for a, b in zip(coded, mask))


def resolved(extents: Extents, shape: tuple[int, ...], what: str) -> Extents:
    """The extents with every length in numbers; raises FormatError where they leave the shape."""
    if len(extents) != len(shape):
        raise FormatError(
            f"{what}: a slice of {len(extents)} dimensions of a variable of {len(shape)}"
        )
    slices = tuple(
        (start, size if length == FULL else length)
        for (start, length), size in zip(extents, shape)
    )
    for (start, length), size in zip(slices, shape):
        if start < 0 or length < 0 or start + length > size:
            raise FormatError(
                f"{what}: a slice of {start}+{length} reaches outside of {size}"
            )
    return slices


def slice_text(shape: tuple[int, ...], extents: Extents) -> str:
    """A slice as the graph's ``shape_and_slices`` writes it.

    >>> slice_text((10, 4), ((0, 5), (0, 4)))
    '10 4 0,5:-'
    """
    cuts = [
        "-" if (start, length) == (0, size) else f"{start},{length}"
        for (start, length), size in zip(extents, shape)
    ]
    return " ".join([*map(str, shape), ":".join(cuts)])


def parse_slice(text: str) -> tuple[tuple[int, ...], Extents] | None:
    """The whole shape and the slice that a ``shape_and_slices`` string stands for; None where it is the whole.

    >>> parse_slice("10 4 0,5:-")
    ((10, 4), ((0, 5), (0, 4)))
    """
    *sizes, cut = text.split(" ")
    if not sizes:
        return None
    try:
        shape = tuple(map(int, sizes))
        cuts = [part.split(",") for part in cut.split(":")]
        extents = tuple(
            (0, size) if part == ["-"] else (int(part[0]), int(part[1]))
            for part, size in zip(cuts, shape, strict=True)
        )
    except (ValueError, IndexError):
        return None
    inside = all(
        0 <= start and 0 <= length and start + length <= size
        for (start, length), size in zip(extents, shape)
    )
    return (shape, extents) if inside else None


def part_of(
    name: str, shapes: Callable[[str], tuple[int | None, ...] | None]
) -> tuple[str, tuple[int, ...], Extents] | None:
    """``"name 10 4 0,5:-"`` as ``(name, whole shape, extents)`` where a whole of that name and shape is stored; ``shapes`` says which are.

    >>> part_of("table 10 4 0,5:-", {"table": (10, 4)}.get)
    ('table', (10, 4), ((0, 5), (0, 4)))
    """
    for place, character in enumerate(name):
        if character == " " and (shape := shapes(name[:place])) is not None:
            part = parse_slice(name[place + 1 :])
            if part and part[0] == shape:
                return (name[:place], *part)
    return None
