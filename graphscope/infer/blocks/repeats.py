"""A sequence of nodes with their wiring -> the runs in it that repeat, largest saving first, nested where they nest."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from math import inf
from typing import Any, NamedTuple

from ...graph import Graph, Tensor
from .cost import MANY, Worth, saving

_WORK = 300_000  # runs looked at in one pass: longer runs are tried in shorter sequences only
_LONGEST, _SHORTEST_LIMIT = 128, 12
_RANKED = 80  # groups worth a closer look in one pass
_OUTSIDE = 1 << 20  # above every place in a run; not negative, for hash(-1) is hash(-2)


@dataclass(frozen=True)
class Statements:
    """What is known of a graph whose nodes are the statements of a program.

    ``titles`` are the names that are written (None: those of the nodes that say something), ``forms`` what of each must be
    equal in all runs (else its op), ``most_inputs`` how many tensors a block may read.
    """

    titles: Mapping[str, str] | None = None
    forms: Mapping[str, Hashable] = field(default_factory=dict)
    most_inputs: int = 3


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


class _Repeat(NamedTuple):
    """A candidate: ``parts[start:end]`` of one sequence."""

    sequence: int
    start: int
    end: int


@dataclass(frozen=True)
class _Ranked:
    """A group of equal runs: ``chosen`` are those that do not overlap, ``found`` all."""

    score: float
    chosen: list[_Repeat]
    found: list[_Repeat]

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

    def __init__(
        self,
        graph: Graph,
        order: list[str],
        outputs: Iterable[str],
        statements: Statements | None = None,
    ) -> None:
        self.graph, self.statements = graph, statements or Statements()
        self.known = frozenset(order)
        self.sequences = [_Sequence(list(order), frozenset(outputs))]
        self.kinds: dict[int, list[Run]] = {}
        self.worth = Worth(graph, order, self.statements.titles)
        self.labels = {name: self._label(name) for name in order}

    @property
    def top(self) -> list[str | Run]:
        return self.sequences[0].parts

    def _label(self, name: str) -> Any:
        """What must be equal of two nodes: the op, and which of its inputs are constants."""
        inputs = self.graph.inputs(name)
        form = self.statements.forms.get(name) or self.graph.op(name)
        return form, tuple(t.node in self.known for t in inputs)

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

    def _best(self) -> list[_Repeat] | None:
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
        for repeat in self._groups().values():
            saved = saving(self._length(repeat[0]), len(_apart(repeat)))
            if saved > 1:
                groups.append((saved, repeat))
        groups.sort(key=lambda group: -group[0])
        ranked = []
        for _, repeat in groups[:_RANKED]:
            for runs in self._by_names(repeat):
                chosen = _apart(runs)
                if len(chosen) > 1:
                    ranked.append(_Ranked(self._score(chosen), chosen, runs))
        return sorted((r for r in ranked if r.score > 1), key=lambda r: -r.score)

    def _by_names(self, group: list[_Repeat]) -> Iterator[list[_Repeat]]:
        """All of them, and where their names are built in several ways those of the commonest way."""
        yield group
        if len(group) > MANY:
            return
        ways: dict[tuple[str, ...], list[_Repeat]] = defaultdict(list)
        for each in group:
            ways[self.worth.patterns(self._flat(each))[1]].append(each)
        if 1 < len(ways) < len(group):
            yield max(ways.values(), key=len)

    def _length(self, run: _Repeat) -> int:
        """The lines that the parts take; a block inside takes one."""
        parts, lines = self._parts(run), self.worth.lines
        return sum(1 if isinstance(part, Run) else lines[part] for part in parts)

    def _flat(self, run: _Repeat) -> list[str]:
        return [name for part in self._parts(run) for name in _names(part)]

    def _parts(self, run: _Repeat) -> list[str | Run]:
        return self.sequences[run.sequence].parts[run.start : run.end]

    def _score(self, chosen: list[_Repeat]) -> float:
        some = chosen[:MANY]
        flat = [self._flat(run) for run in some]
        inputs = [self._inputs(self._parts(run)) for run in some]
        return self.worth.score(flat, inputs, self._length(chosen[0]), len(chosen))

    def _groups(self) -> dict[int, list[_Repeat]]:
        """Runs with one exit and few inputs, by a hash of what they are built of."""
        size = sum(len(sequence.parts) for sequence in self.sequences)
        longest = max(_SHORTEST_LIMIT, min(_LONGEST, _WORK // max(size, 1)))
        most = self.statements.most_inputs
        groups: dict[int, list[_Repeat]] = defaultdict(list)
        for number, sequence in enumerate(self.sequences):
            wiring = self._wiring(sequence)
            for start in range(len(sequence.parts)):
                for end, key in _runs_from(start, wiring, longest, most):
                    groups[key].append(_Repeat(number, start, end))
        return {key: group for key, group in groups.items() if len(group) > 1}

    def _wiring(self, sequence: _Sequence) -> list[_Part]:
        place: dict[str, int] = {}
        wiring: list[_Part] = []
        for position, part in enumerate(sequence.parts):
            sources = [
                (place.get(tensor.node, -1), tensor.node, tensor.port)
                for tensor in self._reads(part)
            ]
            for source, _, _ in sources:
                if source >= 0:
                    wiring[source].last = max(wiring[source].last, position)
            output = part.output if isinstance(part, Run) else part
            label = part.kind if isinstance(part, Run) else self.labels[part]
            wiring.append(
                _Part(label, sources, inf if output in sequence.ends else position)
            )
            place[output] = position
        return wiring

    def _reads(self, part: str | Run) -> Iterable[Tensor]:
        if isinstance(part, Run):
            return part.inputs
        return (t for t in self.graph.inputs(part) if t.node in self.known)

    def _inputs(self, parts: list[str | Run]) -> tuple[Tensor, ...]:
        """What some parts read from outside, in the order of first use."""
        inside = {node for part in parts for node in _names(part)}
        read = (tensor for part in parts for tensor in self._reads(part))
        return tuple(dict.fromkeys(t for t in read if t.node not in inside))

    def _cut(self, chosen: list[_Repeat]) -> None:
        """Replace the chosen runs, and in twins what stands where they stand, by one Run each."""
        kind = len(self.kinds)
        runs_of_kind = self.kinds[kind] = []
        for number, sequence in enumerate(self.sequences):
            here = [repeat for repeat in chosen if repeat.sequence == number]
            for parts in [sequence.parts, *sequence.twins] if here else []:
                for repeat in reversed(here):
                    inside = parts[repeat.start : repeat.end]
                    last = inside[-1]
                    output = last.output if isinstance(last, Run) else last
                    run = Run(kind, inside, self._inputs(inside), output)
                    runs_of_kind.append(run)
                    parts[repeat.start : repeat.end] = [run]
        bodies = [run.parts for run in runs_of_kind]
        self.sequences.append(
            _Sequence(bodies[0], frozenset({runs_of_kind[0].output}), bodies[1:])
        )


@dataclass(slots=True)
class _Part:
    label: Any
    sources: list[tuple[int, str, int]]
    last: float  # where the last reader stands


def _runs_from(
    start: int, wiring: list[_Part], longest: int, most_inputs: int
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
        if len(outside) > most_inputs:
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


def _apart(runs: list[_Repeat]) -> list[_Repeat]:
    """The first of each that overlap."""
    chosen: list[_Repeat] = []
    for each in runs:
        last = chosen[-1] if chosen else None
        if last is None or last.sequence != each.sequence or each.start >= last.end:
            chosen.append(each)
    return chosen


def _names(part: str | Run) -> Iterable[str]:
    return part.flat() if isinstance(part, Run) else (part,)
