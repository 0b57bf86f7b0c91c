"""A sequence that a Dense layer projects before a loop reads it -> the kernel as one of the cell's gates.

*before* ``z = Dense(x)`` for all steps at once, ``tanh(z[t] + h @ U)`` in the loop; *after* ``tanh(x[t] @ W + h @ U + b)``, a SimpleRNN over x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ....graph import Graph, Layer, Tensor, WeightUse
from ....match import View, WeightRef
from .loops import Reading


@dataclass(frozen=True)
class Projection:
    """What one reading is a product of: ``vector`` stands for the element before the product, which ``reading`` tells."""

    vector: Tensor
    reading: Reading
    kernel: WeightRef
    bias: WeightRef | None


def find_projections(
    view: View, readings: Mapping[Tensor, Reading], uses: dict[str, WeightUse]
) -> dict[Tensor, Projection]:
    """The readings whose sequence is a Dense layer's that nothing else reads; ``uses`` gains the weights of these."""
    projections = {}
    for tensor, reading in readings.items():
        earlier = _before(view, reading)
        if earlier is None:
            continue
        name, axis = earlier
        layer = view.graph.node(name)
        if not isinstance(layer, Layer) or not _is_linear(view.graph, name, layer):
            continue
        refs = {}
        for title, use in layer.weights.items():
            uses[f"{name}/{title}"] = use
            refs[title] = WeightRef(f"{name}/{title}", use.shape)
        before = Reading(view.graph.inputs(name)[0], reading.backwards, axis)
        vector = Tensor(f"{tensor.node}/before_{name}")
        projections[tensor] = Projection(
            vector, before, refs["kernel"], refs.get("bias")
        )
    return projections


def _before(view: View, reading: Reading) -> tuple[str, int] | None:
    """The node that yields a sequence, past an exchange of its first axes, and the axis of time there."""
    source, _ = view.producer(reading.sequence)
    if view.kinds[source.node] != "Transpose" or reading.axis:
        return source.node, reading.axis
    x, axes = view.inputs[source.node]
    order = view.number(axes)
    if order is None or order.tolist() != [1, 0, *range(2, order.size)]:
        return None
    return view.producer(x)[0].node, 1


def _is_linear(graph: Graph, name: str, layer: Layer) -> bool:
    """Whether a layer multiplies by a matrix and adds a bias, and feeds one reader alone."""
    plain = layer.op == "Dense" and layer.attrs.get("activation") in (None, "linear")
    return plain and "kernel" in layer.weights and len(graph.consumers(name)) == 1
