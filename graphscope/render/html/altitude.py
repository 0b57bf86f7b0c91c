"""One altitude of a model -> the columns that the page's script draws.

Items (groups and boxes) stand in depth-first order, so that a group is a range. Edges join items; the page sums them up
for what is folded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...graph import Graph, Layer, Node, Tensor, TensorSpec
from ..cells.counting import Count
from ..cells.escape import visible
from ..cells.labels import brief
from ..cells.spelling import output_spec, size_of, times
from ..drawing.boxes import scope_title
from ..drawing.marks import marks_of
from ..drawing.scope import Scope
from ..drawing.scopes import narrow_tree
from ..drawing.style import STYLES, blocks, style_of
from ..drawing.units import Units, units_of
from .details import details_of, weights_of
from .insides import Insides
from .texts import Texts

FAMILIES = (*STYLES, *blocks())
GROUP, ROLE = (
    1,
    2,
)  # kinds of items, beside 0: a box; roles are never open at first sight
_NODES = ("name", "op", "brief", "shape", "size", "family", "mark", "more")
_WEIGHTS = ("row", "role", "name", "via", "shape", "size", "stat")
_FAMILY = {
    id(style): i for i, style in enumerate((*STYLES.values(), *blocks().values()))
}


@dataclass(frozen=True)
class _Part:
    """One graph on its way into an altitude; ``count`` knows which weights have a row."""

    graph: Graph
    units: Units
    marks: Mapping[str, str]
    layered: bool
    count: Count = field(default_factory=Count)


@dataclass
class Known:
    """What is known of the nodes beside the graph: specs, marks of inputs and outputs, roles, numbers of statistics, changes."""

    specs: Mapping[Tensor, TensorSpec] = field(default_factory=dict)
    inputs: tuple[Tensor | str, ...] = ()
    outputs: tuple[Tensor | str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    statistics: Mapping[str, int] = field(default_factory=dict)
    changes: Mapping[str, tuple[int, Sequence[str]]] = field(default_factory=dict)


class Altitude:
    """The columns of one graph, on their way."""

    def __init__(self, graph: Graph, known: Known, texts: Texts, inside: Insides):
        self.graph, self.known, self.text, self.inside = graph, known, texts, inside
        self.depth: list[int] = []
        self.kind: list[int] = []
        self.label: list[int] = []
        self.rows: list[int] = []
        self.kin: list[int] = []
        self.nodes: dict[str, list[int]] = {key: [] for key in _NODES}
        self.weights: dict[str, list[int]] = {key: [] for key in _WEIGHTS}
        self.changes: list[int] = []
        self.edges: set[tuple[int, int]] = set()

    def columns(self, level: str, title: str) -> dict[str, Any]:
        """The document of this altitude."""
        marks = marks_of(self.graph, self.known.inputs, self.known.outputs)
        self._item(0, GROUP, "model")
        self._graph(self.graph, 1, marks, self.known.roles)
        flat = [number for edge in sorted(self.edges) for number in edge]
        sources = flat[::2]
        steps = [b - a for a, b in zip(sources, sources[1:], strict=False)]
        flat[2::2] = steps  # sources rise: steps are small numbers
        return {
            "level": level,
            "title": title,
            "depth": self.depth,
            "kind": self.kind,
            "label": self.label,
            "rows": self.rows,
            "kin": self.kin,
            "nodes": self.nodes,
            "weights": self.weights,
            "edges": flat,
            "changes": self.changes if self.known.changes else None,
        }

    def _item(
        self, depth: int, kind: int = 0, label: str = "", rows: int = 0, kin: str = ""
    ) -> int:
        self.depth.append(depth)
        self.kind.append(kind)
        self.label.append(self.text(label))
        self.rows.append(rows)
        self.kin.append(self.text(kin))
        return len(self.depth) - 1

    def _graph(
        self,
        graph: Graph,
        depth: int,
        marks: Mapping[str, str] = {},
        roles: Mapping[str, str] = {},
        outer: int | None = None,
    ) -> None:
        """The items of a graph; ``outer`` is the item that it lies in, whose edges enter and leave it."""
        units = units_of(graph, marks, roles)
        root = narrow_tree(units, {u: roles[u] for u in units.stacks if u in roles})
        layered = any(isinstance(graph.node(name), Layer) for name in graph)
        part = _Part(graph, units, marks, layered)
        at: dict[str, int] = {}
        stack: list[tuple[Scope | str, int]] = [(i, depth) for i in root.items[::-1]]
        while stack:
            item, level = stack.pop()
            if isinstance(item, str):
                at[item] = self._unit(part, item, level)
                continue
            kind = ROLE if item.kind in ("role", "twins") else GROUP
            self._item(level, kind, _title(graph, item), kin=item.kin)
            stack += [(each, level + 1) for each in reversed(item.items)]
        for head, place in at.items():
            self.edges.update((place, at[target]) for target in units.after[head])
            if outer is not None and not units.before[head]:
                self.edges.add((outer, place))
            if outer is not None and not units.after[head]:
                self.edges.add((place, outer))

    def _unit(self, part: _Part, head: str, depth: int) -> int:
        """One box: a row for each of its nodes, and what it unfolds to."""
        names = part.units.stacks[head]
        place = self._item(depth, rows=len(names))
        for name in names:
            self._node(part, name)
        nodes = [part.graph.node(name) for name in names]
        parts = self.inside.of(nodes, depth - self.depth[0])
        for label, inner in parts:
            below = depth + 1
            if len(parts) > 1:
                self._item(below, ROLE, label)
                below += 1
            self._graph(inner, below, outer=place)
        return place

    def _uses(self, part: _Part, name: str) -> int:
        """What a row reads of weights, as columns; returns the parameters that no earlier row has."""
        graph, held = part.graph, part.units.held.get(name, {})
        for use in weights_of(graph, name, held, self.known.specs):
            stat = self.known.statistics.get(use.name, 0)
            words = (use.role, use.name, use.via, times(use.shape))
            columns = (len(self.nodes["name"]), *map(self.text, words))
            values = (*columns, size_of(use.shape), stat)
            for key, value in zip(_WEIGHTS, values, strict=True):
                self.weights[key].append(value)
        node, size = graph.node(name), 0
        if isinstance(node, Layer):
            size, _ = part.count.of_layer(name, node)
        for place in (name, *dict.fromkeys(held.values())):
            spec = output_spec(graph, place, self.known.specs)
            size += part.count.of_node(place, graph.node(place), spec)
        return size

    def _node(self, part: _Part, name: str) -> None:
        graph, node = part.graph, part.graph.node(name)
        spec = output_spec(graph, name, self.known.specs)
        size = self._uses(part, name)
        change, lines = self.known.changes.get(name, (0, ()))
        self.changes.append(change)
        details = details_of(node, spec.dtype)
        if lines:
            details["x"] = [visible(line) for line in lines]
        more = json.dumps(details, separators=(",", ":"))
        shape = "" if spec.shape is None else times(spec.shape)
        words = [self.text(each) for each in (name, node.op, brief(node), shape)]
        mark = self.text(part.marks.get(name, ""))
        values = (*words, size, _family(node, part.layered), mark)
        more_at = self.text(more) if more != "{}" else 0
        for key, value in zip(_NODES, (*values, more_at), strict=True):
            self.nodes[key].append(value)


def _family(node: Node, layered: bool) -> int:
    return _FAMILY[id(style_of(node, layered))]


def _title(graph: Graph, scope: Scope) -> str:
    return scope.name or "model" if scope.kind == "scope" else scope_title(graph, scope)
