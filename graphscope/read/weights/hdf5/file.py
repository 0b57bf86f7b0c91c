"""HDF5 files as Keras writes them: groups, attributes, and datasets that stay in the file.

Links and datasets that lead to other files are never followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ....errors import FormatError
from ....graph.named_values import Arguments
from ....wire.attrs import numpy_dtype
from ....wire.source import Source
from ..stored import Piece, Stored
from .attributes import attributes, elements
from .datasets import Values, values
from .groups import Link, is_group, links
from .headers import Header
from .heaps import GlobalHeaps
from .storage import Storage

FLOOR, RATIO = 64 << 20, 64  # what a compressed dataset may grow to


class Dataset(NamedTuple):
    """One array: its path in the file, and where its values lie."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    stored: Stored


class Hdf5:
    """An open HDF5 file that is a whole Source, or lies in it uncompressed from byte ``start`` on."""

    def __init__(self, source: Source, start: int = 0, size: int | None = None) -> None:
        self.source, self.start = source, start
        self.storage = Storage(
            source, start, source.size - start if size is None else size
        )
        self.heaps = GlobalHeaps(self.storage)
        self._headers: dict[int, Header] = {}
        self._links: dict[int, dict[str, Link]] = {}
        self._attributes: dict[int, Arguments] = {}

    def _header(self, address: int) -> Header:
        if address not in self._headers:
            self._headers[address] = Header(self.storage, address)
        return self._headers[address]

    def _names(self, header: Header) -> dict[str, Link]:
        """The names in a group; none in a dataset."""
        if header.address not in self._links:
            inside = links(self.storage, header) if is_group(header) else {}
            self._links[header.address] = inside
        return self._links[header.address]

    def _object(self, path: str) -> Header | None:
        """The group or dataset at a path, by hard links alone."""
        here = self._header(self.storage.root)
        for part in [p for p in path.split("/") if p]:
            link = self._names(here).get(part)
            if link is None:
                return None
            here = self._follow(link, path)
        return here

    def _follow(self, link: Link, path: str) -> Header:
        if link.address is None:
            raise FormatError(
                f"{self.source.name}: {path!r} is a link, which graphscope does not follow"
            )
        return self._header(link.address)

    def has(self, path: str) -> bool:
        """Whether there is such a group or dataset."""
        return self._object(path) is not None

    def address(self, path: str) -> int:
        """Where a group or dataset begins: what was made first lies first; -1 where there is none."""
        header = self._object(path)
        return -1 if header is None else header.address

    def attribute(self, path: str, name: str) -> Any | None:
        """An attribute as text or a list of texts; None where there is none. Long lists come in chunks (``name0``)."""
        header = self._object(path)
        if header is None:
            return None
        attributes_ = self._attributes_of(header)
        if name in attributes_:
            return attributes_[name]
        parts, number = [], 0
        while f"{name}{number}" in attributes_:
            part = attributes_[f"{name}{number}"]
            parts += part if isinstance(part, list) else [part]
            number += 1
        return parts or None

    def _attributes_of(self, header: Header) -> Arguments:
        if header.address not in self._attributes:
            attributes_ = attributes(self.storage, header, self.heaps)
            self._attributes[header.address] = attributes_
        return self._attributes[header.address]

    def texts(self, path: str, name: str) -> list[str]:
        """An attribute that is a list of texts; [] where it is absent or something else."""
        value = self.attribute(path, name)
        return [str(each) for each in value] if isinstance(value, list) else []

    def dataset(self, path: str) -> Dataset | None:
        """The dataset at a path; None where there is none."""
        header = self._object(path)
        if header is None or is_group(header):
            return None
        return self._described(path, header)

    def datasets(self) -> Iterator[Dataset]:
        """All datasets, in the order of the file's groups."""
        waiting = [("", self._header(self.storage.root))]
        visited: set[int] = set()
        while waiting:
            path, here = waiting.pop()
            if here.address in visited:
                continue
            visited.add(here.address)
            if is_group(here):
                for name, link in reversed(self._names(here).items()):
                    inner = f"{path}/{name}".strip("/")
                    waiting.append((inner, self._follow(link, inner)))
            else:
                yield self._described(path, here)

    def _described(self, path: str, header: Header) -> Dataset:
        inside = values(self.storage, header, path)
        element, run = inside.element, inside.run
        name = element.name or self._named(header, element.dtype)
        is_plain = element.dtype.isnative and not element.text and bool(element.name)
        if run is not None and is_plain:
            offset = self.start + self.storage.base + run
            piece = Piece(lambda: self.source, offset, inside.nbytes)
        else:
            decode = self._decoder(path, inside, name)
            piece = Piece(lambda: self.source, 0, 0, None, None, decode)
        return Dataset(path, name, inside.shape, Stored(name, inside.shape, (piece,)))

    def _named(self, header: Header, dtype: np.dtype[np.generic]) -> str:
        """The dtype of bytes that HDF5 has no word for: Keras notes it beside them (bfloat16)."""
        dtype_attr = self._attributes_of(header).get("dtype")
        return (
            "bfloat16"
            if dtype_attr == "bfloat16" and dtype.itemsize == 2
            else dtype.name
        )

    def _decoder(
        self, path: str, inside: Values, name: str
    ) -> Callable[[Source, Piece], np.ndarray]:
        def decode(source: Source, piece: Piece) -> np.ndarray:
            if inside.nbytes > max(FLOOR, RATIO * source.size):
                raise FormatError(
                    f"{source.name}: {path!r} unpacks to {inside.nbytes:,} bytes: refused"
                )
            array = inside.array(self.storage)
            if inside.element.text:
                return elements(array, inside.element, self.heaps)
            native = numpy_dtype(name)
            if array.dtype.kind == "V" and native is not None:
                return array.view(native)
            return array.astype(array.dtype.newbyteorder("<"), copy=False)

        return decode
