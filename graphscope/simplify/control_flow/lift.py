"""Graph -> Graph in which every loop is one node: what a loop computes is a function of its own, and the rest is plain dataflow.

Frames of TensorFlow 1 become While nodes, TensorArrays become TensorLists, conds that hold a loop or a list, or lie in a loop, become If nodes; then each
While, If or Case, with the lists that it shares with others, is outlined into a function and called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...graph import Function, Graph, Tensor
from ...graph.edit import duplicate, redirect
from ...wire.write import function_names
from ..prune import FRAME_OPS
from .conds import conds_to_ifs
from .lifted import Lifted, has_loops
from .outline import bodies, outline_regions
from .tensor_arrays import arrays_to_lists, has_growing_array, type_lists
from .while_frames import lift_frames


def lift_loops(
    graph: Graph, functions: Mapping[str, Function], outputs: Iterable[Tensor] = ()
) -> Lifted:
    """The graph with each outermost loop as one call; the same graph where nothing loops.

    ``functions`` is the library of the file, in which calls are inlined; ``outputs`` are tensors that keep their names.
    """
    if not has_loops(graph, functions):
        return Lifted(graph)
    asked = tuple(outputs)
    copy, library = duplicate(graph), dict(functions)
    _pass_calls_by(copy, {tensor.node for tensor in asked})
    before = frozenset(copy)
    inner = _spelled_out(copy, library)
    library |= inner
    frames: dict[str, Function] = {}
    broken: dict[str, str] = {}
    for each in (copy, *(function.graph for function in inner.values())):
        broken |= lift_frames(each, frames, [tensor.node for tensor in asked])
    library |= frames
    _rewrite_arrays([copy, *(f.graph for f in (*frames.values(), *inner.values()))])
    type_lists(copy, {**inner, **frames})
    for name in (*frames, *inner):
        conds_to_ifs(library[name].graph, library, name)
    seeds = [n for n in copy if function_names(copy.node(n)) & library.keys()]
    choices = copy.by_op("_SwitchN")
    lists = (n for n in copy if copy.op(n).startswith("TensorList"))
    conds_to_ifs(copy, library, "", frozenset((*seeds, *choices, *lists)))
    origin = {name: before - frozenset(copy) for name in seeds[:1]}
    regions = outline_regions(copy, library, asked, origin)
    new = {n: f for n, f in library.items() if functions.get(n) is not f}
    return Lifted(copy, new, tuple(regions), broken)


def _spelled_out(
    graph: Graph, functions: Mapping[str, Function]
) -> dict[str, Function]:
    """Copies of the functions that the graph runs and that have control flow of TensorFlow 1 in them, or TensorArrays."""
    reasons = {}
    for name, function in bodies(graph, functions).items():
        inside = function.graph
        if any(
            op in FRAME_OPS or op.startswith("TensorArray")
            for op in map(inside.op, inside)
        ):
            reasons[name] = replace(function, graph=duplicate(inside), message=None)
    return reasons


def _pass_calls_by(graph: Graph, needed: set[str]) -> None:
    """Let who reads an inlined call read what it returned, so that only what is read of a loop counts."""
    for name in graph.by_op("IdentityN"):
        if name not in needed:
            for port, tensor in enumerate(graph.inputs(name)):
                redirect(graph, Tensor(name, port), tensor)


def _rewrite_arrays(graphs: list[Graph]) -> None:
    resizes = any(has_growing_array(graph) for graph in graphs)
    for graph in graphs:
        arrays_to_lists(graph, resizes)
