"""Weights as a pickle holds them: the values themselves, no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ...errors import MissingWeight
from ...graph import TensorSpec, Weights
from .partitions import part_of


class CopiedWeights(Weights):
    """``specs`` of all names, ``arrays`` of those that have a value; the rest as ``Weights`` says."""

    def __init__(
        self,
        specs: Mapping[str, TensorSpec],
        arrays: Mapping[str, np.ndarray],
        shortages: Mapping[str, str],
        missing_files: tuple[str, ...],
    ) -> None:
        self.specs, self.arrays = specs, arrays
        self.shortages, self.missing_files = shortages, missing_files

    def _shape(self, name: str) -> tuple[int | None, ...] | None:
        return self.specs[name].shape if name in self.specs else None

    def __contains__(self, name: object) -> bool:
        is_part = isinstance(name, str) and part_of(name, self._shape) is not None
        return name in self.specs or is_part

    def __getitem__(self, name: str) -> np.ndarray:
        """The values; raises MissingWeight where there were none when they were copied."""
        if name in self.arrays:
            return self.arrays[name]
        if name in self.specs:
            reason = self.shortages.get(name, "it holds no array")
            raise MissingWeight(f"{name!r} has no value: {reason}")
        part = part_of(name, self._shape)
        if part is None:
            raise KeyError(name)
        whole, _, extents = part
        return self[whole][tuple(slice(start, start + n) for start, n in extents)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    def spec(self, name: str) -> TensorSpec:
        """Dtype and shape."""
        if name in self.specs:
            return self.specs[name]
        array = self[name]
        return TensorSpec(str(array.dtype), array.shape)


def copied(weights: Weights) -> tuple[type[CopiedWeights], tuple[object, ...]]:
    """What ``__reduce__`` returns: all that can be read of some weights, read now; raises FormatError where a file is damaged."""
    arrays = {}
    for name in weights:
        try:
            arrays[name] = weights[name]
        except MissingWeight:
            continue
    specs = {name: weights.spec(name) for name in weights}
    shortages = dict(weights.shortages)
    return CopiedWeights, (specs, arrays, shortages, weights.missing_files)
