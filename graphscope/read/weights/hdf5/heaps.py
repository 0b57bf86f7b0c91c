"""The three heaps: local (names of a group), global (strings of any length), fractal (links and attributes when they are many)."""

from __future__ import annotations

from .cursor import Cursor
from .storage import UNDEFINED, Storage

_MANAGED, _TINY = 0, 2
_INDEX_HEAD = 6  # bytes before the records of a node
_NODE_HEAD = 10  # these and a checksum


class LocalHeap:
    """The names of one group."""

    def __init__(self, storage: Storage, address: int) -> None:
        head = storage.signed(address, 32, b"HEAP", "a local heap")
        size, place = (int.from_bytes(head[n : n + 8], "little") for n in (8, 24))
        self.data = storage.read(place, size, "a local heap")

    def text(self, offset: int) -> str:
        """The name at an offset, up to its NUL."""
        end = self.data.find(b"\0", offset)
        name = self.data[offset : end if end >= 0 else None]
        return name.decode("utf-8", "replace")


class GlobalHeaps:
    """Strings of any length; each collection is read once."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.collections: dict[int, dict[int, bytes]] = {}

    def string(self, address: int, index: int, length: int) -> bytes:
        """What an element's heap id names; b"" where it names nothing."""
        if not length or not address or address == UNDEFINED:
            return b""
        if address not in self.collections:
            self.collections[address] = self._collection(address)
        return self.collections[address].get(index, b"")[:length]

    def _collection(self, address: int) -> dict[int, bytes]:
        head = self.storage.signed(address, 16, b"GCOL", "a global heap")
        size = int.from_bytes(head[8:16], "little")
        data = self.storage.read(address, size, "a global heap")
        cursor = Cursor(self.storage, data[16:], "a global heap")
        objects: dict[int, bytes] = {}
        while len(cursor.data) - cursor.place >= 16:
            index, _, length = cursor.number(2), cursor.take(6), cursor.number(8)
            if not index:
                break
            objects[index] = cursor.padded(length)
        return objects


class FractalHeap:
    """Objects by heap id; the blocks double in size from row to row."""

    def __init__(self, storage: Storage, address: int) -> None:
        self.storage = storage
        data = storage.signed(address, 142, b"FRHP", "a fractal heap")
        cursor = Cursor(storage, data[5:], "a fractal heap")
        _, filters, _, most = (cursor.number(width) for width in (2, 2, 1, 4))
        cursor.take(96)
        self.width, self.first, self.largest = (cursor.number(w) for w in (2, 8, 8))
        self.bits, _, self.root, self.rows = (cursor.number(w) for w in (2, 2, 8, 2))
        if filters or not self.width or not self.first or self.bits > 64:
            raise storage.damaged("a fractal heap of a kind that no Keras file has")
        self.offset_width = -(-self.bits // 8)
        longest = min(self.largest, most)
        self.length_width = max(1, -(-longest.bit_length() // 8))

    def object(self, heap_id: bytes) -> bytes:
        """The bytes that a heap id names."""
        kind = heap_id[0] >> 4 & 3
        if kind == _TINY:
            return heap_id[1 : 2 + (heap_id[0] & 15)]
        if kind != _MANAGED:
            raise self.storage.damaged("a huge object, which no Keras file has")
        cursor = Cursor(self.storage, heap_id[1:], "a heap id")
        offset, length = cursor.number(self.offset_width), cursor.number(
            self.length_width
        )
        return self.storage.read(self._address(offset), length, "a heap's object")

    def _address(self, offset: int) -> int:
        block, rows = self.root, self.rows
        while rows:
            size, row = self.first, 0
            while row < rows and offset >= size * self.width:
                offset -= size * self.width
                row += 1
                size = self.first << max(0, row - 1)
            entry = row * self.width + offset // size
            offset %= size
            place = block + 13 + self.offset_width + 8 * entry
            data = self.storage.read(place, 8, "a heap's block")
            block = int.from_bytes(data, "little")
            if size <= self.largest:
                break
            rows = (size // self.first // self.width).bit_length()
        return block + offset


def dense(
    storage: Storage, info: bytes | None, counter: int, ids: slice
) -> list[bytes]:
    """The links or attributes that an info message leads to: the bytes of ``ids`` of a record name one in the heap.

    ``counter`` is how wide the highest creation order is, which the message holds where its flags say so.
    """
    if info is None:
        return []
    cursor = Cursor(storage, info, "a message that leads to a heap")
    cursor.take(1)
    if cursor.number(1) & 1:
        cursor.take(counter)
    heap, names = cursor.number(8), cursor.number(8)
    if heap == UNDEFINED or names == UNDEFINED:
        return []
    store = FractalHeap(storage, heap)
    return [store.object(record[ids]) for record in records(storage, names)]


def records(storage: Storage, address: int) -> list[bytes]:
    """The records of a B-tree of version 2, in its order."""
    data = storage.signed(address, 38, b"BTHD", "a B-tree")
    cursor = Cursor(storage, data[6:], "a B-tree")
    node, size, depth = (cursor.number(width) for width in (4, 2, 2))
    cursor.take(2)
    root, count = cursor.number(8), cursor.number(2)
    if depth > 1 or not size or node <= _NODE_HEAD:
        raise storage.damaged(f"a B-tree of depth {depth}, expected 0 or 1")
    if root == UNDEFINED:
        return []
    if not depth:
        return _leaf(storage, root, count, size)
    length = _INDEX_HEAD + count * size
    most = (node - _NODE_HEAD) // size
    width = 8 + -(-most.bit_length() // 8)
    inner = storage.signed(root, length + (count + 1) * width, b"BTIN", "a B-tree")
    own = _cut(inner[_INDEX_HEAD:length], size)
    children = _cut(inner[length:], width)
    listed: list[bytes] = []
    for number, child in enumerate(children):
        place, many = (
            int.from_bytes(part, "little") for part in (child[:8], child[8:])
        )
        listed += _leaf(storage, place, many, size) + own[number : number + 1]
    return listed


def _leaf(storage: Storage, address: int, count: int, size: int) -> list[bytes]:
    data = storage.signed(address, _INDEX_HEAD + count * size, b"BTLF", "a B-tree")
    return _cut(data[_INDEX_HEAD:], size)


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[n : n + size] for n in range(0, len(data) - size + 1, size)]
