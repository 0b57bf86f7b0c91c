"""Graph -> Graph: TensorFlow 1's conds become selections, so that what follows is plain dataflow.

A cond is Switch nodes that send a tensor into one of two branches and a Merge that takes whichever branch lives.
Where nothing loops, ``Merge`` computes ``Select(predicate, true branch, false branch)`` over the values that both
branches would have; what a branch would *do* (write a variable) is no part of that, and is not run by a reader of
values. Loops (a Merge fed by NextIteration) stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, put, redirect
from ...ops import spellings

_PASS = ("Identity", "RefIdentity", *spellings.SWITCHES)

Guards = frozenset[tuple[Tensor, int]]


def conds_to_selects(graph: Graph) -> Graph:
    """A copy in which every Merge that ends a cond is a SelectV2 of its name, its Switches passed by.

    A Merge stays where its branches cannot be told, or where somebody reads which branch lived.
    """
    choices = _choices(graph)
    if not choices:
        return graph
    copy = duplicate(graph)
    for merge, (predicate, yes, no) in choices.items():
        old = copy.node(merge)
        attrs = {"T": str(old.attrs.get("T", "float32"))}
        chosen = Node("SelectV2", attrs, (), (), old.device)
        put(copy, merge, chosen, (predicate, yes, no))
    _pass_switches_by(copy)
    return copy


def _pass_switches_by(graph: Graph) -> None:
    """Let all that reads a Switch read what went into it; a remaining Merge keeps its own."""
    above_merges = graph.upstream(graph.by_op(*spellings.MERGES), control=True)
    for switch in [
        name for name in graph.by_op(*spellings.SWITCHES) if name not in above_merges
    ]:
        for into in graph.inputs(switch)[:1]:
            for port in (0, 1):
                redirect(graph, Tensor(switch, port), into)
    for name in graph:
        node = graph.node(name)
        if node.controls and name not in above_merges:
            graph.add_node(name, node=replace(node, controls=()))


def _choices(graph: Graph) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """Merge -> the predicate of its cond, and the tensors that it takes where that is true and where it is false."""
    choices: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
    guards: dict[str, Guards] = {}
    for name in in_order(graph):
        node = graph.node(name)
        inputs = graph.inputs(name)
        guards_of_inputs = [_guards_of(graph, tensor, guards) for tensor in inputs]
        guards_of_inputs += [
            _guards_of(graph, Tensor(c), guards) for c in node.controls if c in graph
        ]
        all_held = frozenset().union(*guards_of_inputs)
        if (
            node.op in spellings.MERGES
            and len(inputs) == 2
            and not graph.consumers(name, 1)
        ):
            predicate = _telling(guards_of_inputs[0], guards_of_inputs[1])
            if predicate is not None:
                yes, no = (
                    inputs if (predicate, 1) in guards_of_inputs[0] else inputs[::-1]
                )
                choices[name] = (predicate, yes, no)
                all_held -= {(predicate, 0), (predicate, 1)}
        guards[name] = all_held
    return choices


def in_order(graph: Graph) -> Iterator[str]:
    """The nodes after all that they read or wait for; those on or behind a loop are left out."""
    waits = {}
    readers: dict[str, list[str]] = {}
    for name in graph:
        sources = {*graph._pred[name], *graph.node(name).controls} & graph._node.keys()
        waits[name] = len(sources)
        for source in sources:
            readers.setdefault(source, []).append(name)
    ready = [name for name, count in waits.items() if not count]
    while ready:
        name = ready.pop()
        yield name
        for reader in readers.get(name, ()):
            waits[reader] -= 1
            if not waits[reader]:
                ready.append(reader)


def _guards_of(graph: Graph, tensor: Tensor, known: Mapping[str, Guards]) -> Guards:
    """The (predicate, port) of every Switch that the tensor is behind and that no Merge has ended."""
    own = known.get(tensor.node, frozenset())
    if (
        graph.op(tensor.node) in spellings.SWITCHES
        and len(graph.inputs(tensor.node)) == 2
    ):
        return own | {(resolved(graph, graph.inputs(tensor.node)[1]), tensor.port)}
    return own


def _telling(first: Guards, second: Guards) -> Tensor | None:
    """The one predicate of which the two sides have different ports."""
    predicates = [
        p for p, port in first if (p, 1 - port) in second and (p, port) not in second
    ]
    predicates = [p for p in predicates if not {(p, 0), (p, 1)} <= first]
    return predicates[0] if len(predicates) == 1 else None


def resolved(graph: Graph, tensor: Tensor) -> Tensor:
    """The tensor itself, seen through what only passes it on."""
    seen: set[Tensor] = set()
    while graph.op(tensor.node) in _PASS and tensor not in seen:
        seen.add(tensor)
        tensor = next(iter(graph.inputs(tensor.node)), tensor)
    return tensor
