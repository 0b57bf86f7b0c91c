"""A graph of layers -> the layers that are made of layers: attention, found by formulas one altitude up.

What a Dense layer or a softmax is spelled like was settled below; here a formula speaks of Dense layers, so that one formula
serves every spelling of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...graph import Graph, Layer, Tensor, TensorSpec, WeightUse
from ...match import Tile, View, collapse, tile
from ...patterns import layers as all_patterns
from ...simplify.rewrites.cse import tidy
from ..layers.find import weight_use
from ..layers.layer_view import Values, layer_view, lowered
from ..layers.names import layer_names
from .flattened_heads import lift_stacks
from .flattened_tokens import lift_rows
from .keras_masks import name_masks
from .repeated_masks import thin_masks
from .reshapes import name_reshapes
from .score_biases import gather_biases


def compose_layers(
    graph: Graph,
    specs: Mapping[Tensor, TensorSpec],
    values: Values,
    keep: Iterable[Tensor] = (),
) -> Graph:
    """A layer graph in which layers made of layers are one node each; the graph itself where there are none.

    ``specs`` and ``values`` speak of the op graph below it; ``keep`` are tensors of that graph that must stay visible.
    """
    below = lowered(graph)
    loose = (Tensor(name) for name in graph if not graph._succ[name])
    ends = frozenset(below.get(tensor, tensor) for tensor in loose)
    graph = parts_of_layers(graph, specs, values, keep)
    graph = _composed(graph, specs, values, keep)
    graph = thin_masks(graph, specs, values)
    graph = name_masks(graph, specs, values)
    return _less_loose_ends(graph, ends | frozenset(keep))


def parts_of_layers(
    graph: Graph,
    specs: Mapping[Tensor, TensorSpec],
    values: Values,
    keep: Iterable[Tensor] = (),
) -> Graph:
    """A layer graph as the formulas over layers read it: what only moves rows and axes is gone or a layer."""
    graph = lift_rows(graph, specs, values, keep)
    graph = lift_stacks(graph, specs, values, keep)
    graph = name_reshapes(graph, specs, values)
    graph = tidy(graph, kept_in(graph, keep))
    return gather_biases(graph, specs, values, kept_in(graph, keep))


def kept_in(graph: Graph, keep: Iterable[Tensor]) -> frozenset[str]:
    """The nodes of a layer graph that yield these tensors of the op graph."""
    tensors = graph.graph.get("tensors", {})
    return frozenset(tensors.get(tensor, tensor).node for tensor in keep)


def _composed(
    graph: Graph,
    specs: Mapping[Tensor, TensorSpec],
    values: Values,
    keep: Iterable[Tensor],
) -> Graph:
    patterns = [pattern for pattern in all_patterns() if pattern.is_above]
    view = layer_view(graph, specs, values)
    tensors = graph.graph.get("tensors", {})
    kept = kept_in(graph, keep)
    tiles = tile(view, patterns, kept)
    if not tiles:
        return graph
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
    up = collapse(graph, placed, keep=kept)
    up.graph.update({k: v for k, v in graph.graph.items() if k != "tensors"})
    for layer in named:
        up.nodes[layer.name]["node"] = layer
    moved = up.graph["tensors"]
    up.graph["tensors"] = {
        down: moved.get(tensor, tensor)
        for down, tensor in tensors.items()
        if moved.get(tensor, tensor).node in up
    }
    return up


def _less_loose_ends(graph: Graph, ends: frozenset[Tensor]) -> Graph:
    """Without what nothing reads any more, such as the arithmetic of a mask that a layer makes itself.

    ``ends`` are the tensors of the op graph that nothing read before.
    """
    below = lowered(graph)
    stack = [name for name in graph if not graph._succ[name]]
    while stack:
        name = stack.pop()
        if name not in graph or below.get(Tensor(name), Tensor(name)) in ends:
            continue
        before = list(graph._pred[name])
        graph.remove_node(name)
        stack += [source for source in before if not graph._succ[source]]
    return graph


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
            name: _lowered_use(weight_use(held, view), below)
            for name, held in weights.items()
        },
        members=frozenset(members),
        output=below.get(each.output, each.output),
        pattern=pattern.name,
        evidence=(*pattern.evidence_of(match, view), *dict.fromkeys(evidence)),
    )


def _lowered_use(use: WeightUse, below: Mapping[Tensor, Tensor]) -> WeightUse:
    return replace(use, node=below.get(Tensor(use.node), Tensor(use.node)).node)


def _named(graph: Graph, found: Sequence[tuple[Layer, Tile]]) -> list[Layer]:
    """The layers under names that no node of the graph bears, told apart from all that stay.

    What bears no weight may be shared with the layer of another scope: it does not say where a layer is at home.
    """
    gone = {name for _, each in found for name in each.members}
    payloads = [graph.node(name) for name in graph if name not in gone]
    stay = [payload for payload in payloads if isinstance(payload, Layer)]
    told = [replace(layer, members=_core(graph, each)) for layer, each in found]
    names = layer_names([*stay, *told])[len(stay) :]
    taken = set(graph)
    made = []
    for (layer, _), name in zip(found, names):
        own, number = name, 0
        while own in taken:
            number += 1
            own = f"{name}_{number}"
        taken.add(own)
        made.append(replace(layer, name=own))
    return made


def _core(graph: Graph, each: Tile) -> frozenset[str]:
    """The ops of the parts that bear weights; of all parts where none does."""
    parts = [graph.node(name) for name in each.members]
    layers = [part for part in parts if isinstance(part, Layer)]
    heavy = [part for part in layers if part.weights] or layers
    return frozenset().union(*(part.members for part in heavy))
