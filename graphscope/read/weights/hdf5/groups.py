"""A group's header -> the names in it and what they lead to."""

from __future__ import annotations

from typing import NamedTuple

from .cursor import Cursor
from .headers import LINK, LINK_INFO, SYMBOL_TABLE, Header
from .heaps import LocalHeap, dense
from .storage import Storage

_SOFT = 2  # what the entry of an old group calls a link to a path
_ENTRY = 40  # bytes


class Link(NamedTuple):
    """One name in a group; ``address`` of the object, None where the name leads to a path or another file."""

    name: str
    address: int | None
    order: int = 0


def is_group(header: Header) -> bool:
    """Whether an object is a group."""
    kinds = {message.kind for message in header.messages}
    return bool(kinds & {SYMBOL_TABLE, LINK_INFO, LINK})


def links(storage: Storage, header: Header) -> dict[str, Link]:
    """The names of a group: in the order in which they were made where the file tells it, else sorted."""
    table = header.first(SYMBOL_TABLE)
    if table is not None:
        cursor = Cursor(storage, table, "a symbol table")
        tree, heap = cursor.number(8), cursor.number(8)
        listed = _old(storage, tree, LocalHeap(storage, heap))
    else:
        many = dense(storage, header.first(LINK_INFO), 8, slice(4, None))
        listed = [_link(storage, body) for body in header.all(LINK) + many]
    listed.sort(key=lambda link: (link.order, link.name))
    return {link.name: link for link in listed}


def _old(storage: Storage, address: int, heap: LocalHeap) -> list[Link]:
    """The leaves of a B-tree of version 1."""
    listed: list[Link] = []
    pending, visited = [address], set()
    while pending:
        here = pending.pop()
        if here in visited:
            raise storage.damaged("a group's tree leads back to itself")
        visited.add(here)
        head = storage.read(here, 8, "a group's tree")
        count = int.from_bytes(head[6:8], "little")
        if head[:4] == b"SNOD":
            data = storage.read(here + 8, count * _ENTRY, "a group's names")
            listed += _entries(storage, data, heap)
        elif head[:5] == b"TREE\0":
            data = storage.read(here + 24, 16 * count + 8, "a group's tree")
            children = [data[16 * n + 8 : 16 * n + 16] for n in range(count)]
            pending += [int.from_bytes(child, "little") for child in children]
        else:
            raise storage.damaged(f"a group's tree begins with {head[:5]!r}")
    return listed


def _entries(storage: Storage, data: bytes, heap: LocalHeap) -> list[Link]:
    listed = []
    for start in range(0, len(data), _ENTRY):
        cursor = Cursor(storage, data[start : start + _ENTRY], "a group's name")
        name, address, kind = cursor.number(8), cursor.number(8), cursor.number(4)
        listed.append(Link(heap.text(name), None if kind == _SOFT else address))
    return listed


def _link(storage: Storage, body: bytes) -> Link:
    cursor = Cursor(storage, body, "a link")
    _, flags = cursor.number(1), cursor.number(1)
    kind = cursor.number(1) if flags & 8 else 0
    order = cursor.number(8) if flags & 4 else 0
    if flags & 16:
        cursor.take(1)
    name = cursor.take(cursor.number(1 << (flags & 3))).decode("utf-8", "replace")
    return Link(name, None if kind else cursor.number(8), order)
