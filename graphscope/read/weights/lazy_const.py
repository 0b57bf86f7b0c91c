"""The attributes of a Const whose value still lies in the checkpoint: read when asked for, copied when written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ...graph import Extent, TensorSpec, Weights
from ...graph.named_values import Attributes
from ...wire.attrs import numpy_dtype
from ...wire.mapped import pieces

# A piece becomes a new array. Allocators hand out again those of some hundred KB, while the system clears the pages of each
# larger one anew, which took half of the time of a weight's way to float16.
CONVERTED = 1 << 20  # bytes


class Stored(Mapping[str, Any]):
    """``dtype`` and ``value`` of a Const over a weight, or over what ``make`` computes from one.

    ``extents`` are where its bytes lie as they are (None: nowhere), ``checksum`` the CRC32C that their file holds of all of them.
    """

    __slots__ = ("checksum", "dtype", "extents", "make", "shape")

    def __init__(
        self,
        dtype: str,
        shape: tuple[int, ...],
        make: Callable[[], np.ndarray],
        extents: tuple[Extent, ...] | None = None,
        checksum: int | None = None,
    ) -> None:
        self.checksum = checksum
        self.dtype, self.shape, self.make, self.extents = dtype, shape, make, extents

    def __getitem__(self, name: str) -> Any:
        if name == "dtype":
            return self.dtype
        if name == "value":
            return self.make()
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("dtype", "value"))

    def __len__(self) -> int:
        return 2

    def __copy__(self) -> Stored:
        """Itself: what a file says never changes."""
        return self

    def __deepcopy__(self, memo: object) -> Stored:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled as plain values, so that whoever reads them needs no file; raises as reading them does."""
        return dict, (dict(self),)

    def pieces(self) -> Iterator[np.ndarray]:
        """The value in slices along its first axis."""
        yield self.make()

    def spec(self, name: str) -> TensorSpec:
        """Dtype and shape of the value, which is left alone."""
        return TensorSpec(self.dtype, self.shape)

    def extent(self, name: str) -> Extent | None:
        """Where the raw little-endian bytes of the value lie on disk; None where they must be made first."""
        return self.extents[0] if self.extents and len(self.extents) == 1 else None

    @property
    def nbytes(self) -> int:
        """The bytes of the value; 0 for strings, whose size only the value tells."""
        dtype = numpy_dtype(self.dtype)
        if dtype is None or dtype.hasobject:
            return 0
        return math.prod(self.shape) * dtype.itemsize


class Converted(Stored):
    """A Const over the value of another one, each piece of it converted when it is asked for: it is never in memory as a whole.

    ``convert`` is given slices along the first axis, and which slices they are.
    """

    __slots__ = ("convert", "original")

    def __init__(
        self,
        dtype: str,
        original: Attributes,
        convert: Callable[[np.ndarray, slice], np.ndarray],
    ) -> None:
        self.original, self.convert = original, convert
        if isinstance(original, Stored):
            shape = original.shape
        else:
            shape = original["value"].shape
        super().__init__(dtype, tuple(shape), self._whole)

    def pieces(self) -> Iterator[np.ndarray]:
        for cut, piece in pieces(self.original["value"], CONVERTED):
            yield self.convert(piece, cut)

    def _whole(self) -> np.ndarray:
        return np.concatenate([*self.pieces()]).reshape(self.shape)


def stored(weights: Weights, key: str) -> Stored:
    """The Const attributes of one weight; raises KeyError where there is none of that name."""
    spec = weights.spec(key)
    shape = tuple(size or 0 for size in spec.shape or ())
    extents = weights.extents(key)
    checksum = weights.checksum(key) if extents else None
    return Stored(spec.dtype, shape, lambda: weights[key], extents, checksum)
