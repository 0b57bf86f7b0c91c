"""Reshapes whose target is computed from shapes -> reshapes to a constant, wherever one unknown size at most is left.

``Reshape(x, Pack(Shape(x)[0], 7, 64))`` is ``Reshape(x, [-1, 7, 64])`` once 7 and 64 are known: the arithmetic on shapes
is gone, and the source that is written from the graph runs where shapes are not tensors (keras.ops on any backend).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec
from ...graph.edit import duplicate, put, put_constant
from ...ops import Partial, Value
from ...ops.values.dims import Dim
from ..state import State
from .size_origin import origin


def fold_reshape_targets(state: State) -> State:
    """A Reshape whose target is computed from shapes -> one to a constant, where one unknown size at most is left.

    ``Reshape(x, Pack(Shape(x)[0], 7, 64)) -> Reshape(x, [-1, 7, 64])``.
    """
    graph, below = state.graph, state.op_graph
    targets = {
        name: target
        for name in graph
        if _is_reshape(graph.node(name), name, below)
        and (target := _target(below, name, state.specs, state.values)) is not None
    }
    if not targets:
        return state
    copy = duplicate(graph)
    for name, target in targets.items():
        own = put_constant(copy, f"{name}/target", target)
        payload = copy.node(name)
        constant = replace(payload, attrs={**_plain(payload), "Tshape": "int32"})
        put(copy, name, constant, [copy.inputs(name)[0], own])
    return state.become(copy)


def _plain(node: Node) -> dict[str, object]:
    return {name: node.attrs[name] for name in ("T",) if name in node.attrs}


def _is_reshape(node: Node, name: str, below: Graph) -> bool:
    return node.op == "Reshape" and not isinstance(node, Layer) and name in below


def _target(
    below: Graph,
    name: str,
    specs: Mapping[Tensor, TensorSpec],
    values: Mapping[Tensor, Value],
) -> tuple[int, ...] | None:
    """The constant target that does the same; None where it is constant already or two sizes are unknown."""
    inputs = below.inputs(name)
    if len(inputs) != 2 or below.op(inputs[1].node) == "Const":
        return None
    asked, spec = _sizes(values.get(inputs[1])), specs.get(Tensor(name), TensorSpec())
    for sizes in (asked, spec.shape):
        if sizes is not None and sum(size in (None, -1) for size in sizes) <= 1:
            return tuple(-1 if size is None else size for size in sizes)
    return _kept_batch(below, inputs, asked, specs, values)


def _kept_batch(
    below: Graph,
    inputs: tuple[Tensor, ...],
    asked: Shape,
    specs: Mapping[Tensor, TensorSpec],
    values: Mapping[Tensor, Value],
) -> tuple[int, ...] | None:
    """``Reshape(x, [Shape(x)[0], -1, 4])``: the first size stays, so the rest of x says what -1 is."""
    shape = specs.get(inputs[0], TensorSpec()).shape
    if not shape or not asked or asked[0] is not None or None in shape[1:]:
        return None
    rest = asked[1:]
    if None in rest or rest.count(-1) != 1:
        return None
    source = origin(below, inputs[1], 0, specs, values)
    if source is None or (source.tensor, source.axis) != (inputs[0], 0):
        return None
    others = math.prod(size for size in rest if size is not None and size > 0)
    whole = math.prod(size for size in shape[1:] if size is not None)
    if not others or whole % others:
        return None
    return (-1, *(whole // others if size == -1 else size or 0 for size in rest))


def _sizes(value: Value) -> Shape:
    if value is None:
        return None
    if not isinstance(value, Partial):
        return tuple(map(int, np.ravel(value)))
    pairs: Sequence[tuple[int, bool]] = list(
        zip(value.array.ravel().tolist(), value.known.ravel().tolist(), strict=True)
    )
    sizes: list[Dim] = [size if is_known else None for size, is_known in pairs]
    return tuple(sizes)
