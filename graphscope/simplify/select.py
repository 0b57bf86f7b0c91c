"""Graph -> Graph: TensorFlow 1's conds become selections, so that what follows is plain dataflow.

A cond is Switch nodes that send a tensor into one of two branches and a Merge that takes whichever branch lives.
Where nothing loops, ``Merge`` computes ``Select(predicate, true branch, false branch)`` over the values that both
branches would have; what a branch would *do* (write a variable) is no part of that, and is not run by a reader of
values. Loops (a Merge fed by NextIteration) stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Node, Tensor
from .rewire import duplicate, put, redirect

_SWITCHES = ("Switch", "RefSwitch")
_MERGES = ("Merge", "RefMerge")
_PASS = ("Identity", "RefIdentity")
_LOOPS = ("NextIteration", "RefNextIteration", "Enter", "RefEnter")


def conds_to_selects(graph: Graph) -> Graph:
    """A copy in which every Merge that ends a cond is a SelectV2 of its name, its Switches passed by.

    A Merge stays where its branches cannot be told, or where somebody reads which branch lived.
    """
    found = {}
    for merge in graph.by_op(*_MERGES):
        choice = _choice(graph, merge)
        if choice is not None:
            found[merge] = choice
    if not found:
        return graph
    made = duplicate(graph)
    for merge, (predicate, yes, no) in found.items():
        old = made.node(merge)
        attrs = {"T": str(old.attrs.get("T", "float32"))}
        put(
            made,
            merge,
            Node("SelectV2", attrs, (), (), old.device),
            (predicate, yes, no),
        )
    _pass_switches_by(made)
    return made


def _pass_switches_by(graph: Graph) -> None:
    """Let all that reads a Switch read what went into it; a remaining Merge keeps its own."""
    kept = graph.upstream(graph.by_op(*_MERGES), control=True)
    for switch in [name for name in graph.by_op(*_SWITCHES) if name not in kept]:
        into = graph.inputs(switch)[0]
        for port in (0, 1):
            redirect(graph, Tensor(switch, port), into)
    for name in graph:
        node = graph.node(name)
        if node.controls and name not in kept:
            graph._node[name]["node"] = replace(node, controls=())


def _choice(graph: Graph, merge: str) -> tuple[Tensor, Tensor, Tensor] | None:
    """The predicate of a cond, and the tensors that its Merge takes where it is true and where it is false."""
    inputs = graph.inputs(merge)
    if len(inputs) != 2 or graph.consumers(merge, port=1):
        return None
    if any(graph.op(tensor.node) in _LOOPS for tensor in inputs):
        return None
    first, second = (_guards(graph, tensor) for tensor in inputs)
    telling = [p for p in first if p in second and first[p] ^ second[p] == {0, 1}]
    telling = [p for p in telling if len(first[p]) == len(second[p]) == 1]
    if len(telling) != 1:
        return None
    true_first = first[telling[0]] == {1}
    yes, no = inputs if true_first else inputs[::-1]
    return telling[0], yes, no


def _guards(graph: Graph, tensor: Tensor) -> dict[Tensor, set[int]]:
    """Predicate -> the ports of its Switches that the tensor depends on, with no other Switch between."""
    found: dict[Tensor, set[int]] = {}
    stack, seen = [tensor], set()
    while stack:
        at = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        if graph.op(at.node) in _SWITCHES:
            predicate = _resolved(graph, graph.inputs(at.node)[1])
            found.setdefault(predicate, set()).add(at.port)
            continue
        stack.extend(graph.inputs(at.node))
        stack.extend(
            Tensor(name) for name in graph.node(at.node).controls if name in graph
        )
    return found


def _resolved(graph: Graph, tensor: Tensor) -> Tensor:
    seen: set[Tensor] = set()
    while graph.op(tensor.node) in _PASS and tensor not in seen:
        seen.add(tensor)
        tensor = graph.inputs(tensor.node)[0]
    return tensor
