"""Layer graph -> layer graph in which the calls of loops are layers, which own the weights that they read."""

from __future__ import annotations

from collections.abc import Iterable

from ...graph import Graph, Loop, Tensor
from ...graph.edit import duplicate, put


def settle_loops(layer_graph: Graph, loops: Iterable[Loop]) -> Graph:
    """The layer graph with each loop's payload in the place of its call; what only fed its weights is left out."""
    found = tuple(loops)
    if not found:
        return layer_graph
    made = duplicate(layer_graph)
    made.graph.update(layer_graph.graph)
    tensors: dict[Tensor, Tensor] = made.graph.get("tensors", {})
    for loop in found:
        name = tensors.get(loop.output, loop.output).node
        if name not in made:
            continue
        given = zip(loop.arguments, made.inputs(name), strict=True)
        kept = [tensor for argument, tensor in given if argument in loop.inputs]
        freed = set(made._pred[name]) - {tensor.node for tensor in kept}
        put(made, name, loop, kept)
        _drop_unread(made, list(freed))
    made.graph["tensors"] = {a: b for a, b in tensors.items() if b.node in made}
    return made


def _drop_unread(graph: Graph, names: list[str]) -> None:
    while names:
        name = names.pop()
        if name in graph and not graph._succ[name]:
            names += list(graph._pred[name])
            graph.remove_node(name)
