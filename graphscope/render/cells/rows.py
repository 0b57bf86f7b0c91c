"""Graph or layers -> rows: what the table, CSV, Markdown, JSON and HTML say of each node, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...graph import Graph, Layer, Shape, Tensor, TensorSpec
from . import spelling as words
from .counting import Count
from .labels import telling
from .order import held_nodes, in_order


@dataclass(frozen=True)
class Row:
    """One node of the graph. ``parameters`` counts every weight once: where a layer shares weights with an earlier
    one, ``shared`` is what it would have had besides.
    """

    name: str
    type: str
    shape: Shape
    dtype: str
    parameters: int
    inputs: tuple[str, ...]
    config: Mapping[str, str]
    telling: tuple[str, ...] = ()  # the arguments that are not as usual
    shared: int = 0
    explained: int = 0  # op nodes that the layer stands for


def rows_of(
    what: Graph | Iterable[Layer],
    specs: Mapping[Tensor, TensorSpec] = {},
    count: Count | None = None,
) -> list[Row]:
    """One row a node, inputs before what reads them; the parameters sum to those of the whole graph.

    Among layers the constants and variables that other ops read are no rows: they count in the first op that does.
    ``count`` knows afterwards what was counted.
    """
    counted = count or Count()
    if not isinstance(what, Graph):
        return [_layer_row(layer, specs, counted) for layer in what]
    order = in_order(what)
    if not any(isinstance(what.node(name), Layer) for name in order):
        return [_row(what, name, specs, counted, {}) for name in order]
    weight_nodes = held_nodes(what, order)
    return [
        _row(what, name, specs, counted, weight_nodes)
        for name in order
        if name not in weight_nodes
    ]


def _row(
    graph: Graph,
    name: str,
    specs: Mapping[Tensor, TensorSpec],
    counted: Count,
    weight_nodes: Mapping[str, str],
) -> Row:
    node = graph.node(name)
    spec = words.output_spec(graph, name, specs)
    inputs = dict.fromkeys(tensor.node for tensor in graph.inputs(name))
    new = shared = 0
    if isinstance(node, Layer):
        new, shared = counted.of_layer(name, node)
    else:
        new = counted.of_node(name, node, spec)
    places = dict.fromkeys(weight_nodes[s] for s in inputs if s in weight_nodes)
    for place in places:
        place_spec = words.output_spec(graph, place, specs)
        new += counted.of_node(place, graph.node(place), place_spec)
    return Row(
        name=name,
        type=node.op,
        shape=spec.shape,
        dtype=spec.dtype,
        parameters=new,
        inputs=tuple(source for source in inputs if source not in weight_nodes),
        config=dict(words.config_pairs(node)),
        telling=telling(node),
        shared=shared,
        explained=len(node.members) if isinstance(node, Layer) else 0,
    )


def _layer_row(layer: Layer, specs: Mapping[Tensor, TensorSpec], counted: Count) -> Row:
    name = layer.name or layer.output.node
    spec = specs.get(layer.output, TensorSpec())
    new, shared = counted.of_layer(name, layer)
    return Row(
        name=name,
        type=layer.op,
        shape=spec.shape,
        dtype=spec.dtype,
        parameters=new,
        inputs=tuple(str(tensor) for tensor in layer.inputs.values()),
        config=dict(words.config_pairs(layer)),
        telling=telling(layer),
        shared=shared,
        explained=len(layer.members),
    )
