"""A variable that a restore fills with what it computes of several stored tensors -> that computation, over constants.

A layer of cuDNN is one opaque buffer in the graph, and its checkpoint holds the canonical weights of its gates: the restore cuts, turns and
packs these (``CudnnOpaqueParamsSaveable`` of TensorFlow 1). Nothing in the checkpoint bears the buffer's own name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...graph import Graph, Node, Tensor, Weights
from ...graph.edit import duplicate, fresh, put, redirect
from ..weights.lazy_const import stored
from .restore_ops import ASSIGN_OPS, VARIABLE_OPS

_RESTORES = ("RestoreV2", "Restore")
_OUTSIDE = (*VARIABLE_OPS, "PlaceholderV2")


def compute_restored(graph: Graph, keys: Mapping[str, str], weights: Weights) -> Graph:
    """``Assign(v, f(RestoreV2))`` of a ``v`` without a value -> ``v = Identity(f(Const))``; the graph itself where there is none."""
    copy = graph
    for name in list(graph.by_op(*ASSIGN_OPS)):
        variable, value = graph.inputs(name)[:2]
        is_known = keys.get(variable.node) in weights
        if is_known or graph.op(variable.node) not in VARIABLE_OPS:
            continue
        parts = _parts(graph, value, weights)
        if not parts:
            continue
        copy = duplicate(graph) if copy is graph else copy
        _compute(copy, variable.node, value, parts, weights)
    return copy


def _parts(graph: Graph, value: Tensor, weights: Weights) -> dict[Tensor, str]:
    """The restored tensors that a value is computed of, with their keys; none where it is one itself, or rests on more."""
    parts: dict[Tensor, str] = {}
    stack, visited = [value], {value}
    while stack:
        tensor = stack.pop()
        op = graph.op(tensor.node)
        if op in _RESTORES:
            key = _key(graph, tensor)
            if tensor == value or key not in weights:
                return {}
            parts[tensor] = key
            continue
        if op in _OUTSIDE or op.startswith("Placeholder"):
            return {}
        fresh_ = [each for each in graph.inputs(tensor.node) if each not in visited]
        visited.update(fresh_)
        stack += fresh_
    return parts


def _key(graph: Graph, tensor: Tensor) -> str:
    names = graph.attrs(graph.inputs(tensor.node)[1].node).get("value")
    listed = [] if names is None else np.ravel(names).tolist()
    key = listed[tensor.port] if tensor.port < len(listed) else b""
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _compute(
    graph: Graph,
    variable: str,
    value: Tensor,
    parts: Mapping[Tensor, str],
    weights: Weights,
) -> None:
    for tensor, key in parts.items():
        constant = fresh(graph, key)
        put(graph, constant, Node("Const", stored(weights, key)), ())
        redirect(graph, tensor, Tensor(constant))
    node = graph.node(variable)
    dtype = str(node.attrs.get("dtype", "float32")).removesuffix("_ref")
    put(graph, variable, Node("Identity", {"T": dtype}, (), (), node.device), [value])
    for reader, _ in list(graph.consumers(variable, 0)):
        if graph.op(reader) == "ReadVariableOp":
            put(graph, reader, Node("Identity", {"T": dtype}), [Tensor(variable)])
