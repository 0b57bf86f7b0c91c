"""Two lists of named shapes -> which is which, and what stands on one side only."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, NamedTuple, TypeVar

from ...graph.named_values import Row
from ...read.variables.guess import kind_of

Shape = tuple[int, ...]
T = TypeVar("T")
_FEWEST = 2  # parts of a path that must agree: the weight's name alone is everywhere


class Weight(NamedTuple):
    """A variable of a checkpoint or a weight of a model: its name, the name that a program would say, its shape."""

    name: str
    called: str
    shape: Shape

    @property
    def parts(self) -> tuple[str, ...]:
        """The path with Keras's word for the weight at its end: ``conv1/weights:0`` is (conv1, kernel)."""
        *scopes, last = self.called.removesuffix(":0").strip("/").split("/")
        kind, stem = kind_of(last)
        return (*scopes, *([stem] if stem and kind else []), kind or last)


@dataclass(frozen=True)
class Pair:
    """One variable for one weight; ``step`` is what makes its shape fit: "", "transpose" or "reshape"."""

    source: Weight
    target: Weight
    why: str
    step: str = ""


@dataclass(frozen=True)
class Assignment:
    """All pairs, what only one side has, and weights of one name whose shapes do not fit."""

    pairs: tuple[Pair, ...]
    only_source: tuple[Weight, ...]
    only_target: tuple[Weight, ...]
    conflicts: tuple[tuple[Weight, Weight], ...]
    checkpoint: str = ""
    model: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every weight of the model has a variable."""
        return not self.only_target

    def to_json(self) -> Row:
        """``{"pairs", "only_in_checkpoint", "only_in_model", "conflicts"}``, each a list of objects."""
        return {
            "checkpoint": self.checkpoint,
            "model": self.model,
            "pairs": [
                {
                    "variable": pair.source.name,
                    "weight": pair.target.name,
                    "shape": list(pair.target.shape),
                    "evidence": pair.why,
                    "step": pair.step,
                }
                for pair in self.pairs
            ],
            "only_in_checkpoint": [_described(each) for each in self.only_source],
            "only_in_model": [_described(each) for each in self.only_target],
            "conflicts": [
                {"variable": _described(a), "weight": _described(b)}
                for a, b in self.conflicts
            ],
        }


def _described(weight: Weight) -> dict[str, object]:
    return {"name": weight.name, "shape": list(weight.shape)}


@dataclass
class _Rest:
    """What is not paired yet on either side, and the pairs so far."""

    sources: list[Weight]
    targets: list[Weight]
    pairs: list[Pair] = field(default_factory=list)
    conflicts: list[tuple[Weight, Weight]] = field(default_factory=list)

    def pair(self, source: Weight, target: Weight, why: str, step: str = "") -> None:
        self.pairs.append(Pair(source, target, why, step))
        self.sources.remove(source)
        self.targets.remove(target)


def assign(sources: Iterable[Weight], targets: Iterable[Weight]) -> Assignment:
    """Pair the variables of a checkpoint with a model's weights.

    Both in the order in which their program made them, as far as anything tells it. Nothing is paired whose shapes differ,
    but for a kernel that one side keeps transposed or with axes of size 1.
    """
    listed, wishes = list(sources), list(targets)
    rest = _Rest(list(listed), list(wishes))
    _by_name(rest)
    _below_other_scopes(rest)
    _by_order(rest)
    _by_lone_shape(rest)
    _in_one_place(rest)
    ranks = {weight.name: place for place, weight in enumerate(wishes)}
    return Assignment(
        tuple(sorted(rest.pairs, key=lambda pair: ranks[pair.target.name])),
        tuple(rest.sources),
        tuple(rest.targets),
        tuple(rest.conflicts),
    )


def _by_name(rest: _Rest) -> None:
    """The same path, weights called as Keras calls them."""
    targets = {weight.parts: weight for weight in rest.targets}
    for source in list(rest.sources):
        target = targets.pop(source.parts, None)
        if target is None:
            continue
        step = fit(source.shape, target.shape)
        if step is None:
            rest.conflicts.append((source, target))
        else:
            rest.pair(source, target, "the same name", step)


def _below_other_scopes(rest: _Rest) -> None:
    """``model/encoder/conv1/w`` and ``conv1/kernel``: the longest ends of paths that one weight on either side has."""
    longest = max((len(w.parts) for w in (*rest.sources, *rest.targets)), default=0)
    for length in range(longest, _FEWEST - 1, -1):
        ends = [
            _by_key(side, lambda weight: weight.parts[-length:])
            for side in (rest.sources, rest.targets)
        ]
        for end in [key for key in ends[0] if len(key) == length and key in ends[1]]:
            few = [side[end] for side in ends]
            if len(few[0]) == len(few[1]) == 1:
                source, target = few[0][0], few[1][0]
                step = fit(source.shape, target.shape)
                if step == "":
                    why = f"the same name below {_scope(source, length)} and {_scope(target, length)}"
                    rest.pair(source, target, why)


def _scope(weight: Weight, length: int) -> str:
    return "/".join(weight.parts[:-length]) or "no scope"


def _by_key(listed: Iterable[T], key: Callable[[T], object]) -> dict[Any, list[T]]:
    groups: dict[Any, list[T]] = defaultdict(list)
    for each in listed:
        groups[key(each)].append(each)
    return groups


def _by_order(rest: _Rest) -> None:
    """The layers that are left, aligned in their order by the shapes of their weights."""
    sides = [_layers(rest.sources), _layers(rest.targets)]
    tokens = [[_token(layer) for layer in side] for side in sides]
    matcher = SequenceMatcher(None, tokens[0], tokens[1], autojunk=False)
    for a, b, count in matcher.get_matching_blocks():
        for place in range(count):
            for source, target in _matched(sides[0][a + place], sides[1][b + place]):
                rest.pair(source, target, "the same shapes in the same order")


def _layers(weights: Sequence[Weight]) -> list[list[Weight]]:
    return list(_by_key(weights, lambda weight: weight.parts[:-1]).values())


def _token(layer: Sequence[Weight]) -> tuple[tuple[str, Shape], ...]:
    return tuple(sorted((weight.parts[-1], weight.shape) for weight in layer))


def _matched(
    sources: Sequence[Weight], targets: Sequence[Weight]
) -> Iterator[tuple[Weight, Weight]]:
    by_role = {weight.parts[-1]: weight for weight in targets}
    for source in sources:
        if source.parts[-1] in by_role:
            yield source, by_role.pop(source.parts[-1])


def _by_lone_shape(rest: _Rest) -> None:
    """What nothing else tells: the only two of a shape, then the only two that a transposition or a reshape makes alike."""
    for step in ("", "transpose", "reshape"):
        for source in list(rest.sources):
            fitting = [t for t in rest.targets if fit(source.shape, t.shape) == step]
            if len(fitting) != 1 or len(source.shape) == 0:
                continue
            rivals = [s for s in rest.sources if fit(s.shape, fitting[0].shape) == step]
            if len(rivals) == 1:
                rest.pair(source, fitting[0], "the only two whose shapes fit", step)


def _in_one_place(rest: _Rest) -> None:
    """Two layers that are left, alike but for a size (a head of other classes): not paired, but said."""
    sides = [
        _by_key(_layers(side), _roles_and_ranks)
        for side in (rest.sources, rest.targets)
    ]
    for key, layers in sides[0].items():
        others = sides[1].get(key, ())
        if len(layers) == len(others) == 1:
            rest.conflicts += list(_matched(layers[0], others[0]))


def _roles_and_ranks(layer: Sequence[Weight]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((weight.parts[-1], len(weight.shape)) for weight in layer))


def fit(source: Shape, target: Shape) -> str | None:
    """What makes one shape the other: "" nothing, "transpose" of two axes, "reshape" over axes of size 1; None: it cannot be.

    >>> fit((3, 4), (3, 4)), fit((3, 4), (4, 3)), fit((1, 1, 3, 4), (3, 4)), fit((3, 4), (2, 6))
    ('', 'transpose', 'reshape', None)
    """
    if source == target:
        return ""
    if len(source) == len(target) == 2 and source == target[::-1]:
        return "transpose"
    plain = [[size for size in shape if size != 1] for shape in (source, target)]
    same = plain[0] == plain[1] and math.prod(source) == math.prod(target)
    return "reshape" if same else None
