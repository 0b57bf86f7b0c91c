"""Nodes held against their op definitions before anything is made of them, as TensorFlow does when it imports a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import GraphError
from ..graph import Function, FunctionRef, Graph, Node
from ..graph.edit import put
from ..wire import op_registry, opdefs
from ..wire.attrs import attr_names
from ..wire.write import Edited, raw_attr

_FIELDS = {
    "int": "i",
    "float": "f",
    "bool": "b",
    "string": "s",
    "type": "type",
    "shape": "shape",
    "tensor": "tensor",
    "func": "func",
}
_PLAIN: dict[str, Any] = {
    "int": int,
    "float": (int, float),
    "bool": bool,
    "type": str,
    "func": FunctionRef,
}


def drop_unknown(graph: Graph) -> tuple[str, ...]:
    """Take away the attributes that no OpDef knows, which old TensorFlow refuses and new one ignores; the nodes that had some.

    *before* ``Relu(x) {T=float, novel=1}``; *after* ``Relu(x) {T=float}``.
    """
    nodes = []
    for name in graph:
        node = graph.node(name)
        definition = op_registry.find(node.op)
        if definition is None:
            continue
        declared = {attr.name for attr in definition.attr}
        names = (a for a in attr_names(node.attrs) if not a.startswith("_"))
        unknown = [attr for attr in names if attr not in declared]
        if unknown:
            put(
                graph,
                name,
                replace(node, attrs=Edited(node.attrs, dict.fromkeys(unknown))),
            )
            nodes.append(name)
    return tuple(nodes)


def check_nodes(graph: Graph, functions: Iterable[Function] = ()) -> None:
    """Raise GraphError where a node lacks an attribute or an input that its op cannot do without, or has another kind of it.

    Ops that stock TensorFlow does not know are not held against anything.
    """
    for body in (graph, *(function.graph for function in functions)):
        for name in body:
            _check(body, name)


def _check(graph: Graph, name: str) -> None:
    node = graph.node(name)
    definition = op_registry.find(node.op)
    if definition is None:
        return
    for attr in definition.attr:
        if attr.name in node.attrs:
            if not _is_of_kind(node.attrs, attr.name, attr.type):
                raise _fault(name, node, f"attribute {attr.name!r} is no {attr.type}")
        elif not attr.HasField("default_value"):
            raise _fault(name, node, f"there is no attribute {attr.name!r}")
    _check_inputs(graph, name, definition)


def _check_inputs(graph: Graph, name: str, definition: object) -> None:
    node = graph.node(name)
    count = len(opdefs.input_dtypes(node.op, node.attrs))
    inputs = graph.inputs(name)
    if len(inputs) != count:
        raise _fault(name, node, f"{count} inputs expected, {len(inputs)} found")
    for tensor in inputs:
        source = graph.node(tensor.node)
        if op_registry.find(source.op) is None:
            continue
        if tensor.port >= len(opdefs.output_dtypes(source.op, source.attrs)):
            raise _fault(
                name, node, f"reads {tensor}, and {source.op} has no such output"
            )


def _fault(name: str, node: Node, what: str) -> GraphError:
    return GraphError(f"node {name!r} is no {node.op} ({what}): the graph is damaged")


def _is_of_kind(attrs: Mapping[str, object], name: str, kind: str) -> bool:
    raw = raw_attr(attrs, name)
    if not hasattr(raw, "WhichOneof"):
        expected = _PLAIN.get(kind)
        return expected is None or isinstance(raw, expected)
    which = raw.WhichOneof("value")
    if not kind.startswith("list("):
        return bool(which == _FIELDS[kind])
    if which != "list":
        return False
    filled = [field.name for field, _ in raw.list.ListFields()]
    return filled in ([], [_FIELDS[kind[5:-1]]])
