"""What read, switched or passed on a variable -> the same on a value: handles followed, references made plain.

A reference variable (``Variable``, ``VariableV2``) is a tensor already: what asked for the reference is given the value. A
resource variable (``VarHandleOp``) is followed from its handle through whatever hands it on (``Identity``, ``Switch``,
``Enter``, the arguments of ``If`` and ``While``) to the ops that read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import NotExpressible
from ...graph import Graph, Node, Tensor
from ...graph.edit import fresh, put
from ...graph.named_values import Attributes
from ...ops import spellings
from ...simplify.rewrites.tables import table_behind
from ...wire import op_registry
from ...wire.write import Edited

_HANDS_ON = frozenset(
    "Identity Switch Merge Enter Exit NextIteration StopGradient PreventGradient".split()
) | frozenset(spellings.OF_VALUES)


_UPDATES = {"AssignAdd": "Add", "AssignSub": "Sub"}


def retype_handles(graph: Graph, handles: Mapping[Tensor, str], bodies: object) -> None:
    """Follow handles that have become values of the given dtype, and rewrite all that takes them.

    Raises NotExpressible where an op can only work on a variable.
    """
    stack = list(handles.items())
    visited: set[tuple[str, int, Tensor]] = set()
    while stack:
        tensor, dtype = stack.pop()
        for name, slot in graph.consumers(*tensor):
            if (name, slot, tensor) in visited:
                continue
            visited.add((name, slot, tensor))
            passed = _rewrite(graph, name, slot, dtype, bodies)
            stack += [(Tensor(name, port), dtype) for port in passed]


def _rewrite(
    graph: Graph, name: str, slot: int, dtype: str, bodies: Any
) -> tuple[int, ...]:
    """Let one reader of a handle take the value; the ports on which it hands the value on as it is."""
    node = graph.node(name)
    if node.op in _HANDS_ON:
        plain = spellings.OF_VALUES.get(node.op, node.op)
        attrs = Edited(node.attrs, {"T": dtype})
        put(graph, name, replace(node, op=plain, attrs=attrs, outputs=()))
        return (0, 1) if plain == "Switch" else (0,)
    if node.op == "IdentityN":
        types = list(node.attrs["T"])
        types[slot] = dtype
        put(graph, name, replace(node, attrs={"T": tuple(types)}, outputs=()))
        return (slot,)
    if node.op in _READERS:
        _READERS[node.op](graph, name, dtype)
        return ()
    if bodies is not None and bodies.calls(node):
        return bodies.retype(graph, name, slot, dtype)
    definition = op_registry.find(node.op)
    if definition is not None and not definition.output_arg:
        return ()  # an assignment: nothing can read what it gives, so pruning drops it
    raise NotExpressible(
        f"{node.op} (node {name!r}) works on a variable, which a frozen graph has none of; cut the graph behind it "
        "(--output) or before it (--input)"
    )


def _read(graph: Graph, name: str, dtype: str) -> None:
    put(graph, name, replace(graph.node(name), op="Identity", attrs={"T": dtype}))


def _gather(graph: Graph, name: str, dtype: str) -> None:
    """``ResourceGather(handle, indices)`` is ``GatherV2`` along the axis after the batch dimensions."""
    node = graph.node(name)
    batch = int(node.attrs.get("batch_dims") or 0)
    axis = fresh(graph, f"{name}/axis")
    value = np.asarray(batch, np.int32)
    controls = (
        node.controls
    )  # in a loop or a branch the constant belongs where the node belongs
    put(graph, axis, Node("Const", {"dtype": "int32", "value": value}, (), controls))
    attrs = {
        "Tparams": dtype,
        "Tindices": node.attrs["Tindices"],
        "Taxis": "int32",
        "batch_dims": batch,
    }
    inputs = [*graph.inputs(name)[:2], Tensor(axis)]
    put(graph, name, replace(node, op="GatherV2", attrs=attrs), inputs)


def _gather_nd(graph: Graph, name: str, dtype: str) -> None:
    node = graph.node(name)
    attrs = {"Tparams": dtype, "Tindices": node.attrs["Tindices"]}
    put(graph, name, replace(node, op="GatherNd", attrs=attrs))


def _shape(graph: Graph, name: str, dtype: str) -> None:
    node = graph.node(name)
    attrs = {"T": dtype, "out_type": node.attrs.get("out_type") or "int32"}
    put(graph, name, replace(node, op="Shape", attrs=attrs))


def _is_initialised(graph: Graph, name: str, dtype: str) -> None:
    node = graph.node(name)
    attrs = {"dtype": "bool", "value": np.asarray(True)}
    put(graph, name, Node("Const", attrs, (), node.controls, node.device), ())


_READERS = {
    "ReadVariableOp": _read,
    "ResourceGather": _gather,
    "ResourceGatherNd": _gather_nd,
    "VariableShape": _shape,
    "VarIsInitializedOp": _is_initialised,
    "IsVariableInitialized": _is_initialised,
}


_TABLES = ("HashTable", "MutableHashTable", "MutableHashTableOfTensors")


def drop_references(graph: Graph) -> None:
    """Give every node plain dtypes and ops that take values: nothing yields a reference any more.

    An assignment that something reads becomes the value that it would have assigned. Raises NotExpressible where an op can only
    work on a reference.
    """
    for name in list(graph):
        node = graph.node(name)
        if node.op == "RefIdentity" and graph.op(_behind(graph, name)) in _TABLES:
            continue
        if node.op in spellings.OF_VALUES:
            node = replace(node, op=spellings.OF_VALUES[node.op])
        elif node.op == "IsVariableInitialized":
            _is_initialised(graph, name, "bool")
            continue
        elif node.op == "Assign":
            attrs = {"T": str(node.attrs.get("T", "float32")).removesuffix("_ref")}
            identity = replace(node, op="Identity", attrs=attrs, outputs=())
            put(graph, name, identity, graph.inputs(name)[1:])
            continue
        elif node.op in _UPDATES:
            node = replace(
                node,
                op=_UPDATES[node.op],
                attrs=Edited(node.attrs, {"use_locking": None}),
            )
        elif _wants_reference(node):
            raise NotExpressible(
                f"{node.op} (node {name!r}) changes a variable, which a frozen graph has none of; cut the graph behind "
                "it (--output) or before it (--input)"
            )
        changes = {k: v for k, v in _plain_types(node.attrs)}
        if changes:
            node = replace(node, attrs=Edited(node.attrs, changes))
        if node is not graph.node(name):
            put(graph, name, node)


def _wants_reference(node: Node) -> bool:
    definition = op_registry.find(node.op)
    arguments = definition.input_arg if definition is not None else ()
    return any(arg.is_ref and arg.name != "table_handle" for arg in arguments)


def _behind(graph: Graph, name: str) -> str:
    return table_behind(graph, Tensor(name))


def _plain_types(attrs: Attributes) -> list[tuple[str, Any]]:
    """The type attributes that name a reference, made plain."""
    from ...wire import messages as proto
    from ...wire.write import raw_attrs

    plain: list[tuple[str, Any]] = []
    for name, message in raw_attrs(attrs):
        if message.WhichOneof("value") == "type" and message.type > proto.REF:
            plain.append((name, attrs[name].removesuffix("_ref")))
        elif message.WhichOneof("value") == "list" and any(
            number > proto.REF for number in message.list.type
        ):
            plain.append((name, tuple(t.removesuffix("_ref") for t in attrs[name])))
    return plain
