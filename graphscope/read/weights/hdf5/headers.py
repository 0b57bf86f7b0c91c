"""Object headers -> their messages: every group and dataset begins with one."""

from __future__ import annotations

from typing import NamedTuple

from .cursor import Cursor
from .storage import Storage

DATASPACE, LINK_INFO, DATATYPE, OLD_FILL, FILL, LINK, EXTERNAL, LAYOUT = range(1, 9)
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = (
    0x0B,
    0x0C,
    0x10,
    0x11,
    0x15,
)
_SHARED = 2  # the flag of a message that lies in another object's header


class Message(NamedTuple):
    """One message: its kind, and its body."""

    kind: int
    body: bytes


class Header:
    """The messages of one object; ``address`` tells objects apart."""

    def __init__(self, storage: Storage, address: int) -> None:
        self.address = address
        self.messages = _messages(storage, address)

    def all(self, kind: int) -> list[bytes]:
        """The bodies of all messages of a kind."""
        return [message.body for message in self.messages if message.kind == kind]

    def first(self, kind: int) -> bytes | None:
        """The body of the first message of a kind; None where there is none."""
        return next(iter(self.all(kind)), None)


def _messages(storage: Storage, address: int) -> list[Message]:
    signature = storage.read(address, 16, "an object header")
    if signature[:4] == b"OHDR":
        return _second(storage, address)
    if signature[0] != 1:
        raise storage.damaged(f"an object header of version {signature[0]}")
    size = int.from_bytes(signature[8:12], "little")
    return _blocks(storage, [(address + 16, size, False)], (2, 2, 1), 3)


def _second(storage: Storage, address: int) -> list[Message]:
    head = storage.read(address, 6, "an object header")
    flags = head[5]
    start = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(storage.read(start, width, "an object header"), "little")
    return _blocks(
        storage, [(start + width, size, False)], (1, 2, 1), 2 if flags & 4 else 0
    )


def _blocks(
    storage: Storage,
    blocks: list[tuple[int, int, bool]],
    widths: tuple[int, int, int],
    gap: int,
) -> list[Message]:
    """The messages of some blocks and of those that they lead to; the third of a block says that it is signed."""
    messages: list[Message] = []
    visited: set[int] = set()
    while blocks:
        address, size, is_signed = blocks.pop(0)
        if address in visited:
            raise storage.damaged("an object header leads back to itself")
        visited.add(address)
        data = storage.read(address, size, "an object header's messages")
        cursor = Cursor(storage, data[4:-4] if is_signed else data, "an object header")
        while len(cursor.data) - cursor.place >= sum(widths) + gap:
            kind, length, flags = (cursor.number(width) for width in widths)
            cursor.take(gap)
            body = cursor.take(length)
            if kind == CONTINUATION:
                place = Cursor(storage, body, "a continuation")
                blocks.append((place.number(8), place.number(8), widths[0] == 1))
            else:
                messages.append(_own(storage, kind, flags, body))
    return messages


def _own(storage: Storage, kind: int, flags: int, body: bytes) -> Message:
    """The message, fetched from the object that holds it where it is shared (a committed datatype)."""
    if not flags & _SHARED or kind == ATTRIBUTE:
        return Message(kind, body)
    return Message(kind, shared(storage, kind, body))


def shared(storage: Storage, kind: int, body: bytes) -> bytes:
    """The body of a message that lies in another object's header."""
    cursor = Cursor(storage, body, "a shared message")
    version, place = cursor.number(1), cursor.number(1)
    if version == 1:
        cursor.take(6)
    if version == 3 and place == 1:
        raise storage.damaged("a message in a shared heap, which no Keras file has")
    address = cursor.number(8)
    storage.read(address, 64, "a shared message")  # counts: chains of them end
    head = Header(storage, address)
    inner = head.first(kind)
    if inner is None:
        raise storage.damaged("a shared message that is not there")
    return inner
