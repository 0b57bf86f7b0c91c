"""A graph of ops -> the Keras layers that it was built from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...graph import Graph, Layer, Model, Tensor, TensorSpec, WeightUse
from ...graph.order import sources_first
from ...match import Pattern, Tile, View, WeightRef, tile
from ...match.view.nodes import PASS_THROUGH
from ...ops.values.facts import SpecsOf
from ...patterns import layers as all_patterns
from ...simplify.state import State
from .canonical import canonical_view, standing
from .data_format import turn_layers

Specs = Mapping[Tensor, TensorSpec]


def find_layers(
    graph: Graph,
    model: Model,
    specs: Specs | None = None,
    *,
    keep: Iterable[Tensor | str] = (),
    patterns: Sequence[Pattern] | None = None,
    fuse_activations: bool = True,
    view: View | None = None,
) -> tuple[Layer, ...]:
    """The layers of an inference graph, named, in topological order.

    ``specs`` may be partial or empty: what needs a shape is then layers less often, or with a default. ``keep`` are
    tensors that must stay visible (the outputs asked for). ``view`` is that of the graph in canonical form.
    """
    ends = {t.node if isinstance(t, Tensor) else Tensor.parse(t).node for t in keep}
    view = view or canonical_view(graph, model, specs, keep=ends)
    tiles = tile(view, all_patterns() if patterns is None else patterns, ends)
    layers = standing([_layer(each, view) for each in tiles], graph)
    layers = _in_order(graph, layers)
    if fuse_activations:
        layers = turn_layers(_fused(layers, view, ends), specs or {}, ends)
    return _named(layers)


def canonical_of(state: State) -> View:
    """The view of a state's graph in canonical form."""
    if "canonical" not in state.views:
        probes = [SpecsOf(facts) for facts in state.probes]
        ends = {tensor.node for tensor in state.outputs}
        state.views["canonical"] = canonical_view(
            state.graph, state.model, state.specs, keep=ends, probes=probes
        )
    return state.views["canonical"]


def layers_of(state: State) -> tuple[Layer, ...]:
    """The layers of a state whose facts are inferred; its graph may be in canonical form."""
    graph, view = state.written or state.graph, canonical_of(state)
    return find_layers(graph, state.model, state.specs, keep=state.outputs, view=view)


def _layer(each: Tile, view: View) -> Layer:
    pattern, match = each.pattern, each.match
    weights = pattern.weights_of(match, view)
    layer = Layer(
        op=pattern.op,
        attrs=pattern.config_of(match, view),
        inputs=pattern.inputs_of(match),
        weights={name: weight_use(weight, view) for name, weight in weights.items()},
        members=each.members,
        output=each.output,
        pattern=pattern.name,
        evidence=pattern.evidence_of(match, view),
    )
    origins = view.origins(match.members)
    assumed = tuple(text for origin in origins for text in origin.evidence)
    return replace(layer, evidence=layer.evidence + assumed) if assumed else layer


def _fused(layers: list[Layer], view: View, ends: set[str]) -> list[Layer]:
    """Activations written as ``activation=`` of the layer before, where the scopes say that they were.

    Keras and TensorFlow 1 put ``conv/Relu`` beside ``conv/BiasAdd`` when one call fused both; a layer of its own has a
    scope of its own. The type of neither is in question, only how a person would have written the two.
    """
    owners = {layer.output: layer for layer in layers if "activation" in layer.attrs}
    gone: set[int] = set()
    fused: list[Layer] = []
    for layer in layers:
        owner = owners.get(next(iter(layer.inputs.values()), layer.output))
        name = _activation(layer)
        if owner is not None and name and _written_together(owner, layer, view, ends):
            gone.add(id(owner))
            layer = _with_activation(owner, layer, name)
        fused.append(layer)
    return [layer for layer in fused if id(layer) not in gone]


def _activation(layer: Layer) -> str | None:
    """The name under which Keras knows an activation layer; None where it is none, or has parameters."""
    if layer.op == "Activation" and set(layer.attrs) == {"activation"}:
        return str(layer.attrs["activation"])
    if layer.op == "ReLU" and layer.attrs.get("max_value") == 6.0:
        return "relu6"
    if layer.op == "Softmax" and layer.attrs.get("axis") == -1:
        return "softmax"
    return None


def _written_together(owner: Layer, layer: Layer, view: View, ends: set[str]) -> bool:
    scope = owner.output.node.rpartition("/")[0]
    if owner.attrs["activation"] != "linear" or owner.output.node in ends:
        return False
    own = layer.members & view.dynamic
    if scope:
        inside = all(name.startswith(f"{scope}/") for name in own)
    else:  # nobody scoped anything: tf.nn.relu(tf.matmul(x, w) + b)
        inside = not any("/" in name for name in own)
    return inside and _read_only_by(view, owner.output.node, layer.members, ends)


def _read_only_by(
    view: View, name: str, members: frozenset[str], ends: set[str]
) -> bool:
    """Whether all that reads a node, or what only passes it on, is among the members."""
    stack, visited = [name], {name}
    while stack:
        for reader, _ in view.readers(stack.pop()):
            if reader in members or reader not in view.dynamic or reader in visited:
                continue
            if view.kinds[reader] not in PASS_THROUGH or reader in ends:
                return False
            visited.add(reader)
            stack.append(reader)
    return True


def _with_activation(owner: Layer, layer: Layer, name: str) -> Layer:
    return replace(
        owner,
        attrs={**owner.attrs, "activation": name},
        members=owner.members | layer.members,
        output=layer.output,
        evidence=(*owner.evidence, *layer.evidence),
    )


def weight_use(weight: WeightRef | WeightUse, view: View) -> WeightUse:
    """A weight as a layer uses it, from how the solver holds it."""
    if isinstance(weight, WeightUse):
        return weight
    steps = tuple(
        (
            (step, (argument[0], tuple(weight_use(part, view) for part in argument[1])))
            if step == "join"
            else (step, argument)
        )
        for step, argument in weight.steps
    )
    computed = view.computation(weight)
    if computed is not None:
        steps = (("computed", computed), *steps)
    return WeightUse(weight.node, weight.shape, steps, view.array(weight))


def _in_order(graph: Graph, layers: list[Layer]) -> list[Layer]:
    ordered = sources_first(graph) or graph  # TF1 while frames are cycles
    order = {name: i for i, name in enumerate(ordered)}

    def place(layer: Layer) -> tuple[int, int]:
        """A tensor of no file stands just before what it was made for."""
        node = layer.output.node
        if node in order:  # a colon in a file's own name is part of it
            return order[node], 1
        return order.get(node.partition(":")[0], len(order)), 0

    return sorted(layers, key=place)


def _named(layers: list[Layer]) -> tuple[Layer, ...]:
    from .names import layer_names

    names = layer_names(layers)
    return tuple(replace(layer, name=name) for layer, name in zip(layers, names))
