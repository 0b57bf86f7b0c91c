"""The bytes of one HDF5 file, read in bounds: every address is checked, and all structure together costs a few times the file.

HDF5 File Format Specification, version 3.0, https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html.
libhdf5 is not asked: a damaged address makes it loop for ever, or end the process.
"""

from __future__ import annotations

from ....errors import FormatError
from ....wire.source import Source

MAGIC = b"\x89HDF\r\n\x1a\n"
UNDEFINED = (1 << 64) - 1
_FLOOR, _TIMES = (
    1 << 20,
    4,
)  # bytes of structure that may be read: 1 MB and four times the file
_LEAST = 16  # bytes that a read counts for at least: a loop of small reads ends too


class Storage:
    """A file that is a whole Source or lies in it from byte ``start`` on; ``root`` is the address of its root group."""

    def __init__(self, source: Source, start: int, size: int) -> None:
        self.source, self.start, self.size = source, start, size
        self.left = _FLOOR + _TIMES * size
        self.base = 0
        self.root = self._superblock()

    def read(self, address: int, length: int, what: str) -> bytes:
        """Some bytes of structure; raises FormatError where they are not there or where too many are asked for."""
        self.left -= max(length, _LEAST)
        if self.left < 0:
            raise self.damaged("its structure leads in circles")
        place = self.base + address
        if address < 0 or length < 0 or place + length > self.size:
            raise self.damaged(
                f"{what} should lie at bytes {place} to {place + length} of {self.size}"
            )
        return bytes(self.source[self.start + place : self.start + place + length])

    def signed(self, address: int, length: int, signature: bytes, what: str) -> bytes:
        """The same, of a structure that begins with a signature."""
        data = self.read(address, length, what)
        if data[: len(signature)] != signature:
            raise self.damaged(
                f"{what} begins with {data[:4]!r}, expected {signature!r}"
            )
        return data

    def damaged(self, reason: str) -> FormatError:
        """The error, to be raised by the caller."""
        return FormatError(
            f"{self.source.name}: damaged HDF5 ({reason}): copy it again"
        )

    def _superblock(self) -> int:
        data = self.signed(0, 48, MAGIC, "the superblock")
        version = data[8]
        sizes = data[13:15] if version < 2 else data[9:11]
        if version > 3 or sizes != b"\x08\x08":
            raise self.damaged(
                f"superblock version {version} with sizes {list(sizes)}, expected 0 to 3 with 8 and 8"
            )
        place = (24, 28, 12, 12)[version]
        base, _, end = integers(self.read(place, 24, "the superblock"), 8)
        if base + end > self.size and end > self.size:
            raise self.damaged(f"truncated: {end} bytes expected, {self.size} there")
        root = place + (40 if version < 2 else 24)
        (address,) = integers(self.read(root, 8, "the superblock"), 8)
        self.base = base
        return address


def integers(data: bytes, width: int) -> list[int]:
    """Little-endian unsigned numbers of ``width`` bytes each."""
    return [
        int.from_bytes(data[n : n + width], "little")
        for n in range(0, len(data) - width + 1, width)
    ]
