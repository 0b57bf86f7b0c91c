"""Nodes of TensorFlow ops, made one after the other: names, types and number attributes come by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ....graph import Graph, Node, Tensor, TensorSpec
from ....graph.named_values import Arguments, Message
from ....wire import op_registry, opdefs
from ....wire.nodes import put

_ALLOWED = re.compile(r"[^A-Za-z0-9_.\\/>-]+")
_FIRST = re.compile(r"\A[^A-Za-z0-9.]+")


def node_name(label: str) -> str:
    """A name that TensorFlow takes, from what a file calls a tensor: of ``a;b`` the first, ``x:0`` without its port.

    >>> node_name("model/relu/Relu;model/conv/Conv2D"), node_name("StatefulPartitionedCall:0")
    ('model/relu/Relu', 'StatefulPartitionedCall')
    """
    first = label.split(";")[0]
    text = _ALLOWED.sub("_", re.sub(r":\d+\Z", "", first))
    return _FIRST.sub("", text).rstrip("/") or "tensor"


class Emitter:
    """A graph that grows; ``dtypes`` has the dtype of each tensor in it."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.dtypes: dict[Tensor, str] = {}

    def fresh(self, label: str) -> str:
        """A name that no node has."""
        name, count = label, 0
        while name in self.graph:
            count += 1
            name = f"{label}_{count}" if count < 3 else f"{label}_{len(self.graph)}"
        return name

    def add(
        self,
        name: str,
        op: str,
        inputs: Sequence[Tensor] = (),
        attrs: Mapping[str, object] = {},
        specs: Sequence[TensorSpec] = (),
    ) -> Tensor:
        """A node of this very name; its type and number attributes follow from its inputs."""
        typed = {**_inferred(op, [self.dtypes.get(t, "") for t in inputs]), **attrs}
        return self.put(name, Node(op, typed, tuple(specs)), inputs)

    def put(self, name: str, node: Node, inputs: Sequence[Tensor] = ()) -> Tensor:
        """A node as it is."""
        put(self.graph, name, node)
        for slot, tensor in enumerate(inputs):
            self.graph.add_edge(tensor.node, name, key=slot, port=tensor.port)
        dtypes = opdefs.output_dtypes(node.op, node.attrs) or tuple(
            spec.dtype for spec in node.outputs
        )
        for port, dtype in enumerate(dtypes):
            self.dtypes[Tensor(name, port)] = dtype.removesuffix("_ref")
        return Tensor(name)

    def constant(self, label: str, value: object, dtype: str = "") -> Tensor:
        """A Const of some values (int32 for plain integers, float32 for plain numbers)."""
        array = np.asarray(value)
        if not dtype:
            dtype = {"i": "int32", "f": "float32"}.get(array.dtype.kind, "")
        kind = array.dtype if not dtype else np.dtype(dtype)
        attrs = {"dtype": dtype or str(array.dtype), "value": array.astype(kind)}
        return self.put(self.fresh(label), Node("Const", attrs))


def _inferred(op: str, dtypes: Sequence[str]) -> Arguments:
    """The attributes of an op that the dtypes and the number of its inputs settle."""
    definition = op_registry.find(op)
    attrs: Arguments = {}
    place = 0
    arguments = tuple(definition.input_arg) if definition is not None else ()
    for arg in arguments:
        left = list(dtypes[place:])
        if arg.type_list_attr:
            rest = _after(arguments, arg)
            attrs[arg.type_list_attr] = tuple(left[: len(left) - rest])
            place += len(left) - rest
        elif arg.number_attr:
            count = len(left) - _after(arguments, arg)
            attrs[arg.number_attr] = count
            _set(attrs, arg.type_attr, left)
            place += count
        else:
            _set(attrs, arg.type_attr, left)
            place += 1
    return attrs


def _after(arguments: Iterable[Any], arg: Message) -> int:
    names = [each.name for each in arguments]
    return len(names) - names.index(arg.name) - 1


def _set(attrs: dict[str, object], name: str, dtypes: Sequence[str]) -> None:
    if name and dtypes and dtypes[0]:
        attrs.setdefault(name, dtypes[0])
