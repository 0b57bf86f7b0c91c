"""What a node is in its graph, config left out: the keys by which two graphs are aligned.

Equal keys say that all above two nodes is wired alike (``above``), all below (``below``), or all around within some steps
(Weisfeiler and Lehman, 1968). One ``Keys`` serves both graphs, so that equal things have equal numbers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from ...graph import Graph
from ...render.cells.order import held_nodes, in_order

STEPS = (4, 2, 1)


@dataclass
class Wiring:
    """The nodes of one graph that are more than a weight, inputs before what reads them, and who reads them where."""

    graph: Graph
    nodes: list[str] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=dict)
    readers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def op(self, name: str) -> str:
        """The type of a node; ``""`` for a constant or a variable that others read."""
        return self.graph.op(name) if name in self.readers else ""


def wiring_of(graph: Graph) -> Wiring:
    """The wiring of a graph of layers or ops."""
    order = in_order(graph)
    nodes = held_nodes(graph, order)
    wiring = Wiring(graph, [name for name in order if name not in nodes])
    wiring.readers = {name: [] for name in wiring.nodes}
    for name in wiring.nodes:
        wiring.sources[name] = [tensor.node for tensor in graph.inputs(name)]
        for slot, source in enumerate(wiring.sources[name]):
            if source in wiring.readers:
                wiring.readers[source].append((slot, name))
    return wiring


class Keys:
    """Numbers for what is equal."""

    def __init__(self) -> None:
        self.numbers: dict[Hashable, int] = {}

    def _number(self, thing: Hashable) -> int:
        return self.numbers.setdefault(thing, len(self.numbers))

    def above(self, wiring: Wiring) -> dict[str, int]:
        """Equal where type and all that is upstream are."""
        keys: dict[str, int] = {}
        for name in wiring.nodes:
            read = (self._key(wiring, keys, source) for source in wiring.sources[name])
            keys[name] = self._number(("above", wiring.op(name), tuple(read)))
        return keys

    def below(self, wiring: Wiring) -> dict[str, int]:
        """Equal where type and all that is downstream are."""
        keys: dict[str, int] = {}
        for name in reversed(wiring.nodes):
            read = sorted(
                (slot, self._key(wiring, keys, target))
                for slot, target in wiring.readers[name]
            )
            keys[name] = self._number(("below", wiring.op(name), tuple(read)))
        return keys

    def _key(self, wiring: Wiring, keys: Mapping[str, int], name: str) -> int:
        """The key of a neighbour, its type where a loop comes back to it."""
        return keys[name] if name in keys else self._number(("op", wiring.op(name)))

    def around(self, wiring: Wiring) -> dict[int, dict[str, int]]:
        """By the number of steps: equal where all within that many steps is."""
        keys = {name: self._number(("op", wiring.op(name))) for name in wiring.nodes}
        by_steps = {0: keys}
        for step in range(1, max(STEPS) + 1):
            keys = {name: self._round(wiring, keys, name) for name in wiring.nodes}
            by_steps[step] = keys
        return by_steps

    def _round(self, wiring: Wiring, keys: Mapping[str, int], name: str) -> int:
        read = tuple(self._key(wiring, keys, s) for s in wiring.sources[name])
        readers = sorted((slot, keys[t]) for slot, t in wiring.readers[name])
        return self._number(("around", keys[name], read, tuple(readers)))
