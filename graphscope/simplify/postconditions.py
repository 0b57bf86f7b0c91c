"""What every pass must leave as it was: the outputs are there, the graph is whole and in order, no weight is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import BrokenPass
from ..graph import CONTROL, Graph, Layer, Node, WeightUse
from ..graph.order import is_acyclic
from ..ops import spellings
from .state import Pass, State

_VARIABLES = frozenset(spellings.VARIABLES)
_FLOATS = frozenset({"float16", "float32", "float64", "bfloat16"})


def check_pass(each: Pass, before: State, after: State) -> None:
    """Raise BrokenPass with all that a pass broke; what was broken before it (a damaged file) is not its fault."""
    faults = set(_faults(after)) - set(_faults(before))
    if not each.drops:
        lost = weights_of(before) - _names_behind(after)
        learned = (name for name in lost if not _is_mask(before.op_graph.node(name)))
        faults |= {f"the weight {name!r} is lost" for name in learned}
    if faults:
        raise BrokenPass(f"pass {each.name}: {'; '.join(sorted(faults)[:5])}")


def _faults(state: State) -> Iterator[str]:
    graph = state.graph
    for tensor in state.outputs:
        if graph.raised(tensor).node not in graph:
            yield f"the output {tensor} is lost"
    for name, data in graph._node.items():
        if "node" not in data:
            readers = ", ".join(map(repr, graph._succ[name]))
            yield f"{readers} reads {name!r}, which is not there"
        elif not _is_filled(graph, name, data["node"]):
            yield f"{name!r} lacks an input, or has one too many"
    for below, tensor in graph.graph.get("tensors", {}).items():
        if tensor.node not in graph:
            yield f"{below} is said to be {tensor}, which is not there"
    if not is_acyclic(graph):
        yield "the graph goes round in a circle"


def _is_filled(graph: Graph, name: str, node: Node) -> bool:
    """Whether the inputs are numbered without a gap, and are as many as the layer says."""
    slots = sorted(
        slot
        for edges in graph._pred[name].values()
        for slot in edges
        if slot != CONTROL
    )
    named = node.inputs if isinstance(node, Layer) else {}
    return slots == list(range(len(slots))) and len(named) in (0, len(slots))


def _is_mask(node: Node) -> bool:
    """Whether a constant has two values at most: ones, zeros, what hides the future; a formula may say that in words."""
    value = node.attrs.get("value")
    return isinstance(value, np.ndarray) and np.unique(value).size <= 2


def weights_of(state: State) -> set[str]:
    """The variables and arrays of numbers of the op graph that the outputs depend on; all where no output is known."""
    ops = state.op_graph
    return {
        name
        for name in _names_behind(state)
        if name in ops and "node" in ops._node[name] and _is_weight(ops.node(name))
    }


def _names_behind(state: State) -> set[str]:
    """The nodes of the op graph that the outputs depend on, those in the bodies of lifted loops too."""
    graph = state.graph
    names = graph.upstream(state.kept) if state.outputs else set(graph)
    inside = (name for body in state.lifted.functions.values() for name in body.graph)
    return {name for each in names for name in _stands_for(state, each)} | {*inside}


def _stands_for(state: State, name: str) -> Iterator[str]:
    """The nodes of the op graph that a node stands for, and those of the weights that it reads."""
    yield name
    node = state.graph._node[name].get("node")
    if isinstance(node, Layer):
        yield from node.members
        for use in node.weights.values():
            yield from use.nodes()
            if _is_computed(use):  # of whatever is above
                yield from state.op_graph.upstream(node.members)
    for region in state.lifted.regions:
        if region.node == name:
            yield from region.members


def _is_computed(use: WeightUse) -> bool:
    """Whether arithmetic on several weights made this one: then it is an array, or a function of the model."""
    return not use.node or any(step == "computed" for step, _ in use.steps)


def _is_weight(node: Node) -> bool:
    if node.op in _VARIABLES:
        return node.attrs.get("dtype") in _FLOATS
    if node.op != "Const" or node.attrs.get("dtype") not in _FLOATS:
        return False
    spec: Any = getattr(node.attrs, "spec", None)  # does not read the elements
    value: Any = node.attrs.get("value")
    shape = spec("value").shape if spec else np.shape(value)
    return bool(shape) and shape != (1,)
