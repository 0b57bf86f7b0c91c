"""The order of layers that only names tell: numbers first, then what fits behind what.

``conv2d, conv2d_1`` and ``batch_normalization, batch_normalization_1`` count each class by itself, so that sorted names put every
normalisation first. Names that differ in their numbers alone stay in the order of the numbers; between them the next is
the one whose input is as wide as what came before, of two such the one of another class: nets alternate.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .widths import Widths

_DIGITS = re.compile(r"(\d+)")
_COUNTER = re.compile(r"_?\d+")
_MOST = 2_000  # layers times runs of a scope: above, their names must do
_BEAM = 12  # ways that are followed at once

Named = tuple[str, str, Widths | None]  # the name of a layer, its class, its widths


def natural(text: str) -> list[object]:
    """A key by which ``conv10`` comes after ``conv9``."""
    parts = _DIGITS.split(text)
    return [(int(p), p) if n % 2 else (0, p) for n, p in enumerate(parts)]


@dataclass
class _Unit:
    """A layer, or a scope with what is in it; ``first`` and ``last`` are the layers that take and give."""

    name: str
    layers: list[Named]
    parts: dict[str, _Unit] = field(default_factory=dict)

    @property
    def first(self) -> Named:
        return self.layers[0]

    @property
    def last(self) -> Named:
        return self.layers[-1]


def by_widths(layers: Sequence[Named]) -> list[str]:
    """The names of the layers in the order in which they most likely run; sorted by number where nothing tells."""
    names = sorted((name for name, _, _ in layers), key=natural)
    root = _Unit("", [])
    listed = {name: (name, op, sizes) for name, op, sizes in layers}
    for name in names:
        here = root
        for part in name.split("/"):
            here = here.parts.setdefault(part, _Unit(part, []))
        here.layers.append(listed[name])
    _settle(root)
    return [name for name, _, _ in root.layers]


def _settle(unit: _Unit) -> None:
    """Put the layers of a scope, and of the scopes in it, in order."""
    for part in unit.parts.values():
        _settle(part)
    unit.layers += [
        each for part in _merged(unit.parts.values()) for each in part.layers
    ]


@dataclass(frozen=True)
class _Way:
    """A beginning of the order: how badly it fits, which run each unit came from, how far each run has got."""

    cost: int
    choices: tuple[int, ...]
    places: tuple[int, ...]


def _merged(parts: Collection[_Unit]) -> list[_Unit]:
    """Runs of names that differ in numbers alone, merged so that widths meet: the best of a few ways at each step."""
    by_stem: dict[str, list[_Unit]] = {}
    for part in parts:
        by_stem.setdefault(_COUNTER.sub("#", part.name).rstrip("#"), []).append(part)
    runs = list(by_stem.values())
    if sum(map(len, runs)) * len(runs) > _MOST:
        return list(parts)
    ways = [_Way(0, (), (0,) * len(runs))]
    for _ in range(sum(map(len, runs)) if len(runs) > 1 else 0):
        steps = {way.places: way for way in sorted(_longer(runs, ways), key=_worse)}
        ways = sorted(steps.values(), key=_better)[:_BEAM]
    places, units = [0] * len(runs), []
    for run in ways[0].choices if len(runs) > 1 else (0,) * sum(map(len, runs)):
        units.append(runs[run][places[run]])
        places[run] += 1
    return units


def _better(way: _Way) -> tuple[int, tuple[int, ...]]:
    return way.cost, way.choices


def _worse(way: _Way) -> tuple[int, tuple[int, ...]]:
    return -way.cost, tuple(-choice for choice in way.choices)


def _longer(runs: Sequence[list[_Unit]], ways: Iterable[_Way]) -> Iterator[_Way]:
    for way in ways:
        last = way.choices[-1] if way.choices else -1
        before = runs[last][way.places[last] - 1] if last >= 0 else None
        for number, run in enumerate(runs):
            place = way.places[number]
            if place < len(run):
                others = [r for n, r in enumerate(runs) if n != number]
                cost = 2 * _cost(before, run[place], others) + (number == last)
                places = (*way.places[:number], place + 1, *way.places[number + 1 :])
                yield _Way(way.cost + cost, (*way.choices, number), places)


def _cost(before: _Unit | None, unit: _Unit, others: Sequence[list[_Unit]]) -> int:
    """How badly a unit fits behind what came before: 0 a normalisation of that width, 1 what takes it."""
    _, op, sizes = unit.first
    if before is None:
        return _cost_at_the_start(unit, others)
    _, op_before, sizes_before = before.last
    if sizes is None or sizes_before is None:
        return 3
    if sizes.dtype != "float32":
        return 4
    if sizes.takes == sizes_before.gives and not sizes.rank:
        if op.endswith("Normalization"):
            return 4 if op_before.endswith("Normalization") else 0
        return 2 if op == "Dense" and sizes_before.rank > 2 else 1
    if sizes.takes == sizes_before.gives:
        is_open = not sizes_before.rank and op_before != "Dense"  # a normalisation
        return 1 if is_open or sizes.rank == sizes_before.rank else 3
    if op == "Dense" and sizes.takes % sizes_before.gives == 0:  # behind a Flatten
        return 2
    return 4


def _cost_at_the_start(unit: _Unit, others: Sequence[list[_Unit]]) -> int:
    """What takes what nothing else gives is the first; tables before all."""
    _, op, sizes = unit.first
    if sizes is None:
        return 3
    if sizes.dtype != "float32":
        return 0
    costs = {
        each.last[2].gives for run in others for each in run if each.last[2] is not None
    }
    if op.endswith("Normalization") and sizes.takes in costs:
        return 4
    return 2 if sizes.takes in costs else 1
