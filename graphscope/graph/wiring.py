"""The data edges of a graph as arrays of integers: what the dictionaries of ``adjacency.py`` are made from when somebody asks.

An edge takes 8 bytes here and some 600 there; a graph as it was read has nothing else until one of its nodes is asked for or
changed, and what walks over all of it (training roles, findings) walks here.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

CONTROL = -1  # TensorFlow's own number for the slot of a control edge
# One row for all nodes without an edge: rows are never written to.
_NONE: list[Any] = []


class Wiring:
    """Nodes by number. Edges stand in the order of the nodes that read them, then of their slots.

    ``index`` has the number of each name. Edge ``e`` leads from port ``ports[e]`` of node ``sources[e]``; the edges to node ``i``
    are ``first[i]`` up to ``first[i + 1]``.
    """

    __slots__ = ("first", "index", "names", "ports", "sources")

    def __init__(
        self,
        index: dict[str, int],
        first: array[int],
        sources: array[int],
        ports: array[int],
    ) -> None:
        self.index, self.names = index, list(index)
        self.first, self.sources, self.ports = first, sources, ports

    def inputs_of(self, name: str) -> list[tuple[int, int]]:
        """``(source, port)`` of one node's inputs in slot order."""
        i = self.index[name]
        edges = slice(self.first[i], self.first[i + 1])
        return list(zip(self.sources[edges], self.ports[edges]))

    def inputs(self) -> list[list[tuple[int, int]]]:
        """``(source, port)`` of each node's inputs in slot order."""
        plain = [(i, 0) for i in range(len(self.first) - 1)]
        pairs = [
            (source, port) if port else plain[source]
            for source, port in zip(self.sources, self.ports)
        ]
        return rows(pairs, self.first)

    def readers(self) -> list[list[int]]:
        """The nodes that read each node, each once per slot, in the order of the nodes."""
        first = np.frombuffer(self.first, np.intc)
        sources = np.frombuffer(self.sources, np.intc)
        targets = np.repeat(np.arange(len(first) - 1), np.diff(first))
        targets = targets[np.argsort(sources, kind="stable")]
        counts = np.bincount(sources, minlength=len(first) - 1)
        starts = np.concatenate([[0], np.cumsum(counts)])
        return rows(targets.tolist(), starts.tolist())

    def upstream(self, seeds: Iterable[int]) -> bytearray:
        """A mask of the seeds and of all that they read."""
        first, sources = self.first, self.sources
        mask = bytearray(len(first) - 1)
        stack = list(seeds)
        for i in stack:
            mask[i] = 1
        while stack:
            i = stack.pop()
            for source in sources[first[i] : first[i + 1]]:
                if not mask[source]:
                    mask[source] = 1
                    stack.append(source)
        return mask

    def counts(self) -> list[int]:
        """How many inputs each node has."""
        return [b - a for a, b in pairwise(self.first)]


def rows(items: list[Any], starts: Collection[int]) -> list[list[Any]]:
    """The items cut at the starts; one list for all rows that are empty."""
    return [items[a:b] if a < b else _NONE for a, b in pairwise(starts)]


def wiring_of(
    names: Collection[str], before: Mapping[str, Mapping[str, Mapping[int, Any]]]
) -> Wiring:
    """The wiring of nodes whose sources are known by name: ``{target: {source: {slot: {"port": port}}}}``."""
    index = {name: i for i, name in enumerate(names)}
    first, sources, ports = array("i", [0]), array("i"), array("i")
    for name in names:
        slots = [
            (slot, index[source], data["port"])
            for source, edges in before[name].items()
            for slot, data in edges.items()
            if slot != CONTROL
        ]
        if len(slots) > 1:
            slots.sort()
        for _, source, port in slots:
            sources.append(source)
            ports.append(port)
        first.append(len(sources))
    return Wiring(index, first, sources, ports)
