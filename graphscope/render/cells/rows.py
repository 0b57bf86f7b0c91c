"""Graph or layers -> rows: what the table, CSV, Markdown, JSON and HTML say of each node, as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec, WeightUse
from . import spelling as words
from .labels import is_unusual
from .order import held_nodes, in_order

VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})


@dataclass(frozen=True)
class Row:
    """One node of the graph. ``parameters`` counts every weight once: where a layer shares weights with an earlier
    one, ``shared`` is what it would have had besides.
    """

    name: str
    type: str
    shape: Shape
    dtype: str
    parameters: int
    inputs: tuple[str, ...]
    config: Mapping[str, str]
    telling: frozenset[str] = frozenset()  # the arguments that are not as usual
    shared: int = 0
    explained: int = 0  # op nodes that the layer stands for


def rows_of(
    what: Graph | Iterable[Layer], specs: Mapping[Tensor, TensorSpec] = {}
) -> list[Row]:
    """One row a node, inputs before what reads them; the parameters sum to those of the whole graph.

    Among layers the constants and variables that other ops read are no rows: they count in the first op that does.
    """
    counted: set[Any] = set()
    if not isinstance(what, Graph):
        return [_layer_row(layer, specs, counted) for layer in what]
    order = in_order(what)
    if not any(isinstance(what.node(name), Layer) for name in order):
        return [_row(what, name, specs, counted, {}) for name in order]
    weight_nodes = held_nodes(what, order)
    return [
        _row(what, name, specs, counted, weight_nodes)
        for name in order
        if name not in weight_nodes
    ]


def _row(
    graph: Graph,
    name: str,
    specs: Mapping[Tensor, TensorSpec],
    counted: set[Any],
    weight_nodes: Mapping[str, str],
) -> Row:
    node = graph.node(name)
    spec = words.output_spec(graph, name, specs)
    inputs = dict.fromkeys(tensor.node for tensor in graph.inputs(name))
    new, shared = _parameters(name, node, spec, counted)
    for place in {
        weight_nodes[source]: None for source in inputs if source in weight_nodes
    }:
        if place not in counted:
            counted.add(place)
            new += _held(graph.node(place), words.output_spec(graph, place, specs))
    return Row(
        name=name,
        type=node.op,
        shape=spec.shape,
        dtype=spec.dtype,
        parameters=new,
        inputs=tuple(source for source in inputs if source not in weight_nodes),
        config=dict(words.config_pairs(node)),
        telling=_telling(node),
        shared=shared,
        explained=len(node.members) if isinstance(node, Layer) else 0,
    )


def _layer_row(
    layer: Layer, specs: Mapping[Tensor, TensorSpec], counted: set[Any]
) -> Row:
    name = layer.name or layer.output.node
    spec = specs.get(layer.output, TensorSpec())
    new, shared = _parameters(name, layer, spec, counted)
    return Row(
        name=name,
        type=layer.op,
        shape=spec.shape,
        dtype=spec.dtype,
        parameters=new,
        inputs=tuple(str(tensor) for tensor in layer.inputs.values()),
        config=dict(words.config_pairs(layer)),
        telling=_telling(layer),
        shared=shared,
        explained=len(layer.members),
    )


def _telling(node: Node) -> frozenset[str]:
    if not isinstance(node, Layer):
        return frozenset(node.attrs)
    config = node.attrs
    same = config.get("pool_size")
    return frozenset(
        key
        for key in config
        if is_unusual(key, config, same if key == "strides" else None)
    )


def _parameters(
    name: str, node: Node, spec: TensorSpec, counted: set[Any]
) -> tuple[int, int]:
    """The elements of the weights that no earlier row has, and of those that one has."""
    if not isinstance(node, Layer):
        return _held(node, spec), 0
    new = shared = 0
    for role, use in node.weights.items():
        key = _identity(name, role, use)
        size = words.size_of(use.shape)
        if key in counted:
            shared += size
        else:
            counted.add(key)
            new += size
    return new, shared


def _identity(name: str, role: str, use: WeightUse) -> Any:
    return (use.node, repr(use.steps), use.shape) if use.node else (name, role)


def _held(node: Node, spec: TensorSpec) -> int:
    """The parameters that an op node holds: those of a variable, or of a constant of several real numbers."""
    if node.op in VARIABLES:
        shape = node.attrs.get("shape", spec.shape)
        return words.size_of(shape)
    if node.op != "Const" or "float" not in str(node.attrs.get("dtype")):
        return 0
    count = words.size_of(constant_shape(node))
    return count if count > 1 else 0


def constant_shape(node: Node) -> Shape:
    """The shape of a Const's value, without reading the values where the reader can tell it."""
    if "value" in node.attrs and hasattr(node.attrs, "spec"):
        shape = node.attrs.spec("value").shape
        return None if shape is None else tuple(shape)
    value = node.attrs.get("value")
    return tuple(value.shape) if isinstance(value, np.ndarray) else None
