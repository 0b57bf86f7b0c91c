"""Boxes that stand for several units, split so that the drawing has no cycle that the graph has not.

A scope whose nodes feed another scope and read from it again would be drawn as a cycle. Its units are dealt to parts
``(1 of 2)``, ``(2 of 2)`` instead. The cycles of the graph itself (loops) stay.
"""

from __future__ import annotations

from collections.abc import Mapping

from .units import Units

Part = tuple[str, int]  # a box, and which part of it, from 1


def acyclic_parts(
    units: Units, boxes: Mapping[str, list[str]], limit: int
) -> dict[str, Part]:
    """Unit -> its part, so that the parts have no cycle; {} where that takes more than ``limit`` parts.

    Units come in order; each joins the last part of its box unless what it reads depends on that part already.
    """
    box_of = {head: box for box, heads in boxes.items() for head in heads}
    sources = _sources_outside_loops(units)
    dealt = _Dealt()
    for head in units.stacks:
        dealt.deal(head, box_of[head], sources[head])
        if len(dealt.parts) > limit:
            return {}
    return {head: dealt.parts[number] for head, number in dealt.part.items()}


def _sources_outside_loops(units: Units) -> dict[str, list[str]]:
    """What each unit reads, less what reads it back through a loop: where no unit stands before what it reads, there is none."""
    place = {head: at for at, head in enumerate(units.stacks)}
    pairs = ((s, t) for t, read in units.before.items() for s in read)
    if all(place[source] < place[target] for source, target in pairs):
        return {head: list(read) for head, read in units.before.items()}
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(units.stacks)
    graph.add_edges_from((s, t) for t, read in units.before.items() for s in read)
    loop: dict[str, int] = {}
    for number, members in enumerate(nx.strongly_connected_components(graph)):
        if len(members) > 1:
            loop.update(dict.fromkeys(members, number))
    return {
        head: [s for s in read if s not in loop or loop[s] != loop.get(head)]
        for head, read in units.before.items()
    }


class _Dealt:
    """The parts so far. ``above[p]`` is the set, as bits, of the parts that part ``p`` depends on."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.part: dict[str, int] = {}
        self.above: list[int] = []
        self.latest: dict[str, int] = {}

    def deal(self, head: str, box: str, sources: list[str]) -> None:
        read = {self.part[source] for source in sources if source in self.part}
        mine = self.latest.get(box)
        if mine is None or any(p != mine and self.above[p] >> mine & 1 for p in read):
            mine = self._new_part(box)
        self.part[head] = mine
        needs = 0
        for number in read - {mine}:
            needs |= self.above[number] | 1 << number
        if needs & ~self.above[mine]:
            self._depend(mine, needs)

    def _new_part(self, box: str) -> int:
        last = self.latest.get(box)
        number = 1 if last is None else self.parts[last][1] + 1
        self.latest[box] = len(self.parts)
        self.parts.append((box, number))
        self.above.append(0)
        return self.latest[box]

    def _depend(self, part: int, needs: int) -> None:
        self.above[part] |= needs
        for other, above in enumerate(self.above):
            if above >> part & 1:
                self.above[other] |= self.above[part]
