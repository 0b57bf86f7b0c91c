"""A mask ends where the file's graph knows none: Keras hands it on from layer to layer, whether the next one should see it or not.

*before* ``GlobalAveragePooling1D(LSTM(x, mask=m))``, which means the steps of the mask alone; *after* a copy of the sequence between the
two, which carries no mask.
"""

from __future__ import annotations

from ...graph import Graph, Layer, Node, Tensor
from ...graph.edit import duplicate, fresh, read_instead

UNMASKED = "DeepCopy"
_GIVES = frozenset("LSTM GRU SimpleRNN RNN Bidirectional".split())
_GIVES |= {f"ConvLSTM{axes}D" for axes in (1, 2, 3)}
_SEES = _GIVES | frozenset(
    "AdditiveAttention Attention BatchNormalization GlobalAveragePooling1D GroupQueryAttention MultiHeadAttention Softmax TimeDistributed".split()
)
"""Layers whose ``call`` takes a mask."""


def end_masks(graph: Graph) -> Graph:
    """The graph with such copies; the graph itself where no mask reaches a layer that should not see it."""
    reached = {n: edges for n in graph if (edges := _reached(graph, n))}
    copy = duplicate(graph) if reached else graph
    for name, edges in reached.items():
        own = fresh(copy, f"{name}/unmasked")
        spec = copy.node(name).outputs[:1]
        copy.add(
            own,
            Node(UNMASKED, {"T": spec[0].dtype if spec else ""}, spec),
            [Tensor(name)],
        )
        for reader, slot in edges:
            read_instead(copy, reader, slot, Tensor(own))
    return copy


def _reached(graph: Graph, name: str) -> list[tuple[str, int]]:
    """The readers of a masked sequence through which its mask reaches a layer that the graph gives none."""
    layer = graph.node(name)
    if (
        not isinstance(layer, Layer)
        or layer.op not in _GIVES
        or not _yields_steps(layer)
    ):
        return []
    if "mask" not in layer.inputs:
        return []
    return [edge for edge in graph.consumers(name, 0) if _is_seen(graph, edge[0])]


def _yields_steps(layer: Layer) -> bool:
    config = layer.attrs.get("layer_config", layer.attrs)
    return bool(config.get("return_sequences"))


def _is_seen(graph: Graph, reader: str) -> bool:
    """Whether a mask that comes to a node is seen there, or by a layer that it is handed on to."""
    stack, visited = [reader], {reader}
    while stack:
        name = stack.pop()
        layer = graph.node(name)
        if not isinstance(layer, Layer) or "mask" in layer.inputs:
            continue  # an op hands no mask on, and a layer's own mask comes first
        if layer.op in _SEES:
            return True
        after = {each for each, _ in graph.consumers(name, 0)} - visited
        visited |= after
        stack += after
    return False
