"""Graph -> Graph without TensorFlow 1's control flow: frames become While, conds become If, TensorArrays become TensorLists.

What converters take: they know loops as functions, not as Enter and NextIteration.
"""

from __future__ import annotations

from dataclasses import replace

from ...graph import Function, Graph, Tensor
from ...graph.edit import duplicate, put
from ...simplify.control_flow.conds import conds_to_ifs
from ...simplify.control_flow.dead_arguments import trim
from ...simplify.control_flow.lifted import ENTERS
from ...simplify.control_flow.tensor_arrays import (
    arrays_to_lists,
    has_growing_array,
    type_lists,
)
from ...simplify.control_flow.while_frames import MERGES, lift_frames
from ...simplify.prune import prune
from ..frozen import Frozen
from .lists import say_elements
from .tables import without_tables


def functional(frozen: Frozen) -> Frozen:
    """``Merge(Enter, NextIteration), Switch, Exit -> While(cond, body)`` and so on; the same model where nothing loops or branches.

    A frame that is no well-formed loop stays as it is: the converter will say so.
    """
    frozen = without_tables(frozen)
    graph = frozen.graph
    if next(graph.by_op(*ENTERS, *MERGES), None) is None:
        return frozen
    outputs = [t for s in frozen.signatures.values() for t in s.outputs.values()]
    inputs = [t for s in frozen.signatures.values() for t in s.inputs.values()]
    copy, functions = duplicate(graph), dict[str, Function]()
    lift_frames(copy, functions, [tensor.node for tensor in outputs])
    bodies = [copy, *(function.graph for function in functions.values())]
    grows = any(has_growing_array(body) for body in bodies)
    for body in bodies:
        arrays_to_lists(body, grows)
    type_lists(copy, functions)
    for name in list(functions):
        conds_to_ifs(functions[name].graph, functions, name)
    conds_to_ifs(copy, functions, "graph")
    for body in (copy, *(function.graph for function in functions.values())):
        _drop_dangling(body)
    ends = [*outputs, *inputs, *map(Tensor, frozen.initialisers)]
    library = {**frozen.functions, **functions}
    whole = Function("whole graph", prune(copy, ends), (), tuple(ends))
    copy = trim(whole, library).graph  # what a loop carries and nobody reads
    say_elements(copy, library)
    return replace(frozen, graph=prune(copy, ends), functions=library)


def _drop_dangling(graph: Graph) -> None:
    """A control edge from a node that stayed outside a body, or became part of one, orders nothing any more."""
    for name in graph:
        node = graph.node(name)
        left = tuple(source for source in node.controls if source in graph)
        if left != node.controls:
            put(graph, name, replace(node, controls=left))
