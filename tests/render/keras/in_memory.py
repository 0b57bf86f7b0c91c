"""Weights of a test, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from graphscope.graph import Weights


class InMemory(Weights):
    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)
