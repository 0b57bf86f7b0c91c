"""What the outputs need at inference: modes set, training gone, loops and tables as one node each."""

from __future__ import annotations

from dataclasses import replace

from ...graph.edit import bypass_calls, duplicate
from ...infer.layers import loops
from ...infer.lookup_tables import table_contents
from ...infer.recurrence.unrolled import roll_recurrences
from ...infer.training import roles
from ...simplify.derivatives.join import join_derivatives as joined
from ...simplify.prune import prune
from ...simplify.rewrites import dropout, stored_bits
from ...simplify.rewrites.layouts import drop_transposes
from ...simplify.rewrites.sparse import join_sparse_feeds
from ...simplify.rewrites.stored_ranges import read_stored_ranges
from ...simplify.rewrites.tables import fill_lookups
from ...simplify.specialise import specialise
from ...simplify.state import Pass, State

SIDE = "of a cond, the side that inference doesn't take"


def set_modes(state: State) -> State:
    """A feed that switches a mode -> the value that inference gives it, and the side of a cond that it chooses.

    ``Merge(Switch(x, is_training) ...) -> x`` of the side for inference; a dropout's rate is not chosen but stays that of training.
    """
    functions, graph = state.model.functions, dropout.keep_rates(
        state.graph, state.modes
    )
    return state.become(specialise(graph, state.modes, functions=functions))


def store_ranges(state: State) -> State:
    """A range that the run moves -> the range that is stored: quantisation-aware training in use.

    ``FakeQuant(x, AssignSub(min, ...), AssignSub(max, ...)) -> FakeQuant(x, min, max)``.
    """
    return state.become(read_stored_ranges(state.graph)[0])


def drop_training(state: State) -> State:
    """What exists only to train, save or summarise -> nothing, where no output is known.

    ``loss, gradients/..., Adam, save/SaveV2 -> ()``.
    """
    if state.outputs:
        return state
    return state.become(roles.drop_training(state.graph, state.roles))


def drop_unneeded(state: State) -> State:
    """What no output depends on -> nothing; who reads an inlined call reads what it returned.

    ``IdentityN(a, b):1 -> b``.
    """
    if not state.outputs:
        return state
    graph = state.graph
    if next(graph.by_op("IdentityN"), None) is not None:
        graph = duplicate(graph)
        bypass_calls(graph)
    return state.become(prune(graph, state.outputs))


def join_derivatives(state: State) -> State:
    """What tf.gradients or a tape made to differentiate by a feed -> one node that differentiates.

    ``MatMul(TanhGrad(Tanh(h), MatMul(ones_like(y), v)), w) -> Gradient(y, x)``.
    """
    if not state.outputs:
        return state
    return state.become(joined(state.graph, state.model, state.outputs, state.shapes))


def read_stored_bits(state: State) -> State:
    """Stored numbers that are taken for levels of a quantised type -> numbers of that type.

    ``Bitcast(Const{uint8}, quint8) -> Const{quint8}``.
    """
    return state.become(stored_bits.read_stored_bits(state.graph, state.outputs))


def quiet_loops(state: State) -> State:
    """A dropout in the body of a loop -> its input: what inference makes of it, before any loop is looked into.

    ``While(h = Select(uniform >= rate, step(h) * scale, 0)) -> While(h = step(h))``.
    """
    graph, quiet = dropout.quiet_loops(state.graph, state.model.functions)
    if graph is state.graph and not quiet:
        return state
    if state.outputs:
        graph = prune(graph, state.outputs)
    functions = {**state.model.functions, **quiet}
    return replace(state, model=replace(state.model, functions=functions), graph=graph)


def roll_steps(state: State) -> State:
    """A chain of equal steps -> a loop over them, where that is a recurrent layer.

    ``h1 = Tanh(x[0] @ w + h0 @ u), h2 = Tanh(x[1] @ w + h1 @ u) ... -> While(i, h)``.
    """
    graph, steps = roll_recurrences(
        state.graph, state.model, state.outputs, state.shapes
    )
    if graph is state.graph:
        return state
    functions = {**state.model.functions, **steps}
    return replace(state, model=replace(state.model, functions=functions), graph=graph)


def lift_loops(state: State) -> State:
    """A loop -> one call of what it computes; a cond -> a selection, or a call where its sides differ in shape.

    ``Exit(Switch(Merge(Enter(x), NextIteration ...)) -> PartitionedCall(x, f=while)``.
    """
    lifted = loops.lift(state.graph, state.model, state.outputs, state.shapes)
    return replace(state, graph=lifted.graph, lifted=lifted)


def fill_tables(state: State) -> State:
    """A look-up in a table whose contents are known -> a look-up that knows them.

    ``LookupTableFindV2(handle, keys, default) -> LookupTableFindV2(keys, default) {keys, values}``.
    """
    if not state.outputs:
        return state
    graph = state.graph
    filled = fill_lookups(graph, table_contents(graph, state.model))
    return state if filled is graph else state.become(prune(filled, state.outputs))


PASSES = (
    Pass(set_modes, is_asked=True, drops=SIDE),
    Pass(store_ranges, drops="it only moves a range"),
    Pass(drop_training, drops="it only trains"),
    Pass(drop_unneeded),
    Pass(join_derivatives),
    Pass(read_stored_bits),
    Pass(quiet_loops),
    Pass(roll_steps),
    Pass(lift_loops),
    Pass(
        fill_tables,
        drops="the contents of a table are among the attributes of who looks it up",
    ),
    Pass(drop_transposes),
    Pass(join_sparse_feeds),
)
