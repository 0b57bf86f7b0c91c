"""KerasModel -> the graph of its layers, those of nested models too, with what each yields.

A layer of a nested model is ``nested/layer``; a layer that is called again appears again, as ``layer_call1``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import FormatError
from ...graph import Graph, Layer, Signature, Tensor, TensorSpec, WeightUse
from ...graph.keras import KerasCall, KerasLayer, KerasModel, LayerOutput
from ...graph.keras.nouns import calls_in_order
from .shapes.hints import hinted_spec
from .shapes.rules import call_specs, input_spec
from .shown import shown_config

EVIDENCE = ("the file's own Keras config",)
MOST_CALLS = 20_000  # models within models, each called several times, multiply


class Unfolded:
    """The layer graph of a model, its signature, and the specs of the tensors in it."""

    def __init__(self, model: KerasModel, what: str) -> None:
        self.what = what
        self.graph = Graph()
        self.specs: dict[Tensor, TensorSpec] = {}
        inputs = {t: Tensor(t.layer) for t in model.inputs}
        outputs = self.add_model(model, "", None)
        named = {tensor.node: tensor for tensor in inputs.values()}
        called = _names(outputs)
        ends = (*named.values(), *called.values())
        specs = {t: self.specs[t] for t in ends if t in self.specs}
        self.signature = Signature(named, called, specs)

    def add_model(
        self, model: KerasModel, prefix: str, sources: Sequence[Tensor] | None
    ) -> list[Tensor]:
        """Add the layers of one call of a model; returns what it yields. ``sources``: None where it is the whole."""
        places: dict[LayerOutput, Tensor] = {}
        if sources is not None:
            places.update(zip(model.inputs, sources))
        for layer in model.layers:
            if not layer.calls and LayerOutput(layer.name) not in places:
                places[LayerOutput(layer.name)] = self.add_source(layer, prefix)
        count = 0
        for layer, number, call in calls_in_order(model):
            count += 1
            yields = self.add_call(model, layer, number, call, prefix, places)
            for port, tensor in enumerate(yields):
                places[LayerOutput(layer.name, number, port)] = tensor
        if count < sum(len(layer.calls) for layer in model.layers):
            raise FormatError(
                f"{self.what}: the Keras config wires layers in a circle or to what is not there"
            )
        return [self.place(places, tensor) for tensor in model.outputs]

    def place(
        self, places: Mapping[LayerOutput, Tensor], tensor: LayerOutput
    ) -> Tensor:
        first = places.get(tensor)
        if first is None:
            first = places[tensor._replace(port=0)]
            first = Tensor(first.node, tensor.port)
        return first

    def add_source(self, layer: KerasLayer, prefix: str) -> Tensor:
        """An input, or a layer that is called on nothing."""
        name = prefix + layer.name
        self.put(name, layer, (), (input_spec(layer),), True)
        return Tensor(name)

    def add_call(
        self,
        model: KerasModel,
        layer: KerasLayer,
        number: int,
        call: KerasCall,
        prefix: str,
        places: Mapping[LayerOutput, Tensor],
    ) -> list[Tensor]:
        name = prefix + layer.name + (f"_call{number}" if number else "")
        inputs = [self.place(places, tensor) for tensor in call.tensors()]
        if layer.model is not None:
            return self.add_model(layer.model, f"{name}/", inputs)
        operand_specs = [self.specs.get(t, TensorSpec()) for t in inputs]
        specs = call_specs(layer, call, operand_specs)
        if not specs and layer.kind == "custom" and operand_specs:
            hint = hinted_spec(model, LayerOutput(layer.name, number), operand_specs[0])
            specs = (hint,) if hint is not None else ()
        self.put(name, layer, inputs, specs, not number)
        return [Tensor(name, port) for port in range(max(len(specs), 1))]

    def put(
        self,
        name: str,
        layer: KerasLayer,
        inputs: Sequence[Tensor],
        specs: tuple[TensorSpec, ...],
        first: bool,
    ) -> None:
        if "node" in self.graph.nodes.get(name, {}):
            raise FormatError(f"{self.what}: two layers are called {name!r}")
        if len(self.graph) >= MOST_CALLS:
            raise FormatError(f"{self.what}: unfolds to more than {MOST_CALLS} layers")
        weights = _weights(layer)
        payload = Layer(
            layer.class_name,
            shown_config(layer),
            outputs=specs,
            inputs={f"x{n}" if n else "x": t for n, t in enumerate(inputs)},
            output=Tensor(name),
            weights=weights,
            members=frozenset(use.node for use in weights.values()),
            pattern="Keras config",
            evidence=EVIDENCE,
            name=name,
        )
        self.graph.add(name, payload, inputs)
        for port, spec in enumerate(specs):
            self.specs[Tensor(name, port)] = spec


def _weights(layer: KerasLayer) -> dict[str, WeightUse]:
    """The weights, each variable once."""
    visited: set[str] = set()
    weights = {}
    for path in layer.stored:
        use = layer.weights[path]
        if use.node not in visited:
            visited.add(use.node)
            weights[path if len(path.split("/")) > 2 else _short(path)] = use
    return weights


def _short(path: str) -> str:
    """A recurrent layer's own words for what its cell owns."""
    return path.removeprefix("cell/")


def _names(tensors: Sequence[Tensor]) -> dict[str, Tensor]:
    """The outputs by name; of several outputs of one layer the name tells which."""
    named: dict[str, Tensor] = {}
    for tensor in tensors:
        name = tensor.node if not tensor.port else str(tensor)
        while name in named:
            name += "_again"
        named[name] = tensor
    return named
