"""Dropout -> nothing: the mask that is drawn at random, and the scale that goes with it, leave what they were applied to.

TensorFlow 1 writes ``(x / keep) * floor(keep + uniform)``; from 1.13 on ``(x * 1/(1 - rate)) * cast(uniform >= rate)``; TensorFlow 2.7 and
later ``where(uniform >= rate, x * scale, 0)``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import put
from ...ops.constants import Constants
from ..report import Change

_UNIFORM = frozenset(
    {"RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2"}
)
_LOOKED_THROUGH = frozenset("Identity Cast Enter Switch StopGradient".split())
_COMPARES = ("GreaterEqual", "Greater", "Less", "LessEqual")


def drop_dropout(graph: Graph) -> Iterator[Change]:
    """Replace each dropout of ``graph`` (changed in place) by its input; yields what was replaced."""
    if next(graph.by_op(*_UNIFORM), None) is None:
        return
    constants = Constants(graph)
    for name in list(graph.by_op("Mul", "Select", "SelectV2")):
        kept = _dropped(graph, constants, name)
        if kept is not None:
            dtype = str(graph.attrs(name)["T"])
            old = graph.node(name)
            identity = Node(
                "Identity", {"T": dtype}, old.outputs, old.controls, old.device
            )
            put(graph, name, identity, [kept])
            yield Change("dropout removed", (name,))


def _dropped(graph: Graph, constants: Constants, name: str) -> Tensor | None:
    """What the dropout that ends in this node is applied to; None where no dropout does."""
    inputs = graph.inputs(name)
    if graph.op(name) == "Mul" and len(inputs) == 2:
        for scaled, mask in (inputs, inputs[::-1]):
            if _is_mask(graph, mask):
                return _unscaled(graph, constants, scaled)
    if graph.op(name) != "Mul" and len(inputs) == 3 and _is_mask(graph, inputs[0]):
        other = constants.value(inputs[2])
        if other is not None and not np.any(other):
            return _unscaled(graph, constants, inputs[1])
    return None


def _is_mask(graph: Graph, tensor: Tensor) -> bool:
    """Whether the tensor is 0 or 1 by a uniform draw."""
    tensor = _bare(graph, tensor)
    op, inputs = graph.op(tensor.node), graph.inputs(tensor.node)
    if op == "Floor":
        inner = _bare(graph, inputs[0])
        operands = graph.inputs(inner.node)
        adds = graph.op(inner.node) in ("Add", "AddV2")
        return adds and any(_is_uniform(graph, t) for t in operands)
    return op in _COMPARES and any(_is_uniform(graph, t) for t in inputs)


def _bare(graph: Graph, tensor: Tensor) -> Tensor:
    for _ in range(50):
        inputs = graph.inputs(tensor.node)
        if graph.op(tensor.node) not in _LOOKED_THROUGH or not inputs:
            return tensor
        tensor = inputs[0]
    return tensor


def _is_uniform(graph: Graph, tensor: Tensor) -> bool:
    """A uniform draw, shifted and scaled at most (``min + draw * (max - min)``)."""
    for _ in range(6):
        tensor = _bare(graph, tensor)
        op, inputs = graph.op(tensor.node), graph.inputs(tensor.node)
        if op in _UNIFORM:
            return True
        if op not in ("Add", "AddV2", "Mul") or len(inputs) != 2:
            return False
        live = [
            t for t in inputs if graph.op(_bare(graph, t).node) not in ("Const", "Sub")
        ]
        if len(live) != 1:
            return False
        tensor = live[0]
    return False


def _unscaled(graph: Graph, constants: Constants, tensor: Tensor) -> Tensor:
    """``x`` of ``x / keep`` and ``x * scale``, where the scale is one number known beforehand; else the tensor."""
    bare = _bare(graph, tensor)
    op, inputs = graph.op(bare.node), graph.inputs(bare.node)
    if len(inputs) != 2:
        return tensor
    pairs = {"RealDiv": (inputs,), "Mul": (inputs, inputs[::-1])}.get(op, ())
    for x, scale in pairs:
        value = constants.value(scale)
        if value is not None and value.size == 1:
            return x
    return tensor
