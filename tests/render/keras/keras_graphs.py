"""A Keras model -> the layer graph that a perfect recovery would give: an oracle for writing alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphscope.graph import Graph, Layer, Model, Node, Tensor, TensorSpec, WeightUse

_ONLY_TRAINING = ("_initializer", "_regularizer", "_constraint")
_NO_CONFIG = set(
    "name trainable dtype registered_name build_config synchronized renorm renorm_clipping renorm_momentum lora_rank "
    "lora_alpha quantization_config seed".split()
)


def layer_graph_of(model: Any) -> tuple[Graph, Model, list[Tensor], list[Tensor]]:
    """The graph, a Model that holds its weights, the inputs and the outputs."""
    graph, names = Graph(), {}
    for operation in model._operations:
        for index, node in enumerate(operation._inbound_nodes):
            if not node.is_input and not any(o in _known(model) for o in node.outputs):
                continue
            name = operation.name if index == 0 else f"{operation.name}/{index}"
            names[id(node)] = name
            _add(graph, operation, node, name, names)
    tensors = lambda many: [Tensor(names[id(_node(t))]) for t in many]  # noqa: E731
    return (
        graph,
        Model(graph, source=f"{model.name}.pb"),
        tensors(model.inputs),
        tensors(model.outputs),
    )


def _known(model: Any) -> set[Any]:
    return {
        t for nodes in model._nodes_by_depth.values() for n in nodes for t in n.outputs
    }


def _node(tensor: Any) -> Any:
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _add(graph: Graph, operation: Any, node: Any, name: str, names: Any) -> None:
    if node.is_input:
        shape, dtype = operation.batch_shape, operation.dtype
        graph.add(
            name, Node("Placeholder", {"dtype": dtype}, (TensorSpec(dtype, shape),))
        )
        return
    inputs = [Tensor(names[id(_node(t))]) for t in node.input_tensors]
    weights = {}
    for variable in getattr(operation, "weights", ()):
        inner = variable.path.split(f"{operation.name}/")[-1]
        array = np.array(variable)
        graph.add(f"{operation.name}/{inner}", Node("Const", {"value": array}))
        weights[inner] = WeightUse(f"{operation.name}/{inner}", array.shape)
    config = {
        key: value
        for key, value in operation.get_config().items()
        if key not in _NO_CONFIG and not key.endswith(_ONLY_TRAINING)
    }
    spec = TensorSpec("float32", node.outputs[0].shape)
    layer = Layer(
        type(operation).__name__,
        config,
        outputs=(spec,),
        inputs={f"x{i}": t for i, t in enumerate(inputs)},
        weights=weights,
        output=Tensor(name),
    )
    graph.add(name, layer, inputs)
