"""Which checkpoint key fills which variable of a graph, by the graph's own restore wiring.

``RestoreV2 -> (Identity ...) -> Assign / AssignVariableOp -> variable``, through function bodies where a SavedModel
restores in one. Where a graph has no such wiring, the names must do. The idea is OpenVINO's ``map_assignvariable``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import FormatError
from ...graph import Function, FunctionRef, Graph, Tensor, Weights
from ..weights.partitions import parse_slice, slice_text

VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable")
_RESTORES = ("RestoreV2", "Restore", "RestoreSlice")
ASSIGN_OPS = ("Assign", "AssignVariableOp")
_THROUGH = ("Identity", "IdentityN", "Cast", "Reshape", "CheckNumerics", "EnsureShape")
_REFS = ("Identity", "Switch", "RefSwitch", "Enter", "RefEnter", "RefIdentity")
_MOST_STEPS = 64
_MOST_SCOPES = 6


def keys_of(
    graph: Graph, functions: Mapping[str, Function], weights: Weights
) -> dict[str, str]:
    """Variable node -> name in ``weights``."""
    keys = wired(graph, functions)
    for node in graph.by_op(*VARIABLE_OPS):
        if keys.get(node) in weights:
            continue
        for name in (node, str(graph.attrs(node).get("shared_name") or "")):
            if name in weights:
                keys[node] = name
                break
    keys.update(_by_moved_scope(graph, keys, weights))
    return keys


def keys_of_copied(
    graph: Graph, keys: Mapping[str, str], weights: Weights
) -> dict[str, str]:
    """Keys for variables without one that another is initialised from: what is restored into the copy is theirs.

    ``tf.saved_model.save`` of a Keras 3 model writes each variable twice, and restores the copies.
    """
    copied = {}
    for name in graph.by_op("AssignVariableOp"):
        copy, value = graph.inputs(name)[:2]
        key, reads = keys.get(copy.node), graph.inputs(value.node)
        if key not in weights or graph.op(value.node) != "ReadVariableOp":
            continue
        original = reads[0].node
        if graph.op(original) == "VarHandleOp" and keys.get(original) not in weights:
            copied[original] = str(key)
    return copied


def _by_moved_scope(
    graph: Graph, keys: Mapping[str, str], weights: Weights
) -> dict[str, str]:
    """Keys for the rest where one scope was put before all names, or taken away, since the checkpoint was written.

    The one prefix that explains most variables, by name and shape, explains them; no other is tried.
    """
    stored = set(keys.values())
    missing = [n for n in graph.by_op(*VARIABLE_OPS) if keys.get(n) not in weights]
    tails: dict[str, list[str]] = {}
    for name in weights if missing else ():
        if name not in stored:
            for _, tail in _tails(name):
                tails.setdefault(tail, []).append(name)
    moves: dict[tuple[str, str], dict[str, str]] = {}
    for node in missing:
        shape = graph.attrs(node).get("shape")
        for prefix, tail in _tails(node):
            for name in tails.get(tail, ()):
                added = name.removesuffix(tail)
                if (prefix == "") != (added == "") and weights.spec(
                    name
                ).shape == shape:
                    moves.setdefault((prefix, added), {}).setdefault(node, name)
    return max(moves.values(), key=len, default={})


def _tails(name: str) -> Iterator[tuple[str, str]]:
    """``("", "a/b/c"), ("a/", "b/c"), ("a/b/", "c")``: at most a few scopes are taken away."""
    prefix, tail = "", name
    for _ in range(_MOST_SCOPES):
        yield prefix, tail
        scope, slash, rest = tail.partition("/")
        if not slash:
            return
        prefix, tail = prefix + scope + slash, rest


def wired(graph: Graph, functions: Mapping[str, Function]) -> dict[str, str]:
    """Variable node -> checkpoint key, as far as restore ops in the graph or its functions tell."""
    keys: dict[str, str] = {}
    restoring = {
        name: dict(_restored(function.graph))
        for name, function in functions.items()
        if any(True for _ in function.graph.by_op(*_RESTORES))
    }
    for node, key in _restored(graph):
        if graph.op(node) in VARIABLE_OPS:
            keys.setdefault(node, key)
    if restoring:
        _through_calls(graph, functions, restoring, keys)
    return keys


def _through_calls(
    graph: Graph,
    functions: Mapping[str, Function],
    restoring: dict[str, dict[str, str]],
    keys: dict[str, str],
) -> None:
    """Carry what a function restores into its arguments out to the nodes that its callers pass."""
    waiting = list(restoring)
    calls = [(None, graph), *((name, f.graph) for name, f in functions.items())]
    sites: dict[str, list[tuple[str | None, Graph, str]]] = {}
    for owner, body in calls:
        for name in body:
            for value in (body.attrs(name).get("f"),):
                if isinstance(value, FunctionRef):
                    sites.setdefault(value.name, []).append((owner, body, name))
    done: set[str] = set()
    while waiting:
        callee = waiting.pop()
        if callee in done or callee not in functions:
            continue
        done.add(callee)
        arguments = functions[callee].arguments
        for owner, body, call in sites.get(callee, ()):
            passed = dict(zip(arguments, body.inputs(call)))
            for argument, key in restoring[callee].items():
                node = _reference(body, passed.get(argument))
                if node is None:
                    continue
                if owner is None:
                    if body.op(node) in VARIABLE_OPS:
                        keys.setdefault(node, key)
                elif body.op(node) == "_Arg":
                    restoring.setdefault(owner, {}).setdefault(node, key)
                    waiting.append(owner)


def _restored(graph: Graph) -> Iterator[tuple[str, str]]:
    """``(node that is assigned, key)`` for every restored tensor of a graph."""
    for node in graph.by_op(*_RESTORES):
        inputs = graph.inputs(node)
        names = _strings(graph, inputs[1]) if len(inputs) > 1 else []
        cuts = _strings(graph, inputs[2]) if len(inputs) > 2 else []
        consumers = _by_port(graph, node)
        for port, name in enumerate(names):
            cut = parse_slice(cuts[port]) if port < len(cuts) else None
            key = f"{name} {slice_text(*cut)}" if cut and _is_part(cut) else name
            for target in _assigned(graph, consumers.get(port, ())):
                yield target, key


def _is_part(cut: tuple[tuple[int, ...], Any]) -> bool:
    shape, extents = cut
    return any(part != (0, size) for part, size in zip(extents, shape))


def _strings(graph: Graph, tensor: Tensor) -> list[str]:
    node = tensor.node
    for _ in range(_MOST_STEPS):
        if graph.op(node) != "Identity":
            break
        inputs = graph.inputs(node)
        if not inputs:
            return []
        node = inputs[0].node
    if graph.op(node) != "Const":
        return []
    try:
        value = graph.attrs(node).get("value")
    except FormatError:
        return []
    if value is None or value.dtype != object:
        return []
    return [
        text.decode("utf-8", "surrogateescape")
        for text in value.ravel().tolist()
        if isinstance(text, bytes)
    ]


def _assigned(graph: Graph, starts: Iterable[tuple[str, int]]) -> Iterator[str]:
    """The nodes that a restored tensor is assigned to; ``starts`` are its consumers."""
    stack, visited = list(starts), set()
    while stack:
        target, slot = stack.pop()
        if (target, slot) in visited:
            continue
        visited.add((target, slot))
        op = graph.op(target)
        if op in ASSIGN_OPS and slot == 1:
            reference = _reference(graph, _first(graph, target))
            if reference is not None:
                yield reference
        elif op in _THROUGH:
            stack += graph.consumers(target, slot if op == "IdentityN" else 0)


def _by_port(graph: Graph, node: str) -> dict[int, list[tuple[str, int]]]:
    """The consumers of each output of a node: asking port by port would take their square."""
    by_port: dict[int, list[tuple[str, int]]] = {}
    for target, edges in graph[node].items():
        for slot, data in edges.items():
            by_port.setdefault(data["port"], []).append((target, slot))
    return by_port


def _first(graph: Graph, name: str) -> Tensor | None:
    inputs = graph.inputs(name)
    return inputs[0] if inputs else None


def _reference(graph: Graph, tensor: Tensor | None) -> str | None:
    """The variable or argument node that a reference or resource comes from."""
    for _ in range(_MOST_STEPS):
        if tensor is None:
            return None
        if graph.op(tensor.node) not in _REFS:
            return tensor.node
        tensor = _first(graph, tensor.node)
    return None


def variable_behind(graph: Graph, tensor: Tensor) -> str | None:
    """The variable node whose value, or reference to it, this tensor is; None where it is something else."""
    here: Tensor | None = tensor
    for _ in range(_MOST_STEPS):
        if here is None:
            return None
        op = graph.op(here.node)
        if op in VARIABLE_OPS:
            return here.node
        if op not in _REFS and op not in ("ReadVariableOp", "Cast"):
            return None
        here = _first(graph, here.node)
    return None
