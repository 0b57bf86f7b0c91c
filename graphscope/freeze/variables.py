"""Graph -> Graph without variables: each becomes a Const, and what read, switched or passed it on is retyped.

A reference variable (``Variable``, ``VariableV2``) is a tensor already: what asked for the reference is given the value. A resource
variable (``VarHandleOp``) is followed from its handle through whatever hands it on (``Identity``, ``Switch``, ``Enter``, the arguments of
``If`` and ``While``) to the ops that read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import opdefs
from ..errors import GraphscopeError, MissingWeight, NotExpressible
from ..graph import Function, Graph, Model, Node, Tensor, did_you_mean
from ..simplify.rewire import duplicate, fresh, put
from ..write import Edited
from .stored import Stored, stored

REFERENCES = frozenset({"Variable", "VariableV2", "AutoReloadVariable"})
HANDLES = frozenset({"VarHandleOp"})
_PLAIN = {
    f"Ref{op}": op
    for op in ("Switch", "Merge", "Enter", "Exit", "NextIteration", "Identity")
}
_HANDS_ON = frozenset(
    "Identity Switch Merge Enter Exit NextIteration StopGradient PreventGradient".split()
) | frozenset(_PLAIN)
_UPDATES = {"AssignAdd": "Add", "AssignSub": "Sub"}


def freeze_variables(
    graph: Graph, model: Model, instead: Mapping[str, str] | None = None
) -> tuple[Graph, dict[str, Function]]:
    """The graph with constants for variables, and the functions of the library whose bodies had to change for it.

    ``instead`` maps variable nodes to the key of the weight to take in place of their own (a moving average). A variable
    without a value is left as it is: whether that matters is for ``check_values`` to say, after pruning. Raises NotExpressible
    where an op can only work on a variable.
    """
    from .bodies import Bodies

    made = duplicate(graph)
    frozen = _Values(model, instead or {})
    for name in list(made.by_op(*REFERENCES)):
        _place(made, name, frozen.of(name))
    bodies = Bodies(model.functions)
    handles = {
        Tensor(name): dtype
        for name in list(made.by_op(*HANDLES))
        if (dtype := _place(made, name, frozen.of(name)))
    }
    retype_handles(made, handles, bodies)
    drop_references(made)
    return made, bodies.made


def check_values(graph: Graph, model: Model) -> None:
    """Raise MissingWeight where a variable is left, naming the nearest that the checkpoint holds."""
    left = list(graph.by_op(*REFERENCES, *HANDLES))
    if not left:
        return
    name = left[0]
    key = model.keys.get(name, name)
    others = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
    where = model.source or "the file"
    if not len(model.weights):
        raise MissingWeight(
            f"variable {name!r}{others} has no value: {where} holds a graph without weights; pass its checkpoint too"
        )
    raise MissingWeight(
        f"variable {name!r}{others} has no value in {where}{did_you_mean(key, model.weights)}"
    )


class _Values:
    """Which weight a variable node takes its value from."""

    def __init__(self, model: Model, instead: Mapping[str, str]) -> None:
        self.model, self.instead = model, instead

    def of(self, name: str) -> Stored | None:
        weights, node = self.model.weights, self.model.graph.node(name)
        shared = node.attrs.get("shared_name") or name
        keys = (self.instead.get(name), self.model.keys.get(name), name, shared)
        for key in keys:
            if key is not None and key in weights:
                return _checked(name, node, stored(weights, key), key)
        return None


def _checked(name: str, node: Node, value: Stored, key: str) -> Stored:
    """The value, if it has the dtype and shape that the graph declares."""
    dtype = str(node.attrs.get("dtype", value.dtype)).removesuffix("_ref")
    shape = node.attrs.get("shape")
    fits = not shape or len(shape) == len(value.shape)
    if fits and shape:
        fits = all(want in (None, got) for want, got in zip(shape, value.shape))
    if dtype != value.dtype or not fits:
        raise GraphscopeError(
            f"variable {name!r} is declared as {dtype} {_sizes(shape)}, but the checkpoint holds {value.dtype} "
            f"{_sizes(value.shape)} under {key!r}: graph and checkpoint are not of one model"
        )
    return value


def _sizes(shape: Any) -> str:
    return "of unknown rank" if shape is None else str([s or "?" for s in shape])


def _place(graph: Graph, name: str, value: Stored | None) -> str:
    """Put the Const in the variable's place; its dtype, or ``""`` where there is no value."""
    if value is None:
        return ""
    old = graph.node(name)
    put(graph, name, Node("Const", value, (), old.controls, old.device), ())
    return value.dtype


def retype_handles(graph: Graph, handles: Mapping[Tensor, str], bodies: Any) -> None:
    """Follow handles that have become values of the given dtype, and rewrite all that takes them.

    Raises NotExpressible where an op can only work on a variable.
    """
    stack = list(handles.items())
    seen: set[tuple[str, int, Tensor]] = set()
    while stack:
        tensor, dtype = stack.pop()
        for name, slot in graph.consumers(*tensor):
            if (name, slot, tensor) in seen:
                continue
            seen.add((name, slot, tensor))
            passed = _rewrite(graph, name, slot, dtype, bodies)
            stack += [(Tensor(name, port), dtype) for port in passed]


def _rewrite(
    graph: Graph, name: str, slot: int, dtype: str, bodies: Any
) -> tuple[int, ...]:
    """Let one reader of a handle take the value; the ports on which it hands the value on as it is."""
    node = graph.node(name)
    if node.op in _HANDS_ON:
        plain = _PLAIN.get(node.op, node.op)
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
    definition = opdefs.find(node.op)
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


def drop_references(graph: Graph) -> None:
    """Give every node plain dtypes and ops that take values: nothing yields a reference any more.

    An assignment that something reads becomes the value that it would have assigned. Raises NotExpressible where an op can only
    work on a reference.
    """
    for name in list(graph):
        node = graph.node(name)
        if node.op in _PLAIN:
            node = replace(node, op=_PLAIN[node.op])
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
    definition = opdefs.find(node.op)
    return definition is not None and any(arg.is_ref for arg in definition.input_arg)


def _plain_types(attrs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The type attributes that name a reference, made plain."""
    from ..read import proto
    from ..write import raw_attrs

    found: list[tuple[str, Any]] = []
    for name, message in raw_attrs(attrs):
        if message.WhichOneof("value") == "type" and message.type > proto.REF:
            found.append((name, attrs[name].removesuffix("_ref")))
        elif message.WhichOneof("value") == "list" and any(
            number > proto.REF for number in message.list.type
        ):
            found.append((name, tuple(t.removesuffix("_ref") for t in attrs[name])))
    return found
