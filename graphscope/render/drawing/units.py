"""Graph -> the units of a drawing: weights go into the boxes that use them, chains into one box.

A unit is what is drawn as one box when nothing is folded. Constants, variables and what merely reads them are no boxes
of their own: their consumers name them. A chain of nodes that only feed each other is one box of several lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ...graph import CONTROL, Graph, Layer
from ..cells.order import held_nodes, in_order
from .style import family

STACKED = 8  # nodes in one box, at most
_LIGHT = frozenset({"normalization", "activation", "regularization"})


@dataclass
class Units:
    """``stacks``: the units, inputs before what reads them, each a run of nodes named by its first;
    ``path`` and ``kinds``: a unit's name by its scopes, and the ops of its nodes;
    ``held``: for each node the constants and variables that are drawn in it, by slot; ``before`` and ``after``: which
    units a unit reads and feeds.
    """

    stacks: dict[str, list[str]] = field(default_factory=dict)
    unit: dict[str, str] = field(default_factory=dict)
    path: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    held: dict[str, dict[int, str]] = field(default_factory=dict)
    before: dict[str, dict[str, None]] = field(default_factory=dict)
    after: dict[str, dict[str, None]] = field(default_factory=dict)


def units_of(
    graph: Graph, keep: Collection[str] = (), roles: Mapping[str, str] = {}
) -> Units:
    """The units of a graph. Nodes of ``keep`` are boxes whatever they are; chains never cross a role."""
    order = in_order(graph)
    held_in = held_nodes(graph, order, frozenset(keep))
    shown = [name for name in order if name not in held_in]
    units = Units()
    for name in shown:
        units.held[name] = {
            slot: held_in[tensor.node]
            for slot, tensor in enumerate(graph.inputs(name))
            if tensor.node in held_in
        }
    before = {n: {p: None for p in graph._pred[n] if p not in held_in} for n in shown}
    after: dict[str, dict[str, None]] = {n: {} for n in shown}
    for name in shown:
        for source in before[name]:
            after[source][name] = None
    for name in shown:
        head = _chain_head(graph, name, before, after, units, roles, keep)
        units.unit[name] = head
        units.stacks.setdefault(head, []).append(name)
    for head, stack in units.stacks.items():
        units.path[head] = _path(graph, head)
        units.kinds[head] = tuple(graph.op(name) for name in stack)
    _connect(units, before)
    return units


def _path(graph: Graph, name: str) -> tuple[str, ...]:
    """The scopes that a node lies in, and its name; a layer lies where the node lies that computes it."""
    node = graph.node(name)
    if isinstance(node, Layer) and "/" not in name:
        outer = node.output.node.split("/")[:-1]
        if outer and outer[-1] != name:
            return (*outer, name)
        return (*outer[:-1], name)
    return tuple(name.split("/"))


def _chain_head(
    graph: Graph,
    name: str,
    before: Mapping[str, dict[str, None]],
    after: Mapping[str, dict[str, None]],
    units: Units,
    roles: Mapping[str, str],
    keep: Collection[str],
) -> str:
    """The unit that a node joins: the one of its only input, where they belong together; else its own."""
    sources = list(before[name])
    if len(sources) != 1 or len(after[sources[0]]) != 1 or name in keep:
        return name
    source = sources[0]
    head = units.unit.get(source)
    if head is None or roles.get(source) != roles.get(name):
        return name
    stack = units.stacks[head]
    if len(stack) >= STACKED or family(graph.op(head)) == "input" or source in keep:
        return name
    return head if _belongs(graph, head, name) else name


def _belongs(graph: Graph, head: str, name: str) -> bool:
    first, node = graph.node(head), graph.node(name)
    if isinstance(first, Layer) or isinstance(node, Layer):
        both = isinstance(first, Layer) and isinstance(node, Layer)
        return both and family(node.op) in _LIGHT
    return head.rpartition("/")[0] == name.rpartition("/")[0] or (
        "/" not in name and family(node.op) in _LIGHT
    )


def _connect(units: Units, before: Mapping[str, dict[str, None]]) -> None:
    pairs: dict[str, dict[str, None]] = defaultdict(dict)
    units.before = {head: {} for head in units.stacks}
    for name, sources in before.items():
        for source in sources:
            if units.unit[source] != units.unit[name]:
                units.before[units.unit[name]][units.unit[source]] = None
                pairs[units.unit[source]][units.unit[name]] = None
    units.after = {head: pairs.get(head, {}) for head in units.stacks}


def data_edges(graph: Graph, name: str) -> list[tuple[str, int, int]]:
    """``(source, port, slot)`` of each data input."""
    return [
        (source, data["port"], slot)
        for source, edges in graph._pred[name].items()
        for slot, data in edges.items()
        if slot != CONTROL
    ]
