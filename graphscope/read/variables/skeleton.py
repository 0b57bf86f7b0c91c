"""A graph from a variable list alone: one node per inferred layer, and one per weight that no layer explains.

Nothing is known of the wiring, so there are no edges; the nodes stand in the order of their names. What only trains
(slots, averages, counters) is left out: it is in ``Model.variables``.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ...graph import Graph, Layer, Node, Tensor, TensorSpec, Variable, WeightUse
from ...graph.edit import fresh
from ...wire.nodes import put
from .guess import NO_LAYER, Guess, kind_of, likely_layer, telling

PATTERN = "names and shapes"
_MOST_SORTED = 20_000  # scopes: nobody reads more in order
_SHOWN = {"weight", "batch statistics"}
_ELSEWHERE = {"name", "trainable", "dtype"}
_DIGITS = re.compile(r"(\d+)")


class Named(NamedTuple):
    """A variable where it stands: its scope and last name, by its object path or its own name."""

    variable: Variable
    scope: str
    last: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(size or 0 for size in self.variable.shape or ())


Group = list[tuple[str, Named]]  # with Keras's weight name


def skeleton(
    variables: Iterable[Variable],
    configs: Mapping[str, str] = MappingProxyType({}),
    full_names: Mapping[str, str] = MappingProxyType({}),
) -> Graph:
    """The layers that the names and shapes of some variables suggest.

    ``configs`` has what Keras itself says of the objects of a checkpoint (JSON), by object path; ``full_names`` what
    variables were called in the program, by checkpoint key.
    """
    scopes: dict[str, list[Named]] = {}
    for variable in variables:
        if variable.role in _SHOWN:
            named = _place(variable, full_names.get(variable.name, ""))
            scopes.setdefault(named.scope, []).append(named)
    _join_cells(scopes)
    graph = Graph()
    few = len(scopes) < _MOST_SORTED
    for scope in sorted(scopes, key=_natural) if few else scopes:
        groups = _groups(scopes[scope])
        for stem, group in groups:
            title = _title(group, scope)
            name = title if len(groups) == 1 or not stem else f"{title}/{stem}"
            _add(
                graph,
                name.strip("/") or group[0][1].last,
                group,
                configs.get(scope, ""),
            )
    return graph


def _join_cells(scopes: dict[str, list[Named]]) -> None:
    """``cell/gates`` and ``cell/candidate`` -> ``cell``: TensorFlow 1 keeps a GRU cell's weights in two scopes."""
    for scope in [each for each in scopes if each.endswith("/gates")]:
        cell = scope.removesuffix("/gates")
        if f"{cell}/candidate" in scopes and cell not in scopes:
            scopes[cell] = [
                each._replace(last=f"{part}/{kind_of(each.last)[0]}")
                for part in ("gates", "candidate")
                for each in scopes.pop(f"{cell}/{part}")
            ]


def _place(variable: Variable, full_name: str) -> Named:
    scope, _, last = (variable.path or variable.name).rpartition("/")
    if last.isdigit() and "/" in full_name:  # one of a list: its own name tells more
        scope, _, last = full_name.rpartition("/")
    return Named(variable, scope, last)


def _title(group: Group, scope: str) -> str:
    """What the program called the layer, where an object-based checkpoint says so, else its place in the file."""
    full = {named.variable.full_name.rpartition("/")[0] for _, named in group}
    return full.pop() or scope if len(full) == 1 else scope


def _natural(text: str) -> list[Any]:
    """``conv10`` after ``conv9``."""
    parts = _DIGITS.split(text)
    return [(int(p), p) if n % 2 else (0, p) for n, p in enumerate(parts)]


def _groups(variables: list[Named]) -> list[tuple[str, Group]]:
    """The variables of one scope, those that belong to one layer together, by what else their names say."""
    groups: dict[str, Group] = {}
    plain: list[Named] = []
    if len(variables) > 1:
        variables = sorted(variables, key=lambda each: _natural(each.last))
    for named in variables:
        kind, stem = kind_of(named.last)
        if named.last.startswith(("gates/", "candidate/")):
            kind, stem = named.last, ""
        if kind == "embeddings" and stem == "" and named.last != kind:
            stem = named.last  # each table is a layer of its own
        if NO_LAYER.match(named.last.lower()):
            groups[named.last] = [("", named)]
        elif not kind:
            plain.append(named)
        elif kind in (each for each, _ in groups.get(stem, ())):
            groups[named.last] = [(kind, named)]
        else:
            groups.setdefault(stem, []).append((kind, named))
    return [*groups.items(), *((group[0][1].last, group) for group in _pairs(plain))]


def _pairs(variables: list[Named]) -> list[Group]:
    """Nameless variables (``Variable``, ``Variable_1``, ...): kernels, and the biases that follow and fit them."""
    pairs: list[Group] = []
    waiting: dict[int, deque[Group]] = {}  # kernels without a bias, by their last size
    for named in variables:
        shape = named.shape
        if len(shape) > 1:
            pairs.append([("kernel", named)])
            waiting.setdefault(shape[-1], deque()).append(pairs[-1])
        elif len(shape) == 1 and waiting.get(shape[0]):
            fitting = waiting[shape[0]]
            chosen = fitting.pop() if fitting[-1] is pairs[-1] else fitting.popleft()
            chosen.append(("bias", named))
        else:
            pairs.append([("", named)])
    return pairs


def _add(graph: Graph, name: str, group: Group, config: str) -> None:
    group = _as_norm(group)
    shapes = {kind: _flat(named.shape) for kind, named in group if kind}
    guess = None
    if len(shapes) == len(group) and list(shapes) != ["bias"]:
        guess = likely_layer(tuple(shapes.items()), telling(name))
    if guess is None:
        for _, named in group:
            put(graph, named.variable.name, _unexplained(named.variable))
        return
    stated = _told(config)
    if stated is not None:
        why = (*guess.evidence, "Keras's own config in the file")
        guess = Guess(stated[0], {**guess.config, **stated[1]}, why)
    name = fresh(graph, name)
    weights = {kind: _use(guess, kind, named) for kind, named in group}
    layer = Layer(
        guess.op,
        guess.config,
        weights=weights,
        members=frozenset(named.variable.name for _, named in group),
        output=Tensor(name),
        pattern=PATTERN,
        evidence=guess.evidence,
        name=name,
    )
    put(graph, name, layer)


def _as_norm(group: Group) -> Group:
    """``g`` and ``b`` of one length are a normalisation's gamma and beta, not a scale and a layer's bias."""
    if sorted(kind for kind, _ in group) != ["bias", "gamma"]:
        return group
    return [("beta" if kind == "bias" else kind, named) for kind, named in group]


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """``(1, n)``, as some keep a bias, is ``(n,)``."""
    return shape[1:] if len(shape) == 2 and shape[0] == 1 else shape


def _use(guess: Guess, kind: str, named: Named) -> WeightUse:
    """The weight as Keras lays it out."""
    name, shape = named.variable.name, named.shape
    if kind == "kernel" and guess.op == "Dense" and len(shape) == 2:
        if shape[0] == guess.config["units"] != shape[1]:
            return WeightUse(name, shape[::-1], (("transpose", (1, 0)),))
    if kind != "kernel" and _flat(shape) != shape and guess.op != "Embedding":
        return WeightUse(name, _flat(shape), (("reshape", _flat(shape)),))
    return WeightUse(name, shape)


def _unexplained(variable: Variable) -> Node:
    attrs = {"dtype": variable.dtype, "shape": variable.shape}
    return Node("VariableV2", attrs, (TensorSpec(variable.dtype, variable.shape),))


def _told(config: str) -> tuple[str, dict[str, Any]] | None:
    """Class and config as Keras wrote them into a TF2 checkpoint; nothing in it is ever run."""
    try:
        document = json.loads(config) if config else {}
    except (ValueError, RecursionError):
        return None
    inner = document.get("config") if isinstance(document, dict) else None
    name = document.get("class_name") if isinstance(document, dict) else None
    if not isinstance(inner, dict) or not isinstance(name, str):
        return None
    kept = {
        key: value
        for key, value in inner.items()
        if isinstance(value, (str, int, float, bool)) and key not in _ELSEWHERE
    }
    return name, kept
