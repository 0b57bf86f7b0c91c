"""Two models -> their layers aligned and compared, their weights paired and measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...errors import GraphscopeError
from ...graph import Layer, Node, Shape
from ...graph.layer import WeightUse
from ...graph.named_values import Document
from ...render.cells.spelling import output_spec, shape_text, value_text
from ..documents import describe_variables
from ..progress import announce, announced
from ..stages import Stages
from .align import align
from .structure import wiring_of
from .weights import RELATIONS, Change, change_between, mark_of

_OWN = frozenset({"name"})  # config that says who a layer is, not what it does


@dataclass
class Pair:
    """A node of the first model and its partner in the second; ``config`` and ``shape`` are (first, second) where they differ."""

    a: str
    b: str
    types: tuple[str, str]
    config: dict[str, tuple[str, str]] = field(default_factory=dict)
    shape: tuple[str, str] | None = None
    weights: list[WeightPair] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether type, config or shape differ (weights aside)."""
        return bool(self.types[0] != self.types[1] or self.config or self.shape)


@dataclass(frozen=True)
class WeightPair:
    """One weight in both models: of which role, under which names, and how the second came of the first."""

    role: str
    a: str
    b: str
    shape: Shape
    change: Change


@dataclass
class Comparison:
    """``pairs`` in the second model's order; ``removed`` are nodes of the first alone, ``added`` of the second alone;
    ``others`` the variables that no aligned layer has, and ``only`` the names and roles of those that one model alone has, by its side.
    """

    a: Stages
    b: Stages
    pairs: list[Pair] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    others: list[WeightPair] = field(default_factory=list)
    only: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    unread: int = 0  # weights of which one side has no value

    @property
    def changed(self) -> list[Pair]:
        """The pairs whose type, config or shape differ."""
        return [pair for pair in self.pairs if pair.is_changed]

    def weight_pairs(self) -> Iterator[tuple[str, WeightPair]]:
        """Every weight that both have, with the name of its layer in the second; the most changed first."""
        every = [(pair.b, each) for pair in self.pairs for each in pair.weights]
        every += [("", each) for each in self.others]
        return iter(sorted(every, key=_by_change))

    @property
    def is_same(self) -> bool:
        """Whether nothing differs: no layer, no config, no shape, no weight."""
        structure = not (self.removed or self.added or self.changed)
        weights = all(w.change.relation == "identical" for _, w in self.weight_pairs())
        return structure and weights and not any(self.only.values())


def _by_change(item: tuple[str, WeightPair]) -> tuple[float, str]:
    change = item[1].change
    worst = math.inf if change.relation == "reshaped" else change.change
    return -(math.inf if worst is None else worst), item[1].b


def compare_models(a: Stages, b: Stages, weights: bool = True) -> Comparison:
    """Align the layers of two models, compare what is aligned; with ``weights`` all values of both are read."""
    first, second = a.layer_graph, b.layer_graph
    marks = (weight_marks(a), weight_marks(b)) if weights else ({}, {})
    partners = align(first, second, marks)
    order = wiring_of(second).nodes
    inverse = {other: one for one, other in partners.items()}
    comparison = Comparison(a, b)
    comparison.added = [name for name in order if name not in inverse]
    comparison.removed = [n for n in wiring_of(first).nodes if n not in partners]
    comparison.pairs = [_pair(a, b, inverse[n], n) for n in order if n in inverse]
    for pair in announced(
        comparison.pairs, lambda pair: f"comparing the weights of {pair.b}", lambda _: 1
    ):
        _add_weights(comparison, pair, weights)
    if weights:
        _add_variables(comparison)
    return comparison


def weight_marks(side: Stages) -> dict[str, Hashable]:
    """What the layers of a model are known by: some values of each one's weights; of those that can be read."""
    marks: dict[str, Hashable] = {}
    for name in side.layer_graph:
        layer = side.layer_graph.node(name)
        if isinstance(layer, Layer) and layer.weights:
            announce(f"looking at the weights of {name}")
            try:
                marks[name] = tuple(
                    (role, mark_of(use.array(side.flat)))
                    for role, use in sorted(layer.weights.items())
                )
            except GraphscopeError:
                continue
    return marks


def _pair(a: Stages, b: Stages, first: str, second: str) -> Pair:
    one, other = a.layer_graph.node(first), b.layer_graph.node(second)
    shapes = (
        output_spec(a.layer_graph, first, a.specs).shape,
        output_spec(b.layer_graph, second, b.specs).shape,
    )
    texts = (shape_text(shapes[0]), shape_text(shapes[1]))
    pair = Pair(first, second, (one.op, other.op))
    pair.config = dict(_config(one, other))
    pair.shape = texts if _differ(*shapes) else None
    return pair


def _differ(a: Shape, b: Shape) -> bool:
    """Whether two shapes contradict each other; what is unknown contradicts nothing."""
    if a is None or b is None:
        return False
    sizes = zip(a, b, strict=False)
    return len(a) != len(b) or any(x != y for x, y in sizes if x and y)


def _config(one: Node, other: Node) -> Iterator[tuple[str, tuple[str, str]]]:
    """The arguments (of layers) that differ."""
    if not (isinstance(one, Layer) and isinstance(other, Layer)):
        return
    for key in dict.fromkeys((*one.attrs, *other.attrs)):
        x, y = one.attrs.get(key), other.attrs.get(key)
        if key not in _OWN and not _equal(x, y):
            yield key, (_value(x), _value(y))


def _value(value: object) -> str:
    return "none" if value is None else value_text(value)


def _equal(x: object, y: object) -> bool:
    """Equal, numbers to float32's precision."""
    if isinstance(x, float) and isinstance(y, float):
        return math.isclose(x, y, rel_tol=1e-6)
    if isinstance(x, Mapping) and isinstance(y, Mapping):
        return x.keys() == y.keys() and all(_equal(x[k], y[k]) for k in x)
    if isinstance(x, tuple | list) and isinstance(y, tuple | list):
        return len(x) == len(y) and all(map(_equal, x, y))
    return value_text(x) == value_text(y)


def _add_weights(comparison: Comparison, pair: Pair, read: bool) -> None:
    """The weights that both layers have; those of unlike shapes are told without reading any value."""
    a, b = comparison.a, comparison.b
    one, other = a.layer_graph.node(pair.a), b.layer_graph.node(pair.b)
    if not (isinstance(one, Layer) and isinstance(other, Layer)):
        return
    for role in (role for role in one.weights if role in other.weights):
        uses = one.weights[role], other.weights[role]
        change = _change(comparison, *uses, read)
        if change is not None:
            names = uses[0].node, uses[1].node
            pair.weights.append(WeightPair(role, *names, uses[1].shape, change))


def _change(
    comparison: Comparison, one: WeightUse, other: WeightUse, read: bool
) -> Change | None:
    """How a weight came of the other; None where that wasn't asked, or a side has no value."""
    if one.shape != other.shape:
        return Change("reshaped")
    if not read:
        return None
    try:
        a, b = one.array(comparison.a.flat), other.array(comparison.b.flat)
    except GraphscopeError:
        comparison.unread += 1
        return None
    return change_between(a, b)


def _add_variables(comparison: Comparison) -> None:
    """The variables that no aligned layer has, by name; a frozen graph has none, and says nothing of them."""
    pairs = [each for pair in comparison.pairs for each in pair.weights]
    rows = {
        "a": _beyond_layers(comparison.a, (each.a for each in pairs)),
        "b": _beyond_layers(comparison.b, (each.b for each in pairs)),
    }
    shared = rows["a"].keys() & rows["b"].keys()
    for name, row in rows["b"].items():
        if name in shared and (pair := _same_name(comparison, name, row)):
            comparison.others.append(pair)
    if comparison.a.model.variables and comparison.b.model.variables:
        for side, own in rows.items():
            alone = [row for name, row in own.items() if name not in shared]
            comparison.only[side] = [(row["name"], row["role"]) for row in alone]


def _beyond_layers(side: Stages, in_layers: Iterable[str]) -> dict[str, Document]:
    """The rows of one model's variables, by name, but for those of aligned layers."""
    of_layers = {side.flat.keys.get(name, name) for name in in_layers}
    rows = describe_variables(side)["variables"]
    return {row["name"]: row for row in rows if row["name"] not in of_layers}


def _same_name(comparison: Comparison, name: str, row: Document) -> WeightPair | None:
    try:
        a, b = comparison.a.flat.value(name), comparison.b.flat.value(name)
    except GraphscopeError:
        comparison.unread += 1
        return None
    shape = None if row["shape"] is None else tuple(row["shape"])
    return WeightPair(row["role"], name, name, shape, change_between(a, b))


def relations(comparison: Comparison) -> dict[str, int]:
    """How many weights are identical, rounded, scaled ...; those that there are."""
    counts = Counter(w.change.relation for _, w in comparison.weight_pairs())
    return {word: counts[word] for word in RELATIONS if counts[word]}
