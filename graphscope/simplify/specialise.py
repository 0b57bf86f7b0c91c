"""Graph -> Graph for one mode: placeholders get a value, and the conds that they switch are folded.

TensorFlow 1's conds are Switch and Merge: a Switch whose predicate is known leaves one side dead, and deadness spreads to all
that reads it, up to the Merge where the sides meet. TensorFlow 2's are nodes that name a function for each branch: the one
that is taken is called, and the call inlined.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import ops
from ..graph import Function, FunctionRef, Graph, Node, Tensor, TensorSpec
from ..graph.edit import duplicate, put, put_constant, redirect
from ..graph.named_values import Attributes
from ..ops import spellings
from ..wire.write import Edited
from .inline import flatten
from .prune import existing

SMALL = 64  # elements; a predicate is one, a shape that it is computed from a few
_PASS = frozenset(
    {
        *spellings.ENTERS,
        *"Identity StopGradient LoopCond PlaceholderWithDefault".split(),
    }
)
_IFS = (*spellings.IFS, *spellings.CASES)


def specialise(
    graph: Graph,
    values: Mapping[str, object],
    functions: Mapping[str, Function] | None = None,
) -> Graph:
    """The graph in which each placeholder of ``values`` is the constant values for it, with what follows folded.

    The graph itself where nothing is chosen. Raises GraphError where a name is not in the graph. Conds of TensorFlow 2 are
    folded where ``functions`` has their branches.
    """
    if not values and next(_predicates(graph), None) is None:
        return graph
    copy = duplicate(graph)
    for name, value in values.items():
        node = existing(copy, name).node
        _set_constant(copy, node, value)
    if functions:
        copy = _take_branches(copy, functions)
    constants = _known(copy)
    switches = {
        name: bool(constants[predicate])
        for name in copy.by_op(*spellings.SWITCHES)
        if (predicate := _predicate(copy, name)) in constants
        and constants[predicate].size == 1
    }
    if switches:
        copy = _without_dead(copy, switches)
    for name in list(copy.by_op("Select")):
        _fold_select(copy, name, constants)
    return copy


def _set_constant(graph: Graph, name: str, value: object) -> None:
    old = graph.node(name)
    dtype = str(old.attrs.get("dtype") or np.asarray(value).dtype.name)
    array = np.asarray(value).astype(dtype)
    attrs = {"dtype": dtype, "value": array}
    put(graph, name, Node("Const", attrs, (), old.controls, old.device), ())


def _predicate(graph: Graph, switch: str) -> Tensor:
    inputs = graph.inputs(switch)
    return inputs[1] if len(inputs) == 2 else Tensor("")


def _known(graph: Graph) -> dict[Tensor, np.ndarray]:
    """The small values that can be told without running: what predicates are made of."""
    values: dict[Tensor, np.ndarray] = {}
    asked = graph.upstream(_predicates(graph))
    stack: list[str] = []

    def learn(tensor: Tensor, value: Any) -> None:
        if value is not None and tensor not in values:
            values[tensor] = value
            stack.extend(n for n, _ in graph.consumers(*tensor) if n in asked)

    for name in graph.by_op("Const"):
        if name in asked and _is_small(graph.attrs(name)):
            learn(Tensor(name), graph.attrs(name).get("value"))
    while stack:
        name = stack.pop()
        for port, value in enumerate(_evaluate(graph, name, values)):
            learn(Tensor(name, port), value)
    return values


def _predicates(graph: Graph) -> Iterator[str]:
    for name in graph.by_op(*spellings.SWITCHES, *_IFS, "Select"):
        inputs = graph.inputs(name)
        if inputs:
            yield inputs[-1 if graph.op(name) in spellings.SWITCHES else 0].node


def _is_small(attrs: Attributes) -> bool:
    """Told from the shape where it can be, so that large values stay unread."""
    spec = getattr(attrs, "spec", None)
    if spec is not None and "value" in attrs:
        shape = spec("value").shape
    else:
        shape = getattr(attrs.get("value"), "shape", None)
    if shape is None or None in shape:
        return False
    return math.prod(shape) <= SMALL


def _evaluate(
    graph: Graph, name: str, values_: Mapping[Tensor, np.ndarray]
) -> Iterator[np.ndarray | None]:
    node, inputs = graph.node(name), graph.inputs(name)
    values = [values_.get(tensor) for tensor in inputs]
    if node.op in _PASS and values:
        yield values[0]
    elif node.op in ("LogicalAnd", "LogicalOr"):
        yield _logical(node.op == "LogicalOr", values)
    elif all(value is not None for value in values) and node.op not in spellings.MERGES:
        specs = [TensorSpec(v.dtype.name, v.shape) for v in values if v is not None]
        for value in ops.values(ops.Call(node.op, node.attrs, specs, values, name), 1):
            small = isinstance(value, np.ndarray) and value.size <= SMALL
            yield value if small else None  # type: ignore[misc]


def _logical(decides: bool, values: list[np.ndarray | None]) -> np.ndarray | None:
    """``or`` is true as soon as one side is; ``and`` false as soon as one side is."""
    if any(v is not None and v.size == 1 and bool(v) is decides for v in values):
        return np.asarray(decides)
    return None if any(v is None for v in values) else np.asarray(not decides)


def _without_dead(graph: Graph, switches: Mapping[str, bool]) -> Graph:
    """The graph less the sides that are never side."""
    dead = _dead(graph, switches)
    merges = {
        n: graph.inputs(n)
        for n in graph.by_op(*spellings.MERGES)
        if n not in dead.nodes
    }
    copy = duplicate(graph, dead.nodes)
    for name, inputs in merges.items():
        living = [(i, t) for i, t in enumerate(inputs) if t not in dead]
        if len(living) < len(inputs):
            _set_merge(copy, name, living)
    for name, side in switches.items():
        if name in copy:
            source = copy.inputs(name)[0]
            redirect(copy, Tensor(name, int(side)), source)
            put(copy, name, _identity(copy.node(name), "T"), [source])
    return copy


class _Dead:
    """The nodes and ports that no value ever reaches."""

    def __init__(self) -> None:
        self.nodes: set[str] = set()
        self.ports: set[Tensor] = set()

    def __contains__(self, tensor: Tensor) -> bool:
        return tensor.node in self.nodes or tensor in self.ports


def _dead(graph: Graph, switches: Mapping[str, bool]) -> _Dead:
    dead, waiting = _Dead(), _control_readers(graph)
    stack: list[tuple[str, bool]] = []

    def spread(name: str, port: int | None) -> None:
        stack.extend((reader, False) for reader, _ in graph.consumers(name, port))

    for name, side in switches.items():
        dead.ports.add(Tensor(name, int(not side)))
        spread(name, int(not side))
    while stack:
        name, by_control = stack.pop()
        if name in dead.nodes:
            continue
        merge = graph.op(name) in spellings.MERGES and not by_control
        if merge and not all(tensor in dead for tensor in graph.inputs(name)):
            continue
        dead.nodes.add(name)
        spread(name, None)
        stack.extend((reader, True) for reader in waiting.get(name, ()))
    return dead


def _control_readers(graph: Graph) -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {}
    for name in graph:
        for source in graph.node(name).controls:
            readers.setdefault(source, []).append(name)
    return readers


def _set_merge(graph: Graph, name: str, living: list[tuple[int, Tensor]]) -> None:
    node = graph.node(name)
    if len(living) > 1:
        fewer = Edited(node.attrs, {"N": len(living)})
        put(graph, name, replace(node, attrs=fewer), [tensor for _, tensor in living])
        return
    index, tensor = living[0]
    if graph.consumers(name, 1):
        number = put_constant(graph, f"{name}/value_index", index)
        redirect(graph, Tensor(name, 1), number)
    put(graph, name, _identity(node, "T"), [tensor])


def _identity(node: Node, dtype: str) -> Node:
    dtype_name = str(node.attrs.get(dtype, "float32")).removesuffix("_ref")
    return Node(
        "Identity", {"T": dtype_name}, node.outputs[:1], node.controls, node.device
    )


def _fold_select(graph: Graph, name: str, values: Mapping[Tensor, np.ndarray]) -> None:
    """``Select`` with one values condition: its two sides have one shape, so that either can stand for it."""
    inputs = graph.inputs(name)
    value = values.get(inputs[0]) if len(inputs) == 3 else None
    if value is not None and value.size == 1:
        chosen = inputs[1 if bool(value) else 2]
        put(graph, name, _identity(graph.node(name), "T"), [chosen])


def _take_branches(graph: Graph, functions: Mapping[str, Function]) -> Graph:
    """Call the branch that each If and Case with a values condition takes, until none is left."""
    while True:
        values, count = _known(graph), 0
        for name in list(graph.by_op(*_IFS)):
            inputs = graph.inputs(name)
            value = values.get(inputs[0]) if inputs else None
            branch = _branch(graph.node(name), value)
            if branch is not None and branch.name in functions:
                _call(graph, name, branch, inputs[1:])
                count += 1
        if not count:
            return graph
        graph = flatten(graph, functions)


def _branch(node: Node, value: np.ndarray | None) -> FunctionRef | None:
    if value is None or value.dtype == object:
        return None
    if node.op in spellings.IFS:
        name = "then_branch" if bool(np.any(value)) and value.size else "else_branch"
        reference = node.attrs.get(name)
        return reference if isinstance(reference, FunctionRef) else None
    branches = node.attrs.get("branches") or ()
    if not branches or value.size != 1:
        return None
    index = int(
        value.reshape(())
    )  # Case takes its last branch where the index is out of range
    return branches[index if 0 <= index < len(branches) else -1]


def _call(
    graph: Graph, name: str, branch: FunctionRef, inputs: tuple[Tensor, ...]
) -> None:
    node = graph.node(name)
    attrs = {
        "f": branch,
        "Tin": tuple(node.attrs.get("Tin") or ()),
        "Tout": tuple(node.attrs.get("Tout") or ()),
    }
    put(graph, name, replace(node, op="PartitionedCall", attrs=attrs), inputs)
