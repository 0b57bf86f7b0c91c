"""Two recurrent layers over one sequence, one of them from its end -> one Bidirectional layer.

*before* ``Concatenate(LSTM(x), Reverse(LSTM(Reverse(x))))``; *after* ``Bidirectional(LSTM)(x)``. Under a mask of lengths each row is reversed
within its length: that is what Keras's mask does to a layer that goes backwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ...graph import Graph, Layer, Node, Tensor
from ...graph.edit import duplicate, fresh, put, redirect
from ..layers.layer_view import Values

_MERGES = {
    "Concatenate": "concat",
    "Add": "sum",
    "Average": "ave",
    "Multiply": "mul",
}
_RECURRENT = frozenset(
    {"LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
)
_PLAIN = frozenset("Const ExpandDims Identity NotEqual Squeeze Transpose".split())
"""What computes the same of the same inputs, whatever its attributes."""
_DIRECTION = frozenset({"go_backwards"})
Reversal = tuple[Tensor, Tensor | None]
"""What is reversed along time, and the lengths within which; None: as a whole."""


@dataclass(frozen=True)
class Half:
    """A recurrent layer as one direction: over what, under which lengths or mask, and the nodes of it; what is dropped after it."""

    name: str
    layer: Layer
    sequence: Tensor
    mask: Tensor | None
    backwards: bool
    nodes: tuple[str, ...]
    dropout: Layer | None = None


def join_directions(graph: Graph, values: Values) -> None:
    """Put a Bidirectional layer in the place of each such pair, in place."""
    for name in [n for n in graph if graph.op(n) in _MERGES]:
        merge = graph.node(name)
        inputs = graph.inputs(name)
        if not isinstance(merge, Layer) or len(inputs) != 2:
            continue
        halves = [_half(graph, tensor, values) for tensor in inputs]
        if None in halves or not _is_last_axis(merge):
            continue
        forward, backward = (half for half in halves if half is not None)
        if _match(graph, forward, backward):
            _join(graph, name, merge, forward, backward)


def name_reversals(graph: Graph) -> Graph:
    """The graph in which each row's own reversal is a layer that every backend runs; the graph itself where there is none.

    *before* ``ReverseSequence(x, lengths) {seq_dim=1}``, an op of TensorFlow alone; *after* the layer ``ReverseSequence(x, lengths)``.
    """
    names = [n for n in graph.by_op("ReverseSequence") if _is_plain(graph, n)]
    copy = duplicate(graph) if names else graph
    for name in names:
        inputs = dict(zip(("inputs", "lengths"), copy.inputs(name)))
        put(copy, name, _reversal_layer(copy.node(name), name, inputs))
    return copy


def _reversal_layer(node: Node, name: str, inputs: Mapping[str, Tensor]) -> Layer:
    return Layer(
        "ReverseSequence",
        {},
        node.outputs,
        inputs=inputs,
        members=frozenset({name}),
        output=Tensor(name),
        pattern="name_reversals",
        name="reverse_sequence",
    )


def _is_plain(graph: Graph, name: str) -> bool:
    """Whether an op turns rows round along the time, the batch being the first axis."""
    node = graph.node(name)
    if isinstance(node, Layer):
        return False
    return node.attrs.get("seq_dim") == 1 and not node.attrs.get("batch_dim")


def _is_last_axis(merge: Layer) -> bool:
    if merge.op != "Concatenate":
        return True
    rank = len(merge.outputs[0].shape or ()) if merge.outputs else 0
    axis = merge.attrs.get("axis", -1)
    return axis == -1 or axis == rank - 1 or (not rank and axis in (1, 2))


def _half(graph: Graph, tensor: Tensor, values: Values) -> Half | None:
    """The direction that yields a tensor: of a sequence, in the order of time; of a last output, of either end."""
    reversal = _reversal(graph, tensor, values)
    source = tensor if reversal is None else reversal[0]
    dropout, after = graph.node(source.node), source
    if dropout.op == "Dropout" and isinstance(dropout, Layer):
        source = graph.inputs(source.node)[0]
    layer = graph.node(source.node)
    if not isinstance(layer, Layer) or layer.op not in _RECURRENT or source.port:
        return None
    if len(layer.outputs) > 1 or any(n.startswith("initial") for n in layer.inputs):
        return None
    fed = _fed(graph, source.node, layer, values)
    if fed is None or not _is_in_order(layer, fed, reversal):
        return None
    nodes = tuple(dict.fromkeys((source.node, after.node, tensor.node)))
    dropped = dropout if after != source and isinstance(dropout, Layer) else None
    return Half(
        source.node, layer, fed.sequence, fed.mask, fed.backwards, nodes, dropped
    )


class _Fed(NamedTuple):
    """What a direction reads in the order of time: the sequence, its mask, and what reverses it before it is read."""

    sequence: Tensor
    mask: Tensor | None
    before: Reversal | None
    backwards: bool


def _fed(graph: Graph, name: str, layer: Layer, values: Values) -> _Fed | None:
    """What a direction reads; None where sequence and mask are not reversed alike: the mask would hide other steps."""
    sources = dict(zip(layer.inputs, graph.inputs(name)))
    sequence, mask = sources["sequence"], _lengths(graph, sources.get("mask"))
    before = _reversal(graph, sequence, values)
    backwards = bool(layer.attrs.get("go_backwards")) != (before is not None)
    if before is None:
        return _Fed(sequence, mask, before, backwards)
    sequence, within = before
    if within is not None and within != mask:
        return None
    if within is None and mask is not None:
        mask_reversal = _reversal(graph, mask, values)
        if mask_reversal is None or mask_reversal[1] is not None:
            return None
        mask = mask_reversal[0]
    return _Fed(sequence, mask, before, backwards)


def _is_in_order(layer: Layer, fed: _Fed, reversal: Reversal | None) -> bool:
    """Whether what is yielded stands in the order of time: a sequence is turned back as it was turned, a last output is none."""
    if not layer.attrs.get("return_sequences"):
        return reversal is None
    if (reversal is not None) != fed.backwards:
        return False
    if reversal is None:
        return True
    own = fed.before[1] if fed.before is not None else fed.mask
    if reversal[1] is None:
        return fed.before is None or fed.before[1] is None
    return reversal[1] == own


def _reversal(graph: Graph, tensor: Tensor, values: Values) -> Reversal | None:
    """What a node reverses along the time axis, and the lengths within which it does so."""
    node = graph.node(tensor.node)
    if isinstance(node, Layer):
        return None
    if node.op == "ReverseV2":
        whole, axis = graph.inputs(tensor.node)
        number = values(axis)
        return (whole, None) if number is not None and number.tolist() == [1] else None
    if node.op != "ReverseSequence":
        return None
    whole, lengths = graph.inputs(tensor.node)
    return (whole, lengths) if _is_plain(graph, tensor.node) else None


def _lengths(graph: Graph, mask: Tensor | None) -> Tensor | None:
    """The lengths that a mask is made of; the mask itself where it is another."""
    if mask is None or graph.op(mask.node) != "SequenceMask":
        return mask
    return graph.inputs(mask.node)[1]


def _match(graph: Graph, forward: Half, backward: Half) -> bool:
    """Whether two halves are the directions of one layer, and nothing else reads either."""
    config = [
        {k: v for k, v in half.layer.attrs.items() if k not in _DIRECTION}
        for half in (forward, backward)
    ]
    same = forward.layer.op == backward.layer.op and config[0] == config[1]
    alone = all(
        len(graph.consumers(node)) == 1 for h in (forward, backward) for node in h.nodes
    )
    shapes = [
        {k: u.shape for k, u in h.layer.weights.items()} for h in (forward, backward)
    ]
    return (
        same
        and alone
        and shapes[0] == shapes[1]
        and forward.name != backward.name
        and not forward.backwards
        and backward.backwards
        and forward.sequence == backward.sequence
        and _is_one(graph, forward.mask, backward.mask)
        and _rate(forward) == _rate(backward)
    )


def _is_one(
    graph: Graph, one: Tensor | None, other: Tensor | None, depth: int = 6
) -> bool:
    """Whether two tensors are one, or computed alike from one."""
    if one is None or other is None or one == other or not depth:
        return one == other
    first, second = graph.node(one.node), graph.node(other.node)
    if first.op != second.op or first.op not in _PLAIN or one.port != other.port:
        return False
    if first.op == "Const":
        return np.array_equal(first.attrs["value"], second.attrs["value"])
    inputs = graph.inputs(one.node), graph.inputs(other.node)
    alike = bool(inputs[0]) and len(inputs[0]) == len(inputs[1])
    pairs = zip(*inputs) if alike else ()
    return alike and all(_is_one(graph, a, b, depth - 1) for a, b in pairs)


def _rate(half: Half) -> Any:
    return None if half.dropout is None else dict(half.dropout.attrs)


def _join(graph: Graph, name: str, merge: Layer, forward: Half, backward: Half) -> None:
    config = {k: v for k, v in forward.layer.attrs.items() if k not in _DIRECTION}
    sources = dict(zip(forward.layer.inputs, graph.inputs(forward.name)))
    weights = {f"forward_layer/{k}": u for k, u in forward.layer.weights.items()}
    weights |= {f"backward_layer/{k}": u for k, u in backward.layer.weights.items()}
    title = fresh(graph, _title(forward.name, backward.name))
    members = merge.members | forward.layer.members | backward.layer.members
    layer = replace(
        merge,
        op="Bidirectional",
        attrs={
            "layer": forward.layer.op,
            "layer_config": config,
            "merge_mode": _MERGES[merge.op],
        },
        outputs=merge.outputs,
        inputs={key: sources[key] for key in sources},
        weights=weights,
        members=members,
        pattern="join_directions",
        name=title,
    )
    graph.add(title, layer, sources.values())
    if forward.dropout is not None:  # what is dropped of each is dropped of both
        own = fresh(graph, forward.dropout.name or "dropout")
        dropped = replace(forward.dropout, outputs=merge.outputs, name=own)
        graph.add(own, dropped, [Tensor(title)])
        title = own
    redirect(graph, Tensor(name), Tensor(title))
    for down in [d for d, up in graph.tensors.items() if up == Tensor(name)]:
        graph.tensors[down] = Tensor(title)
    _drop(graph, (name, *forward.nodes, *backward.nodes))


def _title(forward: str, backward: str) -> str:
    """What two names have in common; Keras's own word where that is too little."""
    same = ""
    for one, other in zip(forward, backward):
        if one != other:
            break
        same += one
    same = same.strip("_")
    return same if len(same) > 3 else "bidirectional"


def _drop(graph: Graph, names: Sequence[str]) -> None:
    stack = list(names)
    while stack:
        name = stack.pop()
        if name in graph and not graph._succ[name]:
            if not graph.op(name).startswith("Placeholder"):
                stack += list(graph._pred[name])
                graph.remove_node(name)
