"""A pruned graph -> the graph that layers are looked for in: shapes known as far as they can be, arithmetic on them settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...graph import Graph, Shape
from ...ops.values.facts import FactsOf
from ...simplify.control_flow.selects_to_conds import CHOICE, outline_choices
from ...simplify.shapes.crops import crop_transposed_convolutions
from ...simplify.shapes.fold_sizes import fold_sizes
from ...simplify.shapes.split_slices import split_slices
from ...simplify.state import State
from .backward import implied_shapes
from .forward import Inference, inference
from .probes import probe

_ROUNDS = 4  # conditions that decide conditions are nested no deeper in any model seen


def infer_sizes(state: State) -> State:
    """A graph -> the same graph, with what is known of each tensor, for any size that its feeds leave open."""
    graph, shapes = state.graph, state.shapes
    run = _infer(state, shapes)
    implied = implied_shapes(graph, FactsOf(run.facts), state.switches)
    shapes = {**{name: each.shape for name, each in implied.items()}, **shapes}
    if implied:
        run = run.again(shapes)
    facts = dict(FactsOf(run.facts))
    probes = probe(
        graph, facts, lambda sizes: FactsOf(run.again({**shapes, **sizes}).facts)
    )
    return replace(state, facts=facts, implied=implied, probes=probes, inferred=graph)


def _infer(state: State, shapes: Mapping[str, Shape]) -> Inference:
    producer = state.model.versions.get("producer")
    return inference(
        state.graph, functions=state.functions, given=shapes, producer=producer
    )


def infer_again(state: State) -> State:
    """A graph that was rewritten since its facts were inferred -> the same graph with facts of its own."""
    if state.inferred is state.graph:
        return state
    implied = {name: each.shape for name, each in state.implied.items()}
    facts = dict(FactsOf(_infer(state, {**implied, **state.shapes}).facts))
    return replace(state, facts=facts, inferred=state.graph)


def resolve_choices(state: State) -> State:
    """A condition between tensors of different shapes that sizes decide -> the side that they choose.

    ``If(Shape(x)[1] > 4, x[:, :4], x) -> x[:, :4]`` lets more sizes be known, which may decide others: as many rounds of the
    passes before as there is something to decide.
    """
    for _ in range(_ROUNDS):
        state = _resolved(state)
        outlined = _outlined(state)
        if outlined is state:
            break
        state = infer_sizes(outlined)
    return state


def _resolved(state: State) -> State:
    left = _choices(state.graph)
    for _ in range(_ROUNDS):
        if not left:
            break
        before = state.graph
        for each in (infer_sizes, *ROUND):
            state = each(state)
        left = _choices(state.graph)
        if state.graph is before:
            break
    return state


def _outlined(state: State) -> State:
    """``Select(p, x, y) -> If(p, x, y)`` where a cond was taken for a selection and some size gives its sides two shapes."""
    names = [
        name
        for name in state.graph.by_op("SelectV2")
        if CHOICE in state.graph.attrs(name) and _differs(state, name)
    ]
    if not names:
        return state
    graph, functions, regions = outline_choices(state.graph, names, state.functions)
    lifted = replace(
        state.lifted,
        functions={**state.lifted.functions, **functions},
        regions=(*state.lifted.regions, *regions),
    )
    return replace(state.become(graph), lifted=lifted)


def _differs(state: State, name: str) -> bool:
    """Whether the sides of a selection differ in shape under a choice of sizes."""
    sides = state.graph.inputs(name)[1:]
    for facts in state.probes:
        yes, no = (facts[t].spec.shape if t in facts else None for t in sides)
        if yes is not None and no is not None and yes != no:
            return None not in (*yes, *no) or len(yes) != len(no)
    return False


ROUND = (fold_sizes, crop_transposed_convolutions, split_slices, infer_again)


def _choices(graph: Graph) -> int:
    return sum(1 for name in graph if CHOICE in graph.attrs(name))
