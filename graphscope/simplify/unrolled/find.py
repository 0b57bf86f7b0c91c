"""Find chains of equal steps: where one matrix multiplies again and again what depends on its last product.

The nodes of all steps are walked side by side, backwards from these products. What is the same for all steps is captured; what the
first step has from elsewhere and each other from the step before it is a state; what no step computes is an element of a sequence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...graph import Graph, Tensor
from ...graph.order import descendants, sources_first
from ...ops import spellings
from ..rewrites.dropout import RATE
from .static import Static, passes, settings

LEAST = 2  # steps
PRODUCTS = frozenset({"MatMul", "Conv2D"})
_LINEAR = frozenset({*spellings.SUMS, *spellings.SPLITS, "MatMul", "BiasAdd"})
"""What belongs to a step though it does not depend on the one before: the product of its input."""


@dataclass
class Row:
    """One node of the step, in every step; ``inputs`` tell for each slot what it reads."""

    nodes: list[str | None]
    inputs: list[Source] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """What one slot of a row reads: ``captured`` by all steps, an output of another ``row`` in this step, the value of a ``state``
    (its number), or an element of a ``sequence`` (its number). Of two steps one that is only known in the first is left ``open`` (its number)
    until the other is."""

    captured: Tensor | None = None
    row: int = -1
    port: int = 0
    state: int = -1
    sequence: int = -1
    open: int = -1


@dataclass
class Chain:
    """Equal steps: ``states`` are first value, row and port; ``sequences`` the elements for each step."""

    count: int
    rows: list[Row] = field(default_factory=list)
    states: list[tuple[Tensor, int, int]] = field(default_factory=list)
    sequences: list[list[Tensor]] = field(default_factory=list)

    @property
    def nodes(self) -> set[str]:
        return {name for row in self.rows for name in row.nodes if name is not None}

    def rank(self, graph: Graph) -> int:
        """How many axes a sequence has: of vectors, or of pictures."""
        return 5 if graph.op(self.rows[0].nodes[0] or "") == "Conv2D" else 3


def find_chains(graph: Graph) -> Iterator[Chain]:
    """The chains of a graph outside of its loops, each before those that read it; one that overlaps an earlier one is left out."""
    static = Static(graph)
    order = sources_first(graph, turn_ends(graph))
    if order is None:
        return
    looped = _in_frames(graph)
    place = {name: at for at, name in enumerate(order)}
    groups: dict[Any, list[str]] = {}
    for name in graph.by_op(*PRODUCTS):
        inputs = graph.inputs(name)
        if name not in looped and len(inputs) > 1 and inputs[0].node in static.dynamic:
            number = static.number(inputs[1])
            if number is not None:
                groups.setdefault(number, []).append(name)
    claimed: set[str] = set()
    many = [
        sorted(g, key=place.__getitem__) for g in groups.values() if len(g) >= LEAST
    ]
    for products in sorted(many, key=lambda group: place[group[0]]):
        chain = _Walk(graph, static, products, claimed).chain()
        if chain is not None and claimed.isdisjoint(chain.nodes):
            claimed |= chain.nodes
            yield chain


def turn_ends(graph: Graph) -> frozenset[str]:
    """The nodes of TensorFlow 1's loops from which an edge leads back."""
    return frozenset(graph.by_op(*spellings.NEXT_ITERATIONS))


def _in_frames(graph: Graph) -> set[str]:
    """The nodes of TensorFlow 1's loops: what lies between their Enters and their Exits."""
    stack, inside = list(graph.by_op(*spellings.ENTERS)), set[str]()
    while stack:
        name = stack.pop()
        if name not in inside:
            inside.add(name)
            if graph.op(name) not in spellings.EXITS:
                stack += list(graph._succ[name])
    return inside


class Mismatch(Exception):
    """The steps are not equal."""


class _Walk:
    """The steps of one chain, walked side by side."""

    def __init__(
        self,
        graph: Graph,
        static: Static,
        products: Sequence[str],
        taken: Collection[str] = (),
    ) -> None:
        self.graph, self.static, self.products = graph, static, products
        self.taken = taken  # nodes of earlier chains
        self.made = Chain(len(products))
        self.place: dict[str, tuple[int, int]] = {}
        self.after: set[str] = set()
        self.open: list[Tensor] = []

    def chain(self) -> Chain | None:
        self.after = descendants(self.graph, self.products[0])
        if self.products[1] not in self.after:
            return None
        products = [Tensor(name) for name in self.products]
        if not self._alike(products):
            return None
        try:
            self._row(products)
            self._complete()
            self._trail()
        except Mismatch:
            return None
        return self.made if self.made.states and self.made.sequences else None

    def _row(self, tensors: Sequence[Tensor]) -> int:
        """The row of these nodes, one for each step from the first; what they read is walked too."""
        first = self._new(tensors)
        self._walk(first)
        return first

    def _walk(self, first: int) -> None:
        """What a row reads, and what that reads, as far as it belongs to the steps."""
        stack = [first]
        while stack:
            row = self.made.rows[stack.pop()]
            names = [name for name in row.nodes if name is not None]
            columns = zip(*(self.graph.inputs(name) for name in names), strict=True)
            for column in columns:
                source, new = self._source(list(column))
                row.inputs.append(source)
                if new is not None:
                    stack.append(new)

    def _new(self, tensors: Sequence[Tensor]) -> int:
        number = len(self.made.rows)
        nodes: list[str | None] = [tensor.node for tensor in tensors]
        for step, name in enumerate(nodes):
            if name is None or name in self.place:
                raise Mismatch
            self.place[name] = number, step
        nodes += [None] * (self.made.count - len(nodes))
        self.made.rows.append(Row(nodes))
        return number

    def _source(self, column: list[Tensor]) -> tuple[Source, int | None]:
        """What these tensors are to their steps, and the row that must be walked for it."""
        column = [self.static.source(tensor) for tensor in column]
        first = column[0]
        if len(column) == 1:
            return self._source_of_one(first)
        number = self.static.number(first)
        if (
            all(each == first for each in column)
            or number is not None
            and all(self.static.number(each) == number for each in column)
        ):
            if first.node in self.after:
                raise Mismatch
            return Source(captured=first), None
        if len({each.port for each in column}) == 1:
            source = self._known(column)
            if source is not None:
                return Source(row=source, port=first.port), None
        free = not any(each.node in self.after for each in column)
        own = self._is_of_step(first.node) and self._alike(column)
        if free and not own:
            return Source(sequence=self._sequence(column)), None
        alike = len({each.port for each in column}) == 1 and self._alike(column)
        if alike and first.node not in self.taken:  # where an encoder's chain ends
            new = self._new(column)
            return Source(row=new, port=first.port), new
        return self._state(column)

    def _source_of_one(self, first: Tensor) -> tuple[Source, int | None]:
        """The same of one step of two: what it does not compute is told by what the other step reads there."""
        source = self._known([first])
        if source is not None:
            return Source(row=source, port=first.port), None
        if first.node in self.after:
            new = self._new([first])
            return Source(row=new, port=first.port), new
        self.open.append(first)
        return Source(open=len(self.open) - 1), None

    def _settle(self, number: int, last: Tensor) -> None:
        """What an open source is, now that both steps are known."""
        source, new = self._source([self.open[number], last])
        for row in self.made.rows:
            row.inputs = [source if s.open == number else s for s in row.inputs]
        if new is not None:
            self._walk(new)

    def _known(self, column: Sequence[Tensor]) -> int | None:
        """The row whose nodes these are, each that of its step."""
        rows = set()
        for step, tensor in enumerate(column):
            row, at = self.place.get(tensor.node, (-1, -1))
            if at != step or row < 0:
                return None
            rows.add(row)
        return rows.pop() if len(rows) == 1 else None

    def _alike(self, column: Sequence[Tensor]) -> bool:
        first = self.graph.node(column[0].node)
        count = len(self.graph.inputs(column[0].node))
        first_settings = settings(first)
        return all(
            (node := self.graph.node(tensor.node)).op == first.op
            and len(self.graph.inputs(tensor.node)) == count
            and settings(node) == first_settings
            for tensor in column
        )

    def _state(self, column: list[Tensor]) -> tuple[Source, int | None]:
        """What the first step has from elsewhere, and each other from the step before."""
        first, rest = column[0], column[1:]
        if first.node in self.after or not rest:
            raise Mismatch
        port = rest[0].port
        if len({each.port for each in rest}) != 1:
            raise Mismatch
        row, new = self._known(rest), None
        if row is None:
            if not self._alike(rest):
                raise Mismatch
            row = new = self._new(rest)
        state = (first, row, port)
        if state not in self.made.states:
            if any(other[1:] == state[1:] for other in self.made.states):
                raise Mismatch
            self.made.states.append(state)
        return Source(state=self.made.states.index(state)), new

    def _sequence(self, column: list[Tensor]) -> int:
        for number, other in enumerate(self.made.sequences):
            if other[: len(column)] == column:
                return number
            if column[: len(other)] == other:
                self.made.sequences[number] = column
                return number
        self.made.sequences.append(column)
        return len(self.made.sequences) - 1

    # -- the last step --------------------------------------------------------------------
    def _complete(self) -> None:
        """Find the nodes of the last step, from which no walk began, by what they read."""
        last = self.made.count - 1
        waiting = [n for n, row in enumerate(self.made.rows) if row.nodes[last] is None]
        while waiting:
            for number in waiting:
                self._find_last(number, last)
            left = [n for n in waiting if self.made.rows[n].nodes[last] is None]
            if len(left) == len(waiting):
                raise Mismatch
            waiting = left
        if any(len(each) != self.made.count for each in self.made.sequences):
            raise Mismatch
        if any(source.open >= 0 for row in self.made.rows for source in row.inputs):
            raise Mismatch

    def _trail(self) -> None:
        """What is dropped of a value of the step, in every step, belongs to the step."""
        for number, row in list(enumerate(self.made.rows)):
            dropped = [self._dropouts(name or "") for name in row.nodes]
            if all(len(names) == 1 for names in dropped):
                column = [Tensor(name) for each in dropped for name in each]
                if self._alike(column):
                    new = self._new(column)
                    self.made.rows[new].inputs.append(Source(row=number))

    def _dropouts(self, name: str) -> list[str]:
        readers = (reader for reader, _ in self.graph.consumers(name))
        return [n for n in readers if self._drops(n) and n not in self.place]

    def _drops(self, name: str) -> bool:
        return RATE in self.graph.attrs(name)

    def _is_of_step(self, name: str) -> bool:
        """Whether a node belongs to a step though it does not depend on the one before."""
        drops = self._drops(name) and name not in self.taken
        linear = {*_LINEAR, self.graph.op(self.products[0])}
        return self.graph.op(name) in linear or drops

    def _find_last(self, number: int, last: int) -> None:
        """The node of a row in the last step, where something that it reads there is known."""
        row = self.made.rows[number]
        if row.nodes[last] is not None:
            return
        for slot, source in enumerate(row.inputs):
            tensor = self._read(source, last) if source.captured is None else None
            for name in self._readers(tensor) if tensor is not None else ():
                trial: dict[Any, Any] = {}
                if name not in self.place and self._unified(number, name, last, trial):
                    self._commit(trial, last)
                    return

    def _unified(
        self, number: int, name: str, last: int, trial: dict[Any, Any]
    ) -> bool:
        """Whether a node can be a row's in the last step, with what it reads; ``trial`` gains what that tells."""
        row = self.made.rows[number]
        if trial.setdefault(("row", number), name) != name:
            return False
        example = Tensor(row.nodes[0] or "")
        if name in self.place or not self._alike([example, Tensor(name)]):
            return False
        inputs = map(self.static.source, self.graph.inputs(name))
        return all(
            self._fits(source, tensor, last, trial)
            for source, tensor in zip(row.inputs, inputs, strict=True)
        )

    def _fits(
        self, source: Source, tensor: Tensor, last: int, trial: dict[Any, Any]
    ) -> bool:
        reading = self._read(source, last)
        if reading is not None:
            return self._equal(reading, tensor)
        if source.sequence >= 0:
            if tensor.node in self.after:
                return False
            return bool(
                trial.setdefault(("sequence", source.sequence), tensor) == tensor
            )
        if source.open >= 0:
            return bool(trial.setdefault(("open", source.open), tensor) == tensor)
        if source.row < 0 or source.port != tensor.port:
            return False
        return self._unified(source.row, tensor.node, last, trial)

    def _commit(self, trial: dict[Any, Any], last: int) -> None:
        for (kind, number), node in trial.items():
            if kind == "sequence":
                self.made.sequences[number].append(node)
            elif kind == "row":
                self.made.rows[number].nodes[last] = node
                self.place[node] = number, last
        for (kind, number), tensor in trial.items():
            if kind == "open":
                self._settle(number, tensor)

    def _read(self, source: Source, step: int) -> Tensor | None:
        if source.captured is not None or source.open >= 0:
            return source.captured
        if source.sequence >= 0:
            column = self.made.sequences[source.sequence]
            return column[step] if step < len(column) else None
        if source.state >= 0:
            _, row, port = self.made.states[source.state]
            step -= 1
        else:
            row, port = source.row, source.port
        name = self.made.rows[row].nodes[step]
        return Tensor(name, port) if name is not None else None

    def _readers(self, tensor: Tensor) -> Iterator[str]:
        for name, _ in self.graph.consumers(*tensor):
            if passes(self.graph.node(name)):
                yield from self._readers(Tensor(name))
            else:
                yield name

    def _equal(self, one: Tensor, other: Tensor) -> bool:
        if one == other:
            return True
        number = self.static.number(one)
        return number is not None and number == self.static.number(other)
