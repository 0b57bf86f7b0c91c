"""A sequence of nodes with their wiring -> the runs in it that repeat, largest saving first, nested where they nest."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, takewhile
from math import inf
from typing import Any, NamedTuple

from ..graph import Graph, Layer, Node, Tensor

MOST_INPUTS = 3
_WORK = 300_000  # runs looked at in one pass: longer runs are tried in shorter sequences only
_LONGEST, _SHORTEST_LIMIT = 128, 12
_RANKED = 80  # groups worth a closer look in one pass
_MANY = 200  # of so many equal runs some are looked at in the place of all
_OUTSIDE = 1 << 20  # above every place in a run; not negative, for hash(-1) is hash(-2)
_INPUT = 2.5  # what one more input of a block is worth, in lines a call
_ARGUMENT = 0.2  # and one more argument
_FEW = 4  # arguments that a call can have; each more costs a line
_NAME = 0.4  # and one more name
_NO_SCOPE = 1.5  # what it is worth that the names of a run share what no other run has
_ASTRIDE = 4.0  # and that it does not begin or end within a scope: that is the end of one block and half the next
_LOOKED_AT = 8  # runs of a group
_NUMBER = re.compile(r"_?\d+")


@dataclass(eq=False)
class Run:
    """Some parts that follow one another, of which the outside reads the last only; ``kind`` groups equal runs."""

    kind: int
    parts: list[str | Run]
    inputs: tuple[Tensor, ...]
    output: str

    def flat(self) -> Iterator[str]:
        """The nodes inside, in order."""
        stack: list[str | Run] = [self]
        while stack:
            part = stack.pop()
            if isinstance(part, Run):
                stack.extend(reversed(part.parts))
            else:
                yield part


class _Found(NamedTuple):
    """A candidate: ``parts[start:end]`` of one sequence."""

    sequence: int
    start: int
    end: int


@dataclass(frozen=True)
class _Ranked:
    """A group of equal runs: ``chosen`` are those that do not overlap, ``found`` all."""

    score: float
    chosen: list[_Found]
    found: list[_Found]

    @property
    def length(self) -> int:
        return self.chosen[0].end - self.chosen[0].start


@dataclass
class _Sequence:
    """The parts of the whole graph, or of all runs of one kind: ``twins`` are cut where the first is."""

    parts: list[str | Run]
    ends: frozenset[str]
    twins: list[list[str | Run]] = field(default_factory=list)


class Repeats:
    """``top`` is the whole sequence once ``find`` has run, ``kinds`` the runs of each kind."""

    def __init__(self, graph: Graph, order: list[str], outputs: Iterable[str]) -> None:
        self.graph = graph
        self.known = frozenset(order)
        self.order = order
        self.place = {name: at for at, name in enumerate(order)}
        self.sequences = [_Sequence(list(order), frozenset(outputs))]
        self.kinds: dict[int, list[Run]] = {}
        self.lines = {name: _lines(graph.node(name)) for name in order}
        self.labels = {name: self._label(name) for name in order}
        self.counted = {name for name in order if self._is_counted(name)}

    @property
    def top(self) -> list[str | Run]:
        return self.sequences[0].parts

    def _label(self, name: str) -> Any:
        """What must be equal of two nodes: the op, and which of its inputs are constants."""
        inputs = self.graph.inputs(name)
        return self.graph.op(name), tuple(t.node in self.known for t in inputs)

    def example(self, kind: int) -> Run:
        return self.kinds[kind][0]

    def runs_inside_out(self) -> Iterator[Run]:
        """Every run after the runs inside it, in the order of the graph."""
        stack: list[tuple[Run, bool]] = [
            (part, False) for part in reversed(self.top) if isinstance(part, Run)
        ]
        while stack:
            run, opened = stack.pop()
            if opened:
                yield run
                continue
            stack.append((run, True))
            stack.extend((p, False) for p in reversed(run.parts) if isinstance(p, Run))

    def find(self) -> None:
        """Cut out the best repeated runs until nothing is saved."""
        while (best := self._best()) is not None:
            self._cut(best)

    def _best(self) -> list[_Found] | None:
        """The runs that save most; not such as repeat within themselves what is worth a block of its own."""
        ranked = self._ranked()
        if not ranked:
            return None
        best = ranked[0]
        while (
            inner := next((r for r in ranked if _repeats_in(r, best)), None)
        ) is not None:
            best = inner
        return best.chosen

    def _ranked(self) -> list[_Ranked]:
        """The groups that save anything, best first."""
        groups = []
        for found in self._groups().values():
            saving = _saving(self._length(found[0]), len(_apart(found)))
            if saving > 1:
                groups.append((saving, found))
        groups.sort(key=lambda group: -group[0])
        made = []
        for _, found in groups[:_RANKED]:
            for runs in self._by_names(found):
                chosen = _apart(runs)
                if len(chosen) > 1:
                    made.append(_Ranked(self._score(chosen), chosen, runs))
        return sorted((r for r in made if r.score > 1), key=lambda r: -r.score)

    def _by_names(self, found: list[_Found]) -> Iterator[list[_Found]]:
        """All of them, and where their names are built in several ways those of the commonest way."""
        yield found
        if len(found) > _MANY:
            return
        ways: dict[tuple[str, ...], list[_Found]] = defaultdict(list)
        for each in found:
            ways[self.patterns(self._flat(each))[1]].append(each)
        if 1 < len(ways) < len(found):
            yield max(ways.values(), key=len)

    def _length(self, found: _Found) -> int:
        """The lines that the parts take; a block inside takes one."""
        parts = self.sequences[found.sequence].parts[found.start : found.end]
        return sum(1 if isinstance(part, Run) else self.lines[part] for part in parts)

    def _flat(self, found: _Found) -> list[str]:
        parts = self.sequences[found.sequence].parts[found.start : found.end]
        return [name for part in parts for name in _names(part)]

    def patterns(self, names: list[str]) -> tuple[str, tuple[str, ...]]:
        """What the names of a run begin with, and how each goes on; a name that only counts its class is ``""``."""
        said = ["" if name in self.counted else name for name in names]
        prefix = scope([name for name in said if name])
        return prefix, tuple(_NUMBER.sub("#", name[len(prefix) :]) for name in said)

    def _is_counted(self, name: str) -> bool:
        """Whether a name is its op in lower case with a number: Keras's own, which says nothing."""
        plain = _NUMBER.sub("", name).replace("_", "").lower()
        return plain == _NUMBER.sub("", self.graph.op(name)).lower()

    def _score(self, chosen: list[_Found]) -> float:
        """Lines saved; less for inputs and for what must be passed, names that share no scope included."""
        flat = [self._flat(found) for found in chosen[:_MANY]]
        parts = self.sequences[chosen[0].sequence].parts
        inputs = len(self._inputs(parts[chosen[0].start : chosen[0].end]))
        given = self._differences(flat)
        passed = _INPUT * (inputs - 1) + _ARGUMENT * given + max(0, given - _FEW)
        prefixes, ways = zip(*map(self.patterns, flat))
        if len(set(ways)) > 1:
            passed += _NAME * len(_parameters(zip(*ways)))
        elif any(ways[0]) and len(set(prefixes)) < len(prefixes):
            passed += _NO_SCOPE
        passed += _ASTRIDE * self._open_sides(flat[:_LOOKED_AT])
        tidy = min(len(prefixes[0]), 40) / 100
        saving = _saving(self._length(chosen[0]), len(chosen))
        return saving - passed * len(chosen) + tidy

    def _open_sides(self, runs: list[list[str]]) -> float:
        """How many of its two sides a run cuts through a scope with, on average.

        It does where it begins or ends between two names that share more than all names of the run do.
        """
        found = 0
        for names in runs:
            own = self.patterns(names)[0]
            first, last = self.place[names[0]], self.place[names[-1]]
            for before, after in ((first - 1, first), (last, last + 1)):
                if 0 <= before and after < len(self.order):
                    pair = [self.order[before], self.order[after]]
                    told = self.counted.isdisjoint(pair)
                    found += told and len(scope(pair)) > len(own)
        return found / len(runs)

    def _differences(self, runs: list[list[str]]) -> int:
        """In how many ways the configs of the runs differ: what differs alike counts once."""
        ways: set[tuple[str, ...]] = set()
        for names in zip(*runs):
            configs = [self.graph.attrs(name) for name in names]
            if not all(isinstance(self.graph.node(name), Layer) for name in names):
                continue
            for key in {key for config in configs for key in config}:
                values = tuple(repr(config.get(key)) for config in configs)
                if any(value != values[0] for value in values):
                    ways.add(values)
        return len(ways)

    def _groups(self) -> dict[int, list[_Found]]:
        """Runs with one exit and few inputs, by a hash of what they are built of."""
        size = sum(len(sequence.parts) for sequence in self.sequences)
        longest = max(_SHORTEST_LIMIT, min(_LONGEST, _WORK // max(size, 1)))
        groups: dict[int, list[_Found]] = defaultdict(list)
        for number, sequence in enumerate(self.sequences):
            wiring = self._wiring(sequence)
            for start in range(len(sequence.parts)):
                for end, key in _runs_from(start, wiring, longest):
                    groups[key].append(_Found(number, start, end))
        return {key: found for key, found in groups.items() if len(found) > 1}

    def _wiring(self, sequence: _Sequence) -> list[_Part]:
        place: dict[str, int] = {}
        made: list[_Part] = []
        for position, part in enumerate(sequence.parts):
            sources = [
                (place.get(tensor.node, -1), tensor.node, tensor.port)
                for tensor in self._reads(part)
            ]
            for source, _, _ in sources:
                if source >= 0:
                    made[source].last = max(made[source].last, position)
            output = part.output if isinstance(part, Run) else part
            label = part.kind if isinstance(part, Run) else self.labels[part]
            made.append(
                _Part(label, sources, inf if output in sequence.ends else position)
            )
            place[output] = position
        return made

    def _reads(self, part: str | Run) -> Iterable[Tensor]:
        if isinstance(part, Run):
            return part.inputs
        return (t for t in self.graph.inputs(part) if t.node in self.known)

    def _inputs(self, parts: list[str | Run]) -> tuple[Tensor, ...]:
        """What some parts read from outside, in the order of first use."""
        inside = {node for part in parts for node in _names(part)}
        read = (tensor for part in parts for tensor in self._reads(part))
        return tuple(dict.fromkeys(t for t in read if t.node not in inside))

    def _cut(self, chosen: list[_Found]) -> None:
        """Replace the chosen runs, and in twins what stands where they stand, by one Run each."""
        kind = len(self.kinds)
        made = self.kinds[kind] = []
        for number, sequence in enumerate(self.sequences):
            here = [found for found in chosen if found.sequence == number]
            for parts in [sequence.parts, *sequence.twins] if here else []:
                for found in reversed(here):
                    inside = parts[found.start : found.end]
                    last = inside[-1]
                    output = last.output if isinstance(last, Run) else last
                    run = Run(kind, inside, self._inputs(inside), output)
                    made.append(run)
                    parts[found.start : found.end] = [run]
        bodies = [run.parts for run in made]
        self.sequences.append(
            _Sequence(bodies[0], frozenset({made[0].output}), bodies[1:])
        )


@dataclass(slots=True)
class _Part:
    label: Any
    sources: list[tuple[int, str, int]]
    last: float  # where the last reader stands


def _runs_from(
    start: int, wiring: list[_Part], longest: int
) -> Iterator[tuple[int, int]]:
    """``(end, hash)`` of every run that starts here, has one exit and few inputs."""
    outside: dict[tuple[str, int], int] = {}
    key, reach, alike = 0, -1.0, True
    if start and _repeat(wiring, start):
        return
    for position in range(start, min(len(wiring), start + longest)):
        part = wiring[position]
        refs = []
        for source, node, port in part.sources:
            if source >= start:
                refs.append((source - start, port))
            else:
                refs.append(
                    (_OUTSIDE + outside.setdefault((node, port), len(outside)), 0)
                )
        if len(outside) > MOST_INPUTS:
            return
        key = hash((key, part.label, tuple(refs)))
        alike = (
            alike and isinstance(part.label, int) and part.label == wiring[start].label
        )
        whole = not alike and not _repeat(wiring, position + 1)
        if reach <= position and position > start and whole:
            yield position + 1, key
        reach = max(reach, part.last)
        if reach >= start + longest:
            return


def _repeat(wiring: list[_Part], position: int) -> bool:
    """Whether a part is a block of the same kind as the part before: a loop holds them all, no run holds some."""
    if position >= len(wiring):
        return False
    label = wiring[position].label
    return isinstance(label, int) and wiring[position - 1].label == label


def _parameters(columns: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """What names must be given as, one column a layer: what differs between the words that all begin and end with."""
    found = set()
    for names in columns:
        if len(set(names)) > 1:
            start = len(scope(list(names)))
            back = len(scope([name[start:][::-1] for name in names]))
            found.add(tuple(name[start : len(name) - back] for name in names))
    return found


def _repeats_in(inner: _Ranked, outer: _Ranked) -> bool:
    """Whether a run of ``outer`` holds two of ``inner``, and these save at least half as much."""
    if inner.length * 2 > outer.length or inner.score * 2 < outer.score:
        return False
    for run in outer.chosen[:3]:
        first = bisect_left(inner.found, run)
        within = takewhile(
            lambda f: f.sequence == run.sequence and f.start < run.end,
            islice(inner.found, first, None),
        )
        if len(_apart([f for f in within if f.end <= run.end])) > 1:
            return True
    return False


def _lines(node: Node) -> int:
    """About how many lines a layer takes when it is written out: more than one where much is to be said of it."""
    usual = ("linear", "valid", "channels_last", "True", "None", "1", "-1", "(1, 1)")
    words = [f"{k}={v}" for k, v in node.attrs.items() if str(v) not in usual]
    return 4 if isinstance(node, Layer) and sum(map(len, words)) > 80 else 1


def _saving(length: int, count: int) -> int:
    """Lines that a function of ``length`` lines saves when it is called ``count`` times."""
    return (count - 1) * length - count - 2


def _apart(found: list[_Found]) -> list[_Found]:
    """The first of each that overlap."""
    chosen: list[_Found] = []
    for each in found:
        last = chosen[-1] if chosen else None
        if last is None or last.sequence != each.sequence or each.start >= last.end:
            chosen.append(each)
    return chosen


def _names(part: str | Run) -> Iterator[str]:
    return part.flat() if isinstance(part, Run) else iter((part,))


def scope(names: list[str]) -> str:
    """What all names begin with, cut where a word ends in each of them."""
    if not names:
        return ""
    first, last = min(names), max(names)
    size = next((i for i, c in enumerate(first) if last[i : i + 1] != c), len(first))
    while size and not all(len(n) == size or n[size] in "_-./" for n in names):
        size -= 1
    return first[:size]
