"""Ops -> layers."""

from __future__ import annotations

from dataclasses import replace

from ...graph import Loop
from ...infer.layers import find, fixed_shapes, loops
from ...infer.recurrence import bidirectional, masks, usage
from ...infer.training import layer_arguments
from ...match import collapse
from ...ops import spellings
from ...ops.constants import Constants
from ...simplify.control_flow.collapse_loops import loops_to_layers
from ...simplify.state import Pass, State


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
    recurrent = loops.loop_layers(
        state.graph, state.lifted, state.facts, state.functions
    )
    layers = loops.with_loops(state.layers, recurrent, state.graph)
    return replace(state, loops=recurrent, layers=layers)


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
    fused = {*spellings.BLOCK_LSTMS, *spellings.CUDNN_RNNS}
    nodes = map(state.graph.node, state.graph)
    if not any(isinstance(node, Loop) or node.op in fused for node in nodes):
        return state
    from ...infer.recurrence.settle import settle_recurrence

    values = state.constants.value
    return state.become(
        settle_recurrence(state.graph, state.specs, values, keep=state.outputs)
    )


def carry_states(state: State) -> State:
    """A recurrent layer that begins where its last call ended -> a stateful one.

    ``LSTM(x, initial_state=[h, c]), Assign(h, ...), Assign(c, ...) -> LSTM(x) {stateful}``.
    """
    whole = state.model.graph
    constants = Constants(whole, state.model, variables=True)
    return state.become(usage.carry_states(state.graph, whole, constants.value))


def mark_fixed_shapes(state: State) -> State:
    """A loop that no recurrent layer explains -> the same, with what is known of its shapes.

    ``Loop(x) -> Loop(x) {fixed}``.
    """
    return state.become(fixed_shapes.mark_fixed_shapes(state.graph))


def name_reversals(state: State) -> State:
    """The reversal of each row within its length -> a layer that every backend runs.

    ``ReverseSequence(x, lengths) {seq_dim=1} -> layers.ReverseSequence(x, lengths)``.
    """
    return state.become(bidirectional.name_reversals(state.graph))


def end_masks(state: State) -> State:
    """A masked sequence before a layer that the file gives no mask -> a copy of it, which has none.

    ``GlobalAveragePooling1D(LSTM(x, mask=m)) -> GlobalAveragePooling1D(copy(LSTM(x, mask=m)))``.
    """
    return state.become(masks.end_masks(state.graph))


PASSES = (
    Pass(join_spellings),
    Pass(find_layers),
    Pass(read_training),
    Pass(add_loops),
    Pass(collapse_layers),
    Pass(loops_to_layers),
    Pass(recover_recurrence),
    Pass(carry_states, drops="a stateful layer begins with zeros"),
    Pass(mark_fixed_shapes),
    Pass(name_reversals),
    Pass(end_masks),
)
