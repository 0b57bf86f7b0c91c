"""Graph of quantisation-aware training -> the graph of its use: FakeQuant reads the range that is stored.

While it trains, such a graph reads what the update of a range gives (``AssignMovingAvg`` of activations, ``Assign`` of
weights: tf.contrib.quantize), so each run moves the range that it simulates with. In use the stored range stands.
"""

from __future__ import annotations

from dataclasses import replace

from ...graph import Graph, Tensor
from ...graph.edit import duplicate, put, read_instead

FAKE_QUANT = ("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")
_WRITES = frozenset("Assign AssignAdd AssignSub".split())
_PASSES = frozenset("Identity StopGradient CheckNumerics Enter".split())
_FAR = 16


def read_stored_ranges(graph: Graph) -> tuple[Graph, dict[str, tuple[str, ...]]]:
    """A copy whose FakeQuant ops read stored ranges, and which variables each reads now; the graph itself without any.

    ``FakeQuant(x, AssignSub(min, ...), AssignSub(max, ...)) -> FakeQuant(x, min, max)``.
    """
    stored = {
        (name, slot): tensor
        for name in graph.by_op(*FAKE_QUANT)
        for slot, range_ in enumerate(graph.inputs(name))
        if slot and (tensor := _stored(graph, range_)) is not None
    }
    if not stored:
        return graph, {}
    copy = duplicate(graph)
    read: dict[str, tuple[str, ...]] = {}
    for (name, slot), tensor in stored.items():
        node = copy.node(tensor.node)
        if node.op == "ReadVariableOp":
            put(copy, tensor.node, replace(node, controls=()), copy.inputs(tensor.node))
        read_instead(copy, name, slot, tensor)
        read[name] = (*read.get(name, ()), _variable(copy, tensor))
    return copy, read


def _stored(graph: Graph, tensor: Tensor) -> Tensor | None:
    """The variable whose new value a tensor is, or its read that waits for a write; None for a range that is at rest."""
    for _ in range(_FAR):
        op, inputs = graph.op(tensor.node), graph.inputs(tensor.node)
        if op in _WRITES and inputs:
            return inputs[0]
        if op == "ReadVariableOp" and _waits(graph, tensor.node):
            return tensor
        if op not in _PASSES or not inputs:
            return None
        tensor = inputs[0]
    return None


def _waits(graph: Graph, name: str) -> bool:
    """Whether a read waits for a write to a variable."""
    return any(
        source in graph and graph.op(source).startswith("Assign")
        for source in graph.node(name).controls
    )


def _variable(graph: Graph, tensor: Tensor) -> str:
    inputs = graph.inputs(tensor.node)
    return inputs[0].node if inputs else tensor.node
