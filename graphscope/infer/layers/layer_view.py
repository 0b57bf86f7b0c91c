"""The layer graph as the solver sees it: what is known of its tensors, brought up from the op graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...errors import GraphError
from ...graph import Graph, Layer, Tensor, TensorSpec
from ...match.view.symbolic_shapes import SymbolicView
from ...simplify.state import State

Values = Callable[[Tensor], "np.ndarray | None"]


def layer_view(state: State) -> SymbolicView:
    """A view of the layer graph of a state, made once for each graph; what a rewrite left as it was is not studied again."""
    if "layers" not in state.views:
        view = _view(state.graph, state.specs, state.constants.value)
        before = state.views.pop("before", None)
        state.views["layers"] = view if before is None else view.after(before)
    return state.views["layers"]  # type: ignore[no-any-return]


def _view(
    graph: Graph, specs: Mapping[Tensor, TensorSpec], values: Values
) -> SymbolicView:
    below = lowered(graph)

    def value(tensor: Tensor) -> np.ndarray | None:
        if isinstance(graph.node(tensor.node), Layer):
            return None
        return values(below.get(tensor, tensor))

    return SymbolicView(graph, raised_specs(graph, specs), value)


def lowered(graph: Graph) -> dict[Tensor, Tensor]:
    """Tensors of a layer graph -> the tensors of the op graph that they are."""
    tensors = graph.tensors
    below = {up: down for down, up in tensors.items()}
    below |= {up: down for down, up in tensors.items() if up == down}
    for name in graph:
        node = graph.node(name)
        if isinstance(node, Layer):
            below[Tensor(name)] = node.output
    return below


def home_of(graph: Graph, tensor: Tensor) -> str:
    """The node of a layer graph that yields a tensor of the op graph, or whose layer explains the tensor's node.

    Raises GraphError where the layer graph has neither.
    """
    raised = graph.raised(tensor)
    if raised.node in graph:
        return raised.node
    for name in graph:
        payload = graph.node(name)
        if isinstance(payload, Layer) and tensor.node in payload.members:
            return name
    raise GraphError(f"no layer is made of {tensor.node!r}: name the node that ends it")


def raised_specs(
    graph: Graph, specs: Mapping[Tensor, TensorSpec]
) -> dict[Tensor, TensorSpec]:
    """What is known of the tensors of a layer graph; what a node itself says of its outputs comes first for a layer."""
    below = lowered(graph)
    specs_: dict[Tensor, TensorSpec] = {}
    for name in graph:
        node = graph.node(name)
        for port in graph.ports(name) | {0}:
            tensor = Tensor(name, port)
            spec = specs.get(below.get(tensor, tensor))
            if port < len(node.outputs) and (spec is None or isinstance(node, Layer)):
                spec = node.outputs[port]
            if spec is not None:
                specs_[tensor] = spec
    return specs_
