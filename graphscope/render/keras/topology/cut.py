"""A Keras model cut to some of the tensors in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....graph import Tensor
from ....graph.keras import KerasModel, LayerOutput

Call = tuple[str, int]


def cut_to(model: KerasModel, outputs: Sequence[Tensor]) -> KerasModel | None:
    """The part of a model that yields ``outputs``, named as in the graph of its layers; None where one lies in a model within it."""
    places = {
        f"{layer.name}_call{n}" if n else layer.name: LayerOutput(layer.name, n)
        for layer in model.layers
        for n in range(max(len(layer.calls), 1))
        if layer.model is None
    }
    if not all(tensor.node in places for tensor in outputs):
        return None
    ends = [places[tensor.node]._replace(port=tensor.port) for tensor in outputs]
    needed = _needed(model, ends)

    def moved(tensor: LayerOutput) -> LayerOutput:
        before = sum((tensor.layer, n) in needed for n in range(tensor.call))
        return tensor._replace(call=before)

    layers = []
    for layer in model.layers:
        calls = [c for n, c in enumerate(layer.calls) if (layer.name, n) in needed]
        if calls or (layer.name, 0) in needed:
            layers.append(replace(layer, calls=tuple(c.reading(moved) for c in calls)))
    return replace(
        model,
        class_name="Functional",
        layers=tuple(layers),
        inputs=tuple(t for t in model.inputs if (t.layer, t.call) in needed),
        outputs=tuple(map(moved, ends)),
    )


def _needed(model: KerasModel, ends: Sequence[LayerOutput]) -> set[Call]:
    """The calls of layers that the tensors come from."""
    calls = {layer.name: layer.calls for layer in model.layers}
    needed: set[Call] = set()
    stack = [(end.layer, end.call) for end in ends]
    while stack:
        name, number = stack.pop()
        if (name, number) in needed:
            continue
        needed.add((name, number))
        if calls[name]:
            stack += [(t.layer, t.call) for t in calls[name][number].tensors()]
    return needed
