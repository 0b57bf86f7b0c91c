"""Ops between two transposes -> the same ops in the other layout, so that the transposes are gone.

A converter from ONNX (onnx-tf) and Keras's own layers on a CPU turn ``channels_first`` tensors to compute a convolution in
``NHWC``, and turn the result back: what is meant is a convolution with ``data_format="NCHW"``. The first transpose stays
for those who read it otherwise, the second one passes on what it is given.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...graph import Graph, Tensor
from ...graph.edit import duplicate, put, put_constant, put_new
from ...graph.named_values import Attributes
from ...ops import spellings
from ..prune import prune
from ..state import State

_WINDOWED = frozenset(
    {*spellings.CONVOLUTIONS, *"MaxPool AvgPool MaxPool3D AvgPool3D".split()}
)
_ELEMENTWISE = frozenset(
    "Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softplus Identity".split()
)
_NORMS = frozenset(spellings.FUSED_BATCH_NORMS)
_PER_AXIS = ("strides", "dilations", "ksize")
_READS = ("Identity", "ReadVariableOp", "Enter")
MOST_OPS = 16  # ops between two transposes


def drop_transposes(state: State) -> State:
    """Ops between a transpose to channels last and one back -> the ops in the other data format.

    ``Transpose(Conv2D(Transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2]) -> Conv2D(x, data_format="NCHW")``.
    """
    graph = state.graph
    chains = [
        (name, chain)
        for name in graph.by_op("Transpose")
        if (chain := _between(graph, name, state.kept))
    ]
    if not chains:
        return state
    copy = duplicate(graph)
    for back, chain in chains:
        _turn(copy, back, chain)
    return state.become(prune(copy, state.outputs) if state.outputs else copy)


def _between(graph: Graph, back: str, keep: Collection[str]) -> list[str]:
    """The ops from the transpose to channels last up to the one back, first to last; none where that is not all."""
    rank = _turns(graph, back, first=True)
    chain: list[str] = []
    at = graph.inputs(back)[0] if rank else None
    while rank and at is not None and len(chain) < MOST_OPS:
        if _turns(graph, at.node, first=False) == rank:
            meant = any(graph.op(name) in _WINDOWED | _NORMS for name in chain)
            return chain[::-1] if meant else []
        if at.port or at.node in keep or not _may_turn(graph, at.node, rank):
            break
        chain.append(at.node)
        at = graph.inputs(at.node)[_slot(graph, at.node)]
    return []


def _turns(graph: Graph, name: str, first: bool) -> int:
    """The rank of what a transpose turns to channels first, or last; 0 for anything else."""
    inputs = graph.inputs(name)
    if graph.op(name) != "Transpose" or len(inputs) != 2:
        return 0
    value = graph.attrs(inputs[1].node).get("value")
    if not isinstance(value, np.ndarray) or value.ndim != 1 or value.size not in (4, 5):
        return 0
    rank = int(value.size)
    order = _to_first(rank) if first else _to_last(rank)
    return rank if value.tolist() == list(order) else 0


def _to_first(rank: int) -> tuple[int, ...]:
    return (0, rank - 1, *range(1, rank - 1))


def _to_last(rank: int) -> tuple[int, ...]:
    return (0, *range(2, rank), 1)


def _may_turn(graph: Graph, name: str, rank: int) -> bool:
    """Whether an op with one reader computes the same in the other layout, its attributes turned."""
    node, readers = graph.node(name), graph.consumers(name)
    if len(readers) != 1 or not graph.inputs(name):
        return False
    if node.op in spellings.SUMS:
        return _vector(graph, name, rank) is not None
    if node.op == "BiasAdd" or node.op in _WINDOWED:
        return _is_last(node.attrs)
    if node.op in _NORMS:
        return _is_last(node.attrs) and not node.attrs.get("is_training", True)
    return node.op in _ELEMENTWISE


def _is_last(attrs: Attributes) -> bool:
    return not str(attrs.get("data_format", "NHWC")).startswith("NC")


def _slot(graph: Graph, name: str) -> int:
    """The input that carries the data: of a sum, the one that is not stored."""
    if graph.op(name) in spellings.SUMS:
        inputs = graph.inputs(name)
        return 1 if stored_shape(graph, inputs[0]) is not None else 0
    return 0


def _vector(graph: Graph, name: str, rank: int) -> Tensor | None:
    """What a sum adds where that is stored and varies along the channels alone."""
    inputs = graph.inputs(name)
    if len(inputs) != 2:
        return None
    other = inputs[1 - _slot(graph, name)]
    shape = stored_shape(graph, other)
    fits = shape and len(shape) <= rank and all(d == 1 for d in shape[:-1])
    return other if fits else None


def stored_shape(graph: Graph, tensor: Tensor) -> tuple[int, ...] | None:
    """The shape of a constant or variable, read or reshaped; None where it is neither, or not known."""
    for _ in range(MOST_OPS):
        node, inputs = graph.node(tensor.node), graph.inputs(tensor.node)
        value = node.attrs.get("value")
        if node.op == "Const" and isinstance(value, np.ndarray):
            return tuple(value.shape)
        if node.op in spellings.VARIABLES:
            shape = node.attrs.get("shape")
            whole = isinstance(shape, tuple) and None not in shape
            return shape if whole else None
        if node.op == "Reshape" and len(inputs) == 2:
            return _reshaped(graph, inputs)
        if node.op not in _READS or not inputs:
            return None
        tensor = inputs[0]
    return None


def _reshaped(graph: Graph, inputs: Sequence[Tensor]) -> tuple[int, ...] | None:
    target = graph.attrs(inputs[1].node).get("value")
    stored = stored_shape(graph, inputs[0])
    if stored is None or not isinstance(target, np.ndarray) or (target < 0).any():
        return None
    return tuple(int(d) for d in target.reshape(-1))


def _turn(graph: Graph, back: str, chain: Sequence[str]) -> None:
    """Compute the chain channels first, in place."""
    before = graph.inputs(back)[0]
    first = graph.inputs(chain[0])[_slot(graph, chain[0])].node
    rank, source = _turns(graph, back, first=True), graph.inputs(first)[0]
    for name in chain:
        node = graph.node(name)
        rest = list(graph.inputs(name))
        if node.op in spellings.SUMS:
            vector = _flat(graph, name, rank)
            attrs = {"T": node.attrs.get("T"), "data_format": "NCHW"}
            put(graph, name, replace(node, op="BiasAdd", attrs=attrs), [source, vector])
        else:
            attrs = _turned(node.attrs, node.op, rank)
            put(graph, name, replace(node, attrs=attrs), [source, *rest[1:]])
        graph.add_node(name, node=replace(graph.node(name), outputs=()))
        source = Tensor(name)
    payload = graph.node(back)
    passes = {"T": payload.attrs.get("T")}
    put(graph, back, replace(payload, op="Identity", attrs=passes), [before])


def _flat(graph: Graph, name: str, rank: int) -> Tensor:
    """The vector that a sum adds, as BiasAdd takes it."""
    other = graph.inputs(name)[1 - _slot(graph, name)]
    shape = stored_shape(graph, other) or ()
    if len(shape) == 1:
        return other
    size = put_constant(graph, f"{name}/channels", [shape[-1]])
    attrs = {"T": graph.attrs(name).get("T"), "Tshape": "int32"}
    return put_new(graph, f"{name}/vector", "Reshape", attrs, other, size)


def _turned(attrs: Attributes, op: str, rank: int) -> dict[str, Any]:
    new = dict(attrs)
    if op in _ELEMENTWISE:
        return new
    new["data_format"] = "NCHW" if op == "BiasAdd" or rank == 4 else "NCDHW"
    for key in _PER_AXIS:
        values = new.get(key)
        if values and len(values) == rank:
            new[key] = tuple(values[axis] for axis in _to_first(rank))
    pairs = new.get("explicit_paddings")
    if pairs and len(pairs) == 2 * rank:
        order = (i for axis in _to_first(rank) for i in (2 * axis, 2 * axis + 1))
        new["explicit_paddings"] = tuple(pairs[i] for i in order)
    return new
