"""A graph of layers -> the layers that are made of layers: attention, found by formulas one altitude up.

What a Dense layer or a softmax is spelled like was settled below; here a formula speaks of Dense layers, so that one formula
serves every spelling of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...graph import Graph, Layer, Tensor, WeightUse
from ...graph.edit import drop_unread, duplicate
from ...graph.names import Names
from ...match import Tile, View, collapse, tile
from ...patterns import layers as all_patterns
from ...simplify.state import State
from ..layers.find import weight_use
from ..layers.layer_view import layer_view, lowered
from ..layers.names import layer_names


def compose_layers(state: State) -> State:
    """Layers that together make a layer -> that layer, found by the formulas that speak of layers.

    ``Dense(softmax(Dense(x) @ Dense(x)) @ Dense(x)) -> MultiHeadAttention(x, x)``.
    """
    graph = state.graph
    patterns = [pattern for pattern in all_patterns() if pattern.is_above]
    view = layer_view(state)
    tiles = tile(view, patterns, state.kept)
    if not tiles:
        return state
    below = lowered(graph)
    named = _named(graph, [(_layer(each, view, below), each) for each in tiles])
    placed = [
        replace(
            layer,
            inputs=each.pattern.inputs_of(each.match),
            output=each.output,
            members=each.members,
        )
        for layer, each in zip(named, tiles)
    ]
    up = collapse(graph, placed, keep=state.kept)
    for layer in named:
        up.add_node(layer.name, node=layer)
    moved = up.tensors
    up.graph.update({k: v for k, v in graph.graph.items() if k != "tensors"})
    up.graph["tensors"] = {
        down: moved.get(tensor, tensor)
        for down, tensor in graph.tensors.items()
        if moved.get(tensor, tensor).node in up
    }
    return state.become(up)


def drop_loose_ends(state: State) -> State:
    """What nothing reads any more -> nothing, such as the arithmetic of a mask that a layer makes itself.

    What nothing read before either, when layers were first put together, stays: it may be what is wanted.
    """
    graph = state.graph
    ends = {graph.raised(end).node for end in state.ends} | state.kept
    if all(name in ends for name in graph if not graph._succ[name]):
        return state
    copy = duplicate(graph)
    drop_unread(copy, [name for name in copy if not copy._succ[name]], ends)
    return state.become(copy)


def _layer(each: Tile, view: View, below: Mapping[Tensor, Tensor]) -> Layer:
    """The layer, told in the tensors and nodes of the op graph."""
    pattern, match = each.pattern, each.match
    weights = pattern.weights_of(match, view)
    parts = [view.graph.node(name) for name in sorted(each.members)]
    members = {m for part in parts if isinstance(part, Layer) for m in part.members}
    members |= {
        below.get(Tensor(name), Tensor(name)).node
        for name in each.members
        if not isinstance(view.graph.node(name), Layer)
    }
    evidence = [e for part in parts if isinstance(part, Layer) for e in part.evidence]
    root = view.graph.node(each.output.node)
    inputs = pattern.inputs_of(match)
    return Layer(
        op=pattern.op,
        attrs=pattern.config_of(match, view),
        outputs=root.outputs if isinstance(root, Layer) else (),
        inputs={name: below.get(tensor, tensor) for name, tensor in inputs.items()},
        weights={
            name: _lowered_use(weight_use(weight, view), below)
            for name, weight in weights.items()
        },
        members=frozenset(members),
        output=below.get(each.output, each.output),
        pattern=pattern.name,
        evidence=(*pattern.evidence_of(match, view), *dict.fromkeys(evidence)),
    )


def _lowered_use(use: WeightUse, below: Mapping[Tensor, Tensor]) -> WeightUse:
    return replace(use, node=below.get(Tensor(use.node), Tensor(use.node)).node)


def _named(graph: Graph, pairs: Sequence[tuple[Layer, Tile]]) -> list[Layer]:
    """The layers under names that no node of the graph bears, told apart from all that stay.

    What bears no weight may be shared with the layer of another scope: it does not say where a layer is at home.
    """
    gone = {name for _, each in pairs for name in each.members}
    payloads = [graph.node(name) for name in graph if name not in gone]
    stay = [payload for payload in payloads if isinstance(payload, Layer)]
    named_layers = [replace(layer, members=_core(graph, each)) for layer, each in pairs]
    names = layer_names([*stay, *named_layers])[len(stay) :]
    free = Names(graph)
    layers = (layer for layer, _ in pairs)
    return [replace(layer, name=free.unique(n)) for layer, n in zip(layers, names)]


def _core(graph: Graph, each: Tile) -> frozenset[str]:
    """The ops of the parts that bear weights; of all parts where none does."""
    parts = [graph.node(name) for name in each.members]
    layers = [part for part in parts if isinstance(part, Layer)]
    heavy = [part for part in layers if part.weights] or layers
    return frozenset().union(*(part.members for part in heavy))
