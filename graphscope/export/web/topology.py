"""Graph and functions -> ``modelTopology``: a GraphDef as JSON, its constants' values in the manifest, types that JavaScript has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...graph import Function, Graph, Node, Signature, Tensor
from ...graph.named_values import Message, Row
from ...wire import messages as proto
from ...wire import op_registry
from ...wire.attrs import numpy_dtype
from ...wire.write import (
    put_shape,
    references,
    to_function_def,
    to_node_def,
)
from ..frozen.body import stored_value, value_of

_NUMBERS = proto.DATA_TYPE_NUMBERS
NARROW = {
    **dict.fromkeys((_NUMBERS["int16"], _NUMBERS["uint16"]), _NUMBERS["int32"]),
    **dict.fromkeys((_NUMBERS["uint32"], _NUMBERS["uint64"]), _NUMBERS["int32"]),
    _NUMBERS["bfloat16"]: _NUMBERS["float32"],
}
"""Data types whose names TensorFlow.js does not know, and the one it computes them in."""


def to_topology(
    graph: Graph,
    functions: Iterable[Function],
    library: Mapping[str, Function],
    producer: int,
) -> dict[str, object]:
    """The topology of a graph and of the functions that it calls."""
    topology: Row = {
        "node": [node_json(graph, name) for name in graph],
        "versions": {"producer": producer or 1882},
    }
    bodies = [_function_json(function, library) for function in functions]
    if bodies:
        topology["library"] = {"function": bodies}
    return topology


def node_json(graph: Graph, name: str) -> dict[str, object]:
    """One node, with every attribute that its op has; of a Const all but the value."""
    node = graph.node(name)
    if node.op == "Const":
        node = Node("Const", {"dtype": node.attrs["dtype"]}, (), node.controls)
    message = to_node_def(name, node, references(graph, name))
    if node.op == "Const":
        _put_outline(message, graph.node(name))
    return _as_json(message)


def _put_outline(message: Message, node: Node) -> None:
    """What a Const says of its value where the value lies in the manifest."""
    tensor = message.attr["value"].tensor
    tensor.dtype = message.attr["dtype"].type
    body = stored_value(node)
    put_shape(tensor.tensor_shape, value_of(node).shape if body is None else body.shape)


def _as_json(message: object) -> dict[str, object]:
    from google.protobuf.json_format import MessageToDict

    _complete(message)
    return MessageToDict(message)  # type: ignore[no-any-return]


def _complete(message: Any) -> None:
    """Fill in the defaults, which TensorFlow.js does not know, and name only types that it knows."""
    definition = op_registry.find(message.op)
    for attr in definition.attr if definition is not None else ():
        if attr.HasField("default_value") and attr.name not in message.attr:
            message.attr[attr.name].CopyFrom(attr.default_value)
    for name in [name for name in message.attr if name.startswith("_")]:
        del message.attr[name]
    for value in message.attr.values():
        if value.WhichOneof("value") == "type":
            value.type = NARROW.get(value.type, value.type)
        elif value.WhichOneof("value") == "list":
            types = [NARROW.get(each, each) for each in value.list.type]
            del value.list.type[:]
            value.list.type.extend(types)


def _function_json(
    function: Function, library: Mapping[str, Function]
) -> dict[str, object]:
    """A FunctionDef; its constants are weights of the model, so they must have names of their own."""
    from google.protobuf.json_format import MessageToDict

    message = to_function_def(_outlined(function), library)
    for node in message.node_def:
        _complete(node)
    return MessageToDict(message)  # type: ignore[no-any-return]


def _outlined(function: Function) -> Function:
    """The function less the values of its constants."""
    bare = Graph()
    for name in function.graph:
        node = function.graph.node(name)
        if node.op == "Const":
            dtype = numpy_dtype(str(node.attrs["dtype"]))
            empty = np.zeros(0, object if dtype is None else dtype)
            node = replace(node, attrs={"dtype": node.attrs["dtype"], "value": empty})
        bare.add(name, node, function.graph.inputs(name))
    return replace(function, graph=bare, message=None)


def signature_json(signature: Signature) -> dict[str, object]:
    """``signature``: the names that callers use, and the tensors that they stand for."""
    return {
        "inputs": _side(signature, signature.inputs),
        "outputs": _side(signature, signature.outputs),
    }


def _side(signature: Signature, tensors: Mapping[str, Tensor]) -> dict[str, object]:
    from google.protobuf.json_format import MessageToDict

    by_name = {}
    for key, tensor in tensors.items():
        spec = signature.specs[tensor]
        number = _NUMBERS.get(spec.dtype, 0)
        info = proto.TensorInfo(name=str(tensor), dtype=NARROW.get(number, number))
        put_shape(info.tensor_shape, spec.shape)
        by_name[key] = MessageToDict(info)
    return by_name
