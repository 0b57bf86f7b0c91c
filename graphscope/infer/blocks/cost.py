"""Equal runs of nodes -> what a block made of them is worth: the lines that it saves, less what must be passed to it.

Lines are those of the source that is written; what a reader would not have cut so (astride two scopes) costs lines too.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import gcd
from typing import Any, NamedTuple

from ...graph import Graph, Layer, Node, Tensor
from ...graph.named_values import Attributes

MANY = 200  # of so many equal runs some are looked at in the place of all
_INPUT = 2.5  # what one more input of a block is worth, in lines a call
_SHARED = 0.25  # and one that all calls are given alike
_ARGUMENT = 0.2  # and one more argument
_FEW = 4  # arguments that a call can have; each more costs a line
_NAME = 0.4  # and one more name
_NO_SCOPE = 1.5  # what it is worth that the names of a run share what no other run has
_ASTRIDE = 4.0  # and that it does not begin or end within a scope: that is the end of one block and half the next
_LOOKED_AT = 8  # runs of a group
_NUMBER = re.compile(r"_?\d+")
_OP_LAYER = re.compile(r"(^|_)(tf(\.\w+)+|tf_op_layer_\w+)$")  # Keras 2's
_USUAL = ("linear", "valid", "channels_last", "True", "None", "1", "-1", "(1, 1)")


class Worth:
    """Of runs of the nodes of a graph; ``order`` is that in which they are written."""

    def __init__(
        self,
        graph: Graph,
        order: Sequence[str],
        titles: Mapping[str, str] | None = None,
    ) -> None:
        self.graph, self.order = graph, order
        self.place = {name: at for at, name in enumerate(order)}
        self.lines = {name: _lines(graph.node(name)) for name in order}
        if titles is None:
            titles = {name: name for name in order if not self._is_counted(name)}
        self.titles = titles
        self.numberless = {name: _NUMBER.sub("#", t) for name, t in titles.items()}
        self._columns: dict[tuple[str, ...], _Column] = {}

    def _is_counted(self, name: str) -> bool:
        """Whether a name says nothing: that of an op, which is not written, and those that Keras gives by counting."""
        if not isinstance(self.graph.node(name), Layer) or _OP_LAYER.search(name):
            return True
        plain = _NUMBER.sub("", name).replace("_", "").lower()
        return plain == _NUMBER.sub("", self.graph.op(name)).lower()

    def patterns(self, names: list[str]) -> tuple[str, tuple[str, ...]]:
        """What the names of a run begin with, and how each goes on; a name that only counts its class is ``""``."""
        texts = [self.titles.get(name, "") for name in names]
        prefix = scope([name for name in texts if name])
        # a scope ends where a word ends, so no number is astride its end
        start, numberless = len(_NUMBER.sub("#", prefix)), self.numberless
        return prefix, tuple([numberless.get(name, "")[start:] for name in names])

    def score(
        self,
        runs: list[list[str]],
        inputs: Sequence[tuple[Tensor, ...]],
        length: int,
        count: int,
    ) -> float:
        """Lines saved by ``count`` calls of a block of ``length`` lines; less for inputs and for what must be passed.

        ``runs`` are the nodes of some of them, ``inputs`` what each reads. Names that share no scope must be passed too.
        """
        columns = [set(column) for column in zip(*inputs)]
        shared = sum(len(column) == 1 for column in columns)
        own = max(len(columns) - shared, 1)
        differences = self._differences(runs)
        passed = _INPUT * (own - 1) + _SHARED * (len(columns) - own)
        passed += _ARGUMENT * differences + max(0, differences - _FEW)
        prefixes, ways = zip(*map(self.patterns, runs))
        if len(set(ways)) > 1:
            passed += _NAME * len(_parameters(zip(*ways)))
        elif any(ways[0]) and len(set(prefixes)) < len(prefixes):
            passed += _NO_SCOPE
        passed += self._astride(runs[:_LOOKED_AT], prefixes)
        tidy = min(len(prefixes[0]), 40) / 100
        return saving(length, count) - passed * count + tidy

    def _astride(self, runs: list[list[str]], prefixes: Sequence[str]) -> float:
        """What it costs on average that a run, whose names begin with the prefix, cuts through scopes on its two sides.

        It does where it begins or ends between two names that share more than all names of the run do.
        """
        total = 0
        for names, own in zip(runs, prefixes):
            first, last = self.place[names[0]], self.place[names[-1]]
            for before, after in ((first - 1, first), (last, last + 1)):
                if 0 <= before and after < len(self.order):
                    ends = (self.order[before], self.order[after])
                    pair = [self.titles[name] for name in ends if name in self.titles]
                    total += len(pair) == 2 and len(scope(pair)) > len(own)
        return _ASTRIDE * total / len(runs)

    def _differences(self, runs: list[list[str]]) -> int:
        """In how many ways the configs of the runs differ: what differs alike, or as multiples, counts once.

        A sequence of sizes that differ so counts only where none of the single numbers does.
        """
        ways: set[Hashable] = set()
        sequences: dict[tuple[str, ...], list[Any]] = {}
        for names in zip(*runs):
            column = self._columns.get(names)
            if column is None:
                column = self._columns[names] = self._column(names)
            ways |= column.ways
            sequences |= column.sequences
        implied = sum(_is_implied(values, ways) for values in sequences.values())
        return len(ways) + len(sequences) - implied

    def _column(self, names: tuple[str, ...]) -> _Column:
        ways: set[Hashable] = set()
        sequences: dict[tuple[str, ...], list[Any]] = {}
        if all(isinstance(self.graph.node(name), Layer) for name in names):
            configs = [self.graph.attrs(name) for name in names]
            for key in {key for config in configs for key in config}:
                values = [config.get(key) for config in configs]
                if all(isinstance(value, tuple) for value in values):
                    texts = tuple(map(repr, values))
                    if len(set(texts)) > 1:
                        sequences[texts] = values
                elif way := _way(values):
                    ways.add(way)
        return _Column(frozenset(ways), sequences)


class _Column(NamedTuple):
    """What differs between the layers that stand at one place of some runs: in which ways, and the sequences of sizes that do, by their texts."""

    ways: frozenset[Hashable]
    sequences: dict[tuple[str, ...], list[Any]]


def _is_implied(values: list[Any], ways: set[Hashable]) -> bool:
    """Whether sequences are the same in all runs, or differ in nothing but multiples of what differs anyway."""
    if len(set(map(len, values))) > 1:
        return False
    column_ways = (_way(list(column)) for column in zip(*values))
    return all(way is None or way in ways for way in column_ways)


def _way(values: list[Any]) -> Hashable | None:
    """How values differ from run to run, the same for multiples of each other; None where they do not."""
    if set(map(type, values)) == {int} and min(values) > 0:
        whole = gcd(*values)
        way: tuple[Any, ...] = tuple(value // whole for value in values)
    else:
        way = tuple(map(repr, values))
    return way if len(set(way)) > 1 else None


def saving(length: int, count: int) -> int:
    """Lines that a function of ``length`` lines saves when it is called ``count`` times."""
    return (count - 1) * length - count - 2


def _parameters(columns: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """What names must be given as, one column a layer: what differs between the words that all begin and end with."""
    parameters = set()
    for names in columns:
        if len(set(names)) > 1:
            start = len(scope(list(names)))
            back = len(scope([name[start:][::-1] for name in names]))
            parameters.add(tuple(name[start : len(name) - back] for name in names))
    return parameters


def _lines(node: Node) -> int:
    """About how many lines a layer takes when it is written out: more than one where much is to be said of it."""
    attrs: Attributes = node.attrs
    words = [f"{k}={v}" for k, v in attrs.items() if str(v) not in _USUAL]
    return 4 if isinstance(node, Layer) and sum(map(len, words)) > 80 else 1


def scope(names: list[str]) -> str:
    """What all names begin with, cut where a word ends in each of them."""
    if not names:
        return ""
    first, last = min(names), max(names)
    size = next((i for i, c in enumerate(first) if last[i : i + 1] != c), len(first))
    while size and not all(len(n) == size or n[size] in "_-./" for n in names):
        size -= 1
    return first[:size]
