"""Two graphs -> which node of one is which node of the other: by structure first, by name where structure leaves a choice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from difflib import SequenceMatcher

from ...graph import Graph, Layer
from .structure import STEPS, Keys, Wiring, wiring_of

Marks = Mapping[str, Hashable]


def align(a: Graph, b: Graph, marks: tuple[Marks, Marks] = ({}, {})) -> dict[str, str]:
    """Node of ``a`` -> node of ``b``; what has no partner is in neither. Weights are not aligned, but their readers.

    ``marks`` are what nodes of either are known by: of a layer its weights' values. What one node alone of each has goes
    first; then whole surroundings; then what has one name, one type and weights of one size, since in a row of equal layers structure
    does not tell which is new; then all above, all below, then what lies within a few steps; after each, neighbours of
    what is aligned. What is left goes by name, then by order and type, last by its place alone (a layer that another
    replaces).
    """
    alignment = _Alignment(wiring_of(a), wiring_of(b))
    alignment.by_mark(*marks)
    return alignment.partners()


class _Alignment:
    """Pairs on their way."""

    def __init__(self, a: Wiring, b: Wiring) -> None:
        self.a, self.b = a, b
        self.pairs: dict[str, str] = {}
        self.partners_of_b: set[str] = set()  # nodes of b
        self.fresh: list[str] = []  # nodes of a whose neighbours are to be looked at

    def partners(self) -> dict[str, str]:
        for step, (first, second, sure) in enumerate(self._keys()):
            self._match(first, second, sure)
            if not step:
                self._by_name(same_type=True, same_sizes=True)
            self._spread()
        self._by_name(same_type=True)
        self._in_order()
        self._spread()
        self._by_name(same_type=False)
        self._replaced()
        return self.pairs

    def by_mark(self, of_a: Marks, of_b: Marks) -> None:
        """Pair the nodes of one type whose mark no other node of their graph has."""
        counts = [Counter(marks.values()) for marks in (of_a, of_b)]
        owners = {mark: name for name, mark in of_b.items()}
        for name in self.a.nodes:
            mark = of_a.get(name)
            if mark is not None and counts[0][mark] == counts[1][mark] == 1:
                self._join(name, owners[mark])

    def _keys(
        self,
    ) -> Iterator[tuple[Mapping[str, Hashable], Mapping[str, Hashable], bool]]:
        """The keys of both graphs, the strictest first, and whether equal keys suffice where counts differ."""
        keys = Keys()
        above = [keys.above(each) for each in (self.a, self.b)]
        below = [keys.below(each) for each in (self.a, self.b)]
        both = [
            {name: (up[name], down[name]) for name in up}
            for up, down in zip(above, below, strict=True)
        ]
        for first, second in (both, above, below):
            yield first, second, True
        around = [keys.around(each) for each in (self.a, self.b)]
        for steps in STEPS:
            yield around[0][steps], around[1][steps], False

    def _pair(self, first: str, second: str) -> None:
        self.pairs[first] = second
        self.partners_of_b.add(second)
        self.fresh.append(first)

    def _free_a(self) -> Iterator[str]:
        return (name for name in self.a.nodes if name not in self.pairs)

    def _free_b(self) -> Iterator[str]:
        return (name for name in self.b.nodes if name not in self.partners_of_b)

    def _match(
        self, first: Mapping[str, Hashable], second: Mapping[str, Hashable], sure: bool
    ) -> None:
        """Pair nodes of equal keys: those of one name, then those whose weights have equal shapes, in their order."""
        groups: dict[Hashable, tuple[list[str], list[str]]] = defaultdict(
            lambda: ([], [])
        )
        for name in self._free_a():
            groups[first[name]][0].append(name)
        for name in self._free_b():
            groups[second[name]][1].append(name)
        for of_a, of_b in groups.values():
            if of_a and of_b:
                self._pair_alike(of_a, of_b, sure or len(of_a) == len(of_b))

    def _pair_alike(self, of_a: list[str], of_b: list[str], sure: bool) -> None:
        names = set(of_b)
        for name in of_a:
            if name in names:
                self._pair(name, name)
        if not sure:
            return
        free: dict[Hashable, list[str]] = defaultdict(list)
        for name in of_b:
            if name not in self.partners_of_b:
                free[_sizes(self.b.graph, name)].append(name)
        for name in of_a:
            same = free.get(_sizes(self.a.graph, name))
            if name not in self.pairs and same:
                self._pair(name, same.pop(0))
        rest_a = [name for name in of_a if name not in self.pairs]
        rest_b = [name for name in of_b if name not in self.partners_of_b]
        if len(rest_a) == len(rest_b):
            for one, other in zip(rest_a, rest_b, strict=True):
                self._pair(one, other)

    def _spread(self) -> None:
        """Pair what aligned nodes read in one place, or feed as the only one of a type."""
        while self.fresh:
            first = self.fresh.pop()
            second = self.pairs[first]
            for one, other in zip(
                self.a.sources[first], self.b.sources[second], strict=False
            ):
                self._join(one, other)
            readers_a = self._readers(self.a, first, self.pairs)
            readers_b = self._readers(self.b, second, self.partners_of_b)
            for key, ones in readers_a.items():
                others = readers_b.get(key, [])
                if len(ones) == len(others) == 1:
                    self._join(ones[0], others[0])

    def _readers(
        self, wiring: Wiring, name: str, names: Mapping[str, str] | set[str]
    ) -> dict[tuple[int, str], list[str]]:
        by_place: dict[tuple[int, str], list[str]] = defaultdict(list)
        for slot, target in wiring.readers[name]:
            if target not in names:
                by_place[slot, wiring.op(target)].append(target)
        return by_place

    def _join(self, one: str, other: str) -> None:
        are_read = one in self.a.readers and other in self.b.readers
        if are_read and one not in self.pairs and other not in self.partners_of_b:
            if self.a.op(one) == self.b.op(other):
                self._pair(one, other)

    def _by_name(self, same_type: bool, same_sizes: bool = False) -> None:
        free = set(self._free_b())
        for name in list(self._free_a()):
            if name not in free or same_type and self.a.op(name) != self.b.op(name):
                continue
            if same_sizes:
                sizes = [_sizes(side.graph, name) for side in (self.a, self.b)]
                if not sizes[0] or sizes[0] != sizes[1]:
                    continue
            self._pair(name, name)

    def _in_order(self) -> None:
        """What is left, by type in the longest common order."""
        ones, others = list(self._free_a()), list(self._free_b())
        types = [self.a.op(n) for n in ones], [self.b.op(n) for n in others]
        matcher = SequenceMatcher(None, *types, autojunk=False)
        for block in matcher.get_matching_blocks():
            for i in range(block.size):
                self._pair(ones[block.a + i], others[block.b + i])

    def _replaced(self) -> None:
        """A node of another type at the same place: what it reads and who reads it are aligned."""
        inverse = {other: one for one, other in self.pairs.items()}
        for other in list(self._free_b()):
            for one in self._free_a():
                if self._is_at(one, other, inverse):
                    self._pair(one, other)
                    break

    def _is_at(self, one: str, other: str, inverse: Mapping[str, str]) -> bool:
        read = {s for s in self.a.sources[one] if s in self.a.readers}
        into = {t for _, t in self.a.readers[one]}
        read_b = {inverse.get(s) for s in self.b.sources[other] if s in self.b.readers}
        into_b = {inverse.get(t) for _, t in self.b.readers[other]}
        return bool(read and into) and read == read_b and into == into_b


def _sizes(graph: Graph, name: str) -> Hashable:
    """The shapes of a layer's weights, by role."""
    node = graph.node(name)
    if not isinstance(node, Layer):
        return ()
    return tuple(sorted((role, use.shape) for role, use in node.weights.items()))
