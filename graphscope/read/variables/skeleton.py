"""A graph from a variable list alone: one node per inferred layer, and one per weight that no layer explains.

Nothing is known of the wiring, so there are no edges; the nodes stand in the order of the file where it has one, else in
the one that names and widths tell (``order.py``). What only trains (slots, averages, counters) is left out: it is in
``Model.variables``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ...graph import Graph, Layer, Node, Tensor, TensorSpec, Variable, WeightUse
from ...graph.named_values import Arguments
from ...graph.names import Names
from ...wire.nodes import put
from .guess import Guess, kind_of, likely_layer, telling
from .order import by_widths
from .scopes import Group, Named, groups_of, scopes_of
from .widths import widths

PATTERN = "names and shapes"
_MATRICES = {"kernel", "embeddings"}
_ELSEWHERE = {"name", "trainable", "dtype"}


def skeleton(
    variables: Iterable[Variable],
    configs: Mapping[str, str] = MappingProxyType({}),
    full_names: Mapping[str, str] = MappingProxyType({}),
    in_order: bool = False,
) -> Graph:
    """The layers that the names and shapes of some variables suggest; ``in_order`` where these stand in the program's.

    ``configs`` has what Keras itself says of the objects of a checkpoint (JSON), by object path; ``full_names`` what
    variables were called in the program, by checkpoint key.
    """
    scopes = scopes_of(variables, full_names)
    listed = [
        (scope, stem if len(groups) > 1 else "", group)
        for scope, groups in ((s, groups_of(named)) for s, named in scopes.items())
        for stem, group in groups
    ]
    entries = dict(_entries(listed, configs))
    names = list(entries) if in_order else _ordered(entries)
    graph = Graph()
    for name in names:
        put(graph, name, entries[name])
    return graph


def _entries(
    listed: Iterable[tuple[str, str, Group]], configs: Mapping[str, str]
) -> Iterator[tuple[str, Node]]:
    """Each layer and each weight that no layer explains, under a name of its own."""
    guesses = []
    for scope, stem, group in listed:
        title = f"{_title(group, scope)}/{stem}".strip("/") or _stem(group[0][1].last)
        group = _as_norm(group)
        guesses.append((title, group, _guess(title, group, configs.get(scope, ""))))
    names = Names(
        named.variable.name
        for _, group, guess in guesses
        if guess is None
        for _, named in group
    )
    for title, group, guess in guesses:
        if guess is not None:
            name = names.unique(title)
            yield name, _layer(name, group, guess)
        else:
            for _, named in group:
                yield named.variable.name, _unexplained(named.variable)


def _stem(name: str) -> str:
    """``softmax_w`` -> ``softmax``."""
    return kind_of(name)[1] or name


def _ordered(entries: Mapping[str, Node]) -> list[str]:
    """Where nothing but names tells: by number and width."""
    return by_widths(
        [
            (
                name,
                node.op,
                (
                    widths(
                        node.op,
                        {role: use.shape for role, use in node.weights.items()},
                        node.attrs,
                    )
                    if isinstance(node, Layer)
                    else None
                ),
            )
            for name, node in entries.items()
        ]
    )


def _title(group: Group, scope: str) -> str:
    """What the program called the layer, where an object-based checkpoint says so, else its place in the file."""
    full = {named.variable.full_name.rpartition("/")[0] for _, named in group}
    return full.pop() or scope if len(full) == 1 else scope


def _guess(title: str, group: Group, config: str) -> Guess | None:
    """The layer that a group of weights most likely is; None where nothing fits."""
    shapes = {
        kind: named.shape if kind in _MATRICES else _flat(named.shape)
        for kind, named in group
        if kind
    }
    if len(shapes) != len(group) or list(shapes) == ["bias"]:
        return None
    guess = likely_layer(tuple(shapes.items()), telling(title))
    stated = _class_and_config(config) if guess is not None else None
    if guess is None or stated is None:
        return guess
    why = (*guess.evidence, "Keras's own config in the file")
    return Guess(stated[0], {**guess.config, **stated[1]}, why)


def _layer(name: str, group: Group, guess: Guess) -> Layer:
    return Layer(
        guess.op,
        guess.config,
        weights={kind: _use(guess, kind, named) for kind, named in group},
        members=frozenset(named.variable.name for _, named in group),
        output=Tensor(name),
        pattern=PATTERN,
        evidence=guess.evidence,
        name=name,
    )


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


def _class_and_config(config: str) -> tuple[str, Arguments] | None:
    """Class and config as Keras wrote them into a TF2 checkpoint; nothing in it is ever run."""
    try:
        document = json.loads(config) if config else {}
    except (ValueError, RecursionError):
        return None
    inner = document.get("config") if isinstance(document, dict) else None
    name = document.get("class_name") if isinstance(document, dict) else None
    if not isinstance(inner, dict) or not isinstance(name, str):
        return None
    lines = {
        key: value
        for key, value in inner.items()
        if isinstance(value, (str, int, float, bool)) and key not in _ELSEWHERE
    }
    return name, lines
