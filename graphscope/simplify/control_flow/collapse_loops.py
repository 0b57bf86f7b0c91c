"""Layer graph -> layer graph in which the calls of loops are layers, which own the weights that they read."""

from __future__ import annotations

from ...graph.edit import drop_unread, duplicate, put
from ..state import State


def loops_to_layers(state: State) -> State:
    """The call of a loop -> the loop as a layer, which owns the weights that it reads.

    ``StatefulPartitionedCall(x, kernel, bias) -> Loop(x)``.
    """
    if not state.loops:
        return state
    made = duplicate(state.graph)
    for loop in state.loops:
        name = made.raised(loop.output).node
        if name not in made:
            continue
        given = zip(loop.arguments, made.inputs(name), strict=True)
        kept = [tensor for argument, tensor in given if argument in loop.inputs]
        freed = set(made._pred[name]) - {tensor.node for tensor in kept}
        put(made, name, loop, kept)
        drop_unread(made, freed, state.kept)
    return state.become(made)
