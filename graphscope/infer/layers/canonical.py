"""A graph -> the same graph in canonical form: what several ops spell is the op that they mean (see patterns/canonical).

    BatchToSpaceND(BiasAdd(Conv2D(SpaceToBatchND(x), w), b))  ->  BiasAdd(Conv2D(x, w, dilations=2), b)
    Squeeze(MaxPool(ExpandDims(x)))                           ->  line.MaxPool(x)

Only the solver sees it: layers are recovered of it, and name the nodes of the file that they explain. What becomes no
layer is what it is in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ...graph import Graph, Layer, Model, Node, Tensor, TensorSpec
from ...graph.edit import duplicate, fresh, put
from ...match import Form, New, Tile, View, tile
from ...match.view.nodes import Origin
from ...ops.constants import Constants
from ...patterns import forms

Specs = Mapping[Tensor, TensorSpec]
Source = New | Tensor | np.ndarray | np.generic
HIDDEN = "hidden"  # the op of what only its shape is asked of
MOST_ROUNDS = 16  # a spelling is a few forms deep


def canonical_view(
    graph: Graph,
    model: Model,
    specs: Specs | None = None,
    *,
    keep: Iterable[str] = (),
    probes: Sequence[Specs] = (),
) -> View:
    """A view of the graph in canonical form; of the graph itself where no form matches.

    ``keep`` names nodes that must stay visible; ``probes`` are specs under several choices of open sizes.
    """
    ends = frozenset(keep)
    view = _view(graph, model, specs or {}, probes)
    for _ in range(MOST_ROUNDS):
        tiles = tile(view, forms(), ends)
        if not tiles:
            break
        view = _rewritten(view, tiles, model)
    return view


def _view(graph: Graph, model: Model, specs: Specs, probes: Sequence[Specs]) -> View:
    values = Constants(graph, model, specs=specs).value
    view = View(graph, specs, values, model.graph)
    view.probes = probes
    return view


def _rewritten(view: View, tiles: Sequence[Tile], model: Model) -> View:
    """The view of a graph in which each tile is the op that it means."""
    writer = _Writer(view)
    for each in tiles:
        writer.write(each)
    for each in tiles:
        writer.clear(each)
    view_ = _view(writer.graph, model, writer.specs, view.probes)
    view_.origin = writer.origin
    return view_


class _Writer:
    """A copy of a view's graph, and what its new nodes stand for."""

    def __init__(self, view: View) -> None:
        self.view, self.graph = view, duplicate(view.graph)
        self.graph.graph.update(view.graph.graph)
        self.specs = dict(view.specs)
        self.origin = dict(view.origin)

    def write(self, each: Tile) -> None:
        """The op that a tile means, under the name of its last node."""
        root, form = each.output.node, each.pattern
        meaning = form.meaning(each.match, self.view) if isinstance(form, Form) else ""
        if isinstance(meaning, str):
            return
        before = self.view.origins(each.match.members)
        evidence = form.evidence_of(each.match, self.view)
        self.put(root, meaning, self.graph.node(root))
        self.origin[root] = Origin(
            each.members,
            self.view.explained(each.dynamic),
            (*(name for origin in before for name in origin.forms), form.name),
            (*(text for origin in before for text in origin.evidence), *evidence),
        )

    def put(self, name: str, new: New, old: Node, root: str = "") -> None:
        inputs = [self.tensor(root or name, each) for each in new.inputs]
        node = Node(new.op, new.attrs, old.outputs, old.controls)
        put(self.graph, name, node, inputs)

    def tensor(self, root: str, source: Source) -> Tensor:
        """A tensor of the graph, that of a new node of its own for a constant or an op."""
        if isinstance(source, Tensor):
            return source
        new = source if isinstance(source, New) else _constant(np.asarray(source))
        name = fresh(self.graph, f"{root}:{new.name or new.op}")
        self.graph.add_node(name, node=Node(new.op))  # the name is taken
        self.put(name, new, Node(new.op), root)
        dtype = new.attrs.get("dtype") or self.view.specs.get(Tensor(root), _NONE).dtype
        self.specs[Tensor(name)] = TensorSpec(dtype, new.shape)
        evidence = (new.evidence,) if new.evidence else ()
        self.origin[name] = Origin(frozenset(), 0, evidence=evidence)
        return Tensor(name)

    def clear(self, each: Tile) -> None:
        """Take away the nodes inside a tile; one whose shape is asked for stays as a tensor that nothing computes."""
        inside = set(each.dynamic) - {each.output.node}
        for name in inside:
            if any(reader not in each.dynamic for reader in self.graph[name]):
                hidden = Node(HIDDEN, outputs=self.graph.node(name).outputs)
                put(self.graph, name, hidden, ())
                inside = inside - {name}
        self.graph.remove_nodes_from(inside)
        for name in inside & self.origin.keys():
            del self.origin[name]


_NONE = TensorSpec()


def _constant(value: np.ndarray) -> New:
    attrs = {"dtype": value.dtype.name, "value": value}
    return New("Const", (), attrs, shape=value.shape)


def standing(layers: Sequence[Layer], graph: Graph) -> list[Layer]:
    """The layers, less those that read or put out a tensor of no file without a layer at its other end."""
    while True:
        written = {layer.output for layer in layers}
        read = {tensor for layer in layers for tensor in layer.inputs.values()}
        left = [
            layer
            for layer in layers
            if (layer.output.node in graph or layer.output in read)
            and all(t.node in graph or t in written for t in layer.inputs.values())
        ]
        if len(left) == len(layers):
            return left
        layers = left
