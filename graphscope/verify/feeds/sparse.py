"""Random values for the parts of sparse and ragged tensors that fit together.

Numbers drawn for each placeholder alone are no sparse tensor: indices must be in order, each once, and below
``dense_shape``; as many values as indices; ``row_splits`` must rise from 0 to the number of values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...graph import Graph, Tensor
from .draw import Manner, Port, Round, draw
from .sparse_parts import Sparse, sparse_feeds

FEWEST = 5  # rows of a sparse tensor where nothing fed says how many there are
DENSITY = 0.4
MOST = 10_000  # numbers of one sparse tensor


class Coordinates(NamedTuple):
    """One sparse tensor as a Keras model is fed with it."""

    indices: np.ndarray
    values: np.ndarray
    dense_shape: np.ndarray


class SparseInputs:
    """What of a reference's feeds are parts of sparse tensors."""

    def __init__(self, graph: Graph | None) -> None:
        self.sparse, self.ragged = ([], []) if graph is None else sparse_feeds(graph)

    def owner(self, name: str) -> Sparse | None:
        """The sparse tensor whose values a feed (``"node:0"``) holds."""
        node = Tensor.parse(name).node
        return next((s for s in self.sparse if s.values[:1] == (node,)), None)

    def widened(self, turn: Round) -> Round:
        """More rows where a sparse tensor has as many: of two little can be seen."""
        few = self.sparse or self.ragged
        return turn._replace(batch=3 * turn.batch + FEWEST) if few else turn

    def completed(
        self,
        drawn: Iterable[dict[str, Any]],
        ports: Mapping[str, Port],
        turn: Round,
        seed: Iterable[int],
    ) -> Iterator[dict[str, Any]]:
        """Each trial with parts that fit together, for each number of rows that there may be."""
        if not self.sparse and not self.ragged:
            yield from drawn
            return
        rng = np.random.default_rng([*seed, 1])
        for feeds in drawn:
            for rows in self._rows(feeds, ports, turn):
                yield {**feeds, **self._parts(rng, feeds, ports, turn, rows)}

    def _rows(
        self, feeds: Mapping[str, np.ndarray], ports: Mapping[str, Port], turn: Round
    ) -> list[int]:
        """How many rows a tensor may have whose shape nobody knows: as many as another one, or as there are examples."""
        parts = set(self._names())
        examples = [
            np.shape(feeds[name])[0]
            for name, port in ports.items()
            if Tensor.parse(name).node not in parts
            and (port.shape or ())[:1] == (None,)
            and name in feeds
        ]
        counts = [s.sizes[0] for s in self.sparse if s.sizes and s.sizes[0]]
        return list(dict.fromkeys([*examples[:1], *counts, turn.batch]))

    def _names(self) -> Iterator[str]:
        for sparse in self.sparse:
            yield from (sparse.indices, *sparse.values, sparse.shape, *sparse.counts)
        for ragged in self.ragged:
            yield from (*ragged.splits, *ragged.values)

    def _parts(
        self,
        rng: np.random.Generator,
        feeds: Mapping[str, np.ndarray],
        ports: Mapping[str, Port],
        turn: Round,
        rows: int,
    ) -> Mapping[str, Any]:
        parts: dict[str, Any] = {}

        def put(node: str, value: np.ndarray) -> None:
            if (name := f"{node}:0") in feeds:
                parts[name] = value.astype(feeds[name].dtype)

        def fill(nodes: Iterable[str], count: int) -> None:
            for name in (f"{node}:0" for node in nodes):
                if name in ports:
                    parts[name] = _values(rng, ports[name], count, turn)

        for sparse in self.sparse:
            sizes = [rows if size is None else size for size in sparse.sizes]
            indices = places(rng, sizes, sparse.is_filled)
            put(sparse.indices, indices)
            put(sparse.shape, np.array(sizes))
            for node in sparse.counts:
                put(node, np.array([len(indices)]))
            fill(sparse.values, len(indices))
        for ragged in self.ragged:
            count = rows
            for node in ragged.splits:
                lengths = rng.integers(0, 4, count)
                put(node, np.concatenate([[0], np.cumsum(lengths)]))
                count = int(lengths.sum())
            fill(ragged.values, count)
        return parts

    def joined(self, name: str, feeds: Mapping[str, Any]) -> Coordinates:
        """The sparse tensor whose values a feed holds, of what all its feeds hold."""
        sparse = self.owner(name)
        if sparse is None:
            raise KeyError(name)
        indices, values = feeds[f"{sparse.indices}:0"], feeds[name]
        size = feeds.get(f"{sparse.shape}:0")
        return Coordinates(
            indices, values, np.array(sparse.sizes if size is None else size)
        )


def places(
    rng: np.random.Generator, sizes: Iterable[int], empty_rows: bool = False
) -> np.ndarray:
    """Where a random sparse tensor of this shape holds numbers: ``[count, rank]``, in order, each once.

    Every row has one, unless there may be empty ones.
    """
    shape = tuple(sizes)
    whole = math.prod(shape)
    if not whole:
        return np.zeros((0, len(shape)), np.int64)
    count = max(1, min(int(whole * DENSITY), MOST))
    chosen = rng.choice(whole, count, replace=False)
    if not empty_rows:
        row = whole // shape[0]
        each = np.arange(shape[0]) * row + rng.integers(0, row, shape[0])
        chosen = np.concatenate([chosen, each])
    return np.stack(np.unravel_index(np.unique(chosen), shape), axis=1)


def _values(
    rng: np.random.Generator, port: Port, count: int, turn: Round
) -> np.ndarray:
    inner = port.shape[1:] if port.shape else ()
    shape = (count, *(size or 1 for size in inner))
    return draw(rng, port, shape, Manner(None, turn.scale, turn.top))
