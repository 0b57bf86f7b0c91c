"""All rewrites, in their order: the way from the graph of a file to the graph of its layers.

Each entry of ``PASSES`` takes a State and gives one; ``graphscope layers MODEL --stop-after PASS`` prints what stands
after one of them. What is wanted (outputs, modes) is told between ``unfuse_ops`` and ``set_modes``: by then it can be inferred.
"""

from __future__ import annotations

import os
from dataclasses import replace

from ..errors import UnknownPass
from ..graph import Loop
from ..graph.edit import bypass_calls, duplicate
from ..infer.attention.compose import compose_layers, drop_loose_ends
from ..infer.attention.flattened_heads import lift_stacks
from ..infer.attention.flattened_tokens import lift_rows
from ..infer.attention.keras_masks import name_masks
from ..infer.attention.repeated_masks import thin_masks
from ..infer.attention.reshapes import name_reshapes
from ..infer.attention.score_biases import gather_biases
from ..infer.layers import find, loops
from ..infer.lookup_tables import table_contents
from ..infer.recurrence.settle import settle_recurrence
from ..infer.recurrence.unrolled import roll_recurrences
from ..infer.shapes.open_sizes import infer_again, infer_sizes, resolve_choices
from ..infer.training import layer_arguments, roles
from ..match import collapse
from ..simplify.control_flow.collapse_loops import loops_to_layers
from ..simplify.inline import inline
from ..simplify.postconditions import check_pass
from ..simplify.prune import prune
from ..simplify.rewrites import dropout
from ..simplify.rewrites.cse import index_slices, merge_equal
from ..simplify.rewrites.layouts import drop_transposes
from ..simplify.rewrites.sparse import join_sparse_feeds
from ..simplify.rewrites.stored_ranges import read_stored_ranges
from ..simplify.rewrites.tables import fill_lookups
from ..simplify.rewrites.unfuse import unfuse
from ..simplify.shapes.constant_reshapes import fold_reshape_targets
from ..simplify.shapes.crops import crop_transposed_convolutions
from ..simplify.shapes.fills import expand_fills
from ..simplify.shapes.fold_sizes import fold_sizes
from ..simplify.shapes.split_slices import split_slices
from ..simplify.specialise import specialise
from ..simplify.state import Pass, State


def inline_calls(state: State) -> State:
    """The call of a function -> the nodes of its body.

    ``PartitionedCall(x, f=relu_of) -> PartitionedCall/Relu(x)``; names of the file stay valid.
    """
    model = inline(state.model)
    return (
        state
        if model is state.model
        else replace(state, model=model, graph=model.graph)
    )


def unfuse_ops(state: State) -> State:
    """An op that Grappler fused -> the plain ops that it stands for.

    ``_FusedConv2D(x, k, b, fused_ops=["BiasAdd", "Relu"]) -> Relu(BiasAdd(Conv2D(x, k), b))``.
    """
    graph = unfuse(state.graph)
    if graph is state.graph:
        return state
    return replace(state, model=replace(state.model, graph=graph), graph=graph)


def set_modes(state: State) -> State:
    """A feed that switches a mode -> the value that inference gives it, and the side of a cond that it chooses.

    ``Merge(Switch(x, is_training) ...) -> x`` of the side for inference.
    """
    functions = state.model.functions
    return state.become(specialise(state.graph, state.modes, functions=functions))


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


def join_spellings(state: State) -> State:
    """Ops that together spell one op -> that op, while layers are sought.

    ``BatchToSpaceND(Conv2D(SpaceToBatchND(x), w)) -> Conv2D(x, w, dilations=2)``; see ``patterns/canonical``.
    """
    view = find.canonical_of(state)
    if view.graph is state.graph:
        return state
    joined = replace(state, graph=view.graph, written=state.graph)
    joined.views["canonical"] = view
    return joined


def find_layers(state: State) -> State:
    """Ops -> the ops as they are written, and the layers that explain them.

    ``BiasAdd(Conv2D(x, kernel), bias) -> Conv2D``; activations that one call made join the layer before.
    """
    layers = find.layers_of(state)
    state = replace(state, graph=state.written or state.graph, written=None)
    return replace(state, layers=layers, known=state.constants)


def read_training(state: State) -> State:
    """Layers -> the same layers with the regularizers and the momentum that the training graph tells."""
    layers = layer_arguments.with_training(state.layers, state.model, state.modes)
    return replace(state, layers=layers)


def add_loops(state: State) -> State:
    """Layers -> the layers and the loops that were lifted, each before what reads it."""
    found = loops.loop_layers(state.graph, state.lifted, state.facts, state.functions)
    layers = loops.with_loops(state.layers, found, state.graph)
    return replace(state, loops=found, layers=layers)


def collapse_layers(state: State) -> State:
    """A graph of ops -> a graph whose nodes are layers, and the ops that no layer explains.

    ``Relu(BiasAdd(MatMul(x, kernel), bias)) -> Dense(x)``.
    """
    plain = [each for each in state.layers if not isinstance(each, Loop)]
    graph = collapse(state.graph, plain, keep=state.kept)
    loose = {name for name in graph if not graph._succ[name]}
    ends = {below for below, tensor in graph.tensors.items() if tensor.node in loose}
    return replace(state, graph=graph, below=state.graph, ends=frozenset(ends))


def recover_recurrence(state: State) -> State:
    """A loop that is a recurrent layer of Keras -> that layer.

    ``Transpose(Loop(Transpose(x))) -> LSTM(x)``.
    """
    values = state.constants.value
    return state.become(
        settle_recurrence(state.graph, state.specs, values, keep=state.outputs)
    )


_SIDE = "of a cond, the side that inference doesn't take"
PASSES = (
    # the whole file
    Pass(inline_calls),
    Pass(unfuse_ops),
    # what the outputs need at inference
    Pass(set_modes, is_asked=True, drops=_SIDE),
    Pass(store_ranges, drops="it only moves a range"),
    Pass(drop_training, drops="it only trains"),
    Pass(drop_unneeded),
    Pass(quiet_loops),
    Pass(roll_steps),
    Pass(lift_loops),
    Pass(
        fill_tables,
        drops="the contents of a table are among the attributes of who looks it up",
    ),
    Pass(drop_transposes),
    Pass(join_sparse_feeds),
    # sizes
    Pass(infer_sizes, is_asked=True, of_layers=True),
    Pass(fold_sizes, drops=_SIDE),
    Pass(crop_transposed_convolutions),
    Pass(split_slices),
    Pass(infer_again),
    Pass(resolve_choices, drops=_SIDE),
    # layers
    Pass(join_spellings),
    Pass(find_layers),
    Pass(read_training),
    Pass(add_loops),
    Pass(collapse_layers),
    Pass(loops_to_layers),
    Pass(recover_recurrence),
    # layers made of layers
    Pass(lift_rows),
    Pass(lift_stacks),
    Pass(name_reshapes),
    Pass(index_slices),
    Pass(merge_equal, drops="an equal constant stays"),
    Pass(gather_biases),
    Pass(compose_layers),
    Pass(thin_masks),
    Pass(name_masks),
    Pass(drop_loose_ends),
    # what source is written from
    Pass(fold_reshape_targets),
    Pass(expand_fills),
)
LASTING = frozenset(
    "unfuse_ops drop_unneeded lift_loops infer_sizes resolve_choices loops_to_layers expand_fills".split()
)  # what the rest of an analysis asks for more than once


def passes_until(name: str) -> list[Pass]:
    """The passes up to one of them; raises UnknownPass with the list where there is none of that name."""
    names = [each.name for each in PASSES]
    if name not in names:
        raise UnknownPass(f"no pass {name!r}; the passes are {', '.join(names)}")
    return list(PASSES[: names.index(name) + 1])


def check(each: Pass, before: State, after: State) -> None:
    """Raise BrokenPass where a pass broke what it must keep; only where GRAPHSCOPE_CHECK=1 asks for it."""
    if after is not before and os.environ.get("GRAPHSCOPE_CHECK") == "1":
        check_pass(each, before, after)
