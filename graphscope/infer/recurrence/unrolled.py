"""Op graph -> op graph in which a chain of equal steps is a loop again, where that loop is a recurrent layer; else it stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...graph import Function, Graph, Loop, Model, Shape, Tensor
from ...graph.edit import put
from ...graph.order import is_acyclic
from ...match import Size, View
from ...simplify.control_flow.collapse_loops import loops_to_layers
from ...simplify.prune import prune
from ...simplify.rewrites.dropout import RATE, without_dropouts
from ...simplify.state import State
from ...simplify.unrolled.find import turn_ends
from ...simplify.unrolled.roll import roll_chains
from ..layers.loops import lift, loop_layers
from ..shapes.forward import infer_facts

if TYPE_CHECKING:
    from .turn.turns import Recurrence


def roll_recurrences(
    graph: Graph, model: Model, outputs: Sequence[Tensor], shapes: Mapping[str, Shape]
) -> tuple[Graph, dict[str, Function]]:
    """The graph with such loops, and their functions; the graph itself where it has none.

    ``model`` is the file's, its calls inlined; ``shapes`` are shapes of feeds that replace what it says.
    """
    ends = frozenset(tensor.node for tensor in outputs)
    quiet = without_dropouts(graph)
    rolled, functions = roll_chains(quiet, ends)
    if not functions or not outputs or not is_acyclic(rolled, turn_ends(rolled)):
        return graph, {}
    recurrent = _recurrent(prune(rolled, outputs), functions, model, outputs, shapes)
    whiles = frozenset(name for name in rolled if name not in graph) & {
        name.removesuffix("_body") for name in functions
    }
    if not recurrent:
        return graph, {}
    if whiles - recurrent:
        rolled, functions = roll_chains(quiet, ends, whiles - recurrent)
    if quiet is not graph:
        _drop_again(rolled, graph)
    return prune(rolled, outputs), functions


def _drop_again(rolled: Graph, graph: Graph) -> None:
    """The dropouts outside of the steps as they were, in place."""
    for name in rolled:
        node = rolled.node(name)
        if node.op == "Identity" and RATE in node.attrs:
            put(rolled, name, graph.node(name), graph.inputs(name))


def _recurrent(
    graph: Graph,
    functions: Mapping[str, Function],
    model: Model,
    outputs: Sequence[Tensor],
    shapes: Mapping[str, Shape],
) -> frozenset[str]:
    """The Whiles that are recurrent layers."""
    from .opening.splice import is_open_to, splice
    from .settle import read_recurrences

    flat = replace(model, functions={**model.functions, **functions})
    lifted = lift(graph, flat, outputs, shapes)
    library = {**flat.functions, **lifted.functions}
    facts = infer_facts(lifted.graph, functions=library, given=shapes)
    loops = loop_layers(lifted.graph, lifted, facts, library)
    state = State(flat, lifted.graph, outputs=tuple(outputs), facts=facts, loops=loops)
    layered = loops_to_layers(state).graph
    nodes = ((name, layered.node(name)) for name in layered)
    names = [n for n, node in nodes if isinstance(node, Loop) and is_open_to(node)]
    spliced, values = splice(layered, names), state.constants.value
    by_loop = read_recurrences(spliced, state.specs, values)
    view = spliced.view(state.specs, values)
    recurrent: set[str] = set()
    for name, recurrences in by_loop.items():
        if recurrences and not any(_is_pair(view, each) for each in recurrences):
            recurrent |= set(_whiles(layered.node(name)))
    return frozenset(recurrent)


def _is_pair(view: View, recurrence: Recurrence) -> bool:
    """Whether a cell of no class runs twice: so does many a thing that nobody calls a sequence."""
    sizes = {view.axis_size(r.sequence, r.axis) for r in recurrence.readings.values()}
    return recurrence.step is not None and sizes == {Size(2)}


def _whiles(loop: object) -> list[str]:
    """The Whiles that a Loop is made of, under the names that they had."""
    if not isinstance(loop, Loop) or loop.function is None:
        return []
    return list(loop.function.graph)
