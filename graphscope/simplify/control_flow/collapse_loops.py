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
    copy = duplicate(state.graph)
    for loop in state.loops:
        name = copy.raised(loop.output).node
        if name not in copy:
            continue
        arguments = zip(loop.arguments, copy.inputs(name), strict=True)
        operands = [tensor for argument, tensor in arguments if argument in loop.inputs]
        freed = set(copy._pred[name]) - {tensor.node for tensor in operands}
        put(copy, name, loop, operands)
        drop_unread(copy, freed, state.kept)
    return state.become(copy)
