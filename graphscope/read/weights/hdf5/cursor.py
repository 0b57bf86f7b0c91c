"""Reading a message's fields one after the other."""

from __future__ import annotations

from .storage import Storage


class Cursor:
    """A place in some bytes; raises FormatError where a field lies beyond their end."""

    def __init__(self, storage: Storage, data: bytes, what: str) -> None:
        self.storage, self.data, self.what, self.place = storage, data, what, 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        stop = self.place + length
        if length < 0 or stop > len(self.data):
            raise self.storage.damaged(f"{self.what} ends too early")
        part = self.data[self.place : stop]
        self.place = stop
        return part

    def number(self, width: int) -> int:
        """The next little-endian unsigned number."""
        return int.from_bytes(self.take(width), "little")

    def padded(self, length: int, multiple: int = 8) -> bytes:
        """The next ``length`` bytes, and what fills them up to a multiple."""
        return self.take(-(-length // multiple) * multiple)[:length]

    def rest(self) -> bytes:
        """All that follows."""
        return self.take(len(self.data) - self.place)
