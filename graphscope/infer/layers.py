"""A graph of ops -> the Keras layers that it was built from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import networkx as nx

from ..constants import Constants
from ..graph import Graph, Layer, Model, Tensor, TensorSpec, WeightUse
from ..match import Held, Pattern, Tile, View, tile
from ..patterns import layers as all_patterns

Specs = Mapping[Tensor, TensorSpec]


def find_layers(
    graph: Graph,
    model: Model,
    specs: Specs | None = None,
    *,
    keep: Iterable[Tensor | str] = (),
    patterns: Sequence[Pattern] | None = None,
    fuse_activations: bool = True,
) -> tuple[Layer, ...]:
    """The layers of an inference graph, named, in topological order.

    ``specs`` may be partial or empty: what needs a shape is then found less often, or with a default. ``keep`` are
    tensors that must stay visible (the outputs asked for).
    """
    constants = Constants(graph, model, specs=specs)
    view = View(graph, specs, constants.value)
    kept = {t.node if isinstance(t, Tensor) else Tensor.parse(t).node for t in keep}
    tiles = tile(view, all_patterns() if patterns is None else patterns, kept)
    found = _in_order(graph, [_layer(each, view) for each in tiles])
    return _named(found)


def _layer(each: Tile, view: View) -> Layer:
    pattern, match = each.pattern, each.match
    weights = pattern.weights_of(match, view)
    return Layer(
        op=pattern.op,
        attrs=pattern.config_of(match, view),
        inputs=pattern.inputs_of(match),
        weights={name: _use(held, view) for name, held in weights.items()},
        members=each.members,
        output=each.output,
        pattern=pattern.name,
        evidence=pattern.evidence_of(match, view),
    )


def _use(held: Held, view: View) -> WeightUse:
    return WeightUse(held.node, held.shape, held.steps, held.value)


def _in_order(graph: Graph, layers: list[Layer]) -> list[Layer]:
    try:
        order = {name: i for i, name in enumerate(nx.topological_sort(graph))}
    except nx.NetworkXUnfeasible:  # TF1 while frames are cycles
        order = {name: i for i, name in enumerate(graph)}
    return sorted(layers, key=lambda layer: order[layer.output.node])


def _named(layers: list[Layer]) -> tuple[Layer, ...]:
    from .names import layer_names

    names = layer_names(layers)
    return tuple(replace(layer, name=name) for layer, name in zip(layers, names))
