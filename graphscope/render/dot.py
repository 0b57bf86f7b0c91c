"""Graph -> Graphviz source: a drawing of at most a few hundred boxes, whatever the size of the graph."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import graphviz

from ..graph import Function, Graph, Layer, Tensor, TensorSpec
from . import Drawing
from .cells.bodies import Body, bodies_of
from .cells.escape import for_html, shorten, visible
from .cells.spelling import output_spec, times
from .drawing.boxes import histogram, node_label, scope_label
from .drawing.fold import BUDGET, Folding, fold
from .drawing.marks import marks_of
from .drawing.units import Units, data_edges, units_of

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_COLUMN = 24  # boxes below each other where nothing joins them
_OPEN = (
    40  # ops of a loop's body or a cell that is drawn; a longer one is told in words
)
_BODIES = 6  # of them in one drawing
_MANY = 10  # boxes that one small tensor may feed before its edges become words
_FONT = "Helvetica,Arial,sans-serif"


def to_dot(
    graph: Graph,
    specs: Mapping[Tensor, TensorSpec] = {},
    level: str = "op",
    *,
    title: str = "",
    inputs: Iterable[Tensor | str] = (),
    outputs: Iterable[Tensor | str] = (),
    roles: Mapping[str, str] = {},
    functions: Mapping[str, Function] = {},
    budget: int = BUDGET,
    direction: str = "TB",
) -> str:
    """Graphviz source of a graph of any altitude, at most about ``budget`` boxes (see ``fold.py``).

    ``outputs`` and ``inputs`` (tensors or node names) are marked; nodes of ``roles`` are one box for each role; of ``functions`` those that
    a loop runs, or a recurrent layer's own cell, stand beside it where they are small; ``direction`` is Graphviz's ``rankdir``.

    >>> graph = Graph()
    >>> graph.add("a", Layer("Dense", {"units": 3}))
    >>> "Dense" in to_dot(graph)
    True
    """
    marks = marks_of(graph, inputs, outputs)
    units = units_of(graph, marks, roles)
    folding = fold(units, {u: roles[u] for u in units.stacks if u in roles}, budget)
    drawing = _Drawing(graph, specs, marks, units, folding)
    drawing.place_bodies(functions)
    return drawing.source(title, direction)


class _Drawing:
    """One drawing on its way to Graphviz source."""

    def __init__(
        self,
        graph: Graph,
        specs: Mapping[Tensor, TensorSpec],
        marks: Mapping[str, str],
        units: Units,
        folding: Folding,
        prefix: str = "",
    ) -> None:
        self.graph, self.specs, self.marks = graph, specs, marks
        self.units, self.folding = units, folding
        self.layered = any(isinstance(graph.node(name), Layer) for name in graph)
        self.box_of = {
            name: box
            for box, heads in folding.boxes.items()
            for head in heads
            for name in units.stacks[head]
        }
        self.edges = self._edges()
        self.notes = self._edges_into_words()
        self.prefix, self.ids = prefix, _identifiers(folding.boxes, prefix)
        self.frames: list[str] = []
        self.inner: list[tuple[str, str, _Drawing]] = []  # box, title, what it runs

    def _edges(self) -> dict[tuple[str, str], dict[Tensor, None]]:
        """Between two boxes, the tensors that go from one to the other."""
        tensors: dict[tuple[str, str], dict[Tensor, None]] = defaultdict(dict)
        for name, box in self.box_of.items():
            for source, port, _ in data_edges(self.graph, name):
                other = self.box_of.get(source)
                if other is not None and other != box:
                    tensors[other, box][Tensor(source, port)] = None
        return tensors

    def _edges_into_words(self) -> dict[str, list[str]]:
        """What feeds very many boxes (a phase, a step) is named in them: its edges would hide all others."""
        fed: dict[str, list[str]] = defaultdict(list)
        feeders: dict[str, set[str]] = defaultdict(set)
        for source, target in self.edges:
            fed[source].append(target)
            feeders[target].add(source)
        notes: dict[str, list[str]] = defaultdict(list)
        for source, targets in fed.items():
            if len(targets) <= _MANY or source in self.folding.closed:
                continue
            for target in targets:
                if len(feeders[target]) > 1:
                    feeders[target].discard(source)
                    del self.edges[source, target]
                    notes[target].append(f"← {shorten(visible(source), 40)}")
        return notes

    def place_bodies(self, functions: Mapping[str, Function]) -> None:
        """What the boxes run is drawn beside them where it is small, else told in them."""
        for box in self.folding.boxes:
            for name in (
                self.folding.boxes[box] if box not in self.folding.closed else ()
            ):
                for member in self.units.stacks[name]:
                    for body in bodies_of(self.graph.node(member), functions):
                        self._place_body(box, body)

    def _place_body(self, box: str, body: Body) -> None:
        if body.ops().total() > _OPEN or len(self.inner) >= _BODIES:
            words = f"{body.title}: {histogram(body.ops())}"
            self.notes[box].append(shorten(words, 90))
            return
        prefix = f"body{len(self.inner)}."
        units = units_of(body.graph, body.marks)
        folding = fold(units, {}, 2 * _OPEN)
        inner = _Drawing(body.graph, body.specs, body.marks, units, folding, prefix)
        self.inner.append((box, body.title, inner))

    def source(self, title: str, direction: str) -> str:
        picture = graphviz.Digraph("model")
        picture.attr(
            rankdir=direction,
            fontname=_FONT,
            bgcolor="white",
            nodesep="0.25",
            ranksep="0.35",
            fontcolor="#66717d",
            fontsize="11",
        )
        picture.attr("node", shape="plain", fontname=_FONT, fontsize="12")
        picture.attr(
            "edge",
            color="#7b8794",
            arrowsize="0.6",
            penwidth="1.1",
            fontname=_FONT,
            fontsize="9",
            fontcolor="#66717d",
        )
        if title:
            shown = for_html(shorten(title, 90))
            picture.attr(
                label=f'<<FONT POINT-SIZE="14" COLOR="#1f2933"><B>{shown}</B></FONT>>',
                labelloc="t",
            )
        if self.inner:
            picture.attr(compound="true")
        self._draw(picture)
        for number, (box, words, inner) in enumerate(self.inner):
            self._draw_inner(picture, number, box, words, inner)
        return str(picture.source)

    def _draw_inner(
        self,
        picture: graphviz.Digraph,
        number: int,
        box: str,
        words: str,
        inner: _Drawing,
    ) -> None:
        """What a box runs, in a frame beside what follows it, tied to the box by a dotted line."""
        name = f"cluster_body{number}"
        title = f"{words} of {self.units.stacks[self.folding.boxes[box][0]][-1]}"
        with picture.subgraph(name=name) as frame:
            frame.attr(
                label=f"<{for_html(shorten(title, 60))}>",
                labeljust="l",
                style="rounded,dashed",
                color="#9a6dbb",
                fontsize="10",
                margin="10",
            )
            inner._draw(frame)
        first = next(iter(inner.ids.values()))
        attributes = {"style": "dotted", "arrowhead": "none", "color": "#9a6dbb"}
        picture.edge(self.ids[box], first, lhead=name, **attributes)

    def _draw(self, picture: graphviz.Digraph) -> None:
        """The boxes and the edges between them."""
        self._draw_boxes(picture)
        if not self.edges:
            self._stack_up(picture)
        place = {head: i for i, head in enumerate(self.units.stacks)}
        last = {
            box: max(place[h] for h in heads)
            for box, heads in self.folding.boxes.items()
        }
        for (source, target), tensors in self.edges.items():
            back = last[source] > last[target] and source not in self.folding.closed
            picture.edge(
                self.ids[source],
                self.ids[target],
                **self._edge_attributes(source, tensors, back),
            )

    def _stack_up(self, picture: graphviz.Digraph) -> None:
        """Put the boxes of what has no edges (a checkpoint without its graph) below each other, not side by side."""
        listed = list(self.ids.values())
        for place, (above, below) in enumerate(zip(listed, listed[1:], strict=False)):
            if (place + 1) % _COLUMN:
                picture.edge(above, below, style="invis")

    def _draw_boxes(self, picture: graphviz.Digraph) -> None:
        """The boxes, inside the frames of the open scopes that they lie in."""
        within: dict[tuple[str, ...], list[str]] = defaultdict(list)
        inner: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
        for box, scopes in self.folding.inside.items():
            path = tuple(scope.name for scope in scopes if scope.kind == "scope")
            within[path].append(box)
            for depth, name in enumerate(path):
                inner[path[:depth]][name] = None
        self._draw_frame(picture, (), within, inner)

    def _draw_frame(
        self,
        picture: graphviz.Digraph,
        path: tuple[str, ...],
        within: Mapping[tuple[str, ...], list[str]],
        inner: Mapping[tuple[str, ...], Mapping[str, None]],
    ) -> None:
        """One scope and the scopes in it; no deeper than ``fold`` lets scopes nest."""
        for box in within.get(path, ()):
            picture.node(
                self.ids[box], label=self._label(box), tooltip=self._tooltip(box)
            )
        for name in inner.get(path, ()):
            below = (*path, name)
            if not self._deserves_frame(below, within):
                self._draw_frame(picture, below, within, inner)
                continue
            number = f"{self.prefix}{len(self.frames)}"
            with picture.subgraph(name=f"cluster_{number}") as frame:
                self.frames.append(name)
                shown = name.removeprefix(f"{path[-1]}/") if path else name
                frame.attr(
                    label=f"<{for_html(shorten(shown, 48))}>",
                    labeljust="l",
                    style="rounded,filled",
                    fillcolor="#f8f9fa" if len(path) % 2 == 0 else "#f1f3f5",
                    color="#d5dae0",
                    fontsize="10",
                    margin="8",
                )
                self._draw_frame(frame, below, within, inner)

    def _deserves_frame(
        self, path: tuple[str, ...], within: Mapping[tuple[str, ...], list[str]]
    ) -> bool:
        """Not around a single box, nor around nearly all of them."""
        inside = sum(
            len(boxes) for p, boxes in within.items() if p[: len(path)] == path
        )
        return 1 < inside and inside < 0.8 * len(self.folding.boxes)

    def _label(self, box: str) -> str:
        members = [n for h in self.folding.boxes[box] for n in self.units.stacks[h]]
        if box in self.folding.closed:
            scope, part = self.folding.closed[box], self.folding.parts.get(box, (1, 1))
            marks = [f"{self.marks[n]} {n}" for n in members if n in self.marks]
            return scope_label(
                self.graph, scope, members, part, marks[:4], self._within(box)
            )
        return node_label(
            self.graph,
            members,
            self.specs,
            self.units.held,
            self.marks,
            self.notes.get(box, ()),
            self._within(box),
            self.layered,
        )

    def _within(self, box: str) -> str:
        scopes = [s for s in self.folding.inside[box] if s.kind == "scope"]
        return f"{scopes[-1].name}/" if scopes else ""

    def _tooltip(self, box: str) -> str:
        """What a browser shows when the mouse rests on the box."""
        scope = self.folding.closed.get(box)
        text = scope.name if scope else ", ".join(self.units.stacks[box])
        return graphviz.escape(shorten(visible(text), 400))

    def _edge_attributes(
        self, source: str, tensors: Collection[Tensor], back: bool
    ) -> dict[str, str]:
        attributes = {"style": "dashed", "constraint": "false"} if back else {}
        first = next(iter(tensors))
        label = ""
        if len(tensors) > 1:
            attributes["penwidth"] = "1.8"
            label = f"{len(tensors)} tensors"
        elif source in self.folding.closed:
            shape = output_spec(self.graph, first.node, self.specs, first.port).shape
            label = times(shape) if shape is not None else ""
        elif first.port:
            label = f":{first.port}"
        # a space before and after keeps the words off the line
        return attributes | ({"label": f"  {label}  "} if label else {})


def _identifiers(boxes: Iterable[str], prefix: str = "") -> dict[str, str]:
    """A box's name where Graphviz reads it as one plain word, else a number that no name can be; in a body always one."""
    return {
        box: (
            box
            if not prefix and _PLAIN.fullmatch(box) and len(box) < 200
            else f"#{prefix}{number}"
        )
        for number, box in enumerate(boxes)
    }


def render_dot(view: Drawing) -> str:
    """Graphviz source of the drawing."""
    return to_dot(
        view.graph,
        view.specs,
        view.level,
        title=view.title,
        inputs=view.inputs,
        outputs=view.outputs,
        roles=view.roles,
        functions=view.model.functions if view.model is not None else {},
    )


SUFFIXES = {".dot": render_dot, ".gv": render_dot}
