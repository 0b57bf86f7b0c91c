"""What is done to all that a file holds, before anything is asked of it."""

from __future__ import annotations

from dataclasses import replace

from ...simplify.inline import inline
from ...simplify.rewrites.unfuse import unfuse
from ...simplify.state import Pass, State


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


PASSES = (
    Pass(inline_calls),
    Pass(unfuse_ops),
)
