"""Variables that a run of the model itself writes and the next run reads: its states, as pairs of what is read and what is written.

A recurrent net that remembers keeps its cells so (``previous_state_c``), a stateful Keras layer too. No state is what training writes (moving
statistics and averages), nor what a restore or an initialiser writes: a run of the outputs itself must write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from ...graph import Graph, Model, Node, Tensor
from ...graph.edit import fresh, put, redirect
from ...graph.named_values import Document
from ...infer.outputs.answer import Candidate
from ...infer.training.roles import Training
from ...ops import spellings
from ..inputs import CUT
from ..report import Change
from .moving_averages import VARIABLES, find_averages, variable_of

STATES = ("constant", "inputs")
_READS = ("Identity", "ReadVariableOp")
# Numbers that are read to describe a state: ``inspect`` reads no weights.
_FEW = 1 << 16


class State(NamedTuple):
    """A variable, what is written into it, and the nodes that write."""

    variable: str
    value: Tensor
    writers: tuple[str, ...]


def find_states(graph: Graph, outputs: Sequence[Tensor]) -> list[State]:
    """The states of a flat graph (the whole of it, not pruned) that the outputs read and a run of them writes, in the graph's order."""
    ends = [tensor.node for tensor in outputs]
    needed, run = graph.upstream(ends), graph.upstream(ends, control=True)
    written: dict[str, list[tuple[str, Tensor]]] = {}
    for name in graph.by_op(*spellings.ASSIGNS):
        inputs = graph.inputs(name)
        if name not in run or len(inputs) != 2:
            continue
        variable = variable_of(graph, inputs[0])
        if variable in needed and _is_computed(graph, inputs[1]):
            written.setdefault(variable, []).append((name, inputs[1]))
    if not written:
        return []
    averages = find_averages(graph)
    trained = {*averages.of.values(), *averages.statistics}
    return [
        State(variable, writes[-1][1], tuple(name for name, _ in writes))
        for variable, writes in written.items()
        if variable not in trained and len({value for _, value in writes}) == 1
    ]


def _is_computed(graph: Graph, value: Tensor) -> bool:
    """Whether a value follows from a feed or from a variable, and is more than that."""
    if graph.op(value.node).startswith("Placeholder"):
        return False
    above = graph.upstream([value.node])
    kinds = {graph.op(name) for name in above}
    return bool(kinds & VARIABLES) or any(op.startswith("Placeholder") for op in kinds)


_SET_UP = frozenset("initialiser restore optimizer metric".split())
"""Roles of writes that no run of the outputs makes."""


def describe_states(
    model: Model, study: Training, outputs: Sequence[Candidate]
) -> list[Document]:
    """The states of a flat model behind its likely outputs: ``variable``, ``dtype``, ``shape``, the ``next`` tensor that is
    written, and the ``initial`` value, in words; "" where the file holds none, or many numbers, which would have to be read.
    """
    writes = study.flow.by_kind(spellings.ASSIGNS.__contains__)
    if all(study.roles.get(i) in _SET_UP for i in writes):
        return []
    described: list[Document] = []
    for state in find_states(model.graph, [c.tensor for c in outputs]):
        attrs = model.graph.attrs(state.variable)
        described.append(
            {
                "variable": state.variable,
                "dtype": _dtype(model.graph, state.variable),
                "shape": list(attrs.get("shape") or ()),
                "next": str(state.value),
                "initial": _initial(model, state.variable),
            }
        )
    return described


def _initial(model: Model, variable: str) -> str:
    key = model.keys.get(variable, variable)
    sizes = model.graph.attrs(variable).get("shape") or ()
    if not model.weights.has_value(key) or prod(n or 1 for n in sizes) > _FEW:
        return ""
    value = np.asarray(model.value(variable))
    if not value.size or value.dtype.kind not in "fiub":
        return ""
    low, high = (f"{v:.4g}" for v in (value.min(), value.max()))
    return low if low == high else f"{low} to {high}"


def return_states(graph: Graph, states: Sequence[State]) -> list[Tensor]:
    """Let what each state becomes be a tensor of its own, in place: ``Assign(c, value) -> c/next = Identity(value)``."""
    returned = []
    for state in states:
        dtype = str(_dtype(graph, state.variable))
        name = fresh(graph, f"{state.variable}/next")
        attrs = {"T": dtype, CUT: str(state.value)}
        put(graph, name, Node("Identity", attrs), [state.value])
        _read_what_was_written(graph, state)
        returned.append(Tensor(name))
    return returned


def _dtype(graph: Graph, variable: str) -> str:
    return str(graph.attrs(variable).get("dtype", "float32")).removesuffix("_ref")


def _read_what_was_written(graph: Graph, state: State) -> None:
    """A read that waits for the write reads the new value."""
    for name in list(graph.by_op(*_READS)):
        inputs = graph.inputs(name)
        if not inputs or variable_of(graph, inputs[0]) != state.variable:
            continue
        waits = set(graph.node(name).controls)
        for source in list(waits):
            if source in graph and graph.op(source) == "NoOp":
                waits.update(graph.node(source).controls)
        if waits & set(state.writers):
            redirect(graph, Tensor(name), state.value)


def feed_states(graph: Graph, states: Sequence[State]) -> list[Change]:
    """Constants that stand for states -> inputs whose default they are, in place: ``c = Const -> c = PlaceholderWithDefault(c/initial)``."""
    changes = []
    for state in states:
        name = state.variable
        if name not in graph or graph.op(name) != "Const":
            continue
        initial = fresh(graph, f"{name}/initial")
        constant = graph.node(name)
        put(graph, initial, constant, ())
        shape = getattr(constant.attrs, "shape", None)
        if shape is None:
            shape = constant.attrs["value"].shape
        attrs = {"dtype": str(constant.attrs["dtype"]), "shape": tuple(shape)}
        put(graph, name, Node("PlaceholderWithDefault", attrs), [Tensor(initial)])
        text = f"the state {name} became an input, its stored value the default, and {name}/next an output"
        changes.append(Change(text, (name,)))
    return changes
