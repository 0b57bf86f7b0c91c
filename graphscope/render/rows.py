"""Graph or layers -> rows: what the table, CSV, Markdown, JSON and HTML say of each node, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx

from ..graph import Graph, Layer, Node, Shape, Tensor, TensorSpec, WeightUse
from . import words

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
    shared: int = 0
    explained: int = 0  # op nodes that the layer stands for


def rows_of(
    what: Graph | Iterable[Layer], specs: Mapping[Tensor, TensorSpec] = {}
) -> list[Row]:
    """One row a node, inputs before what reads them; the parameters sum to those of the whole graph."""
    seen: set[Any] = set()
    if not isinstance(what, Graph):
        return [_layer_row(layer, specs, seen) for layer in what]
    return [_row(what, name, specs, seen) for name in in_order(what)]


def in_order(graph: Graph) -> list[str]:
    """The nodes in topological order, the file's where it allows; nodes of loops come when one input has come."""
    place = {name: i for i, name in enumerate(graph)}
    try:
        return list(nx.lexicographical_topological_sort(graph, key=place.__getitem__))
    except nx.NetworkXUnfeasible:
        return _despite_loops(graph)


def _despite_loops(graph: Graph) -> list[str]:
    """Reverse postorder of a depth-first walk: right but for the edges that go back."""
    seen: set[str] = set()
    found: list[str] = []
    heads = [n for n in graph if not graph._pred[n]]
    for root in [*reversed(heads), *reversed(list(graph))]:
        if root in seen:
            continue
        seen.add(root)
        stack: list[tuple[str, Iterator[str]]] = [(root, iter(graph._succ[root]))]
        while stack:
            name, targets = stack[-1]
            target = next((t for t in targets if t not in seen), None)
            if target is None:
                found.append(name)
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(graph._succ[target])))
    return found[::-1]


def _row(
    graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec], seen: set[Any]
) -> Row:
    node = graph.node(name)
    spec = words.output_spec(graph, name, specs)
    inputs = tuple(dict.fromkeys(tensor.node for tensor in graph.inputs(name)))
    new, shared = _parameters(name, node, spec, seen)
    members = len(node.members) if isinstance(node, Layer) else 0
    config = dict(words.config_pairs(node))
    return Row(
        name, node.op, spec.shape, spec.dtype, new, inputs, config, shared, members
    )


def _layer_row(layer: Layer, specs: Mapping[Tensor, TensorSpec], seen: set[Any]) -> Row:
    name = str(layer.attrs.get("name") or layer.output.node)
    spec = specs.get(layer.output, TensorSpec())
    new, shared = _parameters(name, layer, spec, seen)
    inputs = tuple(str(tensor) for tensor in layer.inputs.values())
    config = dict(words.config_pairs(layer))
    return Row(
        name,
        layer.op,
        spec.shape,
        spec.dtype,
        new,
        inputs,
        config,
        shared,
        len(layer.members),
    )


def _parameters(
    name: str, node: Node, spec: TensorSpec, seen: set[Any]
) -> tuple[int, int]:
    """The elements of the weights that no earlier row has, and of those that one has."""
    if not isinstance(node, Layer):
        return _held(node, spec), 0
    new = shared = 0
    for role, use in node.weights.items():
        key = _identity(name, role, use)
        size = words.size_of(use.shape)
        if key in seen:
            shared += size
        else:
            seen.add(key)
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
    value = node.attrs.get("value")
    return int(value.size) if value is not None and value.size > 1 else 0
